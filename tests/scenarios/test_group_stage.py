"""A webinar: few speak, many watch; hands go up, somebody is asked onto the stage, and off it again (GROUP-13)."""

from __future__ import annotations

import pytest

from e2ee.call.alive import StopReason
from e2ee.call.errors import CallUsageError
from e2ee.call.events import SendingResumed, SendingStopped
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import (
    HandRaised,
    InvitedToStage,
    MuteRequested,
    StageReplied,
    StreamsChanged,
)
from e2ee.call.group.streams import AnnouncedStream, announcement
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.opener import Rejected
from e2ee.media.reasons import RejectReason
from e2ee.profile.call_profile import CallProfile
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.scenarios.meeting import COMMIT_PAUSE, Meeting, Voice

MICROPHONE = AnnouncedStream(Kind.MICROPHONE, 0, Codec.OPUS, "0")


@pytest.fixture
def people(calls: SimulatedCalls) -> list[SimulatedDevice]:
    return [calls.device(name) for name in ("alice", "bob", "carol")]


@pytest.fixture
def webinar(calls: SimulatedCalls, people: list[SimulatedDevice]) -> Meeting:
    """Alice's, of which only she is a speaker."""
    alice = people[0]
    made = Meeting.of(calls, *people, speakers=(alice.account.public,))
    calls.advance(COMMIT_PAUSE)
    return made


def say(calls: SimulatedCalls, meeting: Meeting, who: SimulatedDevice, said: CallMessage) -> None:
    """Something that a member's own device would not let it say, if need be."""
    meeting.at(who)._actions.inside.say(said)
    calls.settle()


def reasons(*devices: SimulatedDevice) -> list[object]:
    return [error.reason for device in devices for error in device.refused]


@pytest.mark.requirement("GROUP-13")
def test_who_is_no_speaker_sends_nothing(
    calls: SimulatedCalls, webinar: Meeting, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol = people
    assert [webinar.at(each).may_speak for each in people] == [True, False, False]
    with pytest.raises(CallUsageError) as refused:
        webinar.at(bob).open_stream(Codec.OPUS, Kind.MICROPHONE)
    assert refused.value.reason is GroupReason.NOT_A_SPEAKER
    with pytest.raises(CallUsageError) as unannounced:
        webinar.at(bob).announce([MICROPHONE], calls.now)
    assert unannounced.value.reason is GroupReason.NOT_A_SPEAKER
    assert bob.told(SendingStopped) == carol.told(SendingStopped) == []
    assert Voice(webinar, alice).reaches(bob, carol)


@pytest.mark.requirement("FRAME-7", "GROUP-13")
def test_a_frame_of_a_viewer_is_opened_by_nobody(
    calls: SimulatedCalls, webinar: Meeting, people: list[SimulatedDevice]
) -> None:
    """Bob's software makes one all the same: it takes everybody for a speaker."""
    alice, bob, carol = people
    webinar.at(alice)._actions.send_commit(True, calls.now)  # noqa: FBT003
    calls.submit_all(alice)
    for device in (alice, carol):
        calls.deliver_all(device)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(CallProfile, "may_speak", lambda *_: True)
        calls.deliver_all(bob)
        calls.settle()
        calls.advance(1_000)
        frame = Voice(webinar, bob).say(b"me, too")
    voice = Voice(webinar, alice)
    for listener in (alice, carol):
        heard = voice.hear(listener, frame)
        assert isinstance(heard, Rejected)
        assert heard.reason is RejectReason.NOT_A_SPEAKER


@pytest.mark.requirement("GROUP-13")
def test_a_hand_an_invitation_a_word_and_off_again(
    calls: SimulatedCalls, webinar: Meeting, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol = people
    leaf = webinar.leaf(bob)
    webinar.at(bob).raise_hand(True, calls.now)  # noqa: FBT003
    calls.settle()
    for device in (alice, carol):
        raised = device.last(HandRaised)
        assert (raised.member.account_id, raised.raised) == ("bob", True)
        assert webinar.at(device).hands == {leaf}

    webinar.at(alice).invite_to_stage(leaf, calls.now)
    calls.settle()
    assert bob.last(InvitedToStage).host.account_id == "alice"
    assert carol.told(InvitedToStage) == []
    assert not webinar.at(bob).may_speak  # not before a host's commit
    webinar.at(bob).reply_to_stage(True, calls.now)  # noqa: FBT003
    calls.settle()
    replied = alice.last(StageReplied)
    assert (replied.member.account_id, replied.accepted) == ("bob", True)

    webinar.at(alice).take_on_stage(leaf, calls.now)
    webinar.pause()
    webinar.agree(*people)
    assert webinar.at(bob).may_speak
    assert len(bob.told(SendingResumed)) == 1
    calls.advance(1_000)
    voice = Voice(webinar, bob)
    assert voice.reaches(alice, carol)
    webinar.at(bob).announce([MICROPHONE], calls.now)
    calls.settle()

    webinar.at(alice).take_off_stage(leaf, calls.now)
    webinar.pause()
    webinar.agree(*people)
    assert not voice.protector.ready
    assert bob.last(SendingStopped).reason is StopReason.NOT_A_SPEAKER
    assert webinar.at(carol).streams == {}
    assert carol.last(StreamsChanged).streams == ()


@pytest.mark.requirement("GROUP-13")
def test_who_was_not_asked_gives_no_answer(
    calls: SimulatedCalls, webinar: Meeting, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol = people
    with pytest.raises(CallUsageError) as refused:
        webinar.at(bob).reply_to_stage(True, calls.now)  # noqa: FBT003
    assert refused.value.reason is GroupReason.NOT_INVITED
    say(calls, webinar, bob, messages.StageReply(accepted=True))
    assert reasons(alice, carol) == [GroupReason.NOT_INVITED] * 2
    webinar.at(alice).invite_to_stage(webinar.leaf(bob), calls.now)
    calls.settle()
    webinar.at(bob).reply_to_stage(False, calls.now)  # noqa: FBT003
    say(calls, webinar, bob, messages.StageReply(accepted=True))  # one answer to one question
    assert not alice.last(StageReplied).accepted
    assert reasons(alice, carol) == [GroupReason.NOT_INVITED] * 4


@pytest.mark.requirement("GROUP-13", "GROUP-14", "GROUP-15")
@pytest.mark.parametrize(
    "said",
    [
        messages.StageInvitation(2),
        messages.MuteRequest(2, 0),
        messages.Removing(0),
        messages.NewLink(bytes(32)),
    ],
    ids=lambda said: said.name,
)
def test_what_hosts_say_is_refused_from_others(
    calls: SimulatedCalls, webinar: Meeting, people: list[SimulatedDevice], said: CallMessage
) -> None:
    alice, bob, carol = people
    say(calls, webinar, bob, said)
    assert reasons(alice, carol) == [GroupReason.NOT_A_HOST] * 2
    assert [*carol.told(InvitedToStage), *carol.told(MuteRequested)] == []
    calls.advance(4_000)
    assert Voice(webinar, alice).reaches(bob, carol)


@pytest.mark.requirement("GROUP-13")
def test_a_host_asks_somebody_to_be_quiet(
    calls: SimulatedCalls, webinar: Meeting, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol = people
    webinar.at(alice).everybody_speaks(calls.now)
    webinar.pause()
    calls.advance(1_000)
    voice = Voice(webinar, bob)
    webinar.at(alice).request_mute(webinar.leaf(bob), Kind.MICROPHONE, calls.now)
    calls.settle()
    asked = bob.last(MuteRequested)
    assert (asked.host.account_id, asked.kind) == ("alice", Kind.MICROPHONE)
    assert carol.told(MuteRequested) == []
    assert voice.reaches(alice, carol)  # it is Bob's to do


@pytest.mark.requirement("GROUP-13")
def test_the_last_speaker_who_goes_off_the_stage_leaves_it_to_the_host(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    """An empty list would let everybody speak."""
    alice, bob, carol = people
    meeting = Meeting.of(calls, *people, speakers=(bob.account.public,))
    calls.advance(COMMIT_PAUSE)
    meeting.at(alice).take_off_stage(meeting.leaf(bob), calls.now)
    meeting.pause()
    assert [meeting.at(each).may_speak for each in people] == [True, False, False]
    meeting.at(alice).take_on_stage(meeting.leaf(carol), calls.now)
    meeting.pause()
    meeting.at(alice).ban(meeting.leaf(carol), calls.now)
    meeting.pause()
    assert [meeting.at(each).may_speak for each in (alice, bob)] == [True, False]


def test_off_the_stage_in_a_meeting_of_all(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, bob, _ = people
    meeting = Meeting.of(calls, *people)
    calls.advance(COMMIT_PAUSE)
    meeting.at(alice).take_off_stage(meeting.leaf(bob), calls.now)
    meeting.pause()
    assert [meeting.at(each).may_speak for each in people] == [True, False, True]
    with pytest.raises(CallUsageError) as refused:
        meeting.at(alice).take_off_stage(meeting.leaf(alice), calls.now)
    assert refused.value.reason is GroupReason.IS_A_HOST


@pytest.mark.requirement("GROUP-18")
@pytest.mark.parametrize(
    "said",
    [
        messages.Streams((0,), (0, 1), ("opus",), ("0",)),
        messages.Streams((9,), (0,), ("opus",), ("0",)),
        messages.Streams((4,), (0,), ("opus",), ("0",)),
        messages.Streams((0,), (16,), ("opus",), ("0",)),
        messages.Streams((0,), (0,), ("G.711",), ("0",)),
        messages.Streams((0,), (0,), ("opus",), ("",)),
        messages.Streams((0,), (0,), ("opus",), ("m" * 17,)),
        messages.Streams((0, 0), (0, 0), ("opus", "opus"), ("0", "1")),
        messages.Streams((0, 1), (0, 0), ("opus", "VP8"), ("0", "0")),
        messages.Streams((1,) * 9, tuple(range(9)), ("VP8",) * 9, tuple(map(str, range(9)))),
    ],
)
def test_an_announcement_that_is_none_is_refused(
    calls: SimulatedCalls, people: list[SimulatedDevice], said: CallMessage
) -> None:
    alice, bob, carol = people
    meeting = Meeting.of(calls, *people)
    meeting.at(bob).announce([MICROPHONE], calls.now)
    calls.settle()
    say(calls, meeting, bob, said)
    assert reasons(alice, carol) == [GroupReason.BAD_STREAMS] * 2
    assert meeting.at(carol).streams == {meeting.leaf(bob): (MICROPHONE,)}


@pytest.mark.requirement("GROUP-18")
def test_a_viewer_announces_nothing(
    calls: SimulatedCalls, webinar: Meeting, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol = people
    say(calls, webinar, bob, announcement([MICROPHONE]))
    assert reasons(alice, carol) == [GroupReason.NOT_A_SPEAKER] * 2
    assert webinar.at(carol).streams == {}


@pytest.mark.requirement("GROUP-18")
def test_who_comes_late_sees_the_hands_that_are_up(
    calls: SimulatedCalls, webinar: Meeting, people: list[SimulatedDevice]
) -> None:
    alice, bob, _ = people
    dave = calls.device("dave")
    webinar.at(bob).raise_hand(True, calls.now)  # noqa: FBT003
    webinar.join(dave)
    calls.settle()
    assert webinar.at(dave).hands == {webinar.leaf(bob)}
    assert len(alice.told(HandRaised)) == 1


@pytest.mark.requirement("GROUP-16")
def test_who_said_that_it_left_says_no_more(
    calls: SimulatedCalls, webinar: Meeting, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol = people
    say(calls, webinar, bob, messages.Left())
    say(calls, webinar, bob, messages.Hand(raised=True))
    assert reasons(alice, carol) == [GroupReason.HAS_LEFT] * 2
    assert webinar.at(alice).left == {webinar.leaf(bob)}
    assert webinar.at(alice).hands == frozenset()


@pytest.mark.requirement("GROUP-24")
@pytest.mark.parametrize(
    "said",
    [
        messages.Offer(0, "video"),
        messages.Accepted(""),
        messages.Hangup("done"),
        messages.Reconnect(1, ""),
        messages.Media(microphone=True, camera=True, screen=False, on_hold=False),
        messages.Ringing(),
    ],
    ids=lambda said: said.name,
)
def test_what_belongs_to_a_call_of_two_is_not_said(
    calls: SimulatedCalls, webinar: Meeting, people: list[SimulatedDevice], said: CallMessage
) -> None:
    alice, bob, carol = people
    say(calls, webinar, bob, said)
    assert reasons(alice, carol) == [GroupReason.NOT_SAID_IN_GROUPS] * 2
    webinar.at(alice).chat.say("We go on.")


@pytest.mark.parametrize("last", ["off", "everybody"])
def test_of_wishes_that_undo_each_other_the_last_one_holds(
    calls: SimulatedCalls, people: list[SimulatedDevice], last: str
) -> None:
    """All before a commit may be made, and another one that is made with them."""
    alice, bob, carol = people
    meeting = Meeting.of(calls, *people)
    call, leaf, epoch = meeting.at(alice), meeting.leaf(bob), meeting.at(alice).epoch
    call.make_host(meeting.leaf(carol), calls.now)
    if last == "everybody":
        call.take_off_stage(leaf, calls.now)
    call.everybody_speaks(calls.now)
    if last == "off":
        call.take_off_stage(leaf, calls.now)
    calls.settle()
    calls.advance(10_000)
    meeting.agree(*people)
    assert meeting.at(bob).may_speak is (last == "everybody")
    assert meeting.at(carol).is_host
    assert meeting.at(bob).epoch == epoch + 1


def test_wishes_that_come_to_nothing_are_no_commit(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, bob, _ = people
    meeting = Meeting.of(calls, *people)
    epoch = meeting.at(alice).epoch
    meeting.at(alice).take_off_stage(meeting.leaf(bob), calls.now)
    meeting.at(alice).everybody_speaks(calls.now)
    calls.advance(10_000)
    meeting.agree(*people)
    assert meeting.at(alice).epoch == epoch
