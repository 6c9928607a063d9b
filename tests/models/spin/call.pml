/* What the models of a call share: the states of e2ee/call/states.py, under their names, and how a call moves.

   A model describes what devices do by cells of that table only:

     STEP(state variable, state, input, when, next state)

   is executable in that state if `when` holds. tests/models/test_spin.py holds each STEP against the table, so that a model and
   the code cannot drift apart; what a mutant adds is written MUTANT_STEP, and is in no table.

   Messages are facts, not channels: once something was said, it may be heard at any later time, in any order, any number of
   times, or (where the service is hostile) never. MLS is taken at its word: nobody says anything in the name of
   another, and who is not in an epoch opens nothing of it. An epoch is named by the commit that began it, so members who were
   shown different commits are in different epochs. Time is a choice: a deadline may pass whenever CLOCKS says so, before or
   after everything else; what holds for all of these orders holds for the chapter's numbers.
 */

mtype = {
  NONE, /* not in the table: before the call is known here */
  LOOKING_UP, CLAIMING, INVITING, CANCELLING, CALLING, ANSWERED,
  INVITED, RINGING, ANSWERING, ACCEPTING, DESCRIBING,
  CONNECTING, HANDED_OVER, LIVE, ENDED
};

#define STEP(now_in, from, input, when, to) now_in == from && (when) -> now_in = to
#define MUTANT_STEP STEP

#ifdef CLOCKS
#define LATE true
#else
#define LATE false
#endif
