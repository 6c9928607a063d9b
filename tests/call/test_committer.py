"""When each member commits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.call.committer import commit_due_at
from e2ee.call.configuration import MAX_EPOCH_LIFETIME, RANK_DELAY


def dues(epoch: int, members: int, applied_at: int = 0, lifetime: int = 600_000) -> list[int]:
    return [
        commit_due_at(
            epoch=epoch,
            applied_at=applied_at,
            rank=rank,
            member_count=members,
            epoch_lifetime=lifetime,
        )
        for rank in range(members)
    ]


@pytest.mark.requirement("KEYS-15")
def test_of_two_members_each_has_every_other_epoch() -> None:
    assert dues(epoch=2, members=2) == [600_000, 601_500]
    assert dues(epoch=3, members=2) == [601_500, 600_000]
    assert dues(epoch=4, members=2, applied_at=7) == [600_007, 601_507]


@pytest.mark.requirement("KEYS-15")
@given(
    epoch=st.integers(2, 1 << 64),
    members=st.integers(1, 64),
    applied_at=st.integers(0, 1 << 48),
    lifetime=st.integers(1, MAX_EPOCH_LIFETIME),
)
def test_the_rank_of_the_epoch_is_first_and_the_others_follow_one_by_one(
    epoch: int, members: int, applied_at: int, lifetime: int
) -> None:
    due = dues(epoch, members, applied_at, lifetime)
    first = epoch % members
    assert due[first] == applied_at + lifetime <= applied_at + 600_000
    order = [due[(first + turn) % members] for turn in range(members)]
    assert order == [due[first] + turn * RANK_DELAY for turn in range(members)]
