"""What a service says of relays is its word."""

from __future__ import annotations

import pytest

from e2ee.call.events import RelaysReceived
from e2ee.client.relays import ServiceRelays


def relays(*urls: str) -> ServiceRelays:
    """After the service's answer."""
    asked = ServiceRelays(lambda: 0, lambda: None)
    asked._asked = True
    asked.received(RelaysReceived(urls, "user", "credential", 0))
    return asked


def test_what_names_no_relay_is_passed_over() -> None:
    named = "turn:relay.example:3478?transport=udp"
    (server,) = relays("", "http://x", "turn:\x1b[31m", "turn:h?transport=sctp", named).ice_servers
    assert (server.urls, server.username, server.credential) == ([named], "user", "credential")


@pytest.mark.parametrize("urls", [(), ("bogus",)])
def test_there_may_be_none(urls: tuple[str, ...]) -> None:
    assert relays(*urls).ice_servers == []
