"""Pictures in VP8: descriptors, frames in many packets, retransmissions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from e2ee.vectorgen.registry import Case
from e2ee.vectorgen.rtp.broken import BROKEN
from e2ee.vectorgen.rtp.group import pipeline
from e2ee.vectorgen.rtp.packets import Descriptor, Packet
from e2ee.vectorgen.rtp.way import RTX_SSRC, SSRC, Way
from e2ee.vectorgen.scenes import CAMERA, Refusal, flipped

DESCRIPTORS = {
    "bare": Descriptor(),
    "picture-id-of-7-bits": Descriptor(picture_id=(0x5A, 7)),
    "picture-id-of-15-bits": Descriptor(picture_id=(0x1234, 15)),
    "small-picture-id-of-15-bits": Descriptor(picture_id=(3, 15)),
    "tl0picidx": Descriptor(picture_id=(0x1234, 15), tl0picidx=0x90),
    "layer": Descriptor(layer=(2, 1)),
    "keyidx": Descriptor(keyidx=17),
    "every-field": Descriptor(picture_id=(0x7FFF, 15), tl0picidx=255, layer=(3, 1), keyidx=31),
    "every-field-and-7-bits": Descriptor(picture_id=(0x7F, 7), tl0picidx=0, layer=(0, 0), keyidx=0),
    "non-reference": Descriptor(non_reference=True),
    "extension-byte-that-says-nothing": Descriptor(picture_id=None, reserved=True),
    "reserved-bits": Descriptor(picture_id=(9, 7), layer=(1, 0), reserved=True),
}


@pipeline.vector("FRAME-21", "FRAME-22", "CODEC-2", each=DESCRIPTORS)
def vp8_descriptor(case: Case, descriptor: Descriptor) -> None:
    """A key frame in two packets and another frame in one, each after a descriptor of this form."""
    way = Way(case, CAMERA)
    key_frame, other = way.frame(0, length=20, key_frame=True), way.frame(1)
    way.arrive(*way.vp8(key_frame, [25], descriptor), *way.vp8(other, descriptor=descriptor))
    way.opened(key_frame, other)
    way.end()


CUTS = {
    "in-its-clear-bytes": [4],
    "in-its-sframe-header": [12],
    "in-its-tag": [-3],
    "in-many-packets": [3, 10, 11, 13, 20, 21],
    "a-byte-a-packet": [*range(1, 50)],
}


@pipeline.vector("FRAME-21", "FRAME-22", each=CUTS)
def vp8_key_frame_cut(case: Case, cuts: list[int]) -> None:
    """Where packets begin and end says nothing: a frame is judged when it is whole."""
    way = Way(case, CAMERA)
    frame = way.frame(300, length=20, key_frame=True)
    way.arrive(*way.vp8(frame, [cut % len(frame.data) for cut in cuts]))
    way.opened(frame)
    way.end()


@pipeline.vector("FRAME-21", "FRAME-22")
def vp8_partitions(case: Case) -> None:
    """A packet that begins a later partition has S set too, and PID says that it begins no frame."""
    way = Way(case, CAMERA)
    frame = way.frame(0, length=30, key_frame=True)
    first, second, third = way.vp8(frame, [20, 40])
    partition = Descriptor(partition=1)
    second = replace(second, payload=partition.data + frame.data[20:40])
    third = replace(third, payload=replace(partition, partition=2).data + frame.data[40:])
    way.arrive(first, second, third)
    way.opened(frame)
    way.end()


@pipeline.vector("FRAME-21", "FRAME-22")
def vp8_packets_reordered_over_frames(case: Case) -> None:
    """Packets of three frames in disorder, some of them twice."""
    way = Way(case, CAMERA, sequence_number=65_533, timestamp=2**32 - 3_000)
    frames = [way.frame(n, length=30, key_frame=n == 0) for n in range(3)]
    packets = [packet for frame in frames for packet in way.vp8(frame, [20])]
    way.arrive(*(packets[n] for n in (0, 2, 1, 1, 5, 3, 4, 2)))
    way.opened(*frames)
    way.end()


@pipeline.vector("FRAME-22")
def vp8_frame_with_a_lost_packet(case: Case) -> None:
    """The second of three packets never comes: what is there of the frame is never judged."""
    way = Way(case, CAMERA)
    whole, cut = way.frame(0, length=30, key_frame=True), way.frame(1, length=60)
    way.arrive(*way.vp8(whole))
    first, _, third = way.vp8(cut, [20, 40])
    way.arrive(first, third)
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-23", "FRAME-22", each=BROKEN)
def vp8_broken_packet(case: Case, broken: Callable[[Packet], bytes]) -> None:
    """The second of three packets is dropped, and the frame stays incomplete: it is not taken for one without these bytes."""
    way = Way(case, CAMERA)
    whole, cut = way.frame(0, length=30, key_frame=True), way.frame(1, length=60)
    way.arrive(*way.vp8(whole))
    first, second, third = way.vp8(cut, [20, 40])
    way.arrive(first, broken(second), third)
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-22")
def vp8_stream_that_is_joined_at_a_later_partition(case: Case) -> None:
    """S is set in the first packet that comes, and PID says that it begins no frame."""
    way = Way(case, CAMERA)
    missed, whole = way.frame(7, length=30), way.frame(8, length=30, key_frame=True)
    _, last = way.vp8(missed, [20])
    later = replace(last, payload=Descriptor(partition=1).data + missed.data[20:])
    way.arrive(later, *way.vp8(whole, [20]))
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-22")
def vp8_stream_that_is_joined_within_a_frame(case: Case) -> None:
    """The first packet that comes is the last of a frame, and says that it begins none."""
    way = Way(case, CAMERA)
    missed, whole = way.frame(7, length=30), way.frame(8, length=30, key_frame=True)
    _, last = way.vp8(missed, [20])
    way.arrive(last, *way.vp8(whole, [20]))
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-21", "FRAME-22")
def vp8_packet_that_was_sent_again(case: Case) -> None:
    """The lost packet comes as a retransmission, after the next frame: both open. Payload type and SSRC are those of retransmissions,
    the original's sequence number leads the payload."""
    way = Way(case, CAMERA)
    frames = [way.frame(n, length=60) for n in range(2)]
    first, lost, third = way.vp8(frames[0], [20, 40])
    way.arrive(first, third, *way.vp8(frames[1], [30]), way.again(lost))
    way.opened(*frames)
    way.end()


@pipeline.vector("FRAME-23")
def vp8_packet_that_was_sent_again_for_nothing(case: Case) -> None:
    """The original came too, before or after: the packet counts once."""
    way = Way(case, CAMERA)
    frames = [way.frame(n, length=60) for n in range(2)]
    first, second = way.vp8(frames[0], [20])
    third, fourth = way.vp8(frames[1], [20])
    way.arrive(first, way.again(first), way.again(second), second, third, way.again(fourth), fourth)
    way.opened(*frames)
    way.end()


@pipeline.vector("FRAME-23")
def vp8_packet_that_came_twice_with_other_bytes(case: Case) -> None:
    """The same for a part of a frame, and for a retransmission that says to repeat it."""
    way = Way(case, CAMERA)
    frame = way.frame(0, length=60)
    first, second, third = way.vp8(frame, [20, 40])
    other = replace(second, payload=flipped(second.payload, -1))
    way.arrive(
        first, second, other, way.again(replace(second, payload=b"")), way.again(other), third
    )
    way.opened(frame)
    way.end()


@pipeline.vector("FRAME-21", "FRAME-23")
def vp8_retransmissions_of_nothing(case: Case) -> None:
    """A retransmission without a payload, with half an original's sequence number, with padding alone, of a packet of padding: nothing comes of
    any."""
    way = Way(case, CAMERA)
    frames = [way.frame(n, length=30) for n in range(2)]
    first, second = way.vp8(frames[0], [20])
    model = way.again(first)
    way.arrive(
        first,
        replace(model, payload=b""),
        replace(model, payload=b"\x03"),
        replace(model, payload=b"").padded(100),
        way.again(second).padded(9),
        *way.vp8(frames[1]),
    )
    way.opened(*frames)
    way.end()


@pipeline.vector("FRAME-21", "FRAME-23")
def vp8_padding(case: Case) -> None:
    """Padding at the end of each packet of a frame, and packets of padding alone between two frames, with the timestamp of the first."""
    way = Way(case, CAMERA)
    before = way.frame(0, length=40, key_frame=True)
    packets = [packet.padded(n + 1) for n, packet in enumerate(way.vp8(before, [20, 40]))]
    probes = [way.packet(before, b"").padded(224) for _ in range(3)]
    after = way.frame(1, length=40)
    way.arrive(*packets, *probes, *way.vp8(after, [20]))
    way.opened(before, after)
    way.end()


BROKEN_DESCRIPTORS = {
    "without-its-extension-byte": "90",
    "without-its-picture-id": "9080",
    "within-its-picture-id": "908092",
    "without-its-tl0picidx": "90c012",
    "without-its-layer": "90e01255",
    "without-its-keyidx": "9010",
}


@pipeline.vector("FRAME-23", "FRAME-22", each=BROKEN_DESCRIPTORS)
def vp8_descriptor_cut(case: Case, payload: str) -> None:
    """A packet that ends within its descriptor is dropped; the frame that it was of stays incomplete."""
    way = Way(case, CAMERA)
    whole, broken = way.frame(0, length=30, key_frame=True), way.frame(1, length=30)
    way.arrive(*way.vp8(whole))
    first, second, third = way.vp8(broken, [20, 30])
    way.arrive(first, replace(second, payload=bytes.fromhex(payload)), third)
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-3", "FRAME-11", "FRAME-24")
def vp8_frames_that_a_server_changed(case: Case) -> None:
    """A frame of which one byte was changed in its clear part, one whose parts changed places, and one that has a part of another: all are whole,
    and none authenticates."""
    way = Way(case, CAMERA)
    good = way.frame(0, length=40, key_frame=True)
    packets = way.vp8(good, [20])
    way.arrive(*packets)
    way.opened(good)
    painted = way.frame(1, length=40, key_frame=True)
    changed = flipped(painted.data, 6)
    way.arrive(*way.vp8(replace(painted, data=changed), [20]))
    way.refused(painted, Refusal.NOT_AUTHENTIC, changed)
    mixed = way.frame(2, length=61)
    changed = mixed.data[:10] + mixed.data[30:50] + mixed.data[10:30] + mixed.data[50:]
    way.arrive(*way.vp8(replace(mixed, data=changed), [10, 30, 50]))
    way.refused(mixed, Refusal.NOT_AUTHENTIC, changed)
    foreign = way.frame(3, length=40)
    changed = foreign.data[:20] + good.data[20:]
    way.arrive(*way.vp8(replace(foreign, data=changed), [20]))
    way.refused(foreign, Refusal.NOT_AUTHENTIC, changed)
    last = way.frame(4, length=40)
    way.arrive(*way.vp8(last, [20]))
    way.opened(last)
    way.end()


@pipeline.vector("FRAME-24", "FRAME-9")
def vp8_stream_that_a_server_renumbered(case: Case) -> None:
    """Other PictureIDs, TL0PICIDX, layers and timestamps than the sender's, as units write that switch between streams: all opens. A frame that it
    sends once more is a replay."""
    way = Way(case, CAMERA)
    frames = [way.frame(n, length=40, key_frame=n == 0) for n in range(3)]
    for n, sent in enumerate(frames):
        way.arrive(
            *way.vp8(sent, [20], Descriptor(picture_id=(99 - n, 15), tl0picidx=7, layer=(n, 0)))
        )
    copy = way.copy(frames[1])
    way.arrive(*way.vp8(copy, [30], Descriptor(picture_id=(1, 15), tl0picidx=8, layer=(0, 0))))
    way.opened(*frames)
    way.refused(copy, Refusal.REPLAYED)
    way.end()


@pipeline.vector("FRAME-24", "FRAME-10")
def vp8_frame_in_the_place_of_one_that_was_damaged(case: Case) -> None:
    """A damaged copy comes first, under the sequence number of another packet. The genuine frame opens: its counter was not taken."""
    way = Way(case, CAMERA)
    good = way.frame(0, length=40, key_frame=True)
    bad = way.copy(good, flipped(good.data, -1))
    genuine = way.copy(good)
    way.arrive(*way.vp8(bad, [20]), *way.vp8(genuine, [30]))
    way.refused(bad, Refusal.NOT_AUTHENTIC)
    way.opened(genuine)
    way.end()


@pipeline.vector("FRAME-22", each={"first": 0, "last": 2})
def vp8_frame_that_lost_its_packet(case: Case, lost: int) -> None:
    """What is there of the frame is never judged, though the next one comes."""
    way = Way(case, CAMERA)
    whole, cut = way.frame(0, length=30, key_frame=True), way.frame(1, length=60)
    way.arrive(*way.vp8(whole))
    packets = way.vp8(cut, [20, 40])
    del packets[lost]
    way.arrive(*packets)
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-22")
def vp8_frames_without_markers(case: Case) -> None:
    """A frame ends where the next packet has another timestamp, if none says so sooner."""
    way = Way(case, CAMERA)
    frames = [way.frame(n, length=40, key_frame=n == 0) for n in range(3)]
    for sent in frames:
        way.arrive(*(replace(packet, marker=False) for packet in way.vp8(sent, [20])))
    way.opened(*frames)
    way.end()


@pipeline.vector("FRAME-22")
def vp8_frame_that_ends_with_its_marker(case: Case) -> None:
    """Nothing comes after it, and nothing has to."""
    way = Way(case, CAMERA)
    frame = way.frame(0, length=40, key_frame=True)
    way.arrive(*way.vp8(frame, [20]))
    way.opened(frame)


@pipeline.vector("FRAME-22", "FRAME-24")
def vp8_marker_within_a_frame(case: Case) -> None:
    """Somebody set it on the way: there the frame ends, and does not open. What follows begins none."""
    way = Way(case, CAMERA)
    cut, whole = way.frame(0, length=60, key_frame=True), way.frame(1, length=40)
    first, second, third = way.vp8(cut, [20, 40])
    way.arrive(first, replace(second, marker=True), third, *way.vp8(whole, [20]))
    way.refused(cut, Refusal.NOT_AUTHENTIC, cut.data[:40])
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-23", each={"padding": True, "a-descriptor": False})
def vp8_packet_of_nothing_but(case: Case, padded: bool) -> None:
    """It is between the two packets of a frame and has its timestamp. Nothing is left of it, and its number has come."""
    way = Way(case, CAMERA)
    frame = way.frame(0, length=40, key_frame=True)
    first, nothing, last = way.vp8(frame, [20, 20])
    way.arrive(first, replace(nothing, payload=b"").padded(99) if padded else nothing, last)
    way.opened(frame)
    way.end()


@pipeline.vector("FRAME-23", "FRAME-22")
def vp8_descriptor_alone_that_says_to_begin_a_frame(case: Case) -> None:
    """S is set there and in no packet of which something is left: no frame begins."""
    way = Way(case, CAMERA)
    cut, whole = way.frame(0, length=40, key_frame=True), way.frame(1, length=40)
    way.arrive(*way.vp8(cut, [0, 20]), *way.vp8(whole, [20]))
    way.opened(whole)
    way.end()


@pipeline.vector("FRAME-23", each={"media": RTX_SSRC, "retransmissions": SSRC, "both": 0x0BADC0DE})
def vp8_packets_of_another_ssrc_than_that_of(case: Case, ssrc: int) -> None:
    """A genuine frame in the format of the media, and a retransmission of a lost packet, under another SSRC than theirs: neither came."""
    way = Way(case, CAMERA)
    whole, other = way.frame(0, length=30, key_frame=True), way.frame(1, length=40)
    way.arrive(*way.vp8(whole, [20]))
    first, second = way.vp8(other, [20])
    if ssrc != SSRC:
        way.arrive(replace(first, ssrc=ssrc))
    else:
        way.arrive(first)
    if ssrc != RTX_SSRC:
        way.arrive(replace(way.again(second), ssrc=ssrc))
    else:
        way.arrive(second)
    way.opened(whole)
    way.end()
