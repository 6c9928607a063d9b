"""Vectors of RFC 9420, Sections 7.1, 7.8, 7.9 and 12.4.3: the tree of a group that somebody joins.

All trees are told by Alice, who signs the GroupInfo, and confirmed by the epoch's tags: what is wrong with them is
wrong with the group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from e2ee.crypto.kem import KeyPair
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.proposal import Add, Remove
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_node import ParentNode, TreeNode
from e2ee.testing.mls_forge.clients import Client, make_client
from e2ee.testing.mls_forge.commits import Committed, Committing, commit
from e2ee.testing.mls_forge.forge import Change, Forge, same
from e2ee.testing.mls_forge.paths import Path, node_key_pair
from e2ee.testing.mls_forge.spoiling import malformed
from e2ee.testing.mls_forge.trees import encode_nodes, nodes_of, with_nodes
from e2ee.testing.mls_forge.welcomes import Welcoming, welcome
from e2ee.vectorgen.mls_validation.groups import ALICE, BOB, CAROL, DAVE, assemble, people
from e2ee.vectorgen.mls_validation.registry import Case, File, Flag, operation
from e2ee.vectorgen.mls_validation.states import dave

__all__ = ["FILE"]

joining = operation("join")

ROOT = 3


# ----------------------------------------------------------------------------------------------------------- groups


def grown(
    forge: Forge,
    dave: Client,
    *,
    bob_key: KeyPair | None = None,
    carols_path: Path | None = None,
    tree: Change[RatchetTree] = same,
    alices_path: Path | None = None,
) -> Committed:
    """Alice added Bob and Carol, Carol committed, and Alice adds Dave without a path.

    So node 1 is of Alice's path, the root is of Carol's and has Dave unmerged, and node 5 is blank.
    """
    clients = people(forge, "alice", "bob", "carol")
    clients["bob"] = make_client(forge, "bob", encryption=bob_key or forge.key_pair())
    epoch = assemble(forge, clients, path=alices_path).epoch
    by_carol = Committing(path=carols_path or Path())
    epoch = commit(forge, epoch, CAROL, committing=by_carol).epoch
    adding = Committing(path=None, tree=tree)
    return commit(forge, epoch, ALICE, Add(dave.key_package), committing=adding)


def small(forge: Forge, dave: Client) -> Committed:
    """Alice adds Bob and Dave, at leaf 2, without a path: no parent node, and leaf 3 is blank."""
    group = assemble(forge, people(forge, "alice"))
    adds = (Add(client.key_package) for client in (make_client(forge, "bob"), dave))
    return commit(forge, group.epoch, ALICE, *adds, committing=Committing(path=None))


def gapped(forge: Forge, dave: Client, tree: Change[RatchetTree] = same) -> Committed:
    """Alice removed Bob; then she adds Erin and Dave without a path: both are unmerged in the root."""
    epoch = assemble(forge, people(forge, "alice", "bob", "carol")).epoch
    epoch = commit(forge, epoch, ALICE, Remove(BOB)).epoch
    adds = (Add(client.key_package) for client in (make_client(forge, "erin"), dave))
    return commit(forge, epoch, ALICE, *adds, committing=Committing(path=None, tree=tree))


def full(forge: Forge, dave: Client, path: Path | None = None) -> Committed:
    """Alice added Bob, Carol and Erin, Carol committed, and Alice puts Dave in Bob's place: no blank node."""
    epoch = assemble(forge, people(forge, "alice", "bob", "carol", "erin")).epoch
    epoch = commit(forge, epoch, CAROL).epoch
    items = Remove(BOB), Add(dave.key_package)
    return commit(forge, epoch, ALICE, *items, committing=Committing(path=path or Path()))


def crossed(forge: Forge, dave: Client) -> Committed:
    """Alice's path went through node 1, then Bob's did: what her leaf says of node 1 is of a node that is no more."""
    epoch = assemble(forge, people(forge, "alice", "bob", "carol")).epoch
    epoch = commit(forge, epoch, BOB).epoch
    return commit(forge, epoch, ALICE, Add(dave.key_package), committing=Committing(path=None))


def told(
    case: Case,
    made: Callable[[Forge, Client], Committed],
    leaf_index: int = DAVE,
    welcoming: Welcoming | None = None,
    ratchet_tree: Change[bytes] | None = None,
) -> None:
    """Alice welcomes Dave into the group that was made; ``ratchet_tree`` is the tree out of band."""
    client = case.at(dave).client
    committed = made(case.forge, client)
    told_tree = ratchet_tree(committed.epoch.tree.encode()) if ratchet_tree else None
    invitation = welcome(case.forge, committed, client, leaf_index, welcoming)
    case.welcome(committed, invitation, told_tree)


@joining.vector("RFC9420-12.4.3.1")
def grown_tree(case: Case) -> None:
    """Bob, who never committed; Alice and Carol, whose paths are of different epochs; Dave, who is unmerged."""
    told(case, grown)


@joining.vector("RFC9420-12.4.3.1")
def gapped_tree(case: Case) -> None:
    """Two unmerged leaves, and no other parent node than the root."""
    told(case, gapped)


@joining.vector("RFC9420-12.4.3.1")
def full_tree(case: Case) -> None:
    """No blank node."""
    told(case, full, BOB)


@joining.vector("RFC9420-12.4.3.1")
def small_tree(case: Case) -> None:
    """Three members whose tree has five nodes, two less than its width."""
    told(case, small, CAROL)


@joining.vector("RFC9420-7.9.2")
def crossed_tree(case: Case) -> None:
    """The parent_hash of a leaf whose path was overwritten fits nothing, and need not: one below each node has to."""
    told(case, crossed)


OUT_OF_BAND = Welcoming(ratchet_tree=False)


@joining.vector("RFC9420-12.4.3.3")
def tree_out_of_band(case: Case) -> None:
    """The same tree, not in the GroupInfo."""
    told(case, small, CAROL, OUT_OF_BAND, same)


# --------------------------------------------------------------------------------------------------------- encoding


def in_the_group_info(change: Callable[[bytes], bytes]) -> Welcoming:
    """The ratchet_tree extension changed, and signed."""

    def changed(info: GroupInfo) -> GroupInfo:
        data = change(info.extensions[0].extension_data)
        return replace(info, extensions=(Extension(ExtensionType.RATCHET_TREE, data),))

    return Welcoming(group_info=changed)


def reordered(
    case: Case, change: Callable[[list[TreeNode | None]], list[TreeNode | None]]
) -> Change[bytes]:
    """A change of the array of nodes, whatever tree that makes."""

    def changed(data: bytes) -> bytes:
        return encode_nodes(change(nodes_of(RatchetTree.decode(case.forge.suite, data))))

    return changed


BlankEnd = dict[str, int]


@joining.vector(
    "RFC9420-12.4.3.3",
    reason=Rule.TREE_ENDS_BLANK,
    like="small-tree",
    each={"up-to-the-width": 2, "one": 1},
)
def blank_nodes_at_the_end(case: Case, count: int) -> None:
    """Blank nodes after the last member: it is the same tree, with the same tree hash."""
    change = reordered(case, lambda nodes: [*nodes, *[None] * count])
    told(case, small, CAROL, in_the_group_info(change))


@joining.vector("RFC9420-12.4.3.3", reason=Rule.TREE_ENDS_BLANK, like="tree-out-of-band")
def blank_nodes_at_the_end_out_of_band(case: Case) -> None:
    """The same in a tree that comes out of band."""
    change = reordered(case, lambda nodes: [*nodes, None, None])
    told(case, small, CAROL, OUT_OF_BAND, change)


@joining.vector("RFC9420-12.4.3.3", reason=Rule.TREE_EMPTY, like="small-tree")
def tree_of_no_node(case: Case) -> None:
    """The vector of nodes is empty."""
    told(case, small, CAROL, in_the_group_info(reordered(case, lambda _: [])))


@joining.vector("RFC9420-12.4.3.3", reason=Rule.TREE_NODE_MISPLACED, like="small-tree")
def leaf_in_the_place_of_a_parent(case: Case) -> None:
    """Bob's leaf stands in entry 1, and entry 2 is blank."""
    change = reordered(case, lambda nodes: [nodes[0], nodes[2], nodes[1], *nodes[3:]])
    told(case, small, CAROL, in_the_group_info(change))


@joining.vector("RFC9420-12.4.3.3", reason=Rule.TREE_NODE_MISPLACED, like="grown-tree")
def parent_in_the_place_of_a_leaf(case: Case) -> None:
    """The parent of entry 1 stands in entry 2 and Bob's leaf in entry 1."""
    change = reordered(case, lambda nodes: [nodes[0], nodes[2], nodes[1], *nodes[3:]])
    told(case, grown, DAVE, in_the_group_info(change))


@joining.vector("RFC9420-12.4.3.3", reason=Rule.TREE_HASH, like="small-tree")
def tree_without_a_member(case: Case) -> None:
    """Bob's leaf is blank in the tree, not in the tree hash of the GroupContext."""
    change = reordered(case, lambda nodes: [*nodes[:2], None, *nodes[3:]])
    told(case, small, CAROL, in_the_group_info(change))


@joining.vector("RFC9420-12.4.3.3", reason=Rule.TREE_HASH, like="tree-out-of-band")
def tree_without_a_member_out_of_band(case: Case) -> None:
    """The same in a tree that comes out of band, from a server that no member has told so."""
    change = reordered(case, lambda nodes: [*nodes[:2], None, *nodes[3:]])
    told(case, small, CAROL, OUT_OF_BAND, change)


# --------------------------------------------------------------------------------------------------- unmerged leaves


def altered(x: int, **changes: object) -> Change[RatchetTree]:
    """The tree with other fields in the parent node ``x``; the tree hash and all that follows are of this tree."""

    def changed(tree: RatchetTree) -> RatchetTree:
        parent = tree.parent_node(x)
        if parent is None:
            raise LookupError(f"node {x} is no parent")
        return with_nodes(tree, {x: replace(parent, **changes)})  # type: ignore[arg-type]

    return changed


@joining.vector("RFC9420-7.1", reason=Rule.UNMERGED_LEAVES_NOT_SORTED, like="gapped-tree")
def unmerged_leaves_in_descending_order(case: Case) -> None:
    """The root lists leaf 3 before leaf 1."""
    told(case, lambda forge, client: gapped(forge, client, altered(ROOT, unmerged_leaves=(3, 1))))


@joining.vector(
    "RFC9420-7.1",
    reason=Rule.UNMERGED_LEAVES_NOT_SORTED,
    like="gapped-tree",
    flags=(Flag.STRICTER,),
)
def unmerged_leaf_twice(case: Case) -> None:
    """The root lists leaf 1 twice, then leaf 3."""
    change = altered(ROOT, unmerged_leaves=(1, 1, 3))
    told(case, lambda forge, client: gapped(forge, client, change))


@joining.vector(
    "RFC9420-12.4.3.1",
    reason=Rule.UNMERGED_LEAF_NOT_BELOW,
    like="grown-tree",
    each={"on-the-other-side": CAROL, "outside-of-the-tree": 99, "the-largest": 2**32 - 1},
)
def unmerged_leaf_that_is(case: Case, leaf_index: int) -> None:
    """Node 1 lists a leaf that is not below it; its parent hash does not depend on that."""
    change = altered(1, unmerged_leaves=(leaf_index,))
    told(case, lambda forge, client: grown(forge, client, tree=change))


@joining.vector(
    "RFC9420-12.4.3.1", reason=Rule.UNMERGED_LEAF_NOT_BELOW, like="unmerged-leaf-beside-a-blank-one"
)
def unmerged_leaf_that_is_blank(case: Case) -> None:
    """The root lists the blank leaf 3, beside Dave's, which is unmerged."""
    blank_leaf(case, altered(ROOT, unmerged_leaves=(1, 3)))


@joining.vector("RFC9420-12.4.3.1")
def unmerged_leaf_beside_a_blank_one(case: Case) -> None:
    """Dave is added at leaf 1, below the root of Alice's path; leaf 3 is blank."""
    blank_leaf(case, same)


def blank_leaf(case: Case, tree: Change[RatchetTree]) -> None:
    def made(forge: Forge, client: Client) -> Committed:
        epoch = assemble(forge, people(forge, "alice", "bob", "carol")).epoch
        epoch = commit(forge, epoch, ALICE, Remove(BOB)).epoch
        adding = Committing(path=None, tree=tree)
        return commit(forge, epoch, ALICE, Add(client.key_package), committing=adding)

    told(case, made, BOB)


@joining.vector("RFC9420-12.4.3.1", reason=Rule.UNMERGED_LEAF_SKIPS_A_NODE, like="full-tree")
def unmerged_leaf_that_skips_a_node(case: Case) -> None:
    """The root lists leaf 3, and node 5 between them does not; Alice's parent hashes are of this tree."""

    def skipping(x: int, parent: ParentNode) -> ParentNode:
        return replace(parent, unmerged_leaves=(3,)) if x == ROOT else parent

    told(case, lambda forge, client: full(forge, client, Path(parent=skipping)), BOB)


# ------------------------------------------------------------------------------------------- parent hashes and keys


@joining.vector("RFC9420-7.9.2", reason=Rule.TREE_PARENT_HASH, like="grown-tree")
def parent_node_that_nobody_made(case: Case) -> None:
    """Node 5 is not blank: somebody outside of its subtree would have its private key."""
    key = case.scene.forge("intruder").key_pair().public

    def intruded(tree: RatchetTree) -> RatchetTree:
        return with_nodes(tree, {5: ParentNode(key, b"", (DAVE,))})

    told(case, lambda forge, client: grown(forge, client, tree=intruded))


@joining.vector("RFC9420-7.9.2", reason=Rule.TREE_PARENT_HASH, like="grown-tree")
def parent_node_with_another_key(case: Case) -> None:
    """The root has another key than the one that Carol's leaf has signed."""
    change = altered(ROOT, encryption_key=case.scene.forge("intruder").key_pair().public)
    told(case, lambda forge, client: grown(forge, client, tree=change))


@joining.vector("RFC9420-7.9.2", reason=Rule.TREE_PARENT_HASH, like="grown-tree")
def parent_node_with_another_parent_hash(case: Case) -> None:
    """Node 1 has another parent hash than the one that Alice's leaf has signed."""
    change = altered(1, parent_hash=bytes(case.forge.suite.kdf.Nh))
    told(case, lambda forge, client: grown(forge, client, tree=change))


@joining.vector("RFC9420-7.9.2", reason=Rule.TREE_PARENT_HASH, like="gapped-tree")
def unmerged_leaf_that_is_not_listed(case: Case) -> None:
    """The root does not list Erin, who was added after its key was made."""
    change = altered(ROOT, unmerged_leaves=(DAVE,))
    told(case, lambda forge, client: gapped(forge, client, change))


@joining.vector("RFC9420-7.9.2", reason=Rule.TREE_PARENT_HASH, like="grown-tree")
def merged_leaf_that_is_listed(case: Case) -> None:
    """The root lists Bob besides Dave, who had its key: node 1 between them does, too."""

    def listed(tree: RatchetTree) -> RatchetTree:
        return altered(ROOT, unmerged_leaves=(BOB, DAVE))(altered(1, unmerged_leaves=(BOB,))(tree))

    told(case, lambda forge, client: grown(forge, client, tree=listed))


@joining.vector("RFC9420-12.4.3.1", reason=Rule.TREE_PARENT_KEY_NOT_UNIQUE, like="grown-tree")
def parent_key_of_a_member(case: Case) -> None:
    """The root, which has an unmerged leaf, has Bob's encryption key: Carol and Bob agreed on it before."""
    secret = case.scene.forge("collusion").secret()
    key = node_key_pair(case.forge, secret)
    path = Path(first_secret=secret)
    told(case, lambda forge, client: grown(forge, client, bob_key=key, carols_path=path))


@joining.vector("RFC9420-12.4.3.1", reason=Rule.TREE_PARENT_KEY_NOT_UNIQUE, like="grown-tree")
def parent_key_of_another_parent(case: Case) -> None:
    """The root, which has an unmerged leaf, has the key of node 1: Carol knew Alice's path secret and took it."""
    path = Path(first_secret=case.scene.forge("collusion").secret())
    told(case, lambda forge, client: grown(forge, client, alices_path=path, carols_path=path))


@joining.vector(
    "RFC9420-7.1",
    reason=Rule.TREE_PARENT_KEY_MALFORMED,
    like="grown-tree",
    flags=(Flag.STRICTER,),
)
def parent_key_malformed(case: Case) -> None:
    """The root's key is no public key, and Carol's leaf has signed it."""
    suite = case.forge.suite

    def spoilt(_: int, parent: ParentNode) -> ParentNode:
        return replace(parent, encryption_key=malformed(suite, parent.encryption_key))

    path = Path(parent=spoilt)
    told(case, lambda forge, client: grown(forge, client, carols_path=path))


FILE = File(
    "ratchet-trees",
    "Ratchet trees: RFC 9420, Sections 7.1, 7.9.2, 12.4.3.1 and 12.4.3.3. A joiner checks the tree.",
    (joining,),
)
