// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include "weir_pages.hpp"

namespace weir::command {
namespace {

/// Text that troff prints as it stands, in a line of its own.
std::string plain(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out += "\\&";  // no request
  for (const char c : text) {
    switch (c) {
      case '\\': out += "\\e"; break;
      case '-': out += "\\-"; break;  // the one that is on the keyboard, so that it can be copied
      case '\'': out += "\\(aq"; break;
      case '`': out += "\\(ga"; break;
      case '^': out += "\\(ha"; break;
      case '~': out += "\\(ti"; break;
      default: out += c;
    }
  }
  return out;
}

std::string in_bold(std::string_view text) { return fmt::format("\\fB{}\\fP", plain(text)); }
std::string in_italics(std::string_view text) { return fmt::format("\\fI{}\\fP", plain(text)); }

std::string hyphenated(std::string path) {
  for (char& c : path) {
    if (c == ' ') c = '-';
  }
  return path;
}

std::string reference(const command_page& page) { return in_bold(hyphenated(page.path)) + "(1)"; }

std::string synopsis_line(const command_page& page) {
  std::string out = in_bold(page.path);
  if (!page.subcommands.empty())
    return out + fmt::format(" {} [{}]", in_italics("command"), in_italics("argument ..."));
  if (!page.options.empty()) out += fmt::format(" [{}]", in_italics("options"));
  for (const argument_page& each : page.positionals) {
    const std::string word = in_italics(each.names.front()) + (each.repeats ? " ..." : "");
    out += each.required ? ' ' + word : fmt::format(" [{}]", word);
  }
  return out;
}

std::string tagged(std::string_view title, std::string_view text) { return fmt::format(".TP\n{}\n{}\n", title, text); }

std::string tagged(const argument_page& argument) {
  if (argument.names.front().front() != '-') {
    return tagged(in_italics(argument.names.front()), plain(text_of(argument)) + '.');
  }
  std::string title;
  for (const std::string& name : argument.names) title += (title.empty() ? "" : ", ") + in_bold(name);
  if (!argument.value.empty()) title += ' ' + in_italics(argument.value);
  return tagged(title, plain(text_of(argument)) + '.');
}

std::string lower_first(std::string text) {
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

constexpr const char* kEnvironment =
    ".SH ENVIRONMENT\n.TP\n\\fBNO_COLOR\\fP\nIf it is set, and not empty, nothing is printed in colours. Without it, "
    "colours "
    "are used on a terminal\nonly.\n";
constexpr const char* kFiles =
    ".SH FILES\n.TP\n\\fI/dev/shm/weir.*\\fP\nThe segments, a file each. A name may be given with or without the "
    "leading\n"
    "\\fBweir.\\fP\n";
constexpr const char* kExitStatus =
    ".SH EXIT STATUS\n.TP\n\\fB0\\fP\nAll is well.\n.TP\n\\fB1\\fP\nA problem was found, or there is nothing of that "
    "name.\n"
    ".TP\n\\fB2\\fP\nThe command line is wrong.\n";

}  // namespace

std::string manual_page(const command_page& page, const command_page& whole, std::string_view date) {
  const bool is_whole = !page.subcommands.empty();
  const std::string name = hyphenated(page.path);
  std::string title = name;
  for (char& c : title) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  std::string out = fmt::format(".TH {} 1 {} \"weir {}\" \"weir\"\n", title, date, WEIR_VERSION);
  out += fmt::format(".SH NAME\n{} \\- {}\n", plain(name), plain(lower_first(page.text)));
  out += fmt::format(".SH SYNOPSIS\n.nf\n{}\n.fi\n", synopsis_line(page));
  out += fmt::format(".SH DESCRIPTION\n{}.\n", plain(page.text));
  for (const std::string& paragraph : page.details) out += fmt::format(".PP\n{}\n", plain(paragraph));
  if (is_whole) {
    out += ".SH COMMANDS\n";
    for (const command_page& each : page.subcommands) out += tagged(reference(each), plain(each.text) + '.');
  }
  if (!page.positionals.empty()) out += ".SH ARGUMENTS\n";
  for (const argument_page& each : page.positionals) out += tagged(each);
  if (!page.options.empty()) out += ".SH OPTIONS\n";
  for (const argument_page& each : page.options) out += tagged(each);
  out += kExitStatus;
  out += kEnvironment;
  out += kFiles;
  std::string others = is_whole ? "" : reference(whole);
  for (const command_page& each : whole.subcommands) {
    if (each.name != page.name) others += (others.empty() ? "" : ",\n") + reference(each);
  }
  return out + ".SH SEE ALSO\n" + others + '\n';
}

}  // namespace weir::command
