"""Where the examples find a delivery service: in their own program, or where the command line says.

    python -m e2ee.examples.echo_bot                                               brings a service and a visitor along
    python -m e2ee.examples.echo_bot --name echo --server wss://calls.example/v1 \\
        --directory-key 1:2f6c... --directory-key 2:91d0...                        is a device of that account there

``e2ee serve`` prints the server and its keys as these options. What an example records goes into ``--out``.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from e2ee.client.key_store import Service
from e2ee.client.media import Network
from e2ee.client.profile import Profile
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.service import DeliveryService, ServiceIdentity
from e2ee.delivery.store import MemoryStore
from e2ee.identity.attestation import DirectoryKeys
from e2ee.server.app import PATH, create_app
from e2ee.server.forwarding import ForwardingRouter
from e2ee.server.serve import serve
from e2ee.sfu.aiortc_unit import AiortcForwardingUnit
from e2ee.system_clock import system_clock

__all__ = ["HERE", "Given", "a_service", "account"]

HERE = Network(host_addresses=["127.0.0.1"])
"""Media stay on this machine."""


@contextlib.asynccontextmanager
async def a_service() -> AsyncIterator[Service]:
    """A delivery service in this program, with a forwarding unit for group calls, as long as the context lasts."""
    entropy, clock = SystemEntropy(), system_clock()
    identity = ServiceIdentity.create("calls.example", entropy)
    service = DeliveryService(identity, MemoryStore(), entropy, forwarding=True)
    router = ForwardingRouter(
        lambda offer, lost: AiortcForwardingUnit(
            offer, lost, clock, host_addresses=HERE.host_addresses
        )
    )
    async with serve(create_app(service, forwarding=router, now=clock)) as port:
        url = f"ws://127.0.0.1:{port}{PATH}"
        yield Service(url, identity.server_name, identity.directory_keys())
    await router.close()


def account(name: str, service: Service) -> Profile:
    """A new account, which ends with this program. An application would use ``Profile.open``."""
    profile = Profile.in_memory()
    profile.create(name, service)
    return profile


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says: a new account at its server, None if it names none, where files go; more for some."""

    profile: Profile | None
    out: Path
    network: Network
    link: str | None = None
    film: Path | None = None

    @classmethod
    def by_the_command_line(cls) -> Given:
        """Makes the directory ``out``."""
        options = argparse.ArgumentParser()
        options.add_argument("--server", metavar="URL")
        options.add_argument("--server-name", metavar="NAME")
        options.add_argument("--name")
        options.add_argument("--directory-key", metavar="ID:KEY", action="append", default=[])
        options.add_argument("--address", action="append", help="of this machine, for media")
        options.add_argument("--out", type=Path, default=Path("example-out"))
        options.add_argument("--link", metavar="URL")
        options.add_argument("--film", type=Path)
        given = options.parse_args()
        given.out.mkdir(exist_ok=True)
        if given.server is None or given.name is None:
            return cls(None, given.out, HERE)
        rows = (row.split(":") for row in given.directory_key)
        keys = DirectoryKeys({int(key_id): bytes.fromhex(key) for key_id, key in rows})
        server_name = given.server_name or urlsplit(given.server).hostname or ""
        profile = account(given.name, Service(given.server, server_name, keys))
        return cls(
            profile, given.out, Network(host_addresses=given.address), given.link, given.film
        )
