// SPDX-License-Identifier: BSL-1.0
#include <fmt/format.h>

#include "weir_pages.hpp"

namespace weir::command {
namespace {

/// What does not change with the commands. Names of segments may hold anything that a file's name may: they are compared
/// and printed, never evaluated.
constexpr const char* kBegin =
    R"bash(# bash completion for weir                                               -*- shell-script -*-
# Made by `weir completion bash`.

# _weir_print WHAT [WORD...]: what may stand there, one on a line.
_weir_print() {
  local what=$1 name
  shift
  case $what in
    words) printf '%s\n' "$@" ;;
    segments) "$weir" ls --names 2>/dev/null ;;
    channels) "$weir" ls --names --kind channel 2>/dev/null ;;
    arrays) "$weir" ls --names --kind array 2>/dev/null ;;
    sessions)
      "$weir" ls --names --kind session 2>/dev/null | while IFS= read -r name; do
        name=${name#@}
        printf '%s\n' "${name%.session}"
      done
      ;;
    files) compgen -f -- "$current" ;;
    folders) compgen -d -- "$current" ;;
  esac
}

)bash";

constexpr const char* kEnd = R"bash(
_weir() {
  local weir=$1 line=${COMP_LINE:0:COMP_POINT}
  local -a words=() places=() wanted=()
  read -r -a words <<<"$line"
  case $line in *[[:space:]]) words+=('') ;; esac
  local count=${#words[@]} at=2 place=0 options='' repeats='' current before='' name i
  current=${words[count - 1]}
  COMPREPLY=()

  if ((count <= 2)); then
    wanted=(words "${_weir_commands[@]}")
    options=$_weir_options
  else
    _weir_describe "${words[1]}"
    while ((at < count - 1)); do
      wanted=()
      case ${words[at]} in
        -*) _weir_value "${words[1]}" "${words[at]}" ;;
        *) place=$((place + 1)) ;;
      esac
      if ((${#wanted[@]})); then at=$((at + 1)); fi # what follows is its value
      at=$((at + 1))
    done
    if ((at < count)); then # it is not the value of the option before it
      wanted=()
      if ((place >= ${#places[@]})) && [[ -n $repeats ]]; then place=$((${#places[@]} - 1)); fi
      if ((place < ${#places[@]})); then read -r -a wanted <<<"${places[place]}"; fi
    fi
  fi
  case $current in
    -*=*)
      wanted=()
      _weir_value "${words[1]}" "${current%%=*}"
      if [[ $COMP_WORDBREAKS != *=* ]]; then before=${current%%=*}=; fi
      current=${current#*=}
      ;;
    -*) read -r -a wanted <<<"words $options" ;;
  esac
  if ((${#wanted[@]} == 0)); then return; fi
  if [[ ${wanted[0]} == files || ${wanted[0]} == folders ]]; then compopt -o filenames 2>/dev/null; fi

  # readline replaces only what follows the last of its word breaks, and '@', which names of a session begin with, is one.
  local cut=''
  for ((i = ${#current} - 1; i >= 0; --i)); do
    if [[ $COMP_WORDBREAKS == *"${current:i:1}"* ]]; then
      cut=${current:0:i+1}
      break
    fi
  done
  while IFS= read -r name; do
    if [[ -z $name || $name != "$current"* ]]; then continue; fi
    name=${name#"$cut"}
    if [[ ${wanted[0]} != files && ${wanted[0]} != folders ]]; then printf -v name '%q' "$name"; fi
    COMPREPLY+=("$before$name")
  done < <(_weir_print "${wanted[@]}")
}

complete -F _weir weir
)bash";

std::string wanted_of(const argument_page& argument, const command_page& whole) {
  if (!argument.choices.empty()) return fmt::format("words {}", fmt::join(argument.choices, " "));
  switch (argument.with) {
    case completes::segments: return "segments";
    case completes::channels: return "channels";
    case completes::arrays: return "arrays";
    case completes::sessions: return "sessions";
    case completes::files: return "files";
    case completes::folders: return "folders";
    case completes::commands: {
      std::string words = "words";
      for (const command_page& each : whole.subcommands) words += ' ' + each.name;
      return words;
    }
    case completes::nothing: break;
  }
  return "nothing";
}

std::string names_of_options(const command_page& page) {
  std::string names;
  for (const argument_page& option : page.options) {
    for (const std::string& name : option.names) names += (names.empty() ? "" : " ") + name;
  }
  return names;
}

}  // namespace

std::string bash_completion(const command_page& whole) {
  std::string out = kBegin;
  out += "_weir_commands=(";
  for (const command_page& each : whole.subcommands)
    out += (&each == &whole.subcommands.front() ? "" : " ") + each.name;
  out += fmt::format(")\n_weir_options='{}'\n", names_of_options(whole));

  out +=
      "\n# _weir_describe COMMAND: sets `options`, `places` (what its arguments are) and `repeats` (the last one "
      "does).\n";
  out += "_weir_describe() {\n  case $1 in\n";
  for (const command_page& each : whole.subcommands) {
    out += fmt::format("    {})\n      options='{}'\n", each.name, names_of_options(each));
    for (const argument_page& place : each.positionals) {
      out += fmt::format("      places+=('{}')\n", wanted_of(place, whole));
    }
    if (!each.positionals.empty() && each.positionals.back().repeats) out += "      repeats=yes\n";
    out += "      ;;\n";
  }
  out += "  esac\n}\n\n# _weir_value COMMAND OPTION: sets `wanted` to what must follow it, if anything must.\n";
  out += "_weir_value() {\n  case \"$1 $2\" in\n";
  for (const command_page& each : whole.subcommands) {
    for (const argument_page& option : each.options) {
      if (option.value.empty()) continue;
      std::string which;
      for (const std::string& name : option.names)
        which += fmt::format("{}'{} {}'", which.empty() ? "" : " | ", each.name, name);
      out += fmt::format("    {}) wanted=({}) ;;\n", which, wanted_of(option, whole));
    }
  }
  return out + "  esac\n}\n" + kEnd;
}

}  // namespace weir::command
