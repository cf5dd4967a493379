// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "inspect/segments.hpp"
#include "segment/header_layout.hpp"

namespace weir::inspect {
namespace {

/// Long enough for whoever has marked a segment as removed to remove it, if he lives.
constexpr std::chrono::milliseconds kBetweenMarkAndUnlink{2};

std::string_view field(const char* bytes, std::size_t size) {
  return {bytes, static_cast<std::size_t>(std::find(bytes, bytes + size, '\0') - bytes)};
}

bool is_known(shm::object_kind kind) noexcept {
  switch (kind) {
    case shm::object_kind::channel:
    case shm::object_kind::array:
    case shm::object_kind::session:
    case shm::object_kind::results:
    case shm::object_kind::blob:
    case shm::object_kind::team:
    case shm::object_kind::trace: return true;
  }
  return false;
}

/// What keeps a header from being believed; empty: nothing.
std::string wrong_with(const shm::segment_header& h, const segment_report& report) {
  if (h.file_bytes != report.file_bytes) {
    return fmt::format("the file has {} bytes, its header says {}", report.file_bytes, h.file_bytes);
  }
  if (h.name_bytes >= sizeof h.name || h.type_bytes >= sizeof h.type ||
      std::uint64_t{h.element_name_offset} + h.element_name_bytes > h.type_bytes) {
    return "its header's lengths are out of range";
  }
  if (const std::string_view says(h.name, h.name_bytes); says != report.name) {
    return fmt::format("its header says that it is \"{}\"", says);
  }
  if (!is_known(h.kind)) return fmt::format("it is an object of unknown kind {}", static_cast<std::uint32_t>(h.kind));
  return {};
}

header_report describe_header(const shm::segment_header& h) {
  header_report out;
  out.kind = h.kind;
  out.type.assign(h.type, h.type_bytes);
  out.item_kind = static_cast<detail::item_kind>(h.item_kind);
  out.fixed_bytes = h.fixed_bytes;
  out.element_bytes = h.element_bytes;
  out.element_name = out.type.substr(h.element_name_offset, h.element_name_bytes);
  out.named = h.named != 0;
  out.where = h.where;
  out.whence = h.whence;
  out.id = h.id;
  out.realm = field(h.realm, sizeof h.realm);
  out.creator = h.creator;
  out.creator_life = shm::look(h.creator);
  out.created_ns = h.created_ns;
  return out;
}

void check_header(const segment_file& file, segment_report& report) {
  if (file.file_bytes() < sizeof(shm::segment_header)) {
    return mark_corrupt(report, fmt::format("the file has {} bytes, fewer than a header's {}", file.file_bytes(),
                                            sizeof(shm::segment_header)));
  }
  const auto h = std::make_unique<shm::segment_header>();
  if (!file.read(0, {reinterpret_cast<std::byte*>(h.get()), sizeof *h})) {
    return mark_corrupt(report, "its header cannot be read");
  }
  const std::uint64_t magic = h->magic.load(std::memory_order_relaxed);
  if (magic == 0) return mark_corrupt(report, "its header is empty: zeroed, or never finished");
  if (magic != shm::kMagic) {
    return mark_corrupt(report,
                        fmt::format("it is not weir's: it begins with {:#x} instead of {:#x}", magic, shm::kMagic));
  }
  if (h->layout != shm::kLayout) {
    report.state = segment_state::other_layout;
    report.why = fmt::format("it has layout {}, this build reads {}", h->layout, shm::kLayout);
    return;
  }
  if (std::string why = wrong_with(*h, report); !why.empty()) return mark_corrupt(report, std::move(why));
  report.header = describe_header(*h);
  if (h->removed.load(std::memory_order_relaxed) == 0) return;
  std::this_thread::sleep_for(kBetweenMarkAndUnlink);
  const bool gone = segment_file(report.name).can() == segment_file::access::absent;
  report.state = gone ? segment_state::absent : segment_state::stale;
  report.why = gone ? "" : "whoever was removing it did not finish";
}

}  // namespace

void mark_corrupt(segment_report& report, std::string why) {
  report.state = segment_state::corrupt;
  report.why = std::move(why);
}

checked_segment check_segment(std::string_view name) {
  checked_segment out{segment_file(name), {}};
  segment_report& report = out.report;
  report.name = name;
  report.owner = out.file.owner();
  report.file_bytes = out.file.file_bytes();
  report.reserved_bytes = out.file.reserved_bytes();
  switch (out.file.can()) {
    case segment_file::access::absent: break;
    case segment_file::access::foreign:
      report.state = segment_state::foreign;
      report.why = out.file.why();
      break;
    case segment_file::access::unreadable: mark_corrupt(report, out.file.why()); break;
    case segment_file::access::readable:
      report.state = segment_state::unknown;
      check_header(out.file, report);
      break;
  }
  return out;
}

}  // namespace weir::inspect
