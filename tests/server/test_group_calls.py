"""Group calls over real WebSockets: what the service does at its time, whom it wants gone, and what is the forwarding unit's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from e2ee.sfu.unit import Offer
from e2ee.signalling import messages
from tests.delivery.meeting import MEETING_ID, meet
from tests.server.served_town import ServedTown


@pytest.fixture
def town(tmp_path: Path) -> Iterator[ServedTown]:
    town = ServedTown(tmp_path)
    with town.served():
        yield town


@pytest.mark.requirement("SFU-3")
def test_media_of_members_are_the_unit_s_business(town: ServedTown) -> None:
    _, (alice, bob) = meet(town, "alice", "bob")
    mallory = town.member("mallory")
    publish = messages.PublishMedia(MEETING_ID, "what alice sends")
    town.tell(alice, publish)
    published = town.hear(alice, messages.MediaPublished)
    assert published == messages.MediaPublished(MEETING_ID, "answer to what alice sends")
    town.tell(bob, messages.SubscribeMedia(MEETING_ID))
    offer = town.hear(bob, messages.MediaOffer)
    assert offer == messages.MediaOffer(MEETING_ID, 1, "offer", ("0",), (5,), ("a",))
    assert mallory.refused(publish) == "NOT_A_MEMBER"
    keys = alice.key.public[0], bob.key.public[0]
    assert town.unit.asked == [
        f"publish {keys[0]} at 0: what alice sends",
        f"subscribe {keys[1]} at 1",
    ]


def test_who_lost_its_media_may_ask_anew(town: ServedTown) -> None:
    _, (alice, _) = meet(town, "alice", "bob")
    for _ in range(2):
        town.tell(alice, messages.SubscribeMedia(MEETING_ID))
        town.hear(alice, messages.MediaOffer)
        town.loop.call_soon_threadsafe(town.unit.on_lost, MEETING_ID, alice.key.public)
        assert town.hear(alice, messages.MediaLost) == messages.MediaLost(MEETING_ID)


@pytest.mark.requirement("GROUP-22")
def test_who_is_back_in_time_gets_the_offer_that_it_missed(town: ServedTown) -> None:
    _, (alice, bob) = meet(town, "alice", "bob")
    town.tell(bob, messages.SubscribeMedia(MEETING_ID))
    town.hear(bob, messages.MediaOffer)
    town.disconnect(bob.connection)
    town.hear(alice, messages.Presence)
    for number in (2, 3):
        offer = Offer(number, "newer", (), (), ())
        town.loop.call_soon_threadsafe(town.unit.on_offer, MEETING_ID, bob.key.public, offer)
    bob.connection = town.connect()
    arrived = bob.login()
    assert [each.number for each in arrived if isinstance(each, messages.MediaOffer)] == [3]


@pytest.mark.requirement("SFU-7")
def test_who_is_removed_is_closed_there(town: ServedTown) -> None:
    meeting, (alice, bob) = meet(town, "alice", "bob")
    town.tell(bob, messages.PublishMedia(MEETING_ID, "his"))
    town.hear(bob, messages.MediaPublished)
    meeting.remove(alice, bob)
    closed = asyncio.run_coroutine_threadsafe(
        town.unit.until(f"close {bob.key.public[0]}"), town.loop
    )
    closed.result(30)
    bob.take()
    assert bob.refused(messages.SubscribeMedia(MEETING_ID)) == "NOT_A_MEMBER"


@pytest.mark.requirement("DS-19")
def test_the_service_says_in_time_who_is_gone(
    town: ServedTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, (alice, bob) = meet(town, "alice", "bob")
    monkeypatch.setattr("e2ee.delivery.attendance.GONE_AFTER", 0)
    town.disconnect(bob.connection)
    gone = town.hear(alice, messages.Gone)
    assert isinstance(gone, messages.Gone)
    assert gone.rank == 0


@pytest.mark.requirement("DS-20")
def test_whose_commit_is_void_loses_its_connection(town: ServedTown) -> None:
    meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
    town.tell(alice, meeting.request(alice))
    town.hear(alice, messages.Committed)
    for member in (bob, carol):
        member.take()
        town.tell(member, messages.ReportInvalid(MEETING_ID, meeting.group(bob).epoch))
    assert isinstance(town.hear(bob, messages.Voided), messages.Voided)
    with pytest.raises(ConnectionClosed) as closed:
        town.hear(alice, messages.MediaLost)  # which never comes
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "COMMIT_VOIDED")
