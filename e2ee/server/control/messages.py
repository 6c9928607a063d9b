"""What a service and its forwarding unit say to each other: the calls of ``ForwardingUnit`` and what comes of them.

Encoded as service messages are (SIG-1 to SIG-3), with the names and in the order that stand here. ``request`` counts the
requests of a connection, ``member`` is a device's signature key. Each request is answered by ``done``, ``refused`` or
``failed``; those of one member in one call are done in their order.
"""

from __future__ import annotations

from e2ee.signalling.fields import U32, U64, Bytes16, Bytes32, ListOfText, ListOfU32, Text
from e2ee.signalling.messages.declaration import Family, Message, message

__all__ = [
    "CONTROL",
    "Answer",
    "Answering",
    "CloseMember",
    "ClosePublisher",
    "ControlMessage",
    "Done",
    "Failed",
    "FromUnit",
    "Lost",
    "Offered",
    "Passed",
    "Publish",
    "Refused",
    "Subscribe",
    "ToUnit",
    "Want",
]


class ControlMessage(Message):
    """A message of this connection."""

    __slots__ = ()


class ToUnit(ControlMessage):
    """What the service asks, about one member of one call."""

    __slots__ = ()
    request: U64
    call_id: Bytes16
    member: Bytes32


class FromUnit(ControlMessage):
    """What the unit says."""

    __slots__ = ()


CONTROL: Family[ControlMessage] = Family("forwarding control", 1 << 20)


@message(CONTROL, "publish")
class Publish(ToUnit):
    """``done`` brings the description to answer with."""

    request: U64
    call_id: Bytes16
    member: Bytes32
    leaf: U32
    description: Text


@message(CONTROL, "subscribe")
class Subscribe(ToUnit):
    """``offer`` follows."""

    request: U64
    call_id: Bytes16
    member: Bytes32
    leaf: U32


@message(CONTROL, "answer")
class Answer(ToUnit):
    """The member's answer to the offer of this number."""

    request: U64
    call_id: Bytes16
    member: Bytes32
    number: U32
    description: Text


@message(CONTROL, "want")
class Want(ToUnit):
    """Which m-sections with video the member wants, in order of importance."""

    request: U64
    call_id: Bytes16
    member: Bytes32
    mids: ListOfText


@message(CONTROL, "close_member")
class CloseMember(ToUnit):
    """It has left, was removed, or is gone."""

    request: U64
    call_id: Bytes16
    member: Bytes32


@message(CONTROL, "close_publisher")
class ClosePublisher(ToUnit):
    """It is still a member, and may not send media any more."""

    request: U64
    call_id: Bytes16
    member: Bytes32


@message(CONTROL, "done")
class Done(FromUnit):
    """``description`` is empty unless it answers ``publish``."""

    request: U64
    description: Text = ""


@message(CONTROL, "refused")
class Refused(FromUnit):
    """``reason`` is one of ``SfuReason``; nothing has changed."""

    request: U64
    reason: Text
    detail: Text


@message(CONTROL, "failed")
class Failed(FromUnit):
    """A fault of the unit's own, which its log has."""

    request: U64


Answering = Done | Refused | Failed


@message(CONTROL, "offer")
class Offered(FromUnit):
    """For the member's ``media_offer``."""

    call_id: Bytes16
    member: Bytes32
    number: U32
    description: Text
    mids: ListOfText
    leaves: ListOfU32
    source_mids: ListOfText


@message(CONTROL, "lost")
class Lost(FromUnit):
    """The unit has no connection of this member any more, by no request."""

    call_id: Bytes16
    member: Bytes32


@message(CONTROL, "passed")
class Passed(FromUnit):
    """What passed through this connection's unit so far, said now and then: ``Totals``, and how many streams are held back."""

    packets_received: U64
    bytes_received: U64
    packets_sent: U64
    bytes_sent: U64
    nacks: U64
    resent: U64
    key_frame_requests: U64
    held_back: U32
