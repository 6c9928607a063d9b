"""A new device shows a text, the primary seals to it, a person looks at both: or the device stays alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.errors import DecodeError, E2EEError, RemoteProtocolError
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_certificate import DeviceCertificate, Role
from e2ee.identity.device_link import (
    LINK_LIFETIME,
    DeviceLink,
    NewDevice,
    certify_link,
    read_link,
    seal_link,
)
from e2ee.identity.errors import IdentityReason, IdentityUsageError
from e2ee.identity.link_content import (
    MAX_LINK_CONTENT,
    MAX_SEALED,
    ContactFlag,
    LinkContent,
    LinkedContact,
)
from e2ee.identity.safety_number import account_digits

DAY = 24 * 3600 * 1000
SERVER = "calls.example"
BOB = LinkedContact(b"bob", bytes(32), 3, 0xF0E2, int(ContactFlag.VERIFIED))
MALLORY = LinkedContact(b"mallory", None, 0, 0, int(ContactFlag.BLOCKED))

Sealed = Callable[..., bytes]


@pytest.fixture
def new(entropy: SeededEntropy, now: int) -> NewDevice:
    return NewDevice.create(
        versions=[0x0100],
        suites=[0x0001, 0xF0E2],
        roles=Role.RECORDER,
        entropy=entropy.fork(b"new device"),
        now=now,
    )


@pytest.fixture
def link(new: NewDevice) -> DeviceLink:
    """What the primary reads."""
    assert new.link is not None
    return read_link(new.link.text())


@pytest.fixture
def certificate(alice: AccountKey, link: DeviceLink, now: int) -> DeviceCertificate:
    return certify_link(alice, link, device_id=2, generation=5, now=now)


@pytest.fixture
def sealed(link: DeviceLink, certificate: DeviceCertificate, entropy: SeededEntropy) -> Sealed:
    """What Alice's primary seals, but for what the test says."""
    keys = DirectoryKeys({8: bytes(32), 7: bytes([7]) * 32})
    content = LinkContent.of(certificate, SERVER, bytes([9]) * 32, keys, [BOB, MALLORY])

    def seal(**wrong: Any) -> bytes:
        return seal_link(link, replace(content, **wrong), entropy.fork(b"sealing"))

    return seal


def refusal(new: NewDevice, sealed: bytes, now: int, server: str = SERVER) -> str:
    before = new.link
    with pytest.raises(RemoteProtocolError) as refused:
        new.open(sealed, server, now)
    assert new.link is before
    return refused.value.reason


def test_a_device_gets_its_certificate_and_the_contacts(
    new: NewDevice, alice: AccountKey, sealed: Sealed, now: int
) -> None:
    opened = new.open(sealed(), SERVER, now)
    assert opened.account_id == "alice"
    assert opened.account_digits == account_digits("alice", alice.public)
    linked = opened.confirmed()
    certificate = linked.certificate
    assert certificate.signature_key == linked.signing_key.public
    assert (certificate.device_id, certificate.generation) == (2, 5)
    assert (certificate.suites, certificate.roles) == ((0x0001, 0xF0E2), Role.RECORDER)
    assert linked.delivery_key == bytes([9]) * 32
    assert linked.directory_keys.keys == {7: bytes([7]) * 32, 8: bytes(32)}
    bob, mallory = linked.contacts
    assert (bob.verified, bob.blocked, bob.account_key) == (True, False, bytes(32))
    assert (mallory.verified, mallory.blocked, mallory.account_key) == (False, True, None)


def test_nothing_of_it_is_printed(
    new: NewDevice, link: DeviceLink, sealed: Sealed, now: int
) -> None:
    secret = bytes(link.secret)
    opened = new.open(sealed(), SERVER, now)
    printed = repr((new, link, opened, opened.confirmed()))
    assert str(secret) not in printed
    assert secret.hex() not in printed
    assert "contacts" not in repr(opened)


# What a reader refuses


@pytest.mark.requirement("IDENT-20")
def test_a_text_of_another_version(link: DeviceLink) -> None:
    with pytest.raises(E2EEError) as refused:
        read_link(replace(link, version=2).text())
    assert refused.value.reason is IdentityReason.BAD_VERSION


@pytest.mark.requirement("IDENT-20")
@pytest.mark.parametrize(
    "changed",
    [{"signature_key": bytes([1]) * 32}, {"roles": 1}, {"suites": (1,)}, {"versions": (1, 2)}],
)
def test_a_text_that_its_device_did_not_make(link: DeviceLink, changed: dict[str, Any]) -> None:
    with pytest.raises(E2EEError) as refused:
        read_link(replace(link, **changed).text())
    assert refused.value.reason is IdentityReason.BAD_LINK_SIGNATURE


@pytest.mark.requirement("IDENT-20")
def test_each_changed_character_is_noticed(link: DeviceLink) -> None:
    text = link.text()
    for place in range(len(text)):
        other = "A" if text[place] != "A" else "B"
        with pytest.raises(E2EEError):
            read_link(text[:place] + other + text[place + 1 :])


@given(st.text(max_size=60))
def test_no_text_breaks_a_reader(tail: str) -> None:
    with pytest.raises(E2EEError):
        read_link("e2ee-link:" + tail)


def test_what_was_shown_is_judged_as_a_certificate(
    alice: AccountKey, entropy: SeededEntropy, now: int
) -> None:
    made = NewDevice.create(versions=[], suites=[1], entropy=entropy, now=now)
    assert made.link is not None
    with pytest.raises(E2EEError) as refused:
        certify_link(alice, read_link(made.link.text()), device_id=2, generation=0, now=now)
    assert refused.value.reason is IdentityReason.BAD_VERSIONS


# What the new device refuses


@pytest.mark.requirement("IDENT-22")
def test_the_server_changes_any_byte(new: NewDevice, sealed: Sealed, now: int) -> None:
    data = sealed()
    for place in range(0, len(data), 7):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert refusal(new, changed, now) == IdentityReason.LINK_NOT_AUTHENTIC
    for cut in (b"", data[:12], data[:27], data[:-1]):
        assert refusal(new, cut, now) == IdentityReason.LINK_NOT_AUTHENTIC
    new.open(data, SERVER, now)  # it still waits


@pytest.mark.requirement("IDENT-22")
def test_who_does_not_know_the_secret_seals_nothing(
    new: NewDevice,
    link: DeviceLink,
    certificate: DeviceCertificate,
    entropy: SeededEntropy,
    now: int,
) -> None:
    guessed = replace(link, secret=type(link.secret)(bytes(32)))
    assert guessed.link_id != link.link_id
    content = LinkContent.of(certificate, SERVER, bytes(32), DirectoryKeys({}), [])
    sealed = seal_link(guessed, content, entropy)
    assert refusal(new, sealed, now) == IdentityReason.LINK_NOT_AUTHENTIC


@pytest.mark.requirement("IDENT-22")
def test_what_was_sealed_for_another_text_with_this_secret(
    new: NewDevice,
    link: DeviceLink,
    certificate: DeviceCertificate,
    entropy: SeededEntropy,
    now: int,
) -> None:
    """Somebody showed the primary another signature key with the secret of this device."""
    other = replace(link, signature_key=bytes([1]) * 32)
    assert other.link_id == link.link_id
    content = LinkContent.of(certificate, SERVER, bytes(32), DirectoryKeys({}), [])
    sealed = seal_link(other, content, entropy)
    assert refusal(new, sealed, now) == IdentityReason.LINK_NOT_AUTHENTIC


@pytest.mark.requirement("IDENT-22")
def test_a_certificate_for_another_key(
    new: NewDevice, alice: AccountKey, device: SigningKey, sealed: Sealed, now: int
) -> None:
    other = alice.certify(device.public, device_id=2, now=now, versions=[1], suites=[1])
    reason = refusal(new, sealed(certificate=other.encode()), now)
    assert reason == IdentityReason.BAD_ACCOUNT_SIGNATURE


@pytest.mark.requirement("IDENT-22")
@pytest.mark.parametrize(
    "other", [{"versions": [1]}, {"suites": [1]}, {"roles": Role.NONE}, {"roles": Role.BOT}]
)
def test_a_certificate_of_what_was_not_shown(
    new: NewDevice,
    link: DeviceLink,
    alice: AccountKey,
    sealed: Sealed,
    now: int,
    other: dict[str, Any],
) -> None:
    shown: dict[str, Any] = {
        "versions": link.versions,
        "suites": link.suites,
        "roles": Role(link.roles),
    }
    certificate = alice.certify(link.signature_key, device_id=2, now=now, **shown | other)
    reason = refusal(new, sealed(certificate=certificate.encode()), now)
    assert reason == IdentityReason.LINK_NOT_AS_SHOWN


@pytest.mark.requirement("IDENT-22")
@pytest.mark.parametrize(
    ("late", "reason"),
    [(-3 * DAY, IdentityReason.EXPIRED), (3 * DAY, IdentityReason.NOT_YET_VALID)],
)
def test_a_certificate_that_is_out_of_date(
    new: NewDevice,
    link: DeviceLink,
    alice: AccountKey,
    sealed: Sealed,
    now: int,
    late: int,
    reason: IdentityReason,
) -> None:
    made_at = now + late - (28 * DAY if late < 0 else 0)
    certificate = certify_link(alice, link, device_id=2, generation=0, now=made_at)
    assert refusal(new, sealed(certificate=certificate.encode()), now) == reason


@pytest.mark.requirement("IDENT-22")
def test_what_is_for_another_server(new: NewDevice, sealed: Sealed, now: int) -> None:
    assert refusal(new, sealed(), now, "calls.example.org") == IdentityReason.WRONG_SERVER


@pytest.mark.requirement("IDENT-22")
@pytest.mark.parametrize(
    "contacts",
    [
        (BOB, BOB),
        (replace(MALLORY, flags=4),),
        (replace(MALLORY, flags=1),),
        (replace(BOB, account_id=b"\xff"),),
    ],
)
def test_contacts_out_of_order(
    new: NewDevice, sealed: Sealed, now: int, contacts: tuple[LinkedContact, ...]
) -> None:
    assert refusal(new, sealed(contacts=contacts), now) == IdentityReason.BAD_CONTACTS


@pytest.mark.requirement("IDENT-22")
def test_what_opens_and_is_no_content(
    new: NewDevice, link: DeviceLink, entropy: SeededEntropy, now: int
) -> None:
    with pytest.raises(DecodeError):
        new.open(link.seal(b"no content", entropy), SERVER, now)


# Once, and not for long


@pytest.mark.requirement("IDENT-17")
def test_the_secret_is_gone_when_it_was_used(new: NewDevice, sealed: Sealed, now: int) -> None:
    new.open(sealed(), SERVER, now)
    assert new.link is None
    assert refusal(new, sealed(), now) == IdentityReason.LINK_EXPIRED


@pytest.mark.requirement("IDENT-17")
def test_the_secret_is_gone_after_ten_minutes(new: NewDevice, sealed: Sealed, now: int) -> None:
    new.handle_timer(now + LINK_LIFETIME - 1)
    assert new.link is not None
    with pytest.raises(E2EEError) as refused:
        new.open(sealed(), SERVER, now + 600_000)
    assert refused.value.reason is IdentityReason.LINK_EXPIRED
    assert new.link is None


@pytest.mark.requirement("IDENT-17")
def test_each_device_has_a_secret_of_its_own(entropy: SeededEntropy, now: int) -> None:
    shown = [
        NewDevice.create(versions=[1], suites=[1], entropy=entropy, now=now).link for _ in range(9)
    ]
    secrets = {bytes(link.secret) for link in shown if link}
    assert len(secrets) == 9
    assert {len(secret) for secret in secrets} == {32}


@pytest.mark.requirement("IDENT-21")
def test_two_who_read_one_text_use_two_nonces(
    link: DeviceLink, certificate: DeviceCertificate, entropy: SeededEntropy
) -> None:
    content = LinkContent.of(certificate, SERVER, bytes(32), DirectoryKeys({}), [])
    sealed = [seal_link(link, content, entropy) for _ in range(2)]
    assert sealed[0][:12] != sealed[1][:12]
    assert sealed[0][12:] != sealed[1][12:]


@pytest.mark.requirement("IDENT-21")
def test_of_too_many_contacts_those_that_people_judged_go_first(
    new: NewDevice,
    link: DeviceLink,
    certificate: DeviceCertificate,
    entropy: SeededEntropy,
    now: int,
) -> None:
    strangers = [LinkedContact(f"{n}".encode(), bytes(32), 0, 0, 0) for n in range(3000)]
    content = LinkContent.of(
        certificate, SERVER, bytes(32), DirectoryKeys({}), [*strangers, BOB, MALLORY]
    )
    sealed = seal_link(link, content, entropy)
    assert MAX_SEALED - 100 < len(sealed) <= MAX_SEALED
    contacts = new.open(sealed, SERVER, now).confirmed().contacts
    assert contacts[:2] == (BOB, MALLORY)
    assert contacts[2:] == tuple(strangers[: len(contacts) - 2])


@pytest.mark.requirement("IDENT-21")
def test_too_many_contacts(sealed: Sealed) -> None:
    many = tuple(
        LinkedContact(f"contact {number}".encode(), bytes(32), 0, 0, 0)
        for number in range(MAX_LINK_CONTENT // 50)
    )
    with pytest.raises(IdentityUsageError) as refused:
        sealed(contacts=many)
    assert refused.value.reason is IdentityReason.LINK_TOO_LARGE


@pytest.mark.requirement("IDENT-23")
def test_who_photographed_the_text_offers_another_account(
    new: NewDevice, link: DeviceLink, alice: AccountKey, entropy: SeededEntropy, now: int
) -> None:
    """It opens: so a person must see whose it is, and until then gets the name and the digits alone."""
    impostor = AccountKey("alice", ED25519.generate(entropy.fork(b"impostor")))
    certificate = certify_link(impostor, link, device_id=2, generation=0, now=now)
    content = LinkContent.of(certificate, SERVER, bytes(32), DirectoryKeys({}), [])
    opened = new.open(seal_link(link, content, entropy), SERVER, now)
    assert opened.account_digits != account_digits("alice", alice.public)
    public = {name for name in dir(opened) if not name.startswith("_")}
    assert public == {"account_id", "account_digits", "confirmed"}
