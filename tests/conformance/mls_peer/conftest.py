"""A peer in this process, and somebody who talks to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.conformance.mls_peer.client import Client
from e2ee.conformance.mls_peer.peer import OPERATIONS, Peer
from e2ee.conformance.mls_peer.surroundings import Surroundings
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.testing.mls_members import NOW, snapshot

Reply = dict[str, Any]


class Talk:
    """Requests and replies. Whatever is refused here is seen to have changed no client."""

    def __init__(self) -> None:
        self.now = NOW
        entropy = SeededEntropy(b"talk", ML_KEM_768._encaps_internal)
        self.peer = Peer(Surroundings(entropy, lambda: self.now))

    def send(self, line: bytes) -> Reply:
        """The reply to any line: one line of ASCII that holds one object."""
        before, answer = self.state(), self.peer.answer(line)
        assert answer.isascii()
        assert "\n" not in answer
        reply = json.loads(answer)
        assert isinstance(reply, dict)
        if not reply["ok"]:
            assert set(reply) == {"ok", "error", "detail"}
            assert self.state() == before
        return reply

    def request(self, op: str, **fields: Any) -> Reply:
        return self.send(json.dumps({"op": op, **fields}).encode())

    def ask(self, op: str, **fields: Any) -> Reply:
        """The reply to a request that is granted, without its "ok"."""
        reply = self.request(op, **fields)
        assert reply.pop("ok"), reply
        assert tuple(reply) == OPERATIONS[op].reply
        return reply

    def refused(self, op: str, **fields: Any) -> str:
        """The error of a request that is refused."""
        reply = self.request(op, **fields)
        assert not reply["ok"]
        error: str = reply["error"]
        return error

    def state(self) -> dict[str | int, Any]:
        """All that the clients know."""
        slots = [slot for slot in Client.__slots__ if slot != "_surroundings"]
        return {
            id: [snapshot(getattr(client, slot)) for slot in slots]
            for id, client in self.peer._clients.items()
        }

    # Steps of a group's life

    def client(self, id: str, suite: int | str = 1, **fields: Any) -> str:
        """A new client's KeyPackage."""
        key_package: str = self.ask("client", id=id, name=id, suite=suite, **fields)["key_package"]
        return key_package

    def group(self, creator: str, *others: str, suite: int | str = 1) -> None:
        """A group of new clients."""
        self.client(creator, suite)
        self.ask("create", id=creator, group_id="67726f7570")
        self.add(creator, *others, suite=suite)

    def add(self, committer: str, *names: str, suite: int | str = 1) -> Reply:
        """New clients, added by one commit, which they know and the other members do not yet."""
        committed = self.ask("commit", id=committer, add=[self.client(n, suite) for n in names])
        for name in names:
            self.ask("join", id=name, welcome=committed["welcome"])
        return committed

    def conversation(self) -> list[str]:
        """Alice and Bob in a group, which Bob has left behind by a commit that adds Carol: all that was sent."""
        self.group("alice", "bob")
        self.ask("psk", id="alice", psk_id="01", psk="02")
        said = self.ask("encrypt", id="bob", data="0102")["message"]
        proposals = [
            *self.ask("propose", id="bob", update=True)["proposals"],
            *self.ask("propose", id="bob", update=True, public_message=False)["proposals"],
        ]
        key_package = self.client("carol")
        committed = self.ask("commit", id="bob", add=[key_package], public_message=False)
        group_info = self.ask("group_info", id="alice")["group_info"]
        handshake = [*proposals, committed["commit"], committed["welcome"], group_info]
        return [said, key_package, *handshake]

    def agree(self, *names: str) -> None:
        """They are in the same state."""
        views = [self.ask("info", id=name) | {"leaf_index": None} for name in names]
        secrets = [self.ask("export", id=n, label="x", context="", length=32) for n in names]
        assert all(view == views[0] for view in views)
        assert all(secret == secrets[0] for secret in secrets)


@pytest.fixture
def talk() -> Talk:
    return Talk()


@pytest.fixture(scope="session")
def make_talk() -> Callable[[], Talk]:
    """A new peer for each example of a property."""
    return Talk
