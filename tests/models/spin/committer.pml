/* The designated committer: who commits what was asked for, when whoever runs the service gives requests and ranks as it likes.

   Shown: GROUP-8, GROUP-23, KEYS-14, KEYS-17.

   Three members, two requests. The service gives each request to whom it likes, or to nobody, at any time and with whatever ranks.

   -DHOSTILE   it shows each member any commit of the member's epoch that it likes, and refuses any, until it falls silent
   otherwise    it keeps the log: of an epoch's commits it takes the first, shows it to all, and refuses the others
   -DTOO_SOON  once for each member it refuses a commit because it came too soon
   -DCLOCKS    the time of every rank comes; otherwise only rank 0 commits
   -DRANKED    each request comes to all, and exactly one has rank 0
 */

#include "group_call.pml"

#define MEMBERS 3
#define EPOCHS 2 /* as many commits as there are requests */
#define NOTHING 0
#if !defined(CLOCKS) || defined(MUTANT_RANK_ZERO_ALONE)
#define RANKS /* otherwise they make no difference */
#endif
#define COMMIT(epoch, m) ((epoch) * MEMBERS + (m))

mtype state[MEMBERS] = IN_CALL;
byte epoch[MEMBERS];
byte knows[MEMBERS];             /* the requests that were given to it: a set of 1 and 2 */
byte settled[MEMBERS];           /* the requests that its log has settled */
byte under_way[MEMBERS];         /* commits of its epoch that it sent and that were neither taken nor refused */
byte sent[EPOCHS * MEMBERS];     /* what a commit settles */
byte followed[EPOCHS * MEMBERS]; /* 1 + the member whose commit of this epoch was applied */
byte given;                      /* the requests that the service has given out */
bool in_vain;                    /* a commit was refused because another one came first */
bool settled_twice;              /* a commit settles again what its log has settled */
#ifdef RANKS
byte first[MEMBERS];             /* the requests at which it has rank 0 */
#endif
#ifdef HOSTILE
bool silent;                     /* from now on it does nothing */
#else
byte logged[EPOCHS];             /* 1 + the member whose commit it took */
#endif
#ifdef TOO_SOON
bool refused_soon[MEMBERS];
#endif
#ifdef MUTANT_FORGETS
byte forgotten[MEMBERS];
#define FORGOTTEN(m) forgotten[m]
#else
#define FORGOTTEN(m) NOTHING
#endif

#define WAITING(m) (knows[m] & ~settled[m])

#if defined(MUTANT_RANK_ZERO_ALONE)
#define TIME_HAS_COME(m) (WAITING(m) & first[m])
#elif defined(MUTANT_ALL_AT_ONCE) || defined(CLOCKS)
#define TIME_HAS_COME(m) WAITING(m)
#else
#define TIME_HAS_COME(m) (WAITING(m) & first[m])
#endif

#if defined(MUTANT_COMMITS_TWICE)
#define MAY_COMMIT(m) (under_way[m] < 2)
#elif defined(MUTANT_NEVER_AGAIN)
#define MAY_COMMIT(m) (under_way[m] == 0 && sent[COMMIT(epoch[m], m)] == NOTHING && !refused_soon[m])
#else
#define MAY_COMMIT(m) (under_way[m] == 0 && sent[COMMIT(epoch[m], m)] == NOTHING)
#endif

#ifdef MUTANT_LOOKS_AT_NO_LOG
#define CONTENT(m) knows[m]
#else
#define CONTENT(m) WAITING(m) /* GROUP-8: all that waits goes into one commit */
#endif

#ifdef HOSTILE
#define SHOWN(m, by) (!silent && sent[COMMIT(epoch[m], by)] != NOTHING)
#define REFUSED_TO(m) (!silent)
#else
#define SHOWN(m, by) (logged[epoch[m]] == 1 + (by))
#define REFUSED_TO(m) (logged[epoch[m]] != 0 && logged[epoch[m]] != 1 + (m))
#endif

inline follow(m, by) {
  settled_twice = settled_twice || (sent[COMMIT(epoch[m], by)] & settled[m]) != 0;
  settled[m] = settled[m] | sent[COMMIT(epoch[m], by)];
  followed[COMMIT(epoch[m], m)] = 1 + by;
  epoch[m]++;
  under_way[m] = 0
#ifdef MUTANT_FORGETS
  ; forgotten[m] = knows[m] & ~settled[m]; knows[m] = NOTHING
#endif
}

inline send(m) {
  sent[COMMIT(epoch[m], m)] = CONTENT(m);
  under_way[m]++
#ifdef MUTANT_APPLIES_ITS_OWN
  ; follow(m, m)
#endif
}

#define FOLLOWS(by) \
  :: atomic { STEP(state[me], IN_CALL, COMMITTED, epoch[me] < EPOCHS && SHOWN(me, by), IN_CALL); follow(me, by) }

proctype Member(byte me) {
end:
  do
  :: atomic { STEP(state[me], IN_CALL, COMMIT_DUE, epoch[me] < EPOCHS && TIME_HAS_COME(me) && MAY_COMMIT(me), IN_CALL); send(me) }
  FOLLOWS(0)
  FOLLOWS(1)
  FOLLOWS(2)
  :: atomic { STEP(state[me], IN_CALL, COMMIT_REFUSED, epoch[me] < EPOCHS && under_way[me] > 0 && REFUSED_TO(me), IN_CALL); under_way[me]--; in_vain = true }
#ifdef TOO_SOON
  :: atomic { STEP(state[me], IN_CALL, COMMIT_REFUSED, epoch[me] < EPOCHS && under_way[me] > 0 && logged[epoch[me]] == 0 && !refused_soon[me], IN_CALL);
              refused_soon[me] = true; under_way[me]--; sent[COMMIT(epoch[me], me)] = NOTHING }
#endif
  od
}

init {
  atomic { run Member(0); run Member(1); run Member(2) }
}

/* A request is given to a member, with rank 0 or another one, or is not. */
#ifdef RANKS
#define RANK_ZERO(request, m) first[m] = first[m] | request
#else
#define RANK_ZERO(request, m) skip
#endif
#ifdef RANKED
#define GIVE(request, m) knows[m] = knows[m] | request; if :: (m) == 0 -> RANK_ZERO(request, m) :: else fi
#else
#define GIVE(request, m) if :: knows[m] = knows[m] | request; if :: RANK_ZERO(request, m) :: skip fi :: skip fi
#endif
#define GIVES(request) \
  :: atomic { (given & request) == 0 -> given = given | request; GIVE(request, 0); GIVE(request, 1); GIVE(request, 2) }

#define TAKES(epoch, by) :: atomic { logged[epoch] == 0 && sent[COMMIT(epoch, by)] != NOTHING -> logged[epoch] = 1 + (by) }

active proctype Service() {
end:
  do
  GIVES(1)
  GIVES(2)
#ifdef HOSTILE
  :: atomic { !silent -> silent = true }
#else
  TAKES(0, 0) TAKES(0, 1) TAKES(0, 2)
  TAKES(1, 0) TAKES(1, 1) TAKES(1, 2)
#endif
  od
}

#define SAME(x, y) ((x) == 0 || (y) == 0 || (x) == (y))
#define AGREE(e) (SAME(followed[COMMIT(e, 0)], followed[COMMIT(e, 1)]) && SAME(followed[COMMIT(e, 1)], followed[COMMIT(e, 2)]) \
                  && SAME(followed[COMMIT(e, 2)], followed[COMMIT(e, 0)]))

#define WAITS_FOR(m) ((knows[m] | FORGOTTEN(m)) & ~settled[m])

/* KEYS-17, KEYS-14: of an epoch at most one commit is applied, the same by everybody, whoever has which rank. */
ltl one_commit_an_epoch { [] (AGREE(0) && AGREE(1)) }

/* GROUP-8, even if the service lies: nobody has two commits of one epoch under way. */
ltl one_under_way { [] (under_way[0] <= 1 && under_way[1] <= 1 && under_way[2] <= 1) }

/* GROUP-8: what a member knows of is settled in the end, whoever has which rank, if the service delivers. */
ltl settled_in_the_end { <> [] (WAITS_FOR(0) == NOTHING && WAITS_FOR(1) == NOTHING && WAITS_FOR(2) == NOTHING) }

/* GROUP-8: nobody commits what the log has settled: a second Add of a device would be invalid. */
ltl settled_once { [] !settled_twice }

/* GROUP-8: with honest ranks and in time no commit is made in vain. */
ltl nobody_in_vain { [] !in_vain }
