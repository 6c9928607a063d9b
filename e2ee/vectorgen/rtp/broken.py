"""What can be wrong with a packet, so that it must be dropped (FRAME-23)."""

from __future__ import annotations

from dataclasses import replace

from e2ee.vectorgen.rtp.extensions import HEADER_EXTENSIONS
from e2ee.vectorgen.rtp.packets import ONE_BYTE, Packet

__all__ = ["BROKEN"]


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
