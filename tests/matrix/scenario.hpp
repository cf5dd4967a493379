// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "inspect/channel.hpp"
#include "prelude.hpp"
#include "scenario_shapes.hpp"
#include "segment/segment.hpp"

/// One scenario of the matrix: so many putters and takers on one channel, one of them (or one more) is killed at a point,
/// the others go on, and every item is accounted for.
namespace weir::tests {

inline constexpr std::chrono::milliseconds kHeadStart{8};  // the victim may be at work before the others come
enum class company {
  together,          // the others work beside the victim
  with_slow_viewer,  // one more of them views for long
  alone,             // nobody else comes before the victim is dead
};

struct plan {
  role victim = role::putter;
  std::string_view point;
  int hit = 1;
  prelude before = prelude::none;
  company others = company::together;
};

template <payload P>
class scenario {
 public:
  scenario(const plan& what, shape how_many)
      : plan_(what),
        shape_(how_many),
        prefix_(fmt::format("matrix.{}.", ::getpid())),
        name_(prefix_ + "items"),
        cast_(name_, *notes_) {
    planned_end::items_in_blocks = P == payload::block;
    channel_options options;
    if (P == payload::block) options.idle_block_bytes = 4096;  // so that blocks give memory back, and get it again
    channel_.emplace(channel_of<P>::create(name_, is_rendezvous(what.victim) ? 0 : 6, options));
    other_.emplace(channel<int>::create(name_ + ".other", 1));
  }
  scenario(const scenario&) = delete;
  scenario& operator=(const scenario&) = delete;
  ~scenario() {
    others_.clear();
    channel_.reset();
    other_.reset();
    for (const std::string& left : shm::list_segments(prefix_)) shm::segment::remove("clean up", left);
  }

  void run() {
    std::optional<history<P>> before(std::in_place, name_, *notes_);
    before->play(plan_.before);
    if (plan_.others == company::with_slow_viewer) add_viewer();
    notes_->victim_has_slept = 0;
    child victim([this] {
      plan_end(plan_.point, plan_.hit, *notes_);
      return cast_.play(plan_.victim);
    });
    const auto is_dead = [&] { return victim.has_ended(); };
    comes_true_within(plan_.others == company::alone ? kHang : std::chrono::seconds(0), is_dead);
    if (plan_.others != company::alone) give_a_head_start(is_dead);
    if (plan_.victim == role::recoverer) {  // the others would recover what is its to recover
      comes_true_within(kHang, [&] { return is_dead() || notes_->victim_has_recovered != 0; });
    }
    start_the_others();
    if (!comes_true_within(kHang, is_dead)) {
      ::kill(victim.pid(), SIGABRT);
      FAIL() << "the victim neither came by the point nor ended";
    }
    const int status = victim.wait();
    notes_->died_ns = monotonic_now();
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the point was never passed: status " << status;
    before.reset();
    ASSERT_NO_FATAL_FAILURE(see_the_others_end());
    drain();
    account();
    expect_whole();
  }

 private:
  /// Some points are only passed by the first who has to wait in this channel: the others come when the victim has.
  template <class IsDead>
  void give_a_head_start(const IsDead& is_dead) {
    if (waits_when_alone(plan_.victim)) {
      comes_true_within(kHang, [&] { return is_dead() || notes_->victim_has_slept != 0; });
    } else {
      comes_true_within(kHeadStart, is_dead);
    }
  }
  /// When they begin. The victim's replacement is started before its death, too: on a busy machine the kernel may take seconds
  /// to start a process, or to end one, for which nobody here is to wait.
  enum class begins { at_once, after_the_death };
  void add_putter(begins when) {
    const int number = ++last_putter_;
    others_.push_back(std::make_unique<child>([this, number, when] {
      if (when == begins::after_the_death) await_the_death();
      const int status = cast_.put_until_over(number, victim_puts());
      ++notes_->putters_done;
      return status;
    }));
    putters_.push_back(others_.back().get());
  }
  void add_taker(begins when) {
    others_.push_back(std::make_unique<child>([this, when] {
      if (when == begins::after_the_death) await_the_death();
      return cast_.take_until_over(victim_takes());
    }));
    takers_.push_back(others_.back().get());
  }
  void await_the_death() {
    while (!notes_->is_over()) std::this_thread::sleep_for(1ms);
  }
  void add_viewer() {
    others_.push_back(std::make_unique<child>([this] { return cast_.view_until_over(); }));
    takers_.push_back(others_.back().get());
  }
  [[nodiscard]] bool victim_puts() const {
    return plan_.victim == role::putter || plan_.victim == role::late_putter || is_rendezvous(plan_.victim);
  }
  [[nodiscard]] bool victim_takes() const { return plan_.victim == role::taker || plan_.victim == role::viewer; }
  void start_the_others() {
    for (int i = 0; i < putters_in(shape_); ++i)
      add_putter(i == 0 && victim_puts() ? begins::after_the_death : begins::at_once);
    for (int i = 0; i < takers_in(shape_); ++i)
      add_taker(i == 0 && victim_takes() ? begins::after_the_death : begins::at_once);
  }

  void see_one_end(child& one, std::string_view what) {
    ASSERT_TRUE(comes_true_within(kHang, [&] { return one.has_ended(); })) << "a " << what << " hangs";
    EXPECT_EQ(one.wait(), 0) << what;
  }
  void see_the_others_end() {
    const auto have_put_all = [&] {
      return notes_->putters_done == std::ssize(putters_) || std::ranges::all_of(putters_, &child::has_ended);
    };
    ASSERT_TRUE(comes_true_within(kHang, have_put_all)) << "a putter hangs";
    for (std::size_t i = 0; i < takers_.size() && channel_->is_open(); ++i) {
      ASSERT_TRUE(notes_->timed([&] { return channel_->put_for(item_of<P>::make(kEndOfItems), kHang); }));
    }
    for (child* each : putters_) ASSERT_NO_FATAL_FAILURE(see_one_end(*each, "putter"));
    for (child* each : takers_) ASSERT_NO_FATAL_FAILURE(see_one_end(*each, "taker"));
  }

  /// What is left inside, that of the dead included.
  void drain() {
    core()->look_for_the_dead(/*even_if_just_looked=*/true);
    try {
      while (const auto item = channel_->try_take()) notes_->note_taken(item_of<P>::number(*item));
    } catch (const channel_closed&) {
      return;
    }
  }

  void account() {
    EXPECT_EQ(notes_->torn, 0);
    EXPECT_LE(notes_->longest_ns, kLongestWaitNs) << "somebody was held up by the dead";
    int missing = 0;
    for (int putter = 0; putter < kMostPutters; ++putter) {
      const auto of = static_cast<std::size_t>(putter);
      for (int index = 0; index < notes_->begun[of]; ++index) {
        const int number = item_number(putter, index);
        const auto at = static_cast<std::size_t>(number);
        EXPECT_LE(notes_->taken[at], 1) << "item " << index << " of putter " << putter << " was doubled";
        if (notes_->refused[at] != 0) {
          EXPECT_EQ(notes_->taken[at], 0) << "item " << index << " was put, though put_for said no";
          continue;
        }
        const bool in_victims_view = number + 1 == notes_->victim_views;
        if (index >= notes_->returned[of] || notes_->taken[at] != 0 || in_victims_view) continue;
        ++missing;
        EXPECT_LE(missing, notes_->victim_has_let_go) << "item " << index << " of putter " << putter << " is lost";
      }
    }
  }

  /// After all is over: as good as new.
  void expect_whole() {
    const inspect::channel_report seen = inspect::describe_channel(name_);
    EXPECT_EQ(seen.problems, std::vector<std::string>{});
    if (!channel_->is_open() || channel_->capacity() == 0) return;
    const auto item = item_of<P>::make(1);
    for (std::size_t i = 0; i < channel_->capacity(); ++i) EXPECT_TRUE(channel_->try_put(item)) << "put " << i;
    EXPECT_FALSE(channel_->try_put(item));
    for (std::size_t i = 0; i < channel_->capacity(); ++i) EXPECT_TRUE(channel_->try_take()) << "take " << i;
    EXPECT_FALSE(channel_->try_take());
  }

  [[nodiscard]] detail::core_handle core() const {
    return detail::attach(name_, detail::codec<typename item_of<P>::type>::type());
  }

  plan plan_;
  shape shape_;
  shared_ledger notes_;
  std::string prefix_;  // with a dot at its end: of process 327, and not of 32711 as well
  std::string name_;
  cast<P> cast_;
  std::optional<channel_of<P>> channel_;
  std::optional<channel<int>> other_;
  int last_putter_ = kVictimsNumber;
  std::vector<std::unique_ptr<child>> others_;
  std::vector<child*> putters_;
  std::vector<child*> takers_;
};

}  // namespace weir::tests
