"""How a scenario ends that does not end well."""

from __future__ import annotations

__all__ = ["ClientFault", "ClientLeak", "Journal", "NotSupported"]


class ClientFault(Exception):
    """The client did what it must not, or not what it must."""


class ClientLeak(ClientFault):
    """The client let bytes of a frame through that must be refused."""


class NotSupported(Exception):
    """The scenario cannot be played with this client, or at this service."""


class Journal:
    """What happened in a scenario, and what is waited for now: shown when it ends badly."""

    MOST = 40
    """Lines that are kept."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.waiting = ""

    def note(self, line: str) -> None:
        """Something happened."""
        self.lines = [*self.lines, line][-self.MOST :]

    def awaits(self, what: str) -> None:
        """From now on this is waited for."""
        self.waiting = what
