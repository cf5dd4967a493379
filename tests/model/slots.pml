// SPDX-License-Identifier: BSL-1.0
//
// The slots of a channel: put, take, view, close, leave and recovery, any of which may be killed at any step.
// What stands for what, and what is left out, is in README.md. Each BROKEN_... switch leaves out one rule.

// ---------------------------------------------------------------------------------------------------- configurations

#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef DEATHS
#define DEATHS 1  // of processes that run; those that LEFTOVER makes are dead before
#endif
#ifndef PUTTERS
#define PUTTERS 1
#endif
#ifndef PUTS
#define PUTS 1  // of each putter
#endif
#ifndef TAKERS
#define TAKERS 1
#endif
#ifndef VIEWERS
#define VIEWERS 0  // takers that read the item where it lies
#endif
#ifndef HELPERS
#define HELPERS 1  // processes that only look for the dead
#endif
#ifndef LEAVERS
#define LEAVERS 0  // processes that detach, which look for the dead too
#endif
#ifndef CLOSERS
#define CLOSERS 0
#endif
#ifndef LEFTOVER
#define LEFTOVER 0  // 1: the channel begins full of what two dead processes and some living ones may have left in it
#endif
#ifdef RENDEZVOUS
#define AWAIT_PICKUP 1
#else
#define AWAIT_PICKUP 0
#endif

#define FORGED_DEAD (2 * LEFTOVER)
#define LIVING (PUTTERS + TAKERS + VIEWERS + HELPERS + LEAVERS + CLOSERS)
#define SURVIVOR (FORGED_DEAD + LIVING + 1)
#define IDS (SURVIVOR + 1)
#define NOBODY 0
#define ITEMS (LEFTOVER * SLOTS + PUTTERS * PUTS)

// ------------------------------------------------------------------------------------------------------ shared memory

mtype = { Empty, Writing, Full, Reading, Blank, Orphan, Moving, Viewing };

// A slot's state, its item in two halves, its second word and its third.
typedef slot_type {
  byte turn;
  mtype phase = Empty;
  byte owner;
  byte low;
  byte high;
  byte block;  // the item that the block which the slot names holds; 0: the item lies in the slot
  byte view_turn;
  mtype view_phase = Empty;  // empty: no view
  byte view_owner;
}
slot_type slot[SLOTS];
byte tail, head;  // hints
byte orphans;
bit closed;
bit used[IDS];
byte lock_owner;
bit damaged;

// --------------------------------------------------------------------------------------------- what only we can see

bit is_dead[IDS];
byte deaths;
byte running;
byte living_takers;
bit over;  // nothing more will come
bit drained;  // a taker was told that the channel is closed and empty
mtype = { not_begun, begun, returned, refused };
mtype put_of[ITEMS + 1] = not_begun;
byte deliveries[ITEMS + 1];

// ------------------------------------------------------------------------------------------------------------- steps

// What a process does at once; before it, it may be killed. (d_step, since an atomic that ends with an if goes on into
// the next one.)
#define STEP(...) \
  if \
  :: atomic { me != SURVIVOR && deaths < DEATHS -> deaths++; is_dead[me] = 1; goto gone } \
  :: d_step { __VA_ARGS__; skip } \
  fi

#define IS(s, t, p, o) (slot[s].turn == (t) && slot[s].phase == p && slot[s].owner == (o))
#define SET(s, t, p, o) slot[s].turn = t; slot[s].phase = p; slot[s].owner = o
#define IS_SEEN(s) IS(s, seen_turn, seen_phase, seen_owner)
#define SEE(s) seen_turn = slot[s].turn; seen_phase = slot[s].phase; seen_owner = slot[s].owner
#define LOCATE(t) ticket = t; turn = ticket / SLOTS; at = ticket % SLOTS
#define IS_CLAIMED_BY_TAKER(p) (p == Reading || p == Viewing || p == Orphan)

#define LOCALS \
  byte ticket, turn, at, seen_turn, seen_owner, low, high, found, scan, hint; \
  mtype seen_phase = Empty; \
  mtype outcome = none
#define FORGET \
  ticket = 0; turn = 0; at = 0; seen_turn = 0; seen_owner = 0; low = 0; high = 0; found = 0; scan = 0; hint = 0; \
  seen_phase = Empty; outcome = none
#define RECOVERY_LOCALS byte entry, index, gap, to, from, gaps_end, settled
#define FORGET_RECOVERY entry = 0; index = 0; gap = 0; to = 0; from = 0; gaps_end = 0; settled = 0

mtype = { none, claimed, busy, viewed };

// A hint may be stored back by a process that was slow between its look and its store.
inline move_on(counter, value) {
#ifdef RACING_HINTS
  STEP(hint = counter);
  if
  :: hint < value -> STEP(counter = value; hint = 0)
  :: else -> hint = 0
  fi
#else
  STEP(if :: counter < value -> counter = value :: else fi)
#endif
}

// A ticket no more than the true one, given what was seen in its slot.
inline next_after(was_claimed) {
  LOCATE(ticket + (seen_turn - turn - (was_claimed -> 0 : 1)) * SLOTS + 1)
}

// --------------------------------------------------------------------------------------------------------------- lock

inline recount() {
  STEP(
    orphans = 0; scan = 0;
    do
    :: scan < SLOTS ->
       orphans = orphans + (slot[scan].phase == Orphan -> 1 : 0) + (slot[scan].view_phase == Orphan -> 1 : 0);
       scan++
    :: else -> scan = 0; break
    od
  )
}

inline lock_channel() {
#ifdef BROKEN_RECOVERY_WITHOUT_LOCK
  skip
#else
  STEP(
    lock_owner == NOBODY || is_dead[lock_owner];
    if :: lock_owner != NOBODY -> damaged = 1 :: else fi;
    lock_owner = me
  );
  if
  :: damaged ->
     STEP(damaged = 0);
     recount()
  :: else
  fi
#endif
}

inline unlock_channel() {
#ifdef BROKEN_RECOVERY_WITHOUT_LOCK
  skip
#else
  STEP(assert(lock_owner == me); lock_owner = NOBODY)
#endif
}

// ---------------------------------------------------------------------------------------------------------------- put

inline claim_put_at() {
  STEP(
#ifdef BROKEN_PUT_CLAIM_NOT_CAS
    if :: true
#else
    if :: IS(at, turn, Empty, NOBODY)
#endif
       -> SET(at, turn, Writing, me); outcome = claimed
    :: else -> SEE(at)
    fi
  )
}

// blank -> empty for the oldest slot; the caller has seen it blank in the turn that is given.
inline skip_blank(of_ticket, of_turn) {
  STEP(
    if
    :: IS(at, of_turn, Blank, NOBODY) -> SET(at, of_turn + 1, Empty, NOBODY); found = 1
    :: else -> found = 0
    fi
  );
  if
  :: found -> /* ring.blank.skipped */ move_on(head, of_ticket + 1); found = 0
  :: else
  fi
}

inline claim_put(needs_unviewed) {
  outcome = none;
  STEP(LOCATE(tail); SEE(at));
  do
  :: outcome == claimed ->
     /* ring.put.claimed */
     move_on(tail, ticket + 1);
     /* ring.put.advanced */
     break
  :: else ->
     if
     :: seen_turn == turn && seen_phase == Empty ->
#ifndef BROKEN_PUTTER_IGNORES_VIEW_WORD
        if
        :: needs_unviewed -> STEP(if :: slot[at].view_phase != Empty -> outcome = viewed :: else fi)
        :: else
        fi;
#endif
        if
        :: outcome == viewed -> break
        :: else -> claim_put_at()
        fi
     :: seen_turn > turn || (seen_turn == turn && seen_phase != Empty) ->
        next_after((seen_phase != Empty));
        move_on(tail, ticket);
        STEP(SEE(at))
     :: seen_turn < turn && seen_phase == Blank ->
        skip_blank(ticket - SLOTS, turn - 1);
        STEP(SEE(at))
     :: seen_turn < turn && seen_phase == Viewing && needs_unviewed -> outcome = viewed; break
     :: seen_turn < turn && seen_phase == Viewing && !needs_unviewed ->
        STEP(if :: IS_SEEN(at) -> SET(at, turn, Empty, NOBODY) :: else fi; SEE(at))
        /* ring.put.detached */
     :: seen_turn < turn && seen_phase == Full -> outcome = none; break
     :: else -> outcome = busy; break
     fi
  od
}

inline write_item(item) {
  STEP(slot[at].low = item; slot[at].block = 0);
  STEP(slot[at].high = item)
}

inline publish(item) {
  /* ring.put.written */
  STEP(
    assert(!drained);
    SET(at, turn, Full, NOBODY)
  )
  /* ring.put.published */
}

// A rendezvous that nobody came to in time. An item that a dead taker left is the putter's again.
inline await_pickup(item) {
  if
  :: STEP(slot[at].turn > turn); put_of[item] = returned
  :: STEP(
       if
       :: IS(at, turn, Full, NOBODY) -> SET(at, turn, Blank, NOBODY); put_of[item] = refused
       :: else
       fi
     );
     if
     :: put_of[item] == refused
     :: else ->
        lock_channel();
        STEP(
          if
          :: IS(at, turn, Orphan, NOBODY) -> SET(at, turn, Blank, NOBODY); put_of[item] = refused
          :: else
          fi
        );
        if :: put_of[item] == refused -> recount() :: else fi;
        unlock_channel();
        if
        :: put_of[item] == refused
        :: else -> STEP(slot[at].turn > turn || IS(at, turn, Orphan, NOBODY) || IS(at, turn, Full, NOBODY));
           if
           :: slot[at].turn > turn -> put_of[item] = returned
           :: else  // left by a dead taker: another one comes
           fi
        fi
     fi
  fi
}

#if PUTTERS > 0
proctype putter(byte me; byte first_item) {
  LOCALS;
  byte item = first_item;
  do
  :: item < first_item + PUTS && !closed ->
     put_of[item] = begun;
     do
     :: claim_put((VIEWERS > 0));
        if
        :: outcome == viewed -> claim_put(false); found = 1  // an item in a block
        :: else
        fi;
        if
        :: outcome == claimed -> break
        :: else -> found = 0; STEP(!IS_SEEN(at) || closed)
        fi;
        if :: closed -> put_of[item] = refused; break :: else fi
     od;
     if
     :: outcome != claimed -> break
     :: else
     fi;
#ifndef BROKEN_NO_CLOSED_RECHECK
     STEP(if :: closed -> outcome = none :: else fi);
#endif
     if
     :: outcome == none ->
        STEP(SET(at, turn, Blank, NOBODY); put_of[item] = refused);  // abandon
        break
     :: else
     fi;
#ifdef BROKEN_PUBLISH_BEFORE_WRITE
     publish(item);
     write_item(item);
#else
     if
     :: found -> STEP(slot[at].block = item); found = 0
     :: else -> write_item(item)
     fi;
     publish(item);
#endif
     if
     :: AWAIT_PICKUP ->
        do
        :: put_of[item] == begun -> await_pickup(item)
        :: else -> break
        od
     :: else -> STEP(put_of[item] = returned)
     fi;
     item++
  :: else -> break
  od;
gone:
  atomic { FORGET; item = 0; running-- }
}
#endif

// --------------------------------------------------------------------------------------------------------------- take

// The take returns, or the view goes: nobody else may ever have had the item.
#define DELIVER \
  assert(low == high); \
  assert(low != 0); \
  deliveries[low]++; \
  assert(deliveries[low] == 1); \
  assert(put_of[low] != refused)

#ifdef BROKEN_TAKERS_PASS_MOVING
#define TAKERS_PASS_MOVING 1
#else
#define TAKERS_PASS_MOVING 0
#endif

inline claim_take() {
  outcome = none;
  STEP(LOCATE(head); SEE(at));
  do
  :: seen_turn == turn && seen_phase == Full ->
     STEP(
#ifdef BROKEN_TAKE_CLAIM_NOT_CAS
       if :: true
#else
       if :: IS_SEEN(at)
#endif
          -> SET(at, turn, Reading, me); outcome = claimed
       :: else -> SEE(at)
       fi
     );
     if
     :: outcome == claimed ->
        /* ring.take.claimed */
        move_on(head, ticket + 1);
        /* ring.take.advanced */
        break
     :: else
     fi
  :: seen_turn == turn && seen_phase == Blank ->
     skip_blank(ticket, turn);
     STEP(LOCATE(ticket + (slot[at].turn > turn -> 1 : 0)); SEE(at))
  :: seen_turn < turn || (seen_turn == turn && seen_phase == Empty) -> outcome = none; break
  :: seen_turn == turn && (seen_phase == Writing || (seen_phase == Moving && !TAKERS_PASS_MOVING)) ->
     outcome = busy; break
  :: else ->
     next_after((IS_CLAIMED_BY_TAKER(seen_phase) || (seen_phase == Moving && TAKERS_PASS_MOVING)));
     move_on(head, ticket);
     STEP(SEE(at))
  od
}

inline copy_item() {
  if
  :: slot[at].block != 0 -> STEP(low = slot[at].block; high = low)
  :: else ->
     STEP(low = slot[at].low);
     STEP(high = slot[at].high)
  fi
}

inline release_slot() {
  /* ring.take.copied */
  STEP(SET(at, turn + 1, Empty, NOBODY); DELIVER)
  /* ring.take.released */
}

inline let_view() {
#ifdef BROKEN_VIEW_NOT_MARKED_FIRST
  STEP(SET(at, turn, Viewing, me));
#endif
  STEP(slot[at].view_turn = turn; slot[at].view_phase = Viewing; slot[at].view_owner = me);
  /* view.marked */
#ifndef BROKEN_VIEW_NOT_MARKED_FIRST
  STEP(SET(at, turn, Viewing, me))
#endif
  /* ring.take.viewing */
}

inline end_view() {
#ifdef BROKEN_VIEW_WORD_CLEARED_FIRST
  STEP(slot[at].view_turn = 0; slot[at].view_phase = Empty; slot[at].view_owner = NOBODY; DELIVER);
  STEP(if :: IS(at, turn, Viewing, me) -> SET(at, turn + 1, Empty, NOBODY) :: else fi)
#else
  STEP(if :: IS(at, turn, Viewing, me) -> SET(at, turn + 1, Empty, NOBODY) :: else fi);
  /* view.ended */
  STEP(slot[at].view_turn = 0; slot[at].view_phase = Empty; slot[at].view_owner = NOBODY; DELIVER)
#endif
}

inline read_slot(as_view) {
  if
  :: as_view && slot[at].block == 0 ->
     let_view();
     STEP(low = slot[at].low);
     STEP(high = slot[at].high);
     end_view()
  :: else ->
#ifdef BROKEN_RELEASE_BEFORE_COPY
     STEP(SET(at, turn + 1, Empty, NOBODY));
     copy_item();
     STEP(DELIVER)
#else
     copy_item();
     release_slot()
#endif
  fi
}

// The oldest orphan: hint is 1 if it is a view's, 2 if it is the slot's. An older view lies before the slot's own item.
inline oldest_orphan() {
  scan = 0; hint = 0;
  do
  :: scan < SLOTS ->
     if
     :: slot[scan].view_phase == Orphan && (hint == 0 || slot[scan].view_turn * SLOTS + scan < ticket) ->
        LOCATE(slot[scan].view_turn * SLOTS + scan); hint = 1
     :: else
     fi;
     if
     :: slot[scan].phase == Orphan && (hint == 0 || slot[scan].turn * SLOTS + scan < ticket) ->
        LOCATE(slot[scan].turn * SLOTS + scan); hint = 2
     :: else
     fi;
     scan++
  :: else -> scan = 0; break
  od
}

inline take_orphan(as_view) {
#ifndef BROKEN_ORPHANS_WITHOUT_LOCK
  lock_channel();
#endif
  STEP(oldest_orphan());
  if
  :: hint == 1 ->
     STEP(slot[at].view_phase = Viewing; slot[at].view_owner = me);
     /* orphan.view.taken */
     outcome = viewed
  :: hint == 2 ->
     STEP(SET(at, turn, Reading, me));
     /* orphan.slot.taken */
     outcome = claimed
  :: else -> outcome = none
  fi;
  hint = 0;
  recount();
#ifndef BROKEN_ORPHANS_WITHOUT_LOCK
  unlock_channel();
#endif
  if
  :: outcome == viewed ->
     STEP(low = slot[at].low);
     STEP(high = slot[at].high);
     end_view()
  :: outcome == claimed -> read_slot(as_view)
  :: else
  fi
}

proctype taker(byte me; bit as_view) {
  LOCALS;
  do
  :: STEP(outcome = none; found = (orphans != 0));
     if
     :: found -> found = 0; take_orphan(as_view)
     :: else
     fi;
     if
     :: outcome == none ->
        claim_take();
        if
        :: outcome == claimed -> read_slot(as_view)
        :: outcome == none && closed ->
#ifndef BROKEN_NO_SECOND_LOOK_WHEN_CLOSED
           claim_take();
#endif
           if
           :: outcome == claimed -> read_slot(as_view)
           :: outcome == none && orphans == 0 -> drained = 1; break
           :: else
           fi
        :: else
        fi;
        if
        :: outcome != claimed ->
           outcome = none;
           STEP(!IS_SEEN(at) || orphans != 0 || (closed && seen_phase == Empty) || over)
        :: else
        fi
     :: else
     fi;
     atomic { FORGET };
     if :: over -> break :: else fi
  od;
gone:
  atomic { FORGET; running--; living_takers-- }
}

// ----------------------------------------------------------------------------------------------------------- recovery

#define BEFORE(t) ((t) - 1)

inline recover_view(dead) {
  if
  :: slot[index].view_phase == Viewing && slot[index].view_owner == dead ->
     STEP(
       if
#ifdef BROKEN_RECOVER_VIEW_ALWAYS_ORPHAN
       :: false -> skip
#else
       :: seen_phase == Reading && seen_owner == dead && seen_turn == slot[index].view_turn ->
          slot[index].view_turn = 0; slot[index].view_phase = Empty; slot[index].view_owner = NOBODY
#endif
       :: else -> slot[index].view_phase = Orphan; slot[index].view_owner = NOBODY
       fi
     )
     /* recovery.view */
  :: else
  fi
}

// The item of a moving slot lies in the next one if that is full, since no taker can pass. One step: both slots are
// changed by who has the lock only.
inline recover_moving(which) {
  STEP(
    seen_turn = slot[which].turn;
    to = (seen_turn * SLOTS + which + 1) % SLOTS;
    if
#ifdef BROKEN_RECOVER_MOVING_ALWAYS_FULL
    :: false -> skip
#else
    :: IS(to, (seen_turn * SLOTS + which + 1) / SLOTS, Full, NOBODY) -> SET(which, seen_turn, Blank, NOBODY)
#endif
    :: else -> SET(which, seen_turn, Full, NOBODY)
    fi;
    to = 0
  )
}

inline recover_slots(dead) {
  index = 0;
  do
  :: index < SLOTS ->
     STEP(SEE(index));
     if
     :: seen_phase == Viewing && seen_owner == dead ->
#ifdef BROKEN_RECOVER_VIEWING_AS_SEEN
        seen_phase = Reading
#else
        STEP(
          if
          :: IS_SEEN(index) -> slot[index].phase = Reading
          :: else
          fi;
          SEE(index)
        )
        /* recovery.viewing */
#endif
     :: else
     fi;
     recover_view(dead);
     if
     :: seen_owner == dead && seen_phase == Writing ->
        STEP(
          if
#ifdef BROKEN_RECOVER_WRITING_AS_FULL
          :: IS_SEEN(index) -> SET(index, seen_turn, Full, NOBODY)
#else
          :: IS_SEEN(index) -> SET(index, seen_turn, Blank, NOBODY)
#endif
          :: else
          fi
        )
     :: seen_owner == dead && seen_phase == Reading ->
        STEP(
          if
#ifdef BROKEN_RECOVER_READING_AS_EMPTY
          :: IS_SEEN(index) -> SET(index, seen_turn + 1, Empty, NOBODY)
#elif defined(BROKEN_RECOVER_READING_AS_FULL)
          :: IS_SEEN(index) -> SET(index, seen_turn, Full, NOBODY)
#else
          :: IS_SEEN(index) -> SET(index, seen_turn, Orphan, NOBODY)
#endif
          :: else
          fi
        )
     :: seen_owner == dead && seen_phase == Moving -> recover_moving(index)
     :: else
     fi;
     /* recovery.slot */
     index++
  :: else -> index = 0; break
  od
}

// The ticket of the next take or put. In the code it is found load by load; the last load is the instant of this step.
inline settle() {
  settled = 0;
  do
  :: slot[settled % SLOTS].turn > settled / SLOTS ||
     (slot[settled % SLOTS].turn == settled / SLOTS && IS_CLAIMED_BY_TAKER(slot[settled % SLOTS].phase)) -> settled++
  :: else -> break
  od;
  gaps_end = settled;
  do
  :: slot[gaps_end % SLOTS].turn > gaps_end / SLOTS ||
     (slot[gaps_end % SLOTS].turn == gaps_end / SLOTS && slot[gaps_end % SLOTS].phase != Empty) -> gaps_end++
  :: else -> break
  od
}

// From the slot before ticket `to`, which is blank. found: whether it did.
inline move_up() {
  from = BEFORE(to);
  STEP(
    if
    :: IS(from % SLOTS, from / SLOTS, Full, NOBODY)
       && slot[to % SLOTS].view_phase == Empty
       -> found = 1;
#ifndef BROKEN_MOVE_WITHOUT_MOVING_STATE
       SET(from % SLOTS, from / SLOTS, Moving, me)
#endif
    :: else -> found = 0
    fi
  );
  if
  :: found ->
     /* recovery.gap.moving */
     STEP(SET(to % SLOTS, to / SLOTS, Writing, me));
     /* recovery.gap.writing */
     STEP(slot[to % SLOTS].low = slot[from % SLOTS].low; slot[to % SLOTS].block = slot[from % SLOTS].block);
     STEP(slot[to % SLOTS].high = slot[from % SLOTS].high);
     STEP(SET(to % SLOTS, to / SLOTS, Full, NOBODY));
     /* recovery.gap.moved */
     STEP(SET(from % SLOTS, from / SLOTS, Blank, NOBODY))
     /* recovery.gap.closed */
  :: else
  fi;
  from = 0
}

inline close_gaps() {
#ifndef BROKEN_GAPS_BEFORE_MOVES
  // Whatever moves while we have the lock was left so by the dead, not only by the one that is being recovered. Were
  // the next slot moved on first, nothing would tell that the item was in it.
  do
  :: index < SLOTS ->
     if
     :: slot[index].phase == Moving -> recover_moving(index)
     :: else
     fi;
     index++
  :: else -> index = 0; break
  od;
#endif
  STEP(settle());
  gap = settled;
  do
  :: gap < gaps_end ->
     if
     :: IS(gap % SLOTS, gap / SLOTS, Blank, NOBODY) ->
        to = gap;
        do
        :: to > settled ->
           move_up();
           if
           :: found -> found = 0; to--
           :: else -> break
           fi
        :: else -> break
        od;
        to = 0
     :: else
     fi;
     gap++
  :: else -> gap = 0; settled = 0; gaps_end = 0; break
  od
}

inline recover(dead) {
#ifdef BROKEN_ENTRY_FREED_FIRST
  STEP(used[dead] = 0);
#endif
  /* recovery.begin */
  recover_slots(dead);
  /* recovery.slots */
  close_gaps();
  /* recovery.gaps */
#ifndef BROKEN_NO_RECOUNT
  recount();
#endif
  /* recovery.counted */
#ifndef BROKEN_ENTRY_FREED_FIRST
  STEP(used[dead] = 0)
#endif
  /* recovery.end */
}

inline recover_all_dead() {
  entry = 1;
  do
  :: entry < IDS ->
     if
     :: entry != me && used[entry] && is_dead[entry] -> recover(entry)
     :: else
     fi;
     entry++
  :: else -> entry = 0; break
  od
}

inline look_for_the_dead() {
  lock_channel();
  recover_all_dead();
  unlock_channel()
}

// Counts up to the first dead one that nobody has recovered.
#define DEAD(e) (e < IDS && used[(e < IDS -> e : 0)] && is_dead[(e < IDS -> e : 0)])
#define ANY_DEAD (DEAD(1) || DEAD(2) || DEAD(3) || DEAD(4) || DEAD(5) || DEAD(6) || DEAD(7) || DEAD(8) || DEAD(9))

#if HELPERS > 0
proctype helper(byte me) {
  LOCALS;
  RECOVERY_LOCALS;
  do
  :: STEP(ANY_DEAD || over);
     if
     :: over -> break
     :: else -> look_for_the_dead()
     fi;
     atomic { FORGET; FORGET_RECOVERY }
  od;
gone:
  atomic { FORGET; FORGET_RECOVERY; running-- }
}
#endif

// leave() of a channel without a name: it is to know whether anybody else is left, so it recovers the dead.
#if LEAVERS > 0
proctype leaver(byte me) {
  LOCALS;
  RECOVERY_LOCALS;
  lock_channel();
#ifdef BROKEN_LEFT_BEFORE_RECOVERY
  STEP(used[me] = 0);
#endif
  /* participant.left */
  recover_all_dead();
#ifndef BROKEN_LEFT_BEFORE_RECOVERY
  STEP(used[me] = 0);
#endif
  unlock_channel();
gone:
  atomic { FORGET; FORGET_RECOVERY; running-- }
}
#endif

#if CLOSERS > 0
proctype closer(byte me) {
  LOCALS;
  lock_channel();
  /* close.reason */
  STEP(closed = 1);
  /* close.closed */
  unlock_channel();
gone:
  atomic { FORGET; running-- }
}
#endif

// --------------------------------------------------------------------------------------------- begin, survivor and end

// Each ticket of the first turn as it may have been left: taken by the dead first, then full or left by the dead.
inline leave_over() {
  at = 0;
  do
  :: at < SLOTS ->
     put_of[at + 1] = returned;
     slot[at].low = at + 1;
     slot[at].high = at + 1;
     if
     :: found == 0 -> SET(at, 0, Reading, 1)
     :: found == 0 && VIEWERS > 0 ->
        SET(at, 0, Viewing, 2);
        slot[at].view_phase = Viewing; slot[at].view_owner = 2
     :: SET(at, 0, Full, NOBODY); found = 1
     :: SET(at, 0, Writing, 1); slot[at].high = 0; put_of[at + 1] = begun; found = 1
     :: SET(at, 0, Writing, 2); slot[at].low = 0; put_of[at + 1] = begun; found = 1
     :: SET(at, 0, Blank, NOBODY); slot[at].low = 0; put_of[at + 1] = refused; found = 1
     fi;
     at++
  :: else -> at = 0; found = 0; tail = SLOTS; break
  od;
  is_dead[1] = 1; is_dead[2] = 1
}

#define START(count, what, ...) \
  scan = 0; \
  do \
  :: scan < count -> entry++; used[entry] = 1; running++; run what(entry __VA_ARGS__); scan++ \
  :: else -> scan = 0; break \
  od

// A ring of empty slots for consecutive tickets.
inline check_whole() {
  settled = slot[0].turn * SLOTS;
  scan = 0;
  do
  :: scan < SLOTS ->
     assert(slot[scan].phase == Empty && slot[scan].owner == NOBODY && slot[scan].view_phase == Empty);
     assert(slot[scan].turn == slot[0].turn || slot[scan].turn + 1 == slot[0].turn);
     assert(scan == 0 || slot[scan].turn <= slot[scan - 1].turn);
     scan++
  :: else -> scan = 0; break
  od;
  assert(orphans == 0 && lock_owner == NOBODY && !damaged);
  do
  :: scan <= ITEMS ->
     assert(put_of[scan] != returned || deliveries[scan] == 1);
     assert(put_of[scan] != refused || deliveries[scan] == 0);
     scan++
  :: else -> break
  od
}

#define HAS_ITEM \
  (orphans != 0 || (slot[settled % SLOTS].turn == settled / SLOTS && slot[settled % SLOTS].phase != Empty))

init {
  byte me = SURVIVOR;
  LOCALS;
  RECOVERY_LOCALS;
  atomic {
    used[SURVIVOR] = 1;
    if
    :: LEFTOVER -> leave_over(); used[1] = 1; used[2] = 1; entry = 2
    :: else
    fi;
    living_takers = TAKERS + VIEWERS;
#if PUTTERS > 0
    START(PUTTERS, putter, , LEFTOVER * SLOTS + 1 + scan * PUTS);
#endif
#if TAKERS > 0
    START(TAKERS, taker, , 0);
#endif
#if VIEWERS > 0
    START(VIEWERS, taker, , 1);
#endif
#if HELPERS > 0
    START(HELPERS, helper, );
#endif
#if LEAVERS > 0
    START(LEAVERS, leaver, );
#endif
#if CLOSERS > 0
    START(CLOSERS, closer, );
#endif
    entry = 0
  }
  // The survivor does something only when nobody else can: then it must be the dead who are waited for.
  do
  :: timeout ->
     atomic { FORGET; FORGET_RECOVERY };
     if
     :: ANY_DEAD || lock_owner != NOBODY -> look_for_the_dead()
     :: else ->
        atomic { settle() };
        if
        :: HAS_ITEM ->
           assert(living_takers == 0);
           if
           :: orphans != 0 -> take_orphan(false)
           :: else ->
              claim_take();
              if
              :: outcome == claimed -> read_slot(false)
              :: else
              fi
           fi
        :: else ->
           if
           :: !over -> over = 1
           :: else -> break
           fi
        fi
     fi
  od;
  atomic {
    assert(running == 0);  // nobody waits for ever
    check_whole()
  }
gone:
  skip
}
