"""One connection of a member to the unit: aiortc makes it, and carries none of its packets.

Every description has one transport for all streams (BUNDLE). The unit does not look for the member: it waits for checks of
the member's on its own addresses (``description``), so there is nothing to which it could be made to send.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.rtcconfiguration import RTCBundlePolicy

from e2ee.aiortc_seams import (
    PacketPath,
    demultiplex,
    gather_only,
    log_no_descriptions,
    never_start,
)
from e2ee.session_description import compact, is_baseline_h264
from e2ee.sfu.description import CODECS, without_tales
from e2ee.sfu.errors import SfuError, SfuReason

__all__ = ["Connection"]


class Connection:
    """See the module. ``connected`` is called when media can flow, ``lost`` once, when it has failed or the member closed it."""

    def __init__(
        self,
        host_addresses: Sequence[str] | None,
        rtp: Callable[[bytes], None],
        rtcp: Callable[[bytes], None],
        lost: Callable[[], None],
        connected: Callable[[], None] = lambda: None,
    ) -> None:
        self._host_addresses = host_addresses
        self._received = rtp, rtcp
        self._lost: Callable[[], None] | None = lost
        self._connected = connected
        self._path: PacketPath | None = None
        self._first: RTCRtpTransceiver | None = None
        self._is_described = False
        configuration = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        self._connection = RTCPeerConnection(configuration)
        log_no_descriptions(self._connection)
        self._connection.on("connectionstatechange", self._state_changed)

    def add(
        self, kind: str, direction: str, codecs: Sequence[str] | None = None
    ) -> RTCRtpTransceiver:
        """An m-section more, for these codecs, or for all that are forwarded."""
        transceiver = self._connection.addTransceiver(kind, direction)
        never_start(transceiver)
        self.choose(transceiver, codecs or CODECS[kind])
        if self._first is None:  # its transport is everybody's
            self._first = transceiver
            self._path = PacketPath(transceiver, *self._received)
            if self._host_addresses is not None:
                gather_only(transceiver, self._host_addresses)
        return transceiver

    def choose(self, transceiver: RTCRtpTransceiver, codecs: Sequence[str]) -> None:
        """The next description has the m-section for these codecs."""
        names = {*(name.lower() for name in codecs), "rtx"}
        offered = RTCRtpSender.getCapabilities(transceiver.kind).codecs
        transceiver.setCodecPreferences(
            [
                each
                for each in offered
                if (name := each.mimeType.split("/")[1].lower()) in names
                and (name != "h264" or is_baseline_h264(each.parameters))  # CODEC-18
            ]
        )

    async def answer(self, offer: RTCSessionDescription) -> str:
        """The answer to a member's offer. Raises SfuError."""
        try:
            await self._connection.setRemoteDescription(offer)
            return await self._describe(await self._connection.createAnswer())
        except Exception as error:  # noqa: BLE001 - whatever aiortc raises for a stranger's text
            raise _malformed(error) from None

    async def offer(self) -> str:
        """The next offer to the member."""
        return await self._describe(await self._connection.createOffer())

    async def accept(self, answer: RTCSessionDescription) -> None:
        """Take the member's answer. Raises SfuError."""
        try:
            await self._connection.setRemoteDescription(answer)
        except Exception as error:  # noqa: BLE001 - as above
            raise _malformed(error) from None

    async def _describe(self, description: RTCSessionDescription) -> str:
        text = without_tales(description.sdp)
        await self._connection.setLocalDescription(RTCSessionDescription(text, description.type))
        if not self._is_described and self._first is not None:
            self._is_described = True
            demultiplex(self._first)
        return compact(self._connection.localDescription.sdp)

    def send(self, packet: bytes) -> bool:
        """Send an RTP packet, if there is a path."""
        return self._path is not None and self._path.send(packet)

    def send_rtcp(self, packet: bytes) -> bool:
        """Send an RTCP packet, if there is a path."""
        return self._path is not None and self._path.send_rtcp(packet)

    @property
    def dropped(self) -> int:
        """Packets for which there was no room."""
        return self._path.dropped if self._path else 0

    @property
    def is_connected(self) -> bool:
        """Whether media can flow."""
        return self._connection.connectionState == "connected"

    async def close(self) -> None:
        """End it; ``lost`` is not called."""
        self._lost = None
        await self._connection.close()

    def _state_changed(self) -> None:
        lost, state = self._lost, self._connection.connectionState
        if state == "connected":
            self._connected()
        elif lost is not None and state in {"failed", "closed"}:
            self._lost = None
            lost()


def _malformed(error: Exception) -> SfuError:
    return SfuError(SfuReason.MALFORMED_DESCRIPTION, type(error).__name__)
