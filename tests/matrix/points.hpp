// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "call_scenario.hpp"
#include "scenario.hpp"

/// Which points of the library's code a victim comes by, by what it does. points_test.cpp holds this against the code.
namespace weir::tests {

inline constexpr unsigned kFixed = 1U << static_cast<unsigned>(payload::fixed);
inline constexpr unsigned kPiece = 1U << static_cast<unsigned>(payload::piece);
inline constexpr unsigned kBlock = 1U << static_cast<unsigned>(payload::block);
inline constexpr unsigned kSmall = 1U << static_cast<unsigned>(ballast::small);
inline constexpr unsigned kBlocks = 1U << static_cast<unsigned>(ballast::block);
inline constexpr unsigned kFile = 1U << static_cast<unsigned>(ballast::file);
inline constexpr unsigned kAll = 7;

/// In every shape, with each of these payloads, the victim comes by each of these points, at least `hit` times.
struct channel_passage {
  role victim;
  prelude before;
  company others;
  unsigned payloads;
  int hit;
  std::string_view points;  // with spaces between them
};
struct call_passage {
  call_role victim;
  unsigned ballasts;
  int hit;
  std::string_view points;
};

/// Only a sweep comes by these; its test is tests/runtime/leftovers_crash_test.cpp, where it is killed at each.
inline constexpr std::string_view kSweepsPoints = "sweep.looked sweep.done_with_one";

/// Only ranks of a team come by these, and who makes one; their test is tests/runtime/team_crash_test.cpp, where a rank is
/// killed at each.
inline constexpr std::string_view kTeamsPoints =
    "team.announced team.bringing team.brought team.entered team.entering team.failed team.failing team.inbox.made "
    "team.inbox.marked team.inboxes.removed team.leaving team.left team.met team.named team.read team.reading "
    "team.reason team.received team.removing team.sending team.sent team.signalled team.stashed team.stashing";

/// Arrays are not in the matrix: tests/array/array_crash_test.cpp kills at each of these.
inline constexpr std::string_view kArraysPoints =
    "array.alone array.file.bound array.file.lengthened array.file.linked array.file.made array.file.opened "
    "array.leaving array.left array.lock.gate array.lock.held array.lock.inherited array.lock.marked "
    "array.lock.released array.lock.releasing array.lock.writer array.npy.opened array.npy.renamed "
    "array.npy.written array.pinned array.resizing array.rows.cleared array.rows.given_back array.rows.made "
    "array.rows.stored array.seat.described array.seat.high array.seat.left array.seat.locked array.seat.taken "
    "array.share.cleared array.share.clearing array.share.counted array.share.entered array.share.gate "
    "array.share.released array.share.releasing array.unpinned";

/// Only a thread that says what it runs or waits for comes by these; tests/inspect/waits_crash_test.cpp kills at each.
inline constexpr std::string_view kNotesPoints =
    "run.described run.noted run.over waits.claimed waits.claiming waits.described waits.entered waits.idle "
    "waits.leaving "
    "waits.left waits.not_idle";

/// Only traced processes come by these, and who switches a trace on or off: tests/trace/trace_crash_test.cpp kills at each.
inline constexpr std::string_view kTracesPoints =
    "trace.followed trace.made trace.name.counted trace.name.written trace.record.counted trace.record.written "
    "trace.ring.named trace.ring.reserved trace.ring.taken trace.starting trace.stopped trace.switched";

template <class Visit>
constexpr void for_each_point(std::string_view points, const Visit& visit) {
  while (!points.empty()) {
    const std::size_t end = std::min(points.find(' '), points.size());
    visit(points.substr(0, end));
    points.remove_prefix(std::min(end + 1, points.size()));
  }
}

inline constexpr channel_passage kChannelPassages[] = {
    {role::putter, prelude::none, company::together, kAll, 7,
     "ring.put.advanced ring.put.claimed ring.put.claiming ring.put.published ring.put.written"},
    {role::putter, prelude::none, company::together, kAll, 2,
     "event.epoch.advanced event.listened event.listening event.waking event.woken"},
    {role::putter, prelude::none, company::together, kAll, 1,
     "event.counted event.entering space.reserved space.reserving "
     "waiter.claiming waiter.counted waiter.described waiter.entered waiter.gone "
     "waiter.leaving waiter.left waiter.ready"},
    {role::putter, prelude::none, company::together, kBlock, 7,
     "block.claimed block.claiming block.copied block.extended block.filled block.reserved loan.made "
     "ring.put.block.named"},
    {role::putter, prelude::none, company::together, kPiece, 7, "ring.put.copied"},
    {role::putter, prelude::none, company::with_slow_viewer, kPiece | kBlock, 7,
     "block.claimed block.claiming block.copied block.filled ring.put.block.named"},
    {role::putter, prelude::none, company::with_slow_viewer, kPiece, 7, "ring.put.detached ring.put.detaching"},
    {role::putter, prelude::none, company::alone, kAll, 1, "event.fenced event.fencing waiter.high"},
    {role::taker, prelude::none, company::together, kAll, 7,
     "ring.take.advanced ring.take.claimed ring.take.claiming ring.take.copied ring.take.released"},
    {role::taker, prelude::none, company::together, kAll, 2,
     "event.counted event.entering event.listened event.listening waiter.claiming waiter.counted "
     "waiter.described waiter.entered waiter.gone waiter.leaving waiter.left waiter.ready"},
    {role::taker, prelude::none, company::together, kAll, 1, "event.epoch.advanced event.waking event.woken"},
    {role::taker, prelude::none, company::together, kBlock, 7,
     "block.release block.released block.dropping block.shrinking block.shrunk block.taken block.ticketed "
     "space.given_back"},
    {role::taker, prelude::none, company::alone, kAll, 1, "event.fenced event.fencing waiter.high"},
    {role::viewer, prelude::none, company::together, kAll, 7,
     "ring.take.advanced ring.take.claimed ring.take.claiming"},
    {role::viewer, prelude::none, company::together, kAll, 2,
     "block.release block.released event.epoch.advanced event.waking event.woken ring.take.copied "
     "ring.take.released"},
    {role::viewer, prelude::none, company::together, kPiece | kBlock, 2, "block.taken block.ticketed"},
    {role::viewer, prelude::none, company::together, kFixed, 7, "block.claimed block.claiming view.copied view.taken"},
    {role::viewer, prelude::none, company::together, kBlock, 7, "block.dropping block.shrinking block.shrunk"},
    {role::viewer, prelude::none, company::together, kPiece, 7,
     "ring.take.viewing ring.view.ending view.cleared view.ended view.marked view.marking"},
    {role::viewer, prelude::none, company::together, kFixed, 1, "block.extended block.reserved"},
    {role::recoverer, prelude::many_dead, company::together, kAll, 7,
     "mutex.locked mutex.unlocked mutex.unlocking recovery.looked recovery.looking"},
    {role::recoverer, prelude::many_dead, company::together, kAll, 2,
     "event.roused event.roused.woken event.rousing orphans.counted orphans.stored recovery.begin "
     "recovery.blocks recovery.counted recovery.end recovery.gaps recovery.roused recovery.slots"},
    {role::recoverer, prelude::many_dead, company::together, kAll, 1,
     "orphan.slot.taken orphan.taking recovery.gap.begin recovery.gap.closed recovery.gap.copied "
     "recovery.gap.moved recovery.gap.moving recovery.gap.writing recovery.slot recovery.slot.blanking "
     "recovery.slot.block recovery.waiter.gone recovery.waiter.leaving recovery.waiter.left "
     "ring.blank.advanced ring.blank.skipped ring.blank.skipping ring.put.caught_up"},
    {role::recoverer, prelude::many_dead, company::together, kFixed | kBlock, 7, "block.release block.released"},
    {role::recoverer, prelude::many_dead, company::together, kFixed | kBlock, 1, "orphan.block.taken recovery.block"},
    {role::recoverer, prelude::many_dead, company::together, kFixed | kPiece, 1, "ring.take.caught_up"},
    {role::recoverer, prelude::many_dead, company::together, kBlock, 7, "block.taken"},
    {role::recoverer, prelude::many_dead, company::together, kPiece, 7,
     "ring.view.ending view.cleared view.ended view.marked view.marking"},
    {role::recoverer, prelude::many_dead, company::together, kFixed, 7, "view.copied view.taken"},
    {role::recoverer, prelude::many_dead, company::together, kBlock, 1, "recovery.slot.block.freed"},
    {role::recoverer, prelude::many_dead, company::together, kPiece, 1, "recovery.view recovery.viewing"},
    {role::recoverer, prelude::dead_recoverer, company::together, kAll, 7,
     "mutex.locked mutex.unlocked mutex.unlocking recovery.looked recovery.looking"},
    {role::recoverer, prelude::dead_recoverer, company::together, kAll, 2, "orphans.counted orphans.stored"},
    {role::recoverer, prelude::dead_recoverer, company::together, kAll, 1,
     "mutex.consistent mutex.damage.taken mutex.damaged mutex.inherited orphan.slot.taken orphan.taking "
     "recovery.begin recovery.blocks recovery.counted recovery.end recovery.gap.begin recovery.gap.closed "
     "recovery.gap.copied recovery.gap.moved recovery.gap.moving recovery.gap.writing recovery.gaps "
     "recovery.roused recovery.slot.moving recovery.slots"},
    {role::recoverer, prelude::dead_recoverer, company::together, kFixed | kBlock, 1, "orphan.block.taken"},
    {role::recoverer, prelude::dead_recoverer, company::together, kBlock, 1, "recovery.block"},
    {role::returner, prelude::none, company::together, kAll, 7,
     "given_back.begin given_back.marked mutex.locked mutex.unlocked mutex.unlocking orphan.taking "
     "orphans.counted orphans.stored"},
    {role::returner, prelude::none, company::together, kFixed | kBlock, 7, "orphan.block.taken"},
    {role::returner, prelude::none, company::together, kPiece, 7,
     "given_back.ended orphan.view.taken view.marked view.marking"},
    {role::returner, prelude::none, company::together, kFixed, 7, "view.copied view.taken"},
    {role::selector, prelude::none, company::together, kAll, 7,
     "ring.take.advanced ring.take.claimed ring.take.claiming ring.take.copied ring.take.released"},
    {role::selector, prelude::none, company::together, kAll, 2,
     "event.listened event.listening ring.put.advanced ring.put.claimed ring.put.claiming "
     "ring.put.published ring.put.written"},
    {role::selector, prelude::none, company::together, kAll, 1,
     "event.counted event.entering select.asleep select.chosen select.entered select.left waiter.claiming "
     "waiter.counted waiter.described waiter.entered waiter.gone waiter.high waiter.leaving waiter.left "
     "waiter.ready"},
    {role::selector, prelude::none, company::together, kFixed | kPiece, 2, "ring.put.copied"},
    {role::selector, prelude::none, company::together, kBlock, 2, "ring.put.block.named"},
    {role::closer, prelude::none, company::together, kAll, 1,
     "close.begin close.closed close.reason close.roused event.roused event.roused.woken event.rousing "
     "mutex.locked mutex.unlocked mutex.unlocking participant.leaving participant.left"},
    {role::late_putter, prelude::none, company::together, kAll, 1,
     "close.begin close.closed close.reason close.roused ring.put.abandoned ring.put.abandoning "
     "ring.put.blanking"},
    {role::newcomer, prelude::none, company::together, kAll, 7,
     "mutex.locked mutex.unlocked mutex.unlocking participant.entered participant.entering "
     "participant.high participant.leaving participant.left participant.written segment.create.filled "
     "segment.create.header segment.create.linked segment.create.magic segment.create.mapped "
     "segment.create.opened segment.create.reserved segment.remove.begin segment.remove.done "
     "segment.remove.marked segment.remove.named segment.remove.unlinked space.reserved space.reserving"},
    {role::loner, prelude::none, company::alone, kFixed | kPiece, 1, "event.calmed event.calming"},
    {role::meeter, prelude::none, company::together, kAll, 7,
     "event.counted event.entering event.epoch.advanced event.listened event.listening event.waking "
     "event.woken ring.put.advanced ring.put.claimed ring.put.claiming ring.put.published ring.put.written "
     "waiter.claiming waiter.counted waiter.described waiter.entered waiter.gone waiter.leaving "
     "waiter.left waiter.ready"},
    {role::meeter, prelude::none, company::alone, kAll, 1, "event.fenced event.fencing waiter.high"},
    {role::meeter, prelude::none, company::together, kPiece | kBlock, 1, "ring.put.retracted ring.put.retracting"},
    {role::meeter, prelude::none, company::together, kBlock, 7, "ring.put.block.named"},
    {role::meeter, prelude::none, company::together, kPiece, 7, "ring.put.copied"},
    {role::meeter, prelude::none, company::together, kPiece, 2,
     "ring.blank.advanced ring.blank.skipped ring.blank.skipping"},
    {role::meeter, prelude::dead_taker, company::alone, kAll, 1, "pickup.held pickup.withdrawing pickup.withdrawn"},
    {role::matchmaker, prelude::frozen_taker, company::alone, kAll, 1,
     "offer.withdrawn select.offered select.withdrawn"},
    {role::matchmaker, prelude::none, company::together, kAll, 7,
     "select.asleep select.chosen select.entered select.left select.offered"},
    {role::matchmaker, prelude::none, company::together, kBlock, 2, "ring.put.retracted ring.put.retracting"},
};

inline constexpr call_passage kCallPassages[] = {
    {call_role::caller, kAll, 7,
     "call.sent future.dropped future.dropping future.referenced reference.pinned results.aside.begin "
     "results.aside.pending results.aside.written results.free.begin results.free.done "
     "results.free.emptied"},
    {call_role::caller, kAll, 1,
     "call.resumed call.waiting results.await.marked results.slots.added results.slots.adding "
     "segment.create.filled segment.create.header segment.create.linked segment.create.magic "
     "segment.create.mapped segment.create.opened segment.create.reserved session.run.begin "
     "session.run.named session.run.running session.run.told"},
    {call_role::caller, kBlocks | kFile, 7, "results.block.freed results.block.freeing"},
    {call_role::caller, kFile, 2, "call.blob.written segment.remove.done segment.remove.named"},
    {call_role::worker, kAll, 7,
     "call.answered call.counted call.ended call.ending call.received call.running call.served "
     "future.dropped future.dropping future.referenced future.unpinned reference.unpinned "
     "results.store.begin results.store.published results.store.written ring.take.advanced "
     "ring.take.claimed ring.take.claiming ring.take.copied ring.take.released shared_event.marked"},
    {call_role::worker, kAll, 1,
     "event.listened event.listening session.run.begin session.run.named session.run.running "
     "session.run.told shared_event.advanced waiter.claiming waiter.counted waiter.described "
     "waiter.entered waiter.gone waiter.high waiter.leaving waiter.left waiter.ready"},
    {call_role::worker, kBlocks | kFile, 7,
     "results.block.reserved results.block.sized results.store.claimed results.store.copied"},
    {call_role::worker, kSmall | kBlocks, 1, "results.store.woken"},
    {call_role::worker, kBlocks, 7, "block.release block.released block.taken"},
    {call_role::worker, kFile, 2,
     "call.blob.opened call.blob.removed results.store.blob segment.remove.begin segment.remove.marked "
     "segment.remove.unlinked"},
    {call_role::control, kAll, 7,
     "binding.begin binding.used binding.written bury.blobs bury.channels bury.inbox bury.results "
     "bury.waiters call.sent close.begin close.closed close.reason close.roused "
     "future.dropped future.dropping output.busy output.counted output.ended output.ending output.read "
     "output.told realm.removing reference.pinned results.aside.begin results.aside.pending "
     "results.aside.written results.await.marked "
     "results.free.begin results.free.done results.free.emptied results.retire.claimed "
     "results.retire.given_back segment.create.filled segment.create.header segment.create.linked "
     "segment.create.magic segment.create.mapped segment.create.opened segment.create.reserved "
     "segment.remove.begin segment.remove.done segment.remove.marked segment.remove.named "
     "segment.remove.unlinked session.add.begin session.add.done session.add.named session.add.starting "
     "session.add.written session.gone.begin session.gone.stored session.gone.told session.gone.written "
     "shared_event.advanced shared_event.marked"},
    {call_role::control, kAll, 1,
     "close.status future.referenced results.slots.added results.slots.adding session.end.begin "
     "session.end.marked session.end.removed session.end.removing session.end.telling future.pinned"},
    {call_role::control, kBlocks | kFile, 1, "results.block.freed results.block.freeing"},
    {call_role::control, kFile, 1, "call.blob.written results.block.shrunk"},
};

}  // namespace weir::tests
