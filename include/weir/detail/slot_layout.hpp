// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

/// The part of a channel's segment that put and take of small items touch, and that is therefore compiled into the
/// programs that use channels: slots, and what sleepers sleep on. The rest is in lib/channel/channel_layout.hpp.
namespace weir::channels {

inline constexpr std::size_t kLine = 64;
inline constexpr std::size_t kApart =
    128;  // what different sides write lies so far apart: two lines are fetched at once
inline constexpr std::size_t kMostSlotBytes = 17 * kLine;  // 1 KiB and the slot's own words
inline constexpr std::uint32_t kParticipants = 4096;       // entry 0 is never used: owner 0 is nobody

// ------------------------------------------------------------------------------------------------------------- slots

// A slot's 64-bit state: turn (48 bits) | phase (4 bits) | owner (12 bits: a participant). Ticket t, the t-th put, uses
// slot t % slot_count in turn t / slot_count. Whoever changes a phase that others may change too does it by one
// compare-and-swap that names him.
//
//   empty(turn) --putter--> writing(turn, me) --putter--> full(turn) --taker--> reading(turn, me) --taker--> empty(turn+1)
//   writing(turn, me)   --putter, the channel was closed meanwhile--> blank(turn)
//   writing(turn, dead) --recovery--> blank(turn)     the put never returned: it has not happened
//   full(turn)          --putter of a rendezvous that nobody came to--> blank(turn)
//   blank(turn)         --taker or putter, when it is the oldest--> empty(turn+1)
//   reading(turn, dead) --recovery--> orphan(turn)    the take never returned: the next taker gets the item first
//   orphan(turn)        --taker, under the lock--> reading(turn, me)
//
// An item that is read where it lies, by a view (see the third word):
//   reading(turn, me)   --taker, its third word written--> viewing(turn, me) --taker, the view goes--> empty(turn+1)
//   viewing(turn, any)  --putter that needs the slot, the third word stays--> empty(turn+1)
//   viewing(turn, dead) --recovery--> reading(turn, dead), and on as above
//
// A blank slot behind full ones would take away from the capacity until the ones before it were taken, so recovery moves
// those up, under the lock, the nearest first, from slot p to the next, which is blank:
//   full(turn) --recovery--> moving(turn, me), the next: blank(turn') --recovery--> writing(turn', me); copy;
//   writing(turn', me) --recovery--> full(turn')   from here on the item is in the next slot;   moving --> blank(turn)
//   moving(turn, any) --recovery, before it moves any itself--> full(turn) if the next slot is not full yet, else blank(turn)
// Takers cannot pass a moving slot, so the next one stays full until then.
//
// release: every store of full and empty(turn+1); acquire: the load that precedes each claim (ring.hpp).
enum class phase : std::uint64_t {
  empty = 0,
  writing = 1,
  full = 2,
  reading = 3,
  blank = 4,
  orphan = 5,
  moving = 6,
  viewing = 7
};
/// A taker has claimed the item of that turn.
constexpr bool is_claimed_by_taker(phase p) noexcept {
  return p == phase::reading || p == phase::viewing || p == phase::orphan;
}

using slot_state = std::uint64_t;
constexpr slot_state make_state(std::uint64_t turn, phase p, std::uint32_t owner = 0) noexcept {
  return (turn << 16U) | (static_cast<std::uint64_t>(p) << 12U) | owner;
}
constexpr std::uint64_t turn_of(slot_state s) noexcept { return s >> 16U; }
constexpr phase phase_of(slot_state s) noexcept { return static_cast<phase>((s >> 12U) & 0xfU); }
constexpr std::uint32_t owner_of(slot_state s) noexcept { return static_cast<std::uint32_t>(s & 0xfffU); }
/// Turns that `s` is ahead of `turn`; negative: behind. Right across the wrap-around of 48 bits.
constexpr std::int64_t turns_ahead(slot_state s, std::uint64_t turn) noexcept {
  return static_cast<std::int64_t>((s & ~std::uint64_t{0xffff}) - (turn << 16U)) >> 16U;
}
static_assert(kParticipants <= 0x1000);

// A slot's second word, written by the putter between writing and full: block (32 bits, kNoBlock: the item lies in the
// slot) | flags (16 bits) | bytes in the slot (16 bits). Not written in channels whose items all lie in their slots.
inline constexpr std::uint32_t kNoBlock = 0xffffffff;
inline constexpr std::uint64_t kHasReferences = 1;
constexpr std::uint64_t make_meta(std::uint32_t block, std::uint64_t flags, std::size_t bytes) noexcept {
  return (std::uint64_t{block} << 32U) | (flags << 16U) | bytes;
}
constexpr std::uint32_t meta_block(std::uint64_t meta) noexcept { return static_cast<std::uint32_t>(meta >> 32U); }
constexpr std::uint64_t meta_flags(std::uint64_t meta) noexcept { return (meta >> 16U) & 0xffffU; }
constexpr std::size_t meta_bytes(std::uint64_t meta) noexcept { return meta & 0xffffU; }

// A slot's third word: the item of this or an earlier turn that is read where it lies, by a view. 0: none.
//   turn (the lower 39 bits) | bytes (11) | phase (2) | owner (12)
//
//   0 --taker, the slot being reading(turn, me)--> viewing(turn, me) --taker, when the view goes--> 0
//   viewing(turn, dead) --recovery--> 0 if the slot is still reading(turn, dead), which becomes an orphan, else orphan
//   orphan --taker, under the lock--> viewing(turn, me)      viewing(turn, me) --taker gives back, under the lock--> orphan
//
// A slot is not given back before the view goes, unless a putter needs it; then the item of a later turn lies in a block
// while this is not 0, so that a view holds nobody up. It becomes not 0 only while the slot is reading(me): who sees the
// slot empty, and this 0, and then claims the slot, may write.
// release: each store of 0 and of viewing(turn); acquire: the loads in claim_put() and claim_next_put().
enum class view_phase : std::uint64_t { none = 0, viewing = 1, orphan = 2 };
inline constexpr std::uint64_t kViewTurns = (std::uint64_t{1} << 39U) - 1;
constexpr std::uint64_t make_view(std::uint64_t turn, std::size_t bytes, view_phase p,
                                  std::uint32_t owner = 0) noexcept {
  return (turn << 25U) | (std::uint64_t{bytes} << 14U) | (static_cast<std::uint64_t>(p) << 12U) | owner;
}
constexpr std::uint64_t turn_of_view(std::uint64_t view) noexcept { return view >> 25U; }
constexpr std::size_t bytes_of_view(std::uint64_t view) noexcept { return (view >> 14U) & 0x7ffU; }
constexpr view_phase phase_of_view(std::uint64_t view) noexcept { return static_cast<view_phase>((view >> 12U) & 3U); }
constexpr std::uint32_t owner_of_view(std::uint64_t view) noexcept { return static_cast<std::uint32_t>(view & 0xfffU); }
/// The whole turn of a view, in a slot that is in turn `now` or was a little while ago.
constexpr std::uint64_t whole_turn_of_view(std::uint64_t view, std::uint64_t now) noexcept {
  return now - ((now - turn_of_view(view)) & kViewTurns);
}
static_assert(kMostSlotBytes <= 0x7ff);

// byte  field   in channels whose items have one size and lie in the slots    in all others
//    0  state   above                                                         above
//    8  meta    not used                                                      above
//   16  view    the item, from here on                                        above
//   24  length                                                                of an item that lies in a block, so that a
//                                                                             taker needs this line only
//   32                                                                        an item that lies here
// A putter that dies while writing leaves anything in meta, length and the item.
struct slot {
  std::atomic<slot_state> state;
  std::atomic<std::uint64_t> meta;
  std::atomic<std::uint64_t> view;
  std::atomic<std::uint64_t> length;
};
inline constexpr std::size_t kFixedItem = 16;  // where an item lies, if all have one size; if not (a "piece"):
inline constexpr std::size_t kPiece = sizeof(slot);
static_assert(sizeof(slot) == 32 && offsetof(slot, meta) == 8 && offsetof(slot, view) == kFixedItem);
static_assert(offsetof(slot, length) == 24);

/// In which order slots lie in memory. Slots of one line lie in the order of their numbers. Wider ones would so be used at
/// a distance that never changes, which CPUs notice and fetch ahead for: lines that the other side is about to write, which
/// then has to fetch them back. So they lie in bit-reversed order within each whole group of eight: slots 0 to 7 in rows 0,
/// 4, 2, 6, 1, 5, 3, 7. docs/decisions/0026 has the measurement.
class slot_order {
 public:
  static constexpr std::uint64_t kGroup = 8;

  slot_order() = default;
  constexpr slot_order(std::uint64_t slot_count, std::uint64_t slot_bytes) noexcept
      : in_groups_(slot_bytes > kLine ? slot_count - slot_count % kGroup : 0) {}

  /// The row in which slot `index` lies; and the slot that lies in row `index`, since this is its own inverse.
  [[nodiscard]] constexpr std::uint64_t operator()(std::uint64_t index) const noexcept {
    constexpr std::uint64_t kFirstAndThird = 0b101;  // bits to be exchanged: they are flipped if they differ
    return index < in_groups_ ? index ^ (((index ^ (index >> 2U)) & 1U) * kFirstAndThird) : index;
  }

 private:
  std::uint64_t in_groups_ = 0;  // slots from here on lie in the order of their numbers
};
static_assert(slot_order(9, 2 * kLine)(1) == 4 && slot_order(9, 2 * kLine)(6) == 3 && slot_order(9, 2 * kLine)(8) == 8);
static_assert(slot_order(9, kLine)(1) == 1);

// ------------------------------------------------------------------------------------------------------------ events

// Something to sleep on, in one 64-bit word:
//   epoch (32 bits, the upper half: the futex) | signals (14) | fenced (1) | fencing (1) | sleepers (16)
//
//   sleeper   sleepers + 1 and fencing; if it was not fenced: heavy fence, fenced; look once more; sleep while the epoch
//             stays; signals - 1, if there are any; look; ...   in the end sleepers - 1 and signals - 1, if there are any
//   waker     makes it true; a full fence if it is fencing or fenced; then, if there are more sleepers than signals,
//             epoch + 1, signals + n, wakes n of them
//   waker     has found it fenced and nobody asleep for a long time: fenced and fencing off, if still nobody sleeps
//
// Each is one compare-and-swap. While nobody has slept for long, wakers need no fence between what they make true
// (publish, release_slot) and their look at this word: the first sleeper's heavy fence (lib/sync/heavy_fence.hpp) makes
// up for it, and sleepers count themselves before, so that the word stays fenced as long as there is one.
// A signal is a wake-up that its sleeper has not answered yet, so that a waker makes one system call for a sleeper, not
// one for every item until that runs. Sleepers that are up are never fewer than the signals, so while there are no more
// sleepers than signals nobody sleeps in vain.
// Deaths. Of a waker between the swap and the wake-up: its sleepers look by themselves (kLongestSleep). Of a sleeper
// before it was fenced: the next one does it. Of any sleeper: it stays counted until recovery takes it off, or, if it died
// in the few instructions around its counting, for good: the count may be too high, which costs a needless wake-up now and
// then and the fences; it is never too low.
struct event {
  std::atomic<std::uint64_t> word;
};
static_assert(sizeof(event) == 8);
inline constexpr std::uint64_t kOneSleeper = 1;
inline constexpr std::uint64_t kFencing = std::uint64_t{1} << 16U;
inline constexpr std::uint64_t kFenced = std::uint64_t{1} << 17U;
inline constexpr std::uint64_t kOneSignal = std::uint64_t{1} << 18U;
inline constexpr std::uint64_t kOneEpoch = std::uint64_t{1} << 32U;
inline constexpr std::uint32_t kMostSleepers = 0x3fff;  // as many as there can be signals
constexpr std::uint32_t sleepers_of(std::uint64_t event_word) noexcept {
  return static_cast<std::uint32_t>(event_word & 0xffffU);
}
constexpr std::uint32_t signals_of(std::uint64_t event_word) noexcept {
  return static_cast<std::uint32_t>((event_word >> 18U) & 0x3fffU);
}
constexpr std::uint32_t epoch_of(std::uint64_t event_word) noexcept {
  return static_cast<std::uint32_t>(event_word >> 32U);
}
/// Whether a waker has anybody to wake.
constexpr bool wants_waking(std::uint64_t event_word) noexcept {
  return sleepers_of(event_word) > signals_of(event_word);
}

}  // namespace weir::channels
