"""Pictures in VP9, of which no byte is clear: descriptors, and frames in many packets."""

from __future__ import annotations

from dataclasses import replace

from e2ee.vectorgen.registry import Case
from e2ee.vectorgen.rtp.group import pipeline
from e2ee.vectorgen.rtp.packets import Vp9Descriptor, scalability_structure
from e2ee.vectorgen.rtp.way import Way
from e2ee.vectorgen.scenes import CAMERA, Refusal, flipped

STRUCTURE = scalability_structure([(640, 360)], [[], [1], [1, 2]])

DESCRIPTORS = {
    "bare": Vp9Descriptor(picture_id=None, inter=False),
    "picture-id-of-7-bits": Vp9Descriptor(picture_id=(0x5A, 7)),
    "picture-id-of-15-bits": Vp9Descriptor(),
    "layer": Vp9Descriptor(layer=(2, 1, 0, 0), tl0picidx=0x91),
    "layer-in-flexible-mode": Vp9Descriptor(flexible=True, inter=False, layer=(1, 0, 0, 0)),
    "one-reference": Vp9Descriptor(flexible=True, references=[1]),
    "three-references": Vp9Descriptor(flexible=True, references=[1, 2, 127]),
    "references-where-the-mode-has-none": Vp9Descriptor(layer=(0, 0, 0, 0)),
    "structure-of-nothing": Vp9Descriptor(inter=False, structure=scalability_structure()),
    "structure-with-a-size": Vp9Descriptor(
        inter=False, structure=scalability_structure([(1_280, 720)])
    ),
    "structure-with-a-group": Vp9Descriptor(
        inter=False, structure=scalability_structure(pictures=[[], [1], [1, 2], [1, 2, 3]])
    ),
    "structure-with-all": Vp9Descriptor(inter=False, structure=STRUCTURE),
    "every-field": Vp9Descriptor(
        flexible=True,
        layer=(1, 1, 0, 0),
        references=[3, 9],
        structure=STRUCTURE,
        not_referenced=True,
    ),
}


@pipeline.vector("FRAME-21", "FRAME-22", "CODEC-15", each=DESCRIPTORS)
def vp9_descriptor(case: Case, descriptor: Vp9Descriptor) -> None:
    """A frame in two packets and another in one, each after a descriptor of this form."""
    way = Way(case, CAMERA, codec="VP9")
    first, other = way.frame(0, length=40), way.frame(1)
    way.arrive(*way.vp9(first, [25], descriptor), *way.vp9(other, descriptor=descriptor))
    way.opened(first, other)
    way.end()


BROKEN_DESCRIPTORS = {
    "without-its-picture-id": "c0",
    "within-its-picture-id": "c092",
    "without-its-layer": "e092 34",
    "without-its-tl0picidx": "e09234 20",
    "without-its-reference": "d09234",
    "without-its-second-reference": "d09234 03",
    "with-four-references": "d09234 03 05 07 08 ffff",
    "without-its-structure": "829234",
    "within-its-structure-s-sizes": "829234 10 0280",
    "without-its-structure-s-group": "829234 08",
    "within-its-structure-s-group": "829234 08 02 00 04",
}


@pipeline.vector("FRAME-23", "FRAME-22", each=BROKEN_DESCRIPTORS)
def vp9_descriptor_that_ends(case: Case, payload: str) -> None:
    """The packet is dropped; the frame that it was of stays incomplete."""
    way = Way(case, CAMERA, codec="VP9")
    whole, broken = way.frame(0, length=30), way.frame(1, length=30)
    way.arrive(*way.vp9(whole))
    first, second, third = way.vp9(broken, [20, 30])
    way.arrive(first, replace(second, payload=bytes.fromhex(payload)), third)
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-22")
def vp9_stream_that_is_joined_within_a_frame(case: Case) -> None:
    """B is not set in the first packet that comes."""
    way = Way(case, CAMERA, codec="VP9")
    missed, whole = way.frame(7, length=30), way.frame(8, length=30)
    _, last = way.vp9(missed, [20])
    way.arrive(last, *way.vp9(whole, [20]))
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-22", each={"first": 0, "middle": 1, "last": 2})
def vp9_frame_that_lost_its_packet(case: Case, lost: int) -> None:
    """What is there of the frame is never judged."""
    way = Way(case, CAMERA, codec="VP9")
    whole, cut = way.frame(0, length=30), way.frame(1, length=60)
    way.arrive(*way.vp9(whole))
    packets = way.vp9(cut, [20, 40])
    del packets[lost]
    way.arrive(*packets)
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-21", "FRAME-23")
def vp9_packets_reordered_padded_and_sent_again(case: Case) -> None:
    """Packets in disorder, one with padding, one twice, one of padding alone, and one only as a retransmission."""
    way = Way(case, CAMERA, codec="VP9", sequence_number=65_534)
    sent, other = way.frame(0, length=60), way.frame(1, length=30)
    one, two, three = way.vp9(sent, [20, 40])
    probe = way.packet(sent, b"").padded(100)
    way.arrive(one, three.padded(7), one, probe, *way.vp9(other, [20]), way.again(two))
    way.opened(sent, other)
    way.end()


@pipeline.vector("FRAME-3", "FRAME-11", "FRAME-24")
def vp9_frames_that_a_server_changed(case: Case) -> None:
    """One byte of one, and what the descriptor says of another: P, picture, layer. The former is whole and does not open; the latter opens."""
    way = Way(case, CAMERA, codec="VP9")
    bad = way.frame(0, length=40)
    changed = flipped(bad.data, 0)
    way.arrive(*way.vp9(replace(bad, data=changed), [20]))
    way.refused(bad, Refusal.NOT_AUTHENTIC, changed)
    good = way.frame(1, length=40)
    way.arrive(*way.vp9(good, [20], Vp9Descriptor(inter=False, layer=(3, 0, 0, 0), tl0picidx=9)))
    way.opened(good)
    way.end()
