"""Packets of a transport, as bytes, past aiortc's queue, tasks, senders and receivers: for a unit that forwards them.

    datagram -> [PacketPath] SRTP off -> received        in the callback of the socket, without a task in between
    send -> SRTP -> datagram                             at once

aiortc still does what it is needed for: ICE, DTLS, descriptions. Its own way costs a queue, two switches of tasks and the
parsing of every header extension for each packet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

import pylibsrtp
from aiortc import RTCRtpTransceiver
from aiortc.rtcdtlstransport import State
from aiortc.rtp import is_rtcp

from e2ee.aiortc_seams.transport import LARGEST_DATAGRAM

__all__ = ["PacketPath", "never_start"]

_log = logging.getLogger(__name__)

_LARGEST_BACKLOG = 1 << 18
"""Bytes that wait for a socket's buffer: more than that is late anyway."""

Received = Callable[[bytes], None]


class PacketPath:
    """The way of all packets of the transport that this transceiver belongs to. Before the connection is described.

    ``rtp`` and ``rtcp`` are called with each packet whose SRTP tag was right. What they raise is logged, and goes no
    further. Other datagrams that DTLS cannot have sent are dropped, as ``accept_only_possible_datagrams`` does.
    """

    def __init__(self, transceiver: RTCRtpTransceiver, rtp: Received, rtcp: Received) -> None:
        self._dtls = transceiver.receiver.transport
        self._connection = self._dtls.transport._connection
        self._rtp = rtp
        self._rtcp = rtcp
        self._queue = self._connection.data_received
        self._connection.data_received = self._receive  # type: ignore[method-assign]
        self._pair: object = None
        self._address: tuple[str, int] | None = None
        self._socket: Any = None
        self.dropped = 0
        """Packets that were to be sent and were not: no room, or too long for SRTP."""

    def _receive(self, data: bytes, component: int) -> None:
        if not 0 < len(data) <= LARGEST_DATAGRAM:
            return
        if not 127 < data[0] < 192:  # RFC 7983 Section 7: not RTP or RTCP
            self._queue(data, component)
            return
        dtls = self._dtls
        if dtls._state is not State.CONNECTED:
            return
        try:
            if is_rtcp(data):
                self._rtcp(dtls._rx_srtp.unprotect_rtcp(data))
            else:
                self._rtp(dtls._rx_srtp.unprotect(data))
        except pylibsrtp.Error:
            pass  # forged, or a replay
        except Exception as error:  # noqa: BLE001 - a member's bytes, and everybody's event loop
            _log.warning("a packet was not handled: %s", type(error).__name__)

    def send(self, packet: bytes) -> bool:
        """Send an RTP packet now, if it can be."""
        if not self._is_ready():
            return False
        try:
            protected = self._dtls._tx_srtp.protect(packet)
        except (pylibsrtp.Error, ValueError):  # too long, for one
            self.dropped += 1
            return False
        self._socket.sendto(protected, self._address)
        return True

    def send_rtcp(self, packet: bytes) -> bool:
        """Send an RTCP packet now, if it can be."""
        if not self._is_ready():
            return False
        try:
            protected = self._dtls._tx_srtp.protect_rtcp(packet)
        except (pylibsrtp.Error, ValueError):
            self.dropped += 1
            return False
        self._socket.sendto(protected, self._address)
        return True

    def _is_ready(self) -> bool:
        """Whether there is a path, and room on it."""
        if self._dtls._state is not State.CONNECTED:
            return False
        pair = self._connection._nominated.get(1)
        if pair is not self._pair:
            self._pair = pair
            self._address = pair.remote_addr if pair else None
            self._socket = pair.protocol.transport if pair else None
        if pair is None:
            return False
        if self._socket.get_write_buffer_size() > _LARGEST_BACKLOG:
            self.dropped += 1
            return False
        return True


def never_start(transceiver: RTCRtpTransceiver) -> None:
    """Let aiortc negotiate this transceiver, and neither send nor receive with it: no tasks, no thread of a decoder.

    ``RTCPeerConnection.__connect`` starts the two halves by these methods, and nothing else does.
    """

    async def nothing(_: object) -> None:
        pass

    cast(Any, transceiver.sender).send = nothing
    cast(Any, transceiver.receiver).receive = nothing
