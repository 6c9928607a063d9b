"""The connection over which a member of a group call sends: to the forwarding unit, which has no keys.

peer = PublishingPeer(clock)
peer.add_stream(protector)                  all streams that this member may send (CODEC-7)
text = await peer.offer()                   then the unit's answer:   await peer.accept(answer)
peer.mids                                   what to announce (GROUP-18)
await peer.connected()
peer.send(Kind.CAMERA, track)               None: nothing. At any time, also before the connection
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from e2ee.media.encoded_frame import Kind
from e2ee.media.protector import FrameProtector
from e2ee.rtc.clock import Clock
from e2ee.rtc.connectivity import INTERRUPTED
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.outgoing import SendStatistics
from e2ee.rtc.peer import MediaStreamTrack
from e2ee.rtc.route import RTCIceServer

__all__ = ["PublishingPeer", "PublishingStatistics"]


@dataclass(frozen=True)
class PublishingStatistics:
    """What was sent so far, by kind and instance: over this connection and those before it."""

    sent: Mapping[tuple[Kind, int], SendStatistics]


class PublishingPeer:
    """One connection. Every method belongs to the event loop that it was made in.

    ``ice_servers``, ``host_addresses`` and ``relay_only`` are explained at ``Route``.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        ice_servers: Sequence[RTCIceServer] = (),
        host_addresses: Sequence[str] | None = None,
        relay_only: bool = False,
        observers: Sequence[FrameObserver] = (),
    ) -> None:
        raise NotImplementedError

    def add_stream(self, protector: FrameProtector, track: MediaStreamTrack | None = None) -> None:
        """A stream, on which ``track`` is sent at first. Before ``offer``. Raises WrongState."""
        raise NotImplementedError

    def successor(
        self, *, ice_servers: Sequence[RTCIceServer] | None = None, relay_only: bool | None = None
    ) -> PublishingPeer:
        """A new connection in the place of this one, with its streams; to this one is left to be closed."""
        raise NotImplementedError

    async def offer(self) -> str:
        """The description to send to the unit, whose answer ``accept`` takes. Raises WrongState."""
        raise NotImplementedError

    async def accept(self, answer: str) -> None:
        """Take the unit's answer. Raises WrongState, DescriptionError."""
        raise NotImplementedError

    @property
    def mids(self) -> Mapping[tuple[Kind, int], str]:
        """Under which mid each stream is published, by kind and instance; empty before ``offer``."""
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

    def send(self, kind: Kind, track: MediaStreamTrack | None, instance: int = 0) -> None:
        """Send ``track`` from now on, in place of what was sent; with None, nothing (CODEC-8). Raises WrongState."""
        raise NotImplementedError

    @property
    def sending(self) -> frozenset[tuple[Kind, int]]:
        """The streams on which something is sent, if there is a key."""
        raise NotImplementedError

    def hold(self) -> None:
        """Send nothing until ``resume``."""
        raise NotImplementedError

    def resume(self) -> None:
        """Send again what was sent before ``hold``, or was to be sent since."""
        raise NotImplementedError

    def statistics(self) -> PublishingStatistics:
        """What was sent so far."""
        raise NotImplementedError

    async def close(self) -> None:
        """End the connection, and with it what is sent, unless it has a successor."""
        raise NotImplementedError
