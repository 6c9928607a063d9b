"""A certificate says that a signature key is an account's device, or it is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.errors import DecodeError, E2EEError
from e2ee.identity.account import BACKDATED, CERTIFIED_FOR, AccountKey
from e2ee.identity.attestation import NO_ATTESTATION, AttestationAuthority
from e2ee.identity.device_certificate import (
    MAX_CERTIFICATE,
    Dates,
    DeviceCertificate,
    DeviceStatement,
    Role,
    check_dates,
    verify_certificate,
)
from e2ee.identity.errors import CertificateError, IdentityReason

DAY = 24 * 3600

Issue = Callable[..., bytes]


@pytest.fixture
def statement(alice: AccountKey, device: SigningKey, now: int) -> DeviceStatement:
    """What Alice says of her device, in order."""
    certificate = alice.certify(
        device.public, device_id=3, now=now, versions=[0x0100], suites=[0x0001, 0xF0E2]
    )
    return certificate.statement


@pytest.fixture
def issue(alice: AccountKey, device: SigningKey, statement: DeviceStatement) -> Issue:
    """A certificate that is right but for these fields: Alice signs whatever it says."""

    def signed(**fields: Any) -> bytes:
        changed = replace(statement, **fields)
        return alice.sign(changed, device.public, NO_ATTESTATION).encode()

    return signed


def refusal(identity: bytes, signature_key: bytes) -> str:
    with pytest.raises(CertificateError) as refused:
        verify_certificate(identity, signature_key)
    return refused.value.reason


def test_a_certificate_tells_whose_device_it_is(
    alice: AccountKey, device: SigningKey, authority: AttestationAuthority, now: int
) -> None:
    attestation = authority.attest("alice", alice.public, now)
    certificate = alice.certify(
        device.public,
        device_id=3,
        generation=2,
        now=now,
        versions=[0x0100],
        suites=[0x0001, 0xF0E2],
        roles=Role.BOT | Role.RECORDER,
        attestation=attestation,
    )
    verified = verify_certificate(certificate.encode(), device.public)
    assert verified.account_id == "alice"
    assert verified.account_key == alice.public
    assert verified.signature_key == device.public
    assert (verified.device_id, verified.generation) == (3, 2)
    assert (verified.versions, verified.suites) == ((0x0100,), (0x0001, 0xF0E2))
    assert verified.roles == Role.BOT | Role.RECORDER
    assert verified.certificate.attestation == attestation


def test_the_encoding_is_the_chapters_structure(issue: Issue, alice: AccountKey) -> None:
    identity = issue(roles=4, generation=5)
    fields = (
        b"\x01"  # version
        b"\x05alice"
        + alice.public
        + b"\x00\x00\x00\x03"  # device_id
        + b"\x00\x00\x00\x05"  # generation
        + (1_800_000_000 - BACKDATED).to_bytes(8, "big")
        + (1_800_000_000 + CERTIFIED_FOR).to_bytes(8, "big")
        + b"\x02\x01\x00"  # versions
        + b"\x04\x00\x01\xf0\xe2"  # suites
        + b"\x00\x04"  # roles
    )
    assert identity[: len(fields)] == fields
    assert identity[len(fields) + 64 :] == bytes(1 + 8 + 64)  # no attestation


@pytest.mark.requirement("IDENT-3", "IDENT-13")
def test_the_account_signs_what_the_chapter_says(
    issue: Issue, alice: AccountKey, device: SigningKey
) -> None:
    identity = issue()
    fields, signature = identity[:-137], identity[-137:-73]
    signed = b"E2EE Call 1.0 Device" + fields + b"\x00\x20" + device.public
    ED25519.verify(alice.public, signed, signature)


STRUCTURE: dict[str, tuple[dict[str, Any], IdentityReason]] = {
    "version 0": ({"version": 0}, IdentityReason.BAD_VERSION),
    "version 2": ({"version": 2}, IdentityReason.BAD_VERSION),
    "an account id of no bytes": ({"account_id": b""}, IdentityReason.BAD_ACCOUNT_ID),
    "an account id of 65 bytes": ({"account_id": b"a" * 65}, IdentityReason.BAD_ACCOUNT_ID),
    "an account id that is not UTF-8": ({"account_id": b"\xff"}, IdentityReason.BAD_ACCOUNT_ID),
    "a surrogate": ({"account_id": b"\xed\xa0\x80"}, IdentityReason.BAD_ACCOUNT_ID),
    "an account id in Form D": (
        {"account_id": "e\u0301".encode()},
        IdentityReason.BAD_ACCOUNT_ID,
    ),
    "no versions": ({"versions": ()}, IdentityReason.BAD_VERSIONS),
    "a version twice": ({"versions": (0x0100, 0x0100)}, IdentityReason.BAD_VERSIONS),
    "no suites": ({"suites": ()}, IdentityReason.BAD_SUITES),
    "a suite twice": ({"suites": (1, 0xF0E2, 1)}, IdentityReason.BAD_SUITES),
    "an unassigned role": ({"roles": 8}, IdentityReason.BAD_ROLES),
    "an unassigned role beside others": ({"roles": 0x8007}, IdentityReason.BAD_ROLES),
}


@pytest.mark.requirement("IDENT-1")
@pytest.mark.parametrize(("fields", "reason"), STRUCTURE.values(), ids=STRUCTURE)
def test_a_statement_that_breaks_the_structure_is_refused(
    issue: Issue, device: SigningKey, fields: dict[str, Any], reason: IdentityReason
) -> None:
    assert refusal(issue(**fields), device.public) is reason


UNSHOWABLE = [
    *(range(0x20), range(0x7F, 0xA0), (0x061C, 0x200E, 0x200F, 0x2028, 0x2029)),
    *(range(0x202A, 0x202F), range(0x2066, 0x206A)),
]


@pytest.mark.requirement("IDENT-1")
@pytest.mark.parametrize("character", [chr(each) for row in UNSHOWABLE for each in row], ids=ascii)
def test_an_account_id_plays_no_tricks_on_a_screen(
    issue: Issue, device: SigningKey, character: str
) -> None:
    for account_id in (f"al{character}ice", f"{character}alice", f"alice{character}"):
        refused = refusal(issue(account_id=account_id.encode()), device.public)
        assert refused is IdentityReason.BAD_ACCOUNT_ID


@pytest.mark.requirement("IDENT-1")
@pytest.mark.parametrize(
    "account_id",
    ["a", "a" * 64, "é", "漢" * 21, "🦊" * 16, "al ice\u00a0", "א\u200cب\u200d"],
    ids=["1", "64", "NFC", "63", "64 of 16", "spaces", "joiners"],
)
def test_account_ids_of_one_to_64_bytes_are_accepted(
    issue: Issue, device: SigningKey, account_id: str
) -> None:
    verified = verify_certificate(issue(account_id=account_id.encode()), device.public)
    assert verified.account_id == account_id


@pytest.mark.requirement("IDENT-2")
@pytest.mark.parametrize(
    ("lifetime", "accepted"),
    [(0, True), (30 * DAY, True), (-1, False), (30 * DAY + 1, False), (2**62, False)],
)
def test_a_lifetime_is_at_most_30_days(
    issue: Issue, device: SigningKey, lifetime: int, accepted: bool
) -> None:
    identity = issue(not_before=1000, not_after=1000 + lifetime)
    if accepted:
        verify_certificate(identity, device.public)
    else:
        assert refusal(identity, device.public) is IdentityReason.BAD_LIFETIME


@pytest.mark.requirement("IDENT-3")
def test_a_certificate_is_of_one_signature_key(
    issue: Issue, alice: AccountKey, entropy: SeededEntropy
) -> None:
    other_key = ED25519.generate(entropy.fork(b"another device")).public
    assert refusal(issue(), other_key) is IdentityReason.BAD_ACCOUNT_SIGNATURE
    assert refusal(issue(), alice.public) is IdentityReason.BAD_ACCOUNT_SIGNATURE


@pytest.mark.requirement("IDENT-3")
def test_another_account_cannot_sign_for_alice(
    statement: DeviceStatement, device: SigningKey, entropy: SeededEntropy
) -> None:
    mallory = AccountKey.create("alice", entropy.fork(b"mallory"))
    forged = mallory.sign(statement, device.public, NO_ATTESTATION)
    assert refusal(forged.encode(), device.public) is IdentityReason.BAD_ACCOUNT_SIGNATURE


@pytest.mark.requirement("IDENT-3")
@pytest.mark.parametrize("length", [0, 31, 33, 65_536])
def test_a_signature_key_has_32_bytes(issue: Issue, length: int) -> None:
    assert refusal(issue(), bytes(length)) is IdentityReason.BAD_SIGNATURE_KEY


@pytest.mark.requirement("IDENT-1", "IDENT-3")
def test_every_changed_bit_before_the_attestation_is_noticed(
    issue: Issue, device: SigningKey
) -> None:
    identity = issue()
    for bit in range((len(identity) - 73) * 8):
        changed = bytearray(identity)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((CertificateError, DecodeError)):
            verify_certificate(bytes(changed), device.public)


@given(data=st.binary(max_size=400))
def test_arbitrary_bytes_are_a_certificate_or_refused(data: bytes) -> None:
    try:
        certificate = DeviceCertificate.decode(data)
    except DecodeError:
        pass
    else:
        assert certificate.encode() == data
    with pytest.raises(E2EEError):
        verify_certificate(data, bytes(32))


def test_an_endless_certificate_is_not_looked_at(issue: Issue, device: SigningKey) -> None:
    many = issue(suites=tuple(range(MAX_CERTIFICATE)))
    with pytest.raises(DecodeError):
        verify_certificate(many, device.public)


@pytest.mark.requirement("IDENT-5")
@pytest.mark.parametrize(
    ("dates", "early", "late"),
    [(Dates.COMMITTER, 0, 0), (Dates.RECEIVER, DAY, DAY)],
    ids=["who commits", "who receives"],
)
def test_dates_are_judged_to_the_second(
    issue: Issue, device: SigningKey, dates: Dates, early: int, late: int
) -> None:
    not_before, not_after = 1_000_000, 1_000_000 + DAY
    verified = verify_certificate(issue(not_before=not_before, not_after=not_after), device.public)
    check_dates(verified, (not_before - early) * 1000, dates)
    check_dates(verified, (not_after + late) * 1000 + 999, dates)
    with pytest.raises(CertificateError) as refused:
        check_dates(verified, (not_before - early) * 1000 - 1, dates)
    assert refused.value.reason is IdentityReason.NOT_YET_VALID
    with pytest.raises(CertificateError) as refused:
        check_dates(verified, (not_after + late + 1) * 1000, dates)
    assert refused.value.reason is IdentityReason.EXPIRED


@pytest.mark.requirement("IDENT-6")
def test_an_expired_certificate_still_verifies(issue: Issue, device: SigningKey) -> None:
    """Verification asks for no clock: a leaf does not leave its group when its certificate's time is over."""
    verified = verify_certificate(issue(not_before=0, not_after=1), device.public)
    assert verified.account_id == "alice"
