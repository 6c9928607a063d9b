"""The lobby at a host: who asked to be let in and waits for a person to say yes (GROUP-10).

A device asks again every 45 s as long as it waits, so one that has not for 60 s is gone. A request that is admitted becomes
one like any other.
"""

from __future__ import annotations

from e2ee.call.errors import CallRefused
from e2ee.call.group.configuration import JOIN_AGE, MAX_KNOCKS
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import Knock
from e2ee.call.group.join_requests import JoinRequest

__all__ = ["Lobby"]


class Lobby:
    """See the module. Times are Unix milliseconds."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, JoinRequest] = {}
        """The newest request of each device, by its signature key."""

    @property
    def knocks(self) -> tuple[Knock, ...]:
        """Who waits, who came first first."""
        return tuple(request.knock for request in self._waiting.values())

    def of_account(self, account_id: str) -> list[JoinRequest]:
        """The requests of an account's devices."""
        return [each for each in self._waiting.values() if each.knock.account_id == account_id]

    def enter(self, request: JoinRequest) -> bool:
        """Somebody asks, or asks again; gives whether that is new. Raises CallRefused."""
        key = request.knock.signature_key
        is_new = key not in self._waiting
        if is_new and len(self._waiting) >= MAX_KNOCKS:
            raise CallRefused(GroupReason.TOO_MANY_WAIT, f"{MAX_KNOCKS} in the lobby")
        self._waiting[key] = request
        return is_new

    def leave(self, request: JoinRequest) -> None:
        """It does not wait any more."""
        self._waiting.pop(request.knock.signature_key, None)

    def expired(self, now: int) -> list[JoinRequest]:
        """Those that have not asked again in time."""
        return [each for each in self._waiting.values() if now >= _ends_at(each)]

    def all(self) -> list[JoinRequest]:
        """Everybody's."""
        return list(self._waiting.values())

    def get_timer(self) -> int | None:
        """When somebody's time is over."""
        return min(map(_ends_at, self._waiting.values()), default=None)


def _ends_at(request: JoinRequest) -> int:
    return request.knock.asked_at + JOIN_AGE
