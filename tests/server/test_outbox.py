"""What waits for a connection goes out in order and stays within its bounds."""

from __future__ import annotations

import asyncio

import pytest

from e2ee.delivery.errors import DeliveryReason
from e2ee.delivery.limits import MAX_WAITING_BYTES, MAX_WAITING_MESSAGES
from e2ee.server.outbox import Outbox


def overflows(outbox: Outbox, *messages: bytes) -> bool:
    """Whether a bound is passed when these come to wait."""

    async def run() -> bool:
        for message in messages:
            outbox.put(message)
        watching = asyncio.create_task(outbox.closed())
        await asyncio.sleep(0)  # one turn of the loop: the task looks
        if watching.done():
            assert watching.result() is DeliveryReason.TOO_MANY_WAITING_MESSAGES
            return True
        watching.cancel()
        return False

    return asyncio.run(run())


@pytest.mark.requirement("DS-7")
def test_a_thousand_messages_wait_and_no_more() -> None:
    assert not overflows(Outbox(), *[b"x"] * MAX_WAITING_MESSAGES)
    assert overflows(Outbox(), *[b"x"] * (MAX_WAITING_MESSAGES + 1))
    assert MAX_WAITING_MESSAGES == 1_000


@pytest.mark.requirement("DS-7")
def test_16_mib_wait_and_no_more() -> None:
    largest = bytes(1 << 20)
    assert not overflows(Outbox(), *[largest] * 16)
    assert overflows(Outbox(), *[largest] * 16, b"x")
    assert MAX_WAITING_BYTES == 16 << 20


def test_what_was_taken_waits_no_more() -> None:
    async def run() -> None:
        outbox = Outbox(max_messages=2, max_bytes=4)
        for number in range(100):
            outbox.put(bytes([number, number]))
            outbox.put(bytes([number]))
            assert await outbox.get() == bytes([number, number])
            assert await outbox.get() == bytes([number])

    asyncio.run(run())


def test_who_takes_waits_for_who_puts() -> None:
    async def run() -> None:
        outbox = Outbox()
        taking = asyncio.create_task(outbox.get())
        await asyncio.sleep(0)
        assert not taking.done()
        outbox.put(b"at last")
        assert await taking == b"at last"

    asyncio.run(run())
