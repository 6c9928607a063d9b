"""What forwarding a stream takes of the machine, beside what nobody can do without: SRTP, and sending a datagram.

    python -m tests.bench.group.bench_forwarding [--json] [--quick]

The unit has a process for itself. Members in this one send and receive packets of a call's sizes and rates and encode
nothing (``forwarding_load``), over 127.0.0.1. The floor is one packet in and N out without a unit: SRTP taken off once,
put on N times, N datagrams sent, in a loop that does nothing else, in the same run. Beside it, what the unit's own code takes
of a packet, without SRTP and sockets. What is left is the kernel's (on 127.0.0.1 who sends does the receiver's part as well),
and the event loop's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from pylibsrtp import Policy, Session

from e2ee.sfu.rtp import HEADER
from e2ee.sfu.sink import Sink
from e2ee.sfu.source import Format, Source
from tests.bench.group.forwarding_load import KINDS, Kind, Load, run_load

PACKETS = 20_000
SINKS = 10
LOADS: tuple[tuple[tuple[str, ...], int, int], ...] = (
    (("audio", "video"), 1, 1),
    (("audio", "video"), 2, 2),
    (("audio", "video"), 4, 4),
    (("audio", "video"), 2, 16),
    (("audio", "video"), 8, 8),
    (("audio",), 10, 50),
)
QUICK = LOADS[:3]


@dataclass(frozen=True)
class Floor:
    """Microseconds for a packet of one kind, one by one: what any unit has to do, in whatever language."""

    kind: str
    unprotect: float
    protect: float
    send: float

    def of(self, receivers: int) -> float:
        """For each packet that goes out, if one came in for so many."""
        return self.unprotect / receivers + self.protect + self.send


def measure_floor(kind: Kind) -> Floor:
    sender, receiver = _session(inbound=False), _session(inbound=True)
    packets = [
        HEADER.pack(0x80, 97, number & 0xFFFF, 0, 7) + os.urandom(kind.size)
        for number in range(1, PACKETS + 1)
    ]
    protected: list[bytes] = []
    protect = _each(packets, lambda packet: protected.append(sender.protect(packet)))
    unprotect = _each(protected, receiver.unprotect)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as giver,
    ):
        taker.bind(("127.0.0.1", 0))
        address = taker.getsockname()
        send = _each(protected, lambda packet: giver.sendto(packet, address))
    return Floor(kind.media, unprotect, protect, send)


@dataclass(frozen=True)
class Own:
    """Microseconds of the unit's own code: for a packet that comes in, and for each that goes out of it."""

    packet_in: float
    packet_out: float


class Nowhere:
    """A way to a member that leads nowhere."""

    is_connected = True

    def send(self, packet: bytes) -> bool:  # noqa: ARG002
        return True

    def send_rtcp(self, packet: bytes) -> bool:  # noqa: ARG002
        return True


def measure_own() -> Own:
    alone, many = _forward(0), _forward(SINKS)
    return Own(alone, (many - alone) / SINKS)


def _forward(sinks: int) -> float:
    form = Format("VP8", 90_000, 7, 97, 8, 98, asks=True, send_time_id=3)
    source = Source("1", "video", 0, form, lambda _: None, lambda _: None)
    for _ in range(sinks):
        sink = Sink("1", "video", form, Nowhere())
        sink.choose(0, wanted=True)
        sink.give(source, 0)
    payload = KINDS["video"].begins + bytes(KINDS["video"].size)
    packets = [
        HEADER.pack(0x80, 97, number & 0xFFFF, number // 3 * 3_000, 7) + payload
        for number in range(PACKETS)
    ]

    def take(packet: bytes) -> None:
        _, second, number, timestamp, _ = HEADER.unpack_from(packet)
        source.take(second, number, timestamp, packet, number, 0)

    return _each(packets, take)


def _session(*, inbound: bool) -> Session:
    which = Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND
    profile = Policy.SRTP_PROFILE_AEAD_AES_256_GCM  # what the unit's DTLS agrees on
    policy = Policy(key=bytes(range(44)), ssrc_type=which, srtp_profile=profile)
    policy.window_size = 1_024
    return Session(policy)


def _each(packets: Sequence[bytes], do: Callable[[bytes], object]) -> float:
    began = time.process_time()
    for packet in packets:
        do(packet)
    return (time.process_time() - began) / len(packets) * 1e6


COLUMNS: tuple[tuple[str, Callable[[Load, dict[str, Floor]], str]], ...] = (
    ("streams", lambda row, _: " + ".join(row.kinds)),
    ("of", lambda row, _: str(row.senders)),
    ("to", lambda row, _: str(row.receivers)),
    ("forwarded", lambda row, _: str(row.streams)),
    ("in/s", lambda row, _: f"{row.sent / row.seconds:,.0f}"),
    ("out/s", lambda row, _: f"{row.received / row.seconds:,.0f}"),
    ("came", lambda row, _: f"{row.received / max(1, row.expected):.1%}"),
    ("CPU", lambda row, _: f"{row.cpu / row.seconds:.0%}"),
    ("a stream", lambda row, _: f"{row.per_stream:.2%}"),
    ("us a packet", lambda row, _: f"{row.per_packet:.1f}"),
    ("of it floor", lambda row, floors: f"{floor_of(row, floors):.1f}"),
    ("a core, out/s", lambda row, _: f"{1e6 / row.per_packet:,.0f}"),
    ("delay ms", lambda row, _: f"{row.delay:.2f}"),
    ("worst 1 %", lambda row, _: f"{row.worst_delay:.2f}"),
)  # fmt: skip


def floor_of(row: Load, floors: dict[str, Floor]) -> float:
    """Microseconds for each packet that goes out, of this mixture."""
    weights = {kind: KINDS[kind].packets for kind in row.kinds}
    total = sum(weights.values())
    return sum(floors[kind].of(row.receivers) * weight / total for kind, weight in weights.items())


def as_text(rows: Sequence[Load], floors: dict[str, Floor], own: Own) -> str:
    table = [[title for title, _ in COLUMNS]]
    table += [[cell(row, floors) for _, cell in COLUMNS] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in table
    ]
    lines += [
        f"floor of {each.kind}: SRTP off {each.unprotect:.1f} us, on {each.protect:.1f} us, a datagram sent"
        f" {each.send:.1f} us"
        for each in floors.values()
    ]
    lines.append(
        f"own code: {own.packet_in:.1f} us a packet in, {own.packet_out:.1f} us a packet out"
    )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="fewer loads, for a shorter time")
    options = parser.parse_args(arguments)
    floors = {name: measure_floor(kind) for name, kind in KINDS.items()}
    own = measure_own()
    loads, seconds = (QUICK, 3.0) if options.quick else (LOADS, 10.0)
    rows = [asyncio.run(run_load(*load, seconds)) for load in loads]
    if options.json:
        figures = {
            "floors": [asdict(floor) for floor in floors.values()],
            "own": asdict(own),
            "loads": [asdict(row) for row in rows],
        }
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        sys.stdout.write(as_text(rows, floors, own) + "\n")


if __name__ == "__main__":
    main()
