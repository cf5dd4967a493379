// SPDX-License-Identifier: BSL-1.0
//
// Sleeping and waking on an event: the word, the fences that wakers save, signals, and deaths of both sides.
// A waker's last store stays in its store buffer until the memory, a fence or a locked instruction drains it (x86 TSO).
// README.md says what is left out. Each BROKEN_... switch leaves out one rule.

#ifndef WAKERS
#define WAKERS 2
#endif
#ifndef SLEEPERS
#define SLEEPERS 2
#endif
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef HELPERS
#define HELPERS 0
#endif
#ifndef PASSERS
#define PASSERS 0  // takers that do not sleep: they take an item if there is one, and are gone
#endif
#ifndef CLOSERS
#define CLOSERS 0
#endif
#ifdef LEFT_BLANK
#define TICKETS (WAKERS + 1)  // the second one's putter has died, and is recovered
#else
#define TICKETS WAKERS
#endif
#define PASSER (WAKERS + SLEEPERS)
#define CLOSER (PASSER + 1)
#define HELPER (PASSER + 2)
#define SURVIVOR (HELPER + 1)
#define EVERYBODY SLEEPERS
#define IDS (SURVIVOR + 1)

// The event's word.
byte sleepers, signals, epoch;
bit fenced, fencing;

// The ring: items are taken in the order in which their slots were claimed, not that in which they come.
byte tail, head;
bit full_at[TICKETS];
bit blank_at[TICKETS];
bit closed;

mtype = { unused, entering, counted, leaving };
mtype stage[IDS] = unused;
bit used[IDS];
byte lock_owner = IDS;  // IDS: nobody

// What a waker has stored and nobody else sees yet: its ticket + 1.
byte buffered[WAKERS];

// The kernel's and ours.
bit asleep[IDS];
bit is_dead[IDS];
byte writer_of[TICKETS] = IDS;  // whoever has claimed the ticket and not put yet
byte deaths, running, miscounted;
bit over;

#define STEP(...) \
  if \
  :: atomic { me != SURVIVOR && deaths < DEATHS -> deaths++; is_dead[me] = 1; goto gone } \
  :: d_step { __VA_ARGS__; skip } \
  fi

#define DRAIN(w) if :: buffered[w] != 0 -> full_at[buffered[w] - 1] = 1; buffered[w] = 0 :: else fi
#define IS_FULL(t) (head <= (t) && full_at[t])
#define IS_THERE (head < TICKETS && full_at[(head < TICKETS -> head : 0)])
// What a sleeper waits for: an item, or to be told that none will come.
#define IS_TOLD (IS_THERE || (closed && head == tail))
#define WORD_IS_ZERO (sleepers == 0 && signals == 0 && !fenced && !fencing)
#define WITHOUT_A_SIGNAL if :: signals > 0 -> signals-- :: else fi

// The memory drains a store buffer when it likes, also that of a thread that was killed.
proctype memory() {
  byte w;
end:
  do
  :: atomic { buffered[0] != 0 -> w = 0; DRAIN(w) }
#if WAKERS > 1
  :: atomic { buffered[1] != 0 -> w = 1; DRAIN(w) }
#endif
#if WAKERS > 2
  :: atomic { buffered[2] != 0 -> w = 2; DRAIN(w) }
#endif
  od
}

// Any one of those in the kernel's queue.
inline futex_wake() {
  if
  :: d_step { asleep[WAKERS] -> asleep[WAKERS] = 0 }
#if SLEEPERS > 1
  :: d_step { asleep[WAKERS + 1] -> asleep[WAKERS + 1] = 0 }
#endif
#if SLEEPERS > 2
  :: d_step { asleep[WAKERS + 2] -> asleep[WAKERS + 2] = 0 }
#endif
  :: !asleep[WAKERS] && !asleep[WAKERS + SLEEPERS - 1] && !asleep[WAKERS + SLEEPERS / 2] -> skip
  :: me != SURVIVOR && deaths < DEATHS -> atomic { deaths++; is_dead[me] = 1; goto gone }
  fi
}

inline wake_some(count) {
  STEP(
    wakes = (sleepers > signals -> sleepers - signals : 0);
    wakes = (wakes > count -> count : wakes);
    if
    :: wakes > 0 -> epoch++; signals = signals + wakes
    :: else
    fi
  );
  /* event.epoch.advanced */
  do
  :: wakes > 0 -> futex_wake(); wakes--
  :: else -> break
  od
}

// How many are to be woken: those who were woken for the items behind ours found ours missing, and sleep again. Blank
// slots are passed over. Whoever saw ours missing when the channel was closed is to be told that it is, item or not.
inline count_row() {
  row = 1;
#ifndef BROKEN_ONE_WOKEN_FOR_SEVERAL
  scan = ticket + 1;
  do
  :: row < wakes && scan < TICKETS ->
     STEP(
       nobody = 0;
       if
       :: IS_FULL(scan) -> row++
#ifndef BROKEN_ROW_ENDS_AT_BLANK
       :: blank_at[scan] -> skip
#endif
       :: else -> nobody = 1
       fi;
       scan++
     );
     if
     :: nobody -> break
     :: else
     fi
  :: else -> break
  od;
  scan = 0; nobody = 0;
#endif
#ifndef BROKEN_ONE_WOKEN_WHEN_CLOSED
  STEP(if :: closed -> row = EVERYBODY :: else fi)
#endif
}

inline look_again() {
#ifdef BROKEN_NO_WAKER_FENCE
  STEP(seen = epoch; wakes = (sleepers > signals -> sleepers - signals : 0); nobody = (sleepers == 0));
#else
  STEP(DRAIN(me); seen = epoch; wakes = (sleepers > signals -> sleepers - signals : 0); nobody = (sleepers == 0));
#endif
  if
  :: wakes > 0 ->
     count_row();
     wake_some(row);
     row = 0
  :: nobody && !calm_tried ->
     // Whether it has been calm for long is not modelled: it may be at any look.
     if
     :: calm_tried = 1;
#ifdef BROKEN_CALM_WITHOUT_CAS
        STEP(sleepers = 0; signals = 0; fenced = 0; fencing = 0)
#else
        STEP(if :: sleepers == 0 && epoch == seen -> signals = 0; fenced = 0; fencing = 0 :: else fi)
#endif
     :: skip
     fi
  :: else
  fi;
  seen = 0; nobody = 0
}

proctype waker(byte me) {
  byte ticket, seen, wakes, row, scan;
  bit nobody, calm_tried;
  STEP(
    ticket = tail;
    do
    :: tail++;
       if
       :: tail < TICKETS && blank_at[(tail < TICKETS -> tail : 0)]
       :: else -> break
       fi
    od;
    used[me] = 1; writer_of[ticket] = me
  );
  /* ring.put.claimed */
  STEP(nobody = closed);
  if
  :: nobody ->
     STEP(blank_at[ticket] = 1; writer_of[ticket] = IDS);
     /* ring.put.abandoned */
     wake_some(EVERYBODY)
  :: else ->
     STEP(buffered[me] = ticket + 1; writer_of[ticket] = IDS);
     /* publish_unfenced, look_for_sleepers */
     STEP(nobody = WORD_IS_ZERO);
     if
     :: nobody
     :: else -> look_again()
     fi
  fi;
gone:
  atomic { ticket = 0; seen = 0; wakes = 0; row = 0; scan = 0; nobody = 0; calm_tried = 0; running-- }
}

inline rouse_everybody() {
  epoch++;
  scan = 0;
  do
  :: scan < IDS -> asleep[scan] = 0; scan++
  :: else -> scan = 0; break
  od
}

inline heavy_fence() {
#ifdef BROKEN_NO_HEAVY_FENCE
  skip
#else
  STEP(
    fence_of = 0;
    do
    :: fence_of < WAKERS -> DRAIN(fence_of); fence_of++
    :: else -> fence_of = 0; break
    od
  )
#endif
}

inline enter() {
#ifdef BROKEN_FENCE_BEFORE_COUNTING
  STEP(was_fenced = fenced);
  if :: !was_fenced -> heavy_fence() :: else fi;
  STEP(sleepers++; fencing = 1; fenced = 1; miscounted++);
#else
  STEP(was_fenced = fenced; sleepers++; fencing = 1; miscounted++);
  if
  :: !was_fenced ->
     /* event.fencing */
     heavy_fence();
     STEP(fenced = 1)
  :: else
  fi;
#endif
  was_fenced = 0
}

#define LEAVE \
  assert(sleepers > 0); \
  WITHOUT_A_SIGNAL; \
  sleepers--

inline listen() {
#ifdef BROKEN_SIGNAL_NOT_ANSWERED
  STEP(listened = epoch)
#else
  STEP(WITHOUT_A_SIGNAL; listened = epoch)
#endif
}

inline skip_blanks() {
  do
  :: head < TICKETS && blank_at[(head < TICKETS -> head : 0)] -> head++
  :: else -> break
  od
}

inline look() {
  STEP(
    skip_blanks();
    if
    :: IS_THERE -> head++; found = 1
    :: !IS_THERE && IS_TOLD -> found = 1
    :: else
    fi
  )
}

proctype passer(byte me) {
  bit found;
  STEP(used[me] = 1);
  look();
gone:
  atomic { found = 0; running-- }
}

proctype closer(byte me) {
  byte scan;
  STEP(used[me] = 1);
  STEP(closed = 1);
  /* close.closed */
  STEP(rouse_everybody());
gone:
  atomic { scan = 0; running-- }
}

proctype sleeper(byte me) {
  byte listened, fence_of;
  bit was_fenced, found;
  STEP(used[me] = 1; stage[me] = entering);
  /* waiter.entered */
  enter();
  /* waiter.counted */
  STEP(stage[me] = counted; miscounted--);
  /* waiter.ready */
  do
  ::
#ifdef BROKEN_LOOK_BEFORE_LISTEN
     look();
     listen();
#else
     listen();
     look();
#endif
     if
     :: found || over -> break
     :: else
     fi;
     STEP(asleep[me] = (epoch == listened && !over));
     STEP(!asleep[me])
  od;
  STEP(stage[me] = leaving; miscounted++);
  /* waiter.leaving */
  STEP(LEAVE; miscounted--);
  /* waiter.left */
  STEP(stage[me] = unused);
gone:
  atomic { listened = 0; fence_of = 0; was_fenced = 0; found = 0; asleep[me] = 0; running-- }
}

// ----------------------------------------------------------------------------------------------------------- recovery

inline look_for_the_dead() {
  STEP(lock_owner == IDS || is_dead[(lock_owner < IDS -> lock_owner : 0)]; lock_owner = me);
  entry = 0;
  do
  :: entry < SURVIVOR ->
     if
     :: used[entry] && is_dead[entry] ->
        // What a dead waker has claimed and not put.
        STEP(
          scan = 0;
          do
          :: scan < TICKETS ->
             if
             :: writer_of[scan] == entry -> writer_of[scan] = IDS; blank_at[scan] = 1
             :: else
             fi;
             scan++
          :: else -> scan = 0; break
          od
        );
        if
        :: stage[entry] == counted ->
#ifndef BROKEN_SLEEPER_NOT_TAKEN_OFF
#ifndef BROKEN_TAKEN_OFF_BEFORE_LEAVING
           STEP(stage[entry] = leaving; miscounted++);
           /* recovery.waiter.leaving */
           STEP(LEAVE; miscounted--);
#else
           STEP(LEAVE);
           STEP(stage[entry] = leaving);
#endif
#endif
           /* recovery.waiter.left */
           skip
        :: else
        fi;
        STEP(stage[entry] = unused);
        STEP(used[entry] = 0)
        /* recovery.end */
#ifndef BROKEN_NOBODY_LOOKS
        STEP(rouse_everybody())
#endif
     :: else
     fi;
     entry++
  :: else -> entry = 0; break
  od;
  STEP(lock_owner = IDS)
}

#define DEAD(e) (e < SURVIVOR && used[(e < SURVIVOR -> e : 0)] && is_dead[(e < SURVIVOR -> e : 0)])
#define ANY_DEAD (DEAD(0) || DEAD(1) || DEAD(2) || DEAD(3) || DEAD(4) || DEAD(5) || DEAD(6) || DEAD(7))

proctype helper(byte me) {
  byte entry, scan;
  do
  :: STEP(ANY_DEAD || over);
     if
     :: over -> break
     :: else -> look_for_the_dead()
     fi
  od;
gone:
  atomic { entry = 0; scan = 0; running-- }
}

init {
  byte me = SURVIVOR;
  byte entry, scan;
  bit looked;
  atomic {
#ifdef LEFT_BLANK
    blank_at[1] = 1;
#endif
    run memory();
    do
    :: scan < WAKERS -> running++; run waker(scan); scan++
    :: else -> break
    od;
    do
    :: scan < WAKERS + SLEEPERS -> running++; run sleeper(scan); scan++
    :: else -> break
    od;
    if
    :: HELPERS > 0 -> running++; run helper(HELPER)
    :: else
    fi;
    if
    :: PASSERS > 0 -> running++; run passer(PASSER)
    :: else
    fi;
    if
    :: CLOSERS > 0 -> running++; run closer(CLOSER)
    :: else
    fi;
    scan = 0
  }
  // When nobody can go on. That a sleeper looks by itself after kLongestSleep counts only when somebody has died.
  do
  :: timeout ->
     d_step { skip_blanks(); skip };
     if
     :: ANY_DEAD || lock_owner != IDS -> look_for_the_dead()
#ifndef BROKEN_NOBODY_LOOKS
     :: !(ANY_DEAD || lock_owner != IDS) && deaths > 0 && IS_TOLD && !looked ->
        d_step {
          looked = 1;
          do
          :: scan < IDS -> asleep[scan] = 0; scan++
          :: else -> scan = 0; break
          od;
          skip
        }
#endif
     :: else ->
        d_step {
          // No wake-up is lost: nobody sleeps while there is something for him.
          do
          :: scan < SLEEPERS -> assert(!(asleep[WAKERS + scan] && IS_TOLD)); scan++
          :: else -> scan = 0; break
          od;
          skip
        };
        if
        :: over -> break
        :: else ->
           d_step {
             over = 1;
             rouse_everybody();
             skip
           }
        fi
     fi
  od;
  assert(running == 0);
  // Of those who died around their counting some may stay counted, nobody else.
  assert(sleepers == miscounted);
gone:
  skip
}
