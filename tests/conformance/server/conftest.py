"""Services to be tested: ours in this process, whole or with a fault."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from e2ee.conformance.expectations import Expectations
from e2ee.conformance.runner import Outcome
from e2ee.conformance.server import checks
from e2ee.conformance.server.check import Check
from e2ee.conformance.server.run import run
from e2ee.conformance.server.stage import Service
from e2ee.conformance.server.tokens import Tokens
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.rates import Rate
from e2ee.delivery.service import DeliveryService, ServiceIdentity
from e2ee.delivery.store import MemoryStore
from e2ee.server.app import PATH, create_app
from e2ee.server.limits import ConnectionLimits
from e2ee.server.serve import serve

__all__ = ["named", "outcomes"]


def named(*names: str) -> list[Check]:
    """The checks of these names."""
    found = {each.case.name: each for each in checks.registered()}
    return [found[name] for name in names]


def outcomes(chosen: Sequence[Check], patience: float = 10.0) -> list[Outcome]:
    """What these find of our service, as it is at this moment."""
    return asyncio.run(_outcomes(chosen, patience))


async def _outcomes(chosen: Sequence[Check], patience: float) -> list[Outcome]:
    entropy = SystemEntropy()
    identity = ServiceIdentity.create("calls.example", entropy)
    service = DeliveryService(
        identity, MemoryStore(), entropy, registrations=Rate(10_000, 3_600_000)
    )
    app = create_app(service, limits=ConnectionLimits(per_address=None))
    found = list[Outcome]()
    async with serve(app) as port:
        tested = Service(f"ws://127.0.0.1:{port}{PATH}", patience, Tokens())
        await tested.greet()
        await run(tested, chosen, Expectations(), 8, found.append)
    return found
