"""Suites come in pairs, in the order of the chapter's table, and the highest that all have is taken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from e2ee.crypto.cipher_suite import CIPHER_SUITES
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.profile.suites import SUITES, check_group_suite, choose_suite, sframe_suite

CHAPTER = Path(__file__).parents[2] / "spec" / "key-agreement.md"

LOW, HIGH = 0x0001, 0xF0E2


@pytest.mark.requirement("KEYS-1")
def test_the_pairs_are_the_table_of_the_chapter() -> None:
    row = re.compile(r"^\| `(0x[0-9A-F]{4})` \|.*\| `(0x[0-9A-F]{4})` \w+ \|$", re.MULTILINE)
    table = [(int(mls, 16), int(sframe, 16)) for mls, sframe in row.findall(CHAPTER.read_text())]
    assert table == [(suite.mls, suite.sframe) for suite in SUITES]
    assert {suite.mls for suite in SUITES} <= set(CIPHER_SUITES)


@pytest.mark.requirement("KEYS-1")
def test_an_mls_suite_has_one_sframe_suite() -> None:
    assert (sframe_suite(LOW), sframe_suite(HIGH)) == (0x0004, 0x0005)
    for unpaired in {0x0000, 0xF0E1, 0xFFFF, *CIPHER_SUITES} - {LOW, HIGH}:
        with pytest.raises(ProfileError) as refused:
            sframe_suite(unpaired)
        assert refused.value.reason is ProfileReason.UNPAIRED_SUITE


@pytest.mark.requirement("KEYS-1")
@pytest.mark.parametrize("suite", sorted(set(CIPHER_SUITES) - {LOW, HIGH}))
def test_what_mls_has_beside_is_for_no_call(suite: int) -> None:
    """Though everybody lists it, and though the minimum is below all."""
    listed = [suite, LOW]
    assert choose_suite(listed, [listed]) == LOW
    with pytest.raises(ProfileError) as refused:
        choose_suite([suite], [[suite]])
    assert refused.value.reason is ProfileReason.NO_COMMON_SUITE
    for group, minimum in ((suite, LOW), (LOW, suite)):
        with pytest.raises(ProfileError) as refused:
            check_group_suite(group, listed, [listed], minimum)
        assert refused.value.reason is ProfileReason.UNPAIRED_SUITE


@pytest.mark.requirement("KEYS-2")
@pytest.mark.parametrize(
    ("own", "others", "chosen"),
    [
        ([LOW, HIGH], [[HIGH, LOW], [LOW, HIGH]], HIGH),
        ([LOW, HIGH], [[LOW, HIGH], [LOW]], LOW),
        ([LOW], [[LOW, HIGH]], LOW),
        ([HIGH], [[HIGH]], HIGH),
        ([LOW, HIGH, 0x0002], [[0x0002, 0xFFFF, LOW, HIGH]], HIGH),
    ],
)
def test_the_caller_takes_the_highest_that_all_have(
    own: list[int], others: list[list[int]], chosen: int
) -> None:
    assert choose_suite(own, others) == chosen


@pytest.mark.requirement("KEYS-2")
@pytest.mark.parametrize(
    ("own", "others"), [([LOW], [[HIGH]]), ([LOW, HIGH], [[LOW], [HIGH]]), ([], [[LOW]])]
)
def test_without_a_common_suite_there_is_no_call(own: list[int], others: list[list[int]]) -> None:
    with pytest.raises(ProfileError) as refused:
        choose_suite(own, others)
    assert refused.value.reason is ProfileReason.NO_COMMON_SUITE


@pytest.mark.requirement("KEYS-2")
def test_a_lower_suite_than_all_members_have_is_refused() -> None:
    both = [LOW, HIGH]
    check_group_suite(HIGH, both, [both, both], minimum=LOW)
    check_group_suite(LOW, both, [both, [LOW]], minimum=LOW)
    check_group_suite(LOW, [LOW], [both, both], minimum=LOW)
    with pytest.raises(ProfileError) as refused:
        check_group_suite(LOW, both, [both, both], minimum=LOW)
    assert refused.value.reason is ProfileReason.SUITE_TOO_LOW


@pytest.mark.requirement("KEYS-2")
def test_a_suite_below_the_own_minimum_is_refused() -> None:
    both = [LOW, HIGH]
    check_group_suite(HIGH, both, [both], minimum=HIGH)
    with pytest.raises(ProfileError) as refused:
        check_group_suite(LOW, both, [both, [LOW]], minimum=HIGH)
    assert refused.value.reason is ProfileReason.SUITE_TOO_LOW
