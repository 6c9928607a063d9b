"""Which paths media may take between two devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiortc import RTCConfiguration, RTCIceServer, RTCRtpTransceiver
from aiortc.rtcconfiguration import RTCBundlePolicy, RTCIceTransportPolicy
from aiortc.rtcicetransport import connection_kwargs

from e2ee.aiortc_seams import gather_only

__all__ = ["RTCIceServer", "Route", "is_usable"]

_LOOPBACK = ("127.", "::1")


def is_usable(url: str) -> bool:
    """Whether ``url`` names a STUN or TURN server that aiortc would ask; with one that it cannot read it makes no connection."""
    try:
        return url.isascii() and url.isprintable() and bool(connection_kwargs([RTCIceServer(url)]))
    except ValueError:
        return False


@dataclass(frozen=True)
class Route:
    """What a connection asks for, and what it tells.

    ``ice_servers`` are asked for candidates, nobody else; a TURN server's come with username and credential.
    ``host_addresses`` are the only local addresses that are used; without them all are, except loopback. With
    ``relay_only`` there are a TURN server's candidates and no others: the peer learns no address of this device, and
    without such a server there is no path.
    """

    ice_servers: Sequence[RTCIceServer] = ()
    host_addresses: Sequence[str] | None = None
    relay_only: bool = False

    def configuration(self) -> RTCConfiguration:
        """As aiortc takes it. (Without servers of ours it would take a default one.)"""
        policy = RTCIceTransportPolicy.RELAY if self.relay_only else RTCIceTransportPolicy.ALL
        return RTCConfiguration(
            iceServers=list(self.ice_servers),
            iceTransportPolicy=policy,
            bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
        )

    def restrict(self, transceiver: RTCRtpTransceiver) -> None:
        """Let the transport of this transceiver gather no other local addresses."""
        if self.host_addresses is not None and not self.relay_only:
            gather_only(transceiver, self.host_addresses)

    @property
    def loopback(self) -> bool:
        """Whether the peer may be on this very machine."""
        return any(address.startswith(_LOOPBACK) for address in self.host_addresses or ())
