"""What a call tells its application: one frozen class each, in the order of a call's life.

Events carry what a person must be shown or a shell must act on, never a secret. ``call_id`` names the call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from e2ee.call.roster import Member
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.trust import ContactState

__all__ = [
    "Calling",
    "DescriptionReceived",
    "DescriptionWanted",
    "EndReason",
    "Ended",
    "EpochChanged",
    "Event",
    "IdentityChanged",
    "KeyPackagesPublished",
    "Live",
    "RequestRefused",
    "Ringing",
]


class EndReason(StrEnum):
    """Why a call ended, in the words of the chapter Calls where it has a word."""

    DONE = "done"
    ANSWER_FAILED = "answer-failed"
    ANSWERED_ELSEWHERE = "answered-elsewhere"
    PROTOCOL_ERROR = "protocol-error"
    UNREACHABLE = "unreachable"  # no device of the callee that can be called
    IDENTITY_CHANGED = "identity-changed"  # IDENT-10
    REFUSED = "refused"  # by the delivery service


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""


@dataclass(frozen=True, slots=True)
class KeyPackagesPublished(Event):
    """The delivery service holds ``count`` KeyPackages of this device."""

    count: int


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
    video: bool


@dataclass(frozen=True, slots=True)
class EpochChanged(CallEvent):
    """A commit was applied and the members are now these (KEYS-14: each change names its committer).

    ``call_code`` is equal at both exactly if both are in one group now (CALL-14).
    """

    epoch: int
    committer: Member
    members: tuple[Member, ...]
    call_code: str


@dataclass(frozen=True, slots=True)
class DescriptionWanted(CallEvent):
    """The call waits for this side's session description: hand it to ``Call.describe``."""


@dataclass(frozen=True, slots=True)
class DescriptionReceived(CallEvent):
    """The other side's session description (SDP, with all candidates), authenticated by its leaf."""

    description: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Live(CallEvent):
    """Both sides have the other's session description."""


@dataclass(frozen=True, slots=True)
class Ended(CallEvent):
    """The call is over and its keys are erased. ``remote`` tells that the other side, or the service, ended it."""

    reason: EndReason
    remote: bool
    detail: str = ""
