"""Live peers of other implementations for the tests of this folder. A process serves all tests of a run.

What is not installed is skipped with the reason, except in CI, which must never pass without it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.foreign.peers import NotInstalled, Peer, start
from tests.foreign.rooms import Client, Room


@pytest.fixture(scope="session")
def peers() -> Iterator[Callable[[str], Peer]]:
    """``peers("ts-mls")``: that implementation, running."""
    running: dict[str, Peer] = {}

    def peer(name: str) -> Peer:
        try:
            return running.get(name) or running.setdefault(name, start(name))
        except NotInstalled as missing:
            if os.environ.get("CI") == "true":
                pytest.fail(str(missing))
            pytest.skip(str(missing))

    yield peer
    for started in running.values():
        started.stop()


@pytest.fixture
def client(peers: Callable[[str], Peer]) -> Callable[..., Client]:
    """``client("Alice", "ts-mls")``, in suite 0x0001 where nothing else is said."""

    def make(name: str, implementation: str, suite: int = 1, **options: Any) -> Client:
        return Client(peers(implementation), suite, name, **options)

    return make


@pytest.fixture
def room() -> Callable[[Client], Room]:
    """``room(alice)``: a group that Alice creates."""
    return Room.of


# Two implementations in one group


@dataclass(frozen=True)
class Stage:
    """A cipher suite, and who plays: one implementation creates groups, the other joins them."""

    suite: int
    creating: Peer
    joining: Peer

    def creator(self, name: str, **options: Any) -> Client:
        return Client(self.creating, self.suite, name, **options)

    def joiner(self, name: str, **options: Any) -> Client:
        return Client(self.joining, self.suite, name, **options)

    def room(self, creator: Client) -> Room:
        return Room.of(creator)

    def two(self, **how: Any) -> tuple[Room, Client, Client]:
        """Alice, who created the group, and Bob of the other implementation, whom she added."""
        alice, bob = self.creator("Alice"), self.joiner("Bob")
        room = Room.of(alice)
        room.commit(alice, add=[bob], **how)
        return room, alice, bob


X_WING = 0x0053
"""ts-mls's code point for X-Wing, AES-256-GCM, SHA-512 and Ed25519; ours has that suite in these tests only."""

SUITES: Mapping[str, tuple[int, ...]] = {"ts-mls": (1, 2, 3, 4, 5, 6, 7, X_WING), "mls-rs": (1,)}
"""What ours and the other both have."""


def _stages(*foreign: str, suites: Mapping[str, tuple[int, ...]]) -> list[Any]:
    return [
        pytest.param((suite, *pair), id=f"{pair[0]}-creates-{pair[1]}-joins-suite-{suite:#x}")
        for name in foreign
        for suite in suites[name]
        for pair in (("ours", name), (name, "ours"))
    ]


def _stage(request: pytest.FixtureRequest, peers: Callable[[str], Peer]) -> Stage:
    suite, creating, joining = request.param
    return Stage(suite, peers(creating), peers(joining))


SUITE_1 = {"ts-mls": (1,), "mls-rs": (1,)}


@pytest.fixture(params=_stages("ts-mls", "mls-rs", suites=SUITES))
def every_stage(request: pytest.FixtureRequest, peers: Callable[[str], Peer]) -> Stage:
    """Ours and another implementation, each of them, both ways round, in every suite that both have."""
    return _stage(request, peers)


@pytest.fixture(params=_stages("ts-mls", "mls-rs", suites=SUITE_1))
def stage(request: pytest.FixtureRequest, peers: Callable[[str], Peer]) -> Stage:
    """Ours and another implementation, each of them, both ways round, in suite 0x0001."""
    return _stage(request, peers)


@pytest.fixture(params=_stages("ts-mls", suites=SUITE_1))
def ts_mls_stage(request: pytest.FixtureRequest, peers: Callable[[str], Peer]) -> Stage:
    """Ours and ts-mls, for what mls-rs's package does not show, both ways round, in suite 0x0001."""
    return _stage(request, peers)


@pytest.fixture
def suites() -> Mapping[str, tuple[int, ...]]:
    """By implementation, those in which it meets ours here."""
    return SUITES
