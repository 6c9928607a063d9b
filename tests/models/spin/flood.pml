/* A member commits whenever it can, so that nobody else's commit gets through; a host removes it.

   Shown: GROUP-23, DS-18.

   The service is honest: of an epoch's commits it takes the first, and after each it takes for a second none but a host's removal.
   A second is longer than the way from the log to the host and back.
 */

#include "group_call.pml"

#define ENOUGH 3 /* epochs, of which the host is to lose one at most */

mtype host = IN_CALL;
byte log;             /* the newest epoch */
byte seen;            /* the newest epoch at the host */
byte removal;         /* 1 + the epoch for which the host's removal is on its way; 0: it is not */
byte tried;           /* 1 + the epoch for which the host has made it */
bool wants_removal;   /* a person has said so */
bool removed;         /* it is in the log */
bool quiet;           /* a second has not passed since the last commit was taken */
byte lost;            /* epochs that others began since then */

#if defined(MUTANT_HOST_WAITS)
#define HOST_MAY_COMMIT (tried != 1 + seen && !quiet)
#elif defined(MUTANT_NEVER_AGAIN)
#define HOST_MAY_COMMIT (tried == 0)
#else
#define HOST_MAY_COMMIT (tried != 1 + seen)
#endif

#ifdef MUTANT_NO_PAUSE
#define TAKES_OF_A_MEMBER true
#else
#define TAKES_OF_A_MEMBER (!quiet)
#endif

active proctype Host() {
end:
  do
  :: atomic { STEP(host, IN_CALL, COMMITTED, seen < log && !removed, IN_CALL); seen = log }
  :: atomic { STEP(host, IN_CALL, CHANGE, !wants_removal, IN_CALL); wants_removal = true; lost = 0 }
  :: atomic { STEP(host, IN_CALL, COMMIT_DUE, wants_removal && !removed && HOST_MAY_COMMIT, IN_CALL); removal = 1 + seen; tried = 1 + seen }
  :: atomic { STEP(host, IN_CALL, COMMIT_REFUSED, removal != 0 && removal != 1 + log, IN_CALL); removal = 0 }
  od
}

active proctype Flooder() {
end:
  do
  :: atomic { !removed && log < ENOUGH && TAKES_OF_A_MEMBER ->
              log++; quiet = true; lost = (wants_removal -> lost + 1 : 0) }
  od
}

/* What the host has to do within a second it has done. */
#define HOST_IS_BUSY (seen < log || (wants_removal && !removed && (removal != 0 || HOST_MAY_COMMIT)))

active proctype Service() {
end:
  do
  :: atomic { removal == 1 + log && !removed -> removed = true; removal = 0; log++; quiet = true }
  :: atomic { quiet && !HOST_IS_BUSY -> quiet = false }
  od
}

/* GROUP-23, DS-18: whoever commits as often as it may, a host's removal is in the log after one more epoch. */
ltl a_removal_gets_through { [] (lost <= 1) }

/* GROUP-23: and it gets there. */
ltl it_is_removed { <> wants_removal -> <> removed }
