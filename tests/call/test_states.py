"""The state table, as data and as calls move by it: every cell of it, with real devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import pytest

from e2ee.call.actions import ACTIONS
from e2ee.call.call import Call
from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.sent_media import SentMedia
from e2ee.call.states import TRANSITIONS, Action, Input, State
from e2ee.mls.proposal import Remove
from e2ee.profile.leaves import committer_policy
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

ORDER = list(State)
FULL = [(state, happened) for state, row in TRANSITIONS.items() for happened in row]


# ------------------------------------------------------------------------------------------ the table as data


def test_every_state_has_a_row() -> None:
    assert set(TRANSITIONS) == set(State)


@pytest.mark.requirement("CALL-9")
def test_no_call_goes_back() -> None:
    for state, row in TRANSITIONS.items():
        for transition in row.values():
            assert ORDER.index(transition.state) >= ORDER.index(state)


@pytest.mark.requirement("CALL-9")
def test_a_call_rings_only_when_its_device_lets_it() -> None:
    moves = [
        (state, happened, transition.state)
        for state, row in TRANSITIONS.items()
        for happened, transition in row.items()
        if transition.state is not state
    ]
    begins = {State.LOOKING_UP, State.INVITED}
    assert {after for _, _, after in moves} == set(State) - begins
    to_ringing = [move for move in moves if State.RINGING in move[2:]]
    assert to_ringing == [(State.INVITED, Input.RING, State.RINGING)]


@pytest.mark.requirement("CALL-13")
def test_nothing_is_allowed_after_the_end() -> None:
    assert TRANSITIONS[State.ENDED] == {}


@pytest.mark.requirement("CALL-13")
def test_a_person_can_hang_up_in_every_other_state_but_while_that_is_under_way() -> None:
    can = {state for state, row in TRANSITIONS.items() if Input.HANG_UP in row}
    assert can == set(State) - {State.ENDED, State.CANCELLING}


def test_every_action_is_used_and_has_its_method() -> None:
    used = {transition.action for row in TRANSITIONS.values() for transition in row.values()}
    assert used == set(Action) == set(ACTIONS)


def test_every_input_but_a_second_offer_is_somewhere_allowed() -> None:
    allowed = {happened for row in TRANSITIONS.values() for happened in row}
    assert allowed == set(Input) - {Input.OFFER}


# ------------------------------------------------------------------------------------- the table as calls move by it


@dataclass
class Scene:
    """A call at one device, and everybody who can make something happen to it."""

    calls: SimulatedCalls
    alice: SimulatedDevice
    bob: SimulatedDevice
    tablet: SimulatedDevice
    """Bob's other device."""
    call_id: bytes
    device: SimulatedDevice
    """Where the call is looked at."""
    ring: bool = False
    """Whether it is a ring group."""

    @property
    def call(self) -> Call:
        return self.device.core.calls[self.call_id]

    @property
    def other(self) -> SimulatedDevice:
        """The other side of the one that is looked at."""
        return self.bob if self.device is self.alice else self.alice

    def submit(self, device: SimulatedDevice) -> None:
        """All that a device has to send reaches the service."""
        self.calls.submit_all(device)

    def deliver(self, device: SimulatedDevice) -> None:
        """All that is on its way to a device reaches it."""
        self.calls.deliver_all(device)

    def exchange(self, device: SimulatedDevice) -> None:
        self.submit(device)
        self.deliver(device)

    def say(self, device: SimulatedDevice, message: CallMessage) -> None:
        """A device says something in its epoch, whatever its state, and it reaches the one that is looked at."""
        self.deliver(device)
        device.core.calls[self.call_id]._actions._say(message)
        self.submit(device)
        self.deliver(self.device)

    def commit(self, device: SimulatedDevice, *proposals: Remove) -> bytes:
        """A commit that MLS allows, in the device's epoch."""
        self.deliver(device)
        group = device.core.calls[self.call_id]._actions.in_group._group
        policy, entropy = committer_policy(self.calls.now), device.owner.entropy
        pending = group.commit(proposals=proposals, policy=policy, entropy=entropy)
        return pending.message.encode()

    def cross(self) -> Call:
        """Bob calls, too, and it is his call that goes on; nobody has heard of it."""
        while (own := self.bob.core.place_call("alice", self.calls.now)).call_id < self.call_id:
            own.hang_up(self.calls.now)
        return own

    def story(self) -> Iterator[SimulatedDevice]:
        """A call from its beginning to its middle, step by step; gives where the step was taken."""
        for _ in "looks up", "claims", "invites", "calls":
            yield self.alice
            self.exchange(self.alice)
        yield self.alice
        self.deliver(self.bob)
        self.deliver(self.tablet)
        yield self.bob
        self.bob.call.answer(self.calls.now)
        yield self.bob
        self.submit(self.bob)
        self.deliver(self.alice)
        yield self.alice
        self.deliver(self.bob)
        yield self.bob
        if not self.ring:
            self.alice.call.describe("offer", self.calls.now)
            yield self.alice
        self.submit(self.alice)
        self.deliver(self.bob)
        yield self.bob
        if not self.ring:
            self.bob.call.describe("answer", self.calls.now)
            yield self.bob


@pytest.fixture
def reach(calls: SimulatedCalls) -> Callable[..., Scene]:
    """A call, or a ring group, in the state that is asked for, by the way that calls come there."""

    def to(state: State, *, ring: bool = False) -> Scene:
        alice, bob = calls.device("alice"), calls.device("bob")
        tablet = calls.device("bob", device_id=2)
        call_id = alice.core.place_call("bob", calls.now).call_id
        scene = Scene(calls, alice, bob, tablet, call_id, alice, ring)
        if ring:
            scene.call._actions.group_offer = GROUP_OFFER
        for device in scene.story():
            scene.device = device
            if state is State.CANCELLING and scene.call.state is State.INVITING:
                scene.call.hang_up(calls.now)
            if state is State.INVITED and scene.call.state is State.CALLING:
                scene.cross()  # so that Alice's invitation is held back
                scene.device = bob
                scene.deliver(bob)
            if scene.call.state is state:
                break
        calls.send()
        return scene

    return to


GROUP_OFFER = messages.GroupOffer(0, "voice", bytes(16), (bytes(32),), None, ("alice",))


def _devices(scene: Scene) -> None:
    scene.exchange(scene.alice)


def _nobody(scene: Scene) -> None:
    answer = {
        State.LOOKING_UP: messages.Devices("bob", ()),
        State.CLAIMING: messages.KeyPackages("bob", ()),
    }[scene.call.state]
    scene.calls.give(scene.alice, answer)


def _refused(scene: Scene) -> None:
    request = {State.LOOKING_UP: "find", State.CLAIMING: "claim"}.get(scene.call.state)
    call_id = scene.call_id if request is None else None
    scene.calls.give(scene.device, messages.Refused(request or "commit", call_id, "WHY", "not"))


def _glare(scene: Scene) -> None:
    own = scene.cross()
    while not scene.alice.waiting(messages.Invited):
        scene.exchange(scene.bob)
    invited = scene.alice.waiting(messages.Invited)[0]
    assert invited.call_id == own.call_id
    scene.calls.give(scene.alice, replace(invited, number=0))


def _rings_no_more(scene: Scene) -> None:
    """What held the invitation back is over."""
    (own,) = (call for call in scene.bob.core.calls.values() if call.is_caller)
    own.hang_up(scene.calls.now)
    scene.bob.core.handle_timer(scene.calls.now)


def _tablet_rings(scene: Scene) -> None:
    scene.deliver(scene.tablet)
    scene.submit(scene.tablet)
    scene.deliver(scene.device)


def _all_are_busy(scene: Scene) -> None:
    scene.say(scene.tablet, messages.Busy())
    scene.say(scene.bob, messages.Busy())


def _invalid_commit(scene: Scene) -> None:
    """In epoch 1 not the Answer, later not without proposals."""
    own_leaf = scene.call._actions.in_group.own_leaf
    proposals = [] if scene.call.epoch == 1 else [Remove(own_leaf)]
    commit = scene.commit(scene.other, *proposals)
    scene.calls.give(scene.device, messages.Committed(scene.call_id, commit))


def _answered(scene: Scene) -> None:
    scene.deliver(scene.bob)
    scene.bob.call.answer(scene.calls.now)
    scene.submit(scene.bob)
    scene.deliver(scene.alice)


def _answered_elsewhere(scene: Scene) -> None:
    scene.deliver(scene.tablet)
    scene.tablet.call.answer(scene.calls.now)
    scene.submit(scene.tablet)
    scene.deliver(scene.bob)


def _committed(scene: Scene) -> None:
    scene.deliver(scene.other)
    scene.other.call._actions.send_commit(None, scene.calls.now)
    scene.submit(scene.other)
    scene.deliver(scene.device)


def _accepted(scene: Scene) -> None:
    scene.alice.call.describe("offer", scene.calls.now)
    scene.submit(scene.alice)
    scene.deliver(scene.bob)


def _ring_accepted(scene: Scene) -> None:
    scene.submit(scene.alice)
    scene.deliver(scene.bob)


def _answer_description(scene: Scene) -> None:
    scene.submit(scene.alice)
    scene.deliver(scene.bob)
    if not scene.ring:
        scene.bob.call.describe("answer", scene.calls.now)
    scene.submit(scene.bob)
    scene.deliver(scene.alice)


def _hangup(scene: Scene) -> None:
    scene.deliver(scene.other)
    scene.other.core.calls[scene.call_id].hang_up(scene.calls.now)
    scene.submit(scene.other)
    scene.deliver(scene.device)


LASTS = {
    State.CALLING: 60_000,
    State.INVITED: 90_000,
    State.RINGING: 90_000,
    State.ACCEPTING: 5_000,
}
"""CALL-9, CALL-19: for how many milliseconds; the others, CALL-9 and CALL-29, for ten seconds."""


def _timeout(scene: Scene) -> None:
    """Looked at the call alone: its device's other calls may end sooner."""
    call, ends_at = scene.call, scene.calls.now + LASTS.get(scene.call.state, 10_000)
    state = call.state
    call.handle_timer(ends_at - 1)
    assert call.state is state
    call.handle_timer(ends_at)


def _alive_is_due(scene: Scene) -> None:
    """As if the state had lasted a period already."""
    scene.call._actions.in_group.alive.said(scene.calls.now - 15_000)
    scene.calls.advance(0, settle=False)


MICROPHONE = SentMedia(microphone=True)

HAPPENINGS: Mapping[Input, Callable[[Scene], object]] = {
    Input.ANSWER: lambda scene: scene.call.answer(scene.calls.now),
    Input.DESCRIBE: lambda scene: scene.call.describe("a description", scene.calls.now),
    Input.SAY: lambda scene: scene.call.send_media(MICROPHONE, scene.calls.now),
    Input.HANG_UP: lambda scene: scene.call.hang_up(scene.calls.now),
    Input.RING: _rings_no_more,
    Input.IN_ANOTHER_CALL: lambda scene: scene.call.be_busy(scene.calls.now),
    Input.GLARE: _glare,
    Input.REVOKED: lambda scene: scene.call.peer_revoked(scene.calls.now),
    Input.LOST: lambda scene: scene.calls.disconnect(scene.device),
    Input.DEVICES: _devices,
    Input.KEY_PACKAGES: _devices,
    Input.UNREACHABLE: _nobody,
    Input.REFUSED: _refused,
    Input.INVITE_COMMITTED: lambda scene: scene.exchange(scene.alice),
    Input.ANSWER_COMMITTED: lambda scene: scene.exchange(scene.bob),
    Input.ANSWERED: _answered,
    Input.RING_ANSWERED: _answered,
    Input.ANSWERED_ELSEWHERE: _answered_elsewhere,
    Input.COMMITTED: _committed,
    Input.INVALID_COMMIT: _invalid_commit,
    Input.RINGS: _tablet_rings,
    Input.BUSY: lambda scene: scene.say(scene.tablet, messages.Busy()),
    Input.ALL_BUSY: _all_are_busy,
    Input.ACCEPTED: _accepted,
    Input.ANSWER_DESCRIPTION: _answer_description,
    Input.RING_ACCEPTED: _ring_accepted,
    Input.RING_DESCRIBED: _answer_description,
    Input.ALIVE: lambda scene: scene.say(scene.other, messages.Alive(2, scene.calls.now)),
    Input.SAID: lambda scene: scene.say(
        scene.other, messages.Media(microphone=True, camera=False, screen=False, on_hold=False)
    ),
    Input.HANGUP: _hangup,
    Input.TIMEOUT: _timeout,
    Input.COMMIT_DUE: lambda scene: scene.calls.advance(601_500, settle=False),
    Input.ALIVE_DUE: _alive_is_due,
}
"""How each input comes about in a call between real devices."""

OF_RING_GROUPS = frozenset(
    {State.HANDED_OVER, Input.RING_ANSWERED, Input.RING_ACCEPTED, Input.RING_DESCRIBED}
)
"""What there is in ring groups only."""


@pytest.mark.requirement("CALL-15")
@pytest.mark.parametrize(("state", "happened"), FULL)
def test_what_is_in_the_table_moves_the_call_as_the_table_says(
    reach: Callable[..., Scene], state: State, happened: Input
) -> None:
    scene = reach(state, ring=state in OF_RING_GROUPS or happened in OF_RING_GROUPS)
    call = scene.call
    assert call.state is state
    steps: list[tuple[State, Input]] = []
    call._step = partial(_noted, steps, call)  # type: ignore[method-assign]
    HAPPENINGS[happened](scene)
    assert (state, happened) in steps
    assert call.state is TRANSITIONS[state][happened].state
    assert scene.device.refused == []


def _noted(
    steps: list[tuple[State, Input]], call: Call, happened: Input, payload: object, now: int
) -> None:
    """``Call._step``, and a note of what happened in which state."""
    steps.append((call.state, happened))
    Call._step(call, happened, payload, now)


@pytest.mark.requirement("CALL-15")
@pytest.mark.parametrize("state", list(State))
def test_what_is_not_in_the_table_is_refused_and_changes_nothing(
    reach: Callable[..., Scene], state: State
) -> None:
    reached = state if state is not State.ENDED else State.LIVE
    scene = reach(reached, ring=state in OF_RING_GROUPS)
    call = scene.call
    if state is State.ENDED:
        call.hang_up(scene.calls.now)
        scene.calls.send()
    before = snapshot(call)
    for happened in set(Input) - set(TRANSITIONS[state]):
        with pytest.raises(CallRefused) as refused:
            call._step(happened, None, scene.calls.now)
        assert refused.value.reason is CallReason.NOT_IN_THIS_STATE
    assert snapshot(call) == before
