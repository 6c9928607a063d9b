"""Sound: each packet is a frame. Headers, padding, order, and SRTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from e2ee.vectorgen.registry import Case
from e2ee.vectorgen.rtp.broken import BROKEN
from e2ee.vectorgen.rtp.extensions import HEADER_EXTENSIONS
from e2ee.vectorgen.rtp.group import pipeline
from e2ee.vectorgen.rtp.packets import Packet
from e2ee.vectorgen.rtp.srtp import SrtpKeys
from e2ee.vectorgen.rtp.way import Way
from e2ee.vectorgen.scenes import Refusal, flipped


@pipeline.vector("FRAME-21", "FRAME-22", each={"0x0004": 0x0004, "0x0005": 0x0005})
def opus_packets(case: Case, suite: int) -> None:
    """Each packet is a frame."""
    way = Way(case, suite=suite)
    frames, packets = way.opus_frames(3)
    way.arrive(*packets)
    way.opened(*frames)


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


@pipeline.vector("FRAME-21")
def srtp_sequence_numbers_that_wrap(case: Case) -> None:
    """No packet says how often they have: the ROC is 1 from sequence number 0 on, and 0 for 65,535, which comes after it (RFC 3711, Section 3.3.1)."""
    keys = _srtp(case)
    way = Way(case, srtp=keys, sequence_number=65_533)
    frames, packets = way.opus_frames(6)
    sent = [keys.protected(packet, int(n > 2)) for n, packet in enumerate(packets)]
    way.arrive(*(sent[n] for n in (0, 1, 3, 2, 4, 5)))
    way.opened(*frames)
