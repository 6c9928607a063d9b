"""Relay-only calls: no address of a device leaves it, and media go through a TURN server (coturn) or nowhere."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest
from aiortc.sdp import SessionDescription

from e2ee.crypto.secret import Secret
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.rtc.peer import RTCIceServer
from e2ee.server.turn import TurnServers
from e2ee.system_clock import system_clock

Call = Callable[..., AbstractAsyncContextManager[Any]]
Until = Callable[[Callable[[], bool]], Awaitable[None]]

SECRET = "shared by the delivery service and the TURN server"
TURNSERVER = shutil.which("turnserver")
needs_turnserver = pytest.mark.skipif(TURNSERVER is None, reason="coturn is not installed")


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RTCIceServer]:
    """A TURN server on 127.0.0.1 with credentials for it, which the delivery service made."""
    place, port = tmp_path_factory.mktemp("coturn"), free_port()
    command = [
        TURNSERVER or "",
        *("-n", "--no-cli", "--no-tls", "--no-dtls", "--no-tcp", "--simple-log"),
        *("--log-file=stdout", f"--pidfile={place / 'pid'}", f"--userdb={place / 'users'}"),
        *("--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--allow-loopback-peers"),
        *(f"--listening-port={port}", "--realm=calls.example"),
        *("--use-auth-secret", f"--static-auth-secret={SECRET}"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=place) as server:  # noqa: S603
        assert server.stdout is not None
        for line in server.stdout:
            if "Total General servers" in line:
                break
        url = f"turn:127.0.0.1:{port}?transport=udp"
        servers = TurnServers((url,), Secret(SECRET.encode()))
        relays = servers.credentials(system_clock()(), SystemEntropy())
        yield RTCIceServer(url, username=relays.username, credential=relays.credential)
        server.terminate()
        server.communicate()


def candidates(description: str) -> list[Any]:
    """The candidates of all its sections."""
    sections = SessionDescription.parse(description).media
    return [candidate for section in sections for candidate in section.ice_candidates]


@needs_turnserver
def test_all_media_go_through_the_relay(call: Call, until: Until, relay: RTCIceServer) -> None:
    async def story() -> None:
        async with call(ice_servers=[relay], relay_only=True) as (caller, callee):
            for device in (caller, callee):
                device.apply(2)
                for candidate in candidates(device.description):
                    assert candidate.type == "relay"
                    assert (candidate.relatedAddress, candidate.relatedPort) == ("0.0.0.0", 9)  # noqa: S104
            await until(lambda: len(caller.pictures.numbers) > 10 < len(callee.pictures.numbers))
            assert caller.pictures.largest_gap == callee.pictures.largest_gap == 0

    asyncio.run(story())


@needs_turnserver
def test_who_has_no_credential_gets_no_relay(
    make_device: Callable[..., Any], relay: RTCIceServer
) -> None:
    async def story() -> None:
        forged = replace(relay, credential="guessed")
        peer = make_device(0, ice_servers=[forged], relay_only=True).peer
        assert candidates(await peer.offer()) == []
        await peer.close()

    asyncio.run(story())


def test_without_a_relay_no_address_is_told(make_device: Callable[..., Any]) -> None:
    async def story() -> None:
        peer = make_device(0, relay_only=True).peer
        offer = await peer.offer()
        assert candidates(offer) == []
        assert "127.0.0.1" not in offer
        await peer.close()

    asyncio.run(story())
