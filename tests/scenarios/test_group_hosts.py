"""What hosts do: hand over, remove, ban, and insist until the log shows it."""

from __future__ import annotations

import pytest

from e2ee.call.errors import CallUsageError
from e2ee.call.events import Ended, EndReason, RemovalComplete, RequestRefused
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import Joined, MembersChanged, ProfileChanged
from e2ee.call.group.states import State
from e2ee.media.opener import Rejected
from e2ee.media.reasons import RejectReason
from e2ee.mls.message import MLSMessage
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.scenarios.meeting import Meeting, Voice


@pytest.fixture
def people(calls: SimulatedCalls) -> tuple[SimulatedDevice, SimulatedDevice, SimulatedDevice]:
    alice, bob, carol = (calls.device(name) for name in ("alice", "bob", "carol"))
    return alice, bob, carol


People = tuple[SimulatedDevice, SimulatedDevice, SimulatedDevice]


@pytest.mark.requirement("GROUP-15", "GROUP-17", "CALL-25")
def test_who_is_removed_opens_nothing_that_is_sent_later(
    calls: SimulatedCalls, people: People
) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob, carol)
    voices = [Voice(meeting, device) for device in (alice, bob)]
    removed = meeting.at(carol)
    opener, leaf = removed.opener, meeting.leaf(carol)
    removed_at = calls.now
    meeting.at(alice).remove(leaf, calls.now)
    assert meeting.at(alice).removed_can_open_until is None
    calls.settle()
    meeting.agree(alice, bob)
    ended = carol.last(Ended)
    assert (ended.reason, ended.remote) == (EndReason.REMOVED, True)
    assert "alice" in ended.detail
    assert carol.core.group_calls == {}
    # CALL-25: known as soon as everybody was heard in the new epoch
    for device in (alice, bob):
        complete = device.last(RemovalComplete)
        assert complete.leaves == {leaf}
        assert removed_at <= complete.until <= removed_at + 250
        assert meeting.at(device).removed_can_open_until == complete.until
    calls.advance(300)
    for voice in voices:
        frame = voice.say(b"without carol")
        stream = type(voice).stream()
        assert not hasattr(opener.open(stream, frame, calls.now), "data")
        assert voice.reaches(*(d for d in (alice, bob) if d is not voice.speaker))


@pytest.mark.requirement("FKEY-15", "GROUP-17")
def test_nothing_of_who_was_removed_is_opened(calls: SimulatedCalls, people: People) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob, carol)
    calls.advance(1_500)
    voice = Voice(meeting, carol)
    frame = voice.say(b"still here")
    meeting.at(alice).remove(meeting.leaf(carol), calls.now)
    calls.settle()
    heard = voice.hear(bob, frame)
    assert isinstance(heard, Rejected)
    assert heard.reason is RejectReason.REMOVED


@pytest.mark.requirement("GROUP-23", "DS-18")
def test_a_removal_waits_for_nothing(calls: SimulatedCalls, people: People) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob, carol)
    dave = calls.device("dave")
    meeting.join(dave)
    meeting.at(alice).remove(meeting.leaf(carol), calls.now)
    meeting.at(alice).remove(meeting.leaf(dave), calls.now)
    calls.settle()
    assert meeting.names(alice) == meeting.names(bob) == ["alice", "bob"]


def test_who_was_removed_may_ask_again(calls: SimulatedCalls, people: People) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob, carol)
    meeting.at(alice).remove(meeting.leaf(carol), calls.now)
    calls.settle()
    meeting.join(carol)
    meeting.agree(alice, bob, carol)
    assert not carol.last(Joined).anew


@pytest.mark.requirement("GROUP-8", "KEYS-20")
def test_who_is_banned_is_out_with_all_devices_and_stays_out(
    calls: SimulatedCalls, people: People
) -> None:
    alice, bob, carol = people
    tablet = calls.device("carol", device_id=2)
    meeting = Meeting.of(calls, alice, bob, carol, tablet)
    meeting.at(alice).ban(meeting.leaf(tablet), calls.now)
    calls.settle()
    meeting.agree(alice, bob)
    assert meeting.at(bob).profile.banned == (carol.account.public,)
    assert {m.account_id for m in bob.last(MembersChanged).removed} == {"carol"}
    assert len(bob.last(MembersChanged).removed) == 2
    calls.advance(5_000)
    meeting.ask(carol)
    calls.settle()
    assert carol.last(Ended).reason is EndReason.REFUSED
    assert "BANNED" in carol.last(Ended).detail


@pytest.mark.requirement("GROUP-15")
def test_a_removal_is_tried_again_when_another_commit_was_faster(
    calls: SimulatedCalls, people: People
) -> None:
    """Twice it is Bob's."""
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob, carol)
    epoch = meeting.at(alice).epoch
    meeting.at(alice).remove(meeting.leaf(carol), calls.now)
    for _ in range(2):
        calls.now += 1_000
        calls.send()
        overtaken = alice.take(messages.Commit)
        meeting.at(bob)._actions.send_commit(True, calls.now)  # noqa: FBT003
        calls.submit_all(bob)
        alice.outbox.append(overtaken)
        calls.submit_all(alice)  # refused: the epoch has its commit
        for device in people:
            calls.deliver_all(device)
    calls.settle()
    meeting.agree(alice, bob)
    assert meeting.at(bob).epoch == epoch + 3
    assert carol.last(Ended).reason is EndReason.REMOVED


def test_a_removal_follows_who_comes_back_at_another_leaf(
    calls: SimulatedCalls, people: People
) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob, carol)
    dave = calls.device("dave")
    carols, leaf = meeting.at(carol), meeting.leaf(carol)
    carols.leave(calls.now)
    calls.settle()
    calls.advance(2_000)
    meeting.join(dave)
    assert meeting.leaf(dave) == leaf
    meeting.join(carol)
    meeting.at(alice).remove(meeting.leaf(carol), calls.now)
    calls.settle()
    meeting.agree(alice, bob, dave)


@pytest.mark.requirement("GROUP-13", "KEYS-20")
def test_a_host_hands_over_and_goes(calls: SimulatedCalls, people: People) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob, carol)
    meeting.at(alice).make_host(meeting.leaf(bob), calls.now)
    meeting.pause()
    assert meeting.at(bob).is_host
    changed = carol.last(ProfileChanged)
    assert changed.committer.account_id == "alice"
    assert changed.after.hosts == (alice.account.public, bob.account.public)
    meeting.at(alice).drop_host(meeting.leaf(alice), calls.now)
    meeting.pause()
    assert not meeting.at(alice).is_host
    meeting.at(alice).leave(calls.now)
    meeting.pause()
    meeting.agree(bob, carol)
    meeting.at(bob).remove(meeting.leaf(carol), calls.now)
    calls.settle()
    meeting.agree(bob)


def test_the_only_host_stays_one(calls: SimulatedCalls, people: People) -> None:
    alice, bob, _ = people
    meeting = Meeting.of(calls, alice, bob)
    with pytest.raises(CallUsageError) as refused:
        meeting.at(alice).drop_host(meeting.leaf(alice), calls.now)
    assert refused.value.reason is GroupReason.LAST_HOST


def test_a_call_without_a_host_goes_on(calls: SimulatedCalls, people: People) -> None:
    """Nobody can remove anybody; who has the link still comes in."""
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob)
    meeting.at(alice).leave(calls.now)
    meeting.pause()
    meeting.join(carol)
    meeting.agree(bob, carol)
    with pytest.raises(CallUsageError) as refused:
        meeting.at(bob).remove(meeting.leaf(carol), calls.now)
    assert refused.value.reason is GroupReason.NOT_A_HOST


@pytest.mark.requirement("GROUP-13")
def test_what_only_hosts_do_nobody_else_does(calls: SimulatedCalls, people: People) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob, carol)
    call, leaf, now = meeting.at(bob), meeting.leaf(carol), calls.now
    for verb in (
        call.remove,
        call.ban,
        call.make_host,
        call.invite_to_stage,
        call.take_on_stage,
        call.take_off_stage,
    ):
        with pytest.raises(CallUsageError) as refused:
            verb(leaf, now)
        assert refused.value.reason is GroupReason.NOT_A_HOST
    for simple in (call.everybody_speaks, call.change_link):
        with pytest.raises(CallUsageError) as refused:
            simple(now)
        assert refused.value.reason is GroupReason.NOT_A_HOST
    calls.settle()
    meeting.agree(alice, bob, carol)


def test_nobody_removes_oneself_or_nobody(calls: SimulatedCalls, people: People) -> None:
    alice, bob, _ = people
    tablet = calls.device("alice", device_id=2)
    meeting = Meeting.of(calls, alice, bob, tablet)
    call = meeting.at(alice)
    for verb, leaf, reason in (
        (call.remove, meeting.leaf(alice), GroupReason.NOT_ONESELF),
        (call.ban, meeting.leaf(alice), GroupReason.NOT_ONESELF),
        (call.ban, meeting.leaf(tablet), GroupReason.NOT_ONESELF),
        (call.remove, 77, GroupReason.NO_SUCH_MEMBER),
        (call.make_host, 77, GroupReason.NO_SUCH_MEMBER),
    ):
        with pytest.raises(CallUsageError) as refused:
            verb(leaf, calls.now)
        assert refused.value.reason is reason
    call.remove(meeting.leaf(tablet), calls.now)  # another device of one's own may be
    calls.settle()
    meeting.agree(alice, bob)


@pytest.mark.requirement("GROUP-13")
def test_what_a_host_wanted_is_over_when_it_is_none_any_more(
    calls: SimulatedCalls, people: People
) -> None:
    """Alice, to whom Bob has given it, takes his role while his own change waits for its second."""
    alice, bob, carol = people
    meeting = Meeting.of(calls, bob, alice, carol)
    meeting.at(bob).make_host(meeting.leaf(alice), calls.now)
    meeting.pause()
    meeting.at(alice).drop_host(meeting.leaf(bob), calls.now)
    meeting.at(bob).take_off_stage(meeting.leaf(carol), calls.now)
    calls.settle()
    calls.advance(3_000)
    assert meeting.at(carol).may_speak
    told = bob.last(RequestRefused)
    assert (told.request, told.reason) == ("commit", GroupReason.NOT_A_HOST)
    assert meeting.at(bob).state is State.IN_CALL


def test_several_wishes_go_into_one_commit(calls: SimulatedCalls, people: People) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob, carol)
    dave = calls.device("dave")
    epoch = meeting.at(alice).epoch
    meeting.at(alice).make_host(meeting.leaf(bob), calls.now)
    meeting.at(alice).take_off_stage(meeting.leaf(carol), calls.now)
    meeting.ask(dave)
    meeting.pause()
    meeting.agree(alice, bob, carol, dave)
    assert meeting.at(dave).epoch == epoch + 1
    assert meeting.at(bob).is_host
    assert not meeting.at(carol).may_speak


def test_who_is_banned_is_on_no_stage(calls: SimulatedCalls, people: People) -> None:
    """Everybody spoke; while Carol's ban is on its way, Dave is taken off the stage, which leaves it to the others."""
    alice, bob, carol = people
    dave = calls.device("dave")
    meeting = Meeting.of(calls, alice, bob, carol, dave)
    meeting.at(alice).ban(meeting.leaf(carol), calls.now)
    meeting.at(alice).take_off_stage(meeting.leaf(dave), calls.now)
    meeting.pause()
    meeting.pause()
    meeting.agree(alice, bob, dave)
    assert meeting.at(bob).may_speak
    assert not meeting.at(dave).may_speak
    assert alice.told(RequestRefused) == []


@pytest.mark.requirement("GROUP-15")
def test_who_asks_to_come_in_anew_is_not_added_by_its_own_removal(
    calls: SimulatedCalls, people: People
) -> None:
    """Carol's software has a request lie at Alice's, to be added in the place of its leaf."""
    alice, bob, carol = people
    meeting = Meeting.of(calls, alice, bob, carol)
    calls.advance(5_000)
    bundle = carol.owner.new_join_key_package(0x0001, meeting.link, calls.now)
    key_package = MLSMessage.of(bundle.key_package).encode()
    lying = messages.JoinRequested(meeting.call_id, key_package, rank=3, lobby=False)
    assert calls.give(alice, lying) is None
    epoch = meeting.at(alice).epoch
    meeting.at(alice).remove(meeting.leaf(carol), calls.now)
    calls.settle()
    meeting.agree(alice, bob)
    assert meeting.at(bob).epoch == epoch + 1
    assert bob.last(MembersChanged).added == ()
