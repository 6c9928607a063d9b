"""Invitations that do not ring: each waits for a call that this device placed to the same account (CALL-21).

If that is over, the invitation rings; if it was answered, this device is busy.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["HeldBack"]


class HeldBack:
    """By call_id. ``is_settled`` tells whether a call of ours is over, or answered."""

    def __init__(self, is_settled: Callable[[bytes], bool]) -> None:
        self._waiting_for: dict[bytes, bytes] = {}
        self._is_settled = is_settled

    def hold(self, invitation: bytes, own: bytes) -> None:
        """An invitation waits for a call of ours."""
        self._waiting_for[invitation] = own

    @property
    def invitations(self) -> frozenset[bytes]:
        """Those that wait."""
        return frozenset(self._waiting_for)

    @property
    def is_due(self) -> bool:
        """Whether one of them waits no more."""
        return any(map(self._is_settled, self._waiting_for.values()))

    def release(self) -> bytes | None:
        """One that waits no more, or None."""
        for invitation, own in self._waiting_for.items():
            if self._is_settled(own):
                del self._waiting_for[invitation]
                return invitation
        return None
