"""What a forwarding unit counts."""

from __future__ import annotations

from dataclasses import astuple, dataclass

__all__ = ["MemberStatistics", "SinkStatistics", "SourceStatistics", "Totals", "UnitStatistics"]


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
class Totals:
    """Over all connections that there ever were. Bytes are of payloads."""

    packets_received: int = 0
    bytes_received: int = 0
    packets_sent: int = 0
    bytes_sent: int = 0
    nacks: int = 0
    """Packets that members asked for."""
    resent: int = 0
    key_frame_requests: int = 0
    """That were passed on to publishers."""

    def __add__(self, other: Totals) -> Totals:
        values = zip(astuple(self), astuple(other), strict=True)
        return Totals(*(one + another for one, another in values))


@dataclass(frozen=True, slots=True)
class UnitStatistics:
    """By call and member id, for those that are there; ``held_back`` is how many streams are held back now."""

    calls: dict[bytes, dict[bytes, MemberStatistics]]
    totals: Totals
    held_back: int
