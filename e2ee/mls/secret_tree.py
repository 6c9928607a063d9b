"""RFC 9420 Section 9: the tree of secrets that gives each member its message keys of one epoch.

    encryption_secret (root) -> ... -> a leaf's secret -> a handshake and an application ratchet
                                                          -> one key and nonce for each generation

Strategy: lazy. Until a member's first message its leaf is not derived, and then only the path to it is; what
remains of an opened path are the secrets beside it, so a secret that a used key was derived from is gone. A
``Ratchet`` is a value: using a generation gives the key and the ratchet as it is afterwards. ``SecretTree.key``
lends that key for a ``with`` block and keeps the new ratchet only if the block ends well. So one rule serves both
directions: a message that does not authenticate, or is refused for any reason, consumes nothing, and what was used
cannot be used again.

How far messages may be out of order is the application's to say, for every message that it receives: ``RatchetLimits``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.kdf import Kdf
from e2ee.crypto.secret import NonCopyable, Secret
from e2ee.mls import tree_math
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.labels import derive_tree_secret, expand_with_label
from e2ee.mls.ratchet_limits import RatchetLimits

__all__ = ["END_OF_RATCHET", "MessageKey", "Ratchet", "RatchetType", "SecretTree"]

END_OF_RATCHET = 1 << 32
"""Generations are uint32: the first that there is not."""

_NO_JUMP = RatchetLimits(jump=0)
"""Who sends uses the generation that is next."""


class RatchetType(StrEnum):
    """RFC 9420 Section 9: the label of each ratchet's first secret."""

    HANDSHAKE = "handshake"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True, repr=False)
class MessageKey:
    """Key (Nk bytes) and nonce (Nn bytes) of one generation; for one message."""

    generation: int
    key: Secret
    nonce: Secret


@dataclass(frozen=True, slots=True, repr=False)
class Ratchet:
    """RFC 9420 Section 9.1: a sender's ratchet, forward from ``generation``, and what was skipped before it."""

    secret: Secret
    generation: int = 0
    skipped: Mapping[int, MessageKey] = field(default_factory=dict)

    def use(
        self, suite: CipherSuite, generation: int, limits: RatchetLimits
    ) -> tuple[MessageKey, Ratchet]:
        """The key of ``generation``, and the ratchet without it.

        Raises ValidationError: GENERATION_CONSUMED, GENERATION_TOO_FAR_AHEAD.
        """
        if generation < self.generation:
            return self._use_skipped(generation)
        if generation - self.generation > limits.jump:
            raise ValidationError(
                Rule.GENERATION_TOO_FAR_AHEAD, f"{generation}, expected {self.generation}"
            )
        return self._use_ahead(suite, generation, generation - limits.out_of_order)

    def _use_skipped(self, generation: int) -> tuple[MessageKey, Ratchet]:
        kept = dict(self.skipped)
        key = kept.pop(generation, None)
        if key is None:
            raise ValidationError(
                Rule.GENERATION_CONSUMED, f"{generation}, used or older than the window"
            )
        return key, Ratchet(self.secret, self.generation, kept)

    def _use_ahead(
        self, suite: CipherSuite, generation: int, oldest: int
    ) -> tuple[MessageKey, Ratchet]:
        kept = {old: key for old, key in self.skipped.items() if old >= oldest}
        secret = self.secret
        for passed in range(self.generation, generation):
            if passed >= oldest:
                kept[passed] = _message_key(suite, secret, passed)
            secret = _next_secret(suite.kdf, secret, passed)
        after = Ratchet(_next_secret(suite.kdf, secret, generation), generation + 1, kept)
        return _message_key(suite, secret, generation), after


def _message_key(suite: CipherSuite, ratchet_secret: Secret, generation: int) -> MessageKey:
    return MessageKey(
        generation,
        derive_tree_secret(suite.kdf, ratchet_secret, "key", generation, suite.aead.Nk),
        derive_tree_secret(suite.kdf, ratchet_secret, "nonce", generation, suite.aead.Nn),
    )


def _next_secret(kdf: Kdf, ratchet_secret: Secret, generation: int) -> Secret:
    return derive_tree_secret(kdf, ratchet_secret, "secret", generation, kdf.Nh)


@dataclass(frozen=True, slots=True, repr=False)
class _Ratchets:
    """A leaf's two ratchets, and the node secrets that remain beside the path to it if that is new."""

    by_type: Mapping[RatchetType, Ratchet]
    nodes: Mapping[int, Secret]


class SecretTree(NonCopyable):
    """RFC 9420 Section 9: the message keys of all members in one epoch, as far as they are not consumed."""

    __slots__ = ("_leaves", "_nodes", "_suite", "leaf_count")

    def __init__(
        self,
        suite: CipherSuite,
        leaf_count: int,
        nodes: Mapping[int, Secret],
        leaves: Mapping[int, Mapping[RatchetType, Ratchet]],
    ) -> None:
        """``leaf_count`` is that of the ratchet tree, a power of two. See ``nodes`` and ``leaves``."""
        self._suite = suite
        self.leaf_count = leaf_count
        self._nodes = nodes
        self._leaves = dict(leaves)

    @classmethod
    def of_root(cls, suite: CipherSuite, leaf_count: int, encryption_secret: Secret) -> SecretTree:
        """As an epoch begins: nothing derived, nothing consumed."""
        return cls(suite, leaf_count, {tree_math.root(leaf_count): encryption_secret}, {})

    @property
    def nodes(self) -> Mapping[int, Secret]:
        """By node index: the secrets of nodes below which nobody was heard, as high in the tree as there are."""
        return self._nodes

    @property
    def leaves(self) -> Mapping[int, Mapping[RatchetType, Ratchet]]:
        """By leaf index, the ratchets of the members who were heard. Each leaf is either here or below one node."""
        return self._leaves

    @contextmanager
    def key(
        self,
        leaf_index: int,
        ratchet: RatchetType,
        generation: int,
        limits: RatchetLimits,
    ) -> Iterator[MessageKey]:
        """The key of a received message. It is consumed if the block ends without an exception.

        Raises ValidationError: GENERATION_CONSUMED, GENERATION_TOO_FAR_AHEAD.
        """
        opened = self._open(leaf_index)
        key, after = opened.by_type[ratchet].use(self._suite, generation, limits)
        yield key
        self._keep(leaf_index, opened, ratchet, after)

    @contextmanager
    def next_key(self, leaf_index: int, ratchet: RatchetType) -> Iterator[MessageKey]:
        """The key of the next message to send. It is consumed if the block ends without an exception.

        Raises UsageError(RATCHET_EXHAUSTED).
        """
        opened = self._open(leaf_index)
        generation = opened.by_type[ratchet].generation
        if generation == END_OF_RATCHET:
            raise UsageError(Rule.RATCHET_EXHAUSTED, "commit to start a new epoch")
        key, after = opened.by_type[ratchet].use(self._suite, generation, _NO_JUMP)
        yield key
        self._keep(leaf_index, opened, ratchet, after)

    def _keep(
        self, leaf_index: int, opened: _Ratchets, ratchet: RatchetType, after: Ratchet
    ) -> None:
        self._nodes = opened.nodes
        self._leaves[leaf_index] = {**opened.by_type, ratchet: after}

    def _open(self, leaf_index: int) -> _Ratchets:
        """The leaf's ratchets, derived beside the tree if this is the leaf's first message."""
        if leaf_index in self._leaves:
            return _Ratchets(self._leaves[leaf_index], self._nodes)
        nodes = dict(self._nodes)
        leaf_secret = self._descend(nodes, tree_math.leaf_to_node(leaf_index))
        kdf = self._suite.kdf
        first = {
            ratchet: Ratchet(expand_with_label(kdf, leaf_secret, ratchet, b"", kdf.Nh))
            for ratchet in RatchetType
        }
        return _Ratchets(first, nodes)

    def _descend(self, nodes: dict[int, Secret], leaf: int) -> Secret:
        """Replace the lowest secret above node ``leaf`` by those beside the path, and take the leaf's own."""
        node, kdf = self._lowest_known(leaf), self._suite.kdf
        secret = nodes.pop(node)
        while node != leaf:
            left = expand_with_label(kdf, secret, "tree", b"left", kdf.Nh)
            right = expand_with_label(kdf, secret, "tree", b"right", kdf.Nh)
            if leaf < node:
                nodes[tree_math.right(node)], secret = right, left
                node = tree_math.left(node)
            else:
                nodes[tree_math.left(node)], secret = left, right
                node = tree_math.right(node)
        return secret

    def _lowest_known(self, leaf: int) -> int:
        """The one node with a secret on the way from ``leaf`` to the root."""
        node = leaf
        while node not in self._nodes:
            node = tree_math.parent(node, self.leaf_count)
        return node
