"""Pictures in H.264: NAL units alone, in aggregates and in fragments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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


LOST = {
    "first-parameter-set": (lambda units: units, 0),
    "aggregate-of-parameter-sets": (lambda units: [stap_a(units[:2]), units[2]], 0),
    "parameter-sets-before-fragments": (
        lambda units: [stap_a(units[:2]), *fu_a(units[2], [10, 20])],
        0,
    ),
    "last-fragment": (lambda units: [stap_a(units[:2]), *fu_a(units[2], [10, 20])], 3),
}
"""The payloads of a frame, and which of them is lost."""


@pipeline.vector("FRAME-22", each=LOST)
def h264_frame_that_lost_its(
    case: Case, lost: tuple[Callable[[list[bytes]], list[bytes]], int]
) -> None:
    """What is left begins as a frame may, or ends where the next one begins: it is never judged, for a packet did not come."""
    payloads, number = lost
    way = Way(case, CAMERA, codec="H264")
    before, units = _h264(way, 0)
    way.arrive(*way.h264(before, *units))
    cut, units = _h264(way, 1, key_frame=True)
    packets = way.h264(cut, *payloads(units))
    del packets[number]
    way.arrive(*packets)
    way.opened(before)
    way.end()


@pipeline.vector("FRAME-22")
def h264_frames_without_markers(case: Case) -> None:
    """A frame ends where the next packet has another timestamp, if none says so sooner."""
    way = Way(case, CAMERA, codec="H264")
    frames = []
    for ctr in range(3):
        sent, units = _h264(way, ctr, key_frame=ctr == 0)
        way.arrive(*(replace(packet, marker=False) for packet in way.h264(sent, *units)))
        frames.append(sent)
    way.opened(*frames)
    way.end()


@pipeline.vector("FRAME-23")
def h264_padding_within_a_frame(case: Case) -> None:
    """Packets of padding alone, with its timestamp, between two fragments and before the last: their numbers have come."""
    way = Way(case, CAMERA, codec="H264")
    sent, (unit,) = _h264(way, 0)
    one, two, three = fu_a(unit, [10, 20])
    first, nothing, second, other, last = way.h264(sent, one, b"", two, b"", three)
    way.arrive(first, nothing.padded(200), second, other.padded(1), last)
    way.opened(sent)
    way.end()


NOT_ALLOWED = {
    "aggregate-of-nothing": lambda _: b"\x78",
    "aggregate-with-an-empty-unit": lambda unit: b"\x78" + bytes(2) + stap_a([unit])[1:],
    "stap-b": lambda unit: b"\x79" + bytes(2) + stap_a([unit])[1:],
    "mtap16": lambda unit: b"\x7a" + bytes(2) + stap_a([unit])[1:],
    "mtap24": lambda unit: b"\x7b" + bytes(2) + stap_a([unit])[1:],
    "fu-b": lambda unit: b"\x7d" + unit[1:2] + bytes(2) + unit[2:],
    "type-0": lambda unit: b"\x60" + unit,
    "type-30": lambda unit: b"\x7e" + unit,
    "type-31": lambda unit: b"\x7f" + unit,
    "first-and-last-fragment": lambda unit: unit[:1] + bytes([unit[1] | 0xC0]) + unit[2:],
}


@pipeline.vector("FRAME-23", "FRAME-22", each=NOT_ALLOWED)
def h264_payload_that_is_not_allowed(case: Case, made: Callable[[bytes], bytes]) -> None:
    """What RFC 6184 does not allow in packetization-mode 1, in a packet between those of a frame that is whole without it. It did not come."""
    way = Way(case, CAMERA, codec="H264")
    whole, units = _h264(way, 0, key_frame=True)
    way.arrive(*way.h264(whole, *units))
    cut, (unit,) = _h264(way, 1)
    first, last = fu_a(unit, [20])
    way.arrive(*way.h264(cut, first, made(fu_a(unit, [10, 20])[1]), last))
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-21")
def h264_fragment_of_nothing(case: Case) -> None:
    """A fragment may be empty (RFC 6184, Section 5.8)."""
    way = Way(case, CAMERA, codec="H264")
    sent, (unit,) = _h264(way, 0)
    way.arrive(*way.h264(sent, *fu_a(unit, [10, 10])))
    way.opened(sent)
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
