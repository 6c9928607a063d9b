"""A workshop for MLS: clients, their leaves and KeyPackages, and groups seen from outside.

Everything is well-formed unless a test asks for a change, and then it is signed after the change, so that the rule
under test is the only one broken. The workshop commits without any secret: path secrets are replaced by bytes that
nobody can open, which is all that the public half of a group can see of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.cipher_suite import CipherSuite, cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.signature import SigningKey
from e2ee.errors import Reason, RemoteProtocolError
from e2ee.mls.applied_proposals import AppliedProposals
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.content_authentication import sign_content
from e2ee.mls.credential import Credential
from e2ee.mls.extension import Extension
from e2ee.mls.framing import (
    AuthenticatedContent,
    FramedContent,
    FramedContentAuthData,
    Sender,
    WireFormat,
)
from e2ee.mls.group_info import GroupInfo, sign_group_info
from e2ee.mls.key_package import KeyPackage, sign_key_package
from e2ee.mls.labels import HPKECiphertext
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, Lifetime, sign_leaf_node
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.parent_hash import set_path
from e2ee.mls.proposal import Add, Proposal, ProposalContent, Remove
from e2ee.mls.proposal_list import SentProposal
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.public_message import PublicMessage, protect
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_hash import tree_hash
from e2ee.mls.tree_node import TreeNode
from e2ee.mls.update_path import UpdatePath, UpdatePathNode
from e2ee.testing.mls_members import Assembly, snapshot

NOW = 1_700_000_000_000
HOUR, DAY = 3_600, 86_400
GROUP_ID = b"the group"
MEMBERSHIP_KEY = Secret(bytes(32))
CONFIRMATION_TAG = bytes(32)


class Refusal(Reason):
    """Why the application of these tests refuses a credential."""

    NOT_WELCOME = "NOT_WELCOME"
    ANOTHER_IDENTITY = "ANOTHER_IDENTITY"


@dataclass
class Application:
    """Accepts everybody whose identity is not in ``unwelcome``, and a new key for the same identity."""

    unwelcome: set[bytes] = field(default_factory=set)
    asked: list[tuple[bytes, bytes]] = field(default_factory=list)

    def check(self, credential: Credential, signature_key: bytes) -> None:
        assert isinstance(credential.value, bytes)
        self.asked.append((credential.value, signature_key))
        if credential.value in self.unwelcome:
            raise RemoteProtocolError(Refusal.NOT_WELCOME)

    def check_successor(self, old: Credential, new: Credential) -> None:
        if old != new:
            raise RemoteProtocolError(Refusal.ANOTHER_IDENTITY)


@dataclass(frozen=True)
class Client:
    """A device: its name is its identity."""

    name: str
    signing: SigningKey


class Workshop:
    """Makes what clients make; all keys come from one seed."""

    def __init__(self, suite: CipherSuite) -> None:
        self.suite = suite
        self.entropy = SeededEntropy(b"workshop")
        self.application = Application()
        self.policy = ValidationPolicy(self.application, NOW)

    def client(self, name: str) -> Client:
        return Client(name, self.suite.signature.generate(self.entropy))

    def public_key(self) -> bytes:
        return self.suite.hpke.kem.generate_key_pair(self.entropy).public

    def capabilities(self, **changes: tuple[int, ...]) -> Capabilities:
        return replace(Capabilities((1,), (self.suite.code_point,), (), (), (1,)), **changes)

    def leaf_node(self, client: Client, **changes: Any) -> LeafNode:
        """A leaf for a KeyPackage."""
        leaf_node = LeafNode(
            encryption_key=self.public_key(),
            signature_key=client.signing.public,
            credential=Credential.basic(client.name.encode()),
            capabilities=self.capabilities(),
            leaf_node_source=LeafNodeSource.KEY_PACKAGE,
            details=Lifetime(NOW // 1000 - HOUR, NOW // 1000 + DAY),
            extensions=(),
            signature=b"",
        )
        return self.signed(client, replace(leaf_node, **changes))

    def signed(
        self, client: Client, leaf_node: LeafNode, group_id: bytes = GROUP_ID, leaf_index: int = 0
    ) -> LeafNode:
        return sign_leaf_node(self.suite, leaf_node, client.signing.private, group_id, leaf_index)

    def update(self, client: Client, leaf_index: int, **changes: Any) -> LeafNode:
        """A leaf for an Update proposal."""
        leaf_node = self.leaf_node(client, leaf_node_source=LeafNodeSource.UPDATE, details=None)
        return self.signed(client, replace(leaf_node, **changes), leaf_index=leaf_index)

    def key_package(
        self, client: Client, leaf_node: LeafNode | None = None, **changes: Any
    ) -> KeyPackage:
        unsigned = KeyPackage(
            version=1,
            cipher_suite=self.suite.code_point,
            init_key=self.public_key(),
            leaf_node=leaf_node or self.leaf_node(client),
            extensions=(),
            signature=b"",
        )
        changed = replace(unsigned, **changes)
        return sign_key_package(self.suite, changed, client.signing.private)

    def add(self, client: Client, **leaf_changes: Any) -> Add:
        return Add(self.key_package(client, self.leaf_node(client, **leaf_changes)))

    def tree(self, *clients: Client) -> RatchetTree:
        """A tree whose members were added without any path."""
        tree = RatchetTree.of_leaf(self.suite, self.leaf_node(clients[0]))
        for client in clients[1:]:
            tree, _ = tree.add(self.leaf_node(client))
        return tree

    def group(self, *clients: Client, extensions: tuple[Extension, ...] = ()) -> PublicGroup:
        """Epoch 0 with these members; the parents of the tree are blank."""
        tree = self.tree(*clients)
        context = PublicGroup.initial_context(tree, GROUP_ID, extensions)
        return PublicGroup.at(context, tree, CONFIRMATION_TAG)

    def path(
        self,
        tree: RatchetTree,
        client: Client,
        leaf_index: int,
        added: Iterable[int] = (),
        **leaf_changes: Any,
    ) -> UpdatePath:
        """New keys for the client's filtered direct path in ``tree``; nobody can open its secrets.

        A client that has no leaf in the tree makes one.
        """
        filtered = tree.filtered_direct_path(leaf_index)
        keys = [self.public_key() for _ in filtered]
        _, parent_hash = set_path(tree, leaf_index, keys)
        leaf_node = replace(
            tree.leaf(leaf_index) or self.leaf_node(client),
            encryption_key=self.public_key(),
            leaf_node_source=LeafNodeSource.COMMIT,
            details=parent_hash,
        )
        leaf_node = self.signed(client, replace(leaf_node, **leaf_changes), leaf_index=leaf_index)
        sealed = HPKECiphertext(b"kem_output", b"ciphertext")
        nodes = [
            UpdatePathNode(key, (sealed,) * len(tree.resolution(child, frozenset(added))))
            for key, (_, child) in zip(keys, filtered, strict=True)
        ]
        return UpdatePath(leaf_node, tuple(nodes))

    def authenticated(
        self,
        group: PublicGroup,
        client: Client,
        sender: Sender,
        content: bytes | Proposal | Commit,
        wire_format: WireFormat = WireFormat.PUBLIC_MESSAGE,
    ) -> AuthenticatedContent:
        """What this client signs as ``sender`` in this epoch."""
        framed = FramedContent.of(group.context, sender, content)
        signature = sign_content(
            self.suite, group.context, wire_format, framed, client.signing.private
        )
        tag = CONFIRMATION_TAG if isinstance(content, Commit) else None
        return AuthenticatedContent(wire_format, framed, FramedContentAuthData(signature, tag))

    def sign(
        self,
        group: PublicGroup,
        client: Client,
        leaf_index: int,
        content: Proposal | Commit,
    ) -> PublicMessage:
        """What the member at ``leaf_index`` sends in this epoch."""
        sent = self.authenticated(group, client, Sender.member(leaf_index), content)
        return protect(self.suite, group.context, sent, MEMBERSHIP_KEY)

    def sign_outside(
        self, group: PublicGroup, client: Client, sender: Sender, content: Proposal | Commit
    ) -> PublicMessage:
        """What a client sends who has no key of the group."""
        sent = self.authenticated(group, client, sender, content)
        return PublicMessage(sent.content, sent.auth, None)

    def commit(
        self,
        group: PublicGroup,
        client: Client,
        leaf_index: int,
        *proposals: ProposalContent | bytes,
        with_path: bool = True,
    ) -> PublicMessage:
        """A commit of proposals by value, and of ProposalRefs where bytes are given."""
        items = [
            ProposalOrRef.by_reference(item)
            if isinstance(item, bytes)
            else ProposalOrRef.by_value(Proposal(item))
            for item in proposals
        ]
        path = None
        if with_path:
            sent = [
                group.proposals[item]
                if isinstance(item, bytes)
                else SentProposal(Proposal(item), Sender.member(leaf_index))
                for item in proposals
            ]
            applied = group.apply(Sender.member(leaf_index), tuple(sent), self.policy)
            path = self.path(applied.tree, client, leaf_index, applied.added_leaves)
        return self.sign(group, client, leaf_index, Commit(tuple(items), path))

    def external_commit(
        self, group: PublicGroup, client: Client, *proposals: ProposalContent, **leaf_changes: Any
    ) -> PublicMessage:
        """A commit by which the client joins; the path is as the Removes among the proposals leave the tree."""
        tree = group.tree
        for content in proposals:
            if isinstance(content, Remove) and tree.leaf(content.removed):
                tree = tree.remove(content.removed)
        tree, leaf_index = tree.with_room()
        path = self.path(tree, client, leaf_index, **leaf_changes)
        items = tuple(ProposalOrRef.by_value(Proposal(content)) for content in proposals)
        sender = Sender.new_member_commit()
        return self.sign_outside(group, client, sender, Commit(items, path))

    def applied(self, group: PublicGroup, *sent: tuple[int, ProposalContent]) -> AppliedProposals:
        """The member at leaf 0 commits these proposals, each sent by the member at its leaf index."""
        proposals = tuple(
            SentProposal(Proposal(content), Sender.member(sender)) for sender, content in sent
        )
        return group.apply(Sender.member(0), proposals, self.policy)

    def refusal(self, group: PublicGroup, *sent: tuple[int, ProposalContent]) -> object:
        """Why nobody may commit these proposals; the group is as it was."""
        before = snapshot(group)
        with pytest.raises(RemoteProtocolError) as refused:
            self.applied(group, *sent)
        assert snapshot(group) == before
        return refused.value.reason

    def enter(self, group: PublicGroup, message: PublicMessage) -> PublicGroup:
        """The epoch after this commit, as an outsider follows it."""
        return group.merge(group.stage(group.verify(message), self.policy))

    def grown(self, clients: Sequence[Client]) -> PublicGroup:
        """A group in which each client, as it came in, added the next by a commit with a path."""
        group = self.group(clients[0])
        for leaf_index, (client, newcomer) in enumerate(pairwise(clients)):
            added = self.add(newcomer)
            group = self.enter(group, self.commit(group, client, leaf_index, added))
        return group

    def group_info(
        self, group: PublicGroup, client: Client, leaf_index: int, **changes: Any
    ) -> GroupInfo:
        """What the member at ``leaf_index`` tells joiners; the tree goes out of band."""
        unsigned = GroupInfo(group.context, (), CONFIRMATION_TAG, leaf_index, b"")
        return sign_group_info(self.suite, replace(unsigned, **changes), client.signing.private)

    def forged(self, tree: RatchetTree, x: int, node: TreeNode | None) -> RatchetTree:
        """The tree with another node at ``x``, and nothing else changed."""
        nodes = [tree.node(y) for y in range(tree.width)]
        nodes[x] = node
        return RatchetTree(tree.suite, nodes)

    def retold(self, group: PublicGroup, tree: RatchetTree) -> PublicGroup:
        """The same epoch with another tree, which its context names."""
        context = replace(group.context, tree_hash=tree_hash(tree))
        return PublicGroup.at(context, tree, CONFIRMATION_TAG)


@pytest.fixture
def workshop(request: pytest.FixtureRequest) -> Workshop:
    """Everything made in suite 0x0001, or in the one that a test asks for by indirect parametrization."""
    return Workshop(cipher_suite(getattr(request, "param", 0x0001)))


@pytest.fixture
def assembly() -> Assembly:
    """Alice, who created the group, Bob and Carol, with all their keys, in epoch 1 of suite 0x0001."""
    return Assembly(cipher_suite(0x0001), SeededEntropy(b"assembly"), "alice", "bob", "carol")


@pytest.fixture
def hybrid_entropy() -> SeededEntropy:
    """Reproducible randomness that can encapsulate with ML-KEM too, for suite 0xF0E2."""
    return SeededEntropy(b"hybrid", ML_KEM_768._encaps_internal)
