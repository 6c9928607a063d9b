"""Service messages of group calls, in the order of the chapter's table."""

from __future__ import annotations

from e2ee.signalling.fields import (
    U32,
    U64,
    Bool,
    Bytes,
    Bytes16,
    Bytes32,
)
from e2ee.signalling.messages.declaration import (
    SERVICE,
    FromDevice,
    FromService,
    message,
)

__all__ = [
    "Added",
    "AskTree",
    "Gone",
    "Join",
    "JoinRequested",
    "Joining",
    "Leave",
    "ReportInvalid",
    "Tree",
    "TurnAway",
    "TurnedAway",
    "Voided",
]


@message(SERVICE, "join")
class Join(FromDevice):
    """Asks to be added to a group call, with a KeyPackage made for it (GROUP-7)."""

    call_id: Bytes16
    key_package: Bytes


@message(SERVICE, "joining")
class Joining(FromService):
    """Answers ``join``: members were asked; in the ``lobby``, only hosts (GROUP-10)."""

    call_id: Bytes16
    lobby: Bool


@message(SERVICE, "join_requested")
class JoinRequested(FromService):
    """Somebody asks to be added; who gets it with ``rank`` k acts after k times 1.5 s (GROUP-8)."""

    call_id: Bytes16
    key_package: Bytes
    rank: U32
    lobby: Bool


@message(SERVICE, "turn_away")
class TurnAway(FromDevice):
    """A host does not admit who asks with this signature key (GROUP-10)."""

    call_id: Bytes16
    signature_key: Bytes32


@message(SERVICE, "turned_away")
class TurnedAway(FromService):
    """The same, at who asked."""

    call_id: Bytes16


@message(SERVICE, "added")
class Added(FromService):
    """A Welcome to a group call that this device asked to join."""

    call_id: Bytes16
    welcome: Bytes
    number: U64 = 0


@message(SERVICE, "ask_tree")
class AskTree(FromDevice):
    """Asks for the ratchet tree of an epoch, from this byte of its encoding on (GROUP-11)."""

    call_id: Bytes16
    epoch: U64
    offset: U32


@message(SERVICE, "tree")
class Tree(FromService):
    """Answers ``ask_tree``: the next bytes of the encoded tree, which has ``size`` bytes."""

    call_id: Bytes16
    epoch: U64
    offset: U32
    size: U32
    data: Bytes


@message(SERVICE, "leave")
class Leave(FromDevice):
    """This device has left: its leaf can be removed now (GROUP-16)."""

    call_id: Bytes16


@message(SERVICE, "gone")
class Gone(FromService):
    """An encoded GoneStatement about a member (KEYS-24), for the one of ``rank`` k to act on after k times 1.5 s."""

    call_id: Bytes16
    statement: Bytes
    rank: U32


@message(SERVICE, "report_invalid")
class ReportInvalid(FromDevice):
    """The log's commit of ``epoch`` cannot be followed (GROUP-20)."""

    call_id: Bytes16
    epoch: U64


@message(SERVICE, "voided")
class Voided(FromService):
    """The log's commit of ``epoch`` is void, and with it what came after; another one may follow (GROUP-20)."""

    call_id: Bytes16
    epoch: U64
    number: U64 = 0
