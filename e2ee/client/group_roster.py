"""What a group call is at this device: its members and what they may, as the group itself says it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from e2ee.call.group.events import Knock
from e2ee.call.group.group_call import GroupCall as GroupCallCore
from e2ee.call.group.streams import AnnouncedStream
from e2ee.call.roster import Member
from e2ee.client.errors import ClientReason, ClientUsageError
from e2ee.identity.errors import TrustError
from e2ee.identity.trust import ContactState, Trust
from e2ee.profile.call_profile import JoinPolicy
from e2ee.system_clock import Clock

__all__ = ["GroupRoster"]


class GroupRoster:
    """See the module. Before this device is in and after the end all but ``call_id`` raises CallUsageError."""

    def __init__(self, core: GroupCallCore, trust: Trust, clock: Clock) -> None:
        self._core = core
        self._trust = trust
        self._clock = clock

    @property
    def call_id(self) -> bytes:
        """16 bytes."""
        return self._core.call_id

    @property
    def suite(self) -> int:
        """The MLS suite's code point."""
        return self._core.suite

    @property
    def epoch(self) -> int:
        """The number of the epoch."""
        return self._core.epoch

    @property
    def members(self) -> tuple[Member, ...]:
        """Who is in the call, by leaf index: the list to show to people (THREAT-2)."""
        return self._core.members

    @property
    def own(self) -> Member:
        """This device."""
        return self._member_at(self._core.own_leaf)

    @property
    def hosts(self) -> tuple[Member, ...]:
        """Those who may admit, remove and change roles."""
        profile = self._core.profile
        return tuple(each for each in self.members if profile.is_host(each.account_key))

    @property
    def speakers(self) -> tuple[Member, ...]:
        """Those who may send media; the others are viewers."""
        profile = self._core.profile
        return tuple(each for each in self.members if profile.may_speak(each.account_key))

    @property
    def is_host(self) -> bool:
        """Whether this device is a host's."""
        return self._core.is_host

    @property
    def may_speak(self) -> bool:
        """Whether this device may send media."""
        return self._core.may_speak

    @property
    def is_locked(self) -> bool:
        """Whether nobody else gets in but whom a host lists."""
        return self._core.profile.join_policy == JoinPolicy.CLOSED

    @property
    def hands(self) -> tuple[Member, ...]:
        """Who raises a hand."""
        return self._those(self._core.hands)

    @property
    def left(self) -> tuple[Member, ...]:
        """Who said that it has left, and is still in the group (GROUP-16)."""
        return self._those(self._core.left)

    @property
    def silent(self) -> tuple[Member, ...]:
        """Who was not heard in this epoch: "not in this branch" (CALL-23)."""
        return self._core.silent(self._clock())

    @property
    def lobby(self) -> tuple[Knock, ...]:
        """At a host: who waits to be admitted (GROUP-10)."""
        return self._core.lobby

    @property
    def streams(self) -> Mapping[int, tuple[AnnouncedStream, ...]]:
        """What members say that they publish, by leaf index."""
        return self._core.streams

    @property
    def call_code(self) -> str:
        """Sixty digits, equal at all who are in one group now (CALL-14)."""
        return self._core.call_code

    @property
    def removed_can_open_until(self) -> int | None:
        """Until when devices that were removed could open what is sent, in Unix milliseconds; None: not known yet."""
        return self._core.removed_can_open_until

    def state_of(self, member: Member) -> ContactState | None:
        """What this device makes of a member's account key; None: it would not have let it in (IDENT-7, IDENT-9).

        Whoever is in the call is there by the group's rules, and what this device alone knows keeps nobody out: it is for
        people to see.
        """
        try:
            return self._trust.judge(member.certificate, self._clock())
        except TrustError:
            return None

    def _checked(self, member: Member) -> Member:
        """A leaf may be somebody else's by now. Raises ClientUsageError."""
        if self._member_at(member.leaf_index) != member:
            raise ClientUsageError(ClientReason.NO_SUCH_MEMBER, "has left meanwhile")
        return member

    def _member_at(self, leaf: int) -> Member:
        for member in self.members:
            if member.leaf_index == leaf:
                return member
        raise ClientUsageError(ClientReason.NO_SUCH_MEMBER, f"leaf {leaf}")

    def _those(self, leaves: Collection[int]) -> tuple[Member, ...]:
        known = {member.leaf_index: member for member in self.members}
        return tuple(known[leaf] for leaf in leaves if leaf in known)
