"""Where the forwarding unit of a server is: inside its own process, or elsewhere.

Inside, media cost the process that answers devices; it is for small services and for tests. What it needs (aiortc) is imported
when it is wanted.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from e2ee.crypto.entropy import Entropy
from e2ee.server.announced import announced
from e2ee.server.control.connecting import UnitElsewhere
from e2ee.server.control.remote import RemoteUnit
from e2ee.server.errors import ConfigurationReason, ServerConfigurationError
from e2ee.server.forwarding import MakeUnit
from e2ee.server.tls import is_loopback
from e2ee.server.watching import UnitWatcher
from e2ee.sfu.unit import ForwardingUnit, OnLost, OnOffer
from e2ee.system_clock import Clock

__all__ = ["UnitInside", "aiortc_unit", "make_unit", "unit_beside"]

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class UnitInside:
    """``addresses`` are those of this machine that media come to, over UDP and ports of the system's choice, and the one under
    which members reach each, if that is another one. None are all that it has, without ``loopback``'s unless that is said.

    Raises ServerConfigurationError if one is not of this machine.
    """

    addresses: Mapping[str, str] | None = None
    loopback: bool = False

    def __post_init__(self) -> None:
        for address, public in (self.addresses or {}).items():
            _require_local(address)
            _require_address(public)

    def host_addresses(self) -> Sequence[str] | None:
        """On which to gather candidates; None: all but loopback."""
        if self.addresses is not None:
            return list(self.addresses)
        if self.loopback:
            from aioice.ice import get_host_addresses  # noqa: PLC0415 - as aiortc below

            return [_LOOPBACK, *get_host_addresses(use_ipv4=True, use_ipv6=True)]
        return None

    @property
    def public(self) -> Mapping[str, str]:
        """The addresses that members know under another name."""
        return {here: there for here, there in (self.addresses or {}).items() if here != there}


def unit_beside(host: str, addresses: Sequence[str], *, behind_proxy: bool) -> UnitInside:
    """In the process that listens on ``host``, with media on ``addresses``, each as ADDRESS or ADDRESS=PUBLIC. Without these
    on all; who listens on loopback has members there, whether they look for media there or not."""
    if addresses:
        parts = [each.partition("=") for each in addresses]
        return UnitInside({here: there or here for here, _, there in parts})
    return UnitInside(loopback=is_loopback(host) and not behind_proxy)


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

    def make(on_offer: OnOffer, on_lost: OnLost) -> ForwardingUnit:
        addresses = where.host_addresses()
        return AiortcForwardingUnit(on_offer, on_lost, clock, host_addresses=addresses)

    return announced(make, where.public)


def _require_local(address: str) -> None:
    _require_address(address)
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


def _require_address(text: str) -> None:
    try:
        ip_address(text)
    except ValueError:
        raise ServerConfigurationError(
            ConfigurationReason.BAD_FORWARDING_UNIT, f"{text!r} is no IP address"
        ) from None
