// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <new>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "segment/names.hpp"
#include "segment/segment.hpp"
#include "support/child.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"
#include "weir/error.hpp"
#include "weir/globals.hpp"
#include "weir/select.hpp"

/// A bit of everything, done while something is short.
namespace weir::tests {

inline void expect_it(bool condition, const char* what) {
  if (!condition) throw std::logic_error(what);
}

inline std::vector<int> counted(std::size_t length) {
  std::vector<int> made(length);
  std::iota(made.begin(), made.end(), 1);
  return made;
}

inline constexpr std::size_t kSmallItem = 4;
inline constexpr std::size_t kLargeItem = 50'000;

/// Takes the name away, if there is one, when it goes.
template <class Item>
class name_of_channel {
 public:
  explicit name_of_channel(std::string name) : name_(std::move(name)), path_("/dev/shm/weir." + name_) {}
  name_of_channel(const name_of_channel&) = delete;
  name_of_channel& operator=(const name_of_channel&) = delete;
  ~name_of_channel() { ::unlink(path_.c_str()); }
  [[nodiscard]] channel<Item> create(std::size_t capacity) const { return channel<Item>::create(name_, capacity); }

 private:
  std::string name_;
  std::string path_;
};

/// Channels of all kinds.
inline void use_channels(const std::string& name) {
  const name_of_channel<int> fixed_name(name + ".fixed");
  const name_of_channel<std::vector<int>> varying_name(name + ".varying");
  auto fixed = fixed_name.create(4);
  auto varying = varying_name.create(4);
  channel<std::string> unnamed(1);
  for (const std::size_t length : {kSmallItem, kLargeItem}) {
    varying.put(counted(length));
    auto loan = varying.loan(length);
    std::iota(loan.begin(), loan.end(), 1);
    varying.put(std::move(loan));
    {
      const auto view = varying.take_view();
      expect_it(std::vector<int>(view.begin(), view.end()) == counted(length), "a view is torn");
    }
    expect_it(varying.take() == counted(length), "an item is torn");
    unnamed.put(std::string(length, 'x'));
    expect_it(unnamed.take() == std::string(length, 'x'), "a string is torn");
  }
  fixed.put_all(std::vector<int>{1, 2, 3});
  expect_it(fixed.take_up_to(3) == counted(3), "a batch is torn");
  expect_it(!fixed.take_for(std::chrono::milliseconds(1)).has_value(), "an item from nowhere");
  expect_it(select(on_take(fixed, [](int) {}), on_timeout(std::chrono::milliseconds(1))) == 1, "likewise");
}

enum class continuations { used, left_out };

/// A session with a worker, from its start to its end.
inline void use_session(continuations follow = continuations::used) {
  weir::session session;
  const auto w = session.add_workers(1).front();
  const auto same = [](const std::vector<int>& v) { return v; };
  for (const std::size_t length : {kSmallItem, kLargeItem, 100 * kLargeItem}) {
    expect_it(w.fetch(same, counted(length)) == counted(length), "an answer is torn");
  }
  const auto answer = w.call([] { return 5; });
  if (follow == continuations::used) {
    expect_it(answer.then([](int five) { return five + 1; }).get() == 6, "a continuation is wrong");
  }
  w.fetch([] { weir::globals().set("a", 7); });
  expect_it(w.global<int>("a") == 7, "a global is wrong");
  w.fetch([] { std::printf("printed\n"); });
  session.on_worker_exit([](const worker_exit&) {});
  session.remove_workers(w);
}

/// Runs `action` in a child that has had `limit(n)` called, n from 0 on until it succeeds. If it fails it must be by
/// one of weir's errors or std::bad_alloc; after `lift` it must succeed, and leave nothing. Returns how many failed.
/// `is_enough`: whether it would succeed with more as well.
inline int try_each_limit(
    const std::function<void()>& action, const std::function<void(int)>& limit, const std::function<void()>& lift,
    int step = 1, const std::function<bool()>& is_enough = [] { return true; }) {
  constexpr int kFailed = 10;
  constexpr int kMost = 4000;
  int failed = 0;
  for (int n = 0; n < kMost; n += step) {
    child limited([&] {
      bool ok = true;
      limit(n);
      try {
        action();
      } catch (const error&) {
        ok = false;
      } catch (const std::bad_alloc&) {
        ok = false;
      }
      ok = ok && is_enough();
      lift();
      action();
      if (!shm::list_segments('@' + shm::realm() + '.').empty()) return 1;
      return ok ? 0 : kFailed;
    });
    const bool ended = comes_true([&] { return limited.has_ended(); });
    EXPECT_TRUE(ended) << "hangs with " << n;
    if (!ended) return failed;
    const int status = limited.wait();
    EXPECT_TRUE(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kFailed))
        << "with " << n << ": wait status " << status;
    if (status == 0) return failed;
    ++failed;
  }
  ADD_FAILURE() << "never succeeds";
  return failed;
}

}  // namespace weir::tests
