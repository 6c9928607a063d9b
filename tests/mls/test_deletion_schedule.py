"""Section 9.2, "Deletion Schedule": what is consumed is nowhere any more.

The tests compute the consumed secrets themselves, and then look for them in every byte string that can be reached from
the objects that a client keeps: by their references, as the garbage collector sees them, closures and caches included.
What may be kept is looked for too, so that a search that finds nothing has shown that it can find.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.external_init import receive_external_init
from e2ee.mls.group import Group, StagedCommit
from e2ee.mls.joining import join
from e2ee.mls.key_schedule import (
    EpochSecrets,
    derive_epoch_secret,
    derive_joiner_secret,
    derive_welcome_secret,
    external_key_pair,
    psk_secret_of,
)
from e2ee.mls.labels import derive_secret, derive_tree_secret, expand_with_label
from e2ee.mls.proposal import PreSharedKey
from e2ee.mls.psk import PreSharedKeyID, PskName
from e2ee.mls.tree_math import direct_path, leaf_to_node, left, right, root
from e2ee.mls.treekem import open_path
from e2ee.testing.mls_members import Assembly, receiving

PSK_ID, PSK = b"psk", Secret(b"what two members whispered")


def held(*roots: Any) -> bytes:
    """All byte strings that can be reached from ``roots``, one after the other."""
    found, seen, to_visit = [], set[int](), list(roots)
    while to_visit:
        value = to_visit.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, bytes | bytearray):
            found.append(bytes(value))
        to_visit += _referents(value)
    return b"|".join(found)


def _referents(value: Any) -> Iterable[Any]:
    if isinstance(value, ModuleType):
        return ()
    if isinstance(value, FunctionType):  # not its globals: they hold everything
        return [value.__closure__, value.__defaults__, value.__kwdefaults__]
    return gc.get_referents(value)


def caches() -> Iterator[Any]:
    """What the package itself keeps between calls."""
    for name, module in sys.modules.items():
        if name.startswith(("e2ee.mls", "e2ee.crypto", "e2ee.tls_syntax")):
            yield from vars(module).values()


def assert_gone(secrets: Iterable[bytes], *roots: Any) -> None:
    everything = held(*roots, *caches())
    assert [n for n, secret in enumerate(secrets) if bytes(secret) in everything] == []


def assert_kept(secrets: Iterable[bytes], *roots: Any) -> None:
    everything = held(*roots)
    assert [n for n, secret in enumerate(secrets) if bytes(secret) not in everything] == []


class TestTheSearch:
    def test_it_finds_what_is_there(self) -> None:
        needle = bytes(range(16))

        def closure() -> bytes:
            return needle

        class Slotted:
            __slots__ = ("inner",)

        slotted = Slotted()
        slotted.inner = {"key": [Secret(needle)]}  # type: ignore[attr-defined]
        for hay in (closure, slotted, (lambda _=needle: None), bytearray(b"x" + needle)):
            assert_kept([needle], hay)
        assert needle not in held([b"other", slotted.__slots__])


class KeySchedule:
    """The secrets of a commit, computed beside the code under test by one who receives it."""

    def __init__(self, receiver: Group, staged: StagedCommit) -> None:
        keys, public, kdf = receiver._require_keys(), staged.public, receiver.cipher_suite.kdf
        assert public.path is not None
        opened = open_path(
            public.applied.tree,
            public.committer,
            public.path.nodes,
            keys.tree.kept_in(public.applied.tree),
            public.provisional_context.encode(),
            public.applied.added_leaves,
        )
        context, psks = public.context.encode(), dict[PskName, Secret]({PSK_ID: PSK})
        psk_secret = psk_secret_of(kdf, public.applied.psks, psks)
        init_secret, kem_output = keys.init_secret, public.applied.kem_output
        if kem_output is not None:
            init_secret = receive_external_init(
                receiver.cipher_suite, keys.external_secret, kem_output
            )
        joiner_secret = derive_joiner_secret(kdf, init_secret, opened.commit_secret, context)
        epoch_secret = derive_epoch_secret(kdf, joiner_secret, psk_secret, context)
        self.epoch = EpochSecrets.derive(kdf, epoch_secret)
        path_secrets = list(opened.path_secrets.values())
        self.path_keys = [pair.private for pair in opened.key_pairs.values()]
        self.consumed = [
            keys.init_secret,  # of who receives, until it merges
            *([init_secret] if kem_output else []),
            opened.commit_secret,
            kdf.extract(init_secret, opened.commit_secret),
            joiner_secret,
            psk_secret,
            PSK,
            kdf.extract(joiner_secret, psk_secret),
            derive_welcome_secret(kdf, joiner_secret, psk_secret),
            external_key_pair(receiver.cipher_suite, keys.external_secret).private,
            epoch_secret,
            self.epoch.confirmation_key,
            *path_secrets,
            *(derive_secret(kdf, path_secret, "node") for path_secret in path_secrets),
        ]
        """What the next epoch was derived from, and what has shown that it is the right one."""
        self.kept = [
            self.epoch.init_secret,
            self.epoch.exporter_secret,
            self.epoch.resumption_psk,
            self.epoch.epoch_authenticator,
            self.epoch.sender_data_secret,
            self.epoch.membership_key,
            self.epoch.external_secret,
            self.epoch.encryption_secret,
        ]


def private_keys(group: Group) -> list[bytes]:
    return [pair.private for pair in group._require_keys().tree.key_pairs.values()]


def everything_of(group: Group) -> list[bytes]:
    """All secrets of a group that end with its epoch."""
    keys, exporter = group._require_keys(), group._exporter_secret
    assert exporter is not None
    return [
        keys.init_secret,
        keys.resumption_psk,
        keys.external_secret,
        keys.signature_private_key,
        exporter,
        *private_keys(group),
        *(pair.private for pair in group._own_updates.values()),
    ]


SUITES = pytest.mark.parametrize(
    "suite", [CIPHER_SUITES[1], CIPHER_SUITES[2], CIPHER_SUITES[0xF0E2]], ids=str
)


@pytest.fixture
def members(suite: CipherSuite, hybrid_entropy: SeededEntropy) -> Assembly:
    """Alice, bob and carol; each has committed."""
    assembly = Assembly(suite, hybrid_entropy, "alice", "bob", "carol")
    for name in ("bob", "carol", "alice"):
        assembly.commit(name)
    return assembly


@SUITES
class TestTheKeySchedule:
    """ "the commit_secret, joiner_secret, epoch_secret, and encryption_secret of that epoch n as well as the init_secret
    of the previous epoch n-1" and Section 7.5: "The path secrets and node secrets used to derive each updated node key
    pair. Each outdated node key pair that was replaced by the update."
    """

    def commit(self, members: Assembly) -> tuple[Any, StagedCommit, KeySchedule]:
        """Alice's commit of a PSK that adds dave, as bob receives it."""
        psk_id = PreSharedKeyID.external(PSK_ID, members.entropy.random(members.suite.kdf.Nh))
        pending = members.pending(
            "alice", PreSharedKey(psk_id), members.add("dave"), psks={PSK_ID: PSK}
        )
        bob = members.groups["bob"]
        staged = bob.receive(pending.message, policy=receiving(), psks={PSK_ID: PSK})
        assert isinstance(staged, StagedCommit)
        return pending, staged, KeySchedule(bob, staged)

    def test_a_receiver(self, members: Assembly) -> None:
        old = members.groups["bob"]
        old.propose_update(entropy=members.entropy)
        _, staged, secrets = self.commit(members)
        ending = everything_of(old)
        outdated = [key for key in private_keys(old) if key not in secrets.path_keys]
        assert_kept(ending, old)
        assert_gone(secrets.consumed[1:], old, staged)

        new = old.merge(staged)
        own_leaf = new._require_keys().tree.key_pairs[leaf_to_node(new.own_leaf_index)].private

        assert_gone(secrets.consumed, old, new, staged)
        assert_gone([key for key in outdated if key != own_leaf], old, new, staged)
        assert_gone(ending, old)
        assert_kept([*secrets.kept, *secrets.path_keys, own_leaf], new)

    def test_a_committer(self, members: Assembly) -> None:
        old = members.groups["alice"]
        old.propose_update(entropy=members.entropy)
        pending, _, secrets = self.commit(members)
        ending = [
            secret
            for secret in everything_of(old)
            if secret != old._require_keys().signature_private_key
        ]
        signature_key = old._require_keys().signature_private_key
        assert_gone(secrets.consumed[1:], old, pending)

        new = old.merge(pending.staged)

        assert_gone([*secrets.consumed, *ending], old, new, pending)
        assert_gone([signature_key], old)
        assert_kept([*secrets.kept, *secrets.path_keys, signature_key], new)

    def test_a_newcomer(self, members: Assembly) -> None:
        pending, _, secrets = self.commit(members)
        bundle = members.bundles["dave"]
        dave = join(pending.welcome.body, bundle, policy=receiving(), psks={PSK_ID: PSK})

        assert_gone([*secrets.consumed, bundle.init_private_key], dave)
        assert_kept([*secrets.kept, secrets.path_keys[-1], bundle.encryption_private_key], dave)
        assert_gone(secrets.path_keys[:-1], dave)

        first_leaf_key = bundle.encryption_private_key
        dave = dave.merge(dave.commit(policy=receiving(), entropy=members.entropy).staged)
        assert_gone([first_leaf_key], dave)

    def test_who_comes_from_outside(self, members: Assembly) -> None:
        members.bundle("dave")
        pending = members.pending_join("dave", members.group_info("alice"))
        old = members.groups["bob"]
        staged = members.stage("bob", pending.message)
        secrets = KeySchedule(old, staged)
        consumed = [secret for secret in secrets.consumed if secret != PSK and any(secret)]
        bundle = members.bundles["dave"]

        new = old.merge(staged)

        assert_gone([*consumed, bundle.init_private_key], old, new, staged, pending)
        assert_kept(secrets.kept, new)
        assert_kept(secrets.kept, pending)
        assert_gone([bundle.encryption_private_key], pending)

    def test_who_creates_a_group(self, members: Assembly) -> None:
        seed = b"creation"
        kdf, entropy = members.suite.kdf, SeededEntropy(seed)
        group = Group.create(
            members.bundle("erin"), group_id=b"new", policy=receiving(), entropy=entropy
        )
        epoch_secret = Secret(SeededEntropy(seed).random(kdf.Nh))
        secrets = EpochSecrets.derive(kdf, epoch_secret)

        assert_gone([epoch_secret, secrets.confirmation_key], group)
        assert_kept([secrets.init_secret], group)

    def test_an_own_update_that_was_committed_or_not(self, members: Assembly) -> None:
        """Its key pair lives as long as it can come into the tree, and then as long as it stands there."""
        bob = members.groups["bob"]
        taken, left_over = (bob.propose_update(entropy=members.entropy) for _ in range(2))
        dropped = bob.propose_update(entropy=members.entropy)
        keys = [pair.private for pair in bob._own_updates.values()]
        old_leaf = bob._require_keys().tree.key_pairs[2].private
        assert_kept(keys, bob)

        bob.discard_proposal(dropped.reference)
        assert_gone(keys[2:], bob)
        assert_kept(keys[:2], bob)

        for name in ("alice", "carol"):
            members.groups[name].receive(taken.message, policy=receiving())
        members.commit("alice", references=[taken.reference])
        new = members.groups["bob"]
        assert left_over.reference not in new.proposals
        assert_gone([*keys[1:], old_leaf], bob, new)
        assert_gone(keys, bob)
        assert_kept(keys[:1], new)


class SenderKeys:
    """The secret tree down to one leaf, and its application ratchet, computed beside the code under test."""

    def __init__(self, group: Group, leaf_index: int, generations: int) -> None:
        suite, leaf_count = group.cipher_suite, group.tree.leaf_count
        kdf, aead, leaf = suite.kdf, suite.aead, leaf_to_node(leaf_index)
        (secret,) = group._protection.secret_tree.nodes.values()
        self.path, self.beside = [secret], list[Secret]()
        for node in [*reversed(direct_path(leaf, leaf_count)[:-1]), leaf]:
            parent = direct_path(node, leaf_count)[0]
            children = {
                left(parent): expand_with_label(kdf, secret, "tree", b"left", kdf.Nh),
                right(parent): expand_with_label(kdf, secret, "tree", b"right", kdf.Nh),
            }
            secret = children.pop(node)
            self.path.append(secret)
            self.beside += children.values()
        assert direct_path(leaf, leaf_count)[-1] == root(leaf_count)
        self.handshake = expand_with_label(kdf, secret, "handshake", b"", kdf.Nh)
        self.ratchet = [expand_with_label(kdf, secret, "application", b"", kdf.Nh)]
        self.keys = []
        for generation in range(generations):
            last = self.ratchet[-1]
            self.keys.append(
                [
                    derive_tree_secret(kdf, last, "key", generation, aead.Nk),
                    derive_tree_secret(kdf, last, "nonce", generation, aead.Nn),
                ]
            )
            self.ratchet.append(derive_tree_secret(kdf, last, "secret", generation, kdf.Nh))


@SUITES
class TestTheSecretTree:
    """ "all node secrets in the secret tree on the path from the root to the leaf with node L, the first j secrets in the
    application data ratchet of node L, and application_ratchet_nonce_[L]_[j] and application_ratchet_key_[L]_[j]."
    """

    def test_a_receiver(self, members: Assembly) -> None:
        alice, secrets = members.groups["alice"], SenderKeys(members.groups["alice"], 1, 3)
        messages = [members.tell("bob", b"%d" % n) for n in range(3)]
        assert_kept(secrets.path[:1], alice)

        alice.receive(messages[1], policy=receiving())

        assert_gone([*secrets.path, *secrets.ratchet[:2], *secrets.keys[1]], alice)
        assert_kept([*secrets.beside, secrets.handshake, secrets.ratchet[2]], alice)
        assert_kept(secrets.keys[0], alice)
        alice.receive(messages[0], policy=receiving())
        assert_gone(secrets.keys[0], alice)

    def test_a_sender(self, members: Assembly) -> None:
        bob = members.groups["bob"]
        secrets = SenderKeys(bob, 1, 2)

        for _ in range(2):
            members.tell("bob", b"data")

        used = [secret for pair in secrets.keys for secret in pair]
        assert_gone([*secrets.path, *secrets.ratchet[:2], *used], bob)
        assert_kept([*secrets.beside, secrets.handshake, secrets.ratchet[2]], bob)

    def test_what_fell_out_of_the_window(self, members: Assembly) -> None:
        alice, secrets = members.groups["alice"], SenderKeys(members.groups["alice"], 1, 67)
        last = [members.tell("bob", b"%d" % n) for n in range(67)][-1]

        alice.receive(last, policy=receiving())

        assert_gone([*secrets.keys[0], *secrets.keys[1]], alice)
        assert_kept(secrets.keys[2], alice)

    def test_an_epoch_that_is_over(self, members: Assembly) -> None:
        old, secrets = members.groups["alice"], SenderKeys(members.groups["alice"], 1, 2)
        late = [members.tell("bob", b"%d" % n) for n in range(2)]
        members.commit("carol")

        old.receive(late[1], policy=receiving())

        assert_gone([*secrets.path, *secrets.ratchet[:2], *secrets.keys[1]], old)
        assert_kept(secrets.keys[0], old)
        assert_gone([*secrets.path, *secrets.ratchet, *secrets.beside], members.groups["alice"])

    def test_nothing_comes_back_from_a_store(self, members: Assembly) -> None:
        alice, secrets = members.groups["alice"], SenderKeys(members.groups["alice"], 1, 2)
        members.tell("bob", b"0")
        alice.receive(members.tell("bob", b"1"), policy=receiving())

        stored = bytes(alice.serialize())

        gone = [*secrets.path, *secrets.ratchet[:2], *secrets.keys[1]]
        assert [secret for secret in gone if bytes(secret) in stored] == []
        assert_gone(gone, Group.deserialize(stored))
        assert all(bytes(secret) in stored for secret in (*secrets.beside, *secrets.keys[0]))
