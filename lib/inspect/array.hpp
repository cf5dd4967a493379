// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "array/array_layout.hpp"
#include "inspect/channel.hpp"
#include "inspect/report.hpp"
#include "inspect/segments.hpp"

namespace weir::inspect {

[[nodiscard]] const char* text_of(weir::order order) noexcept;

/// A seat that is held, or whose dead holder still shares the lock.
struct seat_report {
  std::uint32_t number = 0;
  shm::process_identity who;
  shm::liveness life{};  ///< alive if the seat is held, in whatever pid namespace
  process_id process = 0;
  std::int64_t attached_ns = 0;  ///< real-time clock
  std::uint32_t sharers = 0;     ///< threads of it that share the array's lock
};

struct array_report {
  segment_report segment;
  /// False: it is not a sound array (segment.state and segment.why say why), and nothing below means anything.
  bool readable = false;

  arrays::checked_constants constants;
  std::vector<std::uint64_t> extents;  ///< as they are now
  std::string path;                    ///< of the file that the elements lie in; empty: in the segment
  std::uint64_t file_device = 0;       ///< of that file
  std::uint64_t file_number = 0;
  std::int32_t pins = 0;
  lock_report lock;           ///< of the gate: who has the array alone holds it
  bool locked_alone = false;  ///< or is about to be
  bool owner_died = false;    ///< and nobody has asked since
  std::vector<seat_report> seats;
  std::vector<std::string> problems;  ///< what contradicts itself, a sentence each
};

/// Name without `weir.`.
[[nodiscard]] array_report describe_array(std::string_view name);
[[nodiscard]] array_report describe_array(checked_segment checked);

}  // namespace weir::inspect
