"""Call messages of group calls, and the one that invites to a group call, in the order of the chapter's table."""

from __future__ import annotations

from dataclasses import field

from e2ee.signalling.fields import (
    U32,
    U64,
    Bool,
    Bytes16,
    Bytes32,
    ListOfBytes,
    ListOfText,
    ListOfU32,
    OptionalBytes,
    Text,
)
from e2ee.signalling.messages.declaration import (
    CALL,
    CallMessage,
    message,
)

__all__ = [
    "GroupOffer",
    "Hand",
    "Left",
    "MuteRequest",
    "NewLink",
    "Removing",
    "StageInvitation",
    "StageReply",
    "Streams",
]


@message(CALL, "group_offer")
class GroupOffer(CallMessage):
    """The first application message of epoch 1 of a ring group (GROUP-5): whoever answers may ask to join the group call."""

    created_at: U64
    medium: Text
    group_call_id: Bytes16
    hosts: ListOfBytes
    """Account keys, 32 bytes each."""
    link_secret: OptionalBytes = field(repr=False)
    people: ListOfText
    """Accounts that are in the call, for display."""


@message(CALL, "streams")
class Streams(CallMessage):
    """What its sender publishes: each element of the lists is a stream (GROUP-18)."""

    kinds: ListOfU32
    instances: ListOfU32
    codecs: ListOfText
    mids: ListOfText


@message(CALL, "hand")
class Hand(CallMessage):
    """Its sender raises a hand, or takes it down."""

    raised: Bool


@message(CALL, "stage_invitation")
class StageInvitation(CallMessage):
    """A host asks the member at ``leaf`` to speak."""

    leaf: U32


@message(CALL, "stage_reply")
class StageReply(CallMessage):
    """The answer to the newest ``stage_invitation``."""

    accepted: Bool


@message(CALL, "mute_request")
class MuteRequest(CallMessage):
    """A host asks the member at ``leaf`` to stop what it sends of ``kind`` (FKEY)."""

    leaf: U32
    kind: U32


@message(CALL, "removing")
class Removing(CallMessage):
    """A host is about to commit the removal of the member at ``leaf`` (GROUP-15)."""

    leaf: U32


@message(CALL, "left")
class Left(CallMessage):
    """Its sender has left (GROUP-16)."""


@message(CALL, "new_link")
class NewLink(CallMessage):
    """The secret of the link that a host's next commit brings (GROUP-14)."""

    secret: Bytes32
