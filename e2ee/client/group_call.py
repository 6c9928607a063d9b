"""A group call with its media: what ``e2ee.call.group`` decides, done with connections to the forwarding unit.

    call = client.meet(Media(camera=..., microphone=...))       or client.join(link, media), or invitation.answer(media)
    async for event in call:
        ...

Its members are those of the group, and what one of them sends is theirs by its key, whatever a server says (GROUP-18).
A connection to the forwarding unit that is lost is replaced, and the call goes on meanwhile, also without any. When the
call ends, so do its connections.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any

from e2ee.call.chat.room import ChatRoom
from e2ee.call.errors import CallUsageError
from e2ee.call.events import CallEvent, Ended, EpochChanged, Event, LagChanged, RequestRefused
from e2ee.call.group.events import (
    GroupCallOpened,
    Joined,
    JoinsAnew,
    Knock,
    Knocked,
    MediaLost,
    MediaOffered,
    MediaPublished,
    MembersChanged,
    ProfileChanged,
    StreamsChanged,
)
from e2ee.call.group.group_call import GroupCall as GroupCallCore
from e2ee.call.group.streams import AnnouncedStream
from e2ee.call.medium import Medium
from e2ee.call.roster import Member
from e2ee.client.errors import ClientReason, ClientUsageError, ServiceRefused
from e2ee.client.group_events import InvitationChanged
from e2ee.client.group_media import GroupMedia, GroupStatistics
from e2ee.client.link_url import link_url
from e2ee.client.media import Media
from e2ee.client.media_route import MediaRoute
from e2ee.client.ring import Ring
from e2ee.identity.trust import ContactState
from e2ee.media.encoded_frame import Kind
from e2ee.profile.call_profile import JoinPolicy
from e2ee.rtc.peer import MediaStreamTrack, RTCIceServer
from e2ee.system_clock import Clock

__all__ = ["GroupCall"]


class GroupCall:
    """A group call that was made, joined or answered here. Made by ``Client`` and ``GroupInvitation``.

    Methods that say something to the members raise CallUsageError if it does not go now: not in the call, not a host, over.
    """

    def __init__(
        self,
        core: GroupCallCore,
        media: Media,
        route: MediaRoute,
        clock: Clock,
        changed: Callable[[], None],
        service_url: str,
        ring: Callable[[GroupCall, str, Medium], Ring],
    ) -> None:
        self._core = core
        self._clock = clock
        self._changed = changed
        self._route = route
        self._service_url = service_url
        self._ring = ring
        self._events: asyncio.Queue[CallEvent | RequestRefused] = asyncio.Queue()
        self._media = GroupMedia(core, media, route, clock, changed, self._events.put_nowait)
        self._muted: MediaStreamTrack | None = None
        self._rings: dict[str, Ring] = {}
        self._to_invite: tuple[str, ...] = ()
        self._passed: GroupStatistics | None = None
        self._ended = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------------------ what it is

    @property
    def call_id(self) -> bytes:
        """16 bytes."""
        return self._core.call_id

    @property
    def link(self) -> str | None:
        """What lets others in, as a URL (GROUP-3); None while this device does not know it. It may be a secret."""
        link = self._core.link
        return None if link is None else link_url(self._service_url, link)

    @property
    def suite(self) -> int:
        """The MLS suite's code point. Raises CallUsageError before this device is in and after the end, like all below."""
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
    def speaking(self) -> tuple[Member, ...]:
        """Who is heard now, who began last first."""
        return self._those(self._media.receiving.speaking.now(self._clock()))

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

    @property
    def statistics(self) -> GroupStatistics:
        """What passed so far; after the end, what had passed when the keys were erased."""
        return self._passed or self._media.statistics

    def track(self, member: Member, kind: Kind, instance: int = 0) -> MediaStreamTrack | None:
        """What a member's stream shows or says, decoded; None while nothing of it comes."""
        return self._media.receiving.track(member.leaf_index, kind, instance)

    @property
    def is_over(self) -> bool:
        """Whether the call has ended here, and its connections are closed."""
        return self._ended.is_set()

    async def ended(self) -> None:
        """Wait until the call is over here and its connections closed."""
        await self._ended.wait()

    async def __aiter__(self) -> AsyncIterator[CallEvent | RequestRefused]:
        """What happens, up to and with ``Ended``."""
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Ended):
                return

    # ---------------------------------------------------------------------------- what one does

    def leave(self) -> None:
        """Leave; the others go on (GROUP-16)."""
        self._core.leave(self._clock())
        self._changed()

    def send(self, kind: Kind, track: MediaStreamTrack | None) -> None:
        """Send ``track`` from now on, in place of what was sent; with None, nothing of this kind any more.

        A viewer's is sent when it may speak. The others are told (GROUP-18). Raises WrongState for a track of another kind.
        """
        self._media.sending.send(kind, track)
        if kind is Kind.MICROPHONE:
            self._muted = None

    def mute(self) -> None:
        """Send nothing of the microphone, no silence either, until ``unmute``."""
        microphone = self._media.sending.sent(Kind.MICROPHONE)
        if microphone is not None:
            self.send(Kind.MICROPHONE, None)
            self._muted = microphone

    def unmute(self) -> None:
        """Send the microphone again."""
        if self._muted is not None:
            self.send(Kind.MICROPHONE, self._muted)

    @property
    def is_muted(self) -> bool:
        """Whether there is a microphone that is not sent."""
        return self._muted is not None

    def hold(self) -> None:
        """Send nothing and show nothing until ``resume``."""
        self._media.hold(on_hold=True)

    def resume(self) -> None:
        """Go on after ``hold``."""
        self._media.hold(on_hold=False)

    def choose(self, members: Sequence[Member]) -> None:
        """See these before others, where there are more pictures than come (SFU-6)."""
        self._media.receiving.choose([each.leaf_index for each in members])

    @property
    def chat(self) -> ChatRoom:
        """Texts and what goes with them; ``flush`` sends what was said."""
        return self._core.chat

    def say(self, text: str) -> int:
        """Send a text; gives its number. Raises ChatUsageError."""
        number = self._core.chat.say(text)
        self._changed()
        return number

    def flush(self) -> None:
        """What was done in ``chat`` goes out."""
        self._changed()

    def begin_code(self) -> None:
        """Ask for a spoken code, or join the one that was asked for (VERIFY-3)."""
        self._core.begin_code(self._clock())
        self._changed()

    def raise_hand(self) -> None:
        """Ask to speak."""
        self._core.raise_hand(True, self._clock())  # noqa: FBT003 - the core's own word
        self._changed()

    def lower_hand(self) -> None:
        """Ask no more."""
        self._core.raise_hand(False, self._clock())  # noqa: FBT003
        self._changed()

    def reply_to_stage(self, *, accepted: bool) -> None:
        """A person's answer to ``InvitedToStage``."""
        self._core.reply_to_stage(accepted, self._clock())
        self._changed()

    def invite(self, account_id: str, medium: Medium = Medium.VIDEO) -> Ring:
        """Ring an account to invite it. Whoever is invited by a host and waits in the lobby then is admitted.

        What comes of it is told as ``InvitationChanged``.
        """
        ring = self._rings[account_id] = self._ring(self, account_id, medium)
        return ring

    # ------------------------------------------------------------------------- what a host does

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

    # ---------------------------------------------------------------------- inside the package

    def abandon(self) -> None:
        """Leave, if it is not over: the client goes."""
        with contextlib.suppress(CallUsageError):
            self.leave()
        if self._passed is None:
            self._close()

    def use_relays(self, relays: Sequence[RTCIceServer]) -> None:
        """The service's relays, for connections that are made from now on."""
        self._route.use_relays(relays)

    def service_regained(self) -> None:
        """The connection to the service is there again."""
        self._media.service_regained()

    def happened(self, event: Event) -> None:
        """Take an event of the core: do what it asks for, and tell the application what is not only between the two."""
        match event:
            case MediaPublished() | MediaOffered() | MediaLost():
                self._media.happened(event)
                return
            case RequestRefused():
                refused = ServiceRefused(event.request, event.reason, event.detail)
                self._media.refused(event.request, refused)
            case _:
                if (act := _ACTS.get(type(event))) is not None:
                    act(self, event)
        if isinstance(event, CallEvent | RequestRefused):
            self._events.put_nowait(event)

    def invite_when_open(self, accounts: Sequence[str]) -> None:
        """Ring these as soon as the service has taken the call."""
        self._to_invite = tuple(accounts)

    def ring_happened(self, account_id: str, event: CallEvent) -> None:
        """Something became of an invitation."""
        self._events.put_nowait(InvitationChanged(self.call_id, account_id, event))

    def _begin(self, _: GroupCallOpened | Joined) -> None:
        self._media.start()
        accounts, self._to_invite = self._to_invite, ()
        for account_id in accounts:
            self.invite(account_id)

    def _begin_anew(self, _: JoinsAnew) -> None:
        former, self._media = self._media, self._media.anew()
        self._do_close(former)

    def _follow(self, _: MembersChanged | EpochChanged) -> None:
        self._media.members_changed()

    def _follow_role(self, _: ProfileChanged) -> None:
        self._media.role_changed()

    def _follow_streams(self, _: StreamsChanged) -> None:
        self._media.receiving.announcements_changed()

    def _follow_lag(self, event: LagChanged) -> None:
        self._media.lag_changed(event.lag)

    def _admit_invited(self, event: Knocked) -> None:
        """Who was invited by this host, and answered with the key with which it knocks, waits for nobody."""
        knock = event.knock
        ring = self._rings.get(knock.account_id)
        if ring is None or not ring.was_accepted or knock.contact is ContactState.CHANGED:
            return
        if ring.account_key == knock.certificate.account_key:
            with contextlib.suppress(CallUsageError):
                self.admit(knock.account_id)

    def _end(self, _: Ended) -> None:
        for ring in self._rings.values():
            with contextlib.suppress(CallUsageError):
                ring.cancel()
        if self._passed is None:
            self._close()

    def _close(self) -> None:
        self._passed = self._media.statistics
        self._do_close(self._media)

    def _do_close(self, media: GroupMedia) -> None:
        task = asyncio.ensure_future(self._closed(media))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _closed(self, media: GroupMedia) -> None:
        await media.close()
        if media is self._media:
            self._ended.set()

    # Members

    def _of(self, member: Member, act: Callable[[int, int], None]) -> None:
        act(self._checked(member).leaf_index, self._clock())
        self._changed()

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


_ACTS: Mapping[type[Event], Callable[[GroupCall, Any], None]] = {
    GroupCallOpened: GroupCall._begin,
    Joined: GroupCall._begin,
    JoinsAnew: GroupCall._begin_anew,
    EpochChanged: GroupCall._follow,
    MembersChanged: GroupCall._follow,
    ProfileChanged: GroupCall._follow_role,
    StreamsChanged: GroupCall._follow_streams,
    LagChanged: GroupCall._follow_lag,
    Knocked: GroupCall._admit_invited,
    Ended: GroupCall._end,
}
