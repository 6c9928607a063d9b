"""What a group call with its media tells beside the events of ``e2ee.call``."""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.call.events import CallEvent
from e2ee.call.roster import Member
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.peer import MediaStreamTrack

__all__ = ["InvitationChanged", "NoMedia", "SpeakingChanged", "StreamBegan", "StreamEnded"]


@dataclass(frozen=True, slots=True)
class NoMedia(CallEvent):
    """A connection to the forwarding unit did not come about, for this reason. Another one is tried, and the call goes on."""

    detail: str


@dataclass(frozen=True, slots=True)
class StreamBegan(CallEvent):
    """A member's stream comes: ``track`` is what it shows or says, decoded, whatever connection of this device brings it."""

    member: Member
    kind: Kind
    instance: int
    track: MediaStreamTrack = field(repr=False)


@dataclass(frozen=True, slots=True)
class StreamEnded(CallEvent):
    """Nothing more comes of this stream, and its track has ended."""

    member: Member
    kind: Kind
    instance: int


@dataclass(frozen=True, slots=True)
class SpeakingChanged(CallEvent):
    """Who is heard now, who began last first: by what their microphones send, decoded."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class InvitationChanged(CallEvent):
    """What became of the invitation of ``account_id``: ``event`` is of the call that rings there (GROUP-4).

    ``Ended`` with reason ``done`` says that it was accepted: that account's device asks to join now.
    """

    account_id: str
    event: CallEvent
