// SPDX-License-Identifier: BSL-1.0
#include "weir/detail/type_name.hpp"

#include <algorithm>
#include <utility>

namespace weir::detail {
namespace {

constexpr std::string_view kAnonymous = "(anonymous namespace)";
constexpr std::string_view kAnonymousMark = "{anonymous}";  // as g++ has it; without parentheses, which mean a function

bool is_word(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// The words of which the names of builtin integers are made, in any order: `long unsigned int`, `unsigned long`.
struct integer_words {
  int longs = 0;
  bool is_unsigned = false, is_signed = false, is_short = false, is_char = false, is_int = false, is_int128 = false;

  bool add(std::string_view word) {
    if (word == "long") return ++longs, true;
    for (const auto& [name, flag] :
         {std::pair{"unsigned", &is_unsigned}, std::pair{"signed", &is_signed}, std::pair{"short", &is_short},
          std::pair{"char", &is_char}, std::pair{"int", &is_int}, std::pair{"__int128", &is_int128}}) {
      if (word == name) return *flag = true;
    }
    return false;
  }
  // `double` may follow: long double.
  [[nodiscard]] bool is_only_long() const { return longs == 1 && !is_unsigned && !is_signed && !is_int; }
  [[nodiscard]] std::string spelled() const {
    const std::string sign = is_unsigned ? "unsigned " : "";
    if (is_char) return (is_signed ? "signed " : sign) + "char";
    if (is_int128) return sign + "__int128";
    if (is_short) return sign + "short";
    if (longs == 0) return sign + "int";
    return sign + (longs == 1 ? "long" : "long long");
  }
};

// One spelling for words and spaces.
class respeller {
 public:
  explicit respeller(std::string_view text) : text_(text) {}

  std::string result() {
    while (at_ < text_.size()) {
      if (text_[at_] == ' ') {
        ++at_;
      } else if (is_digit(text_[at_])) {
        add_word(number());
      } else if (is_word(text_[at_])) {
        add_word(name());
      } else {
        if (text_[at_] == '{' && !out_.empty() && is_word(out_.back())) out_ += ' ';  // const {anonymous}::x
        out_ += text_[at_];
        if (text_[at_++] == ',') out_ += ' ';
      }
    }
    return std::move(out_);
  }

 private:
  void add_word(std::string_view word) {
    if (!out_.empty() && is_word(out_.back())) out_ += ' ';
    out_ += word;
  }
  std::string_view word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  // Without the suffix that some compilers add: 3UL.
  std::string_view number() {
    std::string_view all = word();
    while (all.size() > 1 && (all.back() == 'U' || all.back() == 'L')) all.remove_suffix(1);
    return all;
  }
  std::string name() {
    const std::string_view first = word();
    integer_words integer;
    if (!integer.add(first)) return std::string(first);
    for (;;) {
      const std::size_t before = at_;
      if (at_ < text_.size() && text_[at_] == ' ') ++at_;
      const std::string_view next = word();
      if (next == "double" && integer.is_only_long()) return "long double";
      if (!integer.add(next)) {
        at_ = before;
        return integer.spelled();
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

// `f(int)::local` is `local`: not every compiler says in which function a type is.
std::string without_function(std::string text) {
  constexpr std::string_view kEnd = ")::";
  std::size_t cut = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '<') ++depth;
    if (text[i] == '>') --depth;
    if (depth == 0 && text.compare(i, kEnd.size(), kEnd) == 0) cut = i + kEnd.size();
  }
  return text.substr(cut);
}

}  // namespace

std::string spelled_type(std::string_view signature) {
  constexpr std::string_view kBegin = "T = ";
  const std::size_t begin = signature.find(kBegin) + kBegin.size();
  std::string text(signature.substr(begin, signature.rfind(']') - begin));
  replace_all(text, kAnonymous, kAnonymousMark);
  for (const std::string_view inline_namespace : {"__cxx11::", "__1::", "_V2::"}) {
    replace_all(text, inline_namespace, "");
  }
  text = respeller(without_function(std::move(text))).result();
  replace_all(text, "std::basic_string<char>", "std::string");
  replace_all(text, kAnonymousMark, kAnonymous);
  return text;
}

std::string spelled_template(std::string_view spelling, std::span<const std::string_view> arguments) {
  std::string whole(spelling);
  if (!spelling.ends_with('>')) return whole;
  std::size_t open = spelling.size();  // backwards to the bracket that opens the last list of arguments
  int depth = 0;
  do {
    const char c = spelling[--open];
    if (c == '>') ++depth;
    if (c == '<') --depth;
  } while (depth > 0 && open > 0);
  if (depth != 0) return whole;
  std::string name = whole.substr(0, open) + '<';
  for (const std::string_view& argument : arguments) {
    if (&argument != &arguments.front()) name += ", ";
    name += argument;
  }
  return name + '>';
}

}  // namespace weir::detail
