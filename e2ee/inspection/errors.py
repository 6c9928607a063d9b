"""What inspection refuses.

DecodeError
  NotDecodable      bytes that are not what they should be: where, and for which rule
LocalProtocolError
  InspectionUsageError   a kind or a codec that there is not
"""

from __future__ import annotations

from e2ee.errors import DecodeError, DecodeReason, LocalProtocolError, Reason

__all__ = ["InspectionReason", "InspectionUsageError", "NotDecodable"]


class InspectionReason(Reason):
    """What was asked for wrongly."""

    UNKNOWN_KIND = "UNKNOWN_KIND"
    UNKNOWN_CODEC = "UNKNOWN_CODEC"


class NotDecodable(DecodeError):
    """``offset`` is that of the field that is wrong; ``reason`` is that of the layer that refuses it."""

    offset: int

    def __init__(self, reason: Reason, offset: int, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.offset = offset

    @classmethod
    def trailing(cls, offset: int, left: int) -> NotDecodable:
        """Bytes after the end."""
        return cls(DecodeReason.TRAILING_BYTES, offset, f"{left} bytes after the end")


class InspectionUsageError(LocalProtocolError):
    """No such kind, no such codec."""
