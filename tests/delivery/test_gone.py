"""Who is away from a group call, or has left it, is said to be gone: signed, and given to those who can remove it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.delivery import gone_statements, limits
from e2ee.delivery.errors import DeliveryReason
from e2ee.mls.proposal import Remove
from e2ee.profile import gone as gone_statement
from e2ee.profile.errors import ProfileReason
from e2ee.profile.gone import GoneStatement, encode_statements
from e2ee.signalling import messages
from tests.delivery.meeting import MEETING_ID, Meeting, gone, meet

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

pytestmark = pytest.mark.requirement("DS-19")


def check(town: Town, statement: GoneStatement, epoch: int) -> None:
    """The service has signed it, for this epoch."""
    delivery_key = town.identity.delivery_key.public
    gone_statement.check(statement, delivery_key, MEETING_ID, epoch)


def removing(meeting: Meeting, committer: Device, *statements: GoneStatement) -> messages.Commit:
    """The commit that removes by these statements, whoever makes it."""
    leaves = [statement.leaf for statement in statements]
    data = encode_statements(statements)
    return meeting.request(committer, *map(Remove, leaves), authenticated_data=data)


class TestAway:
    """No connection for ten seconds."""

    @pytest.mark.requirement("KEYS-24")
    def test_it_is_said_after_ten_seconds_and_not_sooner(self, town: Town) -> None:
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        lost_at = town.now
        carol.disconnect()
        town.advance(9_999)
        assert gone(alice) == gone(bob) == []
        town.advance(1)
        ((statement, rank),) = gone(alice)
        assert (statement.leaf, statement.epoch, statement.gone_since) == (2, 1, lost_at)
        check(town, statement, 1)
        assert rank == 0
        assert gone(bob) == [(statement, 1)]
        assert alice.numbers() == bob.numbers() == []  # in no mailbox
        meeting.commit(bob, removing(meeting, bob, statement))
        assert len(meeting.group(alice).members()) == 2
        assert town.service.get_timer() is None

    @pytest.mark.requirement("GROUP-22")
    def test_who_is_back_in_time_goes_on(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        bob.disconnect()
        town.advance(9_999)
        bob.reconnect()
        town.advance(60_000)
        assert gone(alice) == []
        meeting.said(bob)
        bob.disconnect()
        town.advance(9_999)
        assert gone(alice) == []

    def test_a_session_that_ends_otherwise_is_a_lost_connection(self, town: Town) -> None:
        _, (alice, bob) = meet(town, "alice", "bob")
        other = town.device("bob", 4)
        other.connection = bob.connection
        other.login()
        town.advance(10_000)
        assert [statement.leaf for statement, _ in gone(alice)] == [1]

    def test_it_is_said_again_in_each_epoch(self, town: Town) -> None:
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        carol.disconnect()
        town.advance(10_000)
        ((first, _),) = gone(bob)
        alice.take()
        request = meeting.request(alice)
        (at_once,) = meeting.commit(alice, request)
        assert isinstance(at_once, messages.Gone)
        ((second, rank),) = gone(bob)
        assert (second.epoch, second.gone_since, rank) == (2, first.gone_since, 1)
        check(town, second, 2)
        town.now += limits.COMMIT_INTERVAL
        late = removing(meeting, bob, first)
        assert bob.refused(late) == ProfileReason.GONE_ELSEWHERE
        meeting.commit(bob, removing(meeting, bob, second))

    def test_it_is_said_again_if_nobody_acts(self, town: Town) -> None:
        _, (alice, bob) = meet(town, "alice", "bob")
        bob.disconnect()
        town.advance(10_000)
        assert len(gone(alice)) == 1
        town.advance(14_999)
        assert gone(alice) == []
        town.advance(1)
        assert len(gone(alice)) == 1
        bob.reconnect()
        town.advance(60_000)
        assert gone(alice) == []

    def test_to_the_eight_lowest_leaves_that_are_there(self, town: Town) -> None:
        _, devices = meet(town, *(f"member-{n:02}" for n in range(12)))
        for device in (devices[1], devices[11]):
            device.disconnect()
        town.advance(10_000)
        heard = {n: gone(devices[n]) for n in range(12) if n not in (1, 11)}
        assert [n for n, statements in heard.items() if statements] == [0, 2, 3, 4, 5, 6, 7, 8]
        for rank, n in enumerate((0, 2, 3, 4, 5, 6, 7, 8)):
            assert [(s.leaf, r) for s, r in heard[n]] == [(1, rank), (11, rank)]

    def test_who_has_come_back_is_told_as_well(self, town: Town) -> None:
        """All had lost their connections: else nobody would ever act."""
        _, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        for device in (alice, bob, carol):
            device.disconnect()
        town.advance(12_000)
        told = [each for each in alice.reconnect() if isinstance(each, messages.Gone)]
        assert [GoneStatement.decode(each.statement).leaf for each in told] == [1, 2]
        assert [each.rank for each in told] == [0, 0]
        (bob_s,) = (each for each in bob.reconnect() if isinstance(each, messages.Gone))
        statement = GoneStatement.decode(bob_s.statement)
        assert (statement.leaf, bob_s.rank) == (2, 1)
        check(town, statement, 1)

    def test_of_so_many_at_a_time(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        assert limits.MAX_GONE_STATEMENTS == 256
        monkeypatch.setattr(gone_statements, "MAX_GONE_STATEMENTS", 2)
        meeting, devices = meet(town, *(f"member-{n}" for n in range(6)))
        host = devices[0]
        for device in devices[1:]:
            device.disconnect()
        town.advance(10_000)
        first = [statement for statement, _ in gone(host)]
        assert [statement.leaf for statement in first] == [1, 2]
        others = meeting.change(host, *(Remove(s.leaf) for s in first))
        statements = [GoneStatement.decode(each.statement) for each in others]
        assert [statement.leaf for statement in statements] == [3, 4]

    def test_whom_a_commit_adds_while_it_is_away(self, town: Town) -> None:
        meeting, (alice,) = meet(town, "alice")
        tablet = town.member("alice", 2)
        bundle = meeting.ask(tablet)
        tablet.disconnect()
        town.advance(30_000)
        alice.take()
        meeting.commit(alice, meeting.adding(alice, bundle))
        town.advance(9_999)
        assert gone(alice) == []
        town.advance(1)
        assert [statement.leaf for statement, _ in gone(alice)] == [1]

    def test_after_a_restart_they_begin_when_somebody_asks(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        bob.disconnect()
        town.advance(5_000)
        town.restart()
        alice.reconnect()
        town.advance(60_000)
        meeting.said(alice)
        asked_at = town.now
        town.advance(9_999)
        assert gone(alice) == []
        town.advance(1)
        assert [statement.gone_since for statement, _ in gone(alice)] == [asked_at]

    def test_nobody_is_gone_from_a_call_between_two(self, town: Town) -> None:
        alice, bob = town.member("alice"), town.member("bob", key_packages=1)
        alice.invite("bob")
        bob.disconnect()
        assert town.service.get_timer() is None

    def test_nor_from_a_call_that_is_over(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        meeting.said(alice)
        town.now += limits.CALL_IDLE
        bob.disconnect()
        town.advance(20_000)
        assert gone(alice) == []
        assert town.service.get_timer() is None

    def test_whether_it_was_swept_away_or_not(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        meeting.change(alice)
        town.now += limits.CALL_IDLE - 5_000
        meeting.said(alice)
        bob.disconnect()
        town.advance(10_000)
        assert gone(alice) == []


class TestLeft:
    """Said by the member itself."""

    @pytest.mark.requirement("GROUP-16")
    def test_it_is_said_at_once(self, town: Town) -> None:
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        assert carol.send(messages.Leave(MEETING_ID)) == []
        ((statement, rank),) = gone(alice)
        assert (statement.leaf, statement.gone_since, rank) == (2, town.now, 0)
        check(town, statement, 1)
        assert gone(bob) == [(statement, 1)]
        assert carol.send(messages.Leave(MEETING_ID)) == []  # twice is as once
        assert gone(alice) == []
        del meeting.groups[carol.key.public]
        meeting.change(bob)
        ((later, _),) = gone(alice)
        assert (later.epoch, later.gone_since) == (2, statement.gone_since)
        town.now += limits.COMMIT_INTERVAL
        meeting.commit(alice, removing(meeting, alice, later))

    def test_what_a_failed_transaction_undid_was_not_said(self, town: Town) -> None:
        meeting, (_, bob) = meet(town, "alice", "bob")

        class Failed(Exception):
            pass

        def fails() -> None:
            with town.service.together(town.now) as requests:
                requests.receive(bob.connection, messages.Leave(MEETING_ID))
                raise Failed

        with pytest.raises(Failed):
            fails()
        meeting.said(bob)

    @pytest.mark.requirement("DS-24")
    def test_who_has_left_gets_nothing_more_and_is_asked_to_join_anew(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        bob.send(messages.Leave(MEETING_ID))
        meeting.said(alice)
        meeting.commit(alice, meeting.request(alice))
        assert bob.take() == []
        assert bob.refused(meeting.say(bob)) == DeliveryReason.GONE

    def test_it_outlives_a_restart_and_a_connection(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        bob.send(messages.Leave(MEETING_ID))
        town.restart()
        for device in (alice, bob):
            device.reconnect()
        alice.take()
        meeting.said(alice)
        town.advance(0)
        assert [statement.leaf for statement, _ in gone(alice)] == [1]
        assert bob.take() == []

    @pytest.mark.requirement("GROUP-21")
    def test_who_comes_back_as_a_new_leaf_is_there(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        bob.send(messages.Leave(MEETING_ID))
        bundle = meeting.ask(bob)
        alice.take()
        del meeting.groups[bob.key.public]
        meeting.commit(alice, meeting.adding(alice, bundle, contents=[Remove(1)]))
        meeting.join(bob, bundle)
        assert town.service.get_timer() is None
        assert alice.take() == []
        meeting.said(bob)

    def test_nobody_leaves_for_another(self, town: Town) -> None:
        meet(town, "alice", "bob")
        mallory = town.member("mallory")
        assert mallory.refused(messages.Leave(MEETING_ID)) == DeliveryReason.NOT_A_MEMBER
