"""The state table, as data and as calls move by it: every cell of it, with real devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from e2ee.call.actions import ACTIONS
from e2ee.call.call import Call
from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.states import TRANSITIONS, Action, Input, State
from e2ee.signalling import messages
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
def test_nothing_leads_to_ringing() -> None:
    begins = {State.LOOKING_UP, State.RINGING}
    reached = {t.state for row in TRANSITIONS.values() for t in row.values()}
    assert reached == set(State) - begins


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

    @property
    def call(self) -> Call:
        return self.device.core.calls[self.call_id]

    @property
    def other(self) -> SimulatedDevice:
        """The other side of the one that is looked at."""
        return self.bob if self.device is self.alice else self.alice

    def submit(self, device: SimulatedDevice) -> None:
        """All that a device has to send reaches the service."""
        self.calls.send()
        while device.outbox:
            self.calls.submit(device)

    def deliver(self, device: SimulatedDevice) -> None:
        """All that is on its way to a device reaches it."""
        while device.inbox:
            self.calls.deliver(device)

    def exchange(self, device: SimulatedDevice) -> None:
        self.submit(device)
        self.deliver(device)

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
        self.alice.call.describe("offer", self.calls.now)
        yield self.alice
        self.submit(self.alice)
        self.deliver(self.bob)
        yield self.bob
        self.bob.call.describe("answer", self.calls.now)
        yield self.bob


@pytest.fixture
def reach(calls: SimulatedCalls) -> Callable[[State], Scene]:
    """A call in the state that is asked for, by the way that calls come there."""

    def to(state: State) -> Scene:
        alice, bob = calls.device("alice"), calls.device("bob")
        tablet = calls.device("bob", device_id=2)
        call_id = alice.core.place_call("bob", calls.now).call_id
        scene = Scene(calls, alice, bob, tablet, call_id, alice)
        for device in scene.story():
            scene.device = device
            if state is State.CANCELLING and scene.call.state is State.INVITING:
                scene.call.hang_up(calls.now)
            if scene.call.state is state:
                break
        calls.send()
        return scene

    return to


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


def _answered(scene: Scene) -> None:
    scene.deliver(scene.bob)
    scene.bob.call.answer(scene.calls.now)
    scene.submit(scene.bob)
    scene.deliver(scene.alice)


def _answered_elsewhere(scene: Scene) -> None:
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


def _answer_description(scene: Scene) -> None:
    scene.submit(scene.alice)
    scene.deliver(scene.bob)
    scene.bob.call.describe("answer", scene.calls.now)
    scene.submit(scene.bob)
    scene.deliver(scene.alice)


def _alive(scene: Scene) -> None:
    scene.deliver(scene.other)
    scene.other.call._actions._say(messages.Alive(scene.other.call.epoch, scene.calls.now))
    scene.submit(scene.other)
    scene.deliver(scene.device)


def _hangup(scene: Scene) -> None:
    scene.deliver(scene.other)
    scene.other.call.hang_up(scene.calls.now)
    scene.submit(scene.other)
    scene.deliver(scene.device)


HAPPENINGS: Mapping[Input, Callable[[Scene], None]] = {
    Input.ANSWER: lambda scene: scene.call.answer(scene.calls.now),
    Input.DESCRIBE: lambda scene: scene.call.describe("a description", scene.calls.now),
    Input.HANG_UP: lambda scene: scene.call.hang_up(scene.calls.now),
    Input.DEVICES: _devices,
    Input.KEY_PACKAGES: _devices,
    Input.UNREACHABLE: _nobody,
    Input.REFUSED: _refused,
    Input.INVITE_COMMITTED: lambda scene: scene.exchange(scene.alice),
    Input.ANSWER_COMMITTED: lambda scene: scene.exchange(scene.bob),
    Input.ANSWERED: _answered,
    Input.ANSWERED_ELSEWHERE: _answered_elsewhere,
    Input.COMMITTED: _committed,
    Input.ACCEPTED: _accepted,
    Input.ANSWER_DESCRIPTION: _answer_description,
    Input.ALIVE: _alive,
    Input.HANGUP: _hangup,
    Input.TIMEOUT: lambda scene: scene.calls.advance(10_000, settle=False),
    Input.COMMIT_DUE: lambda scene: scene.calls.advance(601_500, settle=False),
}
"""How each input comes about in a call between real devices."""


@pytest.mark.requirement("CALL-15")
@pytest.mark.parametrize(("state", "happened"), FULL)
def test_what_is_in_the_table_moves_the_call_as_the_table_says(
    reach: Callable[[State], Scene], state: State, happened: Input
) -> None:
    scene = reach(state)
    call = scene.call
    HAPPENINGS[happened](scene)
    assert call.state is TRANSITIONS[state][happened].state
    assert scene.device.refused == []


@pytest.mark.requirement("CALL-15")
@pytest.mark.parametrize("state", list(State))
def test_what_is_not_in_the_table_is_refused_and_changes_nothing(
    reach: Callable[[State], Scene], state: State
) -> None:
    scene = reach(state if state is not State.ENDED else State.LIVE)
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
