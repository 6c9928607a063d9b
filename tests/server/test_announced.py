"""A unit whose machine is known to members under another address."""

from __future__ import annotations

import asyncio

from e2ee.server.announced import announced
from e2ee.sfu.unit import Offer, OnLost, OnOffer, Participant
from tests.server.scripted_unit import ScriptedUnit

ALICE = Participant(bytes([1]) * 32, 3)
PUBLIC = {"10.0.0.5": "203.0.113.7"}

OURS = """v=0\r
o=- 1 2 IN IP4 0.0.0.0\r
c=IN IP4 10.0.0.5\r
a=candidate:f 1 udp 2130706431 10.0.0.5 50000 typ host\r
a=candidate:g 1 udp 2130706431 10.0.0.50 50001 typ host\r
a=ice-pwd:10.0.0.5 10.0.0.5 10.0.0.5 10.0.0.5 10.0.0.5\r
"""
THEIRS = OURS.replace("IP4 10.0.0.5\r", "IP4 203.0.113.7\r").replace(
    "31 10.0.0.5 5", "31 203.0.113.7 5"
)


def test_what_it_describes_is_where_members_reach_it_and_all_else_is_as_it_was() -> None:
    made: list[ScriptedUnit] = []
    offers: list[Offer] = []
    lost: list[bytes] = []

    def make(on_offer: OnOffer, on_lost: OnLost) -> ScriptedUnit:
        made.append(ScriptedUnit(on_offer, on_lost))
        return made[0]

    async def run() -> None:
        unit = announced(make, PUBLIC)(
            lambda _call, _member, offer: offers.append(offer),
            lambda _, member: lost.append(member),
        )
        inside = made[0]
        inside.answer_with = OURS
        assert await unit.publish(bytes(16), ALICE, "hers 10.0.0.5") == THEIRS
        inside.on_offer(bytes(16), ALICE.id, Offer(1, OURS, ("0",), (5,), ("a",)))
        await unit.subscribe(bytes(16), ALICE)
        await unit.answer(bytes(16), ALICE.id, 1, "answer")
        await unit.want(bytes(16), ALICE.id, ["a"])
        await unit.close_member(bytes(16), ALICE.id)
        inside.on_lost(bytes(16), ALICE.id)
        assert unit.statistics() == inside.passed
        await unit.close()

    asyncio.run(run())
    assert offers[0] == Offer(1, THEIRS, ("0",), (5,), ("a",))
    assert lost == [ALICE.id]
    assert made[0].asked == [
        *("publish 1 at 3: hers 10.0.0.5", "subscribe 1 at 3", "answer 1 1: answer"),
        *("want 1: a", "close 1", "closed"),
    ]


def test_who_has_no_other_address_has_no_more_in_between() -> None:
    assert announced(ScriptedUnit, {}) is ScriptedUnit
