"""What a call tells its application: one frozen class each, in the order of a call's life.

Events carry what a person must be shown or a shell must act on, never a secret. ``call_id`` names the call.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.call.alive import Lag, StopReason
from e2ee.call.end_reason import EndReason
from e2ee.call.group.link import GroupLink
from e2ee.call.medium import Medium
from e2ee.call.offered_group import OfferedGroup
from e2ee.call.roster import Member
from e2ee.call.sent_media import SentMedia
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.trust import ContactState
from e2ee.signalling.messages import MissedCall, Note, VoiceMessage

__all__ = [
    "BusyThere",
    "CallEvent",
    "Calling",
    "CertificateRenewed",
    "DescriptionReceived",
    "DescriptionWanted",
    "DeviceRenewed",
    "EndReason",
    "Ended",
    "EpochChanged",
    "Event",
    "GroupCallOffered",
    "IdentityChanged",
    "KeyPackagesPublished",
    "LagChanged",
    "LetterFailed",
    "LetterReceived",
    "LetterStored",
    "LinkStored",
    "Live",
    "MediaChanged",
    "Missed",
    "PresenceChanged",
    "ReconnectReceived",
    "RelaysReceived",
    "RemovalComplete",
    "Replaced",
    "RequestRefused",
    "Ringing",
    "RingsThere",
    "SendingResumed",
    "SendingStopped",
    "SuiteLowered",
]


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""


@dataclass(frozen=True, slots=True)
class KeyPackagesPublished(Event):
    """The delivery service holds ``count`` KeyPackages of this device."""

    count: int


@dataclass(frozen=True, slots=True)
class CertificateRenewed(Event):
    """This device has a new certificate, to be kept (IDENT-16)."""

    certificate: VerifiedCertificate


@dataclass(frozen=True, slots=True)
class DeviceRenewed(Event):
    """The service has the newest certificate of this device of the own account, by its signature key (IDENT-16)."""

    signature_key: bytes


@dataclass(frozen=True, slots=True)
class LinkStored(Event):
    """The service keeps what was sealed to a new device, until that fetches it or ten minutes have passed (IDENT-17)."""


@dataclass(frozen=True, slots=True)
class RelaysReceived(Event):
    """Relays (TURN) that this device may use until ``until``, in Unix seconds; none if ``urls`` is empty."""

    urls: tuple[str, ...]
    username: str
    credential: str = field(repr=False)
    until: int


@dataclass(frozen=True, slots=True)
class LetterReceived(Event):
    """Somebody left a letter (LETTER-7). ``contact`` is what this device makes of the sender's account key."""

    letter_id: bytes
    sender: VerifiedCertificate
    contact: ContactState
    message: MissedCall | Note | VoiceMessage


@dataclass(frozen=True, slots=True)
class LetterStored(Event):
    """The service keeps the letter ``number`` until the account's devices take it, or 30 days have passed."""

    number: int
    account_id: str


@dataclass(frozen=True, slots=True)
class LetterFailed(Event):
    """The letter ``number`` was not posted; ``detail`` is for developers."""

    number: int
    account_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class RequestRefused(Event):
    """The delivery service did not do what was asked, which changed nothing; ``call_id`` if it was for a call."""

    request: str
    call_id: bytes | None
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class CallEvent(Event):
    """Base of the events of one call."""

    call_id: bytes


@dataclass(frozen=True, slots=True)
class IdentityChanged(CallEvent):
    """At the caller: a device of the callee has another account key than the one known so far (IDENT-10).

    It is not called. A person may accept the change (``Trust.accept_change``) and call again.
    """

    certificate: VerifiedCertificate


@dataclass(frozen=True, slots=True)
class Calling(CallEvent):
    """At the caller: the invitation is in the log; these devices of the callee ring."""

    devices: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Ringing(CallEvent):
    """At a device of the callee: ``caller`` calls. ``contact`` is what this device knows of the caller's account key."""

    caller: Member
    contact: ContactState
    medium: Medium
    group: OfferedGroup | None = None
    """If it is no call but an invitation to a group call: what the caller says of that."""


@dataclass(frozen=True, slots=True)
class Missed(CallEvent):
    """At a device of the callee: a call that nobody here took, as ``reason`` says: busy, cancelled, timeout."""

    caller: Member
    medium: Medium
    reason: EndReason
    group: OfferedGroup | None = None
    """As in ``Ringing``."""


@dataclass(frozen=True, slots=True)
class RingsThere(CallEvent):
    """At the caller: this device of the callee rings (CALL-17)."""

    device: Member


@dataclass(frozen=True, slots=True)
class BusyThere(CallEvent):
    """At the caller: this device of the callee is in another call; others may answer (CALL-18)."""

    device: Member


@dataclass(frozen=True, slots=True)
class Replaced(CallEvent):
    """Both sides called each other: this call ends, and the one of ``by``, the other side's, is answered (CALL-21)."""

    by: bytes


@dataclass(frozen=True, slots=True)
class SuiteLowered(CallEvent):
    """The other side once offered this higher MLS suite: a downgrade, or an older device of theirs (KEYS-2)."""

    account_id: str
    suite: int


@dataclass(frozen=True, slots=True)
class EpochChanged(CallEvent):
    """A commit was applied and the members are now these (KEYS-14: each change names its committer).

    ``call_code`` is equal at both exactly if both are in one group now (CALL-14).
    """

    epoch: int
    committer: Member
    members: tuple[Member, ...]
    call_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DescriptionWanted(CallEvent):
    """The call waits for this side's session description: hand it to ``Call.describe``."""


@dataclass(frozen=True, slots=True)
class DescriptionReceived(CallEvent):
    """The other side's session description (SDP, with all candidates), authenticated by its leaf."""

    description: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class GroupCallOffered(CallEvent):
    """At the device on which an invitation to a group call was answered: it may ask to join that call now (GROUP-6).

    ``call_id`` is the ring group's, which is as good as over. Without a secret, ``link`` names the first of the hosts.
    """

    group: OfferedGroup
    link: GroupLink


@dataclass(frozen=True, slots=True)
class Live(CallEvent):
    """Both sides have the other's session description."""


@dataclass(frozen=True, slots=True)
class MediaChanged(CallEvent):
    """What the other side sends from now on (CALL-26)."""

    member: Member
    sent: SentMedia


@dataclass(frozen=True, slots=True)
class ReconnectReceived(CallEvent):
    """The other side's description for a new connection in the place of a lost one (CALL-28).

    At the answering device: make one and hand its description to ``Call.reconnected``. At the caller: the answer.
    """

    number: int
    description: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SendingStopped(CallEvent):
    """This device sends no frames any more, until ``SendingResumed`` (CALL-23, CALL-27)."""

    reason: StopReason
    silent: tuple[Member, ...]
    """Who was not heard in this epoch: "not in this branch"."""


@dataclass(frozen=True, slots=True)
class SendingResumed(CallEvent):
    """This device sends frames again."""


@dataclass(frozen=True, slots=True)
class LagChanged(CallEvent):
    """What a member says comes late, or in time again (CALL-24); ``lag.withheld`` asks to render nothing of it."""

    member: Member
    lag: Lag


@dataclass(frozen=True, slots=True)
class RemovalComplete(CallEvent):
    """Who was removed opens nothing that was sent after ``until`` (Unix milliseconds), as CALL-25 counts it."""

    leaves: frozenset[int]
    until: int


@dataclass(frozen=True, slots=True)
class PresenceChanged(CallEvent):
    """The service's word: a member's device is connected to it, or is not. Media may flow all the same."""

    member: Member
    connected: bool


@dataclass(frozen=True, slots=True)
class Ended(CallEvent):
    """The call is over and its keys are erased. ``remote`` tells that the other side, or the service, ended it.

    ``text`` is what the other side's person said with ``declined``; ``detail`` is for developers.
    """

    reason: EndReason
    remote: bool
    detail: str = ""
    text: str = field(default="", repr=False)
