"""What waits for a connection goes out in order and stays within its bounds."""

from __future__ import annotations

import asyncio

import pytest

from e2ee.delivery.errors import DeliveryReason
from e2ee.delivery.limits import MAX_WAITING_BYTES, MAX_WAITING_MESSAGES
from e2ee.server.outbox import Outbox
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import FromService

SHORT = messages.Published(1)


def overflows(outbox: Outbox, *waiting: FromService) -> bool:
    """Whether a bound is passed when these come to wait."""

    async def run() -> bool:
        for each in waiting:
            outbox.put(each)
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
    assert not overflows(Outbox(), *[SHORT] * MAX_WAITING_MESSAGES)
    assert overflows(Outbox(), *[SHORT] * (MAX_WAITING_MESSAGES + 1))
    assert MAX_WAITING_MESSAGES == 1_000


@pytest.mark.requirement("DS-7")
def test_16_mib_wait_and_no_more() -> None:
    largest = messages.Certificate(bytes((1 << 20) - 128))
    assert not overflows(Outbox(), *[largest] * 16)
    assert overflows(Outbox(), *[largest] * 16, messages.Certificate(bytes(1 << 11)))
    assert MAX_WAITING_BYTES == 16 << 20


@pytest.mark.parametrize(
    "large",
    [
        messages.Certificate(bytes(100_000)),
        messages.MediaPublished(bytes(16), "a" * 50_000),
        messages.KeyPackages("alice", (bytes(8_000),) * 64),
        messages.MediaOffer(bytes(16), 1, "", ("mid",) * 1000, (7,) * 1000, ("mid",) * 1000),
    ],
    ids=lambda each: each.name,
)
def test_a_message_counts_as_what_it_holds(large: FromService) -> None:
    encoded = len(wire.encode(large))
    assert not overflows(Outbox(max_bytes=5 * encoded), large)
    assert overflows(Outbox(max_bytes=encoded - 1), large)


def test_what_was_taken_waits_no_more() -> None:
    async def run() -> None:
        outbox = Outbox(max_messages=2, max_bytes=80)
        for number in range(100):
            both = messages.Published(number), messages.LoggedIn()
            for each in both:
                outbox.put(each)
            assert [await outbox.get(), await outbox.get()] == [wire.encode(each) for each in both]

    asyncio.run(run())


def test_who_takes_waits_for_who_puts() -> None:
    async def run() -> None:
        outbox = Outbox()
        taking = asyncio.create_task(outbox.get())
        await asyncio.sleep(0)
        assert not taking.done()
        outbox.put(SHORT)
        assert await taking == wire.encode(SHORT)

    asyncio.run(run())
