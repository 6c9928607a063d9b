"""All messages, one frozen class each, in the order of the tables of the chapter Signalling.

Two families: *service* messages go between a device and the delivery service, *call* messages between devices
inside MLS application data. A declaration is the whole knowledge of a message: its name, and its fields in wire
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
    ListOfU32,
    Name,
    OptionalBytes,
    OptionalBytes16,
    Text,
)

__all__ = [
    "CALL",
    "SERVICE",
    "Accepted",
    "Alive",
    "AnswerDescription",
    "Attested",
    "CallMessage",
    "Claim",
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
    "LoggedIn",
    "Login",
    "Message",
    "Offer",
    "Open",
    "Publish",
    "Published",
    "Refused",
    "Register",
    "Send",
    "Sent",
    "ServiceMessage",
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


class CallMessage(Message):
    """A message between the devices of a call."""

    __slots__ = ()


M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Family(Generic[M]):
    """A family of messages: all of its messages by name, and the largest encoding of one, in bytes."""

    name: str
    max_size: int
    messages: dict[str, type[M]] = field(default_factory=dict)


# SIG-3: "A service message MUST be at most 1 MiB, a call message at most 64 KiB"
SERVICE: Family[ServiceMessage] = Family("service", 1 << 20)
CALL: Family[CallMessage] = Family("call", 1 << 16)


@dataclass_transform(frozen_default=True)
def _message(family: Family[M], name: str) -> Callable[[type[M]], type[M]]:
    """Make a declaration a frozen class and enter it into its family."""

    def declare(cls: type[M]) -> type[M]:
        made: Any = dataclass(frozen=True, slots=True)(cls)
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


@_message(SERVICE, "committed")
class Committed(FromService):
    """An entry of the call's log, in the log's order, to every member of the epoch that it ends."""

    call_id: Bytes16
    commit: Bytes


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
    """The first application message of epoch 1 (CALL-3); ``created_at`` in Unix milliseconds."""

    created_at: U64
    video: Bool


@_message(CALL, "accepted")
class Accepted(CallMessage):
    """The caller's session description, after the Answer (CALL-7)."""

    description: Text


@_message(CALL, "answer_description")
class AnswerDescription(CallMessage):
    """The answering device's session description (CALL-9)."""

    description: Text


@_message(CALL, "alive")
class Alive(CallMessage):
    """The sender has applied ``epoch`` (CALL-11); ``clock`` in Unix milliseconds."""

    epoch: U64
    clock: U64


@_message(CALL, "hangup")
class Hangup(CallMessage):
    """Ends the call: ``done``, ``answer-failed`` or ``protocol-error`` (CALL-13)."""

    reason: Text
