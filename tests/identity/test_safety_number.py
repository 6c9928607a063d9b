"""The safety number, in digits and scanned: the same for both, another for other keys, computed as the chapter says."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2ee.errors import DecodeError, E2EEError
from e2ee.identity.safety_number import (
    Compared,
    account_digits,
    compare_safety_code,
    safety_code,
    safety_number,
)
from e2ee.identity.text_form import from_text, to_text

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


@pytest.mark.requirement("IDENT-12")
def test_an_account_has_its_half_in_every_number() -> None:
    assert account_digits(*ALICE) == half_by_the_chapter(*ALICE)
    assert account_digits(*ALICE) in safety_number(ALICE, BOB)


# Scanned

OTHER_ALICE, OTHER_BOB = ("alice", bytes([1]) * 32), ("bob", bytes([2]) * 32)


@pytest.mark.requirement("VERIFY-1", "VERIFY-2")
def test_two_phones_that_scan_each_other() -> None:
    assert compare_safety_code(safety_code(ALICE, BOB), own=BOB, contact=ALICE) is Compared.SAME
    assert compare_safety_code(safety_code(BOB, ALICE), own=ALICE, contact=BOB) is Compared.SAME


@pytest.mark.requirement("VERIFY-2")
@pytest.mark.parametrize(
    ("own", "contact", "compared"),
    [
        (ALICE, OTHER_BOB, Compared.CONTACT_DIFFERS),
        (OTHER_ALICE, BOB, Compared.OWN_DIFFERS),
        (OTHER_ALICE, OTHER_BOB, Compared.BOTH_DIFFER),
        (ALICE, ("carol", BOB[1]), Compared.OTHER_ACCOUNTS),
        (("alicia", ALICE[1]), BOB, Compared.OTHER_ACCOUNTS),
    ],
)
def test_alice_scans_what_bob_shows_and_knows_something_else(
    own: tuple[str, bytes], contact: tuple[str, bytes], compared: Compared
) -> None:
    assert compare_safety_code(safety_code(BOB, ALICE), own, contact) is compared


@pytest.mark.requirement("VERIFY-2")
def test_a_server_in_the_middle_is_seen_on_both_sides() -> None:
    shown_to_alice, shown_to_bob = safety_code(BOB, OTHER_ALICE), safety_code(ALICE, OTHER_BOB)
    seen_by_alice = compare_safety_code(shown_to_alice, own=ALICE, contact=OTHER_BOB)
    seen_by_bob = compare_safety_code(shown_to_bob, own=BOB, contact=OTHER_ALICE)
    assert seen_by_alice is seen_by_bob is Compared.BOTH_DIFFER


@pytest.mark.requirement("VERIFY-2")
def test_ones_own_code_is_not_the_others() -> None:
    assert compare_safety_code(safety_code(ALICE, BOB), ALICE, BOB) is Compared.OTHER_ACCOUNTS


@pytest.mark.requirement("VERIFY-1")
def test_a_code_of_another_version_or_cut() -> None:
    data = from_text("e2ee-safety:", safety_code(ALICE, BOB))
    for changed in (b"\x02" + data[1:], data[:-1], data + b"\x00", b""):
        with pytest.raises(DecodeError):
            compare_safety_code(to_text("e2ee-safety:", changed), BOB, ALICE)


@given(st.text(max_size=40))
def test_no_text_breaks_a_reader(tail: str) -> None:
    with pytest.raises(E2EEError):
        compare_safety_code("e2ee-safety:" + tail, ALICE, BOB)
