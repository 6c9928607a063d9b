"""The chapter Codecs: session descriptions of one-to-one calls."""

from __future__ import annotations

from e2ee.conformance.adapter.judging import refusing
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.media.encoded_frame import Codec

STREAMS = ("audio", "video", "video")
"""Microphone, camera, screen video (CODEC-7)."""


@operation("codecs/description")
@refusing
def description(given: Given) -> Answer:
    """CODEC-5, CODEC-7, CODEC-17, CODEC-18."""
    from e2ee.rtc.description import checked_description  # noqa: PLC0415 - with aiortc, which is optional

    choices = [[Codec(codec) for codec in given["usable"][kind]] for kind in STREAMS]
    _, chosen = checked_description(given["description"], given["type"], choices, loopback=False)
    return Accepted({"codecs": [codec.value for codec in chosen]})


@operation("codecs/unit-description")
@refusing
def unit_description(given: Given) -> Answer:
    """CODEC-9: what a forwarding unit offers."""
    from e2ee.rtc.description import checked_unit_offer  # noqa: PLC0415 - as above

    known = [(each["kind"], each["mid"]) for each in given["known"]]
    checked_unit_offer(given["description"], known, loopback=False)
    return Accepted()
