"""A commit that most of the others cannot follow is taken out of the log again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.delivery import limits
from e2ee.delivery.errors import DeliveryReason
from e2ee.delivery.service import ForwardEnd
from e2ee.mls.errors import Rule
from e2ee.mls.proposal import Remove
from e2ee.signalling import messages
from tests.delivery.meeting import MEETING_ID, Meeting, gone, meet

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

pytestmark = pytest.mark.requirement("DS-20")

REPORT = messages.ReportInvalid(MEETING_ID, 1)
VOIDED = messages.Voided(MEETING_ID, 1)


def poison(meeting: Meeting, committer: Device, *contents: Remove) -> messages.Commit:
    """A commit that is in the log, of which the others say that they cannot follow it: the service cannot tell."""
    request = meeting.request(committer, *contents)
    committed = messages.Committed(MEETING_ID, request.commit)
    assert committed in committer.send(request)
    return request


def entries(town: Town) -> int:
    with town.store.transaction() as tx:
        record = tx.call(MEETING_ID)
    assert record is not None
    return record.entries


class TestReports:
    """Whose word counts."""

    def test_more_than_half_of_the_others_who_are_connected(self, town: Town) -> None:
        meeting, (alice, bob, carol, dave, erin) = meet(
            town, "alice", "bob", "carol", "dave", "erin"
        )
        poison(meeting, alice)
        assert bob.send(REPORT)[1:] == []
        assert bob.send(REPORT) == []  # once each
        assert carol.send(REPORT)[1:] == []
        assert entries(town) == 3
        assert VOIDED in dave.send(REPORT)
        assert entries(town) == 2
        assert VOIDED in erin.take()

    def test_half_is_not_enough(self, town: Town) -> None:
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        poison(meeting, alice)
        bob.send(REPORT)
        assert entries(town) == 3
        assert VOIDED in carol.send(REPORT)

    def test_of_those_who_are_connected(self, town: Town) -> None:
        meeting, (alice, bob, carol, dave) = meet(town, "alice", "bob", "carol", "dave")
        poison(meeting, alice)
        carol.disconnect()
        dave.disconnect()
        assert VOIDED in bob.send(REPORT)

    def test_who_has_reported_and_is_away_counts_no_more(self, town: Town) -> None:
        meeting, (alice, bob, carol, dave) = meet(town, "alice", "bob", "carol", "dave")
        poison(meeting, alice)
        bob.send(REPORT)
        bob.disconnect()
        carol.send(REPORT)
        assert entries(town) == 3
        assert VOIDED in dave.send(REPORT)

    def test_nobody_reports_an_own_commit(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        poison(meeting, alice)
        assert alice.refused(REPORT) == DeliveryReason.OWN_COMMIT
        assert VOIDED in bob.send(REPORT)

    def test_nobody_vetoes_their_own_removal(self, town: Town) -> None:
        """Else in a call of two nobody could be removed."""
        meeting, (alice, bob) = meet(town, "alice", "bob")
        poison(meeting, alice, Remove(1))
        bob.take()
        assert bob.refused(REPORT) == DeliveryReason.NOT_A_MEMBER

    def test_nor_does_who_is_removed_count_among_the_others(self, town: Town) -> None:
        meeting, (alice, bob, carol, _) = meet(town, "alice", "bob", "carol", "dave")
        poison(meeting, alice, Remove(2), Remove(3))
        carol.take()
        assert carol.refused(REPORT) == DeliveryReason.NOT_A_MEMBER
        assert VOIDED in bob.send(REPORT)

    def test_members_of_its_epoch_alone(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        mallory, tablet = town.member("mallory"), town.member("alice", 2)
        meeting.add(alice, tablet)
        for stranger in (mallory, tablet):
            assert stranger.refused(REPORT) == DeliveryReason.NOT_A_MEMBER
        assert VOIDED in bob.send(REPORT)

    def test_who_has_left_is_not_waited_for(self, town: Town) -> None:
        meeting, (alice, bob, carol, dave) = meet(town, "alice", "bob", "carol", "dave")
        poison(meeting, alice)
        for device in (carol, dave):
            device.take()
            device.send(messages.Leave(MEETING_ID))
        assert carol.refused(REPORT) == DeliveryReason.GONE
        assert VOIDED in bob.send(REPORT)

    def test_within_five_seconds(self, town: Town) -> None:
        assert limits.VOID_WITHIN == 5_000
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        poison(meeting, alice)
        bob.send(REPORT)
        carol.take()
        town.now += 5_001
        assert carol.refused(REPORT) == DeliveryReason.TOO_LATE
        town.now -= 1
        assert VOIDED in carol.send(REPORT)

    def test_of_a_commit_that_is_in_the_log(self, town: Town) -> None:
        _, (_, bob) = meet(town, "alice", "bob")
        assert bob.refused(REPORT) == DeliveryReason.WRONG_EPOCH

    def test_reports_of_one_commit_are_not_of_the_next_of_its_epoch(self, town: Town) -> None:
        meeting, (alice, bob, carol, dave) = meet(town, "alice", "bob", "carol", "dave")
        poison(meeting, alice)
        for reporter in (bob, carol):
            reporter.send(REPORT)
        assert entries(town) == 2
        town.now += limits.COMMIT_INTERVAL
        del meeting.groups[alice.key.public]
        meeting.commit(bob, meeting.request(bob))
        carol.send(REPORT)
        assert entries(town) == 3
        dave.take()


class TestVoid:
    """What becomes of the call."""

    @pytest.mark.requirement("GROUP-20", "DS-4")
    def test_the_call_goes_on_with_another_commit_of_that_epoch(self, town: Town) -> None:
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        poison(meeting, alice)
        for reporter in (bob, carol):
            reporter.send(REPORT)
        del meeting.groups[alice.key.public]
        said = meeting.said(bob)
        assert carol.take()[-1] == said
        town.now += limits.COMMIT_INTERVAL
        meeting.commit(carol, meeting.request(carol))
        assert meeting.group(bob).epoch == 2

    @pytest.mark.requirement("GROUP-20")
    def test_the_later_entries_go_with_it(self, town: Town) -> None:
        """Among them one that added somebody, who is told."""
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        tablet = town.member("alice", 2)
        poison(meeting, alice)
        meeting.apply_own(alice)
        town.now += limits.COMMIT_INTERVAL
        added = meeting.adding(alice, meeting.bundle(tablet))
        alice.send(added)
        for reporter in (bob, carol):
            reporter.send(REPORT)
        assert entries(town) == 2
        assert tablet.take()[-1] == VOIDED
        assert tablet.refused(messages.Leave(MEETING_ID)) == DeliveryReason.NOT_A_MEMBER
        bob.take()
        assert bob.refused(messages.ReportInvalid(MEETING_ID, 2)) == DeliveryReason.WRONG_EPOCH

    def test_the_committer_s_connection_is_closed(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        poison(meeting, alice)
        connection = alice.connection
        bob.send(REPORT)
        assert town.closed == [(connection, DeliveryReason.COMMIT_VOIDED)]
        told = alice.take()
        assert told[0] == VOIDED
        assert told[-1] == messages.Refused(
            "commit", MEETING_ID, DeliveryReason.COMMIT_VOIDED, "of epoch 1"
        )
        assert town.service.take_closing() == []

    def test_nothing_more_is_taken_on_it(self, town: Town) -> None:
        """Also not what came with the last report, before it is closed."""
        meeting, (alice, bob) = meet(town, "alice", "bob")
        poison(meeting, alice)
        with town.service.together(town.now) as requests:
            requests.receive(bob.connection, REPORT)
            ((_, answer),) = requests.receive(alice.connection, messages.Find("alice"))
        assert isinstance(answer, messages.Refused)
        assert answer.reason == DeliveryReason.NOT_LOGGED_IN

    @pytest.mark.requirement("DS-19")
    def test_the_committer_is_gone_until_it_joins_anew(self, town: Town) -> None:
        """It has applied its commit, and cannot go back."""
        meeting, (alice, bob) = meet(town, "alice", "bob")
        poison(meeting, alice)
        bob.send(REPORT)
        alice.reconnect()
        assert alice.refused(meeting.say(alice)) == DeliveryReason.GONE
        bundle = meeting.ask(alice)
        del meeting.groups[alice.key.public]
        town.now += limits.COMMIT_INTERVAL
        meeting.commit(bob, meeting.adding(bob, bundle, contents=[Remove(0)]))
        meeting.join(alice, bundle)
        meeting.said(alice)

    @pytest.mark.requirement("DS-19", "GROUP-17")
    def test_who_was_removed_by_it_has_ended_and_is_gone(self, town: Town) -> None:
        """So the removal holds, whoever makes it anew."""
        meeting, (alice, bob, carol, dave) = meet(town, "alice", "bob", "carol", "dave")
        poison(meeting, alice, Remove(3))
        bob.take()
        bob.send(REPORT)
        carol.take()
        carol.send(REPORT)
        assert VOIDED in dave.take()
        assert [statement.leaf for statement, _ in gone(bob)] == [0, 3]
        assert dave.refused(meeting.say(dave)) == DeliveryReason.GONE

    def test_what_was_void_counts_for_nothing_after_a_restart(self, town: Town) -> None:
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        poison(meeting, alice)
        for reporter in (bob, carol):
            reporter.send(REPORT)
        del meeting.groups[alice.key.public]
        town.restart()
        for device in (alice, bob, carol):
            device.reconnect()
            device.take()
        town.now += limits.COMMIT_INTERVAL
        meeting.commit(carol, meeting.request(carol))
        assert alice.refused(meeting.say(bob)) == DeliveryReason.GONE

    @pytest.mark.requirement("DS-10")
    def test_a_restart_before_the_reports(self, town: Town) -> None:
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        poison(meeting, alice)
        town.restart()
        for device in (alice, bob, carol):
            device.reconnect()
            device.take()
        bob.send(REPORT)
        assert VOIDED in carol.send(REPORT)

    @pytest.mark.requirement("DS-4", "DS-10")
    def test_another_service_s_state_is_not_of_the_void_log(self, town: Town) -> None:
        """An entry in the place of a void one is another one."""
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        void = poison(meeting, alice)
        at_hand = dict(town.service._service.calls._calls)
        for reporter in (bob, carol):
            reporter.send(REPORT)
        town.now += limits.COMMIT_INTERVAL
        del meeting.groups[alice.key.public]
        meeting.commit(bob, meeting.request(bob))
        town.service._service.calls._calls.update(at_hand)
        town.now += limits.COMMIT_INTERVAL
        meeting.commit(carol, meeting.request(carol))
        assert carol.refused(void) in (Rule.WRONG_EPOCH, DeliveryReason.NOT_THE_COMMITTER)

    @pytest.mark.requirement("SFU-7")
    def test_whom_it_added_has_no_media(self, town: Town) -> None:
        town.options = {"forwarding": True}
        town.restart()
        meeting, (alice, bob) = meet(town, "alice", "bob")
        tablet = town.member("alice", 2)
        alice.send(meeting.adding(alice, meeting.bundle(tablet)))
        bob.send(REPORT)
        assert ForwardEnd(MEETING_ID, tablet.key.public) in town.forwarding
        assert ForwardEnd(MEETING_ID, alice.key.public) in town.forwarding
        assert ForwardEnd(MEETING_ID, bob.key.public) not in town.forwarding
