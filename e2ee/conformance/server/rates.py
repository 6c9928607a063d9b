"""Whether so much is taken, and no more: rates of DS-7 and DS-12, which are buckets that fill again while somebody asks."""

from __future__ import annotations

import time
from math import ceil

from e2ee.conformance.server.device import Device
from e2ee.conformance.server.faults import Fault, claim
from e2ee.signalling import messages
from e2ee.signalling.messages import ServiceMessage

__all__ = ["limited"]

MOST = 4
"""So many times the amount is asked for, and then there is no limit, or the service is slower than its limit."""


async def limited(device: Device, request: ServiceMessage, amount: int, seconds: float) -> None:
    """``amount`` of this request are taken at once, and then it is refused: in ``seconds`` the bucket is full again.

    Whatever else it is refused for does not matter here. Raises Fault.
    """
    began = time.monotonic()
    early = await _limited_of(device, request, amount)
    claim(early == 0, f"{request.name}: {early} of the {amount} that are allowed were refused")
    sent = amount
    while sent < MOST * amount:
        filled = (time.monotonic() - began) * amount / seconds
        more = max(2, ceil(amount + filled - sent) + 2)
        if await _limited_of(device, request, more):
            return
        sent += more
    raise Fault(f"{sent} times {request.name} in {time.monotonic() - began:.1f} s were not refused")


async def _limited_of(device: Device, request: ServiceMessage, count: int) -> int:
    """Send it so often without waiting; how many of these were too many."""
    for _ in range(count):
        await device.line.tell(request)
    arrived = await device.take()
    return sum(
        isinstance(each, messages.Refused) and each.reason == "RATE_LIMITED" for each in arrived
    )
