// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace weir::fuzz {

/// Reads an input from its front; after the end there are zeros.
class input {
 public:
  input(const std::uint8_t* data, std::size_t size) noexcept : rest_(reinterpret_cast<const std::byte*>(data), size) {}

  [[nodiscard]] bool is_done() const noexcept { return rest_.empty(); }
  template <class Number>
  [[nodiscard]] Number number() noexcept {
    Number value{};
    const auto got = bytes(sizeof value);
    std::memcpy(&value, got.data(), got.size());
    return value;
  }
  [[nodiscard]] std::uint8_t byte() noexcept { return number<std::uint8_t>(); }
  /// Below `end`, which is not 0; of two bytes.
  [[nodiscard]] std::uint64_t below(std::uint64_t end) noexcept { return number<std::uint16_t>() % end; }
  /// At most `count` of them.
  [[nodiscard]] std::span<const std::byte> bytes(std::size_t count) noexcept {
    const auto got = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(got.size());
    return got;
  }
  [[nodiscard]] std::span<const std::byte> rest() noexcept { return bytes(rest_.size()); }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace weir::fuzz
