"""What members ask of the forwarding unit, and what the service tells it of them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from e2ee.delivery import limits, media_calls
from e2ee.delivery.errors import DeliveryReason
from e2ee.delivery.rates import Rate
from e2ee.delivery.service import DeliveryService, ForwardEnd, ForwardRequest
from e2ee.mls.proposal import Remove
from e2ee.signalling import messages
from tests.delivery.meeting import MEETING_ID, Meeting, meet

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

PUBLISH = messages.PublishMedia(MEETING_ID, "an offer")
REQUESTS = (
    PUBLISH,
    messages.SubscribeMedia(MEETING_ID),
    messages.MediaAnswer(MEETING_ID, 1, "an answer"),
    messages.WantMedia(MEETING_ID, ("1", "2")),
)


@pytest.fixture
def town(town: Town) -> Town:
    """A service with a forwarding unit, which is the test."""
    town.options = {"forwarding": True}
    town.restart()
    return town


def end(device: Device) -> ForwardEnd:
    return ForwardEnd(MEETING_ID, device.key.public)


@pytest.mark.requirement("SFU-3", "DS-23")
@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: each.name)
def test_members_ask_and_nobody_else(town: Town, request_: messages.PublishMedia) -> None:
    _, (alice, bob) = meet(town, "alice", "bob")
    mallory = town.member("mallory")
    assert mallory.refused(request_) == DeliveryReason.NOT_A_MEMBER
    assert bob.send(request_) == []
    assert town.forwarding == [ForwardRequest(MEETING_ID, bob.key.public, 1, request_)]
    bob.send(messages.Leave(MEETING_ID))
    assert bob.refused(request_) == DeliveryReason.GONE
    assert alice.send(request_)[-1:] != []  # the statement alone


@pytest.mark.requirement("DS-23")
def test_who_may_not_speak_publishes_nothing(town: Town) -> None:
    meeting, (alice, bob) = meet(town, "alice", "bob")
    meeting.change(alice, meeting.another_profile(speakers=(alice.account.public,)))
    bob.take()
    assert bob.refused(PUBLISH) == DeliveryReason.NOT_A_SPEAKER
    assert bob.send(messages.SubscribeMedia(MEETING_ID)) == []
    both = (alice.account.public, bob.account.public)
    meeting.change(alice, meeting.another_profile(speakers=both))
    bob.take()
    assert bob.send(PUBLISH) == []


@pytest.mark.requirement("DS-7")
def test_an_account_asks_for_so_many_connections(town: Town) -> None:
    assert limits.MEDIA_CONNECTIONS == Rate(30, 60_000)
    _, (alice, bob) = meet(town, "alice", "bob")
    for request in [PUBLISH, messages.SubscribeMedia(MEETING_ID)] * 15:
        assert bob.send(request) == []
    assert bob.refused(PUBLISH) == DeliveryReason.RATE_LIMITED
    for request in REQUESTS[2:]:
        assert bob.send(request) == []
    assert alice.send(PUBLISH) == []
    town.now += 2_000
    assert bob.send(PUBLISH) == []


class TestMediaInManyCalls:
    """An account that opened as many calls as it may would have a quarter of the unit's places."""

    pytestmark = pytest.mark.requirement("DS-7")

    def everywhere(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> list[Meeting]:
        """Two meetings in which Alice has media, and a third one; she may have it in two at a time."""
        assert limits.MAX_MEDIA_CALLS == 16
        monkeypatch.setattr(media_calls, "MAX_MEDIA_CALLS", 2)
        meeting, (alice, bob) = meet(town, "alice", "bob")
        others = [Meeting(town, bytes([number] * 16)) for number in (1, 2)]
        for other in others:
            other.open(alice, bob)
        self.alice, self.bob = alice, bob
        for each in (meeting, others[0]):
            assert alice.send(messages.SubscribeMedia(each.call_id)) == []
        return [meeting, *others]

    def test_an_account_has_it_in_so_many_and_a_call_counts_once(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        meeting, another, third = self.everywhere(town, monkeypatch)
        for request in (messages.SubscribeMedia, lambda id_: messages.PublishMedia(id_, "v=0")):
            assert self.alice.refused(request(third.call_id)) == DeliveryReason.TOO_MANY_CALLS
            assert self.alice.send(request(another.call_id)) == []
        tablet = town.member("alice", 2)
        meeting.add(self.alice, tablet)
        third.add(self.alice, self.bob)
        assert tablet.send(messages.SubscribeMedia(meeting.call_id)) == []
        assert self.bob.send(messages.SubscribeMedia(third.call_id)) == []

    def test_it_ends_with_the_last_of_its_devices_there(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        meeting, _, third = self.everywhere(town, monkeypatch)
        tablet = town.member("alice", 2)
        meeting.add(self.alice, tablet)
        assert tablet.send(messages.SubscribeMedia(meeting.call_id)) == []
        asking = messages.SubscribeMedia(third.call_id)
        self.alice.send(messages.Leave(meeting.call_id))
        assert self.alice.refused(asking) == DeliveryReason.TOO_MANY_CALLS
        tablet.send(messages.Leave(meeting.call_id))
        self.alice.take()
        assert self.alice.send(asking) == []

    def test_and_with_everything_when_the_store_failed(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        *_, third = self.everywhere(town, monkeypatch)
        with contextlib.suppress(ZeroDivisionError), town.service.together(town.now):
            raise ZeroDivisionError
        assert self.alice.send(messages.SubscribeMedia(third.call_id)) == []

    def test_nothing_is_remembered_of_calls_that_are_over(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.everywhere(town, monkeypatch)
        assert len(town.service._service.forwarding.calls) == 2
        town.now += limits.CALL_IDLE + 1
        self.alice.send(messages.AskRelays())
        assert len(town.service._service.forwarding.calls) == 0


@pytest.mark.requirement("SFU-3")
def test_in_group_calls_alone(town: Town) -> None:
    alice, bob = town.member("alice"), town.member("bob", key_packages=1)
    alice.invite("bob")
    bob.join()
    ask = messages.SubscribeMedia(bytes(range(16)))
    assert alice.refused(ask) == DeliveryReason.NOT_A_GROUP_CALL


def test_a_service_without_a_unit_says_so(town: Town) -> None:
    town.options = {}
    town.restart()
    _, (alice, bob) = meet(town, "alice", "bob")
    for request in REQUESTS:
        assert alice.refused(request) == DeliveryReason.NO_FORWARDING
    bob.disconnect()
    town.advance(60_000)
    assert town.forwarding == []


def test_what_the_unit_says_goes_to_the_device(town: Town) -> None:
    _, (alice, bob) = meet(town, "alice", "bob")
    published = messages.MediaPublished(MEETING_ID, "an answer")
    service: DeliveryService = town.service
    outgoing = service.forwarded(MEETING_ID, bob.key.public, published, town.now)
    assert outgoing == [(bob.connection, published)]
    bob.disconnect()
    assert service.forwarded(MEETING_ID, bob.key.public, published, town.now) == []
    assert alice.take() != []


class TestSpeakers:
    """SFU-7: who is taken off the stage goes on listening."""

    pytestmark = pytest.mark.requirement("SFU-7", "DS-23")

    def publishing_ends(self, device: Device) -> ForwardEnd:
        return ForwardEnd(MEETING_ID, device.key.public, publishing_only=True)

    def test_who_may_not_send_any_more_publishes_nothing(self, town: Town) -> None:
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        meeting.change(alice, meeting.another_profile(speakers=(carol.account.public,)))
        assert town.forwarding == [self.publishing_ends(bob)]
        meeting.change(carol)  # changes nothing of that
        meeting.change(alice, meeting.another_profile(speakers=(bob.account.public,)))
        assert town.forwarding[1:] == [self.publishing_ends(carol)]

    def test_who_was_a_host_and_is_none(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        both = (alice.account.public, bob.account.public)
        meeting.change(alice, meeting.another_profile(hosts=both, speakers=both[:1]))
        assert town.forwarding == []
        meeting.change(alice, meeting.another_profile(hosts=both[:1]))
        assert town.forwarding == [self.publishing_ends(bob)]

    @pytest.mark.requirement("DS-20")
    def test_whom_a_void_commit_had_made_a_speaker(self, town: Town) -> None:
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        meeting.change(alice, meeting.another_profile(speakers=(bob.account.public,)))
        town.forwarding.clear()
        both = (bob.account.public, carol.account.public)
        epoch = meeting.group(alice).epoch
        meeting.change(alice, meeting.another_profile(speakers=both))
        carol.take()
        assert carol.send(messages.PublishMedia(MEETING_ID, "v=0")) == []
        for reporter in (bob, carol):
            reporter.send(messages.ReportInvalid(MEETING_ID, epoch))
        assert self.publishing_ends(carol) in town.forwarding
        assert self.publishing_ends(bob) not in town.forwarding


class TestEnds:
    """SFU-7: whose connections are to be closed."""

    pytestmark = pytest.mark.requirement("SFU-7", "DS-23")

    def test_who_is_removed(self, town: Town) -> None:
        meeting, (alice, bob, _) = meet(town, "alice", "bob", "carol")
        meeting.remove(alice, bob)
        assert town.forwarding == [end(bob)]

    def test_who_leaves(self, town: Town) -> None:
        _, (_, bob) = meet(town, "alice", "bob")
        bob.send(messages.Leave(MEETING_ID))
        assert town.forwarding == [end(bob)]

    def test_who_has_no_connection_for_ten_seconds(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        bob.disconnect()
        town.advance(9_999)
        assert town.forwarding == []
        town.advance(1)
        assert town.forwarding == [end(bob)]
        meeting.change(alice)
        town.advance(60_000)
        assert town.forwarding == [end(bob)]  # once
        bob.reconnect()
        bob.disconnect()
        town.advance(10_000)
        assert town.forwarding == [end(bob)] * 2

    def test_who_comes_back_as_a_new_leaf(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        bundle = meeting.ask(bob)
        del meeting.groups[bob.key.public]
        meeting.commit(alice, meeting.adding(alice, bundle, contents=[Remove(1)]))
        assert town.forwarding == [end(bob)]

    def test_everybody_when_the_call_is_over(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        town.now += limits.CALL_IDLE + 1
        alice.send(messages.AskRelays())
        assert town.forwarding == [end(alice), end(bob)]
        assert meeting.call_id == MEETING_ID

    def test_also_if_somebody_was_gone_to_its_end(self, town: Town) -> None:
        """Of whom it was said again and again, until the call was over."""
        _, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        carol.disconnect()
        town.advance(limits.GONE_AFTER)
        town.now += limits.CALL_IDLE - limits.GONE_AFTER - limits.COMMIT_INTERVAL
        alice.send(messages.AskRelays())  # what is over has been looked for just before
        town.advance(0)
        assert town.forwarding == [end(carol)]
        town.advance(limits.GONE_AGAIN_AFTER)
        assert {end(alice), end(bob)} <= set(town.forwarding)
        assert town.service.get_timer() is None
