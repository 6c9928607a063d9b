"""A call has the highest suite and the highest version that everybody in it has; who once had more is noticed."""

from __future__ import annotations

import pytest

from e2ee.call.configuration import Configuration
from e2ee.call.events import Ended, EndReason, Ringing, SuiteLowered
from e2ee.call.states import State
from e2ee.profile.call_profile import call_profile
from e2ee.profile.errors import ProfileReason
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

X25519, HYBRID = 0x0001, 0xF0E2
BOTH = (X25519, HYBRID)
OLD, NEW = 0x0100, 0x0101


# ------------------------------------------------------------------------------------------------------------ suites


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice", suites=BOTH)


@pytest.mark.requirement("KEYS-2")
def test_a_callee_that_once_had_a_higher_suite_draws_a_warning(
    calls: SimulatedCalls, alice: SimulatedDevice
) -> None:
    """Bob adds an old device, or somebody adds one in his name."""
    bob = calls.device("bob", suites=BOTH)
    first, _ = calls.go_live(alice, bob)
    assert first.suite == HYBRID
    first.hang_up(calls.now)
    calls.settle()
    calls.device("bob", device_id=2)
    second = alice.core.place_call("bob", calls.now)
    calls.settle()
    assert second.suite == X25519
    assert second.state is State.CALLING  # a warning, no more
    assert alice.told(SuiteLowered) == [SuiteLowered(second.call_id, "bob", HYBRID)]


@pytest.mark.requirement("KEYS-2", "THREAT-1")
def test_so_does_a_service_that_shows_only_the_older_device(
    calls: SimulatedCalls, alice: SimulatedDevice
) -> None:
    bob = calls.device("bob", suites=BOTH)
    first, _ = calls.go_live(alice, bob)
    first.hang_up(calls.now)
    calls.settle()
    old = calls.device("bob", device_id=2)
    second = alice.core.place_call("bob", calls.now)
    calls.submit_all(alice)
    alice.inbox.clear()
    certificate = old.owner.certificate.certificate.encode()
    calls.give(alice, messages.Devices("bob", (certificate,)))
    claimed = calls.ask(alice.connection_id, alice.take(messages.Claim))
    assert isinstance(claimed, messages.KeyPackages)
    shown = tuple(each for each in claimed.key_packages if certificate in each)
    calls.give(alice, messages.KeyPackages("bob", shown))
    calls.settle()
    assert [member.device_id for member in second.others()] == [2]
    assert alice.last(SuiteLowered).suite == HYBRID


@pytest.mark.requirement("KEYS-2")
def test_a_caller_that_once_had_a_higher_suite_draws_a_warning_as_it_rings(
    calls: SimulatedCalls, alice: SimulatedDevice
) -> None:
    bob, old = calls.device("bob", suites=BOTH), calls.device("bob", device_id=2)
    for caller, lowered in ((old, 0), (bob, 0), (old, 1), (bob, 1), (old, 2)):
        placed = caller.core.place_call("alice", calls.now)
        calls.settle()
        assert len(alice.told(Ringing)) == 1
        assert len(alice.told(SuiteLowered)) == lowered
        placed.hang_up(calls.now)
        calls.settle()
        alice.events[:] = alice.told(SuiteLowered)
        calls.advance(10_000)


@pytest.mark.requirement("KEYS-2")
def test_who_never_had_more_draws_none(calls: SimulatedCalls, alice: SimulatedDevice) -> None:
    bob = calls.device("bob")
    for _ in range(3):
        placed, _ = calls.go_live(alice, bob)
        assert placed.suite == X25519
        placed.hang_up(calls.now)
        calls.settle()
    assert [*alice.told(SuiteLowered), *bob.told(SuiteLowered)] == []


@pytest.mark.requirement("KEYS-2")
def test_below_the_own_minimum_there_is_no_call(calls: SimulatedCalls) -> None:
    careful = calls.device("alice", suites=BOTH, configuration=Configuration(minimum_suite=HYBRID))
    bob = calls.device("bob")
    careful.core.place_call("bob", calls.now)
    calls.settle()
    assert careful.last(Ended).reason is EndReason.UNREACHABLE
    assert ProfileReason.NO_COMMON_SUITE in careful.last(Ended).detail
    bob.core.place_call("alice", calls.now)
    calls.settle()
    assert [*careful.told(Ringing), *bob.told(Ringing)] == []


# ---------------------------------------------------------------------------------------------------------- versions


@pytest.fixture
def next_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """This implementation, when it speaks two versions."""
    monkeypatch.setattr("e2ee.call.owner.SUPPORTED_VERSIONS", (OLD, NEW))
    monkeypatch.setattr("e2ee.profile.call_profile.SUPPORTED_VERSIONS", (OLD, NEW))


def version_of(device: SimulatedDevice) -> int:
    return call_profile(device.call._actions.in_group._group.extensions).version


@pytest.mark.requirement("KEYS-18")
@pytest.mark.parametrize(
    ("caller", "callees", "version"),
    [
        ((OLD, NEW), [(OLD, NEW)], NEW),
        ((OLD, NEW), [(OLD,)], OLD),
        ((OLD,), [(OLD, NEW)], OLD),
        ((OLD, NEW), [(OLD, NEW), (OLD,)], OLD),
        ((OLD, NEW), [(OLD, NEW), (NEW,)], NEW),
        ((OLD, NEW), [(OLD, NEW, 0x0200)], NEW),
    ],
)
@pytest.mark.usefixtures("next_release")
def test_a_call_has_the_highest_version_that_everybody_speaks(
    calls: SimulatedCalls,
    caller: tuple[int, ...],
    callees: list[tuple[int, ...]],
    version: int,
) -> None:
    alice = calls.device("alice", versions=caller)
    devices = [
        calls.device("bob", device_id=number, versions=versions)
        for number, versions in enumerate(callees, 1)
    ]
    alice.core.place_call("bob", calls.now)
    calls.settle()
    for device in (alice, *devices):
        assert version_of(device) == version
        assert device.refused == []


@pytest.mark.requirement("KEYS-18")
@pytest.mark.usefixtures("next_release")
def test_who_has_no_version_in_common_is_not_called(calls: SimulatedCalls) -> None:
    alice = calls.device("alice", versions=(OLD,))
    bob = calls.device("bob", versions=(NEW,))
    alice.core.place_call("bob", calls.now)
    calls.settle()
    assert alice.last(Ended).reason is EndReason.UNREACHABLE
    assert ProfileReason.NO_COMMON_VERSION in alice.last(Ended).detail
    assert bob.told(Ringing) == []


@pytest.mark.requirement("KEYS-18")
@pytest.mark.usefixtures("next_release")
def test_below_the_own_minimum_version_there_is_no_call(calls: SimulatedCalls) -> None:
    configuration = Configuration(minimum_version=NEW)
    careful = calls.device("alice", versions=(OLD, NEW), configuration=configuration)
    bob = calls.device("bob", versions=(OLD,))
    careful.core.place_call("bob", calls.now)
    calls.settle()
    assert ProfileReason.NO_COMMON_VERSION in careful.last(Ended).detail
    bob.core.place_call("alice", calls.now)
    calls.settle()
    assert [error.reason for error in careful.refused] == [ProfileReason.VERSION_TOO_LOW]
    assert careful.told(Ringing) == []


@pytest.mark.requirement("KEYS-18", "THREAT-1")
@pytest.mark.usefixtures("next_release")
def test_a_caller_who_chose_a_lower_version_than_all_have_does_not_ring(
    calls: SimulatedCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = (calls.device(name, versions=(OLD, NEW)) for name in ("alice", "bob"))
    with monkeypatch.context() as older:
        older.setattr("e2ee.call.owner.SUPPORTED_VERSIONS", (OLD,))
        invited = calls.intercept_invitation(alice, bob)
    refused = calls.give(bob, invited)
    assert refused is not None
    assert refused.reason is ProfileReason.VERSION_TOO_LOW
    assert bob.told(Ringing) == []
