"""One call with its media: what ``e2ee.call`` decides, done with connections of ``e2ee.rtc``.

    call = client.call("bob", Media(camera=..., microphone=...))
    async for event in call:
        ...

The call asks for descriptions and gets them from the connection; the connection gets protectors and an opener from the
call, and nothing else: no key passes here. A connection that is lost is replaced, by the caller; the call goes on
meanwhile. When the call ends, so does the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from e2ee.call.call import Call as CallCore
from e2ee.call.chat.room import ChatRoom
from e2ee.call.errors import CallUsageError
from e2ee.call.events import (
    CallEvent,
    DescriptionReceived,
    DescriptionWanted,
    Ended,
    EndReason,
    EpochChanged,
    LagChanged,
    Live,
    ReconnectReceived,
)
from e2ee.call.medium import Medium
from e2ee.call.roster import Member
from e2ee.call.sent_media import SentMedia
from e2ee.client.media import Media, Network
from e2ee.client.media_connection import MediaConnection
from e2ee.client.media_path import Connected, Interrupted, MediaPath
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.peer import MediaStreamTrack, PeerStatistics, RTCIceServer
from e2ee.system_clock import Clock

__all__ = ["Call", "Connected", "Interrupted"]


class Call:
    """A call that was placed or answered. Made by ``Client`` and ``Invitation``."""

    def __init__(
        self,
        core: CallCore,
        media: Media,
        network: Network,
        clock: Clock,
        changed: Callable[[], None],
        relays: Sequence[RTCIceServer] = (),
    ) -> None:
        self._core = core
        self._clock = clock
        self._changed = changed
        self._relays = tuple(relays)
        self._media = MediaConnection(core, media, network, self._relays, clock)
        self._events: asyncio.Queue[CallEvent] = asyncio.Queue()
        self._path = MediaPath(core, self._media, clock, changed, self._events.put_nowait)
        self._passed: PeerStatistics | None = None
        self._muted: MediaStreamTrack | None = None
        self._ended = asyncio.Event()
        self._closing_task: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------------------ what it is

    @property
    def call_id(self) -> bytes:
        """16 bytes. Another one after ``Replaced``."""
        return self._core.call_id

    @property
    def account_id(self) -> str:
        """The other side's account."""
        return self._core.account_id

    @property
    def medium(self) -> Medium:
        """What the caller said that the call is for."""
        return self._core.medium

    @property
    def suite(self) -> int:
        """The MLS suite's code point. Raises CallUsageError after the end, like all below."""
        return self._core.suite

    @property
    def epoch(self) -> int:
        """The number of the epoch."""
        return self._core.epoch

    @property
    def members(self) -> tuple[Member, ...]:
        """Who is in the call: the list to show to people (THREAT-2)."""
        return self._core.members

    @property
    def call_code(self) -> str:
        """Sixty digits for the people in the call to compare: the same for both, or they are not in one group."""
        return self._core.call_code

    @property
    def safety_number(self) -> str:
        """Sixty digits of the two accounts, to compare once."""
        return self._core.safety_number

    @property
    def removed_can_open_until(self) -> int | None:
        """Until when devices that were removed could open what is sent, in Unix milliseconds; None: not known yet."""
        return self._core.removed_can_open_until

    @property
    def received_media(self) -> SentMedia:
        """What the other side says that it sends."""
        return self._core.received_media

    @property
    def statistics(self) -> PeerStatistics:
        """What passed so far; after the end, what had passed when the keys were erased."""
        return self._passed or self._media.statistics()

    def track(self, kind: Kind) -> MediaStreamTrack | None:
        """What is received of a kind, decoded; None before ``Connected``."""
        return self._media.track(kind)

    # ---------------------------------------------------------------------------- what one does

    def hang_up(self) -> None:
        """End the call at both sides. Raises CallUsageError if it is over."""
        self._core.hang_up(self._clock())
        self._changed()

    def send(self, kind: Kind, track: MediaStreamTrack | None) -> None:
        """Send ``track`` from now on, in place of what was sent; with None, nothing of this kind any more.

        So voice becomes video and video voice again, and a screen is shown; the other side is told (CALL-26). Raises
        WrongState for a track of another kind.
        """
        self._media.send(kind, track)
        if kind is Kind.MICROPHONE:
            self._muted = None
        self._announce()

    def mute(self) -> None:
        """Send nothing of the microphone, no silence either, until ``unmute``."""
        microphone = self._media.sent(Kind.MICROPHONE)
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
        self._media.hold()
        self._announce()

    def resume(self) -> None:
        """Go on after ``hold``."""
        self._media.resume()
        self._announce()

    @property
    def chat(self) -> ChatRoom:
        """Texts and what goes with them; ``flush`` sends what was said. Raises CallUsageError before the call is live."""
        return self._core.chat

    def say(self, text: str) -> int:
        """Send a text; gives its number. Raises CallUsageError, ChatUsageError."""
        number = self._core.chat.say(text)
        self._changed()
        return number

    def flush(self) -> None:
        """What was done in ``chat`` goes out."""
        self._changed()

    def begin_code(self) -> None:
        """Ask for a spoken code, or join the one that the other side asked for (VERIFY-3). Raises CallUsageError."""
        self._core.begin_code(self._clock())
        self._changed()

    def mark_verified(self) -> None:
        """The two people read the same code, or compared the safety number (VERIFY-8, IDENT-18)."""
        self._core.mark_verified()

    @property
    def is_over(self) -> bool:
        """Whether the call has ended and its connection is closed."""
        return self._ended.is_set()

    async def ended(self) -> None:
        """Wait until the call is over and its connection closed."""
        await self._ended.wait()

    async def __aiter__(self) -> AsyncIterator[CallEvent]:
        """What happens, up to and with ``Ended``."""
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Ended):
                return

    # ---------------------------------------------------------------------- inside the package

    def abandon(self) -> None:
        """End the call, if it is not over: the client goes."""
        with contextlib.suppress(CallUsageError):
            self.hang_up()
        if self._passed is None:
            # what hangs up while it invites ends only when the service says so
            self._close()

    def use_relays(self, relays: Sequence[RTCIceServer]) -> None:
        """The service's relays, for connections that are made from now on."""
        self._relays = tuple(relays)
        self._media.use_relays(self._relays)

    def adopt(self, core: CallCore) -> None:
        """Both sides called each other, and ``core`` is the call that goes on (CALL-21)."""
        self._core = core
        self._media.adopt(core)
        self._path.adopt(core)

    def happened(self, event: CallEvent) -> None:
        """Take an event of the core: do what it asks for; what is not only between the two, the application is told."""
        match event:
            case DescriptionReceived() | DescriptionWanted() | ReconnectReceived():
                self._path.happened(event)
                return
            case Ended(reason=EndReason.REPLACED, remote=False):
                return  # the other call goes on
            case EpochChanged():
                self._media.release()
            case LagChanged(lag=lag):
                self._media.withhold(withheld=lag.withheld)
            case Live():
                self._announce()
                if self._core.medium is Medium.TEXT:
                    self._events.put_nowait(Connected(self.call_id))
            case Ended():
                event = replace(event, detail=event.detail or self._path.failure)
                self._close()
        self._events.put_nowait(event)

    # ---------------------------------------------------------------------------------- its media

    def _announce(self) -> None:
        """CALL-26: say what is sent, if the call has come so far."""
        sends, on_hold = self._media.sends, self._media.on_hold
        sent = SentMedia(
            sends[Kind.MICROPHONE], sends[Kind.CAMERA], sends[Kind.SCREEN_VIDEO], on_hold
        )
        with contextlib.suppress(CallUsageError):
            self._core.send_media(sent, self._clock())
            self._changed()

    def _close(self) -> None:
        self._passed = self.statistics
        self._closing_task = asyncio.ensure_future(self._closing())

    async def _closing(self) -> None:
        await self._path.close()
        self._ended.set()
