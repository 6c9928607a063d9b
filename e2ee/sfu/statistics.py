"""What a forwarding unit counts."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MemberStatistics", "SinkStatistics", "SourceStatistics", "UnitStatistics"]


@dataclass(frozen=True, slots=True)
class SourceStatistics:
    """A stream that a member publishes under ``mid``. ``kind`` is "audio" or "video".

    ``missing`` packets never came and are asked for, ``nacks`` of them were; ``key_frame_requests`` were passed on.
    ``bitrate`` is of the last second or so, in bits a second, without headers.
    """

    mid: str
    kind: str
    packets: int
    bytes: int
    missing: int
    nacks: int
    key_frame_requests: int
    bitrate: int


@dataclass(frozen=True, slots=True)
class SinkStatistics:
    """An m-section of a member that gets media: of the stream ``source_mid`` of the member at ``leaf``.

    ``wanted`` is what the member asks for, ``held_back`` what its path does not carry; what is neither is forwarded.
    ``not_sent`` packets came meanwhile. ``resent`` packets answer ``nacks``.
    """

    mid: str
    kind: str
    leaf: int
    source_mid: str
    wanted: bool
    held_back: bool
    packets: int
    bytes: int
    not_sent: int
    nacks: int
    resent: int
    key_frame_requests: int


@dataclass(frozen=True, slots=True)
class MemberStatistics:
    """Of one device in one call. ``sinks`` are those that are in use now.

    ``refused`` packets came that were of none of its streams, or not of its codec; ``dropped`` ones found no room on the
    way to it. ``estimate`` is what its path carries by its own account, in bits a second, None without one.
    """

    leaf: int
    sources: tuple[SourceStatistics, ...]
    sinks: tuple[SinkStatistics, ...]
    refused: int
    dropped: int
    estimate: int | None


@dataclass(frozen=True, slots=True)
class UnitStatistics:
    """Everything, by call and member id; totals are over all connections that there ever were."""

    calls: dict[bytes, dict[bytes, MemberStatistics]]
    packets_received: int
    bytes_received: int
    packets_sent: int
    bytes_sent: int
    nacks: int
    key_frame_requests: int
    held_back: int
    """How many streams are held back now."""
