"""What an epoch brings and what it leaves: exports, frame keys, late messages, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.call.call import Call
from e2ee.call.epochs import Epochs
from e2ee.call.errors import CallReason
from e2ee.call.states import State
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.limits import SEND_DEADLINE_AFTER_REMOVAL
from e2ee.mls.errors import Rule, UsageError
from e2ee.mls.key_schedule import export
from e2ee.signalling import messages
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

BASE_KEY_LABEL = "SFrame 1.0 Base Key"


class WatchedFrameKeys(FrameKeys):
    """Frame keys that remember what was installed in them."""

    def __init__(self) -> None:
        super().__init__()
        self.installed: list[FrameEpoch] = []

    def install(self, epoch: FrameEpoch, now: int) -> None:
        self.installed.append(epoch)
        super().install(epoch, now)


def epochs_of(call: Call) -> Epochs:
    assert call._actions.epochs is not None
    return call._actions.epochs


def installed(call: Call) -> list[FrameEpoch]:
    keys = epochs_of(call).frame_keys
    assert isinstance(keys, WatchedFrameKeys)
    return keys.installed


@pytest.fixture
def watched(calls: SimulatedCalls) -> Callable[..., SimulatedDevice]:
    def make(account_id: str, **options: Any) -> SimulatedDevice:
        return calls.device(account_id, frame_keys=WatchedFrameKeys, **options)

    return make


@pytest.mark.requirement("CALL-6", "FKEY-11")
def test_nothing_of_epochs_0_and_1_is_installed(
    calls: SimulatedCalls, watched: Callable[..., SimulatedDevice]
) -> None:
    alice, bob = watched("alice"), watched("bob")
    placed = alice.core.place_call("bob", calls.now)
    for _ in "looks up", "claims":
        calls.send()
        calls.submit(alice)
        calls.deliver(alice)
    assert placed.epoch == 0
    assert installed(placed) == []
    calls.settle()
    assert placed.epoch == bob.call.epoch == 1
    assert installed(placed) == installed(bob.call) == []
    bob.call.answer(calls.now)
    calls.settle()
    assert [epoch.number for epoch in installed(placed)] == [2]


@pytest.mark.requirement("FKEY-1", "FKEY-2", "KEYS-1")
@pytest.mark.parametrize(
    ("suites", "sframe", "length"), [((0x0001,), 0x0004, 16), ((0x0001, 0xF0E2), 0x0005, 32)]
)
def test_both_sides_install_the_same_key_of_the_suites_length(
    calls: SimulatedCalls,
    watched: Callable[..., SimulatedDevice],
    suites: tuple[int, ...],
    sframe: int,
    length: int,
) -> None:
    placed, answered = calls.go_live(watched("alice", suites=suites), watched("bob", suites=suites))
    (at_alice,), (at_bob,) = installed(placed), installed(answered)
    assert at_alice.suite.code_point == at_bob.suite.code_point == sframe
    assert at_alice.base_key == at_bob.base_key
    assert len(at_alice.base_key) == length
    assert (at_alice.own_leaf, at_bob.own_leaf) == (0, 1)
    assert at_alice.roster == at_bob.roster == at_alice.speakers == {0, 1}


@pytest.mark.requirement("FKEY-1")
def test_the_key_is_the_exporters_under_its_label(
    calls: SimulatedCalls, watched: Callable[..., SimulatedDevice]
) -> None:
    """The commit is staged here a second time, so that its exporter can be looked at before it is erased."""
    alice, bob = watched("alice"), watched("bob")
    placed, answered = calls.go_live(alice, bob)
    placed._actions.send_commit(None, calls.now)
    calls.send()
    commit = alice.outbox[0]
    assert isinstance(commit, messages.Commit)
    staged = epochs_of(answered).stage(commit.commit, calls.now).staged
    assert staged.next_epoch is not None
    secret = staged.next_epoch.exporter_secret
    calls.settle()
    kdf = epochs_of(answered)._group.cipher_suite.kdf
    assert installed(answered)[-1].base_key == export(kdf, secret, BASE_KEY_LABEL, b"", 16)


@pytest.mark.requirement("KEYS-16")
def test_the_exporter_is_erased_in_every_epoch(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    seen = set()
    placed = alice.core.place_call("bob", calls.now)
    for _ in range(2):
        calls.send()
        calls.submit(alice)
        calls.deliver(alice)
    seen |= exporters_are_erased(placed)
    calls.settle()
    seen |= exporters_are_erased(placed, bob.call)
    bob.call.answer(calls.now)
    calls.settle()
    seen |= exporters_are_erased(placed, bob.call)
    placed._actions.send_commit(None, calls.now)
    calls.settle()
    seen |= exporters_are_erased(placed, bob.call)
    assert seen == {0, 1, 2, 3}


def exporters_are_erased(*called: Call) -> set[int]:
    for call in called:
        with pytest.raises(UsageError) as refused:
            epochs_of(call)._group.export(BASE_KEY_LABEL, b"", 16)
        assert refused.value.reason is Rule.EXPORTER_ERASED
    return {call.epoch for call in called}


@pytest.mark.requirement("FKEY-9")
def test_the_answer_that_removes_other_devices_has_the_short_deadline(
    calls: SimulatedCalls, watched: Callable[..., SimulatedDevice]
) -> None:
    alice, bob = watched("alice"), watched("bob")
    watched("bob", device_id=2)
    alice.core.place_call("bob", calls.now)
    calls.settle()
    bob.call.answer(calls.now)
    calls.settle()
    assert installed(alice.call)[0].removed == {2}
    assert SEND_DEADLINE_AFTER_REMOVAL == 250


@pytest.mark.requirement("CALL-12")
def test_a_removed_device_says_nothing_more(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    """Bob's other device hangs up in epoch 1, honestly sealed, and the service brings it after the Answer."""
    tablet = calls.device("bob", device_id=2)
    alice.core.place_call("bob", calls.now)
    calls.settle()
    tablet.call.hang_up(calls.now)
    calls.send()
    hangup = tablet.outbox.popleft()
    assert isinstance(hangup, messages.Send)
    bob.call.answer(calls.now)
    calls.settle()
    for device in (alice, bob):
        refused = calls.give(device, messages.Sent(device.call.call_id, hangup.message))
        assert refused is not None
        assert refused.reason is CallReason.SENDER_REMOVED
        assert device.call.state in {State.ANSWERED, State.ACCEPTING}


@pytest.mark.requirement("KEYS-17")
def test_staging_changes_nothing(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    placed._actions.send_commit(None, calls.now)
    calls.send()
    commit = alice.outbox[0]
    assert isinstance(commit, messages.Commit)
    before = [snapshot(placed), snapshot(answered)]
    assert epochs_of(placed).stage(commit.commit, calls.now).own
    assert not epochs_of(answered).stage(commit.commit, calls.now).own
    assert [snapshot(placed), snapshot(answered)] == before


@pytest.mark.requirement("CALL-12")
def test_earlier_groups_are_forgotten_in_time(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, answered = calls.go_live(alice, bob)
    placed._actions.send_commit(None, calls.now)
    calls.settle()
    assert [each.group.epoch for each in epochs_of(answered)._earlier] == [1, 2]
    calls.advance(10_000)
    assert epochs_of(answered)._earlier == []


@pytest.mark.requirement("CALL-11", "KEYS-15")
def test_nothing_is_due_in_a_call_at_rest_but_alive_and_the_next_commit(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice
) -> None:
    placed, _ = calls.go_live(alice, bob)
    applied_at = epochs_of(placed).applied_at
    calls.advance(20_000)
    due = []
    while (timer := placed.get_timer()) and timer < applied_at + 660_000:
        due.append(timer - applied_at)
        calls.advance(timer - calls.now)
    of_alive = [number * 15_000 for number in range(2, 44)]
    of_the_new_epoch = [600_000 + 10_000]  # an earlier one is forgotten
    assert due == sorted({*of_alive, *of_the_new_epoch})
