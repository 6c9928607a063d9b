"""What a call is meant to carry, as its caller said when it rang (CALL-3)."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Medium"]


class Medium(StrEnum):
    """The caller's wish; what is sent later is each side's choice (CALL-26)."""

    TEXT = "text"
    VOICE = "voice"
    VIDEO = "video"
