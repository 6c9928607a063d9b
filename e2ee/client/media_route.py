"""Which paths media take, with the relays of the moment: what every connection of a call is made with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from e2ee.client.media import Network
from e2ee.rtc.errors import ConnectionFailed
from e2ee.rtc.peer import RTCIceServer

__all__ = ["MediaRoute"]


class MediaRoute:
    """``network`` is the application's, ``relays`` are the service's."""

    def __init__(self, network: Network, relays: Sequence[RTCIceServer]) -> None:
        self._network = network
        self._relays = tuple(relays)

    def use_relays(self, relays: Sequence[RTCIceServer]) -> None:
        """The relays of the connections that are made from now on."""
        self._relays = tuple(relays)

    @property
    def ice_servers(self) -> tuple[RTCIceServer, ...]:
        """The application's and the service's."""
        return (*self._network.ice_servers, *self._relays)

    def options(self) -> dict[str, Any]:
        """For a new connection. Raises ConnectionFailed if all has to go through a relay, and there is none."""
        if self._network.relay_only and not any(map(_is_relay, self.ice_servers)):
            raise ConnectionFailed("all has to go through a relay, and none is known")
        return {
            "ice_servers": self.ice_servers,
            "host_addresses": self._network.host_addresses,
            "relay_only": self._network.relay_only,
        }


def _is_relay(server: RTCIceServer) -> bool:
    urls = [server.urls] if isinstance(server.urls, str) else server.urls
    return any(url.startswith(("turn:", "turns:")) for url in urls)
