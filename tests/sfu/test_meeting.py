"""Members of a group call see and hear each other through the unit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from e2ee.media.encoded_frame import Kind

if TYPE_CHECKING:
    from tests.sfu.conftest import NewMeeting

Until = Any


def test_two_see_and_hear_each_other(meeting: NewMeeting, until: Until) -> None:
    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1, tone=700.0)
            two = await call.join(1, 2, tone=1000.0)
            await until(lambda: one.seen(1) > 10 and two.seen(0) > 10)
            await until(lambda: one.seen(1, Kind.MICROPHONE) > 10)
            print(call.unit.statistics())
            print(one.subscribing.statistics())

    asyncio.run(story())
