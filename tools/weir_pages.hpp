// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// What the command line offers, read from the definitions that also parse it. All that describes the command is made of
/// it: --help, `weir help`, the manual pages, the completions. A new subcommand has all of these by being added.
namespace weir::command {

/// What a word on the command line stands for, as far as its completion is concerned.
enum class completes { nothing, segments, channels, arrays, sessions, files, folders, commands };

struct argument_page {
  std::vector<std::string> names;    ///< "-n", "--items"; of a positional argument, its one name in capitals
  std::string value;                 ///< what follows an option: "N"; empty: nothing
  std::vector<std::string> choices;  ///< all that it may be; empty: anything
  std::string text;
  std::string standard;  ///< what it is if it is not given; empty: nothing to be told
  bool required = false;
  bool repeats = false;
  completes with = completes::nothing;
};

struct command_page {
  std::string name;                  ///< "ls"; "weir" for the whole
  std::string path;                  ///< "weir ls"
  std::string text;                  ///< a sentence without its full stop
  std::vector<std::string> details;  ///< paragraphs
  std::vector<argument_page> positionals;
  std::vector<argument_page> options;
  std::vector<command_page> subcommands;

  [[nodiscard]] bool has_option(std::string_view option) const;
  [[nodiscard]] const command_page* subcommand(std::string_view called) const;
};

/// Leaves out what is in no group, as CLI11 hides it.
///
/// What follows an option is its type_name(), or made up from its type and name. That word, and the name of a positional
/// argument, say how it is completed: SESSION, CHANNEL, ARRAY, NAME, PATTERN, FILE…, DIRECTORY, COMMAND.
[[nodiscard]] command_page page_of(const CLI::App& app);

/// "[OPTIONS] NAME [PATTERN...]".
[[nodiscard]] std::string synopsis(const command_page& page);
/// "-n, --items N".
[[nodiscard]] std::string title_of(const argument_page& argument);
/// Its text with what it may be and what it is otherwise.
[[nodiscard]] std::string text_of(const argument_page& argument);

/// For a terminal of that many columns.
[[nodiscard]] std::string help_text(const command_page& page, std::size_t columns);
/// Page of section 1, for man(1). `whole` is that of `weir` itself.
[[nodiscard]] std::string manual_page(const command_page& page, const command_page& whole, std::string_view date);
/// To be sourced by, or put where it is loaded by, these shells.
[[nodiscard]] std::string bash_completion(const command_page& whole);
[[nodiscard]] std::string zsh_completion(const command_page& whole);

/// Prints help_text() for --help.
[[nodiscard]] std::shared_ptr<CLI::FormatterBase> help_formatter();

/// What of `known` was most likely meant; empty: none is like it.
[[nodiscard]] std::string nearest(std::string_view given, const std::vector<std::string>& known);
/// ", did you mean \"ls\"?" for a wrong word after `page`'s command; empty if nothing is like it.
[[nodiscard]] std::string suggestion(const command_page& page, std::string_view given);

}  // namespace weir::command
