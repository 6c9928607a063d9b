"""The group calls of one device: how they begin, and which message is of which.

A call that is over is dropped, and may be joined again: by its link, or by another invitation. What comes of it until then is
refused, but for one thing: who was added although it had given up says that it has left, or its leaf would stay (GROUP-16).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from e2ee.call.errors import CallReason, CallRefused, CallUsageError
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

_CALL_ID_LENGTH = 16

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
        call_id = owner.entropy.random(_CALL_ID_LENGTH)
        call = GroupCall.create(
            owner,
            call_id,
            now,
            join_policy=join_policy,
            accounts=accounts,
            speakers=speakers,
            suite=suite,
        )
        self._seen.note(call_id, now)
        self._calls[call_id] = call
        return call

    def join(self, owner: Owner, entrance: Entrance, now: int) -> GroupCall:
        """Ask to be let into a group call. Raises CallUsageError (ALREADY_IN_CALL)."""
        call_id = entrance.call_id
        if call_id in self.current:
            raise CallUsageError(GroupReason.ALREADY_IN_CALL)
        self._seen.note(call_id, now)
        call = self._calls[call_id] = GroupCall.join(owner, entrance, now)
        return call

    def accept(self, owner: Owner, offered: GroupCallOffered, now: int) -> GroupCall | None:
        """GROUP-6: `accepted` was opened, so this device may ask; not if it is in that call already."""
        if offered.group.group_call_id in self.current:
            return None
        return self.join(owner, Entrance(offered.link, frozenset(offered.group.hosts)), now)

    def get(self, call_id: bytes) -> GroupCall | None:
        """The call of this name, if it is a group call that is not over."""
        return self.current.get(call_id)

    def require(self, call_id: bytes) -> GroupCall:
        """The same. Raises CallUsageError (NO_GROUP)."""
        if (call := self.get(call_id)) is None:
            raise CallUsageError(CallReason.NO_GROUP, "no such group call here")
        return call

    def refuse_added(self, added: messages.Added) -> messages.Leave:
        """Somebody added this device to a call that it is not asking for. Raises CallRefused unless it once did."""
        if not self._seen.seen(added.call_id):
            raise CallRefused(CallReason.UNKNOWN_CALL)
        return messages.Leave(added.call_id)

    def all(self) -> Iterator[GroupCall]:
        """Those that are not over, and those that have not said so yet."""
        yield from list(self._calls.values())

    def drop(self, call: GroupCall) -> None:
        """It is over, and has said so."""
        if self._calls.get(call.call_id) is call:
            del self._calls[call.call_id]
            self._left[call.call_id] = call.ended_at + LEFT_KEPT

    def left(self, now: int) -> list[messages.Leave]:
        """GROUP-16: what was said before may have been lost with the connection; nobody answers it."""
        self._left = {
            call_id: until
            for call_id, until in self._left.items()
            if now < until and call_id not in self.current
        }
        return [messages.Leave(call_id) for call_id in self._left]

    def has_left(self, refused: messages.Refused) -> bool:
        """Whether this is about a call that this device has left: then there is no leaf, or no call, any more."""
        is_leave = refused.request == messages.Leave.name
        return is_leave and self._left.pop(refused.call_id or b"", None) is not None


def offer_of(call: GroupCall, now: int, medium: str) -> messages.GroupOffer:
    """GROUP-5: what an invitation says of a group call. Raises CallUsageError (NO_GROUP)."""
    profile, link = call.profile, call.link
    secret = None if link is None or link.secret is None else bytes(link.secret)
    people = tuple(dict.fromkeys(member.account_id for member in call.members))
    return messages.GroupOffer(
        now, medium, call.call_id, profile.hosts, secret, people[:MAX_PEOPLE]
    )
