// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/channel_snapshot.hpp"
#include "inspect/segments.hpp"

namespace weir::inspect {

/// An item as it lies in a channel, whole.
struct item {
  std::uint64_t ticket = 0;  ///< the so many-th put was its
  std::uint64_t bytes = 0;   ///< all of it, with the list of references
  bool has_references = false;
  bool left_behind = false;        ///< its taker died: the next taker gets it first
  std::string why;                 ///< it cannot be read; empty: it could
  std::vector<std::byte> content;  ///< empty if it cannot be read, or is larger than was asked for
};

struct items_options {
  std::uint64_t count = std::numeric_limits<std::uint64_t>::max();  ///< at most so many, the oldest ones
  std::uint64_t most_bytes = std::uint64_t{1} << 28U;               ///< of one item; of larger ones only the length
};

struct items_result {
  bool readable = false;  ///< false: it is no sound channel; `why`
  std::string why;
  std::uint64_t found = 0;     ///< given to the caller
  std::uint64_t changing = 0;  ///< taken, or put, while they were looked at: not seen whole
};

/// Gives each item inside to `give`, in the order of their tickets, without taking them: as they were at some time during
/// the call, each one whole: its slot (and block) said the same before and after its bytes were read, and no state of
/// them comes back. While takers and putters work some will be too new or already gone; those that were seen to change
/// under the reading are counted. Reads with pread only; holds one item in memory at a time. Bounded by the capacity and
/// the memory that the file takes, whatever its bytes say. Throws what `give` throws.
items_result read_items(const checked_segment& channel, const items_options& options,
                        const std::function<void(const item&)>& give);

}  // namespace weir::inspect
