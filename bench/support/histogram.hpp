// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace bench {

/// Durations, counted in buckets that are at most 3 % wide. Adding one allocates nothing. All zero bytes is an empty one,
/// so that it can lie in fresh shared memory.
class histogram {
 public:
  void add(std::chrono::nanoseconds duration) noexcept {
    const auto count = duration.count();
    ++buckets_[bucket_of(count > 0 ? static_cast<std::uint64_t>(count) : 0)];
    ++samples_;
  }
  void add(const histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    samples_ += other.samples_;
  }
  [[nodiscard]] std::uint64_t samples() const noexcept { return samples_; }
  /// In seconds: the duration that this part (0.99) of the samples does not exceed, but for the width of its bucket.
  /// 0 if there are no samples.
  [[nodiscard]] double quantile(double part) const noexcept {
    constexpr double kNanosecond = 1e-9;
    const double wanted = part * static_cast<double>(samples_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return static_cast<double>(lowest_of(i)) * kNanosecond;
    }
    return 0;
  }
  /// Calls visit(lowest duration in ns, samples) for each bucket that has some, in order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      if (buckets_[i] > 0) visit(lowest_of(i), buckets_[i]);
    }
  }

 private:
  // 32 buckets for each power of two: bucket 32 e + m, with m in [32, 64), holds the numbers n with n >> e == m.
  static constexpr std::size_t kPerOctave = 32;
  static constexpr int kMantissaBits = 6;  // of an m
  static constexpr std::size_t kBuckets = kPerOctave * (64 - kMantissaBits + 2);

  static std::size_t bucket_of(std::uint64_t n) noexcept {
    const int shift = static_cast<int>(std::bit_width(n)) - kMantissaBits;
    if (shift <= 0) return n;
    return kPerOctave * static_cast<std::size_t>(shift) + (n >> static_cast<unsigned>(shift));
  }
  static std::uint64_t lowest_of(std::size_t bucket) noexcept {
    if (bucket < 2 * kPerOctave) return bucket;
    const std::size_t shift = bucket / kPerOctave - 1;
    return static_cast<std::uint64_t>(bucket - kPerOctave * shift) << shift;
  }

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t samples_ = 0;
};

}  // namespace bench
