// SPDX-License-Identifier: BSL-1.0
//
// The blocks of a channel, and the slots that name them: put, take, giving back, a rendezvous' withdrawing and recovery,
// any of which may be killed at any step. What slots.pml has in steps is one step here: claiming a slot, finding the
// oldest orphan. What is left out is in README.md. Each BROKEN_... switch leaves out one rule.

#ifndef SLOTS
#define SLOTS 1
#endif
#ifndef BLOCKS
#define BLOCKS 2  // three at most
#endif
#ifndef DEATHS
#define DEATHS 1
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
#ifndef HELPERS
#define HELPERS 1  // processes that only look for the dead
#endif
#ifdef RENDEZVOUS
#define AWAIT_PICKUP 1
#else
#define AWAIT_PICKUP 0
#endif
#ifdef PIECES
#define MAY_BE_PIECE 1  // an item may lie in its slot; its taker then copies it to a block
#else
#define MAY_BE_PIECE 0
#endif
#ifdef KEEPS
#define MAY_KEEP 1  // a taker may keep an item while it takes the next one
#else
#define MAY_KEEP 0
#endif

#define LIVING (PUTTERS + TAKERS + HELPERS)
#define SURVIVOR (LIVING + 1)
#define IDS (SURVIVOR + 1)
#define NOBODY 0
#define ITEMS (PUTTERS * PUTS)
#define NONE BLOCKS  // no block

mtype = { Empty, Writing, Full, Reading, Blank, Orphan };
mtype = { Free, Held, Taken, Queued, Left };

typedef slot_type {
  byte turn;
  mtype phase = Empty;
  byte owner;
  byte block = NONE;
  byte item;  // which lies in the slot
}
slot_type slot[SLOTS];

typedef block_type {
  mtype phase = Free;
  byte owner;
  byte ticket;
  byte low;  // the item in two halves; 0: its memory has been given back
  byte high;
}
block_type block[BLOCKS];
bit used[IDS];
byte lock_owner;

bit is_dead[IDS];
byte deaths, running, living_takers;
bit over;  // nothing more will come
mtype = { not_begun, begun, returned, refused };
mtype put_of[ITEMS + 1] = not_begun;
byte deliveries[ITEMS + 1];

// What a process does at once; before it, it may be killed.
#define STEP(...) \
  if \
  :: atomic { me != SURVIVOR && deaths < DEATHS -> deaths++; is_dead[me] = 1; goto gone } \
  :: d_step { __VA_ARGS__; skip } \
  fi

#define IS(s, t, p, o) (slot[s].turn == (t) && slot[s].phase == p && slot[s].owner == (o))
#define SET(s, t, p, o) slot[s].turn = t; slot[s].phase = p; slot[s].owner = o
#define SEE(s) seen_turn = slot[s].turn; seen_phase = slot[s].phase; seen_owner = slot[s].owner
#define IS_SEEN(s) IS(s, seen_turn, seen_phase, seen_owner)
#define IS_BLOCK(b, p, o) (block[b].phase == p && block[b].owner == (o))
#define SEE_BLOCK(which) seen_phase = block[which].phase; seen_owner = block[which].owner
#define SET_BLOCK(b, p, o) block[b].phase = p; block[b].owner = o

#define LOCALS \
  byte at, turn, b = NONE, kept = NONE, scan, item; \
  bit has
#define FORGET at = 0; turn = 0; b = NONE; kept = NONE; scan = 0; item = 0; has = 0
#define RECOVERY_LOCALS \
  byte entry, index, inner, seen_turn, seen_owner; \
  mtype seen_phase = Empty; \
  bit named[BLOCKS + 1]
#define FORGET_RECOVERY \
  entry = 0; index = 0; inner = 0; seen_turn = 0; seen_owner = 0; seen_phase = Empty; forget_named()

inline forget_named() {
  index = 0;
  do
  :: index <= BLOCKS -> named[index] = 0; index++
  :: else -> index = 0; break
  od
}

inline lock_channel() {
  STEP(lock_owner == NOBODY || is_dead[lock_owner]; lock_owner = me)
}

inline unlock_channel() {
  STEP(assert(lock_owner == me); lock_owner = NOBODY)
}

// -------------------------------------------------------------------------------------------------------------- blocks

inline try_claim() {
  STEP(
    b = 0;
    do
    :: b < BLOCKS && block[b].phase != Free -> b++
    :: else -> break
    od;
    if
    :: b < BLOCKS -> SET_BLOCK(b, Held, me)
    :: else
    fi
  )
  /* block.claimed */
}

// Nobody else has the item: not before, and not from now on. It is whole.
#define DELIVER(which) \
  assert(block[which].low == block[which].high && block[which].low != 0); \
  deliveries[block[which].low]++; \
  assert(deliveries[block[which].low] == 1); \
  assert(put_of[block[which].low] != refused)

// Its memory may be given back with it.
inline release_block(which, delivers) {
  if
#ifdef BROKEN_MEMORY_GIVEN_BACK_WHILE_TAKEN
  :: STEP(assert(block[which].owner == me); item = block[which].low; block[which].low = 0);
     STEP(block[which].high = 0);
     STEP(SET_BLOCK(which, Free, NOBODY); if :: delivers -> deliveries[item]++; item = 0 :: else fi)
#else
  :: STEP(
       assert(block[which].owner == me);
       if :: delivers -> DELIVER(which) :: else fi;
       SET_BLOCK(which, Held, me)
     );
     /* block.shrinking */
     STEP(block[which].low = 0);
     STEP(block[which].high = 0);
     /* block.release */
     STEP(assert(IS_BLOCK(which, Held, me)); SET_BLOCK(which, Free, NOBODY))
#endif
  :: STEP(
       assert(block[which].owner == me);
       if :: delivers -> DELIVER(which) :: else fi;
       SET_BLOCK(which, Free, NOBODY)
     )
  fi
  /* block.released */
}

// ----------------------------------------------------------------------------------------------------------------- put

// has: the slot of the next ticket that nobody has claimed is empty, and ours now.
inline claim_put() {
  STEP(
    at = 0; turn = 0; has = 0;
    do
    :: slot[at].turn > turn || (slot[at].turn == turn && slot[at].phase != Empty) ->
       turn = turn + (at + 1 == SLOTS -> 1 : 0); at = (at + 1) % SLOTS
    :: else -> break
    od;
    // A blank slot of the turn before is the oldest one.
    if
    :: slot[at].turn + 1 == turn && slot[at].phase == Blank -> SET(at, turn, Empty, NOBODY)
    :: else
    fi;
    if
    :: IS(at, turn, Empty, NOBODY) -> SET(at, turn, Writing, me); has = 1
    :: else
    fi
  )
}

// A rendezvous that nobody came to in time.
inline await_pickup(which) {
  do
  :: put_of[which] != begun -> break
  :: else ->
     if
     :: STEP(slot[at].turn > turn; put_of[which] = returned)
     :: STEP(
          if
          :: IS(at, turn, Full, NOBODY) -> SET(at, turn, Blank, NOBODY); put_of[which] = refused; has = 0
          :: else -> has = 1
          fi
        );
        if
        :: has ->
           lock_channel();
           if
           :: IS(at, turn, Orphan, NOBODY) ->
#ifndef BROKEN_WITHDRAWN_WITHOUT_BLOCK
              if
              :: b != NONE -> STEP(SET_BLOCK(b, Held, me))
              :: else
              fi;
#endif
              /* pickup.held */
              STEP(SET(at, turn, Blank, NOBODY); put_of[which] = refused)
              /* pickup.withdrawn */
           :: else
           fi;
           has = 0;
           unlock_channel();
           STEP(put_of[which] != begun || !IS(at, turn, Reading, slot[at].owner))
        :: else
        fi
     fi
  od
}

proctype putter(byte me; byte first_item) {
  LOCALS;
  item = first_item;
  do
  :: item < first_item + PUTS ->
     put_of[item] = begun;
     if
     :: MAY_BE_PIECE -> b = NONE
     :: do
        :: try_claim();
           if
           :: b != NONE -> break
           :: else ->
              STEP(block[0].phase == Free || block[BLOCKS - 1].phase == Free || block[BLOCKS / 2].phase == Free)
           fi
        od;
        STEP(block[b].low = item);
        STEP(block[b].high = item)
        /* block.filled */
     fi;
     do
     :: claim_put();
        if
        :: has -> has = 0; break
        :: else -> STEP(slot[at].turn >= turn || slot[at].phase == Blank)
        fi
     od;
     /* ring.put.claimed */
     STEP(slot[at].block = b; slot[at].item = (b == NONE -> item : 0));
     /* ring.put.block.named */
     if
     :: AWAIT_PICKUP ->
        STEP(SET(at, turn, Full, NOBODY));
        await_pickup(item);
        if
        :: put_of[item] == refused && b != NONE -> release_block(b, false)
        :: else
        fi
     :: else -> STEP(SET(at, turn, Full, NOBODY); put_of[item] = returned)
     fi;
     STEP(b = NONE);  // it may be killed after its put as well
     item++
  :: else -> break
  od;
gone:
  atomic { FORGET; running-- }
}

// ---------------------------------------------------------------------------------------------------------------- take

// at, turn: the oldest item that nobody has claimed. has: there is one.
inline find_take() {
  at = 0; turn = 0;
  do
  :: slot[at].turn > turn || (slot[at].turn == turn && (slot[at].phase == Reading || slot[at].phase == Orphan)) ->
     turn = turn + (at + 1 == SLOTS -> 1 : 0); at = (at + 1) % SLOTS
  :: IS(at, turn, Blank, NOBODY) -> SET(at, turn + 1, Empty, NOBODY)
  :: else -> break
  od;
  has = IS(at, turn, Full, NOBODY)
}

#define DELIVER_PIECE \
  deliveries[slot[at].item]++; \
  assert(deliveries[slot[at].item] == 1); \
  assert(put_of[slot[at].item] != refused)

#define TAKE_BLOCK \
  assert(block[b].phase == Held || block[b].phase == Queued); \
  SET_BLOCK(b, Taken, me)

inline take_with_slot() {
#ifdef BROKEN_TICKET_AFTER_TAKEN
  STEP(TAKE_BLOCK);
  STEP(block[b].ticket = turn * SLOTS + at);
#else
  STEP(block[b].ticket = turn * SLOTS + at);
  /* block.ticketed */
#ifndef BROKEN_EMPTIED_BEFORE_TAKEN
  STEP(TAKE_BLOCK);
#endif
  /* block.taken */
#endif
  STEP(SET(at, turn + 1, Empty, NOBODY))
  /* ring.take.released */
#ifdef BROKEN_EMPTIED_BEFORE_TAKEN
  ;
  STEP(TAKE_BLOCK)
#endif
}

// The block of the slot that is claimed, or one that the item in it is copied to.
inline read_slot() {
  b = slot[at].block;
  if
  :: b == NONE ->
     try_claim();
     if
     :: b == NONE -> STEP(DELIVER_PIECE; SET(at, turn + 1, Empty, NOBODY))  // copied to the process
     :: else ->
        STEP(block[b].low = slot[at].item);
        STEP(block[b].high = slot[at].item);
        /* view.copied */
        take_with_slot()
     fi
  :: else -> take_with_slot()
  fi
}

#define HAS_ORPHAN (slot[0].phase == Orphan || slot[SLOTS - 1].phase == Orphan || \
                    block[0].phase == Left || block[BLOCKS - 1].phase == Left || block[BLOCKS / 2].phase == Left)

inline find_orphan() {
  b = 0; at = 0;
  do
  :: b < BLOCKS && block[b].phase != Left -> b++
  :: else -> break
  od;
  do
  :: at < SLOTS && slot[at].phase != Orphan -> at++
  :: else -> break
  od
}

// Any orphan: in which order they are taken is slots.pml's. has: one was taken, of a slot if b is NONE.
inline take_orphan() {
#ifdef BROKEN_ORPHANS_WITHOUT_LOCK
  STEP(has = 0; find_orphan());
  if
  :: b != NONE -> STEP(SET_BLOCK(b, Taken, me)); has = 1
  :: else
  fi;
#else
  lock_channel();
  STEP(has = 0; find_orphan());
  if
  :: b != NONE -> STEP(SET_BLOCK(b, Taken, me)); has = 1
     /* orphan.block.taken */
  :: b == NONE && at < SLOTS -> STEP(turn = slot[at].turn; SET(at, turn, Reading, me)); has = 1
     /* orphan.slot.taken */
  :: else
  fi;
  unlock_channel();
#endif
  if
  :: has && b == NONE -> read_slot()
  :: else -> at = 0
  fi
}

// The user has the item, and lets it go: for good, or back to the channel for another one.
inline let_go(which) {
  if
  :: release_block(which, true)
#ifdef GIVES_BACK
  :: lock_channel();
     STEP(assert(IS_BLOCK(which, Taken, me)); SET_BLOCK(which, Left, NOBODY));
     /* given_back.marked */
     unlock_channel()
#endif
  fi;
  which = NONE
}

inline take_one() {
  has = 0;
  if
  :: HAS_ORPHAN -> take_orphan()
  :: else ->
     STEP(find_take(); if :: has -> SET(at, turn, Reading, me) :: else fi);
     if
     :: has -> /* ring.take.claimed */ read_slot()
     :: else
     fi
  fi
}

proctype taker(byte me) {
  LOCALS;
  do
  :: take_one();
     if
     :: b != NONE && MAY_KEEP && kept == NONE -> kept = b; b = NONE
     :: b != NONE -> let_go(b)
     :: else
     fi;
     if
     :: !has && kept != NONE -> let_go(kept)
     :: !has && kept == NONE ->
        // Nothing there: until something is, or may be.
        STEP(HAS_ORPHAN || slot[0].phase == Full || slot[SLOTS - 1].phase == Full || over)
     :: else
     fi;
     atomic { at = 0; turn = 0; has = 0 };
     if
     :: over -> break
     :: else
     fi
  od;
gone:
  atomic { FORGET; running--; living_takers-- }
}

// ------------------------------------------------------------------------------------------------------------ recovery

#ifdef BROKEN_ANY_TAKEN_IS_THE_SLOTS
#define IS_OF_SLOT(which) true
#else
#define IS_OF_SLOT(which) (block[which].ticket == seen_turn * SLOTS + index)
#endif

// What the item was being taken with goes back to the slot; what it was being copied to is not needed.
inline recover_blocks_of_slot(dead) {
  inner = 0;
  do
  :: inner < BLOCKS ->
     if
     :: IS_BLOCK(inner, Taken, dead) && IS_OF_SLOT(inner) ->
        STEP(
          if
          :: inner == slot[index].block -> SET_BLOCK(inner, Queued, NOBODY)
#ifndef BROKEN_COPY_NOT_FREED
          :: inner != slot[index].block -> SET_BLOCK(inner, Free, NOBODY)
#endif
          :: else
          fi
        )
        /* recovery.slot.block.freed */
     :: else
     fi;
     inner++
  :: else -> inner = 0; break
  od
}

inline recover_slots(dead) {
  index = 0;
  do
  :: index < SLOTS ->
     STEP(SEE(index));
     if
     :: seen_owner == dead && seen_phase == Writing -> STEP(SET(index, seen_turn, Blank, NOBODY))
     :: seen_owner == dead && seen_phase == Reading ->
#ifndef BROKEN_BLOCK_NOT_GIVEN_TO_SLOT
        recover_blocks_of_slot(dead);
#endif
        /* recovery.slot.block */
        STEP(SET(index, seen_turn, Orphan, NOBODY))
     :: else
     fi;
     index++
  :: else -> index = 0; break
  od
}

#ifdef BROKEN_ORPHAN_NAMES_NOTHING
#define NAMES(p) (p == Full || p == Reading)
#elif defined(BROKEN_READING_NAMES_NOTHING)
#define NAMES(p) (p == Full || p == Orphan)
#else
#define NAMES(p) (p == Full || p == Reading || p == Orphan)
#endif

inline find_named() {
  forget_named();
  do
  :: index < SLOTS ->
     STEP(SEE(index));
     do
     :: NAMES(seen_phase) ->
        STEP(
          if
          :: IS_SEEN(index) -> named[slot[index].block] = 1; seen_phase = Empty
          :: else -> SEE(index)
          fi
        )
     :: else -> break
     od;
     index++
  :: else -> index = 0; break
  od
}

inline recover_blocks(dead) {
  find_named();
  do
  :: index < BLOCKS ->
     STEP(SEE_BLOCK(index));
     if
     :: seen_owner == dead ->
        STEP(
          if
          :: IS_BLOCK(index, seen_phase, dead) ->
             if
#ifndef BROKEN_QUEUED_FORGOTTEN
             :: seen_phase == Held && named[index] -> SET_BLOCK(index, Queued, NOBODY)
#endif
#ifndef BROKEN_TAKEN_IS_FREED
             :: seen_phase == Taken -> SET_BLOCK(index, Left, NOBODY)
#endif
             :: else -> SET_BLOCK(index, Free, NOBODY)
             fi
          :: else
          fi
        )
        /* recovery.block */
     :: else
     fi;
     index++
  :: else -> index = 0; break
  od
}

inline recover(dead) {
#ifdef BROKEN_BLOCKS_BEFORE_SLOTS
  recover_blocks(dead);
  recover_slots(dead);
#else
  recover_slots(dead);
  /* recovery.slots */
  recover_blocks(dead);
#endif
  /* recovery.blocks */
  STEP(used[dead] = 0)
  /* recovery.end */
}

inline look_for_the_dead() {
  lock_channel();
  entry = 1;
  do
  :: entry < IDS ->
     if
     :: used[entry] && is_dead[entry] -> recover(entry)
     :: else
     fi;
     entry++
  :: else -> entry = 0; break
  od;
  unlock_channel()
}

#define DEAD(e) (e < IDS && used[(e < IDS -> e : 0)] && is_dead[(e < IDS -> e : 0)])
#define ANY_DEAD (DEAD(1) || DEAD(2) || DEAD(3) || DEAD(4) || DEAD(5) || DEAD(6))

proctype helper(byte me) {
  RECOVERY_LOCALS;
  do
  :: STEP(ANY_DEAD || over);
     if
     :: over -> break
     :: else -> look_for_the_dead()
     fi;
     atomic { FORGET_RECOVERY }
  od;
gone:
  atomic { FORGET_RECOVERY; running-- }
}

// ------------------------------------------------------------------------------------------------------------- the end

inline check_whole() {
  scan = 0;
  do
  :: scan < SLOTS -> assert(slot[scan].phase == Empty && slot[scan].owner == NOBODY); scan++
  :: else -> scan = 0; break
  od;
  do
  :: scan < BLOCKS -> assert(IS_BLOCK(scan, Free, NOBODY)); scan++  // none is lost
  :: else -> scan = 0; break
  od;
  do
  :: scan <= ITEMS ->
     assert(put_of[scan] != returned || deliveries[scan] == 1);
     assert(put_of[scan] != refused || deliveries[scan] == 0);
     scan++
  :: else -> scan = 0; break
  od
}

#define START(count, what, ...) \
  scan = 0; \
  do \
  :: scan < count -> entry++; used[entry] = 1; running++; run what(entry __VA_ARGS__); scan++ \
  :: else -> scan = 0; break \
  od

init {
  byte me = SURVIVOR;
  LOCALS;
  RECOVERY_LOCALS;
  atomic {
    used[SURVIVOR] = 1;
    living_takers = TAKERS;
    START(PUTTERS, putter, , 1 + scan * PUTS);
    START(TAKERS, taker);
    START(HELPERS, helper);
    entry = 0
  }
  // The survivor does something only when nobody else can: then it must be the dead who are waited for.
  do
  :: timeout ->
     atomic { FORGET; FORGET_RECOVERY };
     if
     :: ANY_DEAD || lock_owner != NOBODY -> look_for_the_dead()
     :: else ->
        d_step { find_take(); skip };
        if
        :: has || HAS_ORPHAN ->
           assert(living_takers == 0);
           take_one();
           if
           :: b != NONE -> release_block(b, true)
           :: else
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
