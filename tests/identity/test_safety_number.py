"""The safety number is the same for both, differs for other keys, and is computed as the chapter says."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2ee.identity.safety_number import safety_number

ALICE = ("alice", bytes(range(32)))
BOB = ("bob", bytes(range(32, 64)))


def half_by_the_chapter(account_id: str, account_key: bytes) -> str:
    h = hashlib.sha512(b"\x00\x01" + account_key + account_id.encode()).digest()
    for _ in range(1, 5201):
        h = hashlib.sha512(h + account_key).digest()
    return "".join(f"{int(h[i : i + 5].hex(), 16) % 100_000:05d}" for i in (0, 5, 10, 15, 20, 25))


@pytest.mark.requirement("IDENT-12")
def test_it_is_the_two_halves_the_smaller_first() -> None:
    smaller, larger = sorted([half_by_the_chapter(*ALICE), half_by_the_chapter(*BOB)])
    assert safety_number(ALICE, BOB) == smaller + larger
    assert safety_number(BOB, ALICE) == smaller + larger


@pytest.mark.requirement("IDENT-12")
def test_another_key_or_another_name_gives_another_number() -> None:
    numbers = {
        safety_number(ALICE, BOB),
        safety_number(ALICE, ("bob", bytes(32))),
        safety_number(ALICE, ("bobby", BOB[1])),
        safety_number(("alice", bytes(32)), BOB),
    }
    assert len(numbers) == 4


@pytest.mark.requirement("IDENT-12")
@settings(max_examples=10)
@given(st.text(min_size=1, max_size=16), st.binary(min_size=32, max_size=32))
def test_it_has_60_digits_and_no_order(account_id: str, account_key: bytes) -> None:
    number = safety_number(ALICE, (account_id, account_key))
    assert len(number) == 60
    assert number.isdigit()
    assert number == safety_number((account_id, account_key), ALICE)
