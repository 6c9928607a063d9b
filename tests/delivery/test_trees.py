"""The ratchet tree of a large group comes from the service, in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.delivery import group_calls, limits
from e2ee.delivery.errors import DeliveryReason
from e2ee.mls.joining import join
from e2ee.mls.proposal import Remove
from e2ee.mls.welcome import Welcome
from e2ee.profile.leaves import receiver_policy
from e2ee.signalling import messages
from tests.delivery.conftest import decoded
from tests.delivery.meeting import MEETING_ID, meet

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

pytestmark = pytest.mark.requirement("DS-21")


def parts(device: Device, epoch: int) -> list[messages.Tree]:
    """All parts of the tree of this epoch."""
    received: list[messages.Tree] = []
    offset = 0
    while not received or offset < received[0].size:
        (part,) = device.send(messages.AskTree(MEETING_ID, epoch, offset))[-1:]
        assert isinstance(part, messages.Tree)
        assert part.data
        received.append(part)
        offset += len(part.data)
    return received


@pytest.mark.requirement("GROUP-11")
def test_who_joins_gets_the_tree_in_parts(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.TREE_PART == 512 << 10
    monkeypatch.setattr(group_calls, "TREE_PART", 1_000)
    meeting, (alice, *_) = meet(town, "alice", "bob", "carol")
    tablet = town.member("alice", 2)
    bundle = meeting.ask(tablet)
    request = meeting.adding(alice, bundle, ratchet_tree_extension=False)
    meeting.commit(alice, request)
    (added,) = tablet.take()
    assert isinstance(added, messages.Added)
    tree = parts(tablet, 2)
    assert len(tree) > 1
    assert all(len(part.data) <= 1_000 for part in tree)
    encoded = b"".join(part.data for part in tree)
    assert {part.size for part in tree} == {len(encoded)}
    welcome, policy = decoded(Welcome, added.welcome), receiver_policy(town.now)
    group = join(welcome, bundle, policy=policy, ratchet_tree=encoded)
    assert group.epoch_authenticator == meeting.group(alice).epoch_authenticator


def test_the_three_epochs_before_are_there_too(town: Town) -> None:
    meeting, (alice, bob) = meet(town, "alice", "bob")
    trees = {}
    for epoch in range(1, 6):
        trees[epoch] = parts(bob, epoch)
        town.now += limits.PACE_WINDOW
        meeting.change(alice)
    assert meeting.group(alice).epoch == 6
    bob.take()
    for epoch in (3, 4, 5):
        assert parts(bob, epoch) == trees[epoch]
    assert parts(bob, 6) != trees[5]
    for epoch in (0, 1, 2, 7):
        asked = messages.AskTree(MEETING_ID, epoch, 0)
        assert bob.refused(asked) == DeliveryReason.NO_TREE


def test_no_more_than_three_even_if_more_are_remembered(town: Town) -> None:
    meeting, (alice, *others) = meet(town, "alice", "bob", "carol", "dave", "erin", "frank")
    for somebody in others[:4]:
        meeting.commit(alice, meeting.request(alice, Remove(meeting.leaf(somebody))))
    alice.take()
    asked = messages.AskTree(MEETING_ID, 1, 0)
    assert alice.refused(asked) == DeliveryReason.NO_TREE
    assert parts(alice, 2)


def test_to_their_members_alone(town: Town) -> None:
    meeting, (alice, bob) = meet(town, "alice", "bob")
    tablet = town.member("alice", 2)
    meeting.add(alice, tablet)
    for nobodys in (1, 0):
        asked = messages.AskTree(MEETING_ID, nobodys, 0)
        assert tablet.refused(asked) == DeliveryReason.NOT_A_MEMBER
    meeting.remove(alice, bob)
    bob.take()
    assert parts(bob, 1)
    asked = messages.AskTree(MEETING_ID, 3, 0)
    assert bob.refused(asked) == DeliveryReason.NOT_A_MEMBER


def test_not_beyond_its_end(town: Town) -> None:
    _, (alice,) = meet(town, "alice")
    (tree,) = parts(alice, 0)
    beyond = messages.AskTree(MEETING_ID, 0, tree.size)
    assert alice.refused(beyond) == DeliveryReason.NO_TREE
    (last,) = alice.send(messages.AskTree(MEETING_ID, 0, tree.size - 1))
    assert isinstance(last, messages.Tree)
    assert last.data == tree.data[-1:]


@pytest.mark.requirement("DS-10")
def test_after_a_restart_as_before(town: Town) -> None:
    meeting, (alice, bob) = meet(town, "alice", "bob")
    for _ in range(4):
        meeting.change(alice)
    bob.take()
    before = [parts(bob, epoch) for epoch in (2, 3, 4, 5)]
    town.restart()
    bob.reconnect()
    assert [parts(bob, epoch) for epoch in (2, 3, 4, 5)] == before


@pytest.mark.requirement("DS-7")
def test_an_account_asks_so_often(town: Town) -> None:
    assert (limits.TREE_PARTS.amount, limits.TREE_PARTS.period) == (60, 60_000)
    _, (alice,) = meet(town, "alice")
    asked = messages.AskTree(MEETING_ID, 0, 0)
    for _ in range(60):
        assert isinstance(alice.send(asked)[0], messages.Tree)
    assert alice.refused(asked) == DeliveryReason.RATE_LIMITED
