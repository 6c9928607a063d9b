/* What the models of a group call share: the states of e2ee/call/group/states.py, under their names, and how a member moves.

   As in call.pml a STEP is a cell of that table, held against it by tests/models/test_spin_groups.py, and what a mutant adds is a
   MUTANT_STEP. Messages are facts that may be heard at any later time or never, and MLS is taken at its word.
 */

mtype = { OPENING, ASKING, IN_LOBBY, FETCHING, IN_CALL, STRANDED, ENDED };

#define STEP(now_in, from, input, when, to) now_in == from && (when) -> now_in = to
#define MUTANT_STEP STEP
