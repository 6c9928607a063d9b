/* Somebody hangs up, at any moment: the caller, who may not yet know whether its invitation is in the log, or a device of the callee.

   Shown: CALL-7, CALL-8, CALL-13, CALL-16, CALL-19, CALL-20, CALL-23.

   -DHOSTILE   the service shows what it has to whom and when it likes, until it falls silent
   otherwise    it keeps the log, and shows all of it to all
   -DCLOCKS    deadlines pass at any moment
 */

#include "call.pml"

#define DEVICES 2
#define CALLER 2
#define RINGING_EPOCH 1
#define EPOCH_OF(d) (2 + (d)) /* epoch 2 as the Answer of device d begins it */

mtype caller = INVITING;
mtype state[DEVICES] = NONE;
byte epoch[3];
bool answered[DEVICES];  /* its Answer has reached the service */
bool described[DEVICES]; /* it has sent `answer_description`, in the epoch of its Answer */
byte accepted;           /* the epoch in which the caller has sent `accepted` */
byte hung_up[3];         /* the epoch in which it has sent `hangup` */
bool cancelled;          /* the caller's person has hung up */
bool took_invitation;    /* an honest service: the invitation is in the log */
byte took_answer;        /* an honest service: 1 + the device whose Answer is in the log */
bool away;                /* from now on no person does anything */
bool silent;              /* from now on a hostile service delivers nothing */
bool stopped[3];         /* CALL-23: it sends no more, because the other is not heard */

#ifdef HOSTILE
#define INVITATION_SHOWN(to) (!silent)
#define SHOWN(to, d) (!silent && answered[d])
#define REFUSED_TO(d) (!silent && answered[d])
#else
#define INVITATION_SHOWN(to) took_invitation
#define SHOWN(to, d) (took_answer == 1 + (d))
#define REFUSED_TO(d) (took_answer != 0 && took_answer != 1 + (d))
#endif

/* CALL-12, CALL-13: a hangup of one's own epoch or of the one before, unless its sender was removed. */
#define HEARS(to, by) (!silent && hung_up[by] != 0 && (hung_up[by] == epoch[to] || hung_up[by] == RINGING_EPOCH))
#define HEARS_SIBLING(d, s) (epoch[d] == RINGING_EPOCH && HEARS(d, s))
#define ANSWERER (epoch[CALLER] - 2)

#ifdef MUTANT_HANGUP_UNHEARD
#define HEARD_IN_CALL false
#else
#define HEARD_IN_CALL true
#endif

/* CALL-6, CALL-8: which states may send media, and CALL-23: as long as the other is heard in the same epoch. */
#define MAY_SEND(d) (state[d] == DESCRIBING || state[d] == LIVE)
#define CALLER_MAY_SEND (caller == ANSWERED || caller == CONNECTING || caller == LIVE)
#define SENDS(d) (MAY_SEND(d) && !stopped[d])
#define CALLER_SENDS (CALLER_MAY_SEND && !stopped[CALLER])
#ifdef MUTANT_SENDS_TO_NOBODY
#define UNHEARD(d) false
#define ANSWERER_UNHEARD false
#else
#define UNHEARD(d) (caller == ENDED || epoch[CALLER] != epoch[d])
#define ANSWERER_UNHEARD (state[ANSWERER] == ENDED || epoch[ANSWERER] != epoch[CALLER])
#endif

active proctype Caller() {
end:
  do
  :: atomic { STEP(caller, INVITING, INVITE_COMMITTED, INVITATION_SHOWN(CALLER), CALLING); epoch[CALLER] = RINGING_EPOCH }
  :: atomic { STEP(caller, CALLING, ANSWERED, SHOWN(CALLER, 0), ANSWERED); epoch[CALLER] = EPOCH_OF(0) }
  :: atomic { STEP(caller, CALLING, ANSWERED, SHOWN(CALLER, 1), ANSWERED); epoch[CALLER] = EPOCH_OF(1) }
  :: atomic { STEP(caller, ANSWERED, DESCRIBE, true, CONNECTING); accepted = epoch[CALLER] }
  :: atomic { STEP(caller, CONNECTING, ANSWER_DESCRIPTION, !silent && described[ANSWERER], LIVE) }

  /* a person hangs up */
  :: atomic { STEP(caller, INVITING, HANG_UP, !away, CANCELLING); cancelled = true }
  :: atomic { STEP(caller, CALLING, HANG_UP, !away, ENDED); cancelled = true; hung_up[CALLER] = epoch[CALLER] }
  :: atomic { STEP(caller, ANSWERED, HANG_UP, !away, ENDED); cancelled = true; hung_up[CALLER] = epoch[CALLER] }
  :: atomic { STEP(caller, CONNECTING, HANG_UP, !away, ENDED); cancelled = true; hung_up[CALLER] = epoch[CALLER] }
  :: atomic { STEP(caller, LIVE, HANG_UP, !away, ENDED); cancelled = true; hung_up[CALLER] = epoch[CALLER] }
#ifdef MUTANT_NOT_TAKEN_BACK
  :: atomic { MUTANT_STEP(caller, CANCELLING, INVITE_COMMITTED, INVITATION_SHOWN(CALLER), ENDED) }
#else
  :: atomic { STEP(caller, CANCELLING, INVITE_COMMITTED, INVITATION_SHOWN(CALLER), ENDED); epoch[CALLER] = RINGING_EPOCH; hung_up[CALLER] = RINGING_EPOCH }
#endif
#ifdef MUTANT_ACCEPTED_AFTER_THE_END
  :: atomic { MUTANT_STEP(caller, ENDED, ANSWERED, SHOWN(CALLER, 0) && accepted == 0, ENDED); accepted = EPOCH_OF(0) }
#endif

  /* the callee hangs up */
  :: atomic { STEP(caller, CALLING, HANGUP, HEARS(CALLER, 0) || HEARS(CALLER, 1), ENDED) }
  :: atomic { STEP(caller, ANSWERED, HANGUP, HEARS(CALLER, ANSWERER), ENDED) }
  :: atomic { STEP(caller, CONNECTING, HANGUP, HEARS(CALLER, ANSWERER), ENDED) }
  :: atomic { STEP(caller, LIVE, HANGUP, HEARS(CALLER, ANSWERER), ENDED) }

#ifdef CLOCKS
  :: atomic { STEP(caller, INVITING, TIMEOUT, LATE, CANCELLING) }
  :: atomic { STEP(caller, CANCELLING, TIMEOUT, LATE, ENDED) } /* nobody can be told */
  :: atomic { STEP(caller, CALLING, TIMEOUT, LATE, ENDED); hung_up[CALLER] = epoch[CALLER] }
  :: atomic { STEP(caller, ANSWERED, TIMEOUT, LATE, ENDED); hung_up[CALLER] = epoch[CALLER] }
  :: atomic { STEP(caller, CONNECTING, TIMEOUT, LATE, ENDED); hung_up[CALLER] = epoch[CALLER] }
  :: atomic { CALLER_SENDS && ANSWERER_UNHEARD -> stopped[CALLER] = true }
#endif
  od
}

proctype Device(byte me; byte other) {
end:
  do
  :: atomic { state[me] == NONE && INVITATION_SHOWN(me) -> state[me] = INVITED; epoch[me] = RINGING_EPOCH }
  :: atomic { STEP(state[me], INVITED, RING, true, RINGING) }
  :: atomic { STEP(state[me], RINGING, ANSWER, !away, ANSWERING); answered[me] = true }
  :: atomic { STEP(state[me], ANSWERING, ANSWER_COMMITTED, SHOWN(me, me), ACCEPTING); epoch[me] = EPOCH_OF(me) }
  :: atomic { STEP(state[me], ANSWERING, REFUSED, REFUSED_TO(me), ENDED) }
  :: atomic { STEP(state[me], RINGING, ANSWERED_ELSEWHERE, SHOWN(me, other), ENDED) }
  :: atomic { STEP(state[me], ANSWERING, ANSWERED_ELSEWHERE, SHOWN(me, other), ENDED) }
  :: atomic { STEP(state[me], ACCEPTING, ACCEPTED, !silent && accepted == epoch[me], DESCRIBING) }
  :: atomic { STEP(state[me], DESCRIBING, DESCRIBE, true, LIVE); described[me] = true }
#ifdef MUTANT_HEARS_AFTER_THE_END
  :: atomic { MUTANT_STEP(state[me], ENDED, ACCEPTED, !silent && epoch[me] > RINGING_EPOCH && accepted == epoch[me], DESCRIBING) }
#endif

  /* a person declines, or hangs up */
  :: atomic { STEP(state[me], RINGING, HANG_UP, !away, ENDED); hung_up[me] = epoch[me] }
  :: atomic { STEP(state[me], ANSWERING, HANG_UP, !away, ENDED); hung_up[me] = epoch[me] }
  :: atomic { STEP(state[me], ACCEPTING, HANG_UP, !away, ENDED); hung_up[me] = epoch[me] }
  :: atomic { STEP(state[me], LIVE, HANG_UP, !away, ENDED); hung_up[me] = epoch[me] }

  /* somebody else does */
  :: atomic { STEP(state[me], INVITED, HANGUP, HEARS(me, CALLER) || HEARS_SIBLING(me, other), ENDED) }
  :: atomic { STEP(state[me], RINGING, HANGUP, HEARS(me, CALLER) || HEARS_SIBLING(me, other), ENDED) }
  :: atomic { STEP(state[me], ANSWERING, HANGUP, HEARS(me, CALLER) || HEARS_SIBLING(me, other), ENDED) }
  :: atomic { STEP(state[me], ACCEPTING, HANGUP, HEARS(me, CALLER), ENDED) }
  :: atomic { STEP(state[me], DESCRIBING, HANGUP, HEARS(me, CALLER) && HEARD_IN_CALL, ENDED) }
  :: atomic { STEP(state[me], LIVE, HANGUP, HEARS(me, CALLER) && HEARD_IN_CALL, ENDED) }

#ifdef CLOCKS
#ifndef MUTANT_RINGS_FOR_EVER
  :: atomic { STEP(state[me], RINGING, TIMEOUT, LATE, ENDED) }
#endif
  :: atomic { STEP(state[me], ANSWERING, TIMEOUT, LATE, ENDED); hung_up[me] = epoch[me] }
  :: atomic { STEP(state[me], ACCEPTING, TIMEOUT, LATE, ENDED); hung_up[me] = epoch[me] }
  :: atomic { SENDS(me) && UNHEARD(me) -> stopped[me] = true }
#endif
  od
}

init {
  atomic { run Device(0, 1); run Device(1, 0) }
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
  :: atomic { !took_invitation -> took_invitation = true }
  :: atomic { took_answer == 0 && answered[0] -> took_answer = 1 }
  :: atomic { took_answer == 0 && answered[1] -> took_answer = 2 }
#endif
  od
}

#define RINGS(d) (state[d] == INVITED || state[d] == RINGING || state[d] == ANSWERING || state[d] == ACCEPTING)
#define IS_OVER(d) (state[d] == NONE || state[d] == ENDED)
#define IS_LIVE_WITH_CALLER(d) (state[d] == LIVE && caller == LIVE && epoch[CALLER] == EPOCH_OF(d))
#define ONE_CALL ((IS_LIVE_WITH_CALLER(0) && IS_OVER(1)) || (IS_LIVE_WITH_CALLER(1) && IS_OVER(0)))
#define NO_CALL (IS_OVER(0) && IS_OVER(1) && caller == ENDED)

/* CALL-19, even if the service is silent: no device of the callee rings for ever. */
ltl no_ringing_for_ever { <> [] (!RINGS(0) && !RINGS(1)) }

/* CALL-7, CALL-8, even if the service lies: a caller that ended the call before it said `accepted` has never a live device. */
ltl never_live_after_cancel { [] ((caller == ENDED && accepted == 0) -> [] (!MAY_SEND(0) && !MAY_SEND(1))) }

/* CALL-13, even if the service lies: who has ended the call is never in it again. */
ltl the_end_is_the_end { [] ((state[0] == ENDED -> [] (state[0] == ENDED)) && (caller == ENDED -> [] (caller == ENDED))) }

/* CALL-13, CALL-23, even if the service keeps the hangup to itself: once a side has ended, no media flows from the other for ever. */
ltl media_ends { [] ((caller == ENDED -> <> [] (!SENDS(0) && !SENDS(1))) && ((state[0] == ENDED && state[1] == ENDED) -> <> [] !CALLER_SENDS)) }

/* CALL-16, with an honest service: who rings is told that the caller has hung up, whenever that was, and nobody's patience is needed for it. */
ltl told { <> cancelled -> <> [] NO_CALL }

/* CALL-13, CALL-20, with an honest service, whoever hangs up and whatever comes late: one call, or none, at all devices alike. */
ltl one_or_none { <> [] (ONE_CALL || NO_CALL) }
