"""Where the forwarding unit of a server is: inside its own process, or elsewhere.

Inside, media cost the process that answers devices; it is for small services and for tests. What it needs (aiortc) is imported
when it is wanted.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from e2ee.crypto.entropy import Entropy
from e2ee.server.control.connecting import UnitElsewhere
from e2ee.server.control.remote import RemoteUnit
from e2ee.server.errors import ConfigurationReason, ServerConfigurationError
from e2ee.server.forwarding import MakeUnit
from e2ee.server.tls import is_loopback
from e2ee.server.watching import UnitWatcher
from e2ee.system_clock import Clock

__all__ = ["UnitInside", "aiortc_unit", "make_unit", "unit_beside"]


@dataclass(frozen=True, slots=True)
class UnitInside:
    """``addresses`` are those of this machine that media come to, over UDP and ports of the system's choice; None: all that it
    has but loopback. Raises ServerConfigurationError if one is not of this machine."""

    addresses: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for address in self.addresses or ():
            _require_local(address)


def unit_beside(host: str, addresses: Sequence[str], *, behind_proxy: bool) -> UnitInside:
    """In the process that listens on ``host``. If no ``addresses`` are given, who is reached on loopback alone is so by media
    as well."""
    if addresses:
        return UnitInside(tuple(addresses))
    if is_loopback(host) and not behind_proxy:
        return UnitInside(("127.0.0.1" if host == "localhost" else host,))
    return UnitInside()


def make_unit(
    where: UnitInside | UnitElsewhere, clock: Clock, entropy: Entropy, watcher: UnitWatcher
) -> MakeUnit:
    """Makes it, within an event loop."""

    if isinstance(where, UnitElsewhere):
        return lambda on_offer, on_lost: RemoteUnit(
            where, on_offer, on_lost, entropy, watcher=watcher
        )
    return aiortc_unit(where, clock)


def aiortc_unit(where: UnitInside, clock: Clock) -> MakeUnit:
    """The engine that is in this process. Raises ModuleNotFoundError without the extra ``rtc``."""
    from e2ee.sfu.aiortc_unit import AiortcForwardingUnit  # noqa: PLC0415 - not every server has it

    return lambda on_offer, on_lost: AiortcForwardingUnit(
        on_offer, on_lost, clock, host_addresses=where.addresses
    )


def _require_local(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as tried:
            tried.bind((address, 0))
    except OSError as error:
        raise ServerConfigurationError(
            ConfigurationReason.BAD_FORWARDING_UNIT,
            f"media cannot come to {address!r}, which is not an address of this machine:"
            f" {error.strerror or error}",
        ) from None
