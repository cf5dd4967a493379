// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

/// What every contender hands over, and what every contender checks: 64-bit words that depend on the item's number. The
/// sender writes all of them and the receiver reads all of them, inside the timed part.
namespace bench {

/// Set in the number of the item after which nothing more comes.
inline constexpr std::uint64_t kLast = std::uint64_t{1} << 63U;

/// An item is wrong, missing, or came twice. Ends the program without a figure.
class wrong_item : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Odd, so that neither a shifted nor a half-written item adds up to the right sum.
inline constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15;

inline void write_item(std::uint64_t* words, std::size_t count, std::uint64_t number) noexcept {
  for (std::size_t i = 0; i < count; ++i) words[i] = number + i * kStep;
}

/// Returns the item's number. Throws wrong_item if its words are not those that write_item() writes.
inline std::uint64_t read_item(const std::uint64_t* words, std::size_t count) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += words[i];
  const std::uint64_t number = words[0];
  const std::uint64_t right = number * count + kStep * (count * (count - 1) / 2);
  if (sum != right) throw wrong_item("the words of item " + std::to_string(number & ~kLast) + " do not add up");
  return number;
}

/// What was sent, or what was received: equal on both sides if nothing is missing and nothing came twice.
class tally {
 public:
  void add(std::uint64_t number) noexcept {
    ++count_;
    // Mixed, so that two wrong numbers do not make a right sum.
    const std::uint64_t mixed = (number ^ (number >> 29U)) * kStep;
    sum_ += mixed ^ (mixed >> 32U);
  }
  void add(const tally& other) noexcept {
    count_ += other.count_;
    sum_ += other.sum_;
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  friend bool operator==(const tally&, const tally&) noexcept = default;

 private:
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
};

}  // namespace bench
