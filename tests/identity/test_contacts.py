"""What a client knows of people beside their keys: blocks, the suites that they had, spoken codes that were tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.trust import (
    CODE_ATTEMPTS,
    Contact,
    ContactState,
    MemoryTrustStore,
    Trust,
)

Certify = Callable[..., VerifiedCertificate]

HOUR = 3600 * 1000
LOW, HIGH = 0x0001, 0xF0E2
ORDER = (LOW, HIGH)


def test_everybody_of_whom_something_is_known_is_listed(trust: Trust, alice: AccountKey) -> None:
    trust.block("mallory")
    trust.mark_verified("alice", alice.public)
    assert [(each.account_id, each.state) for each in trust.contacts()] == [
        ("alice", ContactState.VERIFIED),
        ("mallory", None),
    ]
    assert trust.contact("nobody") == Contact("nobody")
    assert "nobody" not in [each.account_id for each in trust.contacts()]


def test_a_block_is_the_accounts_and_outlives_its_key(
    trust: Trust, certify: Certify, alice: AccountKey, other_alice: AccountKey, now: int
) -> None:
    trust.block("alice")
    trust.accept(certify(alice), now)
    trust.accept_change(certify(other_alice), now)
    trust.mark_verified("alice", other_alice.public)
    assert trust.is_blocked("alice")
    trust.unblock("alice")
    assert not trust.is_blocked("alice")
    assert trust.contact("alice") == Contact("alice", other_alice.public, verified=True)


def test_a_block_pins_nobody(trust: Trust, certify: Certify, alice: AccountKey, now: int) -> None:
    trust.block("alice")
    trust.unblock("alice")
    assert trust.judge(certify(alice), now) is ContactState.UNVERIFIED
    assert trust.contact("alice").account_key is None


@pytest.mark.parametrize(
    ("listed", "offered"),
    [
        ([(LOW, HIGH)], HIGH),
        ([(HIGH, LOW), (LOW, HIGH)], HIGH),
        ([(LOW, HIGH), (LOW,)], LOW),
        ([(LOW,)], LOW),
        ([(0x0002,)], 0),
        ([(LOW, 0x0002), (0x0002, HIGH)], 0),
    ],
)
def test_what_an_account_offers_is_what_all_of_its_devices_have(
    trust: Trust,
    certify: Certify,
    alice: AccountKey,
    now: int,
    listed: Sequence[Sequence[int]],
    offered: int,
) -> None:
    certificates = [certify(alice, suites=suites) for suites in listed]
    trust.accept(certificates[0], now)
    assert trust.note_suites(certificates, ORDER) == 0
    assert trust.contact("alice").highest_suite == offered


def test_who_had_a_higher_suite_and_offers_it_no_more_draws_a_warning(
    trust: Trust, certify: Certify, alice: AccountKey, now: int
) -> None:
    lower, both = certify(alice, suites=[LOW]), certify(alice, suites=[LOW, HIGH])
    trust.accept(both, now)
    assert trust.note_suites([lower], ORDER) == 0  # nothing higher was ever seen
    assert trust.note_suites([both], ORDER) == 0
    for _ in range(2):  # and again: what was seen is not forgotten by being missed
        assert trust.note_suites([lower], ORDER) == HIGH
        assert trust.note_suites([both, lower], ORDER) == HIGH
    assert trust.note_suites([both], ORDER) == 0


def test_only_a_pinned_key_says_what_an_account_has(
    trust: Trust,
    store: MemoryTrustStore,
    certify: Certify,
    alice: AccountKey,
    other_alice: AccountKey,
    now: int,
) -> None:
    """Else a stranger could make every later call of somebody draw a warning."""
    assert trust.note_suites([certify(alice, suites=[HIGH])], ORDER) == 0
    assert store == MemoryTrustStore()
    trust.accept(certify(alice, suites=[LOW]), now)
    assert trust.note_suites([certify(other_alice, suites=[HIGH])], ORDER) == 0
    assert trust.contact("alice").highest_suite == 0


def test_a_spoken_code_is_tried_three_times_in_a_day(trust: Trust, now: int) -> None:
    for hour in range(CODE_ATTEMPTS):
        assert trust.code_attempts_left("alice", now + hour * HOUR) == CODE_ATTEMPTS - hour
        trust.note_code_attempt("alice", now + hour * HOUR)
    assert trust.code_attempts_left("alice", now + 24 * HOUR - 1) == 0
    assert trust.code_attempts_left("alice", now + 24 * HOUR) == 1
    assert trust.code_attempts_left("bob", now) == CODE_ATTEMPTS


def test_attempts_beyond_the_third_count_from_the_last_three(trust: Trust, now: int) -> None:
    for minute in range(10):
        trust.note_code_attempt("alice", now + minute)
    assert trust.contact("alice").code_attempts == (now + 7, now + 8, now + 9)
    assert trust.code_attempts_left("alice", now + 24 * HOUR + 6) == 0


def test_a_clock_that_is_set_back_gives_no_attempt_away(trust: Trust, now: int) -> None:
    for _ in range(CODE_ATTEMPTS):
        trust.note_code_attempt("alice", now)
    assert trust.code_attempts_left("alice", now - 48 * HOUR) == 0


def test_attempts_stay_when_the_key_changes(
    trust: Trust, certify: Certify, alice: AccountKey, other_alice: AccountKey, now: int
) -> None:
    trust.accept(certify(alice), now)
    trust.note_code_attempt("alice", now)
    trust.accept_change(certify(other_alice), now)
    assert trust.code_attempts_left("alice", now) == CODE_ATTEMPTS - 1
