// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "channel/channel_layout.hpp"
#include "inspect/channel.hpp"
#include "segment/segment.hpp"
#include "support/names.hpp"
#include "weir/detail/channel_core.hpp"

namespace weir::tests {

/// Channels to look into: of ints, which lie in slots, and of strings, of which the long ones lie in blocks.
class InspectedChannel : public NamedSegments {
 protected:
  static constexpr std::size_t kLong = 5000;

  static detail::item_type ints() { return {"int", 11, detail::item_kind::bytes, sizeof(int), 0, {}}; }
  static detail::item_type strings() { return {"std::string", 12, detail::item_kind::sequence, 0, 1, "char"}; }

  [[nodiscard]] detail::core_handle make(const detail::item_type& type, std::size_t capacity) const {
    return detail::create_named(name(), type, capacity, {});
  }
  static void put_int(detail::channel_core& channel, int value) {
    ASSERT_TRUE(detail::put_fixed(channel, &value, sizeof value, detail::deadline::at_once()));
  }
  static void put_text(detail::channel_core& channel, std::size_t length) {
    const std::vector<std::byte> bytes(length, std::byte{'x'});
    const std::span<const std::byte> part(bytes);
    ASSERT_TRUE(detail::put(channel, detail::payload{{&part, 1}, false}, detail::deadline::at_once()));
  }
  static detail::taken_item take(const detail::core_handle& channel, detail::hold how = detail::hold::copy) {
    detail::taken_item item;
    EXPECT_EQ(detail::take(channel, item, detail::deadline::at_once(), how), detail::take_status::taken);
    return item;
  }

  [[nodiscard]] inspect::channel_report look() const {
    inspect::channel_report report = inspect::describe_channel(name());
    EXPECT_TRUE(report.readable) << report.segment.why;
    return report;
  }

  /// Writes over the bytes of the segment from outside, as a fault would.
  void overwrite(std::size_t offset, std::span<const std::byte> bytes) const {
    const shm::unique_fd file(::open(path().c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(bytes.size()));
  }
  template <class T>
  void overwrite(std::size_t offset, const T& value) const {
    overwrite(offset, std::as_bytes(std::span(&value, 1)));
  }
  template <class T>
  void overwrite_header(std::size_t offset_in_channel_header, const T& value) const {
    overwrite(shm::kPage + offset_in_channel_header, value);
  }
};

inline std::uint64_t slots_in(const inspect::channel_report& report, channels::phase phase) {
  return report.slots_in.at(static_cast<std::size_t>(phase));
}
inline std::uint64_t blocks_in(const inspect::channel_report& report, channels::block_phase phase) {
  return report.blocks_in.at(static_cast<std::size_t>(phase));
}

}  // namespace weir::tests
