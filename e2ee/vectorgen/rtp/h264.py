"""Pictures in H.264: NAL units alone, in aggregates and in fragments."""

from __future__ import annotations

from collections.abc import Callable

from e2ee.vectorgen.h264_model import byte_stream, nal_units
from e2ee.vectorgen.registry import Case
from e2ee.vectorgen.rtp.group import pipeline
from e2ee.vectorgen.rtp.packets import fu_a, stap_a
from e2ee.vectorgen.rtp.way import Sent, Way
from e2ee.vectorgen.scenes import CAMERA, Refusal

SPS, PPS = bytes.fromhex("6742c01e9a7405060b"), bytes.fromhex("68ce3c80")
IDR, SLICE = b"\x65\xb8", b"\x41\x9a"
"""The first bytes of a slice of an IDR picture, and of one that refers to others."""


def _h264(
    way: Way, ctr: int, *, length: int = 40, key_frame: bool = False
) -> tuple[Sent, list[bytes]]:
    """The next frame of an H.264 encoder, and the NAL units that a packetiser finds in what is sent of it."""
    units = [SPS, PPS, IDR] if key_frame else [SLICE]
    content = byte_stream(*units) + way.case.entropy.random(length)
    sent = way.protected(ctr, content)
    return sent, [sent.data[begins:ends] for begins, ends in nal_units(sent.data)]


H264_PAYLOADS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "single-nal-units": lambda units: units,
    "an-aggregate-and-a-nal-unit": lambda units: [stap_a(units[:2]), units[2]],
    "one-aggregate": lambda units: [stap_a(units)],
    "aggregates-of-one": lambda units: [stap_a([unit]) for unit in units],
    "an-aggregate-and-fragments": lambda units: [stap_a(units[:2]), *fu_a(units[2], [2, 4, 30])],
    "fragments-of-everything": lambda units: [
        part for unit in units for part in fu_a(unit, [2, 3])
    ],
    "a-byte-a-fragment": lambda units: [
        *units[:2],
        *fu_a(units[2], [*range(2, len(units[2]))]),
    ],
}


@pipeline.vector("FRAME-21", "FRAME-22", "CODEC-13", each=H264_PAYLOADS)
def h264_key_frame_in(case: Case, payloads: Callable[[list[bytes]], list[bytes]]) -> None:
    """Parameter sets and a slice in packets of every form that RFC 6184 has for packetization-mode 1."""
    way = Way(case, CAMERA, codec="H264")
    sent, units = _h264(way, 0, key_frame=True)
    way.arrive(*way.h264(sent, *payloads(units)))
    other, units = _h264(way, 1)
    way.arrive(*way.h264(other, *units))
    way.opened(sent, other)
    way.end()


@pipeline.vector("FRAME-21", "CODEC-13", "CODEC-14")
def h264_fragments_cut_within_emulation_prevention(case: Case) -> None:
    """The counter is 65,536 and the ciphertext begins with a byte below 4, so 03 was inserted: one packet ends in 00 00, the next begins with 03."""
    way = Way(case, CAMERA, codec="H264")
    sent, unit = _with_emulation_prevention(way)
    way.arrive(*way.h264(sent, *fu_a(unit, [unit.index(b"\0\0\3") + 2])))
    way.opened(sent)
    way.end()


def _with_emulation_prevention(way: Way) -> tuple[Sent, bytes]:
    timestamp = way.timestamp
    while True:
        way.timestamp = timestamp
        sent, (unit,) = _h264(way, 65_536)
        if b"\0\0\3" in unit:
            return sent, unit


@pipeline.vector("FRAME-22")
def h264_frame_with_a_lost_fragment(case: Case) -> None:
    """Of the slice the middle is missing: the rest of it is never judged."""
    way = Way(case, CAMERA, codec="H264")
    whole, units = _h264(way, 0, key_frame=True)
    way.arrive(*way.h264(whole, stap_a(units)))
    cut, (unit,) = _h264(way, 1)
    first, _, last = way.h264(cut, *fu_a(unit, [10, 20]))
    way.arrive(first, last)
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-22")
def h264_stream_that_is_joined_within_a_slice(case: Case) -> None:
    """The first packet that comes is a fragment that begins no NAL unit."""
    way = Way(case, CAMERA, codec="H264")
    missed, (unit,) = _h264(way, 7)
    _, *rest = way.h264(missed, *fu_a(unit, [10, 20]))
    whole, units = _h264(way, 8, key_frame=True)
    way.arrive(*rest, *way.h264(whole, stap_a(units[:2]), units[2]))
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-21", "FRAME-23")
def h264_packets_reordered_padded_and_sent_again(case: Case) -> None:
    """Fragments in disorder, one with padding, one twice, and one only as a retransmission."""
    way = Way(case, CAMERA, codec="H264", sequence_number=65_534)
    sent, units = _h264(way, 0, key_frame=True)
    sets, one, two, three = way.h264(sent, stap_a(units[:2]), *fu_a(units[2], [10, 20]))
    other, (unit,) = _h264(way, 1)
    way.arrive(sets, three.padded(7), one, three, *way.h264(other, unit), way.again(two))
    way.opened(sent, other)
    way.end()


BROKEN_H264 = {
    "a-fragment-without-its-second-byte": lambda unit: unit[:1],
    "an-aggregate-longer-than-its-packet": lambda unit: b"\x78\x00\x40" + unit,
    "an-aggregate-cut-in-a-length": lambda unit: stap_a([unit]) + b"\0",
}


@pipeline.vector("FRAME-23", "FRAME-22", each=BROKEN_H264)
def h264_payload_that_is(case: Case, broken: Callable[[bytes], bytes]) -> None:
    """The packet is dropped, and so the frame stays incomplete."""
    way = Way(case, CAMERA, codec="H264")
    whole, units = _h264(way, 0, key_frame=True)
    way.arrive(*way.h264(whole, *units))
    cut, (unit,) = _h264(way, 1)
    first, second, last = fu_a(unit, [10, 20])
    way.arrive(*way.h264(cut, first, broken(second), last))
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-3", "FRAME-11", "CODEC-14")
def h264_frames_that_a_server_changed(case: Case) -> None:
    """Another parameter set in the place of the sender's, and an ending cut off: whole frames, which do not open."""
    way = Way(case, CAMERA, codec="H264")
    sent, units = _h264(way, 0, key_frame=True)
    other = SPS[:-1] + b"\x0c"
    way.arrive(*way.h264(sent, other, *units[1:]))
    way.refused(sent, Refusal.NOT_AUTHENTIC, byte_stream(other, *units[1:]))
    cut, (unit,) = _h264(way, 1)
    way.arrive(*way.h264(cut, unit[:-1] + b"\x81"))
    way.refused(cut, Refusal.BAD_ENDING, byte_stream(unit[:-1] + b"\x81"))
    last, units = _h264(way, 2, key_frame=True)
    way.arrive(*way.h264(last, *units))
    way.opened(last)
    way.end()
