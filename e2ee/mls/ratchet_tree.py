"""The ratchet tree (RFC 9420 Sections 4.1, 7.1, 7.7 and 12.4.3.3): the members of a group and their public keys.

A ``RatchetTree`` never changes: every operation gives a new tree beside the old one, which shares the old one's nodes.
It is the array of Appendix C, always of full width, so relations between nodes are ``tree_math``. Beside the nodes it
keeps what would be costly to compute again for each commit: the tree hash of each node, filled by ``tree_hash``, and
the ``TreeIndex`` of all nodes. Only ``_with`` puts other nodes into a tree, and forgets the hashes of these and of their
ancestors; only ``_with`` and ``_truncated`` change what the index counts.

A tree that was decoded has nodes of the right kind in the right places and nothing more: ``tree_validation`` checks it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.mls import tree_math
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.tree_index import TreeIndex
from e2ee.mls.tree_node import Node, NodeType, ParentNode, TreeNode, ratchet_tree
from e2ee.tls_syntax import opaque

__all__ = ["RatchetTree"]


class RatchetTree:
    """The public tree of one epoch, of the keys of one cipher suite."""

    __slots__ = ("_nodes", "hashes", "index", "suite")

    suite: CipherSuite
    hashes: list[bytes | None]
    """The tree hash of each node, or None where ``tree_hash`` has not been asked for it yet."""
    index: TreeIndex

    def __init__(self, suite: CipherSuite, nodes: Sequence[TreeNode | None]) -> None:
        """``nodes`` are as many as a full tree has."""
        self.suite = suite
        self._nodes = list(nodes)
        self.hashes = [None] * len(nodes)
        self.index = TreeIndex.of(nodes)

    @classmethod
    def of_leaf(cls, suite: CipherSuite, leaf_node: LeafNode) -> RatchetTree:
        """The tree of a group of one member."""
        return cls(suite, [leaf_node])

    @classmethod
    def decode(
        cls, suite: CipherSuite, data: bytes, *, maximum_leaves: int = 1 << 20
    ) -> RatchetTree:
        """The tree that a ``ratchet_tree`` extension holds. Raises DecodeError or ValidationError."""
        entries = ratchet_tree.decode(data)
        if len(entries) > 2 * maximum_leaves - 1:
            raise ValidationError(Rule.TREE_TOO_WIDE, f"{len(entries)} nodes")
        _check_entries(entries)
        nodes = [None if entry is None else entry.node for entry in entries]
        return cls(suite, nodes + [None] * (tree_math.full_width(len(nodes)) - len(nodes)))

    def encode(self) -> bytes:
        """This tree as the data of a ``ratchet_tree`` extension."""
        # "the sender MUST NOT include blank nodes after the last non-blank node."
        last = max(x for x, node in enumerate(self._nodes) if node is not None)
        # A vector's bytes are its length and its elements, as are those of one opaque element.
        return opaque.encode(b"".join(map(_encode_entry, self._nodes[: last + 1])))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RatchetTree):
            return NotImplemented
        return self.suite is other.suite and self._nodes == other._nodes

    __hash__ = None  # type: ignore[assignment]  # nobody keys a table by a tree

    @property
    def width(self) -> int:
        """The number of nodes, blank or not."""
        return len(self._nodes)

    @property
    def leaf_count(self) -> int:
        """The number of leaves, blank or not: a power of two."""
        return (len(self._nodes) + 1) // 2

    @property
    def root(self) -> int:
        """The node index of the root."""
        return len(self._nodes) // 2

    def node(self, x: int) -> TreeNode | None:
        """What node ``x`` holds; None if it is blank or outside the tree."""
        return self._nodes[x] if 0 <= x < len(self._nodes) else None

    def leaf(self, leaf_index: int) -> LeafNode | None:
        """The leaf node of a member; None if the leaf is blank or outside the tree."""
        node = self.node(tree_math.leaf_to_node(leaf_index))
        return node if isinstance(node, LeafNode) else None

    def parent_node(self, x: int) -> ParentNode | None:
        """What parent node ``x`` holds; None if it is blank."""
        node = self.node(x)
        return node if isinstance(node, ParentNode) else None

    def members(self) -> Iterator[tuple[int, LeafNode]]:
        """Each member's leaf index and leaf node, from left to right."""
        for leaf_index, node in enumerate(self._nodes[::2]):
            if isinstance(node, LeafNode):
                yield leaf_index, node

    def parent_nodes(self) -> Iterator[tuple[int, ParentNode]]:
        """Each parent node that is not blank, with its node index, from left to right."""
        for position, node in enumerate(self._nodes[1::2]):
            if isinstance(node, ParentNode):
                yield 2 * position + 1, node

    def resolution(self, x: int, exclude: frozenset[int] = frozenset()) -> list[int]:
        """The nodes that together reach everybody below ``x`` (RFC 9420 Section 4.1.1), without these leaves."""
        found: list[int] = []
        to_visit = [x]
        while to_visit:
            y = to_visit.pop()
            node = self._nodes[y]
            if node is not None:
                found.append(y)
                if isinstance(node, ParentNode):
                    found += map(tree_math.leaf_to_node, node.unmerged_leaves)
            elif not tree_math.is_leaf(y):
                left, right = tree_math.children(y)
                to_visit += (right, left)
        excluded = set(map(tree_math.leaf_to_node, exclude))
        return [y for y in found if y not in excluded] if excluded else found

    def _is_blank_below(self, x: int) -> bool:
        """Whether the resolution of node ``x`` is empty."""
        return not any(self._nodes[tree_math.subtree(x)])

    def filtered_direct_path(self, leaf_index: int) -> list[tuple[int, int]]:
        """Pairs (parent node, its child on the copath), lowest first, without those whose copath is empty."""
        x = tree_math.leaf_to_node(leaf_index)
        pairs = zip(
            tree_math.direct_path(x, self.leaf_count),
            tree_math.copath(x, self.leaf_count),
            strict=True,
        )
        return [(parent, child) for parent, child in pairs if not self._is_blank_below(child)]

    def add(self, leaf_node: LeafNode) -> tuple[RatchetTree, int]:
        """RFC 9420 Section 12.1.1: the new member's leaf is the leftmost empty one."""
        tree, (leaf_index,) = self.add_all([leaf_node])
        return tree, leaf_index

    def add_all(self, leaf_nodes: Sequence[LeafNode]) -> tuple[RatchetTree, list[int]]:
        """The same for several new members, one after the other; and their leaf indices."""
        tree, leaf_indices = self._with_places(len(leaf_nodes))
        changes: dict[int, TreeNode | None] = {}
        unmerged: dict[int, list[int]] = defaultdict(list)
        for leaf_index, leaf_node in zip(leaf_indices, leaf_nodes, strict=True):
            x = tree_math.leaf_to_node(leaf_index)
            changes[x] = leaf_node
            for y in tree_math.direct_path(x, tree.leaf_count):
                unmerged[y].append(leaf_index)
        # "For each non-blank intermediate node along the path from the leaf L to the root, add L's leaf index to the
        # unmerged_leaves list for the node."
        for y, added in unmerged.items():
            if (parent := tree.parent_node(y)) is not None:
                changes[y] = _with_unmerged(parent, added)
        return tree._with(changes), leaf_indices

    def with_room(self) -> tuple[RatchetTree, int]:
        """The place of who comes next, the leftmost blank leaf: in this tree, or if it is full in one extended by one."""
        tree, (leaf_index,) = self._with_places(1)
        return tree, leaf_index

    def _with_places(self, newcomers: int) -> tuple[RatchetTree, list[int]]:
        """The leftmost blank leaves for so many newcomers, in this tree extended as often as that takes."""
        tree = self
        blank = [i for i, node in enumerate(self._nodes[::2]) if node is None]
        while len(blank) < newcomers:
            blank += range(tree.leaf_count, 2 * tree.leaf_count)
            tree = tree._extended()
        return tree, blank[:newcomers]

    def update(self, leaf_index: int, leaf_node: LeafNode) -> RatchetTree:
        """RFC 9420 Section 12.1.2: replace the leaf and blank its direct path."""
        return self._with(
            {tree_math.leaf_to_node(leaf_index): leaf_node} | self._blank_path(leaf_index)
        )

    def remove(self, *leaf_indices: int) -> RatchetTree:
        """RFC 9420 Section 12.1.3: blank the leaves and their direct paths, then truncate the tree."""
        blank: dict[int, TreeNode | None] = {}
        for leaf_index in leaf_indices:
            blank |= {tree_math.leaf_to_node(leaf_index): None} | self._blank_path(leaf_index)
        return self._with(blank)._truncated()

    def with_path(self, leaf_index: int, parents: Mapping[int, ParentNode]) -> RatchetTree:
        """RFC 9420 Section 7.5: blank the leaf's direct path, then set these parent nodes on it."""
        return self._with(self._blank_path(leaf_index) | dict(parents))

    def with_leaf(self, leaf_index: int, leaf_node: LeafNode) -> RatchetTree:
        """The tree with this leaf in the place of the member's old one, nothing blanked."""
        return self._with({tree_math.leaf_to_node(leaf_index): leaf_node})

    def _blank_path(self, leaf_index: int) -> dict[int, TreeNode | None]:
        path = tree_math.direct_path(tree_math.leaf_to_node(leaf_index), self.leaf_count)
        return dict.fromkeys(path)

    def _with(self, changes: Mapping[int, TreeNode | None]) -> RatchetTree:
        if not changes:
            return self
        changed = self._of(self._nodes, self.hashes)
        for x, node in changes.items():
            changed._nodes[x] = node
            changed.hashes[x] = None
            for y in tree_math.direct_path(x, self.leaf_count):
                changed.hashes[y] = None
        changed.index = self.index.replacing([self._nodes[x] for x in changes], changes.values())
        return changed

    def _extended(self) -> RatchetTree:
        """RFC 9420 Section 7.7: a blank root over this tree and a blank subtree."""
        blanks = [None] * (self.width + 1)
        return self._of([*self._nodes, *blanks], [*self.hashes, *blanks])

    def _truncated(self) -> RatchetTree:
        """RFC 9420 Section 7.7: without the right half, as often as that holds no member."""
        width = self.width
        while width > 1 and not any(self._nodes[width // 2 + 1 : width : 2]):
            width //= 2
        if width == self.width:
            return self
        truncated = self._of(self._nodes[:width], self.hashes[:width])
        truncated.index = self.index.replacing(self._nodes[width:], ())
        return truncated

    def _of(self, nodes: Iterable[TreeNode | None], hashes: Iterable[bytes | None]) -> RatchetTree:
        """A tree of these arrays, whose keys are those of this tree."""
        tree = object.__new__(RatchetTree)
        tree.suite, tree.index = self.suite, self.index
        tree._nodes, tree.hashes = list(nodes), list(hashes)
        return tree


def _with_unmerged(parent: ParentNode, added: Iterable[int]) -> ParentNode:
    unmerged = tuple(sorted((*parent.unmerged_leaves, *added)))
    return ParentNode(parent.encryption_key, parent.parent_hash, unmerged)


def _encode_entry(node: TreeNode | None) -> bytes:
    """``optional<Node>``: the presence octet, the node type and the node, which has its encoding already."""
    if node is None:
        return b"\x00"
    node_type = NodeType.LEAF if isinstance(node, LeafNode) else NodeType.PARENT
    return bytes([1, node_type]) + node.encode()


def _check_entries(entries: tuple[Node | None, ...]) -> None:
    if not entries:
        raise ValidationError(Rule.TREE_EMPTY)
    # "The receiver MUST check that the last node in ratchet_tree is non-blank"
    if entries[-1] is None:
        raise ValidationError(Rule.TREE_ENDS_BLANK)
    # "The leaves of the tree are stored in even-numbered entries in the array"
    for x, node in enumerate(entries):
        if node is not None and (node.node_type == NodeType.LEAF) != tree_math.is_leaf(x):
            raise ValidationError(Rule.TREE_NODE_MISPLACED, f"node {x}")
