"""Vectors of the chapter Letters: letters that a device may show, and those that it must not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.aead import AES_256_GCM
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import ED25519
from e2ee.signalling.messages import Message, MissedCall, Note, Typing, VoiceMessage
from e2ee.signalling.wire import encode
from e2ee.vectorgen.certificates import DAY, NO_ATTESTATION, NOW, Device, label
from e2ee.vectorgen.certificates import vector as opaque
from e2ee.vectorgen.models import u32
from e2ee.vectorgen.registry import Case, Chapter, Group

__all__ = ["CHAPTER"]

letters = Group(
    "letter",
    "key and content of a letter that comes to a device of recipient at the time now (Unix milliseconds), which has the"
    " KeyPackage with key_package_ref, init_private_key and mls_suite, was shipped with directory_keys, has pinned nobody, has"
    " seen the ids in seen, and whose person blocked the accounts in blocked -> who wrote what, or why it is refused.",
)

MS = 1000

WORDS = "The key is under the mat."


class Refusal(StrEnum):
    """Why a letter is not shown."""

    NO_SUCH_KEY_PACKAGE = "NO_SUCH_KEY_PACKAGE"
    NOT_AUTHENTIC = "NOT_AUTHENTIC"
    BAD_KEY = "BAD_KEY"
    WRONG_COMMITMENT = "WRONG_COMMITMENT"
    BAD_PADDING = "BAD_PADDING"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    BAD_AUDIO = "BAD_AUDIO"
    BAD_TEXT = "BAD_TEXT"
    UNKNOWN_MEDIUM = "UNKNOWN_MEDIUM"
    BLOCKED = "BLOCKED"
    WRONG_RECIPIENT = "WRONG_RECIPIENT"
    TOO_OLD = "TOO_OLD"
    FROM_THE_FUTURE = "FROM_THE_FUTURE"
    SEEN_BEFORE = "SEEN_BEFORE"
    BAD_ACCOUNT_SIGNATURE = "BAD_ACCOUNT_SIGNATURE"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    NOT_ATTESTED = "NOT_ATTESTED"
    UNKNOWN_MESSAGE = "UNKNOWN_MESSAGE"


def same(data: bytes) -> bytes:
    """Nothing is changed."""
    return data


@dataclass
class Written:
    """A letter from Alice to Bob, with what a case does to it at each step."""

    case: Case
    message: Message | bytes = field(default_factory=lambda: Note(NOW * MS, WORDS))
    mls_suite: int = 0x0001
    now: int = NOW * MS
    recipient_id: bytes = b"bob"
    recipient_key: bytes | None = None
    certified: Mapping[str, Any] = field(default_factory=dict)
    attested: bool = True
    signer: bytes | None = None
    """The seed of another signing key than the certificate's."""
    signed_as: str = "Letter"
    committed: bytes | None = None
    """Another K than the one that the letter is sealed with, which the content commits to."""
    pad: Callable[[bytes], bytes] = same
    """What is done to the padded letter before it is sealed."""
    given: Callable[[bytes], bytes] = same
    """What the receiver gets as K."""
    bound_to: Callable[[bytes], bytes] = same
    """From the content to what K is bound to."""
    sent: Callable[[bytes], bytes] = same
    """What the service makes of the content."""
    ref: bytes = bytes(32)
    """By what the letter names the KeyPackage."""
    seen: bool = False
    blocked: tuple[str, ...] = ()

    def fill(self) -> None:
        """Write the letter into the case."""
        case, entropy = self.case, self.case.entropy
        sender = Device(case)
        bob = ED25519.generate(entropy.fork(b"bob"))
        case.intermediate.clear()
        attested = sender.attested(NOW + DAY) if self.attested else NO_ATTESTATION
        certificate = sender.certified(**self.certified)[: -len(NO_ATTESTATION)] + attested
        leaf = ED25519.generate(entropy.fork(self.signer)) if self.signer else sender.leaf
        message = self.message if isinstance(self.message, bytes) else encode(self.message)
        statement = (
            opaque(certificate)
            + leaf.public
            + opaque(self.recipient_id)
            + (self.recipient_key or bob.public)
            + opaque(message)
        )
        content_key = entropy.random(32)
        signed_commitment = commitment(content_key)
        signed = label(self.signed_as) + signed_commitment + statement
        letter = statement + ED25519.sign(leaf.private, signed)
        framed = u32(len(letter)) + letter
        padded = self.pad(framed + bytes(-len(framed) % 1024))
        key = HKDF_SHA256.expand(content_key, label("Letter key"), 32)
        nonce = HKDF_SHA256.expand(content_key, label("Letter nonce"), 12)
        ciphertext = AES_256_GCM.key(key).seal(nonce, b"", padded)
        shown = commitment(self.committed or content_key)
        content = shown + opaque(ciphertext)
        letter_id = HKDF_SHA256.hash(label("Letter id") + signed_commitment + statement)
        sealed_key = self._seal_key(self.bound_to(content), self.given(content_key))
        case.input |= {
            "recipient": {"account_id": "bob", "account_private_key": bob.private},
            "directory_keys": {7: sender.directory.public},
            "now": self.now,
            "seen": [letter_id] if self.seen else [],
            "blocked": self.blocked,
            "key": opaque(self.ref) + sealed_key,
            "content": self.sent(content),
        }
        case.intermediate = {
            "content_key": content_key,
            "commitment": signed_commitment,
            "key": key,
            "nonce": nonce,
            "signed": signed,
            "padded": padded,
        }
        if case.reason is None:
            case.output |= {
                "letter_id": letter_id,
                "account_id": "alice",
                "account_key": sender.account.public,
                "message": message,
            }

    def _seal_key(self, bound_to: bytes, content_key: bytes) -> bytes:
        """An HPKECiphertext by EncryptWithLabel."""
        seed = self.case.entropy.fork(b"sealing").random(32)
        entropy = SeededEntropy(seed, ML_KEM_768._encaps_internal)
        hpke = cipher_suite(self.mls_suite).hpke
        init = hpke.kem.generate_key_pair(entropy)
        self.case.input |= {
            "mls_suite": self.mls_suite,
            "key_package_ref": bytes(32),
            "init_private_key": bytes(init.private),
        }
        info = opaque(b"MLS 1.0 " + label("Letter")) + opaque(HKDF_SHA256.hash(bound_to))
        enc, ciphertext = hpke.seal(init.public, info, b"", content_key, entropy)
        return opaque(enc) + opaque(ciphertext)


def commitment(content_key: bytes) -> bytes:
    """LETTER-2."""
    return HKDF_SHA256.expand(content_key, label("Letter commitment"), 32)


MESSAGES: dict[str, Message] = {
    "note": Note(NOW * MS, WORDS),
    "empty-note": Note(NOW * MS, ""),
    "missed-call": MissedCall(bytes(range(16)), NOW * MS - 60_000, "video"),
    "voice-message": VoiceMessage(NOW * MS, b"\x00\x05\xf8\x01\x02\x03\x04\x00\x01\x48"),
    "voice-message-of-the-longest-packet": VoiceMessage(NOW * MS, b"\x04\xfc\xf8" + bytes(1275)),
}


@letters.vector("LETTER-1", "LETTER-2", "LETTER-3", "LETTER-4", "LETTER-5", each=MESSAGES)
def letter_with(case: Case, message: Message) -> None:
    """A letter as it should be."""
    Written(case, message).fill()


@letters.vector("LETTER-1")
def letter_to_a_hybrid_key_package(case: Case) -> None:
    """K is sealed by the KeyPackage's suite; the content is the same for all."""
    Written(case, mls_suite=0xF0E2).fill()


@letters.vector(
    "LETTER-8",
    "LETTER-7",
    each={
        "of-30-days-ago": 30 * DAY,
        "of-24-hours-ahead": -DAY,
    },
)
def letter(case: Case, age: int) -> None:
    """As old, or as far ahead, as may be. The sender's certificate counts at the time of writing."""
    Written(case, now=(NOW + age) * MS).fill()


@letters.vector("LETTER-7", each={"expired": {"not_after": NOW + DAY}})
def letter_whose_certificate_has(case: Case, certified: dict[str, Any]) -> None:
    """It was valid at the time of writing, which was 20 days ago."""
    Written(case, now=(NOW + 20 * DAY) * MS, certified=certified).fill()


# What a receiver refuses


@letters.vector(
    "LETTER-7",
    reason=Refusal.WRONG_RECIPIENT,
    each={"id": {"recipient_id": b"carol"}, "key": {"recipient_key": bytes(32)}},
)
def letter_for_another_account(case: Case, wrong: dict[str, Any]) -> None:
    """Alice wrote it to somebody else; who opened it sealed it anew for Bob."""
    Written(case, **wrong).fill()


@letters.vector("LETTER-4", "LETTER-7", reason=Refusal.BAD_SIGNATURE)
def letter_signed_under_another_label(case: Case) -> None:
    """A signature that was made for something else."""
    Written(case, signed_as="Login").fill()


@letters.vector("LETTER-7", "IDENT-3", reason=Refusal.BAD_ACCOUNT_SIGNATURE)
def letter_under_somebody_elses_certificate(case: Case) -> None:
    """Mallory's signature key, and Alice's certificate."""
    Written(case, signer=b"mallory").fill()


@letters.vector("LETTER-2", reason=Refusal.WRONG_COMMITMENT)
def letter_that_commits_to_another_key(case: Case) -> None:
    """The content would open: AES-GCM does not commit to its key."""
    Written(case, committed=bytes(32)).fill()


PADDING: dict[str, Callable[[bytes], bytes]] = {
    "a-kilobyte-too-long": lambda padded: padded + bytes(1024),
    "a-byte-short": lambda padded: padded[:-1],
    "not-of-zeros": lambda padded: padded[:-1] + b"\x01",
    "of-a-length-beyond-the-end": lambda padded: b"\xff" + padded[1:],
}


@letters.vector("LETTER-3", reason=Refusal.BAD_PADDING, each=PADDING)
def letter_with_padding(case: Case, pad: Callable[[bytes], bytes]) -> None:
    """Padding has one form."""
    Written(case, pad=pad).fill()


@letters.vector("LETTER-1", reason=Refusal.NOT_AUTHENTIC)
def letter_with_a_key_for_another_content(case: Case) -> None:
    """The key was sealed for another content, under the same K."""
    Written(case, bound_to=lambda content: content + b"\x00").fill()


@letters.vector("LETTER-1", reason=Refusal.NOT_AUTHENTIC)
def letter_changed_on_the_way(case: Case) -> None:
    """One bit of the ciphertext."""
    Written(case, sent=lambda content: content[:-1] + bytes([content[-1] ^ 1])).fill()


@letters.vector("LETTER-1", reason=Refusal.BAD_KEY)
def letter_with_a_key_of_31_bytes(case: Case) -> None:
    """What is sealed to the KeyPackage is no K."""
    Written(case, given=lambda key: key[:-1]).fill()


@letters.vector("LETTER-9", reason=Refusal.NO_SUCH_KEY_PACKAGE)
def letter_to_a_key_package_that_was_used(case: Case) -> None:
    """Its private keys are gone."""
    Written(case, ref=b"\xff" * 32).fill()


@letters.vector("LETTER-8", reason=Refusal.SEEN_BEFORE)
def letter_brought_again(case: Case) -> None:
    """Its id is known."""
    Written(case, seen=True).fill()


@letters.vector("LETTER-8", reason=Refusal.TOO_OLD)
def letter_older_than_30_days(case: Case) -> None:
    """By a millisecond."""
    Written(case, now=(NOW + 30 * DAY) * MS + 1).fill()


@letters.vector("LETTER-8", reason=Refusal.FROM_THE_FUTURE)
def letter_more_than_24_hours_ahead(case: Case) -> None:
    """By a millisecond."""
    Written(case, now=(NOW - DAY) * MS - 1).fill()


@letters.vector("LETTER-7", "IDENT-5", reason=Refusal.EXPIRED)
def letter_written_after_the_certificate_ended(case: Case) -> None:
    """By more than 24 hours; the clock of the receiver does not matter."""
    Written(case, certified={"not_before": NOW - 9 * DAY, "not_after": NOW - DAY - 1}).fill()


@letters.vector("LETTER-7", "IDENT-5", reason=Refusal.NOT_YET_VALID)
def letter_written_before_the_certificate_began(case: Case) -> None:
    """By more than 24 hours."""
    Written(case, certified={"not_before": NOW + DAY + 1}).fill()


@letters.vector("LETTER-7", "IDENT-9", reason=Refusal.NOT_ATTESTED)
def letter_of_a_stranger(case: Case) -> None:
    """Neither pinned nor attested."""
    Written(case, attested=False).fill()


AUDIO = {
    "no-packets": b"",
    "half-a-packet": b"\x00\x03\xf8\x00",
    "an-empty-packet": b"\x00\x00",
    "frames-of-10-ms": b"\x00\x02\xf0\x00",
    "two-frames-in-a-packet": b"\x00\x02\xf9\x00",
    "two-frames-of-two-sizes": b"\x00\x04\xfa\x01\x00\x00",
    "one-frame-of-code-3": b"\x00\x03\xfb\x01\x00",
    "a-packet-of-1277-bytes": b"\x04\xfd\xf8" + bytes(1276),
}


@letters.vector("LETTER-5", reason=Refusal.BAD_AUDIO, each=AUDIO)
def letter_with_audio_of(case: Case, audio: bytes) -> None:
    """Not Opus packets of 20 ms, whole, each after its length."""
    Written(case, VoiceMessage(NOW * MS, audio)).fill()


@letters.vector("SIG-2", reason=Refusal.UNKNOWN_MESSAGE)
def letter_that_is_a_call_message(case: Case) -> None:
    """`typing` is for calls."""
    Written(case, encode(Typing(typing=True))).fill()


CHAPTER = Chapter("letters", "L4", "What is left for somebody who is absent.", (letters,))


@letters.vector("LETTER-10", reason=Refusal.BLOCKED)
def letter_of_a_blocked_account(case: Case) -> None:
    """It is in order, and nobody is told that it was not shown."""
    Written(case, blocked=("alice",)).fill()


@letters.vector("LETTER-10")
def letter_of_another_than_the_blocked_accounts(case: Case) -> None:
    """Only its own sender is asked about."""
    Written(case, blocked=("bob", "mallory")).fill()


NOTES = {"line-break-and-tab": "two\nlines\tand a tab", "direction-controls": "\u2067abc\u2069"}


@letters.vector("LETTER-12", each=NOTES)
def note_with_a(case: Case, text: str) -> None:
    """As in a text of a call."""
    Written(case, Note(NOW * MS, text)).fill()


@letters.vector("LETTER-12", each={medium: medium for medium in ("text", "voice", "video")})
def missed_call_by(case: Case, medium: str) -> None:
    """The media of calls."""
    Written(case, MissedCall(bytes(16), NOW * MS, medium)).fill()


@letters.vector(
    "LETTER-12",
    reason=Refusal.BAD_TEXT,
    each={"nul": "a\x00", "carriage-return": "a\r\nb", "escape": "\x1b[2J", "c1": "\x9b2J"},
)
def note_with_the_control_character(case: Case, text: str) -> None:
    """Of these only U+0009 and U+000A may stand in a note."""
    Written(case, Note(NOW * MS, text)).fill()


@letters.vector(
    "LETTER-12", reason=Refusal.UNKNOWN_MEDIUM, each={"none": "", "another": "hologram"}
)
def missed_call_by_a_medium_that_is(case: Case, medium: str) -> None:
    """None of the three."""
    Written(case, MissedCall(bytes(16), NOW * MS, medium)).fill()
