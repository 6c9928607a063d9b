"""The state table of a group call, as data and as calls move by it: every cell of it, with real devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import pytest

from e2ee.call import epochs as epochs_module
from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.group.actions import ACTIONS
from e2ee.call.group.group_call import GroupCall
from e2ee.call.group.machine import GroupCallMachine
from e2ee.call.group.states import TRANSITIONS, WAYS_BACK, Action, Input, State
from e2ee.call.mls_messages import application_message
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import ProposalContent, Remove
from e2ee.profile import gone
from e2ee.profile.call_profile import JoinPolicy
from e2ee.profile.leaves import committer_policy
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.scenarios.meeting import COMMIT_PAUSE, Meeting

ORDER = list(State)
FULL = [(state, happened) for state, row in TRANSITIONS.items() for happened in row]


# ------------------------------------------------------------------------------------------ the table as data


def test_every_state_has_a_row() -> None:
    assert set(TRANSITIONS) == set(State)


@pytest.mark.requirement("GROUP-20", "GROUP-21")
def test_all_ways_back_are_declared() -> None:
    back = {
        (state, happened)
        for state, happened in FULL
        if ORDER.index(TRANSITIONS[state][happened].state) < ORDER.index(state)
    }
    assert back == WAYS_BACK


@pytest.mark.requirement("GROUP-21")
def test_whoever_cannot_follow_the_log_erases_its_epochs_before_it_asks_again() -> None:
    for state, happened in WAYS_BACK:
        action, after = TRANSITIONS[state][happened]
        if after is State.ASKING and state is not State.IN_LOBBY:
            assert action is Action.JOIN_ANEW


@pytest.mark.requirement("GROUP-1", "GROUP-11")
def test_who_is_in_the_call_opened_it_or_has_a_welcome() -> None:
    ways = {
        (state, happened)
        for state, happened in FULL
        if TRANSITIONS[state][happened].state is State.IN_CALL
        and state not in (State.IN_CALL, State.STRANDED)
    }
    asking = (State.ASKING, State.IN_LOBBY, State.FETCHING)
    assert ways == {
        (State.OPENING, Input.OPENED),
        (State.FETCHING, Input.TREE_COMPLETE),
        *((state, Input.WELCOMED) for state in asking),
    }


@pytest.mark.requirement("CALL-13")
def test_nothing_is_allowed_after_the_end() -> None:
    assert TRANSITIONS[State.ENDED] == {}


@pytest.mark.requirement("GROUP-16")
def test_a_person_can_leave_in_every_other_state() -> None:
    can = {state for state, row in TRANSITIONS.items() if Input.LEAVE in row}
    assert can == set(State) - {State.ENDED}


def test_every_action_is_used_and_has_its_method() -> None:
    used = {transition.action for row in TRANSITIONS.values() for transition in row.values()}
    assert used == set(Action) == set(ACTIONS)


def test_every_input_is_somewhere_allowed() -> None:
    assert {happened for row in TRANSITIONS.values() for happened in row} == set(Input)


# ------------------------------------------------------------------------------------- the table as calls move by it


@dataclass
class Scene:
    """A group call with Alice, who opened it, and Carol; Bob's is looked at, who is a host, too, when he is in."""

    calls: SimulatedCalls
    alice: SimulatedDevice
    bob: SimulatedDevice
    carol: SimulatedDevice
    dave: SimulatedDevice
    """May come in, and has not yet."""
    erin: SimulatedDevice
    """May not, unless a host admits her."""
    meeting: Meeting = field(init=False)

    @property
    def call(self) -> GroupCall:
        return self.meeting.at(self.bob)

    def begin(self) -> None:
        accounts = [each.account.public for each in (self.bob, self.carol, self.dave)]
        policy = JoinPolicy.ADMITTED
        self.meeting = Meeting.open(
            self.calls, self.alice, join_policy=policy, accounts=tuple(accounts)
        )
        self.meeting.join(self.carol)

    def add_bob(self, index: int = 0) -> None:
        """Alice commits that he comes in, by his request of this number."""
        self.alice.inbox.clear()
        self.calls.now += COMMIT_PAUSE
        requests = self.asked[index]
        requested = messages.JoinRequested(
            self.meeting.call_id, requests.key_package, 0, lobby=False
        )
        self.calls.give(self.alice, requested)
        self.calls.submit_all(self.alice)
        self.calls.deliver_all(self.alice)

    @property
    def asked(self) -> list[messages.Join]:
        return self.bob.sending(messages.Join)

    def come_in(self) -> None:
        self.calls.settle()
        self.calls.advance(COMMIT_PAUSE)
        self.meeting.at(self.alice).make_host(self.meeting.leaf(self.bob), self.calls.now)
        self.calls.advance(COMMIT_PAUSE)
        self.meeting.agree(self.alice, self.bob, self.carol)
        self.calls.now += COMMIT_PAUSE

    def give(self, message: messages.FromService) -> None:
        self.calls.give(self.bob, message)

    def refuse(self, request: str, reason: str) -> None:
        self.give(messages.Refused(request, self.meeting.call_id, reason, "not"))

    def say(self, message: CallMessage) -> None:
        """Carol says something, and it reaches Bob."""
        self.meeting.at(self.carol)._actions.inside.say(message)
        self.calls.submit_all(self.carol)
        self.calls.deliver_all(self.bob)

    def commit(self, device: SimulatedDevice, *proposals: ProposalContent) -> None:
        """A commit that MLS allows, in a device's epoch, reaches Bob."""
        group = self.meeting.at(device)._actions.in_group._group
        policy, entropy = committer_policy(self.calls.now), device.owner.entropy
        pending = group.commit(proposals=proposals, policy=policy, entropy=entropy)
        self.give(messages.Committed(self.meeting.call_id, pending.message.encode()))


@pytest.fixture
def reach(calls: SimulatedCalls, monkeypatch: pytest.MonkeyPatch) -> Callable[[State], Scene]:
    """A group call in the state that is asked for, at Bob's device."""
    names = ("alice", "bob", "carol", "dave", "erin")
    scene = Scene(calls, *(calls.device(name) for name in names))

    def without_trees() -> None:
        monkeypatch.setattr(epochs_module, "MEMBERS_WITH_TREE", 0)

    def opening() -> None:
        scene.meeting = Meeting(
            calls,
            scene.bob,
            scene.bob.core.create_group_call(calls.now).call_id,
            None,  # type: ignore[arg-type]  # there is none yet
        )

    def asking() -> None:
        scene.begin()
        scene.meeting.ask(scene.bob)
        calls.send()

    def in_lobby() -> None:
        asking()
        scene.give(messages.Joining(scene.meeting.call_id, lobby=True))

    def fetching() -> None:
        asking()
        scene.call._step(Input.ASK_DUE, None, calls.now)
        calls.send()
        without_trees()
        scene.add_bob()
        calls.deliver_all(scene.bob)
        monkeypatch.undo()

    def in_call() -> None:
        asking()
        scene.come_in()

    def stranded() -> None:
        in_call()
        scene.commit(scene.carol, Remove(scene.meeting.leaf(scene.alice)))

    def ended() -> None:
        in_call()

    ways = {
        State.OPENING: opening,
        State.ASKING: asking,
        State.IN_LOBBY: in_lobby,
        State.FETCHING: fetching,
        State.IN_CALL: in_call,
        State.STRANDED: stranded,
        State.ENDED: ended,
    }

    def to(state: State) -> Scene:
        ways[state]()
        calls.send()
        return scene

    return to


def _welcomed(scene: Scene) -> None:
    """By the newest of his requests: in FETCHING not the one that the Welcome was for that he has."""
    scene.add_bob(-1)
    scene.calls.deliver_all(scene.bob)


def _tree_wanted(scene: Scene) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(epochs_module, "MEMBERS_WITH_TREE", 0)
        _welcomed(scene)


def _tree(scene: Scene) -> bytes:
    return scene.meeting.at(scene.alice)._actions.in_group._group.tree.encode()


def _give_tree(scene: Scene, data: bytes, size: int) -> None:
    epoch = scene.meeting.at(scene.alice).epoch
    scene.give(messages.Tree(scene.meeting.call_id, epoch, 0, size, data))


def _tree_part(scene: Scene) -> None:
    tree = _tree(scene)
    _give_tree(scene, tree[:100], len(tree))


def _tree_complete(scene: Scene) -> None:
    tree = _tree(scene)
    _give_tree(scene, tree, len(tree))


def _refused(scene: Scene) -> None:
    request, reason = {
        State.OPENING: ("open", "WHY"),
        State.ASKING: ("join", "RATE_LIMITED"),
        State.IN_LOBBY: ("join", "RATE_LIMITED"),
    }.get(scene.call.state, ("send", "WHY"))
    scene.refuse(request, reason)


def _other_suite(scene: Scene) -> None:
    asking = scene.call._actions.asking
    assert asking is not None
    asking._suites.insert(0, 0x0001)
    scene.refuse("join", "KEY_PACKAGE_CIPHER_SUITE")


def _ask(scene: Scene, device: SimulatedDevice) -> None:
    scene.meeting.ask(device)
    scene.calls.submit_all(device)
    scene.calls.deliver_all(scene.bob)


def _before_its_time(scene: Scene) -> None:
    """Something that Carol said when Bob was not in, as far as its header says."""
    if scene.call.state in (State.IN_CALL, State.STRANDED):
        group = scene.meeting.at(scene.carol)._actions.in_group._group
        said = application_message(group.protect(b"", entropy=scene.carol.owner.entropy).encode())
        before = MLSMessage.of(replace(said, epoch=0)).encode()
        scene.give(messages.Sent(scene.meeting.call_id, before))
    else:
        scene.give(messages.Presence(scene.meeting.call_id, 0, connected=True))


def _turn_away(scene: Scene) -> None:
    _ask(scene, scene.erin)
    scene.call.turn_away("erin", scene.calls.now)


def _gone(scene: Scene) -> None:
    meeting, leaf = scene.meeting, scene.meeting.leaf(scene.carol)
    key, epoch = scene.calls.identity.delivery_key, scene.call.epoch
    statement = gone.signed(key, meeting.call_id, epoch, leaf, scene.calls.now)
    scene.give(messages.Gone(meeting.call_id, statement.encode(), 1))


def _voided(scene: Scene) -> None:
    scene.give(messages.Voided(scene.meeting.call_id, scene.call.epoch))


def _voided_here(scene: Scene) -> None:
    """The commit before the one that he applied, or was added by."""
    epoch = scene.meeting.at(scene.alice).epoch - 1
    scene.give(messages.Voided(scene.meeting.call_id, epoch))


def _presence(scene: Scene) -> None:
    leaf = scene.meeting.leaf(scene.carol)
    scene.give(messages.Presence(scene.meeting.call_id, leaf, connected=True))


def _invalid_commit(scene: Scene) -> None:
    """Of Carol, who is no host."""
    scene.commit(scene.carol, Remove(scene.meeting.leaf(scene.alice)))


def _third_invalid_commit(scene: Scene) -> None:
    scene.call._actions.invalid_commits = 2
    _invalid_commit(scene)


def _reconnect(scene: Scene) -> None:
    scene.calls.disconnect(scene.bob)
    scene.calls.reconnect(scene.bob)


LASTS = {State.OPENING: 10_000, State.FETCHING: 30_000, State.STRANDED: 8_000}
"""GROUP-20 and others, in milliseconds."""


def _timeout(scene: Scene) -> None:
    call, state = scene.call, scene.call.state
    ends_at = scene.calls.now + LASTS[state]
    call.handle_timer(ends_at - 1)
    assert call.state is state
    call.handle_timer(ends_at)


ASKS_AGAIN = {State.ASKING: 3_000, State.IN_LOBBY: 45_000}
"""GROUP-7, in milliseconds."""


def _ask_is_due(scene: Scene) -> None:
    call, before = scene.call, len(scene.call._actions.outbox)
    due_at = scene.calls.now + ASKS_AGAIN[call.state]
    call.handle_timer(due_at - 1)
    assert len(call._actions.outbox) == before
    call.handle_timer(due_at)


def _alive_is_due(scene: Scene) -> None:
    """As if the state had lasted a period already."""
    scene.call._actions.in_group.alive.said(scene.calls.now - 15_000)
    scene.call.handle_timer(scene.calls.now)


HAPPENINGS: Mapping[Input, Callable[[Scene], object]] = {
    Input.SAY: lambda scene: scene.call.raise_hand(True, scene.calls.now),  # noqa: FBT003
    Input.CHANGE: lambda scene: scene.call.everybody_speaks(scene.calls.now),
    Input.TURN_AWAY: _turn_away,
    Input.ASK_FORWARDER: lambda scene: scene.call.subscribe_media(),
    Input.LEAVE: lambda scene: scene.call.leave(scene.calls.now),
    Input.LOST: lambda scene: scene.calls.disconnect(scene.bob),
    Input.LOGGED_IN: _reconnect,
    Input.OPENED: lambda scene: scene.give(messages.Stored("open", scene.meeting.call_id)),
    Input.MEMBERS_ASKED: lambda scene: scene.give(
        messages.Joining(scene.meeting.call_id, lobby=False)
    ),
    Input.HOSTS_ASKED: lambda scene: scene.give(
        messages.Joining(scene.meeting.call_id, lobby=True)
    ),
    Input.WELCOMED: _welcomed,
    Input.TREE_WANTED: _tree_wanted,
    Input.TREE_PART: _tree_part,
    Input.TREE_COMPLETE: _tree_complete,
    Input.TREE_USELESS: lambda scene: _give_tree(scene, b"no tree", 7),
    Input.MEANWHILE: lambda scene: scene.give(messages.Sent(scene.meeting.call_id, b"later")),
    Input.BEFORE_ITS_TIME: _before_its_time,
    Input.TURNED_AWAY: lambda scene: scene.give(messages.TurnedAway(scene.meeting.call_id)),
    Input.OTHER_SUITE: _other_suite,
    Input.ANSWERED_LATE: lambda scene: scene.refuse("join", "RATE_LIMITED"),
    Input.NOT_LET_IN: lambda scene: scene.refuse("join", "BANNED"),
    Input.JOIN_REQUESTED: lambda scene: _ask(scene, scene.dave),
    Input.KNOCKED: lambda scene: _ask(scene, scene.erin),
    Input.GONE: _gone,
    Input.VOIDED: _voided,
    Input.VOIDED_HERE: _voided_here,
    Input.PRESENCE: _presence,
    Input.FORWARDER: lambda scene: scene.give(messages.MediaLost(scene.meeting.call_id)),
    Input.REFUSED: _refused,
    Input.COMMIT_REFUSED: lambda scene: scene.refuse("commit", "TOO_SOON"),
    Input.LEFT_BEHIND: lambda scene: scene.refuse("send", "NOT_A_MEMBER"),
    Input.CALL_UNKNOWN: lambda scene: scene.refuse("", "UNKNOWN_CALL"),
    Input.COMMITTED: lambda scene: scene.commit(scene.carol),
    Input.REMOVED: lambda scene: scene.commit(scene.alice, Remove(scene.meeting.leaf(scene.bob))),
    Input.CUT_OFF: lambda scene: scene.refuse("", "GONE"),
    Input.INVALID_COMMIT: _invalid_commit,
    Input.THIRD_INVALID_COMMIT: _third_invalid_commit,
    Input.ALIVE: lambda scene: scene.say(messages.Alive(scene.call.epoch, scene.calls.now)),
    Input.SAID: lambda scene: scene.say(messages.Hand(raised=True)),
    Input.TIMEOUT: _timeout,
    Input.ASK_DUE: _ask_is_due,
    Input.COMMIT_DUE: lambda scene: scene.call.handle_timer(scene.calls.now + 610_000),
    Input.ALIVE_DUE: _alive_is_due,
}
"""How each input comes about in a group call between real devices."""


@pytest.mark.requirement("GROUP-24")
@pytest.mark.parametrize(("state", "happened"), FULL)
def test_what_is_in_the_table_moves_the_call_as_the_table_says(
    reach: Callable[[State], Scene], state: State, happened: Input
) -> None:
    scene = reach(state)
    call = scene.call
    assert call.state is state
    steps: list[tuple[State, Input, State]] = []
    call._step = partial(_noted, steps, call)  # type: ignore[method-assign]
    HAPPENINGS[happened](scene)
    assert (state, happened, TRANSITIONS[state][happened].state) in steps
    assert scene.bob.refused == []


def _noted(
    steps: list[tuple[State, Input, State]],
    call: GroupCall,
    happened: Input,
    payload: object,
    now: int,
) -> None:
    """``GroupCall._step``, and a note of what happened in which state, and led to which."""
    before = call.state
    GroupCallMachine._step(call, happened, payload, now)
    steps.append((before, happened, call.state))


@pytest.mark.requirement("GROUP-24")
@pytest.mark.parametrize("state", list(State))
def test_what_is_not_in_the_table_is_refused_and_changes_nothing(
    reach: Callable[[State], Scene], state: State
) -> None:
    scene = reach(state)
    call = scene.call
    if state is State.ENDED:
        call.leave(scene.calls.now)
        scene.calls.send()
    before = snapshot(call)
    for happened in set(Input) - set(TRANSITIONS[state]):
        with pytest.raises(CallRefused) as refused:
            call._step(happened, None, scene.calls.now)
        assert refused.value.reason is CallReason.NOT_IN_THIS_STATE
    assert snapshot(call) == before
