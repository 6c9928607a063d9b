"""The delivery service at which a scenario is played: one of the peer's own, which may lie, or one that was given.

    async with own_service(forwarding=True) as service: ...         on loopback, a new one for each scenario
    GivenService(url, server_name, directory_keys, token_command)

``service.wire`` is what stands between devices and an own service, and may change what passes; None of a given one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from e2ee.client.key_store import Service as KnownService
from e2ee.client.media import Network
from e2ee.conformance.peer.findings import NotSupported
from e2ee.conformance.shown import shown
from e2ee.identity.attestation import DirectoryKeys
from e2ee.testing.hostile.proxy import HostileProxy, hostile_platform

__all__ = ["GivenService", "OwnService", "Service", "own_service"]

LOOPBACK = Network(host_addresses=["127.0.0.1"])


class Service(Protocol):
    """See the module."""

    known: KnownService
    network: Network
    wire: HostileProxy | None

    async def token(self, account_id: str) -> str:
        """What registers this account; empty if nothing is needed."""

    def name(self, wanted: str) -> str:
        """The account that stands for ``wanted`` in this scenario."""


@dataclass
class OwnService:
    """On loopback, with nobody but those of this scenario."""

    known: KnownService
    wire: HostileProxy | None
    network: Network = LOOPBACK

    async def token(self, account_id: str) -> str:  # noqa: ARG002 - everybody may register
        """See Service."""
        return ""

    def name(self, wanted: str) -> str:
        """See Service."""
        return wanted


@contextlib.asynccontextmanager
async def own_service(*, forwarding: bool) -> AsyncIterator[OwnService]:
    """A new service, with a forwarding unit if group calls are to have media."""
    async with hostile_platform(forwarding=forwarding) as wire:
        identity = wire.identity
        known = KnownService(wire.url, identity.server_name, identity.authority.directory_keys())
        yield OwnService(known, wire)


class GivenService:
    """Somebody's service. ``token_command`` gets the account as its last argument and writes a token."""

    wire: HostileProxy | None = None

    def __init__(
        self,
        url: str,
        server_name: str,
        directory_keys: Mapping[int, bytes],
        token_command: Sequence[str],
        run: str,
    ) -> None:
        self.known = KnownService(url, server_name, DirectoryKeys(directory_keys))
        self.network = Network()
        self._token_command = token_command
        self._run, self._scenario = run, 0

    def begin(self) -> GivenService:
        """For another scenario, which has accounts of its own."""
        self._scenario += 1
        return self

    async def token(self, account_id: str) -> str:
        """See Service. Raises NotSupported if the command fails."""
        if not self._token_command:
            return ""
        process = await asyncio.create_subprocess_exec(
            *self._token_command, account_id, stdout=asyncio.subprocess.PIPE
        )
        written, _ = await process.communicate()
        if process.returncode:
            raise NotSupported(f"{shown(self._token_command[0])} ended with {process.returncode}")
        return written.decode().strip()

    def name(self, wanted: str) -> str:
        """See Service: accounts are never used twice."""
        return f"{wanted}-{self._run}-{self._scenario}"
