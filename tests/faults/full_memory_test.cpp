// SPDX-License-Identifier: BSL-1.0
// Shared memory of every size, page by page, until all of a scenario fits: each failure is no_space, what was inside
// stays whole, and all goes on once there is room.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "faults/scenario.hpp"
#include "support/sanitizers.hpp"
#include "support/small_memory.hpp"

namespace weir::tests {
namespace {

using numbers = std::vector<int>;

/// Its own exit status if all of `run` fitted.
constexpr int kFits = 42;

void make_room() { ASSERT_EQ(::mount(nullptr, "/dev/shm", nullptr, MS_REMOUNT | MS_NOSUID | MS_NODEV, "size=64m"), 0); }

/// Runs `run`, which says whether all fitted, with so much memory, then with some pages more, until it does. At the end
/// nothing is left in shared memory. Returns in how many sizes it did not fit.
int with_each_size(std::size_t first_kib, std::size_t step_in_pages, const std::function<bool()>& run) {
  constexpr std::size_t kPageKib = 4;
  constexpr std::size_t kMostKib = 16 * 1024;
  int did_not_fit = 0;
  for (std::size_t kib = first_kib; kib < kMostKib; kib += kPageKib * (kib < 640 ? step_in_pages : 16)) {
    child inside([&] {
      if (!enter_small_memory(std::to_string(kib) + "k")) return 2;
      const bool fitted = run();
      EXPECT_EQ(shm::list_segments(), std::vector<std::string>());
      if (testing::Test::HasFailure()) return 1;
      return fitted ? kFits : 0;
    });
    const bool ended = comes_true([&] { return inside.has_ended(); });
    EXPECT_TRUE(ended) << "hangs with " << kib << " KiB";
    if (!ended) return did_not_fit;
    const int status = inside.wait();
    EXPECT_TRUE(WIFEXITED(status)) << "with " << kib << " KiB: wait status " << status;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    EXPECT_NE(code, 2) << "no private mount could be made";
    EXPECT_TRUE(code == 0 || code == kFits) << "with " << kib << " KiB";
    if (code != 0) return did_not_fit;
    ++did_not_fit;
  }
  ADD_FAILURE() << "never fits";
  return did_not_fit;
}

/// False: there was no space for it.
bool fits(const std::function<void()>& action) {
  try {
    action();
    return true;
  } catch (const no_space& e) {
    EXPECT_NE(std::string(e.what()).find("full"), std::string::npos) << e.what();
    return false;
  }
}

/// What a channel must hold, oldest first, beside it.
class checked_channel {
 public:
  explicit checked_channel(std::size_t capacity) : ch_(capacity) {}

  bool put(const numbers& item) {
    const bool done = fits([&] { EXPECT_TRUE(ch_.try_put(item)); });
    if (done) inside_.push_back(item);
    expect_whole();
    return done;
  }
  bool put_loan(const numbers& item) {
    const bool done = fits([&] {
      auto loan = ch_.loan(item.size());
      std::copy(item.begin(), item.end(), loan.begin());
      ch_.put(std::move(loan));
    });
    if (done) inside_.push_back(item);
    expect_whole();
    return done;
  }
  /// Those before the first that does not fit are in.
  bool put_all(const std::vector<numbers>& items) {
    const bool done = fits([&] { ch_.put_all(items); });
    const std::size_t went_in = ch_.size() - inside_.size();
    EXPECT_EQ(went_in == items.size(), done);
    inside_.insert(inside_.end(), items.begin(), items.begin() + static_cast<std::ptrdiff_t>(went_in));
    expect_whole();
    return done;
  }
  void take() {
    EXPECT_EQ(ch_.take(), inside_.front());
    inside_.pop_front();
  }
  void take_view() {
    const auto view = ch_.take_view();
    EXPECT_EQ(numbers(view.begin(), view.end()), inside_.front());
    inside_.pop_front();
  }
  [[nodiscard]] std::size_t size() const { return inside_.size(); }
  void expect_whole() { EXPECT_EQ(ch_.peek(), std::vector<numbers>(inside_.begin(), inside_.end())); }

 private:
  channel<numbers> ch_;
  std::deque<numbers> inside_;
};

TEST(SharedMemoryOfEverySize, KeepsWhatIsInsideChannels) {
  const int did_not_fit = with_each_size(64, 1, [] {
    std::optional<channel<int>> other;
    std::optional<checked_channel> ch;
    const bool made = fits([&] {
      other.emplace(8);
      other->put(7);
      ch.emplace(6);
    });
    bool all = made;
    const auto use = [&] {
      bool whole = ch->put(counted(3));
      whole = ch->put(counted(5'000)) && whole;
      whole = ch->put_loan(counted(9'000)) && whole;
      whole = ch->put_all({counted(2'000), counted(4), counted(20'000)}) && whole;
      return whole;
    };
    const auto empty = [&] {
      while (ch->size() > 1) {
        ch->take_view();
        ch->take();
      }
      if (ch->size() == 1) ch->take();
    };
    if (made) {
      all = use();
      empty();
    }
    make_room();
    if (!ch) ch.emplace(6);
    EXPECT_TRUE(use());
    empty();
    if (made) {
      EXPECT_EQ(other->take(), 7);
    }
    return all;
  });
  EXPECT_GE(did_not_fit, 20);
}

/// A full channel of fixed items, a rendezvous, and one whose wait has no memory for its entry.
TEST(SharedMemoryOfEverySize, KeepsFixedItems) {
  const int did_not_fit = with_each_size(16, 1, [] {
    struct record {
      std::int64_t number;
      char text[200];
    };
    return fits([&] {
      channel<record> records(20);
      channel<int> rendezvous(0);
      for (int i = 0; i < 20; ++i) records.put({i, "some"});
      EXPECT_FALSE(records.put_for({20, "more"}, std::chrono::milliseconds(1)));
      EXPECT_FALSE(rendezvous.put_for(1, std::chrono::milliseconds(1)));
      EXPECT_FALSE(rendezvous.take_for(std::chrono::milliseconds(1)).has_value());
      for (int i = 0; i < 20; ++i) EXPECT_EQ(records.take().number, i);
    });
  });
  EXPECT_GE(did_not_fit, 3);
}

bool is_no_space(const error& e) {
  try {
    std::rethrow_if_nested(e);
  } catch (const no_space&) {
    return true;
  } catch (const std::exception&) {
    return false;
  }
  // A worker that could not make its inbox has said so and ended.
  const auto* died = dynamic_cast<const worker_died*>(&e);
  return dynamic_cast<const no_space*>(&e) != nullptr || (died != nullptr && died->exit_status().has_value());
}

TEST(SharedMemoryOfEverySize, KeepsASessionGoing) {
  const int did_not_fit = with_each_size(16, kIsAddressSanitized ? 5 : 1, [] {
    bool all = true;
    const auto attempt = [&](const std::function<void()>& action) {
      try {
        action();
      } catch (const error& e) {
        EXPECT_TRUE(is_no_space(e)) << e.what();
        all = false;
      }
    };
    std::optional<weir::session> session;
    std::vector<weir::worker> w;
    attempt([&] { session.emplace(); });
    if (session) attempt([&] { w = session->add_workers(1); });
    const auto call_all = [&] {
      const auto same = [](const numbers& v) { return v; };
      for (const std::size_t length : {4U, 400U, 4'000U, 40'000U, 200'000U}) {
        attempt([&] { EXPECT_EQ(w[0].fetch(same, counted(length)), counted(length)); });
      }
      attempt([&] {
        const auto sum = w[0].call([](int i) { return i + 1; }, 1).then([](int i) { return i + 1; });
        EXPECT_EQ(sum.get(), 3);
      });
      attempt([&] { w[0].fetch([] { weir::globals().set("a", 7); }); });
      attempt([&] { EXPECT_EQ(w[0].global<int>("a"), 7); });
    };
    if (!w.empty()) call_all();
    const bool fitted = all;
    make_room();
    all = true;
    if (!session) session.emplace();
    if (w.empty()) w = session->add_workers(1);
    call_all();
    EXPECT_TRUE(all);
    EXPECT_EQ(session->add_workers(1).front().fetch([] { return 3; }), 3);
    session.reset();
    return fitted;
  });
  EXPECT_GE(did_not_fit, kIsAddressSanitized ? 10 : 50);
}

TEST(FullSharedMemory, CostsNothingForEachCallThatItRefuses) {
  with_memory_of("2m", [] {
    weir::session session;
    const auto w = session.add_workers(1).front();
    const auto size_of = [](const numbers& v) { return v.size(); };
    const numbers large(700'000);
    constexpr int kRefused = 10'000;
    for (int i = 0; i < kRefused; ++i) ASSERT_THROW((void)w.call(size_of, large), no_space);
    EXPECT_EQ(w.fetch(size_of, numbers(50'000)), 50'000U);
  });
}

}  // namespace
}  // namespace weir::tests
