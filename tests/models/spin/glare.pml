/* Two people call each other at the same moment. Each has two devices; one of them places the call, both are rung.

   Shown: CALL-9, CALL-10, CALL-18, CALL-19, CALL-21.

   What a device does of its own accord, one step after the other, is one step here; answer_race.pml and cancel.pml take them apart.
   The service is honest and slow: what it carries comes at any time, in any order between the calls and between the devices.
   -DANSWERS   people answer by hand, too
   -DHANG_UPS  people decline and hang up
   -DCLOCKS    deadlines pass at any moment
   -DOTHER_KEY each is called by an account key other than the one that it is calling
 */

#include "call.pml"

#define RINGING_EPOCH 1
#define EPOCH_OF(d) (2 + (d)) /* epoch 2 as the Answer of device d begins it */

/* Devices: A0 and B0 place calls. Calls: X by A0, Y by B0. */
#define A0 0
#define A1 1
#define B0 2
#define B1 3
#define X 0
#define Y 1
#define AT(c, d) ((c) * 4 + (d))

mtype state[8] = NONE;
byte epoch[8];
bool described[8]; /* it has sent `answer_description`, in the epoch of its Answer */
byte hung_up[8];   /* the epoch in which it has sent `hangup` */
byte accepted[2];  /* the epoch in which the caller has sent `accepted` */
bool invited[2];   /* the invitation has reached the service, */
bool rung[2];      /* and is in the log */
byte took[2];      /* 1 + the device whose Answer is in the log: the first that reached it */
bool placed[2];
bool by_hand[2];   /* a person has answered it */
bool gave_way;     /* a device has answered one call in the place of its own */
#define LARGER Y   /* by call_id; the two are alike otherwise */

#define IS_OVER_AT(c, d) (state[AT(c, d)] == NONE || state[AT(c, d)] == ENDED)
#define HEARS(c, to, by) (hung_up[AT(c, by)] != 0 && (hung_up[AT(c, by)] == epoch[AT(c, to)] || hung_up[AT(c, by)] == RINGING_EPOCH))
#define HEARS_SIBLING(c, d, s) (epoch[AT(c, d)] == RINGING_EPOCH && HEARS(c, d, s))
#define ANSWERER(c, me) (epoch[AT(c, me)] - 2)

/* CALL-21: "only between two calls that nobody has answered" */
#define UNANSWERED(c, me) (state[AT(c, me)] == LOOKING_UP || state[AT(c, me)] == INVITING || state[AT(c, me)] == CALLING)
#if defined(OTHER_KEY) && !defined(MUTANT_ANSWERS_ANYBODY)
#define GLARE(own, me) false
#else
#define GLARE(own, me) UNANSWERED(own, me)
#endif

#if defined(MUTANT_BOTH_GIVE_WAY)
#define OWN_WINS(own) false
#elif defined(MUTANT_BOTH_HOLD)
#define OWN_WINS(own) true
#else
#define OWN_WINS(own) (own == LARGER)
#endif

#ifdef MUTANT_PLACES_WHILE_RUNG
#define MAY_PLACE(in, me) true
#else
#define MAY_PLACE(in, me) IS_OVER_AT(in, me)
#endif

#ifdef ANSWERS
#define BY_HAND true
#else
#define BY_HAND false
#endif
#ifdef HANG_UPS
#define HANGS_UP true
#else
#define HANGS_UP false
#endif

#define TAKE(c, d) took[c] = (took[c] == 0 -> 1 + (d) : took[c])

/* A device of the callee, from its invitation on; `sibling` is the other one, `by` the caller. */
#define RINGS_AND_ANSWERS(c, me, sibling, by) \
  :: atomic { STEP(state[AT(c, me)], RINGING, ANSWER, BY_HAND, ANSWERING); TAKE(c, me); by_hand[c] = true } \
  :: atomic { STEP(state[AT(c, me)], ANSWERING, ANSWER_COMMITTED, took[c] == 1 + me, ACCEPTING); epoch[AT(c, me)] = EPOCH_OF(me) } \
  :: atomic { STEP(state[AT(c, me)], ANSWERING, REFUSED, took[c] == 1 + sibling, ENDED) } \
  :: atomic { STEP(state[AT(c, me)], INVITED, ANSWERED_ELSEWHERE, took[c] == 1 + sibling, ENDED) } \
  :: atomic { STEP(state[AT(c, me)], RINGING, ANSWERED_ELSEWHERE, took[c] == 1 + sibling, ENDED) } \
  :: atomic { STEP(state[AT(c, me)], ANSWERING, ANSWERED_ELSEWHERE, took[c] == 1 + sibling, ENDED) } \
  :: atomic { STEP(state[AT(c, me)], ACCEPTING, ACCEPTED, accepted[c] == epoch[AT(c, me)], DESCRIBING); \
              STEP(state[AT(c, me)], DESCRIBING, DESCRIBE, true, LIVE); described[AT(c, me)] = true } \
  :: atomic { STEP(state[AT(c, me)], RINGING, HANG_UP, HANGS_UP, ENDED); hung_up[AT(c, me)] = epoch[AT(c, me)] } \
  :: atomic { STEP(state[AT(c, me)], LIVE, HANG_UP, HANGS_UP, ENDED); hung_up[AT(c, me)] = epoch[AT(c, me)] } \
  :: atomic { STEP(state[AT(c, me)], INVITED, HANGUP, HEARS(c, me, by) || HEARS_SIBLING(c, me, sibling), ENDED) } \
  :: atomic { STEP(state[AT(c, me)], RINGING, HANGUP, HEARS(c, me, by) || HEARS_SIBLING(c, me, sibling), ENDED) } \
  :: atomic { STEP(state[AT(c, me)], ANSWERING, HANGUP, HEARS(c, me, by) || HEARS_SIBLING(c, me, sibling), ENDED) } \
  :: atomic { STEP(state[AT(c, me)], ACCEPTING, HANGUP, HEARS(c, me, by), ENDED) } \
  :: atomic { STEP(state[AT(c, me)], LIVE, HANGUP, HEARS(c, me, by), ENDED) } \
  :: atomic { STEP(state[AT(c, me)], INVITED, TIMEOUT, LATE, ENDED) } \
  :: atomic { STEP(state[AT(c, me)], RINGING, TIMEOUT, LATE, ENDED) } \
  :: atomic { STEP(state[AT(c, me)], ANSWERING, TIMEOUT, LATE, ENDED); hung_up[AT(c, me)] = epoch[AT(c, me)] } \
  :: atomic { STEP(state[AT(c, me)], ACCEPTING, TIMEOUT, LATE, ENDED); hung_up[AT(c, me)] = epoch[AT(c, me)] }

/* A device that only rings. */
proctype Ringer(byte me; byte sibling; byte in; byte by) {
end:
  do
  :: atomic { state[AT(in, me)] == NONE && rung[in] -> state[AT(in, me)] = INVITED; epoch[AT(in, me)] = RINGING_EPOCH;
              STEP(state[AT(in, me)], INVITED, RING, true, RINGING) }
  RINGS_AND_ANSWERS(in, me, sibling, by)
  od
}

/* A device that places a call to p and q, and may be called by p: then it is p that calls. */
proctype Placer(byte me; byte sibling; byte own; byte in; byte p; byte q) {
end:
  do
  /* its own call */
  :: atomic { state[AT(own, me)] == NONE && MAY_PLACE(in, me) -> state[AT(own, me)] = LOOKING_UP; placed[own] = true }
  :: atomic { STEP(state[AT(own, me)], LOOKING_UP, DEVICES, true, CLAIMING);
              STEP(state[AT(own, me)], CLAIMING, KEY_PACKAGES, true, INVITING); invited[own] = true }
  :: atomic { STEP(state[AT(own, me)], INVITING, INVITE_COMMITTED, rung[own], CALLING); epoch[AT(own, me)] = RINGING_EPOCH }
  :: atomic { STEP(state[AT(own, me)], CANCELLING, INVITE_COMMITTED, rung[own], ENDED); epoch[AT(own, me)] = RINGING_EPOCH; hung_up[AT(own, me)] = RINGING_EPOCH }
  :: atomic { STEP(state[AT(own, me)], CALLING, ANSWERED, took[own] == 1 + p || took[own] == 1 + q, ANSWERED); epoch[AT(own, me)] = 1 + took[own];
              STEP(state[AT(own, me)], ANSWERED, DESCRIBE, true, CONNECTING); accepted[own] = epoch[AT(own, me)] }
  :: atomic { STEP(state[AT(own, me)], CONNECTING, ANSWER_DESCRIPTION, described[AT(own, ANSWERER(own, me))], LIVE) }
  :: atomic { STEP(state[AT(own, me)], LOOKING_UP, HANG_UP, HANGS_UP, ENDED) }
  :: atomic { STEP(state[AT(own, me)], INVITING, HANG_UP, HANGS_UP, CANCELLING) }
  :: atomic { STEP(state[AT(own, me)], CALLING, HANG_UP, HANGS_UP, ENDED); hung_up[AT(own, me)] = RINGING_EPOCH }
  :: atomic { STEP(state[AT(own, me)], LIVE, HANG_UP, HANGS_UP, ENDED); hung_up[AT(own, me)] = epoch[AT(own, me)] }
  :: atomic { STEP(state[AT(own, me)], CALLING, HANGUP, HEARS(own, me, p) || HEARS(own, me, q), ENDED) }
  :: atomic { STEP(state[AT(own, me)], CONNECTING, HANGUP, HEARS(own, me, ANSWERER(own, me)), ENDED) }
  :: atomic { STEP(state[AT(own, me)], LIVE, HANGUP, HEARS(own, me, ANSWERER(own, me)), ENDED) }
  :: atomic { STEP(state[AT(own, me)], LOOKING_UP, TIMEOUT, LATE, ENDED) }
  :: atomic { STEP(state[AT(own, me)], INVITING, TIMEOUT, LATE, CANCELLING) }
  :: atomic { STEP(state[AT(own, me)], CANCELLING, TIMEOUT, LATE, ENDED) }
#ifndef MUTANT_CALLS_FOR_EVER
  :: atomic { STEP(state[AT(own, me)], CALLING, TIMEOUT, LATE, ENDED); hung_up[AT(own, me)] = RINGING_EPOCH }
#endif
  :: atomic { STEP(state[AT(own, me)], CONNECTING, TIMEOUT, LATE, ENDED); hung_up[AT(own, me)] = epoch[AT(own, me)] }

  /* an invitation comes, and what becomes of it is settled at once */
  :: atomic { state[AT(in, me)] == NONE && rung[in] -> state[AT(in, me)] = INVITED; epoch[AT(in, me)] = RINGING_EPOCH;
       if
       :: GLARE(own, me) && OWN_WINS(own) /* held back until its own call is answered, or over */
       :: GLARE(own, me) && !OWN_WINS(own) ->
            gave_way = true;
#ifndef MUTANT_KEEPS_BOTH
            if
            :: STEP(state[AT(own, me)], LOOKING_UP, GLARE, true, ENDED)
            :: STEP(state[AT(own, me)], INVITING, GLARE, true, CANCELLING)
            :: STEP(state[AT(own, me)], CALLING, GLARE, true, ENDED); hung_up[AT(own, me)] = RINGING_EPOCH
            fi;
#endif
            STEP(state[AT(in, me)], INVITED, ANSWER, true, ANSWERING); TAKE(in, me)
#ifdef MUTANT_NEVER_BUSY
       :: !GLARE(own, me) -> STEP(state[AT(in, me)], INVITED, RING, true, RINGING)
#else
       :: !GLARE(own, me) && !IS_OVER_AT(own, me) -> STEP(state[AT(in, me)], INVITED, IN_ANOTHER_CALL, true, ENDED)
       :: !GLARE(own, me) && IS_OVER_AT(own, me) -> STEP(state[AT(in, me)], INVITED, RING, true, RINGING)
#endif
       fi }
  :: atomic { STEP(state[AT(in, me)], INVITED, RING, state[AT(own, me)] == ENDED, RINGING) }
  :: atomic { STEP(state[AT(in, me)], INVITED, IN_ANOTHER_CALL, state[AT(own, me)] != ENDED && !UNANSWERED(own, me), ENDED) }
  RINGS_AND_ANSWERS(in, me, sibling, p)
  od
}

init {
  atomic {
    run Placer(A0, A1, X, Y, B0, B1);
    run Placer(B0, B1, Y, X, A0, A1);
    run Ringer(A1, A0, Y, B0);
    run Ringer(B1, B0, X, A0)
  }
}

active proctype Service() {
end:
  do
  :: atomic { invited[X] && !rung[X] -> rung[X] = true }
  :: atomic { invited[Y] && !rung[Y] -> rung[Y] = true }
  od
}

#define TALK(c, by, d) (state[AT(c, by)] == LIVE && state[AT(c, d)] == LIVE && epoch[AT(c, by)] == EPOCH_OF(d))
#define TALKS(c, by, d, e) ((TALK(c, by, d) && IS_OVER_AT(c, e)) || (TALK(c, by, e) && IS_OVER_AT(c, d)))
#define OVER(c, by, d, e) (IS_OVER_AT(c, by) && IS_OVER_AT(c, d) && IS_OVER_AT(c, e))
#define X_TALKS TALKS(X, A0, B0, B1)
#define Y_TALKS TALKS(Y, B0, A0, A1)
#define X_OVER OVER(X, A0, B0, B1)
#define Y_OVER OVER(Y, B0, A0, A1)
#define CALLER_MEDIA(c, by) (state[AT(c, by)] == CONNECTING || state[AT(c, by)] == LIVE)
#define CALLEE_MEDIA(c, d) (state[AT(c, d)] == LIVE)

/* CALL-21: if both call before they hear of each other, the larger call_id becomes the call, and the other one none. Nobody has to do anything for it. */
ltl the_larger_wins { <> (placed[X] && placed[Y]) -> <> [] (Y_TALKS && X_OVER) }

/* CALL-21: whatever people do and whatever comes late, there are never two calls, unless people answer both of them by hand. */
ltl never_two { [] !(X_TALKS && Y_TALKS && !(by_hand[X] && by_hand[Y])) }

/* CALL-18: and no device is ever in both. */
ltl one_call_a_device { [] (!(CALLER_MEDIA(X, A0) && CALLEE_MEDIA(Y, A0)) && !(CALLER_MEDIA(Y, B0) && CALLEE_MEDIA(X, B0))) }

/* CALL-21: a device answers by itself only whom it was calling (-DOTHER_KEY). */
ltl only_whom_it_called { [] !gave_way }

/* CALL-9, CALL-10, CALL-19: whatever people do and whatever comes late, each call becomes one between two devices, or none, at all devices alike. */
ltl one_or_none { <> [] ((X_TALKS || X_OVER) && (Y_TALKS || Y_OVER)) }
