"""What a group call tells its application, in the order of its life; what it shares with every call is in ``e2ee.call.events``.

Of those: ``EpochChanged``, ``PresenceChanged``, ``LagChanged``, ``SendingStopped``, ``SendingResumed``, ``RemovalComplete``,
``RequestRefused``, ``Ended``, and the events of chat and of the spoken code.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.call.events import CallEvent
from e2ee.call.group.link import GroupLink
from e2ee.call.group.streams import AnnouncedStream
from e2ee.call.roster import Member
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.trust import ContactState
from e2ee.media.encoded_frame import Kind
from e2ee.profile.call_profile import CallProfile

__all__ = [
    "GroupCallEntered",
    "GroupCallOpened",
    "HandRaised",
    "InvitedToStage",
    "JoinRequestSent",
    "Joined",
    "JoinsAnew",
    "Knock",
    "KnockWithdrawn",
    "Knocked",
    "LinkChanged",
    "MediaLost",
    "MediaOffered",
    "MediaPublished",
    "MemberLeft",
    "MembersChanged",
    "MuteRequested",
    "ProfileChanged",
    "StageReplied",
    "Stranded",
    "StreamsChanged",
]


@dataclass(frozen=True, slots=True)
class Knock:
    """A device that waits in the lobby, what this device makes of its account's key, and when it asked last (Unix ms)."""

    certificate: VerifiedCertificate
    contact: ContactState
    asked_at: int

    @property
    def account_id(self) -> str:
        """Whose device it is."""
        return self.certificate.account_id

    @property
    def signature_key(self) -> bytes:
        """The device's."""
        return self.certificate.signature_key


@dataclass(frozen=True, slots=True)
class GroupCallOpened(CallEvent):
    """The service has taken the call that was created here; ``link`` lets others in."""

    link: GroupLink


@dataclass(frozen=True, slots=True)
class GroupCallEntered(CallEvent):
    """The ring group ``call_id`` was answered here and accepted there: this device asks to join ``group_call_id`` (GROUP-6)."""

    group_call_id: bytes


@dataclass(frozen=True, slots=True)
class JoinRequestSent(CallEvent):
    """Members were asked to let this device in; in the ``lobby`` a host has to (GROUP-10)."""

    lobby: bool


@dataclass(frozen=True, slots=True)
class Joined(CallEvent):
    """This device is in the call; ``anew`` if it was before (GROUP-21). ``call_code`` as in ``EpochChanged``."""

    epoch: int
    members: tuple[Member, ...]
    profile: CallProfile
    anew: bool
    call_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MembersChanged(CallEvent):
    """A commit let these in and took those out; a leaf index may be in both. ``committer`` made it (KEYS-14)."""

    added: tuple[Member, ...]
    removed: tuple[Member, ...]
    committer: Member


@dataclass(frozen=True, slots=True)
class ProfileChanged(CallEvent):
    """A host changed what the call is: hosts, speakers, who may come."""

    before: CallProfile
    after: CallProfile
    committer: Member


@dataclass(frozen=True, slots=True)
class LinkChanged(CallEvent):
    """The link that lets others in is another one now; None: this device does not know it."""

    link: GroupLink | None


@dataclass(frozen=True, slots=True)
class Knocked(CallEvent):
    """At a host: somebody waits in the lobby. ``GroupCall.admit`` lets the account in, ``turn_away`` does not."""

    knock: Knock


@dataclass(frozen=True, slots=True)
class KnockWithdrawn(CallEvent):
    """At a host: this device does not wait in the lobby any more: admitted, turned away, or it asked no more."""

    knock: Knock


@dataclass(frozen=True, slots=True)
class HandRaised(CallEvent):
    """A member raised a hand, or took it down."""

    member: Member
    raised: bool


@dataclass(frozen=True, slots=True)
class InvitedToStage(CallEvent):
    """A host asks the person here to speak: ``GroupCall.reply_to_stage``."""

    host: Member


@dataclass(frozen=True, slots=True)
class StageReplied(CallEvent):
    """A member who was invited to the stage says yes or no; a host may then ``take_on_stage``."""

    member: Member
    accepted: bool


@dataclass(frozen=True, slots=True)
class MuteRequested(CallEvent):
    """A host asks this device to stop what it sends of ``kind``; whether it does is its own affair (GROUP-13)."""

    host: Member
    kind: Kind


@dataclass(frozen=True, slots=True)
class MemberLeft(CallEvent):
    """A member said that it has left; its leaf is removed soon (GROUP-16)."""

    member: Member


@dataclass(frozen=True, slots=True)
class StreamsChanged(CallEvent):
    """What a member publishes from now on (GROUP-18)."""

    member: Member
    streams: tuple[AnnouncedStream, ...]


@dataclass(frozen=True, slots=True)
class MediaPublished(CallEvent):
    """The forwarding unit's answer to ``GroupCall.publish_media``."""

    description: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MediaOffered(CallEvent):
    """The forwarding unit offers the others' media; the answer goes to ``GroupCall.answer_media``.

    The three lists have one element for each m-section in use: its mid, whose it is said to be, and that member's own mid.
    """

    number: int
    description: str = field(repr=False)
    mids: tuple[str, ...]
    leaves: tuple[int, ...]
    source_mids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MediaLost(CallEvent):
    """The forwarding unit has no connection of this device any more (SFU-8)."""


@dataclass(frozen=True, slots=True)
class Stranded(CallEvent):
    """The log's newest commit, by ``committer``, cannot be followed; it was reported (GROUP-20). ``detail`` is for developers."""

    committer: Member | None
    detail: str


@dataclass(frozen=True, slots=True)
class JoinsAnew(CallEvent):
    """This device's epochs are erased, and it asks to come in again as a new leaf (GROUP-20, GROUP-21)."""

    detail: str
