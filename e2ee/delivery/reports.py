"""Who has said of which entry that it cannot be followed (DS-20)."""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.delivery.limits import VOID_WITHIN

__all__ = ["Disputed", "Reports"]


@dataclass(frozen=True, slots=True)
class Disputed:
    """An entry: the commit that ended this epoch, at this time (Unix milliseconds); another one may take its place."""

    call_id: bytes
    epoch: int
    taken_at: int


class Reports:
    """Of the entries that are young enough to be void."""

    def __init__(self) -> None:
        self._reporters: dict[Disputed, set[bytes]] = {}

    def with_one_more(self, disputed: Disputed, signature_key: bytes, now: int) -> set[bytes]:
        """All who have reported this entry, with this device. Each counts once."""
        for each in [d for d in self._reporters if now - d.taken_at > VOID_WITHIN]:
            del self._reporters[each]
        reporters = self._reporters.setdefault(disputed, set())
        reporters.add(signature_key)
        return reporters
