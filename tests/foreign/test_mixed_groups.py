"""All three implementations in one group, of suite 0x0001: in a story, and in lives that are drawn by lot."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.foreign.rooms import Client, Room

IMPLEMENTATIONS = ("ours", "ts-mls", "mls-rs")


def test_three_and_more(client: Callable[..., Client], room: Callable[[Client], Room]) -> None:
    first = zip(("Alice", "Bob", "Carol"), IMPLEMENTATIONS, strict=True)
    alice, bob, carol = (client(*each) for each in first)
    here = room(alice)
    here.commit(alice, add=[bob])
    here.commit(bob, add=[carol])
    here.talk()
    for committer in (carol, bob, alice):
        here.commit(committer)
    more = [client(f"member {n}", of) for n, of in enumerate(IMPLEMENTATIONS * 2)]
    here.commit(carol, add=more)
    for committer in more:
        here.commit(committer)
    here.talk()
    here.commit(alice, remove=[more[0], more[5]])
    here.commit(bob, remove=[more[1]])
    here.commit(carol, remove=[more[2]])
    here.propose(carol, remove=[bob])
    here.propose(more[4], remove=[alice])
    here.commit(more[3], leaving=(bob, alice))
    here.talk()


class Lot:
    """What happens next in a group, drawn by lot; whatever is drawn is valid."""

    def __init__(self, seed: int, room: Room, client: Callable[..., Client]) -> None:
        self.random = Random(seed)  # noqa: S311 - for a test's choices
        self.room = room
        self._client = client
        self._numbers = count()

    def newcomer(self) -> Client:
        return self._client(f"member {next(self._numbers)}", self.random.choice(IMPLEMENTATIONS))

    def newcomers(self, at_most: int) -> list[Client]:
        return [self.newcomer() for _ in range(self.random.randint(0, at_most))]

    def epoch(self) -> None:
        """Some propose, and somebody commits it with changes of its own."""
        shuffled = self.random.sample(self.room.members, len(self.room.members))
        committer, *others = shuffled
        targets, proposers = others[: len(others) // 2], others[len(others) // 2 :]
        joining, leaving = self._propose(proposers, targets)
        self.room.commit(
            committer, joining=joining, leaving=leaving, **self._own(committer, targets)
        )

    def _propose(
        self, proposers: list[Client], targets: list[Client]
    ) -> tuple[tuple[Client, ...], tuple[Client, ...]]:
        joining: tuple[Client, ...] = ()
        leaving: tuple[Client, ...] = ()
        for proposer in proposers:
            what = self.random.choice(("add", "remove", "update", "nothing", "nothing"))
            if what == "add" and len(self.room.members) < 12:
                newcomer = self.newcomer()
                self.room.propose(proposer, add=[newcomer])
                joining += (newcomer,)
            elif what == "remove" and len(targets) > 1:
                removed = targets.pop()
                self.room.propose(proposer, remove=[removed])
                leaving += (removed,)
            elif what == "update" and proposer.peer.name != "mls-rs":
                self.room.propose(proposer, update=True)
        return joining, leaving

    def _own(self, committer: Client, targets: list[Client]) -> dict[str, Any]:
        add = self.newcomers(at_most=2 if len(self.room.members) < 9 else 0)
        remove = targets[:1] if len(targets) > 1 and self.random.random() < 0.3 else []
        if committer.peer.name == "mls-rs" and add:  # its package takes one kind by value
            remove = []
        return {key: value for key, value in (("add", add), ("remove", remove)) if value}


@pytest.mark.parametrize("seed", range(4))
def test_a_life_by_lot(
    client: Callable[..., Client], room: Callable[[Client], Room], seed: int
) -> None:
    creator = client("creator", IMPLEMENTATIONS[seed % 3])
    lot = Lot(seed, room(creator), client)
    lot.room.commit(
        creator, add=[client(f"first of {n}", name) for n, name in enumerate(IMPLEMENTATIONS)]
    )
    for _ in range(25):
        lot.epoch()
    lot.room.talk()
