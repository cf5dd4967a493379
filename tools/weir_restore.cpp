// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <chrono>
#include <cmath>

#include "inspect/dump_file.hpp"
#include "inspect/segments.hpp"
#include "weir/detail/channel_core.hpp"
#include "weir/error.hpp"
#include "weir_commands.hpp"
#include "weir_output.hpp"
#include "weir_values.hpp"

namespace weir::command {
namespace {

struct restore_options {
  std::string file;
  std::string name;
  double timeout_s = 5;
  bool into = false;
  bool json = false;
};

/// As an item that lies in one piece.
bool put(detail::channel_core& channel, std::uint32_t fixed_bytes, std::span<const std::byte> item,
         detail::deadline until) {
  if (fixed_bytes != 0) return detail::put_fixed(channel, item.data(), item.size(), until);
  return detail::put(channel, {.parts = std::span(&item, 1), .has_references = false}, until);
}

int put_all(const restore_options& options, const std::string& name, inspect::dump_reader& from) {
  const inspect::dump_description& what = from.description();
  const detail::item_type type = what.item_type();
  const channel_options how{.max_item_bytes = what.max_item_bytes,
                            .idle_block_bytes = static_cast<std::size_t>(what.idle_block_bytes)};
  const detail::core_handle channel =
      options.into ? detail::open_named(name, type) : detail::create_named(name, type, what.capacity, how);
  const auto until = detail::deadline::after(std::chrono::duration<double>(options.timeout_s));
  std::uint64_t done = 0;
  std::string why;
  try {
    while (const auto item = from.next()) {
      if (!put(*channel, what.fixed_bytes, *item, until)) {
        why = fmt::format("it was still full after {} s", options.timeout_s);
        break;
      }
      ++done;
    }
  } catch (const error& e) {  // closed, or out of memory, in the middle
    why = e.what();
  }
  if (!why.empty())
    complain("restore", name, fmt::format("{} of {} were put: {}", done, counted(what.count, "item"), why));
  if (options.json) {
    print({{"file", options.file},
           {"channel", name},
           {"type", what.type},
           {"created", !options.into},
           {"items", what.count},
           {"put", done}});
  } else if (why.empty()) {
    fmt::print("{}: {} of type {} put, {} inside of {}\n", printable(name), counted(done, "item"), printable(what.type),
               detail::size(*channel), detail::capacity(*channel));
  }
  return why.empty() ? kFine : kProblem;
}

int run(const restore_options& options) {
  if (!std::isfinite(options.timeout_s) || options.timeout_s < 0) {
    complain("restore", options.name, "--timeout takes a number of seconds");
    return kUsage;
  }
  try {
    inspect::dump_reader from(options.file);
    return put_all(options, options.into ? inspect::resolve_name(options.name) : options.name, from);
  } catch (const already_exists&) {
    complain("restore", options.name, "the name is taken (--into puts the items at the end of what has it)");
  } catch (const error& e) {
    return fail(e);
  }
  return kProblem;
}

}  // namespace

void add_restore(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<restore_options>();
  CLI::App* const self =
      app.add_subcommand("restore", "Makes a channel and puts the items of a file that `weir dump` wrote into it");
  self->add_option("FILE", options->file, "The file")->required();
  self->add_option("CHANNEL", options->name, "Name of the channel to be made")->required();
  self->add_flag("--into", options->into, "Put them at the end of a channel of that name and the same type instead");
  self->add_option("--timeout", options->timeout_s, "Seconds in all to wait for room (5)")->type_name("SECONDS");
  self->add_flag("--json", options->json, "Print JSON");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
