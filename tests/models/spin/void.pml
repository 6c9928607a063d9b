/* A member makes a commit that some can follow and others cannot. The service hears of it, and takes it out of the log, or does not.

   Shown: GROUP-20, GROUP-21, DS-20.

   Three honest members and the one who commits, which then does nothing more. The service is honest: it decides when it has heard of
   all who cannot follow (they say so at once; it waits 5 s), and it delivers, in the order of the log, whenever it likes.
   Members who lose their place ask to come in, and are added by anybody who follows the log's end.
 */

#include "group_call.pml"

#define MEMBERS 3
#define COMMITS 6        /* the false one, and enough to add everybody again */
#define BEGINNING 0
#define FALSE_ONE 1
#define NOWHERE 255

mtype state[MEMBERS] = IN_CALL;
byte at[MEMBERS];        /* the commit that began its epoch */
bool can[MEMBERS];       /* whether it can follow the false one */
bool was_at_false[MEMBERS];
bool reported[MEMBERS];
bool added[MEMBERS];     /* a Welcome is on its way to it */
byte welcome[MEMBERS];   /* of this commit */
bool told[MEMBERS];      /* it has heard that the false one is void */
byte before[COMMITS + 1];/* what each commit follows on */
byte tail;               /* the log's newest commit */
byte commits;            /* how many there were */
bool decided, voided;
bool went_back;          /* somebody is in an epoch again that it had left */

/* What follows on a commit in the log as it is now: of what is void nothing is shown. */
#define FOLLOWS(c, on) ((c) <= commits && (c) > FALSE_ONE && before[c] == (on))
#define NEXT(on) (FOLLOWS(2, on) -> 2 : (FOLLOWS(3, on) -> 3 : (FOLLOWS(4, on) -> 4 : (FOLLOWS(5, on) -> 5 : (FOLLOWS(6, on) -> 6 : NOWHERE)))))

#define ASKS(m) (state[m] == ASKING && !added[m])
#define SOMEBODY_ASKS (ASKS(0) || ASKS(1) || ASKS(2))
#define ADD(m) if :: ASKS(m) -> added[m] = true; welcome[m] = tail :: else fi

inline commit() {
  commits++;
  before[commits] = tail;
  tail = commits;
  ADD(0); ADD(1); ADD(2)
}

inline leave(m) { at[m] = NOWHERE; added[m] = false }

#ifdef MUTANT_SHORT_PATIENCE
#define PATIENCE_IS_OVER true
#else
#define PATIENCE_IS_OVER (decided && !voided) /* 8 s are longer than 5 s and the way */
#endif

proctype Member(byte me) {
end:
  do
  /* the false commit */
  :: atomic { STEP(state[me], IN_CALL, COMMITTED, commits >= 1 && at[me] == BEGINNING && can[me] && !told[me], IN_CALL); at[me] = FALSE_ONE; was_at_false[me] = true }
  :: atomic { STEP(state[me], IN_CALL, INVALID_COMMIT, commits >= 1 && at[me] == BEGINNING && !can[me] && !told[me], STRANDED); reported[me] = true }

  /* it is void */
  :: atomic { STEP(state[me], STRANDED, VOIDED, voided, IN_CALL); told[me] = true }
#if defined(MUTANT_GOES_BACK)
  :: atomic { MUTANT_STEP(state[me], IN_CALL, VOIDED_HERE, voided && !told[me] && was_at_false[me], IN_CALL); told[me] = true; at[me] = BEGINNING; went_back = true }
#elif !defined(MUTANT_STAYS)
  :: atomic { STEP(state[me], IN_CALL, VOIDED_HERE, voided && !told[me] && was_at_false[me], ASKING); told[me] = true; leave(me) }
#endif

  /* or it is not */
#ifndef MUTANT_WAITS_FOR_EVER
  :: atomic { STEP(state[me], STRANDED, TIMEOUT, PATIENCE_IS_OVER, ASKING); leave(me) }
#endif

  /* every other commit, in the order of the log */
  :: atomic { STEP(state[me], IN_CALL, COMMITTED, at[me] != NOWHERE && NEXT(at[me]) != NOWHERE, IN_CALL); at[me] = NEXT(at[me]) }
  :: atomic { STEP(state[me], ASKING, WELCOMED, added[me], IN_CALL); at[me] = welcome[me]; added[me] = false }

  /* who follows the log's end adds whoever asks */
  :: atomic { STEP(state[me], IN_CALL, COMMIT_DUE, commits >= 1 && decided && commits < COMMITS && at[me] == tail && SOMEBODY_ASKS, IN_CALL); commit() }
  od
}

#define HAS_SAID(m) (can[m] || reported[m])
#define REPORTS (reported[0] + reported[1] + reported[2])

active proctype Service() {
end:
  do
  :: atomic { commits == 0 -> commits = 1; tail = FALSE_ONE;
              if :: can[0] = true :: skip fi; if :: can[1] = true :: skip fi; if :: can[2] = true :: skip fi }
  :: atomic { commits == 1 && !decided && HAS_SAID(0) && HAS_SAID(1) && HAS_SAID(2) -> decided = true;
              if
#ifdef MUTANT_ONE_IS_ENOUGH
              :: REPORTS > 0 -> voided = true; tail = BEGINNING
#else
              :: 2 * REPORTS > MEMBERS -> voided = true; tail = BEGINNING /* DS-20: more than half */
#endif
              :: else
              fi }
  od
}

init {
  atomic { run Member(0); run Member(1); run Member(2) }
}

#define HERE(m) (state[m] == IN_CALL && at[m] == tail)

/* GROUP-20, GROUP-21: whoever can follow and whoever cannot, in the end all are in one group. */
ltl one_group { <> (commits > 0) -> <> [] (HERE(0) && HERE(1) && HERE(2)) }

/* GROUP-20: nobody is in an epoch again that it had left. */
ltl never_back { [] !went_back }

/* DS-20: who is alone in not being able to follow takes nothing from the others. */
ltl the_few_void_nothing { [] ((REPORTS <= 1 && decided) -> !voided) }
