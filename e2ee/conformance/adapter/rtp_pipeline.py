"""Packets of a stream through the receiving path of real calls: aiortc's, with the seams of this project, up to the opener."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.conformance.adapter.receiver import frame_epoch
from e2ee.conformance.adapter.traces import fate_of
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener, Held, Rejected
from e2ee.sframe.cipher_suite import cipher_suite


@operation("frame-format/rtp-pipeline")
def rtp_pipeline(given: Given) -> Answer:
    """FRAME-21 to FRAME-24: the frames that are whole, and what becomes of each."""
    suite, keys = cipher_suite(given["sframe_suite"]), FrameKeys()
    for event in given["events"]:
        keys.install(frame_epoch(event, suite, given["own_leaf"]), event["at"])
    opener = _ShowingOpener(keys)
    asyncio.run(_receive(given, opener))
    return Accepted({"frames": opener.frames}, {"reassembled": opener.reassembled})


class _ShowingOpener(FrameOpener):
    """Writes down what it is asked, and answers."""

    def __init__(self, keys: FrameKeys) -> None:
        super().__init__(keys.receive)
        self.frames: list[dict[str, Any]] = []
        self.reassembled: list[str] = []

    def open(
        self, stream: IncomingStream, data: bytes, now: int, context: Any = None
    ) -> OpenedFrame | Rejected | Held:
        outcome = super().open(stream, data, now, context)
        self.frames.append({"timestamp": context.timestamp} | fate_of(outcome))
        self.reassembled.append(data.hex())
        return outcome


async def _receive(given: Given, opener: FrameOpener) -> None:
    # an adapter of frames alone has no need of WebRTC, which takes its time to load
    from e2ee.aiortc_seams.reception import reception  # noqa: PLC0415
    from e2ee.rtc.incoming import IncomingFrames, ReceivedFrames  # noqa: PLC0415

    said = given["stream"]
    kind = Kind(said["kind"])
    stream = IncomingStream(Codec(said["codec"]), kind, said["announced_sender"])
    medium = "audio" if kind in (Kind.MICROPHONE, Kind.SCREEN_AUDIO) else "video"
    async with reception(medium, **_negotiated(given["rtp"])) as way:
        frames = ReceivedFrames(opener, lambda: 0)
        frames.attach(way.receiver, IncomingFrames(stream, lambda: 0))
        for packet in given["packets"]:
            await way.take(bytes.fromhex(packet))


def _negotiated(rtp: Mapping[str, Any]) -> dict[str, Any]:
    from e2ee.aiortc_seams.reception import Payload  # noqa: PLC0415

    srtp = rtp["srtp"]
    return {
        "payloads": [Payload(**payload) for payload in rtp["payload_types"]],
        "ssrc": rtp["ssrc"],
        "rtx_ssrc": rtp["rtx_ssrc"],
        "header_extensions": {each["id"]: each["uri"] for each in rtp["header_extensions"]},
        "srtp_key": srtp and bytes.fromhex(srtp["master_key"] + srtp["master_salt"]),
    }
