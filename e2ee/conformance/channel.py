"""One adapter that the runner talks to, whichever way it came: a process or a WebSocket.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["Channel", "Gone", "NotStarted", "Silent"]


class NotStarted(Exception):
    """There is no adapter to talk to: it did not start, did not come, or did not say who it is."""


class Gone(Exception):
    """The adapter ended, or broke off. The text says how."""


class Silent(Exception):
    """Nothing came in time."""


class Channel(Protocol):
    """Lines to and from one adapter."""

    def send(self, line: str) -> None:
        """Send one line; never blocks. Who cannot be reached any more is found out by ``receive``."""

    def receive(self, seconds: float) -> bytes:
        """The next line, without its end. Raises Gone, Silent, and NotTheProtocol for one that is too long."""

    def close(self) -> str | None:
        """End it in good order, which takes a moment; what was not in good order about it."""

    def kill(self) -> None:
        """End it at once."""

    def last_words(self) -> list[str]:
        """The end of what it wrote elsewhere, for people."""
