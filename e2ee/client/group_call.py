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
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from e2ee.call.chat.room import ChatRoom
from e2ee.call.errors import CallUsageError
from e2ee.call.events import CallEvent, Ended, EpochChanged, Event, LagChanged, RequestRefused
from e2ee.call.group.events import (
    GroupCallOpened,
    Joined,
    JoinsAnew,
    Knocked,
    MediaLost,
    MediaOffered,
    MediaPublished,
    MembersChanged,
    ProfileChanged,
    StreamsChanged,
)
from e2ee.call.group.group_call import GroupCall as GroupCallCore
from e2ee.call.medium import Medium
from e2ee.call.roster import Member
from e2ee.client.errors import ServiceRefused
from e2ee.client.group_events import InvitationChanged
from e2ee.client.group_hosting import GroupHosting
from e2ee.client.group_media import GroupMedia, GroupStatistics
from e2ee.client.link_url import link_url
from e2ee.client.media import Media
from e2ee.client.media_route import MediaRoute
from e2ee.client.ring import Ring
from e2ee.errors import E2EEError
from e2ee.identity.trust import Trust
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.peer import MediaStreamTrack, RTCIceServer
from e2ee.system_clock import Clock

__all__ = ["GroupCall"]


class GroupCall(GroupHosting):
    """A group call that was made, joined or answered here. Made by ``Client`` and ``GroupInvitation``.

    Who is in it and what they may is in ``GroupRoster``, what hosts do in ``GroupHosting``.
    """

    def __init__(
        self,
        core: GroupCallCore,
        media: Media,
        route: MediaRoute,
        trust: Trust,
        clock: Clock,
        changed: Callable[[], None],
        service_url: str,
        ring: Callable[[GroupCall, str, Medium], Ring],
    ) -> None:
        super().__init__(core, trust, clock, changed)
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
    def link(self) -> str | None:
        """What lets others in, as a URL (GROUP-3); None while this device does not know it. It may be a secret."""
        link = self._core.link
        return None if link is None else link_url(self._service_url, link)

    @property
    def speaking(self) -> tuple[Member, ...]:
        """Who is heard now, who began last first."""
        return self._those(self._media.receiving.speaking.now(self._clock()))

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
        if ring is not None and ring.was_accepted_by(knock.certificate.account_key):
            with contextlib.suppress(E2EEError):  # the key has changed, or this is no host any more
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
        try:
            await media.close()
        finally:  # whatever became of its connections, the call is over for who waits for that
            if media is self._media:
                self._ended.set()


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
