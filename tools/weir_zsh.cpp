// SPDX-License-Identifier: BSL-1.0
#include <fmt/format.h>

#include "weir_pages.hpp"

namespace weir::command {
namespace {

constexpr const char* kBegin = R"zsh(#compdef weir
# Made by `weir completion zsh`.

_weir_names() {
  local -a names
  names=(${(f)"$(_call_program names ${(q)weir} ls --names ${(q)@} 2>/dev/null)"})
  _wanted names expl 'segment' compadd -a names
}
_weir_segments() { _weir_names }
_weir_channels() { _weir_names --kind channel }
_weir_arrays() { _weir_names --kind array }
_weir_sessions() {
  local -a names
  names=(${(f)"$(_call_program names ${(q)weir} ls --names --kind session 2>/dev/null)"})
  names=(${${names#@}%.session})
  _wanted names expl 'session' compadd -a names
}
)zsh";

constexpr const char* kEnd = R"zsh(
if [[ $funcstack[1] == _weir ]]; then
  _weir "$@"
else
  compdef _weir weir
fi
)zsh";

/// Within single quotes, in a specification of _arguments or _describe, where ':' and brackets have a meaning.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') out += '\\';
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out;
}

std::string action_of(const argument_page& argument) {
  if (!argument.choices.empty()) return fmt::format("({})", fmt::join(argument.choices, " "));
  switch (argument.with) {
    case completes::segments: return "_weir_segments";
    case completes::channels: return "_weir_channels";
    case completes::arrays: return "_weir_arrays";
    case completes::sessions: return "_weir_sessions";
    case completes::files: return "_files";
    case completes::folders: return "_files -/";
    case completes::commands: return "_weir_commands";
    case completes::nothing: break;
  }
  return " ";
}

std::string option_spec(const argument_page& option) {
  std::string out;
  const std::string text = escaped(option.text);
  const std::string value = option.value.empty() ? "" : fmt::format(":{}:{}", escaped(option.value), action_of(option));
  const std::string others = option.repeats            ? "*"
                             : option.names.size() > 1 ? fmt::format("({})", fmt::join(option.names, " "))
                                                       : "";
  for (const std::string& name : option.names) {
    const char* const joined = !value.empty() && name.starts_with("--") ? "=" : "";  // --kind KIND and --kind=KIND
    out += fmt::format(" \\\n        '{}{}{}[{}]{}'", others, name, joined, text, value);
  }
  return out;
}

std::string arguments_of(const command_page& page) {
  std::string out = "_arguments -s";
  for (const argument_page& option : page.options) out += option_spec(option);
  std::size_t number = 0;
  for (const argument_page& place : page.positionals) {
    const std::string where = place.repeats ? "*:" : fmt::format("{}{}", ++number, place.required ? ":" : "::");
    out += fmt::format(" \\\n        '{}{}:{}'", where, escaped(place.names.front()), action_of(place));
  }
  return out;
}

}  // namespace

std::string zsh_completion(const command_page& whole) {
  std::string out = kBegin;
  out += "_weir_commands() {\n  local -a commands\n  commands=(\n";
  for (const command_page& each : whole.subcommands) {
    out += fmt::format("    '{}:{}'\n", escaped(each.name), escaped(each.text));
  }
  out += "  )\n  _describe -t commands 'command' commands\n}\n\n_weir() {\n";
  out += "  local curcontext=$curcontext state= line expl weir=$words[1] found=1\n  typeset -A opt_args\n";
  out += "  _arguments -C";
  for (const argument_page& option : whole.options) out += option_spec(option);
  out += " \\\n        '1:command:_weir_commands' \\\n        '*::argument:->arguments' && found=0\n";
  out +=
      "  [[ $state == arguments ]] || return found\n  curcontext=\"${curcontext%:*:*}:weir-$words[1]:\"\n  case "
      "$words[1] "
      "in\n";
  for (const command_page& each : whole.subcommands) {
    out += fmt::format("    {})\n      {}\n      ;;\n", each.name, arguments_of(each));
  }
  return out + "    *) return 1 ;;\n  esac\n}\n" + kEnd;
}

}  // namespace weir::command
