"""Seventy people: trees come out of band, in parts that a joiner believes nothing of (GROUP-11)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.call.errors import CallReason
from e2ee.call.group.configuration import MAX_BYTES_FOR_LATER, MAX_KEPT_FOR_LATER, MAX_TREE
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import HandRaised, Joined, JoinsAnew
from e2ee.call.group.states import State
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.delivery import group_calls
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.scenarios.meeting import COMMIT_PAUSE, Meeting

MEMBERS = 70


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tree of some dozen KiB comes in parts, too."""
    monkeypatch.setattr(group_calls, "TREE_PART", 8 << 10)


class House:
    """A call with seventy members, of whom one speaks."""

    def __init__(self) -> None:
        self.calls = SimulatedCalls(SeededEntropy(b"many", ML_KEM_768._encaps_internal))
        self.people = [self.calls.device(f"member {number}") for number in range(MEMBERS)]
        host = self.people[0]
        self.meeting = Meeting.open(self.calls, host, speakers=(host.account.public,))
        for group in (self.people[1:36], self.people[36:]):
            self.meeting.join(*group)
        self.calls.advance(COMMIT_PAUSE)
        self._names = iter(range(1_000))

    def newcomer(self) -> SimulatedDevice:
        """Somebody who has a Welcome, and asks for the tree."""
        device = self.calls.device(f"late {next(self._names)}")
        self.meeting.ask(device)
        self.calls.submit_all(device)
        self.calls.now += COMMIT_PAUSE
        committer = self.people[0]
        self.calls.deliver_all(committer)
        self.calls.submit_all(committer)
        while self.meeting.at(device).state is not State.FETCHING:
            self.calls.deliver(device)
        return device

    def next_part(self, device: SimulatedDevice) -> messages.Tree:
        """The part that the service gives, off the wire."""
        self.calls.submit_all(device)
        (part,) = device.waiting(messages.Tree)
        device.inbox.remove(part)
        return part


@pytest.fixture(scope="module")
def house() -> House:
    return House()


@pytest.mark.requirement("GROUP-11", "DS-21", "KEYS-7")
def test_who_comes_late_fetches_the_tree_in_parts(house: House) -> None:
    newcomer = house.newcomer()
    parts = 0
    while house.meeting.at(newcomer).state is State.FETCHING:
        house.calls.give(newcomer, house.next_part(newcomer))
        parts += 1
    assert parts > 2
    house.calls.settle()
    joined = newcomer.last(Joined)
    assert len(joined.members) > MEMBERS
    assert joined.call_code == house.meeting.at(house.people[5]).call_code
    assert newcomer.refused == []


@pytest.mark.requirement("GROUP-11")
def test_what_happens_meanwhile_is_caught_up_with(house: House) -> None:
    """Somebody raises a hand, and a commit changes the epoch, before the tree is there."""
    newcomer, speaker, other = house.newcomer(), house.people[0], house.people[7]
    part = house.next_part(newcomer)
    house.calls.now += COMMIT_PAUSE
    house.calls.deliver_all(speaker)
    house.meeting.at(speaker).raise_hand(True, house.calls.now)  # noqa: FBT003
    house.meeting.at(speaker)._actions.send_commit(True, house.calls.now)  # noqa: FBT003
    house.calls.submit_all(speaker)
    house.calls.give(newcomer, part)
    house.calls.settle()
    assert house.meeting.at(newcomer).state is State.IN_CALL
    assert house.meeting.at(newcomer).call_code == house.meeting.at(other).call_code
    assert newcomer.last(HandRaised).member.leaf_index == house.meeting.leaf(speaker)
    assert newcomer.refused == []


def test_all_that_may_wait_for_the_tree_is_caught_up_with(house: House) -> None:
    newcomer, speaker, calls = house.newcomer(), house.people[0], house.calls
    calls.deliver_all(speaker)
    for number in range(MAX_KEPT_FOR_LATER - 1):
        house.meeting.at(speaker).raise_hand(number % 2 == 0, calls.now)
    said = [
        each.message for each in speaker.core.messages_to_send() if isinstance(each, messages.Send)
    ]
    newcomer.inbox.clear()
    for sealed in said:
        calls.give(newcomer, messages.Sent(house.meeting.call_id, sealed))
    while house.meeting.at(newcomer).state is State.FETCHING:
        calls.give(newcomer, house.next_part(newcomer))
    assert len(newcomer.told(HandRaised)) == MAX_KEPT_FOR_LATER - 1
    assert newcomer.refused == []
    calls.settle()


@pytest.mark.requirement("GROUP-11")
def test_a_part_that_was_not_asked_for_is_refused(house: House) -> None:
    newcomer = house.newcomer()
    part = house.next_part(newcomer)
    for wrong in (
        replace(part, epoch=part.epoch + 1),
        replace(part, offset=1),
        replace(part, data=b""),
        replace(part, size=len(part.data) - 1),
        replace(part, size=MAX_TREE + 1),
    ):
        refused = house.calls.give(newcomer, wrong)
        assert refused is not None
        assert refused.reason is GroupReason.BAD_TREE_PART
    house.calls.give(newcomer, part)
    second = house.next_part(newcomer)
    for wrong in (part, replace(second, size=second.size + 1)):
        refused = house.calls.give(newcomer, wrong)
        assert refused is not None
        assert refused.reason is GroupReason.BAD_TREE_PART
    house.calls.give(newcomer, second)
    house.calls.settle()
    assert house.meeting.at(newcomer).state is State.IN_CALL


@pytest.mark.requirement("GROUP-11", "GROUP-21")
def test_a_tree_that_is_not_the_groups_is_none(house: House) -> None:
    """The service shows another one: the newcomer asks to be added anew."""
    newcomer = house.newcomer()
    part = house.next_part(newcomer)
    altered = bytes([part.data[0] ^ 1]) + part.data[1:]
    house.calls.give(newcomer, replace(part, data=altered))
    house.calls.settle()
    assert "tree" in newcomer.last(JoinsAnew).detail.lower() or newcomer.told(JoinsAnew)
    house.calls.advance(3 * COMMIT_PAUSE)
    assert house.meeting.at(newcomer).state is State.IN_CALL
    assert newcomer.last(Joined).anew


@pytest.mark.requirement("GROUP-11")
def test_a_tree_that_does_not_come_is_not_waited_for(house: House) -> None:
    newcomer = house.newcomer()
    newcomer.outbox.clear()
    call = house.meeting.at(newcomer)
    call.handle_timer(house.calls.now + 29_999)
    assert newcomer.told(JoinsAnew) == []
    call.handle_timer(house.calls.now + 30_000)
    assert call.state is State.ASKING
    house.calls.settle()
    house.calls.advance(3 * COMMIT_PAUSE)
    assert house.meeting.is_at(newcomer)


def test_whose_connection_breaks_asks_for_the_rest(house: House) -> None:
    newcomer = house.newcomer()
    house.calls.give(newcomer, house.next_part(newcomer))
    house.calls.disconnect(newcomer)
    house.calls.reconnect(newcomer)
    (asked,) = newcomer.sending(messages.AskTree)
    assert asked.offset == 8 << 10
    house.calls.settle()
    assert house.meeting.at(newcomer).state is State.IN_CALL
    assert newcomer.told(JoinsAnew) == []


@pytest.mark.parametrize(
    ("count", "size"), [(MAX_KEPT_FOR_LATER, 1), (9, MAX_BYTES_FOR_LATER // 9)]
)
def test_a_bounded_number_of_messages_waits_for_the_tree(
    house: House, count: int, size: int
) -> None:
    newcomer = house.newcomer()
    newcomer.inbox.clear()
    call, later = house.meeting.at(newcomer), messages.Sent(house.meeting.call_id, bytes(size))
    for _ in range(count - 1):
        call.receive(later, house.calls.now)
    assert newcomer.told(JoinsAnew) == []
    for _ in range(2):
        call.receive(later, house.calls.now)
    house.calls.settle()
    assert newcomer.told(JoinsAnew)
    house.calls.advance(3 * COMMIT_PAUSE)
    assert house.meeting.is_at(newcomer)


@pytest.mark.requirement("GROUP-24")
def test_a_tree_that_nobody_asked_for_is_refused(house: House) -> None:
    refused = house.calls.give(house.people[3], messages.Tree(house.meeting.call_id, 1, 0, 1, b"t"))
    assert refused is not None
    assert refused.reason is CallReason.UNEXPECTED_ANSWER
    house.people[3].refused.clear()


@pytest.mark.requirement("GROUP-19")
def test_only_who_may_speak_says_at_once_that_it_has_an_epoch(house: House) -> None:
    calls, speaker, viewers = house.calls, house.people[0], house.people[1:4]
    calls.now += COMMIT_PAUSE
    house.meeting.at(speaker)._actions.send_commit(True, calls.now)  # noqa: FBT003
    calls.submit_all(speaker)
    for device in (speaker, *viewers):
        calls.deliver_all(device)
        device.core.handle_timer(calls.now)
    calls.send()
    assert len(speaker.sending(messages.Send)) == 1
    assert [viewer.sending(messages.Send) for viewer in viewers] == [[], [], []]
    calls.settle()
