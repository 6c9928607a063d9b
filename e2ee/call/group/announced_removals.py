"""Removals that a host has announced: nobody goes on speaking to who is removed (GROUP-15).

`removing` comes before the commit, by another way through the service: so a service that keeps the commit back, or lets
somebody else win every epoch, is noticed, and three seconds later whoever opened `removing` is silent until the log
shows the removal.
"""

from __future__ import annotations

from collections.abc import Collection

from e2ee.call.group.configuration import REMOVAL_TIMEOUT

__all__ = ["AnnouncedRemovals"]


class AnnouncedRemovals:
    """Of one call, by the signature key of who is to be removed. Times are Unix milliseconds."""

    def __init__(self) -> None:
        self._due_at: dict[tuple[bytes, bytes], int] = {}
        """(signature key, account key of the host who said so) -> when the log should show it."""

    def announce(self, signature_key: bytes, host_key: bytes, now: int) -> None:
        """A host said that it removes this device; once more is no later."""
        self._due_at.setdefault((signature_key, host_key), now + REMOVAL_TIMEOUT)

    def settle(self, present: Collection[bytes], hosts: Collection[bytes]) -> None:
        """The log shows an epoch with these devices, and with these accounts as hosts."""
        # GROUP-15: "until it is, or until the log shows that who said so is no host any more"
        self._due_at = {
            (key, host_key): due_at
            for (key, host_key), due_at in self._due_at.items()
            if key in present and host_key in hosts
        }

    def withheld(self, now: int) -> frozenset[bytes]:
        """Who should be out by now."""
        return frozenset(key for (key, _), due_at in self._due_at.items() if now >= due_at)

    def get_timer(self, now: int) -> int | None:
        """When ``withheld`` says something else than at ``now``."""
        return min((due_at for due_at in self._due_at.values() if due_at > now), default=None)
