"""All messages, one frozen class each, in the order of the tables of the chapter Signalling.

Three families: *service* messages go between a device and the delivery service, *call* messages between devices
inside MLS application data, *letters* to devices that were absent, sealed. A declaration is the whole knowledge of a message: its name, and its fields in wire
order, each with the type of ``fields``. This module knows no encoding; ``wire`` reads the declarations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Generic, TypeVar, dataclass_transform, get_type_hints

from e2ee.signalling.fields import (
    U32,
    U64,
    Bool,
    Bytes,
    Bytes16,
    Bytes32,
    Bytes64,
    Check,
    ListOfBytes,
    ListOfText,
    ListOfU32,
    Name,
    OptionalBytes,
    OptionalBytes16,
    Text,
)

__all__ = [
    "CALL",
    "LETTER",
    "SERVICE",
    "Accepted",
    "Acknowledge",
    "Alive",
    "AnswerDescription",
    "AskRelays",
    "Attested",
    "AwaitLink",
    "Busy",
    "CallMessage",
    "Caption",
    "Certificate",
    "Chat",
    "Claim",
    "CodeCommit",
    "CodeReveal",
    "Commit",
    "Committed",
    "Devices",
    "Family",
    "Find",
    "FromDevice",
    "FromService",
    "Hangup",
    "Hello",
    "Invited",
    "KeyPackages",
    "Letter",
    "LetterContent",
    "Link",
    "Linked",
    "LiveText",
    "LoggedIn",
    "Login",
    "Media",
    "Message",
    "MissedCall",
    "Note",
    "Offer",
    "Open",
    "Post",
    "Presence",
    "Publish",
    "Published",
    "Reaction",
    "Receipt",
    "Reconnect",
    "Reconnected",
    "Refused",
    "Register",
    "Relays",
    "Renew",
    "Renewed",
    "Ringing",
    "SealedMessage",
    "Send",
    "Sent",
    "ServiceMessage",
    "Stored",
    "Typing",
    "VoiceMessage",
    "Welcome",
]


class Message:
    """Base of every message. ``name`` opens its encoding; ``checks`` are its fields' types in wire order."""

    __slots__ = ()
    family: ClassVar[Family[Any]]
    name: ClassVar[str]
    checks: ClassVar[tuple[tuple[str, Check], ...]]


class ServiceMessage(Message):
    """A message between a device and the delivery service."""

    __slots__ = ()


class FromDevice(ServiceMessage):
    """What a device sends."""

    __slots__ = ()


class FromService(ServiceMessage):
    """What the delivery service sends."""

    __slots__ = ()


class SealedMessage(Message):
    """A message that only people's devices read. Its fields are not printed: what people say is in no log."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class CallMessage(SealedMessage):
    """A message between the devices of a call."""

    __slots__ = ()


class LetterContent(SealedMessage):
    """What a letter says."""

    __slots__ = ()


M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Family(Generic[M]):
    """A family of messages: all of its messages by name, and the largest encoding of one, in bytes."""

    name: str
    max_size: int
    messages: dict[str, type[M]] = field(default_factory=dict)


# SIG-3: "A service message MUST be at most 1 MiB, a call message at most 64 KiB, a letter at most 512 KiB"
SERVICE: Family[ServiceMessage] = Family("service", 1 << 20)
CALL: Family[CallMessage] = Family("call", 1 << 16)
LETTER: Family[LetterContent] = Family("letter", 1 << 19)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def _message(family: Family[M], name: str) -> Callable[[type[M]], type[M]]:
    """Make a declaration a frozen class and enter it into its family."""

    def declare(cls: type[M]) -> type[M]:
        printed = not issubclass(cls, SealedMessage)
        made: Any = dataclass(frozen=True, slots=True, repr=printed)(cls)
        hints = get_type_hints(made, include_extras=True)
        made.family, made.name = family, name
        made.checks = tuple((f.name, hints[f.name].__metadata__[0]) for f in fields(made))
        family.messages[name] = made
        declared: type[M] = made
        return declared

    return declare


# Service messages


@_message(SERVICE, "hello")
class Hello(FromDevice):
    """Opens a connection; ``versions`` that the device speaks."""

    versions: ListOfU32


@_message(SERVICE, "welcome")
class Welcome(FromService):
    """The version chosen, and the challenge of IDENT-14."""

    version: U32
    server_name: Text
    server_nonce: Bytes32
    delivery_key: Bytes32


@_message(SERVICE, "register")
class Register(FromDevice):
    """Asks for an attestation of ``account_key`` (IDENT-15)."""

    account_id: Name
    account_key: Bytes32
    signature: Bytes64
    token: Text = field(default="", repr=False)
    """What lets this account in: an invitation, or the application's own token for its user (DS-8)."""


@_message(SERVICE, "attested")
class Attested(FromService):
    """Answers ``register``; ``attested_until`` in Unix seconds."""

    directory_key_id: U32
    attested_until: U64
    attestation: Bytes64


@_message(SERVICE, "login")
class Login(FromDevice):
    """A device proves itself (IDENT-14); ``certificate`` is an encoded DeviceCertificate."""

    certificate: Bytes
    signature_key: Bytes32
    client_nonce: Bytes32
    signature: Bytes64


@_message(SERVICE, "logged_in")
class LoggedIn(FromService):
    """Answers ``login``."""


@_message(SERVICE, "renew")
class Renew(FromDevice):
    """The newest certificate of a device of the sender's account (IDENT-16)."""

    signature_key: Bytes32
    certificate: Bytes


@_message(SERVICE, "renewed")
class Renewed(FromService):
    """Answers ``renew``."""

    signature_key: Bytes32


@_message(SERVICE, "certificate")
class Certificate(FromService):
    """Somebody renewed the certificate of the device that this is sent to."""

    certificate: Bytes
    number: U64 = 0


@_message(SERVICE, "link")
class Link(FromDevice):
    """What a new device of the sender's account waits for, sealed to it (IDENT-17)."""

    link_id: Bytes16
    sealed: Bytes


@_message(SERVICE, "await_link")
class AwaitLink(FromDevice):
    """A new device, not logged in, waits for what is sealed to it."""

    link_id: Bytes16


@_message(SERVICE, "linked")
class Linked(FromService):
    """Answers ``await_link``, when there is something."""

    link_id: Bytes16
    sealed: Bytes


@_message(SERVICE, "publish")
class Publish(FromDevice):
    """KeyPackages of this device, each an encoded KeyPackage."""

    key_packages: ListOfBytes


@_message(SERVICE, "published")
class Published(FromService):
    """How many KeyPackages the service holds of this device."""

    count: U32


@_message(SERVICE, "find")
class Find(FromDevice):
    """Asks for the devices of an account."""

    account_id: Name


@_message(SERVICE, "devices")
class Devices(FromService):
    """Answers ``find``: an encoded DeviceCertificate of each device."""

    account_id: Name
    certificates: ListOfBytes


@_message(SERVICE, "claim")
class Claim(FromDevice):
    """Takes one KeyPackage of an MLS suite from each device of an account."""

    account_id: Name
    suite: U32


@_message(SERVICE, "key_packages")
class KeyPackages(FromService):
    """Answers ``claim``."""

    account_id: Name
    key_packages: ListOfBytes


@_message(SERVICE, "open")
class Open(FromDevice):
    """The public half of epoch 0: an encoded GroupInfo (DS-3)."""

    call_id: Bytes16
    group_info: Bytes


@_message(SERVICE, "commit")
class Commit(FromDevice):
    """A commit for the call's log; ``offer`` only with ``welcome`` (DS-4, DS-5). All are MLSMessages."""

    call_id: Bytes16
    commit: Bytes
    welcome: OptionalBytes
    offer: OptionalBytes


@_message(SERVICE, "invited")
class Invited(FromService):
    """An invitation (CALL-3)."""

    call_id: Bytes16
    welcome: Bytes
    offer: Bytes
    number: U64 = 0


@_message(SERVICE, "committed")
class Committed(FromService):
    """An entry of the call's log, in the log's order, to every member of the epoch that it ends."""

    call_id: Bytes16
    commit: Bytes
    number: U64 = 0


@_message(SERVICE, "send")
class Send(FromDevice):
    """Application data for all other members of the call: a PrivateMessage."""

    call_id: Bytes16
    message: Bytes


@_message(SERVICE, "sent")
class Sent(FromService):
    """Application data of another member of the call."""

    call_id: Bytes16
    message: Bytes
    number: U64 = 0


@_message(SERVICE, "post")
class Post(FromDevice):
    """A letter for the absent (LETTER-1): ``keys`` are sealed to one KeyPackage each, ``content`` to all."""

    keys: ListOfBytes
    content: Bytes


@_message(SERVICE, "letter")
class Letter(FromService):
    """A letter, with the key that is sealed to a KeyPackage of this device."""

    key: Bytes
    content: Bytes
    number: U64 = 0


@_message(SERVICE, "stored")
class Stored(FromService):
    """Answers ``send``, ``post`` and ``link``: it is kept until it is acknowledged or expires (DS-9)."""

    request: Text
    call_id: OptionalBytes16


@_message(SERVICE, "acknowledge")
class Acknowledge(FromDevice):
    """All that the mailbox sent with a number up to this one was taken (DS-9)."""

    number: U64


@_message(SERVICE, "presence")
class Presence(FromService):
    """The service's word on whether a member of a call is connected (DS-11)."""

    call_id: Bytes16
    leaf: U32
    connected: Bool


@_message(SERVICE, "ask_relays")
class AskRelays(FromDevice):
    """Asks for relays (TURN)."""


@_message(SERVICE, "relays")
class Relays(FromService):
    """Answers ``ask_relays``: no URL if there is none; ``until`` in Unix seconds."""

    urls: ListOfText
    username: Text
    credential: Text = field(repr=False)
    until: U64


@_message(SERVICE, "refused")
class Refused(FromService):
    """A request failed and changed nothing; ``request`` is its name, empty if its bytes did not decode."""

    request: Text
    call_id: OptionalBytes16
    reason: Text
    detail: Text


# Call messages


@_message(CALL, "offer")
class Offer(CallMessage):
    """The first application message of epoch 1 (CALL-3); ``created_at`` in Unix milliseconds.

    ``medium`` is what the caller would like: ``text``, ``voice`` or ``video``.
    """

    created_at: U64
    medium: Text


@_message(CALL, "ringing")
class Ringing(CallMessage):
    """A device of the callee rings (CALL-17)."""


@_message(CALL, "busy")
class Busy(CallMessage):
    """A device of the callee is in another call (CALL-18)."""


@_message(CALL, "accepted")
class Accepted(CallMessage):
    """The caller's session description, after the Answer (CALL-7)."""

    description: Text


@_message(CALL, "answer_description")
class AnswerDescription(CallMessage):
    """The answering device's session description (CALL-9)."""

    description: Text


@_message(CALL, "reconnect")
class Reconnect(CallMessage):
    """The caller's description of a new connection in the place of a lost one (CALL-28)."""

    number: U32
    description: Text


@_message(CALL, "reconnected")
class Reconnected(CallMessage):
    """The answering device's description of that connection (CALL-28)."""

    number: U32
    description: Text


@_message(CALL, "alive")
class Alive(CallMessage):
    """The sender is in ``epoch`` (CALL-11); ``clock`` in Unix milliseconds."""

    epoch: U64
    clock: U64


@_message(CALL, "media")
class Media(CallMessage):
    """What the sender sends from now on (CALL-26)."""

    microphone: Bool
    camera: Bool
    screen: Bool
    on_hold: Bool


@_message(CALL, "hangup")
class Hangup(CallMessage):
    """Ends the call; ``reason`` is one of CALL-13's table, ``text`` a person's words with ``declined``."""

    reason: Text
    text: Text = ""


@_message(CALL, "chat")
class Chat(CallMessage):
    """A text; ``number`` counts the sender's (CHAT-1)."""

    number: U64
    text: Text


@_message(CALL, "reaction")
class Reaction(CallMessage):
    """A reaction to the text ``number`` of the member at ``leaf``; an empty one takes it back (CHAT-4)."""

    leaf: U32
    number: U64
    reaction: Text


@_message(CALL, "typing")
class Typing(CallMessage):
    """Whether the sender writes."""

    typing: Bool


@_message(CALL, "receipt")
class Receipt(CallMessage):
    """The sender has all texts up to ``number`` of the member at ``leaf``, and has ``read`` them (CHAT-5)."""

    leaf: U32
    number: U64
    read: Bool


@_message(CALL, "live_text")
class LiveText(CallMessage):
    """Real-time text: what was written since the last one (CHAT-6)."""

    number: U64
    text: Text


@_message(CALL, "caption")
class Caption(CallMessage):
    """What somebody says, as text; not ``final`` if a better one of this ``number`` may follow (CHAT-7)."""

    number: U64
    text: Text
    language: Text
    final: Bool


@_message(CALL, "code_commit")
class CodeCommit(CallMessage):
    """First half of a spoken code (VERIFY-3)."""

    attempt: U32
    commitment: Bytes32


@_message(CALL, "code_reveal")
class CodeReveal(CallMessage):
    """Second half of a spoken code (VERIFY-3)."""

    attempt: U32
    random: Bytes32


# Letters


@_message(LETTER, "missed_call")
class MissedCall(LetterContent):
    """The sender called at ``created_at`` (Unix milliseconds), and nobody was there."""

    call_id: Bytes16
    created_at: U64
    medium: Text


@_message(LETTER, "note")
class Note(LetterContent):
    """A text."""

    created_at: U64
    text: Text


@_message(LETTER, "voice_message")
class VoiceMessage(LetterContent):
    """Speech: ``audio`` is a row of Opus packets of 20 ms, each after its length as u16 (LETTER-5)."""

    created_at: U64
    audio: Bytes
