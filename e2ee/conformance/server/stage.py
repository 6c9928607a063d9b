"""What a check plays on: the service under test, and accounts, devices and connections that are nobody else's.

All that a check makes is its own and has names that nobody can guess, so checks run beside each other and leave the
service's other users alone. When a check is over its connections are closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType

from e2ee.conformance.server.device import Account, Device
from e2ee.conformance.server.faults import Lost, Unsupported
from e2ee.conformance.server.line import Line, open_line
from e2ee.conformance.server.tokens import Tokens
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.identity.account import AccountKey
from e2ee.signalling import messages
from e2ee.system_clock import Clock, system_clock

__all__ = ["Service", "Stage"]

RESTART_ATTEMPTS, RESTART_PAUSE = 60, 0.5
"""How often a service that is started again is looked for, and the seconds between."""

QUIET = 0.3
"""Seconds after which what has not come to somebody else's connection is taken not to come."""


@dataclass(slots=True)
class Service:
    """The service under test. ``patience`` is how many seconds an answer may take."""

    url: str
    patience: float
    tokens: Tokens
    restart: str = ""
    server_name: str = ""
    delivery_key: bytes = b""
    now: Clock = field(default_factory=system_clock)

    async def greet(self) -> None:
        """See that it is there, and what it is called. Raises Fault."""
        async with open_line(self.url, self.patience) as line:
            await line.tell(messages.Hello((0x0100,)))
            welcome = await line.hear(messages.Welcome)
        self.server_name, self.delivery_key = welcome.server_name, welcome.delivery_key

    async def restarted(self) -> None:
        """Run the command that restarts it, and wait until it greets."""
        nowhere = asyncio.subprocess.DEVNULL  # standard output is the report's
        process = await asyncio.create_subprocess_exec(*shlex.split(self.restart), stdout=nowhere)
        if await process.wait():
            raise Unsupported(f"--restart-command ended with {process.returncode}")
        for _ in range(RESTART_ATTEMPTS):
            with contextlib.suppress(Lost):
                await self.greet()
                return
            await asyncio.sleep(RESTART_PAUSE)
        await self.greet()


class Stage:
    """Of one check. ``other_reasons`` are refusals for other reasons than the specification's."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.entropy: Entropy = SystemEntropy()
        self.other_reasons: list[str] = []
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Stage:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        await self._open.aclose()

    @property
    def server_name(self) -> str:
        """What devices sign for."""
        return self.service.server_name

    def now(self) -> int:
        """Unix milliseconds."""
        return self.service.now()

    def call_id(self) -> bytes:
        """A new one."""
        return self.entropy.random(16)

    async def line(self) -> Line:
        """A connection."""
        service = self.service
        return await self._open.enter_async_context(open_line(service.url, service.patience))

    async def account(self) -> Account:
        """A new account, which is not registered."""
        account_id, token = await self.service.tokens.account()
        return Account(AccountKey.create(account_id, self.entropy), token)

    async def stranger(self, account: Account | None = None, device_id: int = 1) -> Device:
        """A device that is connected and has said nothing; of a new account unless another one is named."""
        owner = account or await self.account()
        return Device(self, owner, device_id, self.entropy, await self.line())

    async def device(
        self, account: Account | None = None, device_id: int = 1, *, key_packages: int = 0
    ) -> Device:
        """A device that has logged in and published so many KeyPackages. A new account is registered."""
        device = await self.stranger(account, device_id)
        if account is None:
            await device.register()
        await device.login()
        if key_packages:
            await device.publish_fresh(key_packages)
        return device

    async def devices(self, count: int, key_packages: int = 0) -> list[Device]:
        """So many devices of one new account."""
        first = await self.device(key_packages=key_packages)
        others = [
            await self.device(first.account, device_id, key_packages=key_packages)
            for device_id in range(2, count + 1)
        ]
        return [first, *others]

    async def pause(self, seconds: float) -> None:
        """Let time pass, which the service's rules count."""
        await asyncio.sleep(seconds)

    async def restart(self) -> None:
        """Have the service's process ended by force and started again. Raises Unsupported, Fault."""
        await self.service.restarted()

    async def quiet(self) -> None:
        """Wait so long that what comes to others has come."""
        await asyncio.sleep(QUIET)
