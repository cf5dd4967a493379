// SPDX-License-Identifier: BSL-1.0
// The inspector on a channel's or a session's bytes that are not what they should be, or change while it reads: it
// reports, and throws nothing.
#include <functional>

#include "fuzz/channel_bytes.hpp"
#include "fuzz/wrapped_calls.hpp"
#include "inspect/channel.hpp"
#include "inspect/items.hpp"
#include "inspect/segments.hpp"
#include "inspect/session.hpp"
#include "inspect/value_reader.hpp"
#include "runtime/session_layout.hpp"
#include "runtime/session_table.hpp"
#include "segment/names.hpp"

namespace weir::fuzz {
namespace {

const segment_image& session_image() {
  static const segment_image* const image = [] {
    shm::join_realm(own_name("session"));
    static_cast<void>(runtime::session_table::create());
    return new segment_image(shm::own_name("session"));
  }();
  return *image;
}

void damage_session(input& from, segment_file_copy& file) {
  const std::uint8_t where = from.byte();
  if (where == 0) return file.resize(from.number<std::uint32_t>(), /*honest=*/true);
  std::uint64_t at = runtime::kEntriesOffset + sizeof(runtime::process_entry) * (from.byte() % 4) + 4 * (where % 44U);
  if (where % 4 == 0) at = runtime::kSessionHeaderOffset + where % 8U;
  if (where % 4 == 1) at = where % 128U;
  if (from.byte() % 2 == 0) return file.write(at, from.number<std::uint32_t>());
  file.write(at, from.byte() % 2 == 0 ? shm::this_process() : shm::process_identity{1, 2, 3});
}

/// As `weir peek` does.
void look_inside(const std::string& name) {
  const inspect::checked_segment checked = inspect::check_segment(name);
  if (!checked.report.header) return;
  const inspect::header_report& header = *checked.report.header;
  const inspect::value_reader reader(header.type, header.item_kind, header.element_bytes);
  const auto show = [&](const inspect::item& found) {
    static_cast<void>(text_of(read_item(reader, found.content, found.has_references)));
  };
  static_cast<void>(inspect::read_items(checked, {}, show));
  static_cast<void>(inspect::read_items(checked, {.count = 2, .most_bytes = 100}, show));
}

void look_at(const std::string& name) {
  look_inside(name);
  static_cast<void>(inspect::describe_channel(name, inspect::effort::thorough));
  static_cast<void>(inspect::describe_channel(name, inspect::effort::quick));
  static_cast<void>(inspect::describe_session(name));
  static_cast<void>(inspect::list(name));
}

void run(input from) {
  const auto& images = channel_images();
  const std::size_t which = from.byte() % (images.size() + 2);
  const bool is_channel = which < images.size();
  const segment_image& image = is_channel ? images[which].bytes : session_image();
  segment_file_copy file(image);
  const std::function<void(bool)> damage_it = [&](bool may_resize) {
    if (is_channel) return damage(from, images[which], file, may_resize);
    damage_session(from, file);
  };
  const std::uint8_t counts = from.byte();
  for (std::uint32_t left = counts % 8; left > 0; --left) damage_it(true);
  // What is left of the input changes the file while it is read, one change before each so many reads.
  const std::uint32_t every = 1 + counts / 8;
  std::uint32_t reads = 0;
  set_before_read([&] {
    if (++reads % every == 0 && !from.is_done()) damage_it(true);
  });
  look_at(image.name());
  set_before_read({});
}

}  // namespace
}  // namespace weir::fuzz

// The name is libFuzzer's.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::fuzz::run({data, size});
  return 0;
}
