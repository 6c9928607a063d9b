"""A group exists once, and goes on from its store as if nothing had happened."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import E2EEError
from e2ee.mls.errors import Rule
from e2ee.mls.framing import WireFormat
from e2ee.mls.group import ApplicationMessage, Group, StagedCommit
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Remove
from e2ee.testing.mls_members import Assembly, receiving, sending, snapshot

PICKLES: list[Callable[[object], object]] = [
    partial(pickle.dumps, protocol=protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
]


class TestAGroupExistsOnce:
    def test_it_is_neither_copied_nor_pickled(self, assembly: Assembly) -> None:
        alice = assembly.groups["alice"]
        once: list[Any] = [alice, alice._protection.secret_tree]
        for value in once:
            for make in [copy.copy, copy.deepcopy, *PICKLES]:
                with pytest.raises(TypeError, match="neither copied nor pickled"):
                    make(value)

    def test_neither_is_what_holds_its_keys(self, assembly: Assembly) -> None:
        alice, pending = assembly.groups["alice"], assembly.pending("alice")
        for value in (
            alice._protection,
            pending,
            pending.staged,
            pending.staged.next_epoch,
            [alice],
        ):
            for make in [copy.deepcopy, *PICKLES]:
                with pytest.raises((TypeError, pickle.PicklingError)):
                    make(value)


@cache
def world() -> tuple[bytes, list[MLSMessage]]:
    """Alice's stored group, and all that she may receive."""
    assembly = Assembly(
        cipher_suite(0x0001), SeededEntropy(b"world"), "alice", "bob", "carol", "dave"
    )
    said = [assembly.tell(name, b"%d" % n) for n in range(3) for name in ("bob", "carol")]
    return bytes(assembly.groups["alice"].serialize()), said + handshakes(assembly)


def handshakes(assembly: Assembly) -> list[MLSMessage]:
    """An Update, a Remove, and a commit of both."""
    bob, carol, entropy = assembly.groups["bob"], assembly.groups["carol"], assembly.entropy
    update = bob.propose_update(entropy=entropy)
    remove = carol.propose(
        Remove(3),
        policy=sending(),
        entropy=entropy,
        wire_format=WireFormat.PRIVATE_MESSAGE,
    )
    carol.receive(update.message, policy=receiving())
    commit = assembly.pending("carol", references=[remove.reference, update.reference])
    return [update.message, remove.message, commit.message]


class Alice:
    """A client; ``restarting`` if it restarts after every step."""

    def __init__(self, restarting: bool) -> None:
        self.entropy = SeededEntropy(b"alice")
        stored, self.messages = world()
        self.groups = [Group.deserialize(stored)]
        self.pending: list[Any] = []
        self.restarting = restarting

    @property
    def group(self) -> Group:
        return self.groups[-1]

    def act(self, action: str, choice: int) -> Any:
        """What comes of the action, as something that can be compared."""
        try:
            outcome = getattr(self, action)(choice)
        except E2EEError as error:
            outcome = error.reason
        if self.restarting:
            self.restart()
        return outcome, [snapshot(group) for group in self.groups], snapshot(self.pending)

    def restart(self) -> None:
        stored = [pending.serialize() for pending in self.pending]
        self.groups = [Group.deserialize(group.serialize()) for group in self.groups]
        self.pending = [self.group.restore_commit(commit) for commit in stored]

    def receive(self, choice: int) -> Any:
        message = self.messages[choice % len(self.messages)]
        group = self.groups[choice // len(self.messages) % len(self.groups)]
        received = group.receive(message, policy=receiving())
        if isinstance(received, StagedCommit):
            self.enter(received)
        return snapshot(received)

    def protect(self, choice: int) -> Any:
        return self.group.protect(bytes(choice % 9), entropy=self.entropy).encode()

    def propose_update(self, _: int) -> Any:
        return self.group.propose_update(entropy=self.entropy).message.encode()

    def discard(self, choice: int) -> Any:
        references = list(self.group.proposals)
        if references:
            self.group.discard_proposal(references[choice % len(references)])
        return references

    def commit(self, choice: int) -> Any:
        references = [
            reference
            for reference, sent in self.group.proposals.items()
            if sent.sender.leaf_index != 0
        ]
        pending = self.group.commit(
            references=references[: choice % 3],
            wire_format=WireFormat(1 + choice % 2),
            policy=sending(),
            entropy=self.entropy,
        )
        self.pending.append(pending)
        return pending.message.encode()

    def merge(self, choice: int) -> Any:
        if self.pending:
            self.enter(self.pending[choice % len(self.pending)].staged)

    def enter(self, staged: StagedCommit) -> None:
        self.groups.append(self.group.merge(staged))
        self.pending.clear()

    def export(self, choice: int) -> Any:
        return self.group.export("label", b"", choice % 40).hex()

    def erase(self, _: int) -> Any:
        self.group.erase_exporter()


ACTIONS = [
    *("receive", "receive", "receive", "protect", "propose_update", "discard"),
    *("commit", "merge", "export", "erase"),
]


@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 1 << 10)), max_size=12))
def test_whoever_restarts_after_every_step_is_like_who_never_does(
    steps: list[tuple[str, int]],
) -> None:
    steady, restarting = Alice(restarting=False), Alice(restarting=True)

    for action, choice in steps:
        assert restarting.act(action, choice) == steady.act(action, choice)


def test_what_is_stored_is_secret(assembly: Assembly) -> None:
    alice = assembly.groups["alice"]
    stored = alice.serialize()

    assert isinstance(stored, Secret)
    assert repr(stored) == f"Secret({len(stored)} bytes)"
    assert alice._require_keys().signature_private_key in bytes(stored)


class TestWhyAnOldStateIsNeverRestored:
    """The dangers that the module names, as they are."""

    def test_keys_are_used_again(self, assembly: Assembly) -> None:
        bob = assembly.groups["bob"]
        old = Group.deserialize(bob.serialize())
        first = bob.protect(b"first", entropy=SeededEntropy(b"one"))
        again = old.protect(b"again", entropy=SeededEntropy(b"two"))
        alice = assembly.groups["alice"]

        assert alice.receive(first, policy=receiving()).generation == 0  # type: ignore[union-attr]
        with pytest.raises(E2EEError) as refused:
            alice.receive(again, policy=receiving())
        assert refused.value.reason is Rule.GENERATION_CONSUMED

    def test_messages_open_again(self, assembly: Assembly) -> None:
        message, alice = assembly.tell("bob", b"once"), assembly.groups["alice"]
        old = alice.serialize()
        for group in (alice, Group.deserialize(old)):
            received = group.receive(message, policy=receiving())
            assert isinstance(received, ApplicationMessage)
            assert received.data == b"once"

    def test_the_newest_state_has_no_such_keys(self, assembly: Assembly) -> None:
        message, alice = assembly.tell("bob", b"once"), assembly.groups["alice"]
        alice.receive(message, policy=receiving())

        with pytest.raises(E2EEError) as refused:
            Group.deserialize(alice.serialize()).receive(message, policy=receiving())
        assert refused.value.reason is Rule.GENERATION_CONSUMED
