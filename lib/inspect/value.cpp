// SPDX-License-Identifier: BSL-1.0
#include "inspect/value.hpp"

#include <fmt/core.h>

#include <utility>

namespace weir::inspect {
namespace {

std::string joined(const value& shown, const auto& text_of_part) {
  std::string out;
  for (const value& part : shown.parts) out += (out.empty() ? "" : ", ") + text_of_part(part);
  if (shown.parts.size() + shown.last.size() < shown.count) out += out.empty() ? "…" : ", …";
  for (const value& part : shown.last) out += ", " + text_of_part(part);
  return out;
}

std::string text_of_list(const value& shown) {
  std::string out = '[' + joined(shown, [](const value& part) { return text_of(part); }) + ']';
  const bool is_short = shown.last.empty() && shown.parts.size() == shown.count;
  if (is_short && shown.count <= 1) return out;
  std::string more = is_short ? "" : fmt::format("{} elements", shown.count);
  if (const auto& numbers = shown.numbers; numbers && !is_short) {
    if (!numbers->least.empty()) {
      more += fmt::format("; {} to {}, mean {}", numbers->least, numbers->greatest, numbers->mean);
    }
    if (numbers->not_numbers != 0) more += fmt::format("; {} NaN", numbers->not_numbers);
  }
  return more.empty() ? out : out + " (" + more + ')';
}

std::string text_of_map(const value& shown) {
  const auto pair = [](const value& part) {
    return part.is == value_kind::tuple && part.parts.size() == 2
               ? text_of(part.parts[0]) + ": " + text_of(part.parts[1])
               : text_of(part);
  };
  const std::string out = '{' + joined(shown, pair) + '}';
  return shown.last.empty() ? out : out + fmt::format(" ({} elements)", shown.count);
}

std::string text_of_parts(const value& shown) {
  return joined(shown, [](const value& part) { return text_of(part); });
}

}  // namespace

value value::of_kind(value_kind kind, std::string text) {
  value out;
  out.is = kind;
  out.text = std::move(text);
  return out;
}

std::string in_quotes(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\0') {
      out += "\\0";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + quote;
}

std::string text_of(const value& shown) {
  switch (shown.is) {
    case value_kind::nothing: return "nothing";
    case value_kind::boolean: return shown.truth ? "true" : "false";
    case value_kind::integer:
    case value_kind::natural:
    case value_kind::real:
    case value_kind::wide: return shown.text;
    case value_kind::text: {
      const char quote = shown.type == "char" ? '\'' : '"';
      std::string out = in_quotes(shown.text, quote);
      return shown.count == 0 ? out : out + fmt::format("… ({} characters)", shown.count);
    }
    case value_kind::list: return text_of_list(shown);
    case value_kind::map: return text_of_map(shown);
    case value_kind::tuple: return '(' + text_of_parts(shown) + ')';
    case value_kind::variant: return shown.parts.empty() ? "nothing" : text_of(shown.parts.front());
    case value_kind::any: {
      const auto says_its_type = [](const value& part) {
        return part.is == value_kind::bytes || part.is == value_kind::handle;
      };
      const bool is_named = !shown.parts.empty() && says_its_type(shown.parts.front());
      return (is_named ? "" : shown.type + ' ') + text_of_parts(shown);
    }
    case value_kind::handle: return shown.type + ' ' + in_quotes(shown.text);
    case value_kind::duration: return text_of_parts(shown) + ' ' + shown.text;
    case value_kind::bytes: {
      const std::string number = shown.parts.empty() ? "" : ", as an integer " + text_of(shown.parts.front());
      return fmt::format("{} {{{}}} ({} {}{})", shown.type, shown.text, shown.count,
                         shown.count == 1 ? "byte" : "bytes", number);
    }
    case value_kind::unread: return shown.text.empty() ? "…" : "… (" + shown.text + ')';
    case value_kind::corrupt: return "corrupt: " + shown.text;
  }
  return "…";
}

std::string damage_in(const value& shown) {
  if (shown.is == value_kind::corrupt) return shown.text;
  for (const auto* parts : {&shown.parts, &shown.last}) {
    for (const value& part : *parts) {
      if (std::string why = damage_in(part); !why.empty()) return why;
    }
  }
  return {};
}

}  // namespace weir::inspect
