"""Certificates, links and codes: what people and directories hand to a device."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from random import Random

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.errors import DecodeError
from e2ee.identity import text_form
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_certificate import (
    Dates,
    DeviceCertificate,
    check_dates,
    verify_certificate,
)
from e2ee.identity.device_link import DeviceLink, NewDevice, certify_link, read_link
from e2ee.identity.errors import CertificateError, LinkError
from e2ee.identity.labels import SignatureLabel, sign_labelled
from e2ee.identity.link_content import LinkContent, LinkedContact
from e2ee.identity.renewal import newer_certificate
from e2ee.identity.safety_number import compare_safety_code, safety_code
from tests.fuzz.corpus import all_of, from_vectors, text_from_vectors
from tests.fuzz.structure_mutation import changed, mutation_of
from tests.fuzz.target import Faulty, reads_back, refused, target

NOW = 1_800_000_000_000
ALICE = AccountKey.create("alice", SeededEntropy(b"fuzz alice"))
DEVICE = ED25519.generate(SeededEntropy(b"fuzz device"))
NEW_DEVICE = ED25519.generate(SeededEntropy(b"fuzz new device"))
SERVER = "calls.example"


@cache
def _certificate() -> bytes:
    return ALICE.certify(
        DEVICE.public, device_id=1, now=NOW, versions=[0x0100], suites=[0x0001]
    ).encode()


def _signed_again(certificate: DeviceCertificate) -> DeviceCertificate:
    return ALICE.sign(certificate.statement, DEVICE.public, certificate.attestation)


@target(
    "certificate",
    seeds=all_of(lambda: [_certificate()], from_vectors("identity", "identity")),
    longest=1 << 13,
    mutate=mutation_of(DeviceCertificate, _signed_again),
)
def certificate(data: bytes) -> bool:
    """A DeviceCertificate in a leaf: whose it is, from when to when, and whether a device takes it for its own."""
    reads_back(data, DeviceCertificate.decode, DeviceCertificate.encode, DecodeError)
    try:
        verified = verify_certificate(data, DEVICE.public)
    except (DecodeError, CertificateError) as error:
        return refused(error)
    if verified.account_key == ALICE.public and verified.certificate.encode() != data:
        raise Faulty("another certificate was verified")
    DirectoryKeys({0: DEVICE.public}).attests(verified, NOW)
    try:
        check_dates(verified, NOW, Dates.RECEIVER)
        newer_certificate(verify_certificate(_certificate(), DEVICE.public), data)
    except CertificateError as error:
        refused(error)
    return True


@cache
def _new_device() -> NewDevice:
    return NewDevice.create(
        versions=[0x0100], suites=[0x0001], entropy=SeededEntropy(b"fuzz link"), now=NOW
    )


def _link() -> DeviceLink:
    link = _new_device().link
    if link is None:
        raise Faulty("the link was used up")
    return link


def _link_signed(data: bytes, chance: Random) -> bytes | None:
    """A link that says something else, of somebody who has a key."""
    try:
        link = DeviceLink.decode(text_form.from_text("e2ee-link:", data.decode()))
    except (DecodeError, UnicodeDecodeError):
        return None
    other = changed(link, chance)
    content = DeviceLink.encode(_of_new_device(other))[:-64]
    signature = sign_labelled(NEW_DEVICE, SignatureLabel.NEW_DEVICE, content)
    return text_form.to_text("e2ee-link:", content + signature).encode()


def _of_new_device(link: DeviceLink) -> DeviceLink:
    return DeviceLink(
        link.version,
        NEW_DEVICE.public,
        link.secret,
        link.versions,
        link.suites,
        link.roles,
        bytes(64),
    )


@target(
    "device-link",
    seeds=all_of(lambda: [_link().text().encode()], text_from_vectors("identity", "text")),
    mutate=_link_signed,
)
def device_link(data: bytes) -> bool:
    """The text that a new device shows, and a certificate of what it says."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    try:
        link = read_link(text)
    except (DecodeError, LinkError, CertificateError) as error:
        return refused(error)
    if link.text() != text:
        raise Faulty("another text of the same link")
    certify_link(ALICE, link, device_id=2, generation=0, now=NOW)
    return True


def _contents() -> Iterator[bytes]:
    certificate = certify_link(ALICE, _link(), device_id=2, generation=0, now=NOW)
    contact = LinkedContact(b"bob", bytes(32), 1, 0x0001, 1)
    made = LinkContent.of(certificate, SERVER, bytes(32), DirectoryKeys({1: bytes(32)}), [contact])
    yield made.encode()
    yield from from_vectors("identity", "content")()


def _content_signed(content: LinkContent) -> LinkContent:
    return content


@target("link-content", seeds=_contents, mutate=mutation_of(LinkContent, _content_signed))
def link_content(data: bytes) -> bool:
    """What is sealed to a new device, by whoever read its text."""
    sealed = _link().seal(data, SeededEntropy(b"fuzz nonce"))
    waiting = NewDevice(DEVICE, _link(), NOW)
    try:
        waiting.open(sealed, SERVER, NOW)
    except (DecodeError, CertificateError, LinkError) as error:
        return refused(error)
    if waiting.link is not None:
        raise Faulty("a link that was used can be used again")
    return True


@target("sealed-link", seeds=from_vectors("identity", "sealed"))
def sealed_link(data: bytes) -> bool:
    """What comes from the service for a new device, which cannot have made it."""
    try:
        NewDevice(DEVICE, _link(), NOW).open(data, SERVER, NOW)
    except LinkError as error:
        return refused(error)
    raise Faulty("it opened")


BOB = ("bob", bytes(range(32)))


@target(
    "safety-code",
    seeds=all_of(
        lambda: [safety_code(BOB, ("alice", ALICE.public)).encode()],
        text_from_vectors("verification", "text"),
    ),
)
def safety_code_compared(data: bytes) -> bool:
    """The text of a safety code that was scanned."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    try:
        compare_safety_code(text, ("alice", ALICE.public), BOB)
    except DecodeError as error:
        return refused(error)
    return True
