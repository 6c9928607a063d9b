"""Credentials for TURN: made as coturn makes them, without anybody's name, and taken by a real coturn."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from pathlib import Path

import aioice.turn
import pytest
from aioice.stun import TransactionFailed

from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.server.errors import ConfigurationReason, ServerConfigurationError
from e2ee.server.turn import TurnServers
from e2ee.signalling.messages import Relays
from e2ee.system_clock import system_clock

NOW = 1_800_000_000_000
URLS = ("turn:turn.example:3478?transport=udp", "turns:turn.example:5349?transport=tcp")
SECRET = Secret(b"shared with the relay")


class Zeros(SystemEntropy):
    def random(self, length: int) -> bytes:
        return bytes(length)


def test_a_credential_is_the_username_s_hmac() -> None:
    """What openssl computes: echo -n USERNAME | openssl dgst -sha1 -hmac SECRET -binary | base64"""
    assert TurnServers(URLS, SECRET).credentials(NOW, Zeros()) == Relays(
        urls=URLS,
        username="1800003600:0000000000000000",
        credential="XB5+y9AiYA1FvDnw7Pf7WHYPFNI=",
        until=1_800_003_600,
    )


def test_two_credentials_have_nothing_in_common() -> None:
    servers, entropy = TurnServers(URLS, SECRET), SeededEntropy(b"turn")
    first, second = (servers.credentials(NOW, entropy) for _ in range(2))
    assert first.username != second.username
    assert first.credential != second.credential


def test_neither_secret_nor_credential_is_printed() -> None:
    servers = TurnServers(URLS, SECRET)
    relays = servers.credentials(NOW, SeededEntropy(b"turn"))
    assert "shared" not in repr(servers)
    assert relays.credential not in repr(relays)


@pytest.mark.parametrize(
    ("urls", "secret", "says"),
    [
        ((), SECRET, "none is named"),
        (("stun:turn.example",), SECRET, "no TURN server"),
        (("https://turn.example",), SECRET, "no TURN server"),
        (URLS, Secret(b"short"), "16 bytes"),
    ],
)
def test_what_cannot_be_is_refused(urls: tuple[str, ...], secret: Secret, says: str) -> None:
    with pytest.raises(ServerConfigurationError, match=says) as refused:
        TurnServers(urls, secret)
    assert refused.value.reason is ConfigurationReason.BAD_TURN_SERVERS


# With a coturn of this machine's


@contextlib.asynccontextmanager
async def coturn(folder: Path) -> AsyncIterator[tuple[str, int]]:
    """A TURN server that shares ``SECRET``, on loopback."""
    with socket.socket(type=socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        address: tuple[str, int] = free.getsockname()
    config = folder / "turnserver.conf"
    config.write_text(
        f"listening-ip=127.0.0.1\nlistening-port={address[1]}\nrelay-ip=127.0.0.1\n"
        f"use-auth-secret\nstatic-auth-secret={bytes(SECRET).decode()}\nrealm=calls.example\n"
        "no-tls\nno-dtls\nno-cli\nallow-loopback-peers\nsimple-log\nlog-file=stdout\n"
        f"userdb={folder}/turndb\npidfile={folder}/pid\ncli-password=unused\n"
    )
    process = await asyncio.create_subprocess_exec(
        "turnserver", "-c", str(config), stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        yield address
    finally:
        process.kill()
        await process.wait()


async def allocate(server: tuple[str, int], relays: Relays) -> tuple[str, int]:
    """Have the relay open an address for us, with this credential; asks again until the relay has started."""
    transport, _ = await aioice.turn.create_turn_endpoint(
        asyncio.DatagramProtocol,
        server_addr=server,
        username=relays.username,
        password=relays.credential,
    )
    relayed: tuple[str, int] = transport.get_extra_info("sockname")
    transport.close()
    return relayed


@pytest.mark.skipif(
    shutil.which("turnserver") is None and os.environ.get("CI") != "true",
    reason="this machine has no coturn",
)
def test_coturn_takes_them_until_they_expire(tmp_path: Path) -> None:
    now, servers = system_clock()(), TurnServers(URLS, SECRET)

    async def run() -> None:
        async with coturn(tmp_path) as address:
            good = servers.credentials(now, SystemEntropy())
            host, port = await allocate(address, good)
            assert host == "127.0.0.1"
            assert port != address[1]
            expired = servers.credentials(now - 2 * 3600 * 1000, SystemEntropy())
            other = TurnServers(URLS, Secret(b"another relay's secret"))
            for bad in (expired, other.credentials(now, SystemEntropy())):
                with pytest.raises(TransactionFailed):
                    await allocate(address, bad)

    asyncio.run(run())
