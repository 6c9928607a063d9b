"""The version of a call: the highest that everybody speaks, and no lower one, whoever says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.profile.versions import check_group_version, choose_group_version

OLD, NOW, NEXT = 0x0100, 0x0101, 0x0200

VERSION = st.integers(0, (1 << 16) - 1) | st.sampled_from([OLD, NOW, NEXT])
VERSIONS = st.frozensets(VERSION, max_size=6)
CERTIFICATES = st.lists(VERSIONS, max_size=4)


@pytest.mark.requirement("KEYS-18")
@pytest.mark.parametrize(
    ("own", "others", "chosen"),
    [
        ([OLD], [[OLD]], OLD),
        ([OLD, NOW, NEXT], [[NOW, OLD], [OLD, NOW]], NOW),
        ([OLD, NOW], [[OLD, NOW, NEXT], [OLD]], OLD),
        ([NEXT, OLD], [[OLD, NOW, NEXT]], NEXT),
        ([OLD, NOW], [], NOW),
    ],
)
def test_the_caller_takes_the_highest_that_all_speak(
    own: list[int], others: list[list[int]], chosen: int
) -> None:
    assert choose_group_version(own, others) == chosen


@pytest.mark.requirement("KEYS-18")
@pytest.mark.parametrize(
    ("own", "others"),
    [([OLD], [[NEXT]]), ([OLD, NOW], [[OLD], [NOW]]), ([], [[OLD]]), ([OLD], [[]])],
)
def test_without_a_common_version_there_is_no_call(own: list[int], others: list[list[int]]) -> None:
    with pytest.raises(ProfileError) as refused:
        choose_group_version(own, others)
    assert refused.value.reason is ProfileReason.NO_COMMON_VERSION


@pytest.mark.requirement("KEYS-18")
@pytest.mark.parametrize("version", [OLD, NEXT, 0])
def test_another_version_than_the_highest_of_all_members_is_refused(version: int) -> None:
    """Also a higher one, which somebody does not speak."""
    everybody = [[OLD, NOW], [OLD, NOW, NEXT]]
    check_group_version(NOW, [OLD, NOW], everybody, minimum=OLD)
    with pytest.raises(ProfileError) as refused:
        check_group_version(version, [OLD, NOW], everybody, minimum=0)
    assert refused.value.reason is ProfileReason.VERSION_TOO_LOW


@pytest.mark.requirement("KEYS-18")
def test_a_version_below_the_own_minimum_is_refused_though_it_is_the_highest() -> None:
    check_group_version(OLD, [OLD], [[OLD]], minimum=OLD)
    with pytest.raises(ProfileError) as refused:
        check_group_version(OLD, [OLD], [[OLD]], minimum=NOW)
    assert refused.value.reason is ProfileReason.VERSION_TOO_LOW


@pytest.mark.requirement("KEYS-18")
@given(own=VERSIONS, certificates=CERTIFICATES)
def test_what_is_chosen_everybody_speaks_and_nothing_higher(
    own: frozenset[int], certificates: list[frozenset[int]]
) -> None:
    common = own.intersection(*certificates)
    try:
        chosen = choose_group_version(own, certificates)
    except ProfileError as refused:
        assert refused.reason is ProfileReason.NO_COMMON_VERSION
        assert not common
    else:
        assert chosen in common
        assert not any(version > chosen for version in common)


EVERYBODY = st.builds(
    lambda shared, listed: [each | {shared} for each in listed],
    VERSION,
    st.lists(VERSIONS, min_size=2, max_size=5),
)
"""What the certificates of all members list, the caller's first; there is something that they have in common."""


@pytest.mark.requirement("KEYS-18")
@given(everybody=EVERYBODY, minimum=VERSION)
def test_a_callee_takes_what_an_honest_caller_chose_and_nothing_else(
    everybody: list[frozenset[int]], minimum: int
) -> None:
    """Each device of the callee judges by the certificates of all members, itself and the caller among them."""
    caller, *callees = everybody
    chosen = choose_group_version(caller, callees)
    for own in callees:
        for version in {chosen, *caller, *own}:
            try:
                check_group_version(version, own, everybody, minimum)
            except ProfileError as refused:
                assert refused.reason is ProfileReason.VERSION_TOO_LOW
                assert version != chosen or chosen < minimum
            else:
                assert version == chosen >= minimum


@pytest.mark.requirement("KEYS-18")
@given(everybody=EVERYBODY, more=st.data())
def test_certificates_that_list_more_lead_nobody_to_a_lower_version(
    everybody: list[frozenset[int]], more: st.DataObject
) -> None:
    place = more.draw(st.integers(0, len(everybody) - 1))
    grown = [*everybody]
    grown[place] = grown[place] | more.draw(VERSIONS)
    before, after = (choose_group_version(each[0], each[1:]) for each in (everybody, grown))
    assert after >= before
