"""Removals that a host has announced: nobody goes on speaking to who is removed (GROUP-15).

`removing` comes before the commit, by another way through the service: so a service that keeps the commit back, or lets
somebody else win every epoch, is noticed, and three seconds later whoever opened `removing` is silent until the log
shows the removal.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from e2ee.call.group.configuration import REMOVAL_TIMEOUT

__all__ = ["AnnouncedRemovals"]


@dataclass(frozen=True, slots=True)
class _Announced:
    host_key: bytes
    due_at: int


class AnnouncedRemovals:
    """Of one call, by the signature key of who is to be removed. Times are Unix milliseconds."""

    def __init__(self) -> None:
        self._announced: dict[bytes, _Announced] = {}

    def announce(self, signature_key: bytes, host_key: bytes, now: int) -> None:
        """A host said that it removes this device; once more is no later."""
        self._announced.setdefault(signature_key, _Announced(host_key, now + REMOVAL_TIMEOUT))

    def settle(self, present: Collection[bytes]) -> None:
        """The log shows an epoch with these devices."""
        for key in self._announced.keys() - set(present):
            del self._announced[key]

    def withheld(self, now: int) -> dict[bytes, bytes]:
        """Who should be out by now, with the account key of the host who said so."""
        return {
            key: announced.host_key
            for key, announced in self._announced.items()
            if now >= announced.due_at
        }

    def get_timer(self, now: int) -> int | None:
        """When ``withheld`` says something else than at ``now``."""
        ends = (announced.due_at for announced in self._announced.values())
        return min((end for end in ends if end > now), default=None)
