// SPDX-License-Identifier: BSL-1.0
#include "inspect/array.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "array/users.hpp"
#include "inspect/lock.hpp"

namespace weir::inspect {
namespace {

namespace ar = weir::arrays;

/// A seat is read as bytes and looked at as what it is: this copy is ours alone.
struct seat_copy {
  alignas(ar::seat) std::byte bytes[sizeof(ar::seat)];
  [[nodiscard]] const ar::seat& get() const noexcept { return *reinterpret_cast<const ar::seat*>(bytes); }
};

/// What keeps the array from being believed; empty: nothing.
std::string read_header(const segment_file& file, ar::array_header& h, array_report& out) {
  if (!file.read(ar::kHeaderOffset, {reinterpret_cast<std::byte*>(&h), sizeof h})) {
    return "the file is shorter than an array's header";
  }
  if (const char* const why = ar::contradiction_in(h, file.file_bytes(), out.constants)) return why;
  const std::uint64_t rows = h.rows.load(std::memory_order_relaxed);
  if (rows == 0 || rows > out.constants.max_rows) {
    return fmt::format("it has {} rows, which must be 1 to {}", rows, out.constants.max_rows);
  }
  out.extents.assign(out.constants.extents, out.constants.extents + out.constants.rank);
  out.extents[0] = rows;
  return {};
}

void read_seats(const segment_file& file, std::uint32_t high, array_report& out) {
  const std::vector<std::uint32_t> held = ar::held_seats(file.fd());
  const std::uint32_t count = std::min(std::max(high, held.empty() ? 0 : held.back() + 1), ar::kSeats);
  const auto copies = file.read_rows<seat_copy>(ar::kSeatsOffset, count, sizeof(ar::seat));
  for (std::uint32_t number = 0; number < copies.size(); ++number) {
    const ar::seat& s = copies[number].get();
    const std::uint32_t sharers = ar::sharers_of(s.shares.load(std::memory_order_relaxed));
    const bool is_held = std::binary_search(held.begin(), held.end(), number);
    if (!is_held && sharers == 0) continue;
    out.seats.push_back(
        {number, s.who, is_held ? shm::liveness::alive : shm::liveness::dead, s.process, s.attached_ns, sharers});
    if (!is_held) {
      out.problems.push_back(
          fmt::format("pid {}, which is dead, shares the lock (whoever locks it next takes that off)", s.who.pid));
    }
  }
}

}  // namespace

const char* text_of(weir::order order) noexcept {
  return order == weir::order::row_major ? "row_major" : "column_major";
}

array_report describe_array(checked_segment checked) {
  array_report out;
  out.segment = std::move(checked.report);
  if (!out.segment.header) return out;
  if (out.segment.header->kind != shm::object_kind::array) {
    settle_state(out.segment, {}, /*pinned=*/false);
    return out;
  }
  const auto h = std::make_unique<ar::array_header>();
  std::string why = read_header(checked.file, *h, out);
  out.readable = why.empty();
  if (!out.readable) {
    mark_corrupt(out.segment, std::move(why));
    return out;
  }
  if (out.constants.file_bound) {
    out.path = std::string(h->path, h->path_bytes);
    out.file_device = h->file_device;
    out.file_number = h->file_number;
  }
  out.pins = h->pins.load(std::memory_order_relaxed);
  out.locked_alone = h->writer.load(std::memory_order_relaxed) != 0;
  out.owner_died = h->owner_died.load(std::memory_order_relaxed) != 0;
  read_seats(checked.file, h->seats_high.load(std::memory_order_relaxed), out);
  std::vector<participant_report> users;
  for (const seat_report& seat : out.seats) {
    users.push_back({seat.number, seat.who, seat.life, seat.process, seat.attached_ns});
  }
  out.lock = describe_lock(words_of(h->gate), out.segment.header->creator.pid_namespace, users);
  if (out.lock.unusable) out.problems.emplace_back("its lock is not a mutex that weir made, or was given up for good");
  if (out.lock.owner_died || (out.locked_alone && !out.lock.held)) {
    out.problems.emplace_back("a process died that had it locked (whoever locks it next is told)");
  }
  std::uint64_t elements = 1;
  for (const std::uint64_t extent : out.extents) elements *= extent;
  out.segment.items = elements;
  out.segment.used_bytes = elements * out.constants.element_bytes;
  const bool is_held = std::any_of(out.seats.begin(), out.seats.end(),
                                   [](const seat_report& seat) { return seat.life == shm::liveness::alive; });
  if (is_held) {
    out.segment.state = segment_state::alive;
  } else {
    settle_state(out.segment, {}, out.pins > 0);
  }
  return out;
}

array_report describe_array(std::string_view name) { return describe_array(check_segment(name)); }

}  // namespace weir::inspect
