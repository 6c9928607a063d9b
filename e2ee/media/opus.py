"""Opus: nothing on the way reads a frame, so nothing is clear (CODEC-1)."""

from __future__ import annotations

__all__ = ["CLEAR_LENGTH"]

CLEAR_LENGTH = (0,) * 256
"""How many bytes of a frame are clear, by its first byte."""
