"""Vectors of the chapter Frame format, "From packets to frames": what comes from the network, and the frames that open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from e2ee.vectorgen.h264_model import byte_stream, nal_units
from e2ee.vectorgen.registry import Case, Group
from e2ee.vectorgen.rtp import (
    ONE_BYTE,
    TWO_BYTE,
    Descriptor,
    Packet,
    fu_a,
    one_byte_elements,
    padded_to_words,
    stap_a,
    two_byte_elements,
)
from e2ee.vectorgen.rtp_way import Sent, Way
from e2ee.vectorgen.scenes import CAMERA, Refusal, flipped
from e2ee.vectorgen.srtp import SrtpKeys

__all__ = ["pipeline"]

pipeline = Group(
    "rtp-pipeline",
    "One stream from the network to the opener, after `events`, at one time. `packets` come in this order: RTP as it is after SRTP,"
    " or SRTP with the keys of `rtp.srtp` (RFC 3711: this master key and salt, no key derivation rate, no MKI, ROC 0 at first)."
    " `frames` are those that are whole after all have come and nothing more will, in the order of their sequence numbers, whatever the"
    " order in which they were opened: each `opened`, or `refused` with the reason of FRAME-3. A stream of video ends with the first packet of"
    " a frame of which nothing else comes. `reassembled` is what is judged.",
)

MID, SEND_TIME, TRANSPORT_WIDE = (1, b"0"), (3, b"\x12\x34\x56"), (4, b"\x00\x07")


@pipeline.vector("FRAME-21", "FRAME-22", each={"0x0004": 0x0004, "0x0005": 0x0005})
def opus_packets(case: Case, suite: int) -> None:
    """Each packet is a frame."""
    way = Way(case, suite=suite)
    frames, packets = way.opus_frames(3)
    way.arrive(*packets)
    way.opened(*frames)


HEADER_EXTENSIONS = {
    "one-byte": (ONE_BYTE, padded_to_words(one_byte_elements(MID, SEND_TIME, TRANSPORT_WIDE))),
    "one-byte-with-padding-between": (
        ONE_BYTE,
        padded_to_words(one_byte_elements(MID) + b"\0\0\0" + one_byte_elements(SEND_TIME)),
    ),
    "one-byte-of-unknown-identifiers": (
        ONE_BYTE,
        padded_to_words(one_byte_elements((14, bytes(16)), (9, b"\xff"))),
    ),
    "one-byte-ended-by-identifier-15": (
        ONE_BYTE,
        padded_to_words(one_byte_elements(MID) + b"\xff\x31"),
    ),
    "one-byte-cut-off": (ONE_BYTE, padded_to_words(one_byte_elements(MID) + b"\x0f\x3f")),
    "one-byte-of-an-unexpected-length": (ONE_BYTE, padded_to_words(one_byte_elements((3, b"\1")))),
    "two-byte": (
        TWO_BYTE,
        padded_to_words(two_byte_elements(MID, (200, bytes(40)), SEND_TIME)),
    ),
    "two-byte-with-an-empty-element": (
        TWO_BYTE,
        padded_to_words(two_byte_elements((77, b""), MID)),
    ),
    "two-byte-with-application-bits": (TWO_BYTE | 0xF, padded_to_words(two_byte_elements(MID))),
    "without-a-word": (ONE_BYTE, b""),
    "of-another-profile": (0x4242, bytes(range(16))),
    "that-looks-like-a-frame": (0x2000, b"\x20" + bytes(19)),
}


@pipeline.vector("FRAME-21", "FRAME-24", each=HEADER_EXTENSIONS)
def header_extension(case: Case, extension: tuple[int, bytes]) -> None:
    """What stands between header and payload is not of the frame, whatever is in it."""
    way = Way(case)
    frames, packets = way.opus_frames(3)
    way.arrive(packets[0], replace(packets[1], extension=extension), packets[2])
    way.opened(*frames)


@pipeline.vector("FRAME-21", each={"one": 1, "fifteen": 15})
def contributing_sources(case: Case, count: int) -> None:
    """As many as the header says, four bytes each."""
    way = Way(case)
    frames, packets = way.opus_frames(2)
    way.arrive(packets[0], replace(packets[1], csrcs=[0x20000000 + n for n in range(count)]))
    way.opened(*frames)


@pipeline.vector(
    "FRAME-21",
    each={"one-byte": (1, 0), "four": (4, 0), "of-255-that-says-so-all-over": (255, 255)},
)
def padding(case: Case, padded: tuple[int, int]) -> None:
    """The last byte of the packet says how much of it is padding; the tag ends before."""
    way = Way(case)
    frames, packets = way.opus_frames(3)
    way.arrive(packets[0], packets[1].padded(*padded), packets[2])
    way.opened(*frames)


@pipeline.vector("FRAME-21")
def all_that_a_header_may_have(case: Case) -> None:
    """Contributing sources, header extension and padding in one packet."""
    way = Way(case)
    frames, packets = way.opus_frames(2)
    extension = HEADER_EXTENSIONS["one-byte"]
    full = replace(packets[1], csrcs=[1, 2], extension=extension).padded(8)
    way.arrive(packets[0], full)
    way.opened(*frames)


def _of_zero(packet: Packet) -> bytes:
    return replace(packet, padding=b"\0").data


def _longer_than_the_rest(packet: Packet) -> bytes:
    return replace(packet, padding=bytes([len(packet.payload) + 2])).data


def _longer_than_the_packet(packet: Packet) -> bytes:
    return replace(packet, padding=b"\xff").data


def _cut_in_the_header(packet: Packet) -> bytes:
    return packet.data[:11]


def _cut_in_the_sources(packet: Packet) -> bytes:
    return replace(packet, csrcs=[1, 2, 3, 4], payload=b"").data[:-1]


def _cut_in_the_extension(packet: Packet) -> bytes:
    return replace(packet, extension=HEADER_EXTENSIONS["one-byte"], payload=b"").data[:-1]


def _cut_before_the_length(packet: Packet) -> bytes:
    return replace(packet, extension=(ONE_BYTE, b""), payload=b"").data[:-1]


def _of_another_version(packet: Packet) -> bytes:
    return bytes([packet.data[0] ^ 0xC0]) + packet.data[1:]


BROKEN = {
    "with-padding-of-zero-bytes": _of_zero,
    "with-padding-longer-than-what-follows-the-header": _longer_than_the_rest,
    "with-padding-longer-than-the-packet": _longer_than_the_packet,
    "cut-in-its-header": _cut_in_the_header,
    "cut-in-its-contributing-sources": _cut_in_the_sources,
    "cut-in-its-header-extension": _cut_in_the_extension,
    "cut-before-the-length-of-its-header-extension": _cut_before_the_length,
    "of-another-version": _of_another_version,
}


@pipeline.vector("FRAME-23", each=BROKEN)
def broken_packet(case: Case, broken: Callable[[Packet], bytes]) -> None:
    """It is dropped, as if it had been lost. What comes after it opens."""
    way = Way(case)
    frames, packets = way.opus_frames(5)
    way.arrive(packets[0], broken(packets[1]), *packets[2:])
    way.opened(frames[0], *frames[2:])


@pipeline.vector("FRAME-22", "FRAME-23")
def padding_alone(case: Case) -> None:
    """Packets of nothing but padding, as senders probe with them: no frame, and no gap."""
    way = Way(case)
    frames, packets = way.opus_frames(1)
    probe = way.packet(frames[0], b"").padded(200)
    more, others = way.opus_frames(2, first=1)
    way.arrive(*packets, probe, *others)
    way.opened(*frames, *more)


@pipeline.vector("FRAME-22", "FRAME-24")
def lost_packet(case: Case) -> None:
    """The second of six frames is lost, the others open: what is missing has no fate."""
    way = Way(case)
    frames, packets = way.opus_frames(6)
    way.arrive(packets[0], *packets[2:])
    way.opened(frames[0], *frames[2:])


@pipeline.vector("FRAME-21", "FRAME-23")
def reordered_and_doubled_packets(case: Case) -> None:
    """0, 2, 1, 1, 3, 2: each frame is judged once."""
    way = Way(case)
    frames, packets = way.opus_frames(4)
    way.arrive(*(packets[n] for n in (0, 2, 1, 1, 3, 2)))
    way.opened(*frames)


@pipeline.vector("FRAME-23")
def packet_that_came_twice_with_other_bytes(case: Case) -> None:
    """Of two packets with one sequence number the first counts, also while it waits for another: what is sent later in its name is dropped."""
    way = Way(case)
    frames, packets = way.opus_frames(6)
    other = replace(packets[2], payload=flipped(packets[2].payload, -1))
    way.arrive(packets[0], packets[2], other, packets[1], other, *packets[3:])
    way.opened(*frames)


@pipeline.vector("FRAME-21", "FRAME-22")
def sequence_numbers_and_timestamps_that_wrap(case: Case) -> None:
    """Both begin again at 0, while packets overtake each other."""
    way = Way(case, sequence_number=65_534, timestamp=2**32 - 960)
    frames, packets = way.opus_frames(5)
    way.arrive(*(packets[n] for n in (0, 2, 1, 4, 3)))
    way.opened(*frames)


@pipeline.vector("FRAME-24")
def pause(case: Case) -> None:
    """Nothing was sent for a minute: the timestamp jumps, sequence number and counter do not."""
    way = Way(case)
    before, packets = way.opus_frames(2)
    way.timestamp += 60 * 48_000
    after, others = way.opus_frames(2, first=2)
    way.arrive(*packets, *others)
    way.opened(*before, *after)


@pipeline.vector("FRAME-24")
def stream_that_a_server_renumbered(case: Case) -> None:
    """Other timestamps, sequence numbers, markers and contributing sources than the sender's: nothing of it is authenticated, and all opens."""
    way = Way(case)
    frames, packets = way.opus_frames(3)
    changed = [
        replace(packet, sequence_number=9_000 + n, marker=True, csrcs=[n], timestamp=7 * n)
        for n, packet in enumerate(packets)
    ]
    way.arrive(*changed)
    way.opened(*(replace(sent, timestamp=7 * n) for n, sent in enumerate(frames)))


@pipeline.vector("FRAME-24", "FRAME-9")
def frame_sent_again_under_another_sequence_number(case: Case) -> None:
    """To RTP it is a new packet, with a new timestamp: the counter says that it is none."""
    way = Way(case)
    frames, packets = way.opus_frames(2)
    copy = way.copy(frames[0])
    way.arrive(*packets, way.opus(copy))
    way.opened(*frames)
    way.refused(copy, Refusal.REPLAYED)


@pipeline.vector("FRAME-11", "FRAME-3")
def damaged_and_unprotected_frames(case: Case) -> None:
    """Between good frames come one with a flipped bit, and one in the clear. Both are whole, and neither opens."""
    way = Way(case)
    frames, packets = way.opus_frames(2)
    bad = way.frame(2)
    damaged = replace(way.opus(bad), payload=flipped(bad.data, -1))
    clear = way.frame(3)
    in_the_clear = replace(way.opus(clear), payload=b"\xf8\xff\xfe")
    after, others = way.opus_frames(1, first=4)
    way.arrive(*packets, damaged, in_the_clear, *others)
    way.opened(*frames)
    way.refused(bad, Refusal.NOT_AUTHENTIC, damaged.payload)
    way.refused(clear, Refusal.BAD_HEADER, in_the_clear.payload)
    way.opened(*after)


@pipeline.vector("FRAME-21", "FRAME-3")
def frame_with_padding_that_the_header_does_not_name(case: Case) -> None:
    """Zeros follow the tag, and P is not set: they are of the frame, which does not authenticate so."""
    way = Way(case)
    frames, packets = way.opus_frames(1)
    bad = way.frame(1)
    packet = way.opus(bad)
    way.arrive(*packets, replace(packet, payload=packet.payload + bytes(3) + b"\4"))
    way.opened(*frames)
    way.refused(bad, Refusal.NOT_AUTHENTIC, bad.data + bytes(3) + b"\4")


def _srtp(case: Case) -> SrtpKeys:
    return SrtpKeys(case.entropy.random(16), case.entropy.random(14))


@pipeline.vector("FRAME-21")
def srtp_packets(case: Case) -> None:
    """SRTP comes first: header, sources and extension are in the clear there, payload and padding are not."""
    way = Way(case, srtp=_srtp(case))
    frames, packets = way.opus_frames(3)
    extension = HEADER_EXTENSIONS["one-byte"]
    way.arrive(packets[0], replace(packets[1], extension=extension), packets[2].padded(4))
    way.opened(*frames)


@pipeline.vector("FRAME-21", "FRAME-23")
def srtp_packets_damaged_and_doubled(case: Case) -> None:
    """SRTP drops what does not authenticate, and what came before: neither gets as far as the opener."""
    keys = _srtp(case)
    way = Way(case, srtp=keys)
    frames, packets = way.opus_frames(6)
    damaged = flipped(keys.protected(packets[1]), -1)
    way.arrive(packets[0], damaged, packets[0], *packets[2:])
    way.opened(frames[0], *frames[2:])


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
    "fragment-without-its-second-byte": lambda unit: unit[:1],
    "aggregate-longer-than-its-packet": lambda unit: b"\x78\x00\x40" + unit,
    "aggregate-cut-in-a-length": lambda unit: stap_a([unit]) + b"\0",
}


@pipeline.vector("FRAME-23", "FRAME-22", each=BROKEN_H264)
def h264_payload_that_is_a(case: Case, broken: Callable[[bytes], bytes]) -> None:
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
