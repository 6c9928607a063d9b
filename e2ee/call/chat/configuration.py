"""What a person may keep to themselves (chapter Chat)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ChatConfiguration"]


@dataclass(frozen=True, slots=True)
class ChatConfiguration:
    """One device's choices."""

    tell_read: bool = True
    """Whether receipts say that texts were read; that they were delivered they always say."""

    tell_typing: bool = True
    """Whether others are told that this device's person writes."""
