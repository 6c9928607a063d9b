"""Who commits what waits, and when: the member of the lowest rank, the next one if that is silent, and all in one commit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from e2ee.call.configuration import Configuration
from e2ee.call.events import EpochChanged
from e2ee.call.group.events import MembersChanged
from e2ee.call.group.states import State
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.errors import NoEncapsulation
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.key_package import sign_key_package
from e2ee.mls.leaf_node import sign_leaf_node
from e2ee.mls.message import MLSMessage
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.scenarios.meeting import COMMIT_PAUSE, Meeting


def commits(*devices: SimulatedDevice) -> list[int]:
    """How many commits each has on its way."""
    return [len(device.sending(messages.Commit)) for device in devices]


@pytest.fixture
def people(calls: SimulatedCalls) -> list[SimulatedDevice]:
    return [calls.device(name) for name in ("alice", "bob", "carol", "dave")]


def ask(calls: SimulatedCalls, meeting: Meeting, guest: SimulatedDevice) -> None:
    """A request reaches the members, who do nothing about it yet."""
    meeting.ask(guest)
    calls.submit_all(guest)


@pytest.mark.requirement("GROUP-8")
@pytest.mark.parametrize("silent", [0, 1, 2])
def test_the_next_one_acts_if_the_first_is_silent(
    calls: SimulatedCalls, people: list[SimulatedDevice], silent: int
) -> None:
    """So many of the lowest ranks get the request and do nothing."""
    *members, dave = people
    meeting = Meeting.of(calls, *members)
    calls.advance(COMMIT_PAUSE)
    ask(calls, meeting, dave)
    for device in members[:silent]:
        (request,) = device.waiting(messages.JoinRequested)
        device.inbox.remove(request)
    calls.settle()
    if silent:
        assert meeting.at(dave).state is State.ASKING
        calls.advance(silent * 1_500 - 1)
        assert meeting.at(dave).state is State.ASKING
        calls.advance(1)
    meeting.agree(*people)
    committer = members[0].last(MembersChanged).committer
    assert committer.leaf_index == meeting.leaf(members[silent])


@pytest.mark.requirement("GROUP-8", "DS-19")
@pytest.mark.parametrize("silent", [0, 1, 2])
def test_the_next_one_removes_who_is_gone_if_the_first_is_silent(
    calls: SimulatedCalls, people: list[SimulatedDevice], silent: int
) -> None:
    *members, dave = people
    meeting = Meeting.of(calls, *people)
    calls.disconnect(dave)
    calls.advance(10_000, settle=False)
    for device in members[:silent]:
        (gone,) = device.waiting(messages.Gone)
        device.inbox.remove(gone)
    calls.settle()
    if silent:
        calls.advance(silent * 1_500 - 1)
        assert len(meeting.at(members[0]).members) == len(people)
        calls.advance(1)
    meeting.agree(*members)
    committer = members[0].last(MembersChanged).committer
    assert committer.leaf_index == meeting.leaf(members[silent])


@pytest.mark.requirement("GROUP-8")
def test_what_another_committed_is_not_committed_again(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    *members, dave = people
    meeting = Meeting.of(calls, *members)
    epoch = meeting.at(members[0]).epoch
    calls.advance(COMMIT_PAUSE)
    meeting.ask(dave)
    calls.settle()
    calls.advance(14_000)
    meeting.agree(*people)
    assert meeting.at(dave).epoch == epoch + 1


@pytest.mark.requirement("GROUP-8", "GROUP-23")
def test_all_who_wait_come_in_by_one_commit(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, *_ = people
    meeting = Meeting.open(calls, alice)
    guests = [calls.device(f"guest {number}") for number in range(20)]
    meeting.join(*guests)
    meeting.agree(alice, *guests)
    assert meeting.at(alice).epoch == 1
    assert len(alice.last(MembersChanged).added) == 20


@pytest.mark.requirement("GROUP-8", "GROUP-16", "GROUP-10")
def test_who_comes_who_goes_and_who_is_a_host_now_is_one_commit(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol, dave = people
    meeting = Meeting.of(calls, alice, bob, carol)
    epoch = meeting.at(alice).epoch
    meeting.at(carol).leave(calls.now)
    meeting.ask(dave)
    meeting.at(alice).make_host(meeting.leaf(bob), calls.now)
    meeting.pause()
    meeting.agree(alice, bob, dave)
    assert meeting.at(alice).epoch == epoch + 1
    assert meeting.at(bob).is_host


@pytest.mark.requirement("GROUP-23", "DS-18")
def test_a_second_passes_between_two_commits(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    alice, bob, carol, dave = people
    meeting = Meeting.of(calls, alice, bob)
    meeting.ask(carol)
    calls.settle()
    assert commits(alice, bob) == [0, 0]
    calls.advance(COMMIT_PAUSE - 1)
    assert meeting.at(carol).state is State.ASKING
    meeting.ask(dave)
    calls.settle()
    calls.advance(1)
    meeting.agree(alice, bob, carol, dave)


@pytest.mark.requirement("GROUP-8")
@pytest.mark.parametrize("reason", ["TOO_SOON", "CONFLICT", "MAILBOX_FULL"])
def test_a_commit_that_is_refused_for_nothing_in_it_is_made_again(
    calls: SimulatedCalls, people: list[SimulatedDevice], reason: str
) -> None:
    alice, bob, *_ = people
    meeting = Meeting.open(calls, alice)
    meeting.ask(bob)
    calls.submit_all(bob)
    calls.now += COMMIT_PAUSE
    calls.deliver_all(alice)
    alice.take(messages.Commit)
    calls.give(alice, messages.Refused("commit", meeting.call_id, reason, ""))
    assert commits(alice) == [0]
    calls.settle()
    calls.advance(COMMIT_PAUSE)
    meeting.agree(alice, bob)


@pytest.mark.requirement("GROUP-8")
def test_one_who_cannot_be_added_keeps_nobody_out(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    """The service takes no commit with Bob's KeyPackage, and says only that it is the commit that it does not like."""
    alice, bob, carol, dave = people
    meeting = Meeting.open(calls, alice)
    for guest in (bob, carol, dave):
        ask(calls, meeting, guest)
    calls.now += COMMIT_PAUSE
    bobs = bob.owner.signing_key.public
    for _ in range(8):
        calls.deliver_all(alice)
        calls.send()
        for commit in alice.sending(messages.Commit):
            if bobs in commit.commit:
                alice.outbox.remove(commit)
                calls.give(alice, messages.Refused("commit", meeting.call_id, "WHY", ""))
        calls.submit_all(alice)
        calls.now += 1_500
        alice.core.handle_timer(calls.now)
    calls.settle()
    meeting.agree(alice, carol, dave)
    assert meeting.at(bob).state is State.ASKING


@pytest.mark.requirement("GROUP-8")
def test_somebody_with_anothers_encryption_key_keeps_nobody_out(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    """MLS refuses a commit that adds a leaf with the key of another; Bob has taken Dave's."""
    alice, bob, carol, dave = people
    meeting = Meeting.of(calls, alice, dave)
    ask(calls, meeting, carol)
    forged = with_encryption_key_of(calls, meeting, bob, dave)
    alice.inbox.appendleft(messages.JoinRequested(meeting.call_id, forged, 0, lobby=False))
    calls.settle()
    calls.advance(COMMIT_PAUSE)
    meeting.agree(alice, carol, dave)


def with_encryption_key_of(
    calls: SimulatedCalls, meeting: Meeting, forger: SimulatedDevice, owner: SimulatedDevice
) -> bytes:
    """A KeyPackage of the forger's whose leaf has the public encryption key of somebody in the call."""
    suite, private = cipher_suite(0x0001), forger.owner.signing_key.private
    bundle = forger.owner.new_join_key_package(0x0001, meeting.link, calls.now)
    tree = meeting.at(owner)._actions.in_group._group.tree
    taken = tree.leaf(meeting.leaf(owner))
    assert taken is not None
    leaf = replace(bundle.key_package.leaf_node, encryption_key=taken.encryption_key)
    signed = sign_leaf_node(suite, replace(leaf, signature=b""), private, b"", 0)
    key_package = replace(bundle.key_package, leaf_node=signed)
    return MLSMessage.of(sign_key_package(suite, key_package, private)).encode()


@pytest.mark.requirement("KEYS-15")
def test_everybodys_keys_are_replaced_in_turn(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    configuration = Configuration(epoch_lifetime=60_000)
    devices = [calls.device(f"d{n}", configuration=configuration) for n in range(3)]
    meeting = Meeting.of(calls, *devices)
    first = meeting.at(devices[0]).epoch
    committers = []
    for _ in range(4):
        calls.advance(60_000)
        committers.append(devices[0].last(EpochChanged).committer.leaf_index)
    meeting.agree(*devices)
    assert committers == [(first + turn) % 3 for turn in range(4)]


@pytest.mark.requirement("GROUP-8", "KEYS-15")
def test_the_end_of_an_epoch_takes_along_what_waits(
    calls: SimulatedCalls, people: list[SimulatedDevice]
) -> None:
    """A request whose rank is not due yet is committed by whom the epoch's end falls to."""
    alice, bob, carol, _ = people
    meeting = Meeting.of(calls, alice, bob)
    calls.advance(595_000)
    ask(calls, meeting, carol)
    (requested,) = bob.waiting(messages.JoinRequested)
    alice.inbox.clear()
    bob.inbox.clear()
    late = messages.JoinRequested(meeting.call_id, requested.key_package, 7, lobby=False)
    for device in (alice, bob):
        calls.give(device, late)
    calls.advance(6_500)
    meeting.agree(alice, bob, carol)


def test_a_fault_of_the_committers_own_is_told_and_costs_nobody_the_place() -> None:
    """A host's device that cannot encapsulate: that is no fault of who asks."""
    calls = SimulatedCalls(SeededEntropy(b"an entropy without ML-KEM"))
    alice, bob = (calls.device(name, suites=(0x0001, 0xF0E2)) for name in ("alice", "bob"))
    meeting = Meeting.open(calls, alice, suite=0xF0E2)
    meeting.ask(bob)
    calls.settle()
    for _ in range(2):
        with pytest.raises(NoEncapsulation):
            calls.advance(COMMIT_PAUSE)
    assert meeting.at(bob).state is State.ASKING
