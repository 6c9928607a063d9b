"""Who is at the door: addresses are counted as what one customer has, and a login is waited for once."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from e2ee.server.errors import CloseReason
from e2ee.server.limits import ConnectionLimits, Door, LoginDeadline
from e2ee.signalling import messages

ONE = ConnectionLimits(per_address=1)


def second_of(first: str | None, second: str | None, limits: ConnectionLimits = ONE) -> object:
    """Why a connection from ``second`` is refused while one from ``first`` is open."""
    door = Door(limits)
    with door.enter(limits.origin(first)) as refused:
        assert refused is None
        with door.enter(limits.origin(second)) as refused:
            return refused


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:0:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        (None, None, False),
        ("a socket's path", "a socket's path", False),
    ],
)
def test_an_address_is_counted_as_one_customer_s(
    first: str | None, second: str | None, same: bool
) -> None:
    refused = CloseReason.TOO_MANY_OF_THIS_ADDRESS if same else None
    assert second_of(first, second) is refused


def test_behind_a_proxy_addresses_do_not_count() -> None:
    assert second_of("192.0.2.1", "192.0.2.1", ConnectionLimits(per_address=None)) is None


def test_who_left_or_was_refused_is_not_counted() -> None:
    door = Door(ConnectionLimits(connections=1))
    for _ in range(3):
        with door.enter("192.0.2.1") as refused:
            assert refused is None
            for _ in range(3):
                with door.enter("192.0.2.2") as other:
                    assert other is CloseReason.TOO_MANY_CONNECTIONS
    with contextlib.suppress(ZeroDivisionError), door.enter("192.0.2.1"):
        raise ZeroDivisionError
    with door.enter("192.0.2.1") as refused:
        assert refused is None


AWAIT_LINK = messages.AwaitLink(bytes(16))


@pytest.mark.parametrize(
    ("heard", "missed"),
    [
        ([], True),
        ([messages.Hello((0x0100,))], True),
        ([messages.LoggedIn()], False),
        ([AWAIT_LINK, messages.LoggedIn()], False),
        ([messages.LoggedIn(), AWAIT_LINK], False),
    ],
    ids=lambda heard: "-".join(m.name for m in heard) if isinstance(heard, list) else "",
)
def test_a_device_logs_in_in_time_or_not(
    heard: list[messages.ServiceMessage], missed: bool
) -> None:
    async def run() -> bool:
        deadline = LoginDeadline(0.01)
        waiting = asyncio.create_task(deadline.missed())
        await asyncio.sleep(0)  # one turn of the loop: it waits
        for message in heard:
            deadline.handled(message)
        return await waiting

    assert asyncio.run(run()) is missed


def test_a_new_device_that_asks_again_gets_no_more_time() -> None:
    async def run() -> None:
        deadline = LoginDeadline(0.01, link_within=0.02)
        waiting = asyncio.create_task(deadline.missed())
        async with asyncio.timeout(10):
            while not waiting.done():
                await asyncio.sleep(0)
                deadline.handled(AWAIT_LINK)
        assert waiting.result()

    asyncio.run(run())


def test_a_new_device_may_wait_to_be_linked() -> None:
    async def run() -> None:
        deadline = LoginDeadline(0.01)
        waiting = asyncio.create_task(deadline.missed())
        await asyncio.sleep(0)
        deadline.handled(AWAIT_LINK)
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done
        waiting.cancel()

    asyncio.run(run())
