"""Between the service and the forwarding unit: each member's requests in their order, and nobody waits for another's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from e2ee.delivery.forwarding import ForwardEnd, ForwardRequest, MediaRequest
from e2ee.server.forwarding import ForwardingRouter
from e2ee.server.limits import ForwardingLimits
from e2ee.server.websocket import WebSocketShell
from e2ee.sfu.errors import SfuError, SfuReason
from e2ee.sfu.unit import Offer
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService
from tests.delivery.conftest import Town
from tests.server.scripted_unit import ScriptedUnit

CALL = bytes(16)
ALICE, BOB = bytes([1]) * 32, bytes([2]) * 32
LEAVES = {ALICE: 3, BOB: 4}


class Scene:
    """A router, its unit, and what it says to members, as "name to whom"."""

    def __init__(self, limits: ForwardingLimits | None = None) -> None:
        self.made: list[ScriptedUnit] = []
        self.faults: list[Exception] = []
        self.router = ForwardingRouter(self.make, limits=limits, watcher=self)
        self.router.answers_to(self.send)
        self.said: list[tuple[bytes, FromService]] = []
        self.heard = asyncio.Condition()

    def make(self, *callbacks: Callable[..., None]) -> ScriptedUnit:
        self.made.append(ScriptedUnit(*callbacks))
        return self.made[-1]

    @property
    def unit(self) -> ScriptedUnit:
        return self.made[0]

    def send(self, call_id: bytes, signature_key: bytes, message: FromService) -> None:
        assert call_id == CALL
        self.said.append((signature_key, message))
        self.pending = asyncio.ensure_future(self._tell())

    async def _tell(self) -> None:
        async with self.heard:
            self.heard.notify_all()

    async def until_said(self, count: int) -> list[str]:
        async with self.heard:
            await self.heard.wait_for(lambda: len(self.said) >= count)
        return [f"{_word(message)} to {key[0]}" for key, message in self.said]

    def ask(self, key: bytes, message: MediaRequest) -> None:
        self.router.take([ForwardRequest(CALL, key, LEAVES[key], message)])

    def unit_failed(self, fault: Exception) -> None:
        self.faults.append(fault)

    def unit_connected(self) -> None:
        raise AssertionError

    def unit_lost(self, _reason: str) -> None:
        raise AssertionError


def _word(message: FromService) -> str:
    return message.reason if isinstance(message, messages.Refused) else message.name


def run(story: Callable[[Scene], Awaitable[None]], limits: ForwardingLimits | None = None) -> Scene:
    async def told() -> Scene:
        async with asyncio.timeout(30):
            scene = Scene(limits)
            await story(scene)
            await scene.router.close()
            return scene

    return asyncio.run(told())


PUBLISH = messages.PublishMedia(CALL, "hers")
SUBSCRIBE = messages.SubscribeMedia(CALL)
ANSWER = messages.MediaAnswer(CALL, 1, "hers")
WANT = messages.WantMedia(CALL, ("b", "a"))


def test_each_request_is_a_call_of_the_unit_and_its_answer_comes_back() -> None:
    async def story(scene: Scene) -> None:
        for message in (PUBLISH, SUBSCRIBE, ANSWER, WANT):
            scene.ask(ALICE, message)
        assert await scene.until_said(2) == ["media_published to 1", "media_offer to 1"]
        await scene.unit.until("want 1: b a")

    scene = run(story)
    assert scene.unit.asked == [
        *("publish 1 at 3: hers", "subscribe 1 at 3", "answer 1 1: hers", "want 1: b a", "closed"),
    ]
    assert scene.said[0][1] == messages.MediaPublished(CALL, "answer to hers")
    assert scene.said[1][1] == messages.MediaOffer(CALL, 1, "offer", ("0",), (5,), ("a",))


@pytest.mark.requirement("DS-23")
def test_when_the_store_failed_nobodys_media_go_on() -> None:
    """The service does not know any more whom it would have to tell the unit of; all connections end, too."""
    town = Town()

    async def story(scene: Scene) -> None:
        shell = WebSocketShell(town.service, lambda: town.now, forwarding=scene.router)
        scene.router.answers_to(scene.send)
        scene.ask(ALICE, PUBLISH)
        scene.ask(BOB, WANT)
        await scene.until_said(1)
        await scene.unit.until("want 2: b a")
        shell.store_failed()
        lost = (await scene.until_said(3))[1:]
        assert sorted(lost) == ["media_lost to 1", "media_lost to 2"]
        await scene.unit.until("close 1")
        await scene.unit.until("close 2")
        shell.store_failed()

    scene = run(story)
    assert scene.unit.asked.count("close 1") == 1


def test_a_member_s_requests_wait_for_each_other_and_for_nobody_else_s() -> None:
    async def story(scene: Scene) -> None:
        scene.unit.ready.clear()
        scene.ask(ALICE, PUBLISH)
        scene.ask(ALICE, WANT)
        scene.ask(BOB, SUBSCRIBE)
        await scene.unit.until("subscribe 2 at 4")
        assert scene.unit.asked == ["publish 1 at 3: hers", "subscribe 2 at 4"]
        scene.unit.ready.set()
        await scene.unit.until("want 1: b a")

    run(story)


def test_what_the_unit_refuses_the_member_is_told() -> None:
    async def story(scene: Scene) -> None:
        scene.unit.raises = SfuError(SfuReason.NOT_SUBSCRIBED, "nothing to answer")
        scene.ask(ALICE, ANSWER)
        assert await scene.until_said(1) == ["NOT_SUBSCRIBED to 1"]

    scene = run(story)
    detail = "nothing to answer"
    assert scene.said[0][1] == messages.Refused("media_answer", CALL, "NOT_SUBSCRIBED", detail)
    assert scene.faults == []


def test_a_fault_of_the_unit_is_one_member_s_and_it_may_ask_anew() -> None:
    fault = ZeroDivisionError("its address")

    async def story(scene: Scene) -> None:
        scene.unit.raises = fault
        scene.ask(ALICE, PUBLISH)
        scene.ask(BOB, SUBSCRIBE)
        said = await scene.until_said(3)
        assert sorted(said) == ["UNIT_FAILED to 1", "media_lost to 1", "media_offer to 2"]
        scene.ask(ALICE, PUBLISH)
        assert (await scene.until_said(4))[3] == "media_published to 1"

    scene = run(story)
    assert scene.faults == [fault]
    assert "close 1" in scene.unit.asked
    assert all("address" not in repr(message) for _, message in scene.said)


def test_a_unit_that_does_not_answer_in_time() -> None:
    async def story(scene: Scene) -> None:
        scene.unit.ready.clear()
        scene.ask(ALICE, PUBLISH)
        assert await scene.until_said(1) == ["NO_ANSWER_IN_TIME to 1"]

    run(story, ForwardingLimits(answer_within=0.0))


@pytest.mark.requirement("DS-7")
def test_so_many_requests_of_a_member_wait_and_no_more() -> None:
    async def story(scene: Scene) -> None:
        scene.unit.ready.clear()
        scene.ask(ALICE, PUBLISH)
        await scene.unit.until("publish 1 at 3: hers")
        for _ in range(3):
            scene.ask(ALICE, WANT)
        assert await scene.until_said(1) == ["TOO_MANY_WAITING to 1"]
        scene.ask(BOB, WANT)
        await scene.unit.until("want 2: b a")
        scene.unit.ready.set()
        await scene.unit.until("want 1: b a")
        assert scene.unit.asked.count("want 1: b a") == 1

    scene = run(story, ForwardingLimits(waiting=2))
    assert len(scene.said) == 2


@pytest.mark.requirement("SFU-7")
def test_who_has_left_is_closed_whatever_it_had_asked() -> None:
    async def story(scene: Scene) -> None:
        scene.unit.ready.clear()
        scene.ask(ALICE, PUBLISH)
        scene.ask(ALICE, WANT)
        await scene.unit.until("publish 1 at 3: hers")
        scene.router.take([ForwardEnd(CALL, ALICE)])
        await scene.unit.until("close 1")
        scene.unit.ready.set()
        scene.unit.on_offer(CALL, ALICE, Offer(2, "late", (), (), ()))
        scene.unit.on_lost(CALL, ALICE)
        scene.ask(ALICE, SUBSCRIBE)  # as another leaf, say
        assert await scene.until_said(1) == ["media_offer to 1"]

    scene = run(story)
    assert scene.unit.asked == [
        *("publish 1 at 3: hers", "close 1", "subscribe 1 at 3", "closed"),
    ]


@pytest.mark.requirement("SFU-7")
def test_who_may_not_speak_any_more_goes_on_listening() -> None:
    """What it asked before is done, so that nothing of it comes after what ends its publishing."""

    async def story(scene: Scene) -> None:
        scene.unit.ready.clear()
        scene.ask(ALICE, SUBSCRIBE)
        scene.ask(ALICE, PUBLISH)
        off_the_stage = ForwardEnd(CALL, ALICE, publishing_only=True)
        scene.router.take([off_the_stage, ForwardEnd(CALL, BOB, publishing_only=True)])
        scene.unit.ready.set()
        await scene.unit.until("close publisher 1")
        scene.ask(ALICE, WANT)
        await scene.unit.until("want 1: b a")
        scene.unit.on_lost(CALL, ALICE)
        assert (await scene.until_said(3))[2:] == ["media_lost to 1"]

    assert run(story).unit.asked == [
        *("subscribe 1 at 3", "publish 1 at 3: hers", "close publisher 1", "want 1: b a", "closed"),
    ]


@pytest.mark.requirement("SFU-7")
@pytest.mark.parametrize("why", ["the unit failed", "too many wait"])
def test_if_its_publishing_cannot_be_ended_alone_all_of_it_is(why: str) -> None:
    async def story(scene: Scene) -> None:
        scene.ask(ALICE, PUBLISH)
        await scene.until_said(1)
        if why == "the unit failed":
            scene.unit.raises = ZeroDivisionError()
        else:
            scene.unit.ready.clear()
            scene.ask(ALICE, WANT)
            await scene.unit.until("want 1: b a")
            scene.ask(ALICE, ANSWER)
        scene.router.take([ForwardEnd(CALL, ALICE, publishing_only=True)])
        await scene.unit.until("close 1")
        scene.unit.ready.set()
        assert (await scene.until_said(2))[1:] == ["media_lost to 1"]

    asked = run(story, ForwardingLimits(waiting=1)).unit.asked
    assert ("close publisher 1" in asked) == (why == "the unit failed")


def test_of_who_never_asked_the_unit_hears_nothing() -> None:
    async def story(scene: Scene) -> None:
        scene.router.take([ForwardEnd(CALL, ALICE)])
        scene.unit.on_offer(CALL, BOB, Offer(1, "whose?", (), (), ()))
        scene.unit.on_lost(CALL, BOB)
        await asyncio.sleep(0)

    scene = run(story)
    assert scene.unit.asked == ["closed"]
    assert scene.said == []


def test_who_has_lost_its_connections_is_told_once() -> None:
    async def story(scene: Scene) -> None:
        scene.ask(ALICE, SUBSCRIBE)
        await scene.until_said(1)
        scene.unit.on_lost(CALL, ALICE)
        scene.unit.on_lost(CALL, ALICE)
        assert await scene.until_said(2) == ["media_offer to 1", "media_lost to 1"]

    assert len(run(story).said) == 2


@pytest.mark.requirement("GROUP-22")
def test_who_was_not_connected_gets_the_newest_of_what_it_missed() -> None:
    async def story(scene: Scene) -> None:
        offers = [messages.MediaOffer(CALL, n, "", (), (), ()) for n in (1, 2)]
        for offer in offers:
            scene.router.missed(CALL, ALICE, offer)
        scene.router.missed(CALL, ALICE, messages.MediaPublished(CALL, "to nobody's question"))
        scene.router.missed(CALL, BOB, messages.MediaLost(CALL))
        scene.router.came(bytes(32))
        assert scene.said == []
        scene.router.came(ALICE)
        scene.router.came(ALICE)
        assert scene.said == [(ALICE, offers[1])]
        scene.router.take([ForwardEnd(CALL, BOB)])
        scene.router.came(BOB)

    assert len(run(story).said) == 1


@pytest.mark.parametrize("message", [PUBLISH, SUBSCRIBE], ids=["an answer", "an offer"])
def test_a_description_that_no_message_holds_is_the_unit_s_fault(message: MediaRequest) -> None:
    """It must not come to where it would end the connections of everybody."""

    async def story(scene: Scene) -> None:
        scene.unit.answer_with = "a" * 70_000
        scene.ask(ALICE, WANT)
        if message is PUBLISH:
            scene.ask(ALICE, message)
        else:
            await scene.unit.until("want 1: b a")
            scene.unit.on_offer(CALL, ALICE, Offer(1, "a" * 70_000, (), (), ()))
        assert await scene.until_said(1) == ["media_lost to 1"]
        await scene.unit.until("close 1")

    scene = run(story)
    assert len(scene.faults) == 1


@pytest.mark.parametrize("ends", ["with a fault", "never"])
def test_a_unit_that_does_not_end_keeps_nobody_from_stopping(ends: str) -> None:
    async def story(scene: Scene) -> None:
        if ends == "never":
            scene.unit.ready.clear()
        else:
            scene.unit.raises = ZeroDivisionError()

    limits = ForwardingLimits(answer_within=0.01 if ends == "never" else 10.0)
    faults = run(story, limits).faults
    assert [type(fault) for fault in faults] == [
        TimeoutError if ends == "never" else ZeroDivisionError
    ]
