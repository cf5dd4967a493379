// SPDX-License-Identifier: BSL-1.0
#include "weir/detail/select_case.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <list>
#include <random>
#include <vector>

#include "channel/wait.hpp"
#include "sync/patience.hpp"
#include "sync/sleep_on_any.hpp"
#include "weir/detail/crash_point.hpp"

// A select tries its cases, in an order drawn anew each time. While none can go it sleeps, entered as a sleeper with each
// channel, on all their events and futures at once. What it does in the end it does as put and take do, in one channel,
// and it holds nothing in the others: a process killed in the middle leaves no more than one killed in a put or a take.
//
// A put to a rendezvous is the exception, since it is done only when a taker has the item. It is tried when a taker
// sleeps there, by offering the item to it (offer.cpp). One offer is out at a time, and until it is picked up or withdrawn
// no other case is done. It is withdrawn when no taker is left, and after kGrace, since a taker may be stopped, or its
// count left behind by a dead one; then the other cases come first.
// Two selects that each offer to the other would both wait. So one that finds an item in a rendezvous to take from withdraws
// its own offer for it, if that rendezvous comes before the one that it offers to, by the numbers of the files: of those
// that wait in a ring at least one does, and one does not.
namespace weir::detail {
namespace {

constexpr std::chrono::milliseconds kGrace{10};  // what a woken taker gets to come for the item
constexpr std::chrono::milliseconds kNap{1};     // of those who could not be entered among the sleepers

std::minstd_rand& dice() {
  static thread_local std::minstd_rand made{std::random_device{}()};
  return made;
}

std::size_t bytes_of(const payload& item) noexcept {
  std::size_t bytes = 0;
  for (const auto part : item.parts) bytes += part.size();
  return bytes;
}

}  // namespace

class selector {
 public:
  selector(std::span<select_case*> cases, deadline until, const std::stop_token& stop) noexcept
      : cases_(cases), until_(until), stop_(stop) {}
  selector(const selector&) = delete;
  selector& operator=(const selector&) = delete;
  ~selector() {
    if (offering_ != nullptr) offering_->core()->abandon(offer_);
  }

  select_case* run();

 private:
  using clock = std::chrono::steady_clock;

  /// Our entry with one channel. Whoever leaves without what he was woken for passes the wake-up on.
  struct listener {
    listener(channel_core& c, ch::waits_for w, deadline until) : core(c), what(w), me(std::in_place, c, w, until) {}
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;
    ~listener() {
      me.reset();
      WEIR_CRASH_POINT("select.left");
      if (!served) wake_some(core.event_of(what), 1);
    }
    channel_core& core;
    ch::waits_for what;
    std::optional<channel_core::sleeper> me;
    bool served = false;
  };

  select_case* try_each_once();
  select_case* look();
  bool try_put(select_case& put);
  select_case* offer_picked_up() noexcept;
  [[nodiscard]] bool is_offer_in_vain() const;
  [[nodiscard]] std::uint32_t own_takers(const channel_core& core) const noexcept;

  select_case* sleep_until_done();
  void listen_to_all();
  void listen_to(channel_core& core, ch::waits_for what);
  [[nodiscard]] bool is_listened_to(const channel_core& core, ch::waits_for what) const noexcept;
  void sleep();
  void mark_served(const select_case& done) noexcept;

  [[nodiscard]] bool is_stopping() const noexcept { return stop_.stop_requested(); }

  std::span<select_case*> cases_;
  deadline until_;
  const std::stop_token& stop_;
  select_case* offering_ = nullptr;  // whose item offer_ is
  channel_core::offer offer_;
  clock::time_point offered_at_;
  std::list<listener> listeners_;
  std::vector<futex_word> words_;
  std::atomic<std::uint32_t> stopped_{0};  // what a stop request wakes us by
};

// ------------------------------------------------------------------------------------------------------------- trying

select_case* selector::run() {
  if (is_stopping()) return nullptr;
  std::shuffle(cases_.begin(), cases_.end(), dice());
  if (until_.is_at_once()) return try_each_once();
  if (select_case* const done = look()) return done;
  static thread_local sync::wait_estimate estimate;
  // A try of one case costs as much as two looks at a word.
  for (sync::patience patience(estimate, static_cast<std::uint32_t>(2 * cases_.size() + 1));
       !is_stopping() && patience.pause();) {
    if (select_case* const done = look()) {
      patience.paid();
      return done;
    }
  }
  return sleep_until_done();
}

/// As try_put and try_take.
select_case* selector::try_each_once() {
  for (select_case* const each : cases_) {
    const bool is_put = each->what() == select_case::kind::put;
    if (is_put ? each->core()->put(each->item(), until_, wake::now) : each->try_now()) {
      if (is_put) each->was_put();
      return each;
    }
  }
  return nullptr;
}

/// Does the first case that can go, if there is one.
select_case* selector::look() {
  if (offering_ != nullptr) {
    channel_core& core = *offering_->core();
    channel_core::offer_state found = core.look_at(offer_);
    if (found == channel_core::offer_state::lies_there && is_offer_in_vain()) found = core.withdraw(offer_);
    if (found == channel_core::offer_state::lies_there) return nullptr;
    if (found == channel_core::offer_state::picked_up) return offer_picked_up();
    WEIR_CRASH_POINT("select.withdrawn");
    // The others first, now.
    const auto at = std::find(cases_.begin(), cases_.end(), offering_);
    std::rotate(at, at + 1, cases_.end());
    offering_ = nullptr;
  }
  for (select_case* const each : cases_) {
    if (each->what() == select_case::kind::put ? try_put(*each) : each->try_now()) return each;
    if (offering_ != nullptr) return nullptr;
  }
  return nullptr;
}

/// False: it cannot go now, or offering_ says that it may.
bool selector::try_put(select_case& put) {
  channel_core& core = *put.core();
  if (core.rendezvous_) {
    core.check_usable();
    core.check_open("put into channel");
    if (core.is_ready() || !core.is_awaited(own_takers(core))) return false;
  }
  if (!core.put(put.item(), deadline::at_once(), wake::now, &offer_)) return false;
  if (offer_.place.at == nullptr) {
    put.was_put();
    return true;
  }
  offering_ = &put;
  offered_at_ = clock::now();
  WEIR_CRASH_POINT("select.offered");
  return false;
}

select_case* selector::offer_picked_up() noexcept {
  offering_->was_put();
  return std::exchange(offering_, nullptr);
}

bool selector::is_offer_in_vain() const {
  const channel_core& core = *offering_->core();
  if (core.is_closed() || !core.is_awaited(own_takers(core)) || clock::now() - offered_at_ >= kGrace) return true;
  return std::any_of(cases_.begin(), cases_.end(), [&](const select_case* each) {
    if (each->what() != select_case::kind::take) return false;
    const channel_core& from = *each->core();
    return from.rendezvous_ && from.segment().file_number() < core.segment().file_number() && from.is_ready();
  });
}

/// How many of the takers that sleep on it are us.
std::uint32_t selector::own_takers(const channel_core& core) const noexcept {
  return static_cast<std::uint32_t>(std::count_if(listeners_.begin(), listeners_.end(), [&](const listener& each) {
    return &each.core == &core && each.what == ch::waits_for::item && each.me->is_counted();
  }));
}

// ------------------------------------------------------------------------------------------------------------ sleeping

select_case* selector::sleep_until_done() {
  const auto rouse = [this] {
    stopped_.store(1, std::memory_order_seq_cst);
    sync::wake_sleepers(stopped_, INT_MAX);
  };
  const std::stop_callback on_stop(stop_, rouse);
  sync::blocking_scope blocking(
      {.what = sync::wait_kind::channels});  // ends last: nobody is to count on us while we wait to go on
  const struct leaving {
    std::list<listener>& from;
    std::span<select_case* const> cases;
    ~leaving() {
      from.clear();
      for (select_case* const each : cases) each->slept();
    }
  } leaves{listeners_, cases_};
  select_case* done = nullptr;
  for (;;) {
    listen_to_all();
    const bool was_offering = offering_ != nullptr;
    done = look();
    if (done == nullptr && (is_stopping() || until_.has_passed())) {
      if (offering_ == nullptr) break;
      switch (offering_->core()->withdraw(offer_)) {
        case channel_core::offer_state::lies_there: break;  // it will be picked up, or its taker found dead
        case channel_core::offer_state::picked_up: done = offer_picked_up(); break;
        case channel_core::offer_state::withdrawn: offering_ = nullptr; break;
      }
      if (offering_ == nullptr) break;
    }
    if (done != nullptr) break;
    if (was_offering != (offering_ != nullptr)) continue;  // other channels are to be listened to now
    blocking.about_to_sleep();
    sleep();
    for (select_case* const each : cases_) {
      if (each->what() != select_case::kind::ready) each->core()->look_for_the_dead();
    }
  }
  WEIR_CRASH_POINT("select.chosen");
  if (done != nullptr) mark_served(*done);
  return done;
}

/// Enters and leaves until we are with all whose news we would act upon, and has us hear of all later ones. While an
/// offer is out these are few. Takers of a rendezvous stay, so that two who offer to each other both see a taker.
void selector::listen_to_all() {
  if (offering_ != nullptr) {
    const channel_core* const to = offering_->core().get();
    listeners_.remove_if([to](const listener& each) {
      return each.what == ch::waits_for::item ? !each.core.rendezvous_ : &each.core != to;
    });
  }
  for (select_case* const each : cases_) {
    if (each->what() == select_case::kind::ready) continue;
    channel_core& core = *each->core();
    if (each->what() == select_case::kind::take) {
      if (offering_ == nullptr || core.rendezvous_) listen_to(core, ch::waits_for::item);
    } else if (offering_ == nullptr || &core == offering_->core().get()) {
      listen_to(core, ch::waits_for::room);
      if (core.may_need_block(bytes_of(each->item()))) listen_to(core, ch::waits_for::block);
    }
  }
  for (listener& each : listeners_) each.me->listen();
}

void selector::listen_to(channel_core& core, ch::waits_for what) {
  if (is_listened_to(core, what)) return;
  listeners_.emplace_back(core, what, until_);
  WEIR_CRASH_POINT("select.entered");
}

bool selector::is_listened_to(const channel_core& core, ch::waits_for what) const noexcept {
  return std::any_of(listeners_.begin(), listeners_.end(),
                     [&](const listener& each) { return &each.core == &core && each.what == what; });
}

void selector::sleep() {
  clock::time_point until =
      until_.has_passed() ? clock::time_point::max() : until_.when();  // then a taker is waited for
  words_.clear();
  for (const listener& each : listeners_) {
    words_.push_back(each.me->word());
    if (!each.me->is_counted()) until = std::min(until, clock::now() + kNap);
  }
  if (offering_ != nullptr) {
    until = std::min(until, std::max(offered_at_ + kGrace, clock::now() + kNap));
  } else {
    for (select_case* const each : cases_) {
      if (each->what() != select_case::kind::ready) continue;
      const std::optional<futex_word> word = each->word_to_sleep_on();
      if (!word) return;
      words_.push_back(*word);
    }
  }
  if (stop_.stop_possible() && !is_stopping()) words_.push_back({sync::address_of(stopped_), 0});
  WEIR_CRASH_POINT("select.asleep");
  sync::sleep_on_any(words_, until);
}

/// The wake-up for what has been done is not passed on.
void selector::mark_served(const select_case& done) noexcept {
  if (done.what() == select_case::kind::ready) return;
  const auto what = done.what() == select_case::kind::take ? ch::waits_for::item : ch::waits_for::room;
  for (listener& each : listeners_) each.served = &each.core == done.core().get() && each.what == what;
}

select_case* do_first(std::span<select_case*> cases, deadline until, const std::stop_token& stop) {
  return selector(cases, until, stop).run();
}

}  // namespace weir::detail
