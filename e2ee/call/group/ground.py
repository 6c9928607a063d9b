"""What the actions of one group call work on, and what several of them do.

The parts are each somebody's: ``asking`` until this device is in, ``participation`` while it is; ``waiting`` and ``lobby`` are
what others, and hosts, want of a committer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from e2ee.call.epochs import Epochs
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import (
    Ended,
    EndReason,
    Event,
    RequestRefused,
)
from e2ee.call.group.asking import Asking
from e2ee.call.group.configuration import MAX_INVALID_COMMITS
from e2ee.call.group.drafting import Draft
from e2ee.call.group.events import (
    KnockWithdrawn,
)
from e2ee.call.group.intents import Intent
from e2ee.call.group.join_requests import JoinRequest, waits_in_lobby
from e2ee.call.group.link import GroupLink
from e2ee.call.group.lobby import Lobby
from e2ee.call.group.participation import Participation
from e2ee.call.group.tree_parts import Meanwhile, TreeParts
from e2ee.call.group.waiting import Waiting
from e2ee.call.logged import Logged
from e2ee.call.owner import Owner
from e2ee.mls.group import Group
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice

__all__ = ["Ground"]


class Ground:
    """See the module."""

    def __init__(self, owner: Owner, call_id: bytes) -> None:
        self.owner = owner
        self.call_id = call_id
        self.opening: Group | None = None
        """At the device that creates the call: its group, until the service has taken it (GROUP-1)."""
        self.opening_link: GroupLink | None = None
        self.asking: Asking | None = None
        """How this device came, or wants to come, into the call; None at the one that created it."""
        self.fetching: TreeParts | None = None
        self.later: list[Meanwhile] = []
        """What came of the call before its tree was there, when it is."""
        self.participation: Participation | None = None
        self.anew = False
        """Whether this device was in the call before."""
        self.waiting = Waiting(call_id)
        self.lobby = Lobby()
        self.drafted: Draft | None = None
        """What the own commit that is on its way brings."""
        self.committed: Logged | None = None
        """That commit, as it will be in the log."""
        self.invalid_commits = 0
        """GROUP-20: how many commits could not be followed, in the whole call."""
        self.unfollowed: deque[bytes] = deque(maxlen=MAX_INVALID_COMMITS)
        """These, each of which counts once."""
        self.last_offer = 0
        """The number of the forwarding unit's newest offer."""
        self.events: deque[Event] = deque()
        self.outbox: deque[FromDevice] = deque()

    @property
    def inside(self) -> Participation:
        """Raises CallUsageError before this device is in, and after the end."""
        if self.participation is None:
            raise CallUsageError(CallReason.NO_GROUP)
        return self.participation

    @property
    def in_group(self) -> Epochs:
        """The call's epochs. Raises CallUsageError before this device is in, and after the end."""
        return self.inside.epochs

    @property
    def is_host(self) -> bool:
        """Whether this device's account is a host."""
        return self.in_group.profile.is_host(self.owner.certificate.account_key)

    @property
    def link(self) -> GroupLink | None:
        """What lets others in, as far as this device knows."""
        epochs = self.in_group
        if epochs.profile.link_id:
            return epochs.link
        return GroupLink(self.call_id, None, epochs.profile.hosts[0])

    def collect(self) -> None:
        """Take what was said and happened inside."""
        if self.participation is not None:
            while (event := self.participation.next_event()) is not None:
                self.events.append(event)
            self.outbox.extend(self.participation.messages_to_send())

    # What several of them do

    def _withdraw(self, request: JoinRequest) -> None:
        self.lobby.leave(request)
        self.events.append(KnockWithdrawn(self.call_id, request.knock))

    def empty_lobby(self, now: int) -> None:
        """Who asked no more, and who needs no host any more, or finds none here."""
        for request in self.lobby.expired(now):
            self._withdraw(request)
        profile = self.in_group.profile
        for request in self.lobby.all():
            if not self.is_host or not waits_in_lobby(profile, request.certificate):
                self._withdraw(request)

    def _report_given_up(self, intents: Sequence[Intent], reason: str, detail: str = "") -> None:
        for intent in intents:
            self.events.append(
                RequestRefused(
                    messages.Commit.name, self.call_id, reason, f"{intent.subject[0]} {detail}"
                )
            )

    def _go_out(self, now: int) -> None:
        """CALL-13: "a device MUST erase the call's keys"."""
        if self.participation is not None:
            self.participation.end(now)
            self.collect()
        self.participation = self.fetching = self.drafted = self.committed = None
        self.later.clear()
        for request in self.lobby.all():
            self._withdraw(request)

    def _end(self, reason: EndReason, now: int, *, remote: bool, detail: str = "") -> None:
        self._go_out(now)
        self.opening = self.opening_link = self.asking = None
        self.waiting = Waiting(self.call_id)
        self.events.append(Ended(self.call_id, reason, remote, detail))
