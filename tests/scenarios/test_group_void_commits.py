"""Commits that cannot be followed: a member's software lies to all, or to some (GROUP-20).

What such a member makes passes every check that needs no secret, so the service takes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from e2ee.call.events import Ended, EndReason
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import Joined, JoinsAnew, Stranded
from e2ee.call.group.states import State
from e2ee.media.encoded_frame import OpenedFrame
from e2ee.mls import commit_creation
from e2ee.mls.proposal import Remove
from e2ee.profile.leaves import committer_policy
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.scenarios.meeting import COMMIT_PAUSE, Meeting, Voice, path_for_none_of


@pytest.fixture
def people(calls: SimulatedCalls) -> list[SimulatedDevice]:
    return [calls.device(name) for name in ("alice", "bob", "carol", "dave", "erin")]


@pytest.fixture
def meeting(calls: SimulatedCalls, people: list[SimulatedDevice]) -> Meeting:
    made = Meeting.of(calls, *people)
    calls.advance(COMMIT_PAUSE)
    return made


def commit(calls: SimulatedCalls, meeting: Meeting, device: SimulatedDevice) -> None:
    """A device commits without anything waiting, and the service takes that."""
    meeting.at(device)._actions.send_commit(True, calls.now)  # noqa: FBT003
    calls.submit_all(device)


@contextmanager
def tag_for_nobody() -> Iterator[None]:
    """Whoever commits meanwhile makes confirmation tags that are none."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(commit_creation, "confirmation_tag", lambda *_: bytes(32))
        yield


def meeting_is_whole(meeting: Meeting, people: list[SimulatedDevice]) -> None:
    """All are in it, and in one epoch."""
    views = {(meeting.at(each).epoch, meeting.at(each).call_code) for each in people}
    assert len(views) == 1
    assert len(meeting.at(people[0]).members) == len(people)


@pytest.mark.requirement("GROUP-20", "DS-20")
def test_what_nobody_can_follow_is_taken_back_and_its_committer_comes_in_anew(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    _, bob, carol, *_ = people
    epoch = meeting.at(carol).epoch
    with tag_for_nobody():
        commit(calls, meeting, bob)
    others = [device for device in people if device is not bob]
    for device in others:
        calls.deliver_all(device)
        assert meeting.at(device).state is State.STRANDED
        stranded = device.last(Stranded)
        assert stranded.committer is not None
        assert stranded.committer.account_id == "bob"
        assert meeting.at(device).epoch == epoch
    calls.settle()
    for device in others:
        assert meeting.at(device).state is State.IN_CALL
        assert "bob" not in meeting.names(device)  # who is out of the log for the service is gone
    assert not bob.online  # DS-20: "and close the committer's connection"
    calls.reconnect(bob)
    calls.settle()
    calls.advance(3_000)
    assert meeting.is_at(bob)
    assert bob.last(Joined).anew
    meeting_is_whole(meeting, people)
    assert carol.told(JoinsAnew) == []


@pytest.mark.requirement("GROUP-20")
def test_a_commit_without_a_tag_is_taken_back_and_counts_for_nothing(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    """The service cannot see the tag, so it takes the commit; would nobody report it, no other could follow."""
    _, bob, carol, *_ = people
    for _ in range(4):
        meeting.at(bob)._actions.send_commit(True, calls.now)  # noqa: FBT003
        calls.send()
        sent = bob.take(messages.Commit)
        spoilt = sent.commit[:-1] + bytes([sent.commit[-1] ^ 1])
        bob.outbox.append(messages.Commit(meeting.call_id, spoilt, None, None))
        calls.settle()
        assert meeting.at(carol).state is State.IN_CALL
        calls.reconnect(bob)
        calls.settle()
        calls.advance(4_000)
        meeting_is_whole(meeting, people)
    assert len(carol.told(Stranded)) == 4
    assert carol.told(Ended) == []


@pytest.mark.requirement("GROUP-20")
def test_who_is_stranded_still_speaks_and_hears_in_its_epoch(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol, *_ = people
    with tag_for_nobody():
        commit(calls, meeting, bob)
    for device in (alice, carol):
        calls.deliver_all(device)
    voice = Voice(meeting, carol)
    assert isinstance(voice.hear(alice, voice.say(b"What was that?")), OpenedFrame)


@pytest.mark.requirement("GROUP-20", "GROUP-21")
def test_who_alone_cannot_follow_comes_in_anew(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    """No `voided` comes, since the others can."""
    alice, bob, carol, *_ = people
    with path_for_none_of(meeting.leaf(carol)):
        commit(calls, meeting, bob)
    calls.settle()
    assert meeting.at(carol).state is State.STRANDED
    assert meeting.at(alice).state is State.IN_CALL
    calls.advance(7_999)
    assert meeting.at(carol).state is State.STRANDED
    calls.advance(1)
    calls.settle()
    assert len(carol.told(JoinsAnew)) == 1
    calls.advance(2_000)
    assert meeting.is_at(carol)
    assert meeting.at(carol).call_code == meeting.at(alice).call_code
    assert len(meeting.at(alice).members) == len(people)


@pytest.mark.requirement("GROUP-20")
def test_after_three_such_commits_the_call_ends(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    _, bob, carol, *_ = people
    for number in range(3):
        with tag_for_nobody():
            commit(calls, meeting, bob)
        if number < 2:
            calls.settle()
            calls.reconnect(bob)
            calls.settle()
            calls.advance(3_000)
            assert meeting.is_at(carol)
    calls.settle()
    ended = carol.last(Ended)
    assert (ended.reason, ended.remote) == (EndReason.PROTOCOL_ERROR, True)
    assert carol.core.group_calls == {}


@pytest.mark.requirement("GROUP-20")
def test_a_commit_that_is_shown_again_and_again_counts_once(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    _, bob, carol, *_ = people
    with tag_for_nobody():
        commit(calls, meeting, bob)
    (shown,) = carol.waiting(messages.Committed)
    for _ in range(5):
        calls.give(carol, replace(shown, number=0))
    assert len(carol.told(Stranded)) == len(carol.sending(messages.ReportInvalid)) == 1
    calls.settle()
    assert meeting.at(carol).state is State.IN_CALL
    calls.give(carol, replace(shown, number=0))
    assert meeting.at(carol).state is State.IN_CALL
    assert len(carol.told(Stranded)) == 1


@pytest.mark.requirement("GROUP-20")
def test_what_no_member_signed_is_refused_and_reported_to_nobody(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    _, bob, carol, *_ = people
    meeting.at(bob)._actions.send_commit(True, calls.now)  # noqa: FBT003
    calls.send()
    (sent,) = bob.sending(messages.Commit)
    calls.settle()
    for altered in (
        sent.commit[:60] + bytes([sent.commit[60] ^ 1]) + sent.commit[61:],
        b"",
    ):
        before = meeting.at(carol).epoch
        refused = calls.give(carol, messages.Committed(meeting.call_id, altered))
        assert refused is not None
        assert (meeting.at(carol).state, meeting.at(carol).epoch) == (State.IN_CALL, before)
    assert carol.sending(messages.ReportInvalid) == []
    assert carol.told(Stranded) == []


@pytest.mark.requirement("GROUP-20", "KEYS-20")
def test_an_illegal_commit_that_a_lying_service_shows_is_not_followed(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    """Bob, who is no host, removes Alice."""
    alice, bob, carol, *_ = people
    group = meeting.at(bob)._actions.in_group._group
    pending = group.commit(
        proposals=[Remove(meeting.leaf(alice))],
        policy=committer_policy(calls.now),
        entropy=bob.owner.entropy,
    )
    shown = messages.Committed(meeting.call_id, pending.message.encode())
    assert calls.give(carol, shown) is None
    assert meeting.at(carol).state is State.STRANDED
    assert carol.sending(messages.ReportInvalid) == [
        messages.ReportInvalid(meeting.call_id, meeting.at(carol).epoch)
    ]
    assert meeting.names(carol)[0] == "alice"
    calls.settle()
    calls.advance(12_000)
    meeting_is_whole(meeting, people)


@pytest.mark.requirement("GROUP-20", "GROUP-24")
@pytest.mark.parametrize("ahead", [0, 1, 100])
def test_nothing_is_void_that_was_not_there(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice], ahead: int
) -> None:
    carol = people[2]
    epoch = meeting.at(carol).epoch
    refused = calls.give(carol, messages.Voided(meeting.call_id, epoch + ahead))
    assert refused is not None
    assert (meeting.at(carol).state, meeting.at(carol).epoch) == (State.IN_CALL, epoch)


@pytest.mark.requirement("GROUP-20")
def test_what_was_before_this_member_came_is_void_for_others(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    carol = people[2]
    assert meeting.at(carol).epoch == 1
    commit(calls, meeting, people[0])
    calls.settle()
    calls.advance(COMMIT_PAUSE)
    frank = calls.device("frank")
    meeting.join(frank)
    refused = calls.give(frank, messages.Voided(meeting.call_id, 1))
    assert refused is not None
    assert refused.reason is GroupReason.NOT_THIS_EPOCH
    assert meeting.is_at(frank)


@pytest.mark.requirement("GROUP-20", "GROUP-21")
def test_who_applied_a_void_commit_comes_in_anew(
    calls: SimulatedCalls, meeting: Meeting, people: list[SimulatedDevice]
) -> None:
    """Most cannot follow; Carol could."""
    alice, bob, carol, dave, erin = people
    with path_for_none_of(*(meeting.leaf(each) for each in (alice, dave, erin))):
        commit(calls, meeting, bob)
    calls.settle()
    assert meeting.at(alice).state is State.IN_CALL
    assert len(carol.told(JoinsAnew)) == 1
    calls.reconnect(bob)
    calls.settle()
    calls.advance(4_000)
    meeting_is_whole(meeting, people)
