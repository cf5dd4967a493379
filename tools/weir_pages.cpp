// SPDX-License-Identifier: BSL-1.0
#include "weir_pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>

namespace weir::command {
namespace {

std::string in_capitals(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

completes completion_for(std::string_view word) {
  struct meaning {
    std::string_view begins;
    completes with;
  };
  constexpr std::array<meaning, 9> kMeanings{{{"SESSION", completes::sessions},
                                              {"CHANNEL", completes::channels},
                                              {"ARRAY", completes::arrays},
                                              {"NAME", completes::segments},
                                              {"PATTERN", completes::segments},
                                              {"SEGMENT", completes::segments},
                                              {"FILE", completes::files},
                                              {"DIRECTORY", completes::folders},
                                              {"COMMAND", completes::commands}}};
  const auto at = std::find_if(kMeanings.begin(), kMeanings.end(),
                               [&](const meaning& each) { return word.starts_with(each.begins); });
  return at == kMeanings.end() ? completes::nothing : at->with;
}

/// "TEXT:{channel,array} …" is how CLI11 tells what may be given: channel, array.
std::vector<std::string> choices_in(std::string_view type_name) {
  const auto begin = type_name.find('{');
  const auto end = type_name.find('}');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return {};
  std::vector<std::string> choices;
  for (const std::string& each : CLI::detail::split(std::string(type_name.substr(begin + 1, end - begin - 1)), ',')) {
    choices.push_back(each.substr(0, each.find("->")));
  }
  return choices;
}

std::string value_of(const CLI::Option& option) {
  const std::string type_name = option.get_type_name();
  std::string type = type_name.substr(0, type_name.find_first_of(": "));
  if (type == "INT" || type == "UINT") return "N";
  if (type == "FLOAT") return "NUMBER";
  if (!type.empty() && type != "TEXT") return type;
  return option.get_lnames().empty() ? "VALUE" : in_capitals(option.get_lnames().front());
}

argument_page page_of(const CLI::Option& option) {
  argument_page page;
  page.text = option.get_description();
  page.required = option.get_required();
  page.repeats = option.get_expected_max() >= CLI::detail::expected_max_vector_size;
  page.choices = choices_in(option.get_type_name());
  if (option.get_positional()) {
    page.names = {option.get_name(true, false)};
    page.with = completion_for(page.names.front());
    return page;
  }
  for (const std::string& name : option.get_snames()) page.names.push_back('-' + name);
  for (const std::string& name : option.get_lnames()) page.names.push_back("--" + name);
  if (option.get_items_expected_max() == 0) return page;  // a flag
  page.value = value_of(option);
  page.standard = option.get_default_str();
  page.with = completion_for(page.value);
  return page;
}

std::vector<std::string> paragraphs_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find("\n\n", at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 2;
  }
  return out;
}

/// How many characters have to be inserted, removed, replaced or exchanged with their neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  std::iota(cost[0].begin(), cost[0].end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    cost[i][0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t other = a[i - 1] == b[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + other});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

bool command_page::has_option(std::string_view option) const {
  return std::any_of(options.begin(), options.end(), [&](const argument_page& each) {
    return std::find(each.names.begin(), each.names.end(), option) != each.names.end();
  });
}

const command_page* command_page::subcommand(std::string_view called) const {
  const auto at = std::find_if(subcommands.begin(), subcommands.end(), [&](const auto& s) { return s.name == called; });
  return at == subcommands.end() ? nullptr : &*at;
}

command_page page_of(const CLI::App& app) {
  command_page page;
  page.name = app.get_name();
  page.path = app.get_parent() == nullptr ? page.name : app.get_parent()->get_name() + ' ' + page.name;
  page.text = app.get_description();
  page.details = paragraphs_of(app.get_footer());
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;  // hidden
    (option->get_positional() ? page.positionals : page.options).push_back(page_of(*option));
  }
  const auto shown = [](const CLI::App* each) { return !each->get_name().empty() && !each->get_group().empty(); };
  for (const CLI::App* each : app.get_subcommands(shown)) page.subcommands.push_back(page_of(*each));
  return page;
}

std::string synopsis(const command_page& page) {
  std::string out = page.options.empty() ? "" : "[OPTIONS]";
  for (const argument_page& each : page.positionals) {
    const std::string word = each.names.front() + (each.repeats ? "..." : "");
    out += each.required ? ' ' + word : fmt::format(" [{}]", word);
  }
  return page.subcommands.empty() ? out : out + " COMMAND ...";
}

std::string title_of(const argument_page& argument) {
  return fmt::format("{}{}{}", fmt::join(argument.names, ", "), argument.value.empty() ? "" : " ", argument.value);
}

std::string text_of(const argument_page& argument) {
  std::string out = argument.text;
  if (!argument.choices.empty()) out += fmt::format(": {}", fmt::join(argument.choices, ", "));
  if (!argument.standard.empty()) out += fmt::format(" (otherwise: {})", argument.standard);
  return out;
}

std::string nearest(std::string_view given, const std::vector<std::string>& known) {
  std::string best;
  std::size_t least = std::max<std::size_t>(1, given.size() / 3) + 1;  // further off is something else
  for (const std::string& each : known) {
    const bool begins = given.size() > 1 && each.starts_with(given);
    const std::size_t far = begins ? 1 : distance(given, each);
    if (far < least) best = each, least = far;
  }
  return best;
}

std::string suggestion(const command_page& page, std::string_view given) {
  std::vector<std::string> known;
  for (const command_page& each : page.subcommands) known.push_back(each.name);
  if (given.starts_with('-')) {
    known.clear();
    for (const argument_page& each : page.options) known.insert(known.end(), each.names.begin(), each.names.end());
  }
  const std::string meant = nearest(given, known);
  return meant.empty() ? "" : fmt::format(", did you mean \"{}\"?", meant);
}

}  // namespace weir::command
