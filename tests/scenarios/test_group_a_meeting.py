"""Alice opens a meeting, two come by its link, they talk and chat, and go one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from e2ee.call.chat.events import TextReceived
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import Ended, EndReason, EpochChanged
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import (
    GroupCallOpened,
    Joined,
    JoinRequestSent,
    MemberLeft,
    MembersChanged,
    StreamsChanged,
)
from e2ee.call.group.states import State
from e2ee.call.group.streams import AnnouncedStream
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.errors import NoSendKey
from e2ee.profile.call_profile import JoinPolicy
from e2ee.testing.simulated_calls import SimulatedCalls
from tests.scenarios.meeting import Meeting, Voice

MICROPHONE = AnnouncedStream(Kind.MICROPHONE, 0, Codec.OPUS, "0")


@pytest.mark.requirement("GROUP-1", "GROUP-3", "GROUP-7", "GROUP-11", "CALL-14")
def test_three_meet_by_a_link(calls: SimulatedCalls, suites: Sequence[int]) -> None:
    alice, bob, carol = (calls.device(name, suites=suites) for name in ("alice", "bob", "carol"))

    opened = alice.core.create_group_call(calls.now)
    assert opened.state is State.OPENING
    calls.settle()
    link = alice.last(GroupCallOpened).link
    assert link.secret is not None
    assert opened.profile.hosts == (alice.account.public,)

    joining = bob.core.join_group_call(link, calls.now)
    assert joining.state is State.ASKING
    calls.settle()
    assert bob.last(JoinRequestSent) == JoinRequestSent(opened.call_id, lobby=False)
    calls.advance(1_000)
    joined = bob.last(Joined)
    assert [member.account_id for member in joined.members] == ["alice", "bob"]
    assert not joined.anew
    changed = alice.last(MembersChanged)
    assert [member.account_id for member in changed.added] == ["bob"]
    assert changed.committer.account_id == "alice"

    meeting = Meeting(calls, alice, opened.call_id, link)
    meeting.join(carol)
    meeting.agree(alice, bob, carol)
    assert opened.suite == max(suites)
    assert opened.epoch == 2
    assert alice.last(EpochChanged).call_code == opened.call_code


@pytest.mark.requirement("GROUP-2")
def test_all_hear_each_other_from_epoch_0_on(calls: SimulatedCalls) -> None:
    alice, bob, carol = (calls.device(name) for name in ("alice", "bob", "carol"))
    meeting = Meeting.open(calls, alice)
    voice = Voice(meeting, alice)
    assert voice.protector.ready
    assert meeting.at(alice).epoch == 0
    meeting.join(bob, carol)
    calls.advance(100)
    assert voice.reaches(bob, carol)
    assert Voice(meeting, carol).reaches(alice, bob)


@pytest.mark.requirement("GROUP-18")
def test_who_comes_late_is_told_what_the_others_publish(calls: SimulatedCalls) -> None:
    alice, bob, carol = (calls.device(name) for name in ("alice", "bob", "carol"))
    meeting = Meeting.of(calls, alice, bob)
    meeting.at(bob).announce([MICROPHONE], calls.now)
    calls.settle()
    told = alice.last(StreamsChanged)
    assert (told.member.account_id, told.streams) == ("bob", (MICROPHONE,))
    meeting.join(carol)
    assert carol.last(StreamsChanged).streams == (MICROPHONE,)
    assert meeting.at(carol).streams == {meeting.leaf(bob): (MICROPHONE,)}
    meeting.at(bob).announce([], calls.now)
    calls.settle()
    assert meeting.at(carol).streams == {}


def test_what_is_written_reaches_everybody(calls: SimulatedCalls) -> None:
    alice, bob, carol = (calls.device(name) for name in ("alice", "bob", "carol"))
    meeting = Meeting.of(calls, alice, bob, carol)
    number = meeting.at(carol).chat.say("Can you all read this?")
    calls.settle()
    for device in (alice, bob):
        received = device.last(TextReceived)
        assert (received.leaf, received.number) == (meeting.leaf(carol), number)
        assert received.text == "Can you all read this?"


@pytest.mark.requirement("GROUP-16", "DS-19")
def test_who_leaves_is_gone_at_once_and_its_leaf_soon(calls: SimulatedCalls) -> None:
    alice, bob, carol = (calls.device(name) for name in ("alice", "bob", "carol"))
    meeting = Meeting.of(calls, alice, bob, carol)
    left = meeting.at(carol)
    leaf, voice = meeting.leaf(carol), Voice(meeting, carol)
    left.leave(calls.now)
    with pytest.raises(NoSendKey):
        voice.say(b"nobody hears this")
    with pytest.raises(CallUsageError) as refused:
        assert left.members
    assert refused.value.reason is CallReason.NO_GROUP
    calls.settle()
    assert carol.last(Ended) == Ended(meeting.call_id, EndReason.LEFT, remote=False)
    assert meeting.at(alice).left == {leaf}
    assert alice.last(MemberLeft).member.account_id == "carol"
    meeting.pause()
    meeting.agree(alice, bob)
    assert meeting.at(alice).left == frozenset()
    assert [member.account_id for member in bob.last(MembersChanged).removed] == ["carol"]


@pytest.mark.requirement("GROUP-16")
def test_the_last_one_who_leaves_ends_nobodys_call(calls: SimulatedCalls) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    meeting = Meeting.of(calls, alice, bob)
    meeting.at(alice).leave(calls.now)
    meeting.pause()
    assert meeting.names(bob) == ["bob"]
    meeting.at(bob).leave(calls.now)
    calls.settle()
    calls.advance(20_000)
    assert alice.core.group_calls == bob.core.group_calls == {}
    assert alice.refused == bob.refused == []


def test_who_left_may_come_again(calls: SimulatedCalls) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    meeting = Meeting.of(calls, alice, bob)
    meeting.at(bob).leave(calls.now)
    meeting.pause()
    meeting.join(bob)
    meeting.agree(alice, bob)
    assert not bob.last(Joined).anew


def test_who_comes_again_before_its_old_leaf_is_removed_takes_its_place(
    calls: SimulatedCalls,
) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    meeting = Meeting.of(calls, alice, bob)
    meeting.at(bob).leave(calls.now)
    meeting.ask(bob)
    meeting.pause()
    meeting.agree(alice, bob)


def test_nobody_is_in_a_call_twice(calls: SimulatedCalls) -> None:
    alice = calls.device("alice")
    meeting = Meeting.open(calls, alice)
    with pytest.raises(CallUsageError) as refused:
        meeting.ask(alice)
    assert refused.value.reason is GroupReason.ALREADY_IN_CALL


@pytest.mark.requirement("GROUP-1")
def test_a_call_that_the_service_does_not_take_is_not_used(calls: SimulatedCalls) -> None:
    alice = calls.device("alice")
    call = alice.core.create_group_call(calls.now)
    with pytest.raises(CallUsageError) as refused:
        call.open_stream(Codec.OPUS, Kind.MICROPHONE)
    assert refused.value.reason is CallReason.NO_GROUP
    calls.disconnect(alice)
    calls.advance(10_000)
    assert alice.last(Ended).reason is EndReason.LOST
    assert alice.core.group_calls == {}


@pytest.mark.requirement("GROUP-1")
def test_opening_survives_a_lost_connection(calls: SimulatedCalls) -> None:
    """Also if the service had taken the call and its word was lost."""
    alice, bob = calls.device("alice"), calls.device("bob")
    for lost in (False, True):
        call = alice.core.create_group_call(calls.now)
        calls.send()
        if lost:
            calls.submit(alice)
        calls.disconnect(alice)
        calls.reconnect(alice)
        calls.settle()
        assert call.state is State.IN_CALL
    assert call.link is not None
    Meeting(calls, alice, call.call_id, call.link).join(bob)
    assert alice.refused == []


@pytest.mark.requirement("GROUP-17")
def test_a_call_that_the_service_does_not_know_ends(calls: SimulatedCalls) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    meeting = Meeting.open(calls, alice)
    elsewhere = SimulatedCalls(calls._entropy.fork(b"elsewhere")).device("bob")
    call = elsewhere.core.join_group_call(meeting.link, calls.now)
    assert call.state is State.ASKING
    link = type(meeting.link).create(bob.owner.entropy, bytes(16))
    unknown = bob.core.join_group_call(link, calls.now)
    calls.settle()
    assert unknown.state is State.ENDED
    assert bob.last(Ended).reason is EndReason.REFUSED


def test_a_closed_call_is_for_those_who_are_listed(calls: SimulatedCalls) -> None:
    alice, bob, carol = (calls.device(name) for name in ("alice", "bob", "carol"))
    meeting = Meeting.of(calls, alice, bob, join_policy=JoinPolicy.CLOSED)
    meeting.agree(alice, bob)
    meeting.ask(carol)
    calls.settle()
    assert carol.last(Ended).reason is EndReason.REFUSED
    assert "NOT_ADMITTED" in carol.last(Ended).detail
