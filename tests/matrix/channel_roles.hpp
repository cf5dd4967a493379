// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "channel/channel_core.hpp"
#include "death.hpp"
#include "item.hpp"
#include "ledger.hpp"
#include "weir/select.hpp"

/// What the processes of a scenario do: those that live on, and the one that is to be killed in the middle of it.
namespace weir::tests {

using namespace std::chrono_literals;

enum class role {
  putter,
  taker,
  viewer,
  recoverer,
  returner,  // gives back what it has taken
  selector,
  closer,
  late_putter,  // the channel is closed while it puts
  newcomer,     // comes and goes; makes and removes channels
  loner,        // takes what it has put itself
  meeter,       // puts to takers that do not always come: capacity 0
  matchmaker,   // the same by select
};
inline constexpr std::array kRoles{role::putter,   role::taker,    role::viewer, role::recoverer,
                                   role::returner, role::selector, role::closer, role::late_putter,
                                   role::newcomer, role::loner,    role::meeter, role::matchmaker};
inline constexpr std::array<std::string_view, kRoles.size()> kRoleNames{"putter",   "taker",    "viewer", "recoverer",
                                                                        "returner", "selector", "closer", "late_putter",
                                                                        "newcomer", "loner",    "meeter", "matchmaker"};
constexpr bool is_rendezvous(role r) { return r == role::meeter || r == role::matchmaker; }
/// It comes to sleep until somebody else puts or takes.
constexpr bool waits_when_alone(role r) {
  return r == role::putter || r == role::taker || r == role::viewer || r == role::selector || r == role::meeter;
}
constexpr std::string_view name_of(role r) { return kRoleNames.at(static_cast<std::size_t>(r)); }

inline constexpr int kVictimsNumber = 0;   // as a putter
inline constexpr int kPreludesNumber = 9;  // of those that died before

template <payload P>
class cast {
 public:
  cast(std::string name, ledger& notes) : name_(std::move(name)), notes_(notes) {}

  // ---- those that live on: at a leisurely pace, so that the others come to wait for them

  /// Puts until the victim is dead, and a little longer. `rarely`: so that takers come to wait for the victim's items.
  int put_until_over(int me, bool rarely) {
    auto ch = open();
    int after_death = 5;
    try {
      for (int i = 0; i < kItemsEach && (!notes_.is_over() || after_death-- > 0); ++i) {
        put(ch, me, i);
        rest_between(i, rarely);
      }
    } catch (const channel_closed&) {
      return 0;
    }
    return 0;
  }
  /// Takes until it is told that no more will come. `rarely`: so that putters come to wait for the victim.
  int take_until_over(bool rarely) {
    auto ch = open();
    try {
      for (int i = 0;; ++i) {
        const int number = notes_.timed([&] { return item_of<P>::number(ch.take()); });
        notes_.note_taken(number);
        if (number == kEndOfItems) return 0;
        rest_between(i, rarely);
      }
    } catch (const channel_closed&) {
      return 0;
    }
  }
  /// The same with views that putters come to wait for.
  int view_until_over() {
    auto ch = open();
    for (;;) {
      auto view = notes_.timed([&] { return ch.take_view_for(10s); });
      if (!view) return 5;
      const int number = number_seen<P>(*view);
      notes_.note_taken(number);
      if (number == kEndOfItems) return 0;
      std::this_thread::sleep_for(4ms);
    }
  }

  // ---- the one that is killed: in bursts, so that it now waits for the others and now they for it

  int play(role r) {
    switch (r) {
      case role::putter: return put_in_bursts();
      case role::taker: return take_in_bursts();
      case role::viewer: return view_in_bursts();
      case role::recoverer: return recover_and_go_on();
      case role::returner: return give_back();
      case role::selector: return choose();
      case role::closer: return close_many();
      case role::late_putter: return put_while_it_closes();
      case role::newcomer: return come_and_go();
      case role::loner: return put_and_take_alone();
      case role::meeter: return meet();
      case role::matchmaker: return choose_to_meet();
    }
    return 1;
  }

  void put(channel_of<P>& ch, int putter, int index) {
    const auto item = item_of<P>::make(item_number(putter, index));
    auto& begun = notes_.begun[static_cast<std::size_t>(putter)];
    begun = index + 1;
    if constexpr (P == payload::block) {
      if (index % 2 == 1) {
        auto room = notes_.timed([&] { return ch.loan(item.size()); });
        std::copy(item.begin(), item.end(), room.begin());
        notes_.timed([&] { ch.put(std::move(room)); });
        notes_.returned[static_cast<std::size_t>(putter)] = index + 1;
        return;
      }
    }
    notes_.timed([&] { ch.put(item); });
    notes_.returned[static_cast<std::size_t>(putter)] = index + 1;
  }

  [[nodiscard]] channel_of<P> open() const { return channel_of<P>::open(name_); }

 private:
  /// In a burst it outruns the others and waits for them; while it rests they come to wait for it. On a busy machine they
  /// need longer for that: every eighth rest is longer than those before.
  static constexpr int kBurst = 24;
  static void rest_after_burst(int i) {
    if (i % kBurst == kBurst - 1) std::this_thread::sleep_for(4ms * (1 + i / (8 * kBurst)));
  }

  /// Of those that live on. On a busy machine short rests become long ones, and rare ones are no longer rarer than they: these
  /// grow, up to 0.2 s, until the victim is dead.
  void rest_between(int i, bool rarely) const {
    if (!rarely) return std::this_thread::sleep_for(200us);
    const auto until = std::chrono::steady_clock::now() + 3ms * (1 << std::min(i / 16, 6));
    do {
      std::this_thread::sleep_for(3ms);
    } while (!notes_.is_over() && std::chrono::steady_clock::now() < until);
  }

  int put_in_bursts() {
    auto ch = open();
    for (int i = 0; i < kItemsEach; ++i) {
      put(ch, kVictimsNumber, i);
      rest_after_burst(i);
    }
    return 3;
  }

  int take_in_bursts() {
    auto ch = open();
    typename item_of<P>::type into{};
    for (int i = 0; i < 3 * kItemsEach; ++i) {
      notes_.victim_has_let_go = 0;
      if (i % 2 == 0) {
        into = ch.take();
      } else {
        ch.take_into(into);
      }
      notes_.note_taken(item_of<P>::number(into));
      rest_after_burst(i);
    }
    return 3;
  }

  void view_one(channel_of<P>& ch, std::chrono::milliseconds patience, std::chrono::microseconds length) {
    auto view = ch.take_view_for(patience);
    if (!view) return;
    const int number = number_seen<P>(*view);
    if (number < 0) ++notes_.torn;
    notes_.victim_views = number + 1;
    if (length.count() != 0) std::this_thread::sleep_for(length);
    view.reset();
    notes_.note_taken(number);
    notes_.victim_views = 0;
  }

  int view_in_bursts() {
    auto ch = open();
    for (int i = 0; i < 3 * kItemsEach; ++i) {
      view_one(ch, 1000ms, i % 3 == 0 ? 500us : 0us);
      rest_after_burst(i);
    }
    return 3;
  }

  int recover_and_go_on() {
    auto ch = open();
    const auto core = detail::attach(name_, detail::codec<typename item_of<P>::type>::type());
    for (int i = 0; i < kItemsEach; ++i) {
      core->look_for_the_dead(/*even_if_just_looked=*/true);
      if (i % 4 == 3) {
        put(ch, kVictimsNumber, i / 4);
        notes_.victim_has_recovered = 1;
      } else if (i % 2 == 0) {
        view_one(ch, 1ms, 0us);
      } else {
        notes_.victim_has_let_go = 0;
        if (const auto item = ch.take_for(1ms)) notes_.note_taken(item_of<P>::number(*item));
      }
    }
    return 3;
  }

  int give_back() {
    const auto core = detail::attach(name_, detail::codec<typename item_of<P>::type>::type());
    for (int i = 0; i < kItemsEach; ++i) {
      detail::taken_item item;
      const auto how = i % 2 == 0 ? detail::hold::view : detail::hold::copy;
      if (core->take(item, detail::deadline::after(100ms), how, {}) != detail::take_status::taken) continue;
      item.give_back();
      rest_after_burst(i);
    }
    return 3;
  }

  int choose() {
    auto ch = open();
    auto other = channel<int>::open(name_ + ".other");
    const auto take_it = [&](auto&& item) { notes_.note_taken(item_of<P>::number(item)); };
    int put_so_far = 0;
    for (int i = 0; i < kItemsEach; ++i) {
      notes_.victim_has_let_go = 0;
      if (i % 4 == 3) {
        const auto item = item_of<P>::make(item_number(kVictimsNumber, put_so_far));
        notes_.begun[kVictimsNumber] = put_so_far + 1;
        select(on_take(other, [](int) {}), on_put(ch, item));
        notes_.returned[kVictimsNumber] = ++put_so_far;
      } else {
        select(on_take(other, [](int) {}), on_take(ch, take_it));
      }
      rest_after_burst(i);
    }
    return 3;
  }

  int close_many() {
    std::this_thread::sleep_for(3ms);  // something is inside, and somebody waits
    auto ch = open();
    ch.close("that is all");
    return 3;
  }

  int put_while_it_closes() {
    auto ch = open();
    static detail::core_handle core;
    core = detail::attach(name_, detail::codec<typename item_of<P>::type>::type());
    planned_end::at_claim = [] { detail::close(*core, "while it puts"); };
    put_in_bursts();
    return 3;
  }

  int come_and_go() {
    const std::string own = name_ + ".own";
    for (int i = 0; i < kItemsEach; ++i) {
      {
        auto ch = open();
        if (ch.capacity() == 0) return 4;
      }
      auto made = channel_of<P>::open_or_create(own, 2);
      made.try_put(item_of<P>::make(i));
      channel_of<P>::remove(own);
      // Unnamed ones go with their last handle.
      channel_of<P> unnamed(2);
      unnamed.try_put(item_of<P>::make(i));
    }
    return 3;
  }

  int put_and_take_alone() {
    auto ch = open();
    static_cast<void>(ch.take_for(1ms));  // it slept, and those who put and take know
    for (int i = 0; i < kItemsEach; ++i) {
      put(ch, kVictimsNumber, i);
      notes_.victim_has_let_go = 0;
      if (const auto item = ch.try_take()) notes_.note_taken(item_of<P>::number(*item));
      if (i == kItemsEach / 2) {
        const auto any = item_of<P>::make(item_number(kVictimsNumber, kItemsEach - 1));
        for (int k = 0; k < 2 * kItemsEach; ++k) {
          ch.try_put(any);
          static_cast<void>(ch.try_take());
        }
      }
    }
    return 3;
  }

  int choose_to_meet() {
    auto ch = open();
    const auto take_it = [&](auto&& item) { notes_.note_taken(item_of<P>::number(item)); };
    int put_so_far = 0;
    for (int i = 0; i < kItemsEach; ++i) {
      notes_.victim_has_let_go = 0;
      if (i % 3 == 2) {
        select(on_take(ch, take_it), on_timeout(1ms));
        continue;
      }
      const int number = item_number(kVictimsNumber, put_so_far++);
      notes_.begun[kVictimsNumber] = put_so_far;
      const auto item = item_of<P>::make(number);
      // The first may find a taker that does not pick it up.
      if (select(on_put(ch, item), on_timeout(i == 0 ? 50'000us : i % 3 == 0 ? 100us : 3000us)) == 1) {
        ++notes_.refused[static_cast<std::size_t>(number)];
      }
      notes_.returned[kVictimsNumber] = put_so_far;
    }
    return 3;
  }

  int meet() {
    auto ch = open();
    int put_so_far = 0;
    for (int i = 0; i < kItemsEach; ++i) {
      if (i % 3 == 2) {
        notes_.victim_has_let_go = 0;
        if (const auto item = ch.take_for(3ms)) notes_.note_taken(item_of<P>::number(*item));
      } else {
        const int number = item_number(kVictimsNumber, put_so_far++);
        notes_.begun[kVictimsNumber] = put_so_far;
        const auto item = item_of<P>::make(number);
        // The first may find a taker that dies.
        if (!ch.put_for(item, i == 0 ? 400'000us : i % 3 == 0 ? 50us : 5000us))
          ++notes_.refused[static_cast<std::size_t>(number)];
        notes_.returned[kVictimsNumber] = put_so_far;
      }
      rest_after_burst(i);
    }
    return 3;
  }

  std::string name_;
  ledger& notes_;
};

}  // namespace weir::tests
