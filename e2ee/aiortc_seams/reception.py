"""A receiver without a network: datagrams of RTP or SRTP take the way that they take from a transport on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import pylibsrtp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver
from aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpDecodingParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpReceiveParameters,
    RTCRtpRtxParameters,
)

from e2ee.aiortc_seams.transport import forgive_header_extensions, route_retransmissions

__all__ = ["Payload", "Reception", "reception"]


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload type: its codec by its name in SDP, ``rtx`` for retransmissions of ``apt``."""

    payload_type: int
    codec: str
    clock_rate: int
    apt: int | None = None


@dataclass(frozen=True, slots=True)
class Reception:
    """A receiver that was told what to expect, and has started nothing."""

    receiver: RTCRtpReceiver
    _srtp: pylibsrtp.Session | None

    async def take(self, datagram: bytes) -> None:
        """What comes: an SRTP packet if there are keys for it, else what was in one."""
        if self._srtp is not None:
            try:
                datagram = self._srtp.unprotect(datagram)
            except pylibsrtp.Error:  # as RTCDtlsTransport._recv_next
                return
        await self.receiver.transport._handle_rtp_data(datagram, arrival_time_ms=0)


@asynccontextmanager
async def reception(
    kind: str,
    payloads: Sequence[Payload],
    ssrc: int,
    rtx_ssrc: int | None,
    header_extensions: Mapping[int, str],
    srtp_key: bytes | None,
) -> AsyncIterator[Reception]:
    """A receiver of ``kind`` (audio, video). ``header_extensions`` are URIs by their identifiers; ``srtp_key`` is key || salt."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    transceiver = connection.addTransceiver(kind)
    forgive_header_extensions(transceiver)
    route_retransmissions(transceiver)
    codecs = [_codec(kind, payload) for payload in payloads]
    extensions = [
        RTCRtpHeaderExtensionParameters(id=number, uri=uri)
        for number, uri in header_extensions.items()
    ]
    parameters = RTCRtpReceiveParameters(codecs=codecs, headerExtensions=extensions)
    rtx = None if rtx_ssrc is None else RTCRtpRtxParameters(rtx_ssrc)
    parameters.encodings = [RTCRtpDecodingParameters(ssrc, codecs[0].payloadType or 0, rtx)]
    receiver = cast(Any, transceiver.receiver)
    # what ``RTCRtpReceiver.receive`` does, but for the decoder and reports
    receiver._RTCRtpReceiver__codecs = {codec.payloadType: codec for codec in codecs}
    receiver._RTCRtpReceiver__rtx_ssrc = {rtx_ssrc: ssrc}
    receiver.transport._register_rtp_receiver(receiver, parameters)
    try:
        yield Reception(receiver, _session(srtp_key))
    finally:
        await connection.close()


def _codec(kind: str, payload: Payload) -> RTCRtpCodecParameters:
    return RTCRtpCodecParameters(
        mimeType=f"{kind}/{payload.codec}",
        clockRate=payload.clock_rate,
        channels=2 if kind == "audio" else None,
        payloadType=payload.payload_type,
        parameters={} if payload.apt is None else {"apt": payload.apt},
    )


def _session(key: bytes | None) -> pylibsrtp.Session | None:
    if key is None:
        return None
    return pylibsrtp.Session(
        pylibsrtp.Policy(
            key=key,
            ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND,
            srtp_profile=pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
        )
    )
