"""Attacks on what is said in a group call, and to it: by members at any time, by the service unasked, and a second time."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

from e2ee.call.chat.events import TextReceived
from e2ee.call.group import machine
from e2ee.call.group import policy as group_policy
from e2ee.call.group.states import TRANSITIONS, Action, Input, State, Transition
from e2ee.call.group.streams import AnnouncedStream
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.profile.call_profile import JoinPolicy
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import replaced
from e2ee.testing.hostile.group_log import commits, with_a_false_tag
from e2ee.testing.hostile.log import unasked
from e2ee.testing.hostile.meeting import Meeting
from e2ee.testing.hostile.members import everything
from e2ee.testing.hostile.messages_on_their_way import Recorder, forgets_no_key
from e2ee.testing.hostile.platform import honest
from e2ee.testing.hostile.trial import TAKEN, Trial, outcome_of
from e2ee.testing.simulated_calls import SimulatedDevice


def _where(meeting: Meeting, device: SimulatedDevice) -> tuple[Any, ...]:
    """All of a call that no word of a guest's, nor the service's alone, moves."""
    call = device.core.group_calls.get(meeting.call_id)
    if call is None or call._actions.participation is None:
        return (None if call is None else call.state,)
    links = sorted(meeting.epochs(device)._links)
    removals = call._actions.inside.removals.withheld(1 << 62)
    return call.state, call.epoch, call.members, call.profile, links, set(removals)


def _keep_stranded(meeting: Meeting, committer: SimulatedDevice) -> None:
    """A member commits what nobody can follow, and the service does not say that it is void."""
    meeting.platform.down = lambda _, message: (
        () if isinstance(message, messages.Voided) else (message,)
    )
    with_a_false_tag(meeting, committer)


# --------------------------------------------------------------------------------------------------------- by members


_FOR_ALL = {
    *("alive", "chat", "typing", "receipt", "live_text", "caption", "code_commit"),
    *("streams", "hand"),
}
"""What any member may say at any time."""

_EVERYBODY_IS_A_HOST = MappingProxyType(
    {kind: group_policy._Rule(rule.input) for kind, rule in group_policy._RULES.items()}
)


@attack(
    by=Adversary.MEMBER,
    counters=("GROUP-24", "GROUP-13", "GROUP-18", "CALL-15"),
    without=replaced(group_policy, _RULES=_EVERYBODY_IS_A_HOST),
)
def say_anything_in_a_meeting(trial: Trial) -> None:
    """Says each message that there is to a member of a meeting, and to one that cannot follow the log."""
    for state in (State.IN_CALL, State.STRANDED):
        meeting = Meeting.open(trial, "alice", "mallory", "bob", "carol")
        _, mallory, bob, carol = meeting.devices
        if state is State.STRANDED:
            _keep_stranded(meeting, carol)
        trial.claim(f"Bob is {state}", meeting.at(bob).state is state)
        for what, message in everything(meeting.platform.now):
            before = _where(meeting, bob)
            outcome = meeting.tells(meeting.sealed(mallory, message), bob)
            same = before == _where(meeting, bob)
            held = same and (outcome != TAKEN or what.split(",")[0] in _FOR_ALL)
            trial.tried(f"{what} while {state}", held=held, outcome=outcome)


# ----------------------------------------------------------------------------------------------------- by the service


_ENDS_BY_REFUSAL = MappingProxyType(
    {
        state: {**cells, Input.REFUSED: Transition(Action.END_UNKNOWN, State.ENDED)}
        for state, cells in TRANSITIONS.items()
        if state is not State.ENDED
    }
    | {State.ENDED: TRANSITIONS[State.ENDED]}
)


@attack(
    by=Adversary.SERVICE,
    counters=("GROUP-24", "GROUP-20", "CALL-15", "SFU-2", "DS-11"),
    without=replaced(machine, TRANSITIONS=_ENDS_BY_REFUSAL),
)
def answer_what_no_meeting_asked(trial: Trial) -> None:
    """Sends every message that a service can send, unasked, to who asks to join, waits, is in, or is stranded.

    (That a call is unknown, or that a member is gone, it can say at any time: it ends, or the member joins anew.)
    """
    for state in (State.ASKING, State.IN_LOBBY, State.IN_CALL, State.STRANDED):
        meeting, device = _in(trial, state)
        trial.claim(f"somebody is {state}", meeting.at(device).state is state)
        for what, message in _whatever(meeting, device):
            before = _where(meeting, device)
            refused = meeting.platform.give(device, message)
            outcome = outcome_of(refused) if refused else "changes nothing"
            after = _where(meeting, device)
            trial.tried(f"{what} while {state}", held=before == after, outcome=outcome)


def _in(trial: Trial, state: State) -> tuple[Meeting, SimulatedDevice]:
    """A meeting, and a device that is in this state of it."""
    policy = JoinPolicy.ADMITTED if state is State.IN_LOBBY else JoinPolicy.LINK
    meeting = Meeting.open(trial, "alice", "bob", "carol", join_policy=policy)
    if state is State.STRANDED:
        _keep_stranded(meeting, meeting.devices[2])
    if state in {State.STRANDED, State.IN_CALL}:
        return meeting, meeting.devices[1]
    dave = meeting.platform.device("dave")
    dave.core.join_group_call(meeting.link, meeting.platform.now)
    if state is State.IN_LOBBY:
        meeting.platform.settle()
    return meeting, dave


def _whatever(meeting: Meeting, device: SimulatedDevice) -> Iterable[tuple[str, FromService]]:
    call_id, entropy = meeting.call_id, meeting.platform.trial.entropy
    own = unasked(call_id, device)
    for message in own:
        # what the service says of an `open`, and of a `join`, is its answer to who waits for one
        if not isinstance(message, messages.Stored | messages.Refused) or message.call_id is None:
            yield message.name, message
    for request in ("find", "claim", "send", "post", "publish", "want_media", ""):
        yield f"stored {request}", messages.Stored(request, call_id)
        yield f"refused {request}", messages.Refused(request, call_id, "REVOKED", "really")
    junk = entropy.random(200)
    welcome = next(iter(device.core._key_packages._bundles.values())).key_package
    for data in (b"", junk, welcome.encode()):
        yield "added", messages.Added(call_id, data)
        yield "committed", messages.Committed(call_id, data)
        yield "sent", messages.Sent(call_id, data)
        yield "join_requested", messages.JoinRequested(call_id, data, 0, lobby=False)
        yield "gone", messages.Gone(call_id, data, 0)
        yield "tree", messages.Tree(call_id, 1, 0, len(data), data)
    yield "tree, of nothing", messages.Tree(call_id, 1 << 63, 0, 0, b"")
    for epoch in (1 << 63, (1 << 64) - 1):
        yield "voided", messages.Voided(call_id, epoch)
    yield "media_published", messages.MediaPublished(call_id, "v=0")
    yield "media_offer", messages.MediaOffer(call_id, 1, "v=0", ("0",), (0,), ("0",))
    yield "media_offer, unequal", messages.MediaOffer(call_id, 2, "v=0", ("0",), (), ("0", "1"))
    yield "media_offer, again", messages.MediaOffer(call_id, 1, "v=0", (), (), ())
    yield "media_lost", messages.MediaLost(call_id)


# ----------------------------------------------------------------------------------------------------- a second time


@attack(
    by=Adversary.SERVICE,
    counters=("KEYS-5", "CALL-12", "CALL-15", "GROUP-15", "GROUP-24"),
    without=forgets_no_key,
)
def replay_what_was_said_in_a_meeting(trial: Trial) -> None:
    """Delivers again what members and hosts have said: a hand, an invitation to the stage, streams, a text.

    At once, and in the next epoch.
    """
    meeting = Meeting.open(trial, "alice", "bob", "carol")
    platform = meeting.platform
    alice, bob, carol = meeting.devices
    recorder = platform.down = Recorder(bob)
    meeting.at(carol).raise_hand(raised=True, now=platform.now)
    meeting.at(alice).invite_to_stage(meeting.leaf(bob), platform.now)
    meeting.at(carol).announce([AnnouncedStream(Kind.CAMERA, 0, Codec.VP8, "1")], platform.now)
    meeting.at(carol).chat.say("first")
    platform.settle()
    meeting.at(carol).raise_hand(raised=False, now=platform.now)
    meeting.at(carol).announce([], platform.now)
    platform.settle()
    platform.down = honest
    for _ in range(2):
        for number, message in enumerate(recorder.kept):
            what = f"message {number} again, in epoch {meeting.at(bob).epoch}"
            platform.tries(bob, what, message)
        meeting.hands_in(alice, commits(meeting, alice))
        meeting.pause()
    trial.claim("no hand is up", not meeting.at(bob).hands)
    trial.claim("nobody publishes anything", not meeting.at(bob).streams)
    trial.claim("a text was shown once", len(bob.told(TextReceived)) == 1)
