// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "weir_commands.hpp"
#include "weir_json.hpp"
#include "weir_output.hpp"
#include "weir_pages.hpp"

namespace weir::command {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kTitles = 24;  // columns that what an argument is called may take, so that its text stands beside
constexpr std::size_t kWidest = 100;     // columns: longer lines are hard to read
constexpr std::size_t kNoTerminal = 80;  // columns
constexpr const char* kExits = "Exits with 0 if all is well, 1 if it found a problem, 2 if the command line is wrong.";

/// `text` in lines of at most `columns`, each but the first after `indent` spaces.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns) {
  std::string out;
  std::size_t used = indent;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (used > indent && used + 1 + width_of(word) > columns) {
      out += '\n' + std::string(indent, ' ');
      used = indent;
    } else if (used > indent) {
      out += ' ';
      ++used;
    }
    out += word;
    used += width_of(word);
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return out;
}

struct entry {
  std::string title;
  std::string text;
};

std::string list_of(std::string_view heading, const std::vector<entry>& entries, std::size_t columns) {
  if (entries.empty()) return {};
  std::size_t widest = 0;
  for (const entry& each : entries) {
    if (each.title.size() <= kTitles) widest = std::max(widest, each.title.size());
  }
  const std::size_t at = kIndent + widest + 2;
  std::string out = fmt::format("\n{}:\n", heading);
  for (const entry& each : entries) {
    const bool beside = each.title.size() <= widest;
    out += fmt::format("{:{}}{}", "", kIndent, each.title);
    out += beside ? std::string(at - kIndent - each.title.size(), ' ') : '\n' + std::string(at, ' ');
    out += wrapped(each.text, at, columns) + '\n';
  }
  return out;
}

std::vector<entry> entries_of(const std::vector<argument_page>& arguments) {
  std::vector<entry> out;
  out.reserve(arguments.size());
  for (const argument_page& each : arguments) out.push_back({title_of(each), text_of(each)});
  return out;
}

class formatter final : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string /*name*/, CLI::AppFormatMode /*mode*/) const override {
    return help_text(page_of(*app), std::min(terminal_columns().value_or(kNoTerminal), kWidest));
  }
};

struct help_options {
  const CLI::App* app = nullptr;
  std::string command;
  bool json = false;
};

json argument_json(const argument_page& argument) {
  json out{{"names", argument.names}};
  out["value"] = argument.value.empty() ? json(nullptr) : json(argument.value);
  out["choices"] = argument.choices.empty() ? json(nullptr) : json(argument.choices);
  out["default"] = argument.standard.empty() ? json(nullptr) : json(argument.standard);
  out["required"] = argument.required;
  out["repeats"] = argument.repeats;
  out["description"] = argument.text;
  return out;
}

json page_json(const command_page& page) {
  json out{{"name", page.name}, {"description", page.text}, {"details", page.details}};
  out["arguments"] = json::array();
  for (const argument_page& each : page.positionals) out["arguments"].push_back(argument_json(each));
  out["options"] = json::array();
  for (const argument_page& each : page.options) out["options"].push_back(argument_json(each));
  return out;
}

int run(const help_options& options) {
  const command_page whole = page_of(*options.app);
  const command_page* const page = options.command.empty() ? &whole : whole.subcommand(options.command);
  if (page == nullptr) {
    const std::string meant = suggestion(whole, options.command);
    fmt::print(stderr, "weir: help: there is no command \"{}\"{} (see weir --help)\n", printable(options.command),
               meant);
    return kUsage;
  }
  if (!options.json) {
    fmt::print("{}", help_text(*page, std::min(terminal_columns().value_or(kNoTerminal), kWidest)));
    return kFine;
  }
  json out{{"version", WEIR_VERSION}, {"commands", json::array()}};
  for (const command_page& each : whole.subcommands) {
    if (page == &whole || page == &each) out["commands"].push_back(page_json(each));
  }
  print(out);
  return kFine;
}

}  // namespace

std::string help_text(const command_page& page, std::size_t columns) {
  std::string out =
      fmt::format("usage: {} {}\n\n{}\n", page.path, synopsis(page), wrapped(page.text + '.', 0, columns));
  std::vector<entry> commands;
  commands.reserve(page.subcommands.size());
  for (const command_page& each : page.subcommands) commands.push_back({each.name, each.text});
  out += list_of("commands", commands, columns);
  out += list_of("arguments", entries_of(page.positionals), columns);
  out += list_of("options", entries_of(page.options), columns);
  for (const std::string& paragraph : page.details) out += '\n' + wrapped(paragraph, 0, columns) + '\n';
  return out + '\n' + wrapped(kExits, 0, columns) + '\n';
}

std::shared_ptr<CLI::FormatterBase> help_formatter() { return std::make_shared<formatter>(); }

void add_help(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<help_options>();
  options->app = &app;
  CLI::App* const self = app.add_subcommand("help", "Explains a command, or lists all of them");
  self->add_option("COMMAND", options->command, "The command to explain");
  self->add_flag("--json", options->json, "Print JSON: every command with its arguments and options");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
