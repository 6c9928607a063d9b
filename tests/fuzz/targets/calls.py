"""What fixes a call, who asks to come in, and what is left for devices that are away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from random import Random

from e2ee.call.letter_errors import LetterRefused
from e2ee.call.letter_sealing import (
    LetterKey,
    LetterStatement,
    SealedContent,
    SignedLetter,
    open_content,
    open_key,
    seal_content,
    sign_letter,
    verify_letter,
)
from e2ee.call.voice_audio import join_packets, split_packets
from e2ee.client.errors import ClientUsageError
from e2ee.client.link_url import link_url, read_link_url
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.errors import BadEncapsulation, OpenError
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.errors import DecodeError
from e2ee.identity.errors import CertificateError
from e2ee.mls.extension import Extension
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.profile import gone
from e2ee.profile.call_profile import (
    CallKind,
    CallProfile,
    call_profile,
    check_profile,
    group_extensions,
)
from e2ee.profile.errors import ProfileError
from e2ee.profile.gone import GoneStatement
from e2ee.profile.join import JOIN, check_join, join_of
from e2ee.testing.mls_members import Client
from tests.fuzz.corpus import all_of, from_vectors, text_from_vectors
from tests.fuzz.structure_mutation import changed, mutation_of
from tests.fuzz.target import Faulty, reads_back, refused, target
from tests.fuzz.targets.structures import bodies

CALL_ID = bytes(range(16))
SERVICE = ED25519.generate(SeededEntropy(b"fuzz service"))
SUITE = cipher_suite(0x0001)


@target(
    "call-profile",
    seeds=from_vectors("key-agreement", "call_profile"),
    mutate=mutation_of(CallProfile),
)
def profile(data: bytes) -> bool:
    """The extension that fixes a call, as members and the service read it from a group."""
    read = reads_back(data, CallProfile.decode, CallProfile.encode, DecodeError)
    required, _ = group_extensions(_any_profile())
    try:
        found = call_profile((required, Extension(0xF0C1, data)))
    except ProfileError as error:
        if read:
            raise Faulty("a profile that decodes is read as none") from error
        return refused(error)
    try:
        check_profile(found, CALL_ID)
    except ProfileError as error:
        return refused(error)
    keys = (*found.accounts, *found.hosts, bytes(32))
    for key in keys:
        found.may_speak(key), found.admits(key), found.is_host(key)
    return found.kind != CallKind.STAGE


@cache
def _any_profile() -> CallProfile:
    return CallProfile(0x0100, 2, 10, 4, (bytes(32),), (), (), (), b"", 0, bytes(32), 0, 0)


@cache
def _bundle() -> KeyPackageBundle:
    entropy = SeededEntropy(b"fuzz bundle")
    return Client.make("bob", SUITE, entropy).bundle(entropy)


@target(
    "join",
    seeds=all_of(lambda: [CALL_ID + bytes(8) + b"\0"], from_vectors("key-agreement", "join")),
)
def join(data: bytes) -> bool:
    """The extension of who asks to come in."""
    key_package = replace(_bundle().key_package, extensions=(Extension(JOIN, data),))
    try:
        found = join_of(key_package)
        for policy in range(3):
            try:
                check_join(key_package, CALL_ID, policy)
            except ProfileError as error:
                refused(error)
    except ProfileError as error:
        return refused(error)
    if found is None or found.encode() != data:
        raise Faulty("another encoding of the same join")
    return True


@target("joining-key-package", seeds=lambda: bodies(KeyPackage), mutate=mutation_of(KeyPackage))
def joining_key_package(data: bytes) -> bool:
    """A KeyPackage with whatever extensions, as the one of somebody who asks to come in."""
    try:
        key_package = KeyPackage.decode(data)
        join_of(key_package)
    except (DecodeError, ProfileError) as error:
        return refused(error)
    return True


def _statement(data: bytes) -> GoneStatement:
    return gone.signed(SERVICE, CALL_ID, 7, data[0], 1_800_000_000_000)


@target(
    "gone-statements",
    seeds=all_of(
        lambda: [gone.encode_statements([_statement(b"\1"), _statement(b"\2")])],
        from_vectors("key-agreement", "authenticated_data", "statement"),
    ),
)
def gone_statements(data: bytes) -> bool:
    """What a commit carries beside itself."""
    try:
        statements = gone.decode_statements(data)
    except ProfileError as error:
        return refused(error)
    if gone.encode_statements(statements) != data:
        raise Faulty("another encoding of the same statements")
    for statement in statements[:4]:
        try:
            gone.check(statement, SERVICE.public, CALL_ID, 7)
        except ProfileError as error:
            refused(error)
    return True


URL = "wss://calls.example/v1"


def _urls() -> Iterator[bytes]:
    for ends in text_from_vectors("group-calls", "url_ends")():
        yield b"https://calls.example" + ends
    yield b"https://calls.example:443/meet/AAECAwQFBgcICQoLDA0ODw#host." + b"A" * 43
    yield b"http://[::1]:8080/meet/AAECAwQFBgcICQoLDA0ODw#" + b"A" * 43


SECRET = re.compile("#([A-Za-z0-9_-]{21,})$")
"""In a link; nothing else that an error says looks like it."""


@target("link-url", seeds=_urls, longest=1 << 12)
def link_url_read(data: bytes) -> bool:
    """A link to a group call that somebody pasted."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    try:
        link = read_link_url(URL, text)
    except ClientUsageError as error:
        secret = SECRET.search(text)
        if secret and secret[1] in str(error) and secret[1] not in text[: secret.start()]:
            raise Faulty("the error repeats the link's secret") from error
        return refused(error)
    again = read_link_url(URL, link_url(URL, link))
    if (again.call_id, again.secret, again.host_key) != (link.call_id, link.secret, link.host_key):
        raise Faulty("another link, read again")
    return True


# Letters

CONTENT_KEY = Secret(bytes(range(32)))


@target("letter-key", seeds=from_vectors("letters", "key"), mutate=mutation_of(LetterKey))
def letter_key(data: bytes) -> bool:
    """The key of a letter, sealed to a KeyPackage of this device; nobody here has made one."""
    try:
        found = LetterKey.decode(data, max_size=1 << 11)
        open_key(found, b"content", _bundle())
    except (DecodeError, OpenError, BadEncapsulation, LetterRefused) as error:
        refused(error)
        return reads_back(data, LetterKey.decode, LetterKey.encode, DecodeError)
    raise Faulty("it opened")


@target(
    "letter-content", seeds=from_vectors("letters", "content"), mutate=mutation_of(SealedContent)
)
def letter_content(data: bytes) -> bool:
    """The content of a letter for whose key one has; nobody here has made one."""
    try:
        open_content(CONTENT_KEY, data)
    except (DecodeError, OpenError, LetterRefused) as error:
        refused(error)
        return reads_back(data, SealedContent.decode, SealedContent.encode, DecodeError)
    raise Faulty("it opened")


WRITER = ED25519.generate(SeededEntropy(b"fuzz writer"))


def _letters() -> Iterator[bytes]:
    statement = LetterStatement(b"certificate", WRITER.public, b"bob", bytes(32), b"message")
    yield sign_letter(WRITER, statement, CONTENT_KEY).encode()
    for padded in from_vectors("letters", "padded")():
        yield padded[4 : 4 + int.from_bytes(padded[:4], "big")]


def _letter_signed(data: bytes, chance: Random) -> bytes | None:
    try:
        letter = SignedLetter.decode(data)
    except DecodeError:
        return None
    statement = replace(changed(letter.statement, chance), signature_key=WRITER.public)
    return sign_letter(WRITER, statement, CONTENT_KEY).encode()


@target("letter", seeds=_letters, mutate=_letter_signed)
def letter(data: bytes) -> bool:
    """A letter, sealed by whoever has a KeyPackage of this device, and signed by whom it says."""
    try:
        found = SignedLetter.decode(data)
    except DecodeError as error:
        return refused(error)
    if open_content(CONTENT_KEY, seal_content(CONTENT_KEY, found)) != found:
        raise Faulty("another letter was opened than was sealed")
    try:
        verify_letter(found, CONTENT_KEY)
    except (LetterRefused, CertificateError) as error:
        return refused(error)
    return True


@target("voice-audio", seeds=lambda: [join_packets([b"\x08abc", b"\x78"]), b"\0\2\x08"])
def voice_audio(data: bytes) -> bool:
    """The packets of a voice message."""
    try:
        packets = split_packets(data)
    except DecodeError as error:
        return refused(error)
    if join_packets(packets) != data:
        raise Faulty("other packets")
    return True
