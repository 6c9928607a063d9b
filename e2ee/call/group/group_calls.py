"""The group calls of one device: how they begin, and which message is of which.

A call that is over is dropped, and may be joined again: by its link, or by another invitation. What comes of it until then is
refused; and who is told that it has a leaf in a call that it is not in any more, since it gave up, or crashed, says that it has
left, or that leaf would stay (GROUP-16).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from e2ee.call.calls import CALL_ID_LENGTH
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import GroupCallOffered
from e2ee.call.group.asking import Entrance
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.group_call import GroupCall
from e2ee.call.group.states import State
from e2ee.call.offered_group import MAX_PEOPLE
from e2ee.call.owner import Owner
from e2ee.call.seen_calls import SeenCalls
from e2ee.profile.call_profile import JoinPolicy
from e2ee.signalling import messages

__all__ = ["GroupCalls", "offer_of"]

LEFT_KEPT = 660_000
"""How long after a call `leave` is said again at each login, in milliseconds: a call that stands still is over then (DS-3)."""


class GroupCalls:
    """See the module."""

    def __init__(self, seen: SeenCalls) -> None:
        self._seen = seen
        self._calls: dict[bytes, GroupCall] = {}
        self._left: dict[bytes, int] = {}
        """Calls that this device is in no more -> until when its leaf may still be there (Unix milliseconds)."""

    @property
    def current(self) -> Mapping[bytes, GroupCall]:
        """Those that are not over, by call_id."""
        return {key: call for key, call in self._calls.items() if call.state is not State.ENDED}

    def all(self) -> list[GroupCall]:
        """Those that are not over, and those that have not said so yet."""
        return list(self._calls.values())

    def get(self, call_id: bytes) -> GroupCall | None:
        """The call of this name, if it is a group call that is not over."""
        return self.current.get(call_id)

    def require(self, call_id: bytes) -> GroupCall:
        """The same. Raises CallUsageError (NO_GROUP)."""
        if (call := self.get(call_id)) is None:
            raise CallUsageError(CallReason.NO_GROUP, "no such group call here")
        return call

    # How they begin

    def create(
        self,
        owner: Owner,
        now: int,
        *,
        join_policy: JoinPolicy,
        accounts: Sequence[bytes],
        speakers: Sequence[bytes],
        suite: int | None,
    ) -> GroupCall:
        """Begin a group call. Raises CallUsageError."""
        # CALL-1: "`call_id` MUST be 16 bytes from a cryptographic random generator"
        call_id = owner.entropy.random(CALL_ID_LENGTH)
        call = GroupCall.create(
            owner,
            call_id,
            now,
            join_policy=join_policy,
            accounts=accounts,
            speakers=speakers,
            suite=suite,
        )
        self._enter(call, now)
        return call

    def join(self, owner: Owner, entrance: Entrance, now: int) -> GroupCall:
        """Ask to be let into a group call. Raises CallUsageError (ALREADY_IN_CALL)."""
        if entrance.call_id in self.current:
            raise CallUsageError(GroupReason.ALREADY_IN_CALL)
        call = GroupCall.join(owner, entrance, now)
        self._enter(call, now)
        return call

    def accept(self, owner: Owner, offered: GroupCallOffered, now: int) -> GroupCall | None:
        """GROUP-6: `accepted` was opened, so this device may ask; not if it is in that call already."""
        if offered.group.group_call_id in self.current:
            return None
        return self.join(owner, Entrance(offered.link, frozenset(offered.group.hosts)), now)

    def _enter(self, call: GroupCall, now: int) -> None:
        self._seen.note(call.call_id, now)
        self._left.pop(call.call_id, None)
        self._calls[call.call_id] = call

    # How they end

    def drop(self, call: GroupCall) -> None:
        """It is over, and has said so."""
        if self._calls.get(call.call_id) is call:
            del self._calls[call.call_id]
            self._left[call.call_id] = call.ended_at + LEFT_KEPT

    def left(self, now: int) -> list[messages.Leave]:
        """GROUP-16: what was said before may have been lost with the connection; nobody answers it."""
        self._left = {call_id: until for call_id, until in self._left.items() if now < until}
        return [messages.Leave(call_id) for call_id in self._left]

    def stray(self, call_id: bytes, now: int, *, added: bool) -> messages.Leave | None:
        """Something came of a call that this device is not in. Of one that it was in before its process began, or was
        ``added`` to when it had given up, it says once that it has left."""
        if not self._seen.seen(call_id) or (call_id in self._left and not added):
            return None
        self._left[call_id] = now + LEFT_KEPT
        return messages.Leave(call_id)

    def has_left(self, refused: messages.Refused) -> bool:
        """Whether this is about a call that this device has left: then there is no leaf, or no call, any more."""
        return refused.request == messages.Leave.name and refused.call_id in self._left


def offer_of(call: GroupCall, now: int, medium: str) -> messages.GroupOffer:
    """GROUP-5: what an invitation says of a group call. Raises CallUsageError (NO_GROUP)."""
    profile, link = call.profile, call.link
    secret = None if link is None or link.secret is None else bytes(link.secret)
    people = tuple(dict.fromkeys(member.account_id for member in call.members))
    return messages.GroupOffer(
        now, medium, call.call_id, profile.hosts, secret, people[:MAX_PEOPLE]
    )
