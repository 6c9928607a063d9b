"""How fast the epochs of a group call follow one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.delivery.errors import DeliveryReason
from e2ee.mls.proposal import Remove
from e2ee.signalling import messages
from tests.delivery.meeting import MEETING_ID, Meeting, meet, members

if TYPE_CHECKING:
    from tests.delivery.conftest import Town


@pytest.mark.requirement("DS-18")
def test_a_second_passes_between_two_commits_whoever_sends_them(town: Town) -> None:
    meeting, (alice, bob) = meet(town, "alice", "bob")
    meeting.commit(alice, meeting.request(alice))
    bob.take()
    for committer in (alice, bob):
        town.now += 499
        early = meeting.request(committer)
        assert committer.refused(early) == DeliveryReason.TOO_SOON
    town.now += 2
    meeting.commit(bob, meeting.request(bob))


@pytest.mark.requirement("DS-18")
def test_the_first_commit_waits_for_nothing(town: Town) -> None:
    alice, bob = members(town, "alice", "bob")
    meeting = Meeting(town)
    meeting.open(alice, bob)
    meeting.commit(alice, meeting.adding(alice, meeting.bundle(bob)))


@pytest.mark.requirement("DS-18")
def test_a_host_removes_at_once(town: Town) -> None:
    meeting, (alice, bob, carol, dave) = meet(town, "alice", "bob", "carol", "dave")
    meeting.commit(bob, meeting.request(bob))
    for somebody in (carol, dave):
        removing = meeting.request(alice, Remove(meeting.leaf(somebody)))
        meeting.commit(alice, removing)
    bob.take()
    after_a_removal = meeting.request(bob)
    assert bob.refused(after_a_removal) == DeliveryReason.TOO_SOON


@pytest.mark.requirement("DS-18")
def test_and_nobody_else_and_nothing_more(town: Town) -> None:
    """Removing one's own account's other device is everybody's, but it waits."""
    alice, phone = members(town, "alice", "bob")
    tablet, carol = town.member("bob", 2), town.member("carol")
    meeting = Meeting(town)
    meeting.open(alice, phone, carol)
    meeting.add(alice, phone, tablet)
    phone.take()
    own_tablet = meeting.request(phone, Remove(meeting.leaf(tablet)))
    assert phone.refused(own_tablet) == DeliveryReason.TOO_SOON
    alice.take()
    for contents in ((), (meeting.another_profile(),)):
        idle = meeting.request(alice, *contents)
        assert alice.refused(idle) == DeliveryReason.TOO_SOON
    exchanged = meeting.adding(alice, meeting.bundle(carol), contents=[Remove(1)])
    assert alice.refused(exchanged) == DeliveryReason.TOO_SOON


@pytest.mark.requirement("KEYS-25")
def test_fifteen_epochs_begin_in_ten_seconds_even_if_a_host_removes(town: Town) -> None:
    names = [f"member-{n}" for n in range(18)]
    meeting, (host, *others) = meet(town, "host", *names)
    town.now += 10_000
    began = town.now
    for somebody in others[:15]:
        meeting.commit(host, meeting.request(host, Remove(meeting.leaf(somebody))))
        town.now += 10
    host.take()
    one_more = meeting.request(host, Remove(meeting.leaf(others[15])))
    assert host.refused(one_more) == DeliveryReason.TOO_SOON
    town.now = began + 9_999
    assert host.refused(one_more) == DeliveryReason.TOO_SOON
    town.now = began + 10_000
    meeting.commit(host, one_more)
    host.take()
    next_one = meeting.request(host, Remove(meeting.leaf(others[16])))
    assert host.send(next_one)[-1].reason == DeliveryReason.TOO_SOON  # type: ignore[attr-defined]


@pytest.mark.requirement("DS-10", "DS-18", "KEYS-25")
def test_a_restart_forgets_no_pace(town: Town) -> None:
    meeting, (alice, bob) = meet(town, "alice", "bob")
    meeting.commit(alice, meeting.request(alice))
    town.restart()
    for device in (alice, bob):
        device.reconnect()
        device.take()
    meeting.said(alice)  # the log is read again
    bob.take()
    town.now += 999
    early = meeting.request(bob)
    assert bob.refused(early) == DeliveryReason.TOO_SOON
    town.now += 1
    assert messages.Committed(MEETING_ID, early.commit) in bob.send(early)


def test_a_call_between_two_knows_no_pace(town: Town) -> None:
    """Its epochs are ten minutes long by themselves, and its log is bounded."""
    alice, bob = town.member("alice"), town.member("bob", key_packages=1)
    alice.invite("bob")
    bob.join()
    bob.send(bob.answer())
    bob.apply_own()
    assert [type(each) for each in bob.send(bob.request(bob.commit()))] == [messages.Committed]
