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
#define HELPER (WAKERS + SLEEPERS)
#define SURVIVOR (HELPER + 1)
#define IDS (SURVIVOR + 1)

// The event's word.
byte sleepers, signals, epoch;
bit fenced, fencing;

// The ring: items are taken in the order in which their slots were claimed, not that in which they come.
byte tail, head;
bit full_at[WAKERS];
bit blank_at[WAKERS];

mtype = { unused, entering, counted, leaving };
mtype stage[IDS] = unused;
bit used[IDS];
byte lock_owner = IDS;  // IDS: nobody

// What a waker has stored and nobody else sees yet: its ticket + 1.
byte buffered[WAKERS];

// The kernel's and ours.
bit asleep[IDS];
bit is_dead[IDS];
byte writer_of[WAKERS] = IDS;  // whoever has claimed the ticket and not put yet
byte deaths, running, miscounted;
bit over;

#define STEP(...) \
  if \
  :: atomic { me != SURVIVOR && deaths < DEATHS -> deaths++; is_dead[me] = 1; goto gone } \
  :: d_step { __VA_ARGS__; skip } \
  fi

#define DRAIN(w) if :: buffered[w] != 0 -> full_at[buffered[w] - 1] = 1; buffered[w] = 0 :: else fi
#define IS_THERE (head < WAKERS && full_at[(head < WAKERS -> head : 0)])
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

inline wake_some() {
  STEP(
    if
    :: sleepers > signals -> epoch++; signals++; wakes = 1
    :: else -> wakes = 0
    fi
  );
  if
  :: wakes ->
     /* event.epoch.advanced */
     futex_wake();
     wakes = 0
  :: else
  fi
}

inline look_again() {
#ifdef BROKEN_NO_WAKER_FENCE
  STEP(seen = epoch; wakes = (sleepers > signals); nobody = (sleepers == 0));
#else
  STEP(DRAIN(me); seen = epoch; wakes = (sleepers > signals); nobody = (sleepers == 0));
#endif
  if
  :: wakes -> wake_some()
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
  byte ticket, seen;
  bit wakes, nobody, calm_tried;
  STEP(ticket = tail; tail++; used[me] = 1; writer_of[ticket] = me);
  /* ring.put.claimed */
  STEP(buffered[me] = ticket + 1; writer_of[ticket] = IDS);
  /* publish_unfenced, look_for_sleepers */
  STEP(nobody = WORD_IS_ZERO);
  if
  :: nobody
  :: else -> look_again()
  fi;
gone:
  atomic { ticket = 0; seen = 0; wakes = 0; nobody = 0; calm_tried = 0; running-- }
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

inline look() {
  STEP(
    do
    :: head < WAKERS && blank_at[(head < WAKERS -> head : 0)] -> head++
    :: else -> break
    od;
    if
    :: IS_THERE -> head++; found = 1
    :: else
    fi
  )
}

proctype sleeper(byte me) {
  byte listened, fence_of;
  bit was_fenced, found, wakes;
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
#ifndef BROKEN_SIGNAL_NOT_PASSED_ON
  // The wake-up for the item behind ours may have come to somebody while ours was not there: pass it on.
  STEP(found = IS_THERE);
  if
  :: found -> wake_some()
  :: else
  fi;
#endif
gone:
  atomic { listened = 0; fence_of = 0; was_fenced = 0; found = 0; wakes = 0; asleep[me] = 0; running-- }
}

// ----------------------------------------------------------------------------------------------------------- recovery

inline rouse_everybody() {
  epoch++;
  scan = 0;
  do
  :: scan < IDS -> asleep[scan] = 0; scan++
  :: else -> scan = 0; break
  od
}

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
          :: scan < WAKERS ->
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

#define DEAD(e) (used[e] && is_dead[e])
#if WAKERS + SLEEPERS > 4
#define ANY_DEAD (DEAD(0) || DEAD(1) || DEAD(2) || DEAD(3) || DEAD(4))
#elif WAKERS + SLEEPERS > 3
#define ANY_DEAD (DEAD(0) || DEAD(1) || DEAD(2) || DEAD(3))
#else
#define ANY_DEAD (DEAD(0) || DEAD(1) || DEAD(2))
#endif

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
    scan = 0
  }
  // When nobody can go on. That a sleeper looks by itself after kLongestSleep counts only when somebody has died.
  do
  :: timeout ->
     if
     :: ANY_DEAD || lock_owner != IDS -> look_for_the_dead()
#ifndef BROKEN_NOBODY_LOOKS
     :: !(ANY_DEAD || lock_owner != IDS) && deaths > 0 && IS_THERE && !looked ->
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
          :: scan < SLEEPERS -> assert(!(asleep[WAKERS + scan] && IS_THERE)); scan++
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
