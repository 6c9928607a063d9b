"""What a host does in a group call. All of it says something to the members, and is theirs to judge (chapter Group calls)."""

from __future__ import annotations

from collections.abc import Callable

from e2ee.call.group.group_call import GroupCall as GroupCallCore
from e2ee.call.roster import Member
from e2ee.client.group_roster import GroupRoster
from e2ee.identity.trust import Trust
from e2ee.media.encoded_frame import Kind
from e2ee.profile.call_profile import JoinPolicy
from e2ee.system_clock import Clock

__all__ = ["GroupHosting"]


class GroupHosting(GroupRoster):
    """See the module. Each raises CallUsageError if it does not go now, as where this device is no host."""

    def __init__(
        self, core: GroupCallCore, trust: Trust, clock: Clock, changed: Callable[[], None]
    ) -> None:
        super().__init__(core, trust, clock)
        self._changed = changed

    def admit(self, account_id: str) -> None:
        """Let in who waits in the lobby (GROUP-10)."""
        self._core.admit(account_id, self._clock())
        self._changed()

    def turn_away(self, account_id: str) -> None:
        """Do not."""
        self._core.turn_away(account_id, self._clock())
        self._changed()

    def remove(self, member: Member) -> None:
        """Take a device out. It opens nothing that is sent after ``removed_can_open_until``."""
        self._of(member, self._core.remove)

    def ban(self, member: Member) -> None:
        """Take a device's account out, and let it in no more."""
        self._of(member, self._core.ban)

    def make_host(self, member: Member) -> None:
        """Its account is a host, too."""
        self._of(member, self._core.make_host)

    def drop_host(self, member: Member) -> None:
        """Its account is no host any more. It may be one's own, if there is another."""
        self._of(member, self._core.drop_host)

    def invite_to_stage(self, member: Member) -> None:
        """Ask a viewer to speak; ``StageReplied`` brings the answer, and ``take_on_stage`` follows."""
        self._of(member, self._core.invite_to_stage)

    def take_on_stage(self, member: Member) -> None:
        """Its account may speak."""
        self._of(member, self._core.take_on_stage)

    def take_off_stage(self, member: Member) -> None:
        """Its account may not speak any more."""
        self._of(member, self._core.take_off_stage)

    def everybody_speaks(self) -> None:
        """There are no viewers any more."""
        self._core.everybody_speaks(self._clock())
        self._changed()

    def request_mute(self, member: Member, kind: Kind = Kind.MICROPHONE) -> None:
        """Ask a member to stop sending something; it is that member's to do (GROUP-13)."""
        leaf = self._checked(member).leaf_index
        self._core.request_mute(leaf, kind, self._clock())
        self._changed()

    def set_join_policy(self, policy: JoinPolicy) -> None:
        """Who may join from now on: nobody else, whom a host admits, or who has the link."""
        self._core.set_join_policy(policy, self._clock())
        self._changed()

    def change_link(self) -> None:
        """Another link lets in from now on, and the former one nobody any more."""
        self._core.change_link(self._clock())
        self._changed()

    def _of(self, member: Member, act: Callable[[int, int], None]) -> None:
        act(self._checked(member).leaf_index, self._clock())
        self._changed()
