"""The times and numbers that the chapter Group calls fixes for everybody; times in milliseconds."""

from __future__ import annotations

__all__ = [
    "ASK_AGAIN",
    "ASK_AGAIN_IN_LOBBY",
    "COMMIT_PAUSE",
    "FETCH_TIMEOUT",
    "JOIN_AGE",
    "MAX_BYTES_FOR_LATER",
    "MAX_INVALID_COMMITS",
    "MAX_KEPT_FOR_LATER",
    "MAX_KNOCKS",
    "MAX_PROPOSALS",
    "MAX_REQUESTS",
    "MAX_TREE",
    "REMOVAL_TIMEOUT",
    "VOID_TIMEOUT",
]

ASK_AGAIN = 3_000
"""GROUP-7: after how long who was not added asks again."""

ASK_AGAIN_IN_LOBBY = 45_000
"""GROUP-7: the same in the lobby."""

JOIN_AGE = 60_000
"""GROUP-9: how old a request may be, and how far ahead of a committer's clock."""

COMMIT_PAUSE = 1_000
"""GROUP-23: how long after an epoch was applied the next commit is made, unless a host removes somebody."""

REMOVAL_TIMEOUT = 3_000
"""GROUP-15: how long after `removing` a member still sends while the log shows no removal."""

VOID_TIMEOUT = 8_000
"""GROUP-20: how long a member waits for `voided` before it joins anew."""

MAX_INVALID_COMMITS = 3
"""GROUP-20: so many commits that cannot be followed end the call."""

FETCH_TIMEOUT = 30_000
"""How long a joiner waits for the tree of its group before it asks to be added anew."""

MAX_TREE = 8 << 20
"""GROUP-11: the largest encoding of a tree that a joiner takes, in bytes: 1,024 leaves of the larger suite, twice."""

MAX_KEPT_FOR_LATER = 1_000
"""How many messages of the call a joiner keeps until it has the tree."""

MAX_BYTES_FOR_LATER = 8 << 20
"""How many bytes they have at most."""

MAX_PROPOSALS = 64
"""DS-7: of a commit."""

MAX_REQUESTS = 256
"""How many requests to join wait at a member, and GoneStatements; who asks in vain asks again."""

MAX_KNOCKS = 100
"""How many devices wait in the lobby, at a host."""
