/* Several devices of the callee answer at once.

   Shown: CALL-7, CALL-8, CALL-9, CALL-10, CALL-13, KEYS-11, KEYS-17.

   -DHOSTILE   the service shows each device whichever Answer it likes, whenever it likes, until it falls silent
   otherwise    it keeps the log: one Answer of epoch 1, the first, shown to all
   -DCLOCKS    deadlines pass at any moment
 */

#include "call.pml"

#define DEVICES 3
#define CALLER 3
#define RINGING_EPOCH 1
#define EPOCH_OF(d) (2 + (d)) /* epoch 2 as the Answer of device d begins it */

mtype caller = CALLING;
mtype state[DEVICES] = RINGING;
byte epoch[4] = RINGING_EPOCH;
bool away;                /* from now on no person does anything */
bool answered[DEVICES];  /* its Answer has reached the service */
bool described[DEVICES]; /* it has sent `answer_description`, in the epoch of its Answer */
byte accepted;           /* the epoch in which the caller has sent `accepted` */
byte hung_up[4];         /* the epoch in which it has sent `hangup` */
byte logged;                /* of an honest service: 1 + the device whose Answer it took */
bool silent;              /* from now on a hostile service delivers nothing */

#ifdef HOSTILE
#define SHOWN(to, d) (!silent && answered[d])
#define REFUSED_TO(d) (!silent && answered[d])
#else
#define SHOWN(to, d) (logged == 1 + (d))
#define REFUSED_TO(d) (logged != 0 && logged != 1 + (d))
#endif

/* CALL-12, CALL-13: a hangup of one's own epoch or of the one before, unless its sender was removed. */
#define HEARS_CALLER(d) (!silent && hung_up[CALLER] != 0 && (hung_up[CALLER] == epoch[d] || hung_up[CALLER] == RINGING_EPOCH))
#define HEARS_DEVICE(by, d) (!silent && hung_up[d] != 0 && (hung_up[d] == epoch[by] || hung_up[d] == RINGING_EPOCH))
#define HEARS_SIBLING(d, s) (d != s && epoch[d] == RINGING_EPOCH && HEARS_DEVICE(d, s))
#define ANSWERER (epoch[CALLER] - 2)

#ifdef MUTANT_HANGUP_UNHEARD
#define HEARD_IN_CALL false
#else
#define HEARD_IN_CALL true
#endif

/* Which states may send media (CALL-6, CALL-8). */
#ifdef MUTANT_MEDIA_BEFORE_ACCEPTED
#define MAY_SEND(d) (state[d] == ACCEPTING || state[d] == DESCRIBING || state[d] == LIVE)
#else
#define MAY_SEND(d) (state[d] == DESCRIBING || state[d] == LIVE)
#endif

#ifdef MUTANT_ACCEPTED_OF_ANY_EPOCH
#define OPENS_ACCEPTED(d) (!silent && accepted != 0)
#else
#define OPENS_ACCEPTED(d) (!silent && accepted == epoch[d])
#endif

active proctype Caller() {
end:
  do
  :: atomic { STEP(caller, CALLING, ANSWERED, SHOWN(CALLER, 0), ANSWERED); epoch[CALLER] = EPOCH_OF(0) }
  :: atomic { STEP(caller, CALLING, ANSWERED, SHOWN(CALLER, 1), ANSWERED); epoch[CALLER] = EPOCH_OF(1) }
  :: atomic { STEP(caller, CALLING, ANSWERED, SHOWN(CALLER, 2), ANSWERED); epoch[CALLER] = EPOCH_OF(2) }
  :: atomic { STEP(caller, ANSWERED, DESCRIBE, true, CONNECTING); accepted = epoch[CALLER] }
  :: atomic { STEP(caller, CONNECTING, ANSWER_DESCRIPTION, !silent && described[ANSWERER], LIVE) }

#ifdef CLOCKS
  :: atomic { STEP(caller, CALLING, TIMEOUT, LATE, ENDED); hung_up[CALLER] = epoch[CALLER] }
  :: atomic { STEP(caller, ANSWERED, TIMEOUT, LATE, ENDED); hung_up[CALLER] = epoch[CALLER] }
  :: atomic { STEP(caller, CONNECTING, TIMEOUT, LATE, ENDED); hung_up[CALLER] = epoch[CALLER] }
  :: atomic { STEP(caller, CALLING, HANGUP, HEARS_DEVICE(CALLER, 0), ENDED) }
  :: atomic { STEP(caller, CALLING, HANGUP, HEARS_DEVICE(CALLER, 1), ENDED) }
  :: atomic { STEP(caller, CALLING, HANGUP, HEARS_DEVICE(CALLER, 2), ENDED) }
  :: atomic { STEP(caller, ANSWERED, HANGUP, HEARS_DEVICE(CALLER, ANSWERER), ENDED) }
  :: atomic { STEP(caller, CONNECTING, HANGUP, HEARS_DEVICE(CALLER, ANSWERER), ENDED) }
#endif
  od
}

proctype Device(byte me; byte one; byte other) {
end:
  do
  :: atomic { STEP(state[me], RINGING, ANSWER, !away, ANSWERING); answered[me] = true }
  :: atomic { STEP(state[me], ANSWERING, ANSWER_COMMITTED, SHOWN(me, me), ACCEPTING); epoch[me] = EPOCH_OF(me) }
  :: atomic { STEP(state[me], ANSWERING, REFUSED, REFUSED_TO(me), ENDED) }
#ifndef MUTANT_RINGS_ON
  :: atomic { STEP(state[me], RINGING, ANSWERED_ELSEWHERE, SHOWN(me, one) || SHOWN(me, other), ENDED) }
#endif
  :: atomic { STEP(state[me], ANSWERING, ANSWERED_ELSEWHERE, SHOWN(me, one) || SHOWN(me, other), ENDED) }
  :: atomic { STEP(state[me], ACCEPTING, ACCEPTED, OPENS_ACCEPTED(me), DESCRIBING) }
  :: atomic { STEP(state[me], DESCRIBING, DESCRIBE, true, LIVE); described[me] = true }

#ifdef CLOCKS
  :: atomic { STEP(state[me], RINGING, TIMEOUT, LATE, ENDED) }
  :: atomic { STEP(state[me], ANSWERING, TIMEOUT, LATE, ENDED); hung_up[me] = epoch[me] }
#ifdef MUTANT_BACK_TO_RINGING
  :: atomic { MUTANT_STEP(state[me], ACCEPTING, TIMEOUT, LATE, RINGING); epoch[me] = RINGING_EPOCH }
#elif !defined(MUTANT_WAITS_FOR_EVER)
  :: atomic { STEP(state[me], ACCEPTING, TIMEOUT, LATE, ENDED); hung_up[me] = epoch[me] }
#endif
  :: atomic { STEP(state[me], RINGING, HANGUP, HEARS_CALLER(me) || HEARS_SIBLING(me, one) || HEARS_SIBLING(me, other), ENDED) }
  :: atomic { STEP(state[me], ANSWERING, HANGUP, HEARS_CALLER(me) || HEARS_SIBLING(me, one) || HEARS_SIBLING(me, other), ENDED) }
  :: atomic { STEP(state[me], ACCEPTING, HANGUP, HEARS_CALLER(me), ENDED) }
  :: atomic { STEP(state[me], DESCRIBING, HANGUP, HEARS_CALLER(me) && HEARD_IN_CALL, ENDED) }
  :: atomic { STEP(state[me], LIVE, HANGUP, HEARS_CALLER(me) && HEARD_IN_CALL, ENDED) }
#endif
  od
}

init {
  atomic { run Device(0, 1, 2); run Device(1, 2, 0); run Device(2, 0, 1) }
}

active proctype People() {
end:
  do
  :: atomic { !away -> away = true }
  od
}

active proctype Service() {
end:
  do
#ifdef HOSTILE
  :: atomic { !silent -> silent = true }
#else
  :: atomic { logged == 0 && answered[0] -> logged = 1 }
  :: atomic { logged == 0 && answered[1] -> logged = 2 }
  :: atomic { logged == 0 && answered[2] -> logged = 3 }
#endif
  od
}

#define IS_OVER(d) (state[d] == ENDED)
#define IS_LIVE_WITH_CALLER(d) (state[d] == LIVE && caller == LIVE && epoch[CALLER] == EPOCH_OF(d))
#define ALONE_LIVE(d, e, f) (IS_LIVE_WITH_CALLER(d) && IS_OVER(e) && IS_OVER(f))
#define ONE_CALL (ALONE_LIVE(0, 1, 2) || ALONE_LIVE(1, 2, 0) || ALONE_LIVE(2, 0, 1))
#define NO_CALL (IS_OVER(0) && IS_OVER(1) && IS_OVER(2) && caller == ENDED)
#define WAITS(d) (state[d] == RINGING || state[d] == ANSWERING || state[d] == ACCEPTING)

/* CALL-8, even if the service lies: at most one device of the callee may send media ... */
ltl one_live { [] (!(MAY_SEND(0) && MAY_SEND(1)) && !(MAY_SEND(1) && MAY_SEND(2)) && !(MAY_SEND(2) && MAY_SEND(0))) }

/* ... CALL-7: and it is the one whose Answer the caller applied. */
ltl the_one_accepted { [] ((MAY_SEND(0) -> accepted == EPOCH_OF(0)) && (MAY_SEND(1) -> accepted == EPOCH_OF(1)) && (MAY_SEND(2) -> accepted == EPOCH_OF(2))) }

/* CALL-9, even if the service lies: "A call never goes back to ringing." Shown of one device, for they are all alike. */
ltl never_back { [] (state[0] != RINGING -> [] (state[0] != RINGING)) }

/* CALL-9, even if the service is silent: nobody waits for ever. */
ltl nobody_waits { <> [] (!WAITS(0) && !WAITS(1) && !WAITS(2) && caller != ANSWERED && caller != CONNECTING) }

/* CALL-10, KEYS-11: with an honest service in time, once somebody answers exactly one device is live and the others have stopped ringing. */
ltl exactly_one { <> (answered[0] || answered[1] || answered[2]) -> <> [] ONE_CALL }

/* CALL-9, CALL-13: with an honest service, whatever comes late, exactly one is live or the call has ended everywhere. */
ltl one_or_none { <> [] (ONE_CALL || NO_CALL) }
