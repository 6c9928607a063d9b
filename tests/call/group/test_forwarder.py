"""What is said between a member and the forwarding unit goes through the call, and means nothing there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import MediaLost, MediaOffered, MediaPublished
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.delivery.service import ForwardRequest
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.scenarios.meeting import Meeting


@pytest.fixture
def calls(entropy: SeededEntropy) -> SimulatedCalls:
    return SimulatedCalls(entropy, forwarding=True)


def offer(meeting: Meeting, number: int) -> messages.MediaOffer:
    return messages.MediaOffer(meeting.call_id, number, "an offer", ("0",), (1,), ("m",))


DESCRIPTION = "v=0\r\n"


@pytest.mark.requirement("SFU-3")
def test_what_a_member_asks_reaches_the_unit(
    calls: SimulatedCalls, meeting: Meeting, alice: SimulatedDevice
) -> None:
    call = meeting.at(alice)
    call.subscribe_media()
    call.want_media(["1", "0"])
    calls.settle()
    asked = [each.message for each in calls.forwarding if isinstance(each, ForwardRequest)]
    assert asked == [
        messages.SubscribeMedia(meeting.call_id),
        messages.WantMedia(meeting.call_id, ("1", "0")),
    ]
    call.publish_media(DESCRIPTION)
    call.answer_media(1, DESCRIPTION)
    calls.send()
    assert alice.sending(messages.PublishMedia) == [
        messages.PublishMedia(meeting.call_id, DESCRIPTION)
    ]
    assert alice.sending(messages.MediaAnswer) == [
        messages.MediaAnswer(meeting.call_id, 1, DESCRIPTION)
    ]


@pytest.mark.requirement("SFU-2")
def test_what_the_unit_says_is_told_and_changes_nothing(
    calls: SimulatedCalls, meeting: Meeting, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    published = messages.MediaPublished(meeting.call_id, DESCRIPTION)
    for said in (published, offer(meeting, 3), messages.MediaLost(meeting.call_id)):
        calls.forwarded(alice, meeting.call_id, said)
    calls.settle()
    assert alice.last(MediaPublished).description == DESCRIPTION
    offered = alice.last(MediaOffered)
    assert (offered.number, offered.mids, offered.leaves) == (3, ("0",), (1,))
    assert offered.source_mids == ("m",)
    assert len(alice.told(MediaLost)) == 1
    assert meeting.at(alice).streams == {}
    meeting.agree(alice, bob)


@pytest.mark.requirement("SFU-4")
def test_offers_are_taken_in_the_order_of_their_numbers(
    calls: SimulatedCalls, meeting: Meeting, alice: SimulatedDevice
) -> None:
    assert calls.give(alice, offer(meeting, 2)) is None
    for number in (0, 1, 2):
        refused = calls.give(alice, offer(meeting, number))
        assert refused is not None
        assert refused.reason is GroupReason.STALE_OFFER
    assert calls.give(alice, offer(meeting, 3)) is None
    assert [each.number for each in alice.told(MediaOffered)] == [2, 3]


@pytest.mark.requirement("SFU-2")
def test_an_offer_with_lists_of_different_lengths_is_none(
    calls: SimulatedCalls, meeting: Meeting, alice: SimulatedDevice
) -> None:
    for wrong in (
        replace(offer(meeting, 1), mids=()),
        replace(offer(meeting, 1), leaves=(1, 2)),
        replace(offer(meeting, 1), source_mids=("m", "n")),
    ):
        refused = calls.give(alice, wrong)
        assert refused is not None
        assert refused.reason is GroupReason.BAD_OFFER
    assert alice.told(MediaOffered) == []


def test_who_is_not_in_the_call_asks_nothing_of_the_unit(
    calls: SimulatedCalls, meeting: Meeting, carol: SimulatedDevice
) -> None:
    asking = meeting.ask(carol)
    with pytest.raises(CallUsageError) as refused:
        asking.subscribe_media()
    assert refused.value.reason is CallReason.NOT_IN_THIS_STATE
