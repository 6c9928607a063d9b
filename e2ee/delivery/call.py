"""``Call``: what the service knows of a call in one epoch, and of a group call's last ones (DS-3, DS-20, DS-21).

It never changes: ``call_log`` makes the next one. Of a group call it remembers the epochs whose entry may still be void, that
count for its pace, or whose tree may be asked for; so all of these are what the log says, after a restart as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.limits import PACE_WINDOW, TREES_KEPT
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.mls.public_group import PublicGroup
from e2ee.profile.call_profile import CallKind, CallProfile
from e2ee.profile.roster import Roster

__all__ = ["Call", "PastEpoch"]


@dataclass(frozen=True, slots=True)
class PastEpoch:
    """An epoch of a group call, and the entry that ended it: of whom, when, and whom it added and removed.

    Devices are named by their signature keys; who came back as a new leaf was removed and added.
    """

    call: Call
    ended_at: int
    committer: bytes
    added: tuple[bytes, ...]
    removed: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A call in one epoch. ``begun_at`` is when its log last changed (Unix milliseconds); ``leaves`` are the leaf indices of
    the members by signature key, in the order of the leaves; ``past`` is the latest last."""

    group: PublicGroup
    profile: CallProfile
    members: Roster
    leaves: Mapping[bytes, int]
    begun_at: int
    past: tuple[PastEpoch, ...] = ()

    @classmethod
    def of(cls, group: PublicGroup, profile: CallProfile, members: Roster, begun_at: int) -> Call:
        """A call of which nothing else is known."""
        leaves = {c.signature_key: leaf for leaf, c in members.items()}
        return cls(group, profile, members, leaves, begun_at)

    @property
    def epoch(self) -> int:
        """The epoch whose commit is due next."""
        return self.group.context.epoch

    @property
    def entries(self) -> int:
        """How many entries its log has had: one for epoch 0, and the commit that ended each epoch before this one."""
        return self.epoch + 1

    @property
    def is_group(self) -> bool:
        """Whether this is a group call, and not one between two accounts."""
        return self.profile.kind == CallKind.GROUP

    def devices(self) -> list[bytes]:
        """The signature keys of the members, in the order of their leaves."""
        return list(self.leaves)

    def leaf_of(self, signature_key: bytes) -> int:
        """The leaf index of a member."""
        return self.leaves[signature_key]

    def require_member(self, device: VerifiedCertificate) -> None:
        """Raises DeliveryError unless ``device`` is in the group."""
        if device.signature_key not in self.leaves:
            raise DeliveryError(DeliveryReason.NOT_A_MEMBER, f"in epoch {self.epoch}")

    def followed_by(
        self,
        following: Call,
        committer: bytes,
        added: tuple[bytes, ...],
        removed: tuple[bytes, ...],
    ) -> Call:
        """The call after an entry that was taken when ``following`` begins. It remembers this epoch."""
        ended = PastEpoch(replace(self, past=()), following.begun_at, committer, added, removed)
        past = [*self.past, ended]
        while len(past) > TREES_KEPT and past[0].ended_at <= following.begun_at - PACE_WINDOW:
            del past[0]
        return replace(following, past=tuple(past))

    def before(self, epoch: int) -> Call | None:
        """The call as it was in an earlier epoch, if that is remembered."""
        for position, past in enumerate(self.past):
            if past.call.epoch == epoch:
                return replace(past.call, past=self.past[:position])
        return None

    def begun_since(self, time: int) -> int:
        """How many epochs that are remembered began after this time."""
        times = [self.begun_at, *(past.call.begun_at for past in self.past)]
        return sum(begun_at > time for begun_at in times)
