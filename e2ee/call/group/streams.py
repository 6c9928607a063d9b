"""What members publish: `streams`, as they announce it themselves inside the group (GROUP-18).

    announcements = Announcements()
    announcements.take(leaf, message)    what a member publishes from now on, judged; raises and has changed nothing
    announcements.keep_only(leaves)      an epoch began: who is gone, or may not speak any more, publishes nothing
    announcements.by_leaf                a receiver asks for the mid that the forwarding unit names

The forwarding unit's word about an m-section is a hint; this is what it is compared with.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from e2ee.call.errors import CallRefused, CallUsageError
from e2ee.call.group.errors import GroupReason
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.signalling import messages

__all__ = ["MAX_STREAMS", "AnnouncedStream", "Announcements", "announcement", "check_own"]

MAX_STREAMS = 8
"""GROUP-18: as many as a publishing connection has m-sections (SFU-9)."""

_MAX_INSTANCE = 15
"""FKEY-3."""

_MAX_MID = 16
"""Longest mid, in bytes of UTF-8."""

_PUBLISHED = frozenset({Kind.MICROPHONE, Kind.CAMERA, Kind.SCREEN_VIDEO, Kind.SCREEN_AUDIO})
"""What goes over RTP: control data does not."""


@dataclass(frozen=True, slots=True)
class AnnouncedStream:
    """A stream that a member publishes: what it shows, its number among those of this kind, and where it comes from.

    ``mid`` names an m-section of the member's publishing connection.
    """

    kind: Kind
    instance: int
    codec: Codec
    mid: str


def announcement(streams: Sequence[AnnouncedStream]) -> messages.Streams:
    """The message that announces these, and no others."""
    return messages.Streams(
        kinds=tuple(stream.kind.value for stream in streams),
        instances=tuple(stream.instance for stream in streams),
        codecs=tuple(stream.codec.value for stream in streams),
        mids=tuple(stream.mid for stream in streams),
    )


def check_own(streams: Sequence[AnnouncedStream]) -> None:
    """What every other member would refuse. Raises CallUsageError."""
    if (wrong := _flaw(streams)) is not None:
        raise CallUsageError(GroupReason.BAD_STREAMS, wrong)


def _announced(message: messages.Streams) -> tuple[AnnouncedStream, ...]:
    """What a message announces. Raises CallRefused."""
    columns = (message.kinds, message.instances, message.codecs, message.mids)
    if len(set(map(len, columns))) != 1:
        raise CallRefused(GroupReason.BAD_STREAMS, "lists of different lengths")
    try:
        streams = tuple(
            AnnouncedStream(Kind(kind), instance, Codec(codec), mid)
            for kind, instance, codec, mid in zip(*columns, strict=True)
        )
    except ValueError as error:
        raise CallRefused(GroupReason.BAD_STREAMS, str(error)) from None
    if (wrong := _flaw(streams)) is not None:
        raise CallRefused(GroupReason.BAD_STREAMS, wrong)
    return streams


def _flaw(streams: Sequence[AnnouncedStream]) -> str | None:
    if len(streams) > MAX_STREAMS:
        return f"{len(streams)} streams"
    if not {stream.kind for stream in streams} <= _PUBLISHED:
        return "control data is no stream"
    if any(not 0 <= stream.instance <= _MAX_INSTANCE for stream in streams):
        return f"instances are 0 to {_MAX_INSTANCE}"
    # FKEY-3: two streams under one KID would share a counter; and a mid is one stream's
    if len({(stream.kind, stream.instance) for stream in streams}) != len(streams):
        return "two streams of one kind and instance"
    if len({stream.mid for stream in streams}) != len(streams):
        return "two streams under one mid"
    if any(not 0 < len(stream.mid.encode()) <= _MAX_MID for stream in streams):
        return f"a mid has 1 to {_MAX_MID} bytes"
    return None


class Announcements:
    """What the others in one call have announced, by leaf index."""

    def __init__(self) -> None:
        self._announced: dict[int, tuple[AnnouncedStream, ...]] = {}

    @property
    def by_leaf(self) -> Mapping[int, tuple[AnnouncedStream, ...]]:
        """Who publishes anything, and what."""
        return MappingProxyType(self._announced)

    def take(self, leaf: int, message: messages.Streams) -> tuple[AnnouncedStream, ...]:
        """What the member at ``leaf`` publishes from now on. Raises CallRefused."""
        streams = _announced(message)
        self._announced.pop(leaf, None)
        if streams:
            self._announced[leaf] = streams
        return streams

    def keep_only(self, leaves: Collection[int]) -> None:
        """An epoch began: only these leaves, the same members as before, may publish."""
        for leaf in self._announced.keys() - set(leaves):
            del self._announced[leaf]
