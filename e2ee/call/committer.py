"""Who makes the timed commit, and when (KEYS-15).

    rank      position among the occupied leaves, from the left
    turn      (rank - epoch) mod members: 0 commits when the epoch has lasted its lifetime, 1 a little later, ...

So every member's keys heal in turn, and an epoch ends even if the member whose turn it is does not act.
"""

from __future__ import annotations

from e2ee.call.configuration import RANK_DELAY

__all__ = ["commit_due_at"]


def commit_due_at(
    *, epoch: int, applied_at: int, rank: int, member_count: int, epoch_lifetime: int
) -> int:
    """When the member of ``rank`` commits, unless another did before. Times in milliseconds."""
    turn = (rank - epoch) % member_count
    return applied_at + epoch_lifetime + turn * RANK_DELAY
