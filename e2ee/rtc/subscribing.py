"""The connection over which a member of a group call receives: from the forwarding unit, which says what it likes.

peer = SubscribingPeer(opener, clock, announced)
text = await peer.answer(description, mids, leaves, source_mids)     the unit's offer, and each that follows it
await peer.connected()
peer.track(leaf, Kind.CAMERA)               decoded
peer.announcements_changed()                after a member announced other streams (GROUP-18)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.opener import FrameOpener
from e2ee.rtc.clock import Clock
from e2ee.rtc.connectivity import INTERRUPTED
from e2ee.rtc.incoming import ReceiveStatistics
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.route import RTCIceServer
from e2ee.rtc.tracks import ReceivedTrack

__all__ = ["Announced", "Announcement", "OnStream", "StreamName", "SubscribingPeer"]


class Announcement(Protocol):
    """What a member says about one of its streams (``e2ee.call.group.streams.AnnouncedStream``)."""

    @property
    def kind(self) -> Kind: ...
    @property
    def instance(self) -> int: ...
    @property
    def codec(self) -> Codec: ...


Announced = Callable[[int, str], Announcement | None]
"""(leaf, mid) -> what that member says that it publishes under this mid, in MLS; None if nothing."""


class StreamName(NamedTuple):
    """A stream of a call, as its KIDs name it."""

    leaf: int
    kind: Kind
    instance: int = 0


class OnStream(Protocol):
    """Told of a stream that has begun, or ended."""

    def __call__(self, name: StreamName, *, began: bool) -> None: ...


class SubscribingPeer:
    """One connection. Every method belongs to the event loop that it was made in.

    ``decode`` False: frames are opened, and nothing more. ``ice_servers``, ``host_addresses`` and ``relay_only`` are
    explained at ``Route``.
    """

    def __init__(
        self,
        opener: FrameOpener,
        clock: Clock,
        announced: Announced,
        *,
        decode: bool = True,
        on_stream: OnStream | None = None,
        ice_servers: Sequence[RTCIceServer] = (),
        host_addresses: Sequence[str] | None = None,
        relay_only: bool = False,
        observers: Sequence[FrameObserver] = (),
    ) -> None:
        raise NotImplementedError

    def successor(
        self, *, ice_servers: Sequence[RTCIceServer] | None = None, relay_only: bool | None = None
    ) -> SubscribingPeer:
        """A new connection in the place of this one, with its streams; to this one is left to be closed."""
        raise NotImplementedError

    async def answer(
        self,
        description: str,
        mids: Sequence[str],
        leaves: Sequence[int],
        source_mids: Sequence[str],
    ) -> str:
        """Take an offer of the unit's; gives the answer. Raises WrongState, DescriptionError."""
        raise NotImplementedError

    @property
    def streams(self) -> Mapping[StreamName, ReceivedTrack]:
        """What is received now, by whose it is: the unit offers it, and that member announced it."""
        raise NotImplementedError

    def track(self, leaf: int, kind: Kind, instance: int = 0) -> ReceivedTrack | None:
        """What is received of this stream, decoded. None without such a stream."""
        raise NotImplementedError

    def mid_of(self, leaf: int, kind: Kind, instance: int = 0) -> str | None:
        """The m-section that brings this stream: what to want (SFU-6)."""
        raise NotImplementedError

    def announcements_changed(self) -> None:
        """Ask again what is announced: streams begin and end by it."""
        raise NotImplementedError

    def release(self) -> None:
        """After the opener's keys changed: what waited for a key goes to its decoder."""
        raise NotImplementedError

    def withhold(self, leaf: int) -> None:
        """Decode nothing of this member until it is to be shown."""
        raise NotImplementedError

    def show(self, leaf: int) -> None:
        """Decode this member's streams again."""
        raise NotImplementedError

    def hold(self) -> None:
        """Decode nothing until ``resume``."""
        raise NotImplementedError

    def resume(self) -> None:
        """Decode again."""
        raise NotImplementedError

    async def connected(self) -> None:
        """Wait until media can flow. Raises ConnectionFailed if it never will."""
        raise NotImplementedError

    async def interrupted(self, after: int = INTERRUPTED) -> None:
        """Wait until nothing authentic has come for ``after`` milliseconds, or the connection has ended."""
        raise NotImplementedError

    async def restored(self) -> None:
        """Wait until something comes again, or the connection has ended."""
        raise NotImplementedError

    async def ended(self) -> None:
        """Wait until the connection is lost or closed, from either side."""
        raise NotImplementedError

    def statistics(self) -> Mapping[StreamName, ReceiveStatistics]:
        """What was received so far of each stream that there is or was."""
        raise NotImplementedError

    async def close(self) -> None:
        """End the connection, and with it what is received, unless it has a successor."""
        raise NotImplementedError
