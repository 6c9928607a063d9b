"""Letters: Alice writes to Bob, whose two devices are off; and what the service and false friends make of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.call import letter_sealing
from e2ee.call.configuration import Configuration
from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.letter_errors import LetterReason, LetterRefused
from e2ee.call.letter_sealing import (
    LetterKey,
    LetterStatement,
    SealedContent,
    SignedLetter,
    new_content_key,
    open_content,
    open_key,
    seal_content,
    seal_key,
    sign_letter,
)
from e2ee.call.letters import Message, OpenedLetter, SeenLetters, make_letter, open_letter
from e2ee.call.outgoing_invite import Judged, judge_key_packages
from e2ee.call.owner import Owner
from e2ee.call.voice_audio import join_packets
from e2ee.crypto.aead import AES_256_GCM
from e2ee.crypto.errors import CryptoReason
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.errors import Reason, RemoteProtocolError
from e2ee.identity.account import AccountKey
from e2ee.identity.attestation import NO_ATTESTATION, AttestationAuthority
from e2ee.identity.device_certificate import verify_certificate
from e2ee.identity.errors import IdentityReason
from e2ee.identity.trust import ContactState, MemoryTrustStore, Trust
from e2ee.mls.key_package import make_key_package_ref
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.signalling.messages import LETTER, Letter, MissedCall, Note, Post, VoiceMessage
from e2ee.signalling.wire import encode

NOW = 1_800_000_000_000
DAY = 24 * 3600 * 1000
HYBRID = (0x0001, 0xF0E2)

WORDS = "the key is under the mat"


@dataclass
class Phone:
    """A device, the KeyPackages that it waits with, and the letters that it took."""

    owner: Owner
    bundles: dict[bytes, KeyPackageBundle] = field(default_factory=dict)
    seen: SeenLetters = field(default_factory=SeenLetters)

    def key_package(self, suite: int = 0x0001, *, last_resort: bool = False) -> bytes:
        """What the service gives away for this device."""
        bundle = self.owner.new_key_package(suite, NOW, last_resort=last_resort)
        self.bundles[make_key_package_ref(bundle.suite, bundle.key_package)] = bundle
        return MLSMessage.of(bundle.key_package).encode()

    def opens(self, letter: Letter, now: int = NOW) -> OpenedLetter:
        return open_letter(self.owner, self.bundles.get, self.seen, letter, now)

    def refuses(self, letter: Letter, now: int = NOW) -> Reason:
        with pytest.raises(RemoteProtocolError) as refused:
            self.opens(letter, now)
        assert WORDS not in str(refused.value)
        return refused.value.reason


class Town:
    """People who are all attested by one directory."""

    def __init__(self) -> None:
        self.entropy = SeededEntropy(b"tests of letters", ML_KEM_768._encaps_internal)
        self.authority = AttestationAuthority(7, ED25519.generate(self.entropy))
        self.accounts: dict[str, AccountKey] = {}

    def phone(
        self,
        account_id: str,
        device_id: int = 1,
        *,
        account: AccountKey | None = None,
        attested: bool = True,
        **certified: Any,
    ) -> Phone:
        entropy = self.entropy.fork(f"{account_id} {device_id} {certified}".encode())
        account = account or self.accounts.setdefault(
            account_id, AccountKey.create(account_id, entropy)
        )
        key = ED25519.generate(entropy)
        attestation = self.authority.attest(account_id, account.public, NOW)
        says: dict[str, Any] = {"now": NOW, "versions": (0x0100,), "suites": (0x0001,)}
        certificate = account.certify(
            key.public,
            device_id=device_id,
            attestation=attestation if attested else NO_ATTESTATION,
            **says | certified,
        )
        verified = verify_certificate(certificate.encode(), key.public)
        trust = Trust(MemoryTrustStore(), self.authority.directory_keys())
        return Phone(Owner(verified, key, trust, Configuration(), bytes(32), entropy))


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def alice(town: Town) -> Phone:
    return town.phone("alice")


@pytest.fixture
def bobs(town: Town) -> list[Phone]:
    """Bob's two devices."""
    return [town.phone("bob", device_id) for device_id in (1, 2)]


def judged(sender: Phone, receivers: list[Phone], suite: int = 0x0001, **kind: bool) -> Judged:
    claimed = [phone.key_package(suite, **kind) for phone in receivers]
    account_id = receivers[0].owner.certificate.account_id
    return judge_key_packages(sender.owner, account_id, suite, claimed, NOW)


def write(
    sender: Phone,
    receivers: list[Phone],
    message: Message | None = None,
    **kind: Any,
) -> list[Letter]:
    """What the service brings to each receiver."""
    message = message or Note(NOW, WORDS)
    return carried(make_letter(sender.owner, judged(sender, receivers, **kind), message, NOW))


def carried(post: Post) -> list[Letter]:
    return [Letter(key, post.content, 1) for key in post.keys]


# Letters that arrive


@pytest.mark.requirement("LETTER-1")
@pytest.mark.parametrize(
    "message",
    [
        Note(NOW, WORDS),
        Note(NOW, ""),
        MissedCall(bytes(16), NOW - 60_000, "video"),
        VoiceMessage(NOW, join_packets([b"\xf8" + bytes(79)] * 50)),
    ],
)
def test_each_device_reads_the_same(alice: Phone, bobs: list[Phone], message: Message) -> None:
    letters = write(alice, bobs, message)
    opened = [phone.opens(letter) for phone, letter in zip(bobs, letters, strict=True)]
    for each in opened:
        assert each.message == message
        assert each.sender == alice.owner.certificate
        assert each.contact is ContactState.UNVERIFIED
    assert opened[0].letter_id == opened[1].letter_id
    assert WORDS not in repr(opened)


@pytest.mark.requirement("LETTER-1")
def test_devices_with_hybrid_suites(town: Town) -> None:
    alice, bob = (town.phone(name, suites=HYBRID) for name in ("alice", "bob"))
    (letter,) = write(alice, [bob], suite=0xF0E2)
    assert bob.opens(letter).message == Note(NOW, WORDS)


@pytest.mark.requirement("LETTER-1")
def test_every_letter_has_a_key_of_its_own(alice: Phone, bobs: list[Phone]) -> None:
    one, other = (write(alice, bobs)[0].content for _ in range(2))
    assert one[:32] != other[:32]


@pytest.mark.requirement("LETTER-9")
def test_it_names_the_key_package_to_drop(alice: Phone, bobs: list[Phone]) -> None:
    (letter,) = write(alice, bobs[:1])
    bob = bobs[0]
    used = bob.opens(letter).bundle
    assert [used] == list(bob.bundles.values())
    bob.bundles.clear()
    assert bob.refuses(letter) is LetterReason.NO_SUCH_KEY_PACKAGE


def test_all_kinds_of_letters_are_known() -> None:
    assert {*LETTER.messages.values()} == {MissedCall, Note, VoiceMessage}


# What the service sees and can do


@pytest.mark.requirement("LETTER-3")
def test_a_missed_call_is_as_long_as_a_short_note(alice: Phone, bobs: list[Phone]) -> None:
    messages: list[Message] = [MissedCall(bytes(16), NOW, "voice"), Note(NOW, ""), Note(NOW, WORDS)]
    lengths = {len(write(alice, bobs, message)[0].content) for message in messages}
    assert len(lengths) == 1


@pytest.mark.requirement("LETTER-3")
@pytest.mark.parametrize("missing", [0, 1, 1023])
def test_a_letter_that_just_fills_its_last_kilobyte(forger: Forger, missing: int) -> None:
    """Of zeros there are as many as are ``missing``."""
    for length in range(400, 400 + 1024):
        statement = forger.statement(message=encode(Note(NOW, "x" * length)))
        framed = 4 + len(SignedLetter(statement, bytes(64)).encode())
        if -framed % 1024 == missing:
            opened = forger.to.opens(forger.letter(message=statement.message))
            assert opened.message == Note(NOW, "x" * length)
            return
    pytest.fail("no such length")


def test_it_changes_any_byte(alice: Phone, bobs: list[Phone]) -> None:
    letter, _ = write(alice, bobs)
    for place in range(0, len(letter.content), 37):
        content = bytearray(letter.content)
        content[place] ^= 1
        bobs[0].refuses(replace(letter, content=bytes(content)))
    for place in range(len(letter.key)):
        key = bytearray(letter.key)
        key[place] ^= 1
        bobs[0].refuses(replace(letter, key=bytes(key)))
    bobs[0].opens(letter)


def test_it_gives_one_letters_key_with_the_content_of_another(
    alice: Phone, bobs: list[Phone]
) -> None:
    one, other = write(alice, bobs)[0], write(alice, bobs)[0]
    assert bobs[0].refuses(replace(one, content=other.content)) is CryptoReason.NOT_AUTHENTIC


def test_it_gives_it_to_the_other_device(alice: Phone, bobs: list[Phone]) -> None:
    first, second = write(alice, bobs)
    assert bobs[0].refuses(second) is LetterReason.NO_SUCH_KEY_PACKAGE
    assert bobs[1].refuses(first) is LetterReason.NO_SUCH_KEY_PACKAGE


@pytest.mark.requirement("LETTER-8")
def test_it_brings_a_letter_again(alice: Phone, bobs: list[Phone]) -> None:
    bob = bobs[0]
    (letter,) = write(alice, [bob], last_resort=True)
    opened = bob.opens(letter)
    assert opened.bundle.key_package.is_last_resort
    bob.seen.add(opened)
    assert bob.refuses(letter) is LetterReason.SEEN_BEFORE


@pytest.mark.requirement("LETTER-8")
def test_what_was_seen_is_forgotten_when_it_is_too_old_anyway(
    alice: Phone, bobs: list[Phone]
) -> None:
    bob = bobs[0]
    (letter,) = write(alice, [bob], last_resort=True)
    bob.seen.add(bob.opens(letter))
    bob.seen.forget(NOW + 30 * DAY)
    assert bob.refuses(letter, NOW + 30 * DAY) is LetterReason.SEEN_BEFORE
    bob.seen = SeenLetters(bob.seen.until)
    bob.seen.forget(NOW + 30 * DAY + 1)
    assert bob.seen.until == {}
    assert bob.refuses(letter, NOW + 30 * DAY + 1) is LetterReason.TOO_OLD


@pytest.mark.requirement("LETTER-8")
@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (NOW - 30 * DAY - 1, LetterReason.TOO_OLD),
        (NOW + DAY + 1, LetterReason.FROM_THE_FUTURE),
    ],
)
def test_a_letter_of_another_time(
    alice: Phone, bobs: list[Phone], written: int, reason: LetterReason
) -> None:
    letter, _ = write(alice, bobs, Note(written, WORDS))
    assert bobs[0].refuses(letter) is reason


def test_a_letter_that_waited_longer_than_its_senders_certificate(
    alice: Phone, bobs: list[Phone]
) -> None:
    letter, _ = write(alice, bobs)
    assert bobs[0].opens(letter, NOW + 30 * DAY).message == Note(NOW, WORDS)


# Somebody with a sender's keys and no manners


@dataclass
class Forger:
    """Writes as this device, and breaks one rule."""

    phone: Phone
    to: Phone

    def statement(self, **wrong: Any) -> LetterStatement:
        own, recipient = self.phone.owner.certificate, self.to.owner.certificate
        right = {
            "certificate": own.certificate.encode(),
            "signature_key": own.signature_key,
            "recipient_id": recipient.account_id.encode(),
            "recipient_key": recipient.account_key,
            "message": encode(Note(NOW, WORDS)),
        }
        return LetterStatement(**right | wrong)

    def letter(
        self, change: Callable[[SignedLetter], SignedLetter] | None = None, **wrong: Any
    ) -> Letter:
        owner = self.phone.owner
        key = new_content_key(owner.entropy)
        signed = sign_letter(owner.signing_key, self.statement(**wrong), key)
        return self.sealed(key, seal_content(key, change(signed) if change else signed))

    def sealed(self, key: Any, content: bytes) -> Letter:
        self.to.key_package()
        bundle = list(self.to.bundles.values())[-1]
        sealed = seal_key(key, content, bundle.key_package, self.phone.owner.entropy)
        return Letter(sealed.encode(), content, 1)


@pytest.fixture
def forger(alice: Phone, bobs: list[Phone]) -> Forger:
    return Forger(alice, bobs[0])


def test_a_forger_with_nothing_wrong(forger: Forger) -> None:
    assert forger.to.opens(forger.letter()).message == Note(NOW, WORDS)


@pytest.mark.requirement("LETTER-12")
@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Note(NOW, "\x1b[2Jnothing to see"), LetterReason.BAD_TEXT),
        (Note(NOW, "\0"), LetterReason.BAD_TEXT),
        (MissedCall(bytes(16), NOW, "\x1b[2J"), LetterReason.UNKNOWN_MEDIUM),
    ],
)
def test_what_would_command_a_terminal_is_neither_written_nor_shown(
    forger: Forger, alice: Phone, message: Message, reason: LetterReason
) -> None:
    assert forger.to.refuses(forger.letter(message=encode(message))) is reason
    with pytest.raises(LetterRefused) as refused:
        write(alice, [forger.to], message)
    assert refused.value.reason is reason


@pytest.mark.requirement("LETTER-7")
@pytest.mark.parametrize("wrong", [{"recipient_id": b"carol"}, {"recipient_key": bytes(32)}])
def test_a_letter_for_somebody_else(forger: Forger, wrong: dict[str, Any]) -> None:
    assert forger.to.refuses(forger.letter(**wrong)) is LetterReason.WRONG_RECIPIENT


@pytest.mark.requirement("LETTER-4", "LETTER-7")
def test_bob_passes_alices_letter_on_to_carol_as_if_it_were_for_her(
    town: Town, alice: Phone, bobs: list[Phone]
) -> None:
    letter, _ = write(alice, bobs)
    bundle = next(iter(bobs[0].bundles.values()))
    key = open_key(LetterKey.decode(letter.key), letter.content, bundle)
    signed = open_content(key, letter.content)
    carol = town.phone("carol")
    again = Forger(bobs[0], carol).sealed(key, letter.content)
    assert carol.refuses(again) is LetterReason.WRONG_RECIPIENT
    own = carol.owner.certificate
    readdressed = replace(
        signed,
        statement=replace(signed.statement, recipient_id=b"carol", recipient_key=own.account_key),
    )
    forged = Forger(bobs[0], carol).sealed(key, seal_content(key, readdressed))
    assert carol.refuses(forged) is LetterReason.BAD_SIGNATURE


@pytest.mark.requirement("LETTER-4")
def test_a_stolen_device_seals_an_old_letter_anew(alice: Phone, bobs: list[Phone]) -> None:
    """Signed for one sealing: under another key the signature does not hold, under the same the id is known."""
    letter, other_letter = write(alice, bobs)
    stolen, phone = bobs
    key = open_key(
        LetterKey.decode(letter.key), letter.content, next(iter(stolen.bundles.values()))
    )
    signed = open_content(key, letter.content)
    phone.seen.add(phone.opens(other_letter))
    forger = Forger(stolen, phone)
    assert phone.refuses(forger.sealed(key, letter.content)) is LetterReason.SEEN_BEFORE
    fresh = new_content_key(stolen.owner.entropy)
    anew = forger.sealed(fresh, seal_content(fresh, signed))
    assert phone.refuses(anew) is LetterReason.BAD_SIGNATURE


@pytest.mark.requirement("LETTER-7")
def test_a_signature_of_another_key(forger: Forger, bobs: list[Phone]) -> None:
    def spoil(signed: SignedLetter) -> SignedLetter:
        return replace(signed, signature=bytes(64))

    assert forger.to.refuses(forger.letter(spoil)) is LetterReason.BAD_SIGNATURE


@pytest.mark.requirement("LETTER-7")
def test_somebody_elses_certificate(town: Town, forger: Forger) -> None:
    """Mallory signs, with his key, under Alice's certificate."""
    mallory = town.phone("mallory")
    key = mallory.owner.certificate.signature_key
    lying = Forger(mallory, forger.to)
    certificate = forger.phone.owner.certificate.certificate.encode()
    letter = lying.letter(certificate=certificate, signature_key=key)
    assert forger.to.refuses(letter) is IdentityReason.BAD_ACCOUNT_SIGNATURE


@pytest.mark.requirement("LETTER-7")
@pytest.mark.parametrize(
    ("certified", "reason"),
    [
        ({"now": NOW - 30 * DAY}, IdentityReason.EXPIRED),
        ({"now": NOW + 2 * DAY}, IdentityReason.NOT_YET_VALID),
        ({"attested": False}, IdentityReason.NOT_ATTESTED),
    ],
)
def test_a_sender_whose_certificate_is_not_accepted(
    town: Town, bobs: list[Phone], certified: dict[str, Any], reason: IdentityReason
) -> None:
    letter = Forger(town.phone("alice", **certified), bobs[0]).letter()
    assert bobs[0].refuses(letter) is reason


@pytest.mark.requirement("LETTER-7")
def test_a_revoked_device(town: Town, bobs: list[Phone]) -> None:
    stolen, kept = town.phone("alice", 1), town.phone("alice", 2, generation=1)
    assert bobs[0].opens(Forger(kept, bobs[0]).letter()).sender.generation == 1
    assert bobs[0].refuses(Forger(stolen, bobs[0]).letter()) is IdentityReason.REVOKED


@pytest.mark.requirement("LETTER-7")
def test_a_sender_with_a_changed_key_is_shown_as_one(town: Town, bobs: list[Phone]) -> None:
    bob = bobs[0]
    bob.owner.trust.accept(town.phone("alice").owner.certificate, NOW)
    other = AccountKey.create("alice", town.entropy.fork(b"other"))
    letter = Forger(town.phone("alice", account=other), bob).letter()
    assert bob.opens(letter).contact is ContactState.CHANGED


@pytest.mark.requirement("LETTER-10")
def test_a_blocked_sender(forger: Forger) -> None:
    forger.to.owner.trust.block("alice")
    assert forger.to.refuses(forger.letter()) is LetterReason.BLOCKED


@pytest.mark.requirement("LETTER-5")
def test_a_voice_message_that_is_no_audio(forger: Forger) -> None:
    message = encode(VoiceMessage(NOW, b"\x00\x01\xff\xff"))
    assert forger.to.refuses(forger.letter(message=message)) is LetterReason.BAD_AUDIO


def test_a_message_that_is_none(forger: Forger) -> None:
    assert forger.to.refuses(forger.letter(message=b"\x91\xa4gone")) == "UNKNOWN_MESSAGE"


# One content, two keys


@pytest.mark.requirement("LETTER-2")
def test_a_content_that_commits_to_another_key(forger: Forger) -> None:
    """What a sender would need who wants two devices to read two texts in one content."""
    owner = forger.phone.owner
    key, other = new_content_key(owner.entropy), new_content_key(owner.entropy)
    sealed = SealedContent.decode(
        seal_content(key, sign_letter(owner.signing_key, forger.statement(), key))
    )
    content = replace(sealed, commitment=letter_sealing.commitment(other)).encode()
    for tried in (key, other):
        reason = forger.to.refuses(forger.sealed(tried, content))
        expected = LetterReason.WRONG_COMMITMENT if tried is key else CryptoReason.NOT_AUTHENTIC
        assert reason is expected


def test_a_key_of_another_length(forger: Forger) -> None:
    assert forger.to.refuses(forger.sealed(bytes(31), b"any")) is LetterReason.BAD_KEY


@pytest.mark.requirement("LETTER-3")
@pytest.mark.parametrize("padding", ["a kilobyte more", "not zero", "none", "length beyond"])
def test_other_padding(forger: Forger, padding: str) -> None:
    owner = forger.phone.owner
    key = new_content_key(owner.entropy)
    encoded = sign_letter(owner.signing_key, forger.statement(), key).encode()
    framed = len(encoded).to_bytes(4, "big") + encoded
    zeros = bytes(-len(framed) % 1024)
    padded = {
        "a kilobyte more": framed + zeros + bytes(1024),
        "not zero": framed + zeros[:-1] + b"\x01",
        "none": framed,
        "length beyond": b"\xff" + framed[1:] + zeros,
    }[padding]
    aead_key, nonce = letter_sealing._key_and_nonce(key)
    ciphertext = AES_256_GCM.key(aead_key).seal(nonce, b"", padded)
    content = SealedContent(letter_sealing.commitment(key), ciphertext).encode()
    assert forger.to.refuses(forger.sealed(key, content)) is LetterReason.BAD_PADDING


# Whom Alice writes to


@pytest.mark.requirement("LETTER-6")
def test_no_device_that_may_be_written_to(alice: Phone, town: Town) -> None:
    unknown = town.phone("bob", attested=False)
    with pytest.raises(CallRefused) as refused:
        write(alice, [unknown])
    assert refused.value.reason is CallReason.NO_DEVICE


@pytest.mark.requirement("LETTER-6")
def test_a_device_with_a_changed_key_gets_no_letter(town: Town, alice: Phone) -> None:
    bob = town.phone("bob")
    alice.owner.trust.accept(bob.owner.certificate, NOW)
    other = AccountKey.create("bob", town.entropy.fork(b"other"))
    impostor = town.phone("bob", 2, account=other)
    post = make_letter(alice.owner, judged(alice, [bob, impostor]), Note(NOW, WORDS), NOW)
    (letter,) = carried(post)
    assert bob.opens(letter).message == Note(NOW, WORDS)
    assert impostor.refuses(letter) is LetterReason.NO_SUCH_KEY_PACKAGE


@pytest.mark.requirement("LETTER-6")
def test_a_service_that_gives_key_packages_of_a_lower_suite(town: Town) -> None:
    alice, bob = (town.phone(name, suites=HYBRID) for name in ("alice", "bob"))
    with pytest.raises(ProfileError) as refused:
        write(alice, [bob], suite=0x0001)
    assert refused.value.reason is ProfileReason.SUITE_TOO_LOW


@pytest.mark.requirement("LETTER-5")
def test_alice_sends_no_voice_message_that_bob_would_refuse(
    alice: Phone, bobs: list[Phone]
) -> None:
    with pytest.raises(LetterRefused) as refused:
        write(alice, bobs, VoiceMessage(NOW, b""))
    assert refused.value.reason is LetterReason.BAD_AUDIO


def test_the_longest_voice_message_fits(alice: Phone, bobs: list[Phone]) -> None:
    packets = [b"\xf8" + bytes(78)] * ((LETTER.max_size - 40) // 81)
    letter, _ = write(alice, bobs, VoiceMessage(NOW, join_packets(packets)))
    assert len(letter.content) <= letter_sealing.MAX_CONTENT
    assert bobs[0].opens(letter).message == VoiceMessage(NOW, join_packets(packets))


def test_a_device_whose_own_certificate_is_over(town: Town, bobs: list[Phone]) -> None:
    alice = town.phone("alice", now=NOW - 29 * DAY)
    with pytest.raises(RemoteProtocolError) as refused:
        write(alice, bobs)
    assert refused.value.reason is IdentityReason.EXPIRED
