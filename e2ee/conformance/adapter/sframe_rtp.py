"""The chapter Frame format, binding ``sframe-rtp``."""

from __future__ import annotations

from e2ee.conformance.adapter.frame_format import protector_of
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, Refused, operation
from e2ee.conformance.adapter.receiver import Receiver
from e2ee.media.sframe_rtp import PayloadJoiner, PayloadReason, SFramePayload, payloads_of


@operation("frame-format/sframe-rtp-sending")
def sending(given: Given) -> Answer:
    """FRAME-17, FRAME-18: the payloads of a frame."""
    protected = protector_of(given).protect(bytes.fromhex(given["frame"]))
    payloads = payloads_of(protected, given["largest_payload"])
    return Accepted({"payloads": [payload.hex() for payload in payloads]})


@operation("frame-format/sframe-rtp-receiving")
def receiving(given: Given) -> Answer:
    """FRAME-19, FRAME-3: what becomes of the last payload, or of the frame that is whole with it."""
    receiver, joiner = Receiver(given), PayloadJoiner()
    for packet in given["packets"]:
        came = SFramePayload(**{**packet, "payload": bytes.fromhex(packet["payload"])})
        joined = joiner.take(came)
        if isinstance(joined, bytes):
            result = receiver.open(joined.hex(), given["at"])
    if isinstance(joined, PayloadReason):
        return Refused(joined.value)
    return receiver.answer([result], joined.hex() if joined else "")
