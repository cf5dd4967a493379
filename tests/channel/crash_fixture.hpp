// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "channel/channel_core.hpp"
#include "inspect/channel.hpp"
#include "support/crash.hpp"
#include "weir/detail/channel_core.hpp"
#include "weir/error.hpp"

/// A channel of three items, and processes that are killed at named points while they work on it.
namespace weir::tests {

using namespace weir::detail;

inline constexpr std::size_t kCapacity = 3;
inline constexpr int kItems = 40;
inline constexpr std::size_t kBlockItemBytes = 200'000;

/// What the victim had done when it died; lies in memory that both processes share.
struct victims_diary {
  std::atomic<int> puts_returned;
  std::atomic<int> takes_returned;
  std::array<std::atomic<int>, kItems> taken;
};

class shared_diary {
 public:
  shared_diary()
      : at_(static_cast<victims_diary*>(
            ::mmap(nullptr, sizeof(victims_diary), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  shared_diary(const shared_diary&) = delete;
  shared_diary& operator=(const shared_diary&) = delete;
  ~shared_diary() { ::munmap(at_, sizeof(victims_diary)); }
  victims_diary* operator->() const { return at_; }

 private:
  victims_diary* at_;
};

/// In a slot, by the general way; there, by the way compiled into the program (fast_path), where all items have one size,
/// and where they have not; in a block.
enum class payload_place { slot, fixed, piece, block };
inline constexpr std::array kPlaces{payload_place::slot, payload_place::fixed, payload_place::piece,
                                    payload_place::block};

inline std::string_view text_of(payload_place place) {
  constexpr std::array<std::string_view, kPlaces.size()> kTexts{"slot", "fixed", "piece", "block"};
  return kTexts.at(static_cast<std::size_t>(place));
}

struct scenario {
  std::string point;
  int hit;
  payload_place place;
};

inline void PrintTo(const scenario& s, std::ostream* out) {
  *out << s.point << " hit " << s.hit << ' ' << text_of(s.place);
}

inline std::string name_of(const testing::TestParamInfo<scenario>& info) {
  std::string name = fmt::format("{}_{}_{}", info.param.point, info.param.hit, text_of(info.param.place));
  for (char& c : name) c = c == '.' || c == ' ' ? '_' : c;
  return name;
}

class ChannelCrash : public testing::TestWithParam<scenario> {
 protected:
  ChannelCrash() : name_(fmt::format("crash-test.{}", ::getpid())) {}
  void SetUp() override {
    forget();
    channel_ = create_named(name_, type(), kCapacity, {});
  }
  void TearDown() override {
    channel_.reset();
    forget();
  }
  void forget() const {
    try {
      remove_named(name_);
    } catch (const not_found&) {
      return;
    }
  }

  static item_type type() {
    if (fixed()) return {"crash_int", 8, item_kind::bytes, sizeof(int), 0, {}};
    return {"crash_item", 7, item_kind::sequence, 0, sizeof(int), "int"};
  }
  static bool fixed() { return GetParam().place == payload_place::fixed; }
  static bool piece() { return GetParam().place == payload_place::piece; }
  static bool in_block() { return GetParam().place == payload_place::block; }

  /// Item `number`: an int, repeated over the whole of a large item, so that a torn one shows.
  static bool put_item(channel_core& channel, int number, deadline until) {
    if (fixed())
      return channel.fast_path::put_fixed(&number, sizeof number) || put_fixed(channel, &number, sizeof number, until);
    const std::vector<int> values(in_block() ? kBlockItemBytes / sizeof(int) : 2, number);
    const std::span<const std::byte> part = std::as_bytes(std::span(values));
    if (piece() && channel.fast_path::put_piece(part.data(), part.size())) return true;
    return detail::put(channel, payload{{&part, 1}, false}, until);
  }
  static int number_in(std::span<const std::byte> bytes) {
    std::vector<int> values(bytes.size() / sizeof(int));
    if (values.empty()) return -1;
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(int));
    for (const int value : values) {
      if (value != values.front()) return -2;  // torn
    }
    return values.front();
  }
  /// -1: empty at the deadline.
  static int take_item(const core_handle& channel, deadline until, hold how = hold::copy) {
    if (int number = -1; fixed() && how == hold::copy) {
      if (channel->fast_path::take_fixed(&number, sizeof number)) return number;
      return take_fixed(*channel, &number, sizeof number, until) == take_status::taken ? number : -1;
    }
    if (int number = -1; piece() && how == hold::copy) {
      const auto any = [](std::size_t) { return true; };
      const auto read = [&](std::span<const std::byte> bytes) { number = number_in(bytes); };
      if (channel->fast_path::take_piece(any, read)) return number;
    }
    if (held_item held; how == hold::view && hold_fast(channel, held)) return number_in(held.bytes());
    taken_item item;
    return take(channel, item, until, how) == take_status::taken ? number_in(item.bytes()) : -1;
  }

  static bool hold_fast(const core_handle& channel, held_item& held) {
    return piece() && held.take(*channel, [](std::size_t) { return true; });
  }

  /// Waits for the death that was planned for it.
  static void expect_killed(child& victim) {
    const int status = victim.wait();
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the point was never passed: status " << status;
  }
  /// Takes all there is, and what comes until `patience` is over, when the dead are known to be dead. In order of number.
  [[nodiscard]] std::vector<int> take_the_rest(std::chrono::milliseconds patience) {
    std::vector<int> seen;
    for (int item = 0; (item = take_item(channel_, deadline::after(patience))) >= 0;) seen.push_back(item);
    std::sort(seen.begin(), seen.end());
    return seen;
  }

  /// After all is over: as good as new.
  void expect_whole() {
    while (take_item(channel_, deadline::at_once()) >= 0) continue;
    EXPECT_EQ(size(*channel_), 0U);
    channel_->look_for_the_dead(/*even_if_just_looked=*/true);
    EXPECT_EQ(inspect::describe_channel(name_).problems, std::vector<std::string>{});
    for (std::size_t i = 0; i < kCapacity; ++i) {
      EXPECT_TRUE(put_item(*channel_, static_cast<int>(i), deadline::after(kWatchdog))) << "put " << i;
    }
    EXPECT_FALSE(put_item(*channel_, 99, deadline::at_once()));
    EXPECT_EQ(size(*channel_), kCapacity);
    for (std::size_t i = 0; i < kCapacity; ++i) {
      EXPECT_EQ(take_item(channel_, deadline::after(kWatchdog)), static_cast<int>(i));
    }
  }

  std::string name_;
  core_handle channel_;
};

}  // namespace weir::tests
