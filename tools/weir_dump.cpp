// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <limits>

#include "inspect/channel.hpp"
#include "inspect/dump_file.hpp"
#include "inspect/items.hpp"
#include "inspect/type_tree.hpp"
#include "segment/space.hpp"
#include "weir/error.hpp"
#include "weir_commands.hpp"
#include "weir_output.hpp"
#include "weir_values.hpp"

namespace weir::command {
namespace {

struct dump_options {
  std::string name;
  std::string file;
  bool force = false;
  bool json = false;
};

/// Why an item cannot be in a file; empty: it can.
std::string refusal(const inspect::item& found) {
  if (!found.why.empty()) return fmt::format("item {} is corrupt: {}", found.ticket, found.why);
  if (found.has_references) {
    return fmt::format(
        "item {} holds a handle (a channel, an array, a future): it would not outlive what it refers to in a file",
        found.ticket);
  }
  return {};
}

inspect::dump_description describe(const inspect::header_report& header, const inspect::channel_constants& constants) {
  inspect::dump_description out;
  out.type = header.type;
  out.element_name = header.element_name;
  out.item_kind = header.item_kind;
  out.fixed_bytes = header.fixed_bytes;
  out.element_bytes = header.element_bytes;
  out.capacity = constants.geometry.capacity;
  out.max_item_bytes = constants.max_item_bytes;
  out.idle_block_bytes = constants.idle_block_bytes;
  return out;
}

int write(const dump_options& options, const inspect::checked_segment& checked) {
  const inspect::header_report& header = *checked.report.header;
  std::string why;
  const auto constants = inspect::read_constants(checked.file, header.fixed_bytes, why);
  if (!constants) {
    complain("dump", checked.report.name, fmt::format("corrupt: {}", why));
    return kProblem;
  }
  if (header.item_kind == detail::item_kind::handle || inspect::holds_handles(inspect::type_tree::parse(header.type))) {
    complain("dump", checked.report.name,
             fmt::format("its items are of type {}: handles do not outlive what they refer to in a file", header.type));
    return kProblem;
  }
  inspect::dump_writer file(options.file, options.force, describe(header, *constants), kForceOverwrites);
  inspect::items_options all;
  all.most_bytes = std::numeric_limits<std::uint64_t>::max();
  const inspect::items_result result = inspect::read_items(checked, all, [&](const inspect::item& found) {
    if (!why.empty()) return;
    why = refusal(found);
    if (why.empty()) file.add(found.content);
  });
  if (!result.readable) why = result.why;
  if (!why.empty()) {
    complain("dump", checked.report.name, why);
    return kProblem;
  }
  file.finish();
  if (result.changing != 0) {
    complain("dump", checked.report.name,
             fmt::format("{} were taken or put while they were read, and are not in the file",
                         counted(result.changing, "item")));
  }
  const auto& written = file.description();
  if (options.json) {
    print({{"channel", checked.report.name},
           {"file", options.file},
           {"type", written.type},
           {"items", written.count},
           {"item_bytes", written.item_bytes},
           {"changing", result.changing}});
  } else {
    fmt::print("{}: {} of type {}, {}\n", printable(options.file), counted(written.count, "item"),
               printable(written.type), shm::readable(written.item_bytes));
  }
  return result.changing != 0 ? kProblem : kFine;
}

int run(const dump_options& options) {
  const inspect::checked_segment checked = inspect::check_segment(inspect::resolve_name(options.name));
  if (!check_readable("dump", "a channel", true, false, checked.report)) return kProblem;
  try {
    return write(options, checked);
  } catch (const error& e) {
    return fail(e);
  }
}

}  // namespace

void add_dump(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<dump_options>();
  CLI::App* const self =
      app.add_subcommand("dump", "Writes the items inside a channel to a file, without taking them (see restore)");
  self->add_option("CHANNEL", options->name, "Its name, with or without the leading `weir.`")->required();
  self->add_option("FILE", options->file, "The file, which appears when it is complete")->required();
  self->add_flag("--force", options->force, "Replace a file of that name");
  self->add_flag("--json", options->json, "Print JSON");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
