/* A host removes somebody. Until when do the others speak to it, and believe who speaks with its keys?

   Shown: GROUP-15, FKEY-7, FKEY-8, FKEY-9, FKEY-12, CALL-25.

   Whoever runs the service gives each member the host's `removing`, the commit that removes, later ones and what others say at any time,
   or never. Time goes by in steps of 250 ms, and what is due is done before it goes on; the clock is the only thing that the
   service does not have in its hands. A member forgets how long ago something was when it makes no difference any more.

   Epoch 0 is the last of whoever is removed, epoch 1 that of the removal, epoch 2 one more, which adds somebody.
 */

#include "group_call.pml"

#define MEMBERS 2 /* who stay; the first is the one that shows `removed_can_open_until` */

#define SECOND 4
#define LONG (SECOND)     /* FKEY-7: the send deadline after a commit that removes nobody */
#ifdef MUTANT_LONG_DEADLINE
#define SHORT LONG
#else
#define SHORT 1           /* FKEY-9: and after one that removes */
#endif
#ifdef MUTANT_KEEPS_OLD_EPOCHS
#define OLD_EPOCHS (10 * SECOND)
#else
#define OLD_EPOCHS (2 * SECOND) /* FKEY-12 */
#endif
#define PATIENCE (3 * SECOND)   /* GROUP-15 */
#define LONG_AGO (PATIENCE + 1)
#ifdef MUTANT_NO_MARGIN
#define MARGIN 0
#else
#define MARGIN 1          /* CALL-25: who has applied the epoch may send with the one before for 250 ms */
#endif

mtype state[MEMBERS] = IN_CALL;
byte applied[MEMBERS];    /* the newest epoch that it applied */
byte sends_with[MEMBERS]; /* the epoch whose keys it sends with */
byte since_1[MEMBERS];    /* how long ago it applied epoch 1 */
byte since_2[MEMBERS];
byte known[MEMBERS];      /* what it knows of the other members: the newest epoch that all of them have */
bool warned[MEMBERS];     /* it has opened `removing` */
byte since_warned[MEMBERS];
bool opens_old[MEMBERS] = true; /* it opens frames of epoch 0 */
bool heard;               /* at the first member: something of the other authenticated in epoch 1 or later */
byte since_heard;

#define HAS(m) (applied[m] >= 1)
#define OTHER(m) (MEMBERS - 1 - (m))

/* GROUP-15 */
#if defined(MUTANT_IGNORES_REMOVING)
#define STOPPED(m) false
#elif defined(MUTANT_ANY_COMMIT_WILL_DO)
bool reassured[MEMBERS];
#define STOPPED(m) (warned[m] && since_warned[m] >= PATIENCE && !reassured[m])
#else
#define STOPPED(m) (warned[m] && since_warned[m] >= PATIENCE)
#endif
#define SPEAKS_TO_THE_REMOVED(m) (sends_with[m] == 0 && !STOPPED(m))

/* FKEY-7: "the newest epoch that all other members are known to have applied, or that is past its send deadline" */
#if defined(MUTANT_WAITS_FOR_ALL)
#define MAY_SEND_1(m) (known[m] >= 1)
#elif defined(MUTANT_MOVES_THE_DEADLINE)
#define MAY_SEND_1(m) (known[m] >= 1 || (applied[m] == 1 && since_1[m] >= SHORT))
#else
#define MAY_SEND_1(m) (known[m] >= 1 || since_1[m] >= SHORT)
#endif
#define MAY_SEND_2(m) (applied[m] == 2 && (known[m] == 2 || since_2[m] >= LONG))
#define GOES_ON_TO_2(m) (sends_with[m] < 2 && MAY_SEND_2(m))
#define GOES_ON_TO_1(m) (sends_with[m] < 1 && HAS(m) && MAY_SEND_1(m) && !GOES_ON_TO_2(m))
#define FORGETS_OLD_KEYS(m) (opens_old[m] && HAS(m) && since_1[m] >= OLD_EPOCHS)
#define IS_DUE(m) (GOES_ON_TO_1(m) || GOES_ON_TO_2(m) || FORGETS_OLD_KEYS(m))

#ifdef MUTANT_BELIEVES_THE_SERVICE
#define SIGN(m) true /* it says that everybody has the commit */
#else
#define SIGN(m) HAS(m)
#endif
#define OVER heard /* which the first member can only when it has applied the epoch itself */

#ifdef MUTANT_STAYS_SILENT
#define SEES_THE_REMOVAL(m) skip
#else
#define SEES_THE_REMOVAL(m) warned[m] = false; since_warned[m] = 0
#endif

proctype Member(byte me) {
end:
  do
  /* the log, and what others say, as the service likes */
  :: atomic { STEP(state[me], IN_CALL, SAID, !warned[me] && !HAS(me), IN_CALL); warned[me] = true }
  :: atomic { STEP(state[me], IN_CALL, COMMITTED, applied[me] == 0, IN_CALL); applied[me] = 1; SEES_THE_REMOVAL(me) }
  :: atomic { STEP(state[me], IN_CALL, COMMITTED, applied[me] == 1, IN_CALL); applied[me] = 2 }
  :: atomic { STEP(state[me], IN_CALL, ALIVE, known[me] < 1 && applied[OTHER(me)] >= 1 && HAS(me), IN_CALL); known[me] = 1 }
  :: atomic { STEP(state[me], IN_CALL, ALIVE, known[me] < 2 && applied[OTHER(me)] == 2 && applied[me] == 2, IN_CALL); known[me] = 2 }
#ifdef MUTANT_ANY_COMMIT_WILL_DO
  :: atomic { MUTANT_STEP(state[me], IN_CALL, COMMITTED, warned[me], IN_CALL); reassured[me] = true }
#endif

  /* what is due */
  :: atomic { GOES_ON_TO_1(me) -> sends_with[me] = 1 }
  :: atomic { GOES_ON_TO_2(me) -> sends_with[me] = 2 }
  :: atomic { FORGETS_OLD_KEYS(me) -> opens_old[me] = false }
  od
}

/* A frame is a sign of its epoch, and so is a message. */
active proctype Signs() {
end:
  do
  :: atomic { !heard && SIGN(1) && HAS(0) -> heard = true }
  od
}

init {
  atomic { run Member(0); run Member(1) }
}

#define LATER(since, most) since = (since < most -> since + 1 : since)
#define GOES_BY(m) \
  if :: HAS(m) -> LATER(since_1[m], OLD_EPOCHS + 1) :: else fi; \
  if :: applied[m] == 2 -> LATER(since_2[m], LONG) :: else fi; \
  if :: warned[m] -> LATER(since_warned[m], LONG_AGO) :: else fi

active proctype Time() {
end:
  do
  :: atomic { !IS_DUE(0) && !IS_DUE(1) -> GOES_BY(0); GOES_BY(1); if :: OVER -> LATER(since_heard, 2) :: else fi }
  od
}

/* FKEY-7, FKEY-8, FKEY-9: nobody sends with the removed member's keys later than 250 ms after it applied the removal, whatever comes then. */
ltl the_deadline_holds { [] ((HAS(0) && sends_with[0] == 0 -> since_1[0] <= 1) && (HAS(1) && sends_with[1] == 0 -> since_1[1] <= 1)) }

/* GROUP-15: who knows of a removal, and does not see it in the log, speaks to who is removed at most 3 s longer. */
ltl a_withheld_removal_silences { [] ((warned[0] && SPEAKS_TO_THE_REMOVED(0) -> since_warned[0] <= PATIENCE) && (warned[1] && SPEAKS_TO_THE_REMOVED(1) -> since_warned[1] <= PATIENCE)) }

/* GROUP-15: and goes on when it is. */
ltl silence_ends { [] ((HAS(0) -> !STOPPED(0)) && (HAS(1) -> !STOPPED(1))) }

/* CALL-25: `removed_can_open_until` is never earlier than the truth: nobody speaks to who was removed after that time. */
ltl never_too_early { [] ((OVER && since_heard > MARGIN) -> (!SPEAKS_TO_THE_REMOVED(0) && !SPEAKS_TO_THE_REMOVED(1))) }

/* FKEY-12: what is said with keys that the removed member has, in whosever name, is believed for at most 2 s after the removal. */
ltl old_keys_end { [] ((HAS(0) && opens_old[0] -> since_1[0] <= 2 * SECOND) && (HAS(1) && opens_old[1] -> since_1[1] <= 2 * SECOND)) }
