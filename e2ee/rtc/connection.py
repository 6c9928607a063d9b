"""What every connection has, whoever is at its other end: descriptions, a route, and whether anything comes.

Rules that hold for all: no STUN or TURN server but the given ones (aiortc has a default); 127.0.0.1 only if it is named;
no audio level extension; datagrams that would end the transport are dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from aiortc import InvalidStateError, RTCPeerConnection, RTCRtpTransceiver, RTCSessionDescription

from e2ee.aiortc_seams import (
    accept_only_possible_datagrams,
    demultiplex,
    forgive_header_extensions,
    log_no_descriptions,
    note_arrivals,
    route_retransmissions,
)
from e2ee.rtc.clock import Clock
from e2ee.rtc.connectivity import INTERRUPTED, Connectivity
from e2ee.rtc.description import without_audio_level
from e2ee.rtc.errors import ConnectionFailed, DescriptionError, RtcReason, WrongState
from e2ee.rtc.route import Route

__all__ = ["Connected", "MediaConnection"]

_OPENING = 0.5
"""Seconds that the sockets of a connection take to be opened, at most: relays are waited for longer, and need not be."""


class MediaConnection:
    """One connection. ``webrtc`` is aiortc's."""

    def __init__(self, route: Route, clock: Clock) -> None:
        self.route = route
        self._connectivity = Connectivity(clock)
        self._settled = asyncio.Event()
        self._gathering = asyncio.Lock()
        self._first: RTCRtpTransceiver | None = None
        self.webrtc = RTCPeerConnection(route.configuration())
        log_no_descriptions(self.webrtc)
        self.webrtc.on("connectionstatechange", self._state_changed)

    def attach(self, make: Callable[[RTCPeerConnection], RTCRtpTransceiver]) -> RTCRtpTransceiver:
        """Let ``make`` add a transceiver; the transport of the first one is everybody's (BUNDLE)."""
        transceiver = make(self.webrtc)
        if self._first is None:
            self._first = transceiver
            accept_only_possible_datagrams(transceiver)
            forgive_header_extensions(transceiver)
            note_arrivals(transceiver, self._connectivity.note)
            route_retransmissions(transceiver)
            self.route.restrict(transceiver)
        return transceiver

    @property
    def is_described(self) -> bool:
        """Whether this side has described it."""
        return bool(self.webrtc.localDescription)

    def expect(self, signaling_state: str, *, described: bool) -> None:
        """Raises WrongState unless it is in this state and was described, or was not."""
        state = self.webrtc.signalingState
        if state != signaling_state or self.is_described != described:
            raise WrongState(f"in state {state}")

    async def offer(self) -> str:
        """This side's offer. Raises WrongState if it was closed meanwhile."""
        try:
            return await self._describe(await self.webrtc.createOffer())
        except InvalidStateError as error:
            raise WrongState(str(error)) from None

    async def answer(self, offer: RTCSessionDescription) -> str:
        """The answer to an offer that was checked. Raises DescriptionError."""
        await self.apply(offer)
        try:
            return await self._describe(await self.webrtc.createAnswer())
        except Exception as error:  # an offer that was applied and cannot be answered
            raise DescriptionError(RtcReason.MALFORMED_DESCRIPTION, str(error)) from error

    async def apply(self, description: RTCSessionDescription) -> None:
        """Take a description of the other side's that was checked. Raises DescriptionError."""
        try:
            await self.webrtc.setRemoteDescription(description)
        except Exception as error:
            raise DescriptionError(RtcReason.MALFORMED_DESCRIPTION, str(error)) from error

    async def _describe(self, description: RTCSessionDescription) -> str:
        is_first = not self.is_described
        text = without_audio_level(description.sdp)
        async with self._gathering:
            await self.webrtc.setLocalDescription(RTCSessionDescription(text, description.type))
        if is_first and self._first is not None:
            demultiplex(self._first)
        return self.webrtc.localDescription.sdp

    async def connected(self) -> None:
        """Wait until media can flow. Raises ConnectionFailed if it never will."""
        await self._settled.wait()
        if self.webrtc.connectionState != "connected":
            raise ConnectionFailed(self.webrtc.connectionState)

    async def interrupted(self, after: int) -> None:
        """Wait until nothing authentic has come for ``after`` milliseconds, or the connection has ended."""
        await self._connectivity.interrupted(after)

    async def restored(self) -> None:
        """Wait until something comes again, or the connection has ended."""
        await self._connectivity.restored()

    async def ended(self) -> None:
        """Wait until the connection is lost or closed, from either side. A loss takes ICE about 35 s."""
        await self._connectivity.ended()

    async def close(self) -> None:
        """End it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_OPENING), self._gathering:
                pass  # or it would open sockets that nobody closes any more
        await self.webrtc.close()
        self._settled.set()
        self._connectivity.end()

    def _state_changed(self) -> None:
        state = self.webrtc.connectionState
        if state == "connected":
            self._connectivity.note()
        if state in {"connected", "failed", "closed"}:
            self._settled.set()
        if state in {"failed", "closed"}:
            self._connectivity.end()


class Connected:
    """The part of a peer that is about its one connection."""

    _connection: MediaConnection

    async def connected(self) -> None:
        """Wait until media can flow. Raises ConnectionFailed if it never will."""
        await self._connection.connected()

    async def interrupted(self, after: int = INTERRUPTED) -> None:
        """Wait until nothing authentic has come for ``after`` milliseconds, or the connection has ended."""
        await self._connection.interrupted(after)

    async def restored(self) -> None:
        """Wait until something comes again, or the connection has ended."""
        await self._connection.restored()

    async def ended(self) -> None:
        """Wait until the connection is lost or closed, from either side. A loss takes ICE about 35 s."""
        await self._connection.ended()
