// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <csignal>
#include <limits>
#include <string>
#include <thread>

#include "channel_roles.hpp"
#include "scenario_shapes.hpp"
#include "support/child.hpp"
#include "support/wait.hpp"

/// What recovery has to do: processes that died before the scenario begins, one at each kind of thing.
namespace weir::tests {

enum class prelude {
  none,
  many_dead,       // one asleep, one taking, one viewing, one putting
  dead_recoverer,  // and one that died while it moved an item over the gap, with the lock
  dead_taker,      // of a rendezvous: it dies when it picks up an item
  frozen_taker,    // of a rendezvous: it waits, and is stopped
};

template <payload P>
class history {
 public:
  history(const std::string& name, ledger& notes) : name_(name), notes_(notes), cast_(name, notes) {}

  void play(prelude p) {
    if (p == prelude::none) return;
    if (p == prelude::frozen_taker) {
      taker_.emplace([this] {
        static_cast<void>(cast_.open().take());
        return 0;
      });
      wait_until_waiting(cast_.open(), 1);
      ::kill(taker_->pid(), SIGSTOP);
      return;
    }
    if (p == prelude::dead_taker) {
      taker_.emplace([this] { return die_taking(); });
      wait_until_waiting(cast_.open(), 1);
      return;
    }
    auto ch = cast_.open();
    // What is prepared here is not to be recovered before the victim comes.
    std::atomic<std::int64_t>& looked = ch_core()->header().looked_ns;
    looked = std::numeric_limits<std::int64_t>::max();
    {
      child asleep([this] {
        planned_end::notes = &notes_;
        shm::g_at_crash_point = &planned_end::note_sleep;
        static_cast<void>(cast_.open().take());
        return 0;
      });
      ASSERT_TRUE(comes_true_within(kHang, [this] { return notes_.prelude_sleeps != 0; }));
    }  // killed
    for (int i = 0; i < 3; ++i) cast_.put(ch, kPreludesNumber, i);
    run([this] {
      auto own = cast_.open();
      const auto view = own.try_take_view();
      ::raise(SIGKILL);
      return 0;
    });
    run([this] { return die_taking(); });
    run([this] {
      auto own = cast_.open();
      plan_end("ring.put.claimed", 1, notes_);
      cast_.put(own, kPreludesNumber, 3);
      return 0;
    });
    if (p == prelude::dead_recoverer) {
      run([this] {
        const auto core = detail::attach(name_, detail::codec<typename item_of<P>::type>::type());
        plan_end("recovery.gap.moving", 1, notes_);
        core->look_for_the_dead(/*even_if_just_looked=*/true);
        return 0;
      });
    }
    looked = 0;
  }

 private:
  [[nodiscard]] detail::core_handle ch_core() const {
    return detail::attach(name_, detail::codec<typename item_of<P>::type>::type());
  }
  int die_taking() {
    auto own = cast_.open();
    plan_end(P == payload::block ? "block.taken" : "ring.take.claimed", 1, notes_);
    static_cast<void>(own.take());
    return 0;
  }
  template <class Program>
  static void run(Program&& program) {
    child one(program);
    one.wait();
  }

  std::string name_;
  ledger& notes_;
  cast<P> cast_;
  std::optional<child> taker_;
};

}  // namespace weir::tests
