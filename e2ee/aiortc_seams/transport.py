"""Below RTP: which addresses are used, which datagrams are taken, where packets go, and that some came."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from aioice.candidate import Candidate
from aioice.ice import Connection, StunProtocol
from aiortc import RTCRtpReceiver, RTCRtpTransceiver
from aiortc.codecs import is_rtx
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, RtpPacket

__all__ = [
    "accept_only_possible_datagrams",
    "demultiplex",
    "forgive_header_extensions",
    "gather_only",
    "note_arrivals",
    "route_retransmissions",
]

_log = logging.getLogger(__name__)

LARGEST_DATAGRAM = 1500  # the buffer of a pylibsrtp.Session
_LAST_STUN_BYTE = 3

_Address = tuple[Any, ...]
_Receive = Callable[[bytes, _Address], None]


def _connection(transceiver: RTCRtpTransceiver) -> Connection:
    return transceiver.receiver.transport.transport._connection


def gather_only(transceiver: RTCRtpTransceiver, host_addresses: Sequence[str]) -> None:
    """Gather host candidates on these local addresses only. To be called before the local description is set.

    It is also the one way to gather 127.0.0.1, which ``aioice.ice.get_host_addresses`` always leaves out.
    Not for the relay-only transport policy, which gathers on no address.
    """
    connection = _connection(transceiver)
    gather = connection.get_component_candidates

    async def gather_here(component: int, addresses: list[str]) -> list[Candidate]:  # noqa: ARG001
        return await gather(component, list(host_addresses))

    connection.get_component_candidates = gather_here  # type: ignore[method-assign,assignment]


def accept_only_possible_datagrams(transceiver: RTCRtpTransceiver) -> None:
    """Drop datagrams that no DTLS or SRTP peer sends, before they reach ``RTCDtlsTransport._recv_next``.

    That reads ``data[0]`` of an empty datagram, and passes one of more than 1,500 bytes to pylibsrtp: either
    raises, which closes the transport. Whoever knows the port, and nothing else, could end a call so.
    """
    connection = _connection(transceiver)
    receive = connection.data_received

    def receive_possible(data: bytes, component: int) -> None:
        if 0 < len(data) <= LARGEST_DATAGRAM:
            receive(data, component)

    connection.data_received = receive_possible  # type: ignore[method-assign]


def demultiplex(transceiver: RTCRtpTransceiver) -> None:
    """Tell STUN from everything else by RFC 7983. To be called when candidates have been gathered.

    ``StunProtocol.datagram_received`` tries to parse every datagram as STUN, goes by a length field, and lets
    ``struct.error`` out: an SRTP packet whose sequence number is its length - 20 can be lost, with a
    traceback in the log. RFC 7983 Section 7: first bytes 0 to 3 are STUN's.
    """
    connection = _connection(transceiver)
    for protocol in connection._protocols:
        protocol.datagram_received = partial(  # type: ignore[method-assign]
            _datagram_received, connection, protocol, protocol.datagram_received
        )


def _datagram_received(
    connection: Connection,
    protocol: StunProtocol,
    receive_stun: _Receive,
    data: bytes,
    address: _Address,
) -> None:
    if data and data[0] > _LAST_STUN_BYTE:
        connection.data_received(data, protocol.local_candidate.component)
        return
    try:
        receive_stun(data, address)
    except Exception as exception:  # noqa: BLE001 - anybody's bytes
        _log.debug("malformed STUN message dropped: %s", type(exception).__name__)


class _ForgivingExtensions(HeaderExtensionsMap):
    """What of header extensions can be read.

    aiortc drops a packet that has an element which is cut off, as it may be after one of identifier 15 (RFC 8285 Section 4.2),
    and closes the whole transport for one of another length than it expects. Neither says anything about the payload.
    """

    def get(self, extension_profile: int, extension_value: bytes) -> HeaderExtensions:
        try:
            return super().get(extension_profile, extension_value)
        except (ValueError, struct.error):
            return HeaderExtensions()


def forgive_header_extensions(transceiver: RTCRtpTransceiver) -> None:
    """Take packets whatever is in their header extensions (FRAME-21). Before descriptions are applied."""
    transceiver.receiver.transport._rtp_header_extensions_map = _ForgivingExtensions()


def note_arrivals(transceiver: RTCRtpTransceiver, arrived: Callable[[], None]) -> None:
    """Call ``arrived`` for each RTP or RTCP packet whose SRTP tag was right."""
    transport = transceiver.receiver.transport
    handle_rtp, handle_rtcp = transport._handle_rtp_data, transport._handle_rtcp_data

    async def handle_rtp_and_note(data: bytes, arrival_time_ms: int) -> None:
        arrived()
        await handle_rtp(data, arrival_time_ms=arrival_time_ms)

    async def handle_rtcp_and_note(data: bytes) -> None:
        arrived()
        await handle_rtcp(data)

    transport._handle_rtp_data = handle_rtp_and_note  # type: ignore[method-assign]
    transport._handle_rtcp_data = handle_rtcp_and_note  # type: ignore[method-assign]


def route_retransmissions(transceiver: RTCRtpTransceiver) -> None:
    """Let retransmissions reach their receiver also where two receivers share a transport. Before descriptions are applied.

    ``RTCDtlsTransport._register_rtp_receiver`` notes the SSRCs of media only, and a packet of another SSRC goes to the
    one receiver of its payload type: with two of video, to none, and no lost packet is ever repaired. And with one, packets of
    anything come between those of the stream that was announced (FRAME-23).
    """
    transport = transceiver.receiver.transport
    register, router = transport._register_rtp_receiver, transport._rtp_router
    route = router.route_rtp
    announced: dict[RTCRtpReceiver, set[tuple[int, bool]]] = {}
    """SSRCs, and whether that is one of retransmissions."""
    retransmissions: set[int] = set()
    """Payload types."""

    def register_both(receiver: RTCRtpReceiver, parameters: RTCRtpReceiveParameters) -> None:
        register(receiver, parameters)
        retransmissions.update(
            codec.payloadType or 0 for codec in parameters.codecs if is_rtx(codec)
        )
        announced[receiver] = {(encoding.ssrc, False) for encoding in parameters.encodings}
        for encoding in parameters.encodings:
            if encoding.rtx is not None:
                announced[receiver].add((encoding.rtx.ssrc, True))
                router.ssrc_table[encoding.rtx.ssrc] = receiver

    def route_announced(packet: RtpPacket) -> Any:
        receiver = route(packet)
        theirs = announced.get(cast(RTCRtpReceiver, receiver))
        is_one = (packet.ssrc, packet.payload_type in retransmissions) in (theirs or ())
        return receiver if is_one or not theirs else None

    transport._register_rtp_receiver = register_both  # type: ignore[method-assign,assignment]
    router.route_rtp = route_announced  # type: ignore[method-assign]
