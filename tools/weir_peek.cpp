// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>

#include "inspect/items.hpp"
#include "inspect/segments.hpp"
#include "inspect/value_reader.hpp"
#include "weir_commands.hpp"
#include "weir_output.hpp"
#include "weir_values.hpp"

namespace weir::command {
namespace {

constexpr std::size_t kLeastValue = 20;  // columns of a terminal

using inspect::item;
using inspect::value;

/// What lies in an item; of those that cannot be read, why.
value value_of(const inspect::value_reader& reader, const item& found) {
  if (!found.why.empty()) return value::of_kind(inspect::value_kind::corrupt, found.why);
  if (found.content.size() != found.bytes) {
    return value::of_kind(inspect::value_kind::unread, fmt::format("{} bytes are too many to be shown", found.bytes));
  }
  return read_item(reader, found.content, found.has_references);
}

json json_of(const item& found, const value& inside) {
  return {
      {"ticket", found.ticket}, {"bytes", found.bytes}, {"left_behind", found.left_behind}, {"value", to_json(inside)}};
}

void print_totals(const inspect::segment_report& segment, const inspect::items_result& result) {
  const std::uint64_t inside = segment.items.value_or(0);  // by now
  std::string text = inside > result.found ? fmt::format("{} of ", result.found) : "";
  text += counted(std::max(inside, result.found), "item");
  if (result.changing != 0) text += fmt::format("; {} changed while they were read", result.changing);
  fmt::print("{}\n", text);
}

int peek_channel(const peek_options& options, const inspect::checked_segment& checked) {
  const auto& header = *checked.report.header;
  const inspect::value_reader reader(header.type, header.item_kind, header.element_bytes);
  inspect::items_options wanted;
  if (options.count != 0) wanted.count = options.count;
  json items = json::array();
  table rows({">TICKET", ">BYTES", "VALUE"});
  rows.may_shrink("VALUE", kLeastValue);
  std::uint64_t corrupt = 0;
  const inspect::items_result result = inspect::read_items(checked, wanted, [&](const item& found) {
    const value inside = value_of(reader, found);
    const bool is_damaged = !damage_in(inside).empty();
    if (is_damaged) ++corrupt;
    if (options.json) return items.push_back(json_of(found, inside));
    const std::string note = found.left_behind ? " (its taker died; the next taker gets it first)" : "";
    rows.add({{std::to_string(found.ticket)},
              {std::to_string(found.bytes)},
              {printable(text_of(inside)) + note, is_damaged ? style::bad : style::plain}});
  });
  if (!result.readable) {
    complain("peek", checked.report.name, result.why);
    return kProblem;
  }
  const inspect::segment_report segment = inspect::look_at(checked.report.name);
  if (options.json) {
    print({{"name", checked.report.name},
           {"kind", "channel"},
           {"type", header.type},
           {"items", items},
           {"shown", result.found},
           {"changing", result.changing},
           {"corrupt", corrupt}});
  } else {
    fmt::print("{}  channel of {}\n", printable(checked.report.name), printable(header.type));
    if (!rows.empty()) rows.print();
    print_totals(segment, result);
  }
  return corrupt != 0 ? kProblem : kFine;
}

int run(const peek_options& options) {
  inspect::checked_segment checked = inspect::check_segment(inspect::resolve_name(options.name));
  if (!check_readable("peek", "a channel or an array", true, true, checked.report)) return kProblem;
  if (checked.report.header->kind == shm::object_kind::array) return peek_array(options, std::move(checked));
  if (!options.range.empty()) {
    complain("peek", options.name, "--range is for arrays, this is a channel");
    return kUsage;
  }
  return peek_channel(options, checked);
}

}  // namespace

void add_peek(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<peek_options>();
  CLI::App* const self =
      app.add_subcommand("peek", "Shows the values inside a channel, without taking them, or an array's elements");
  self->add_option("NAME", options->name, "Its name, with or without the leading `weir.`")->required();
  self->add_option("-n,--count", options->count, "Of a channel: the oldest N items; 0: all (10)")->type_name("N");
  self->add_option("--range", options->range,
                   "Of an array: the elements A to B (not B itself) of each dimension, as in 0:10,-3:, or one index")
      ->type_name("A:B,…");
  self->add_flag("--statistics", options->all_statistics, "Of an array over 1 GiB: least, greatest, mean all the same");
  self->add_flag("--json", options->json, "Print JSON");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
