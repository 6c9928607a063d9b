"""A group as it is stored: everything that a ``Group`` holds, and what is checked before it is one again.

Everything is checked that can be, so that no mistake in a store becomes a group that works by half: the tree is the one
that the GroupContext names; all private keys are those of the public keys in it, and none is missing; every secret has
its length; and what was proposed was proposed by somebody who may. What cannot be checked: the secrets, against each
other and against the confirmation tag, since what they were derived from is gone; the references of proposals, since
the messages that carried them are; and whether nothing newer was stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated

from e2ee.crypto.cipher_suite import CipherSuite, cipher_suite
from e2ee.crypto.kem import KeyPair
from e2ee.crypto.secret import Secret
from e2ee.mls.content_authentication import sender_key
from e2ee.mls.epoch import Epoch, MemberKeys
from e2ee.mls.errors import Rule, StorageError
from e2ee.mls.framing import FramedContent, Sender
from e2ee.mls.group_context import GroupContext
from e2ee.mls.group_secrets import SecretOpaque, secret_opaque
from e2ee.mls.message_protection import MessageProtection
from e2ee.mls.proposal import Proposal, ReInit, Update
from e2ee.mls.proposal_list import SentProposal
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.stored_format import (
    StoredKind,
    check_length,
    check_order,
    refused_as,
    unwrap,
    wrap,
)
from e2ee.mls.stored_secret_tree import StoredSecretTree
from e2ee.mls.tree_hash import tree_hash
from e2ee.mls.tree_math import direct_path, leaf_to_node
from e2ee.mls.tree_private_keys import TreePrivateKeys
from e2ee.tls_syntax import Opaque, Struct, Uint32, optional, struct, vector

__all__ = ["KeptEpoch", "StoredGroup", "StoredProposal", "restore_group", "store_group"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class KeptEpoch:
    """What a Group still has of its ``Epoch``: ``keys`` end with it, ``exporter_secret`` when it is erased."""

    public: PublicGroup
    protection: MessageProtection
    leaf_index: int
    epoch_authenticator: Secret
    keys: MemberKeys | None
    exporter_secret: Secret | None
    own_updates: Mapping[bytes, KeyPair]


@struct
class StoredProposal(Struct):
    """A proposal and who sent it."""

    sender: Sender
    proposal: Proposal

    @classmethod
    def of(cls, sent: SentProposal) -> StoredProposal:
        """What is stored of ``sent``."""
        return cls(sent.sender, sent.proposal)

    def restore(self) -> SentProposal:
        """The proposal."""
        return SentProposal(self.proposal, self.sender)


@struct
class StoredReference(Struct):
    """A proposal of this epoch, under its ProposalRef."""

    reference: Opaque
    sent: StoredProposal


@struct
class StoredNodeKey(Struct):
    """A private key; its public key stands in the tree."""

    node_index: Uint32
    private_key: SecretOpaque


@struct
class StoredMemberKeys(Struct):
    """What ends with the epoch. ``own_updates`` are private keys; their public keys stand in own Update proposals."""

    tree: Annotated[tuple[StoredNodeKey, ...], vector(StoredNodeKey.codec())]
    own_updates: Annotated[tuple[Secret, ...], vector(secret_opaque)]
    signature_private_key: SecretOpaque
    init_secret: SecretOpaque
    resumption_psk: SecretOpaque
    external_secret: SecretOpaque
    exporter_secret: Annotated[Secret | None, optional(secret_opaque)]

    @classmethod
    def of(cls, keys: MemberKeys, state: Epoch | KeptEpoch) -> StoredMemberKeys:
        """What is stored of ``keys``, and of what else ends with the epoch of ``state``."""
        pairs = keys.tree.key_pairs
        return cls(
            tuple(StoredNodeKey(x, pairs[x].private) for x in sorted(pairs)),
            tuple(state.own_updates[public].private for public in sorted(state.own_updates)),
            keys.signature_private_key,
            keys.init_secret,
            keys.resumption_psk,
            keys.external_secret,
            state.exporter_secret,
        )

    def restore(self, state: KeptEpoch) -> KeptEpoch:
        """``state`` with these keys: its epoch is not over. Raises StorageError."""
        keys = self._member_keys(state.public.tree, state.leaf_index)
        own = (self.init_secret, self.resumption_psk, self.external_secret, self.exporter_secret)
        for secret in own:
            if secret is not None:
                check_length(secret, state.public.suite.kdf.Nh)
        own_updates = self._own_updates(state.public, state.leaf_index)
        return replace(
            state, keys=keys, exporter_secret=self.exporter_secret, own_updates=own_updates
        )

    def _member_keys(self, tree: RatchetTree, leaf_index: int) -> MemberKeys:
        with refused_as(Rule.STORED_KEY):
            signature_key = tree.suite.signature.public_key(self.signature_private_key)
        leaf_node = tree.leaf(leaf_index)
        if leaf_node is None or leaf_node.signature_key != signature_key:
            raise StorageError(Rule.STORED_KEY, f"the signature key of leaf {leaf_index}")
        tree_keys = TreePrivateKeys(leaf_index, self._key_pairs(tree, leaf_index))
        if missing := tree_keys.missing_in(tree):
            raise StorageError(Rule.STORED_KEY_MISSING, f"node {missing[0]}")
        return MemberKeys(
            tree_keys,
            self.signature_private_key,
            self.init_secret,
            self.resumption_psk,
            self.external_secret,
        )

    def _key_pairs(self, tree: RatchetTree, leaf_index: int) -> dict[int, KeyPair]:
        check_order(node.node_index for node in self.tree)
        own = leaf_to_node(leaf_index)
        above = {own, *direct_path(own, tree.leaf_count)}
        pairs = {key.node_index: key_pair(tree.suite, key.private_key) for key in self.tree}
        for x, pair in pairs.items():
            node = tree.node(x)
            if x not in above or node is None or node.encryption_key != pair.public:
                raise StorageError(Rule.STORED_KEY, f"node {x}")
        return pairs

    def _own_updates(self, public: PublicGroup, leaf_index: int) -> dict[bytes, KeyPair]:
        """Exactly the key pairs of the own Update proposals of this epoch."""
        pairs = [key_pair(public.suite, private) for private in self.own_updates]
        check_order(pair.public for pair in pairs)
        own = Sender.member(leaf_index)
        proposed = {
            sent.proposal.content.leaf_node.encryption_key
            for sent in public.proposals.values()
            if isinstance(sent.proposal.content, Update) and sent.sender == own
        }
        if proposed != {pair.public for pair in pairs}:
            raise StorageError(Rule.STORED_KEY, "not the keys of the own Update proposals")
        return {pair.public: pair for pair in pairs}


def key_pair(suite: CipherSuite, private: Secret) -> KeyPair:
    """``private`` with its public key. Raises StorageError(STORED_KEY)."""
    with refused_as(Rule.STORED_KEY):
        return KeyPair(private, suite.hpke.kem.public_key(private))


@struct
class StoredGroup(Struct):
    """See the module. Without ``keys`` the epoch is over."""

    group_context: GroupContext
    ratchet_tree: Opaque
    confirmation_tag: Opaque
    proposals: Annotated[tuple[StoredReference, ...], vector(StoredReference.codec())]
    reinit: Annotated[ReInit | None, optional(ReInit.codec())]
    leaf_index: Uint32
    epoch_authenticator: SecretOpaque
    membership_key: SecretOpaque
    sender_data_secret: SecretOpaque
    secret_tree: StoredSecretTree
    keys: Annotated[StoredMemberKeys | None, optional(StoredMemberKeys.codec())]

    @classmethod
    def of(cls, state: Epoch | KeptEpoch) -> StoredGroup:
        """What is stored of ``state``."""
        public, protection = state.public, state.protection
        return cls(
            public.context,
            public.tree.encode(),
            public.confirmation_tag,
            tuple(
                StoredReference(reference, StoredProposal.of(sent))
                for reference, sent in public.proposals.items()
            ),
            public.reinit,
            state.leaf_index,
            state.epoch_authenticator,
            protection.membership_key,
            protection.sender_data_secret,
            StoredSecretTree.of(protection.secret_tree),
            StoredMemberKeys.of(state.keys, state) if state.keys is not None else None,
        )

    def restore(self) -> KeptEpoch:
        """The group's state. Raises StorageError."""
        public = self._public()
        Nh, tree = public.suite.kdf.Nh, public.tree
        for secret in (self.epoch_authenticator, self.membership_key, self.sender_data_secret):
            check_length(secret, Nh)
        if tree.leaf(self.leaf_index) is None:
            raise StorageError(Rule.STORED_TREE, f"nobody is at the own leaf {self.leaf_index}")
        protection = MessageProtection(
            public,
            self.leaf_index,
            self.membership_key,
            self.sender_data_secret,
            self.secret_tree.restore(public.suite, tree.leaf_count),
        )
        state = KeptEpoch(
            public, protection, self.leaf_index, self.epoch_authenticator, None, None, {}
        )
        return state if self.keys is None else self.keys.restore(state)

    def _public(self) -> PublicGroup:
        context = self.group_context
        with refused_as(Rule.STORED_CIPHER_SUITE):
            suite = cipher_suite(context.cipher_suite)
        tree = restore_tree(suite, self.ratchet_tree)
        if tree_hash(tree) != context.tree_hash:
            raise StorageError(Rule.STORED_TREE, "not the tree of the GroupContext")
        # Nothing was confirmed before the first commit (RFC 9420 Section 11).
        check_length(context.confirmed_transcript_hash, suite.kdf.Nh if context.epoch else 0)
        check_length(self.confirmation_tag, suite.kdf.Nh)
        public = PublicGroup.at(context, tree, self.confirmation_tag)
        proposals = MappingProxyType(self._proposals(public))
        return replace(public, proposals=proposals, reinit=self.reinit)

    def _proposals(self, public: PublicGroup) -> dict[bytes, SentProposal]:
        restored = {entry.reference: entry.sent.restore() for entry in self.proposals}
        if len(restored) != len(self.proposals):
            raise StorageError(Rule.STORED_PROPOSAL, "one twice")
        for entry in self.proposals:
            check_length(entry.reference, public.suite.kdf.Nh)
            sent = FramedContent.of(public.context, entry.sent.sender, entry.sent.proposal)
            with refused_as(Rule.STORED_PROPOSAL):
                sender_key(public.tree, public.context, sent)
        return restored


def restore_tree(suite: CipherSuite, encoded: bytes) -> RatchetTree:
    """A ratchet tree of this suite. Raises StorageError(STORED_TREE)."""
    with refused_as(Rule.STORED_TREE):
        return RatchetTree.decode(suite, encoded)


def store_group(state: KeptEpoch) -> Secret:
    """The bytes of a group."""
    return wrap(StoredKind.GROUP, StoredGroup.of(state).encode())


def restore_group(stored: bytes) -> KeptEpoch:
    """The group of these bytes. Raises StorageError."""
    body = unwrap(StoredKind.GROUP, stored)
    with refused_as(Rule.STORED_MALFORMED):
        decoded = StoredGroup.decode(body)
    return decoded.restore()
