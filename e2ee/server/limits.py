"""What one server lets in: so many connections in all and of one address, each for so long until its device logs in; and how
much of what members ask waits for the forwarding unit.

The delivery service bounds what each device may have there (DS-7), and how many accounts an address registers; this bounds
who is at the door. An address of IPv6 counts as its /64, which is what one customer of a provider has. A proxy's clients all
have the proxy's address, so behind one both limits for each address are the proxy's business and off here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from e2ee.server.errors import CloseReason
from e2ee.signalling.messages import AwaitLink, LoggedIn, ServiceMessage

__all__ = [
    "LINK_WITHIN",
    "PER_ADDRESS",
    "ConnectionLimits",
    "ControlLimits",
    "Door",
    "ForwardingLimits",
    "LoginDeadline",
]

LINK_WITHIN = 600.0
"""Seconds that a new device, which cannot log in yet, may wait to be linked (IDENT-17)."""


PER_ADDRESS = 100
"""Connections of one address at a time."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """``per_address`` None: addresses do not count, for registrations neither. ``login_within`` is in seconds."""

    connections: int = 20_000
    per_address: int | None = PER_ADDRESS
    login_within: float = 30.0

    def origin(self, host: str | None) -> str:
        """As what a connection from ``host`` (an IP address, None if unknown) is counted; "" if it is not."""
        return "" if self.per_address is None else _counted_as(host)


@dataclass(frozen=True, slots=True)
class ForwardingLimits:
    """``waiting`` requests of one member; for each the forwarding unit has ``answer_within`` seconds."""

    waiting: int = 16
    answer_within: float = 10.0


@dataclass(frozen=True, slots=True)
class ControlLimits:
    """Of a forwarding unit that is a process of its own: how many ``services`` it has, what waits for one to take, and what of a
    member waits for its turn. A service has proved itself ``proved_within`` seconds, and hears every ``passed_every``
    seconds what passed."""

    services: int = 16
    waiting_messages: int = 20_000
    waiting_bytes: int = 256 << 20
    waiting_of_member: int = 32
    proved_within: float = 10.0
    passed_every: float = 5.0


class Door:
    """Counts who is inside."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._inside: Counter[str] = Counter()

    @contextlib.contextmanager
    def enter(self, origin: str) -> Iterator[CloseReason | None]:
        """A connection from there; gives why it is refused, or None.

        It counts until the context ends; one that is refused does not.
        """
        refused = self._refusal(origin)
        if refused is not None:
            yield refused
            return
        self._inside[origin] += 1
        try:
            yield None
        finally:
            self._inside[origin] -= 1
            if not self._inside[origin]:
                del self._inside[origin]

    def _refusal(self, origin: str) -> CloseReason | None:
        if self._inside.total() >= self._limits.connections:
            return CloseReason.TOO_MANY_CONNECTIONS
        most = self._limits.per_address
        if most is not None and origin and self._inside[origin] >= most:
            return CloseReason.TOO_MANY_OF_THIS_ADDRESS
        return None


class LoginDeadline:
    """The time until when a connection's device must have logged in; it is not asked to do so again."""

    def __init__(self, login_within: float, link_within: float = LINK_WITHIN) -> None:
        self._due = asyncio.timeout(login_within)
        self._link_within = link_within
        self._logged_in = asyncio.Event()
        self._waits_for_link = False

    def handled(self, message: ServiceMessage) -> None:
        """A message came from this connection, or goes to it."""
        if isinstance(message, LoggedIn):
            self._logged_in.set()
        elif isinstance(message, AwaitLink) and not self._waits_for_link:
            self._waits_for_link = True
            if not self._logged_in.is_set() and not self._due.expired():
                self._due.reschedule(asyncio.get_running_loop().time() + self._link_within)

    async def missed(self) -> bool:
        """True when the time is over, False when the device has logged in."""
        try:
            async with self._due:
                await self._logged_in.wait()
        except TimeoutError:
            return True
        return False


def _counted_as(host: str | None) -> str:
    """The address, an IPv6 one as its /64, an IPv4 one that is written as IPv6 as what it is; "" if it is none."""
    try:
        address = ip_address((host or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return address.packed[:8].hex()
    return str(address)
