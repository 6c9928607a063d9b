"""Letters: what is left for devices that are absent (LETTER-1 to LETTER-10).

    post = make_letter(owner, judged, Note(now, text), now)         after a claim, judged as for a call
    opened = open_letter(owner, bundle_of, seen, letter, now)       changes nothing; if it did not raise, then
    key_packages.drop(opened.bundle); seen.add(opened)

The receiver's order: find the KeyPackage, open the key, open the content, verify who signed, that it is for this account, when
it was written, whether this device trusts the sender, and whether the letter was here before. Nobody learns what came of it.
How letters are sealed and signed is ``letter_sealing``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from e2ee.call.chat.content import is_plain
from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.letter_errors import LetterReason, LetterRefused
from e2ee.call.letter_sealing import (
    MAX_LETTER_KEY,
    LetterKey,
    LetterStatement,
    SignedLetter,
    new_content_key,
    open_content,
    open_key,
    seal_content,
    seal_key,
    sign_letter,
    verify_letter,
)
from e2ee.call.medium import Medium
from e2ee.call.outgoing_invite import Judged
from e2ee.call.owner import Owner
from e2ee.call.voice_audio import split_packets
from e2ee.errors import DecodeError
from e2ee.identity.device_certificate import (
    Dates,
    VerifiedCertificate,
    check_dates,
    verify_certificate,
)
from e2ee.identity.trust import ContactState
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.profile.suites import check_group_suite
from e2ee.signalling.messages import (
    LETTER,
    Letter,
    MissedCall,
    Note,
    Post,
    VoiceMessage,
)
from e2ee.signalling.wire import decode, encode

__all__ = [
    "LETTER_LIFETIME",
    "LetterStore",
    "Message",
    "OpenedLetter",
    "SeenLetters",
    "make_letter",
    "open_letter",
]

LETTER_LIFETIME = 30 * 24 * 3600 * 1000
"""LETTER-8: the oldest letter that is shown, in milliseconds."""

CLOCKS_DIFFER = int(Dates.RECEIVER) * 1000
"""LETTER-8: how far ahead of this device's clock a letter may have been written, in milliseconds."""

Message = MissedCall | Note | VoiceMessage
"""What a letter may say: the messages of the family ``LETTER``."""


# Writing


def make_letter(owner: Owner, judged: Judged, message: Message, now: int) -> Post:
    """``message`` for the devices whose KeyPackages were accepted; one post, which the service takes as it is.

    Raises CallRefused (NO_DEVICE), ProfileError (SUITE_TOO_LOW), LetterRefused (its content), CertificateError if this device's
    own certificate is out of date.
    """
    if not judged.certificates:
        raise CallRefused(CallReason.NO_DEVICE, "; ".join(map(str, judged.refused)))
    _check_content(message)
    check_dates(owner.certificate, now, Dates.COMMITTER)
    listed = [certificate.suites for certificate in judged.certificates]
    for key_package in judged.accepted:  # LETTER-6
        minimum = owner.configuration.minimum_suite
        check_group_suite(key_package.cipher_suite, owner.suites, listed, minimum)
    recipient = judged.certificates[0]
    statement = LetterStatement(
        certificate=owner.certificate.certificate.encode(),
        signature_key=owner.certificate.signature_key,
        recipient_id=recipient.account_id.encode(),
        recipient_key=recipient.account_key,
        message=encode(message),
    )
    content_key = new_content_key(owner.entropy)
    content = seal_content(content_key, sign_letter(owner.signing_key, statement, content_key))
    keys = [seal_key(content_key, content, each, owner.entropy) for each in judged.accepted]
    return Post(tuple(key.encode() for key in keys), content)


# Reading


@dataclass(frozen=True, slots=True)
class OpenedLetter:
    """A letter that may be shown. ``contact`` is what this device makes of the sender; a changed key is shown with it."""

    letter_id: bytes
    bundle: KeyPackageBundle
    sender: VerifiedCertificate
    contact: ContactState
    message: Message


class LetterStore(Protocol):
    """The ids of letters that were taken. A write has happened when its call returns."""

    def __contains__(self, letter_id: object) -> bool:
        """Whether this letter was taken."""

    def add(self, opened: OpenedLetter) -> None:
        """This letter was taken."""

    def forget(self, now: int) -> None:
        """Forget what is refused for its age from ``now`` on (Unix milliseconds)."""


class SeenLetters:
    """The ids of letters that were shown, for as long as they could be shown again (LETTER-8)."""

    def __init__(self, until: Mapping[bytes, int] | None = None) -> None:
        """``until`` is what an earlier object of this device had."""
        self.until = dict(until or {})
        """Id -> when it may be forgotten, in Unix milliseconds."""

    def __contains__(self, letter_id: object) -> bool:
        return letter_id in self.until

    def add(self, opened: OpenedLetter) -> None:
        """This letter was taken."""
        self.until[opened.letter_id] = opened.message.created_at + LETTER_LIFETIME

    def forget(self, now: int) -> None:
        """Forget what is refused for its age from ``now`` on."""
        self.until = {each: until for each, until in self.until.items() if until >= now}


def open_letter(
    owner: Owner,
    bundle_of: Callable[[bytes], KeyPackageBundle | None],
    seen: Container[bytes],
    letter: Letter,
    now: int,
) -> OpenedLetter:
    """A letter that came to this device, if it may be shown. Changes nothing. Raises RemoteProtocolError.

    ``bundle_of`` finds a KeyPackage of this device by its KeyPackageRef; ``seen`` are the ids of earlier letters.
    """
    letter_key = LetterKey.decode(letter.key, max_size=MAX_LETTER_KEY)
    bundle = bundle_of(letter_key.key_package_ref)
    if bundle is None:
        raise LetterRefused(LetterReason.NO_SUCH_KEY_PACKAGE)
    content_key = open_key(letter_key, letter.content, bundle)
    signed = open_content(content_key, letter.content)
    letter_id = verify_letter(signed, content_key)
    _check_recipient(owner, signed.statement)
    message = _message(signed)
    _check_time(message, now)
    sender, contact = _judge_sender(owner, signed.statement, min(message.created_at, now))
    # LETTER-8: "one whose id it has seen"
    if letter_id in seen:
        raise LetterRefused(LetterReason.SEEN_BEFORE)
    return OpenedLetter(letter_id, bundle, sender, contact, message)


def _check_recipient(owner: Owner, statement: LetterStatement) -> None:
    own = owner.certificate
    # LETTER-7: "is addressed to another account id or account key than its own"
    addressed = (statement.recipient_id, statement.recipient_key)
    if addressed != (own.account_id.encode(), own.account_key):
        raise LetterRefused(LetterReason.WRONG_RECIPIENT)


def _message(signed: SignedLetter) -> Message:
    message = cast(Message, decode(LETTER, signed.statement.message))
    _check_content(message)
    return message


def _check_content(message: Message) -> None:
    """LETTER-5, LETTER-12."""
    match message:
        case VoiceMessage():
            try:
                split_packets(message.audio)
            except DecodeError as error:
                raise LetterRefused(LetterReason.BAD_AUDIO, error.detail) from None
        case Note() if not is_plain(message.text):
            raise LetterRefused(LetterReason.BAD_TEXT, "a control character")
        case MissedCall() if message.medium not in set(Medium):
            raise LetterRefused(LetterReason.UNKNOWN_MEDIUM)


def _check_time(message: Message, now: int) -> None:
    # LETTER-8: "more than 30 days before its clock or more than 24 hours after it"
    age = now - message.created_at
    if age > LETTER_LIFETIME:
        raise LetterRefused(LetterReason.TOO_OLD, f"{age} ms")
    if age < -CLOCKS_DIFFER:
        raise LetterRefused(LetterReason.FROM_THE_FUTURE, f"{-age} ms ahead")


def _judge_sender(
    owner: Owner, statement: LetterStatement, written_at: int
) -> tuple[VerifiedCertificate, ContactState]:
    """LETTER-7, LETTER-10: who wrote it, and what this device makes of them."""
    sender = verify_certificate(statement.certificate, statement.signature_key)
    # LETTER-7: "at the time at which the letter was written": a certificate may end while the letter waits
    check_dates(sender, written_at, Dates.RECEIVER)
    owner.trust.observe([sender], written_at)
    contact = owner.trust.judge(sender, written_at)
    if owner.trust.is_blocked(sender.account_id):
        raise LetterRefused(LetterReason.BLOCKED)
    return sender, contact
