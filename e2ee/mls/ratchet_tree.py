"""The ratchet tree (RFC 9420 Sections 4.1, 7.1, 7.7 and 12.4.3.3): the members of a group and their public keys.

A ``RatchetTree`` never changes: every operation gives a new tree beside the old one, which shares the old one's nodes.
It is the array of Appendix C, always of full width, so relations between nodes are ``tree_math``. Two arrays beside
the nodes hold what is costly to compute: each node's encoding, kept from decoding or made when first asked for, and
each node's tree hash, filled by ``tree_hash``. An operation forgets the encodings of the nodes that it sets and the
hashes of these and of their ancestors, in ``_with`` and nowhere else.

A tree that was decoded has nodes of the right kind in the right places and nothing more: ``tree_validation`` checks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Annotated

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.mls import tree_math
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.leaf_node import LeafNode
from e2ee.tls_syntax import (
    Codec,
    Opaque,
    Reader,
    Struct,
    enum,
    optional,
    select,
    struct,
    uint8,
    uint32,
    vector,
)

__all__ = ["NodeType", "ParentNode", "RatchetTree", "TreeNode"]


@struct
class ParentNode(Struct):
    """RFC 9420 Section 7.1. ``unmerged_leaves`` are leaf indices, in increasing order."""

    encryption_key: Opaque
    parent_hash: Opaque
    unmerged_leaves: Annotated[tuple[int, ...], vector(uint32)]


class NodeType(IntEnum):
    """RFC 9420 Section 7.8."""

    LEAF = 1
    PARENT = 2


TreeNode = LeafNode | ParentNode
"""What a node that is not blank holds."""


@struct
class Node(Struct):
    """RFC 9420 Section 12.4.3.3."""

    node_type: Annotated[NodeType, enum(NodeType, uint8)]
    node: Annotated[
        TreeNode,
        select(
            "node_type",
            {NodeType.LEAF: LeafNode.codec(), NodeType.PARENT: ParentNode.codec()},
        ),
    ]


_optional_node = optional(Node.codec())


_BLANK = (None, b"")
"""One object for all blank entries: a tree of a million blanks takes little memory."""


def _read_entry(reader: Reader) -> tuple[Node | None, bytes]:
    start = reader.position
    node = _optional_node.read(reader)
    return _BLANK if node is None else (node, reader.data[start : reader.position])


def _write_entry(entry: tuple[Node | None, bytes], out: bytearray) -> None:
    out += entry[1]


_entries = vector(Codec(_read_entry, _write_entry, _optional_node.min_size, _optional_node.depth))
"""``optional<Node> ratchet_tree<V>``, each entry with its own encoding."""


class RatchetTree:
    """The public tree of one epoch, of the keys of one cipher suite."""

    __slots__ = ("_encodings", "_nodes", "hashes", "suite")

    suite: CipherSuite
    hashes: list[bytes | None]
    """The tree hash of each node, or None where ``tree_hash`` has not been asked for it yet."""

    def __init__(
        self,
        suite: CipherSuite,
        nodes: Sequence[TreeNode | None],
        encodings: Sequence[bytes | None],
        hashes: Sequence[bytes | None],
    ) -> None:
        self.suite = suite
        self._nodes = list(nodes)
        self._encodings = list(encodings)
        self.hashes = list(hashes)

    @classmethod
    def of_leaf(cls, suite: CipherSuite, leaf_node: LeafNode) -> RatchetTree:
        """The tree of a group of one member."""
        return cls(suite, [leaf_node], [None], [None])

    @classmethod
    def decode(
        cls, suite: CipherSuite, data: bytes, *, maximum_leaves: int = 1 << 20
    ) -> RatchetTree:
        """The tree that a ``ratchet_tree`` extension holds. Raises DecodeError or ValidationError."""
        entries = _entries.decode(data)
        if len(entries) > 2 * maximum_leaves - 1:
            raise ValidationError(Rule.TREE_TOO_WIDE, f"{len(entries)} nodes")
        _check_entries(entries)
        nodes = [None if node is None else node.node for node, _ in entries]
        # The presence octet and the node type come before the node itself.
        encodings = [encoding[2:] for _, encoding in entries]
        width = tree_math.full_width(len(nodes))
        blanks = [None] * (width - len(nodes))
        return cls(suite, [*nodes, *blanks], [*encodings, *blanks], [None] * width)

    def encode(self) -> bytes:
        """This tree as the data of a ``ratchet_tree`` extension."""
        # "the sender MUST NOT include blank nodes after the last non-blank node."
        last = max(x for x, node in enumerate(self._nodes) if node is not None)
        return _entries.encode(tuple((None, self._entry(x)) for x in range(last + 1)))

    def _entry(self, x: int) -> bytes:
        encoding = self.encoding(x)
        if not encoding:
            return b"\x00"
        node_type = NodeType.LEAF if tree_math.is_leaf(x) else NodeType.PARENT
        return bytes([1, node_type]) + encoding

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

    def encoding(self, x: int) -> bytes:
        """The encoding of what node ``x`` holds; nothing if it is blank."""
        encoding = self._encodings[x]
        if encoding is None:
            node = self._nodes[x]
            encoding = self._encodings[x] = b"" if node is None else node.encode()
        return encoding

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

    def encryption_keys(self) -> set[bytes]:
        """The HPKE public keys of all nodes."""
        return {node.encryption_key for node in self._nodes if node is not None}

    def resolution(self, x: int, exclude: frozenset[int] = frozenset()) -> list[int]:
        """The nodes that together reach everybody below ``x`` (RFC 9420 Section 4.1.1), without these leaves."""
        found: list[int] = []
        to_visit = [x]
        while to_visit:
            y = to_visit.pop()
            node = self._nodes[y]
            if isinstance(node, ParentNode):
                found.append(y)
                found += map(tree_math.leaf_to_node, node.unmerged_leaves)
            elif node is not None:
                found.append(y)
            elif not tree_math.is_leaf(y):
                to_visit += (tree_math.right(y), tree_math.left(y))
        excluded = set(map(tree_math.leaf_to_node, exclude))
        return [y for y in found if y not in excluded] if excluded else found

    def filtered_direct_path(self, leaf_index: int) -> list[tuple[int, int]]:
        """Pairs (parent node, its child on the copath), lowest first, without those whose copath is empty."""
        x = tree_math.leaf_to_node(leaf_index)
        pairs = zip(
            tree_math.direct_path(x, self.leaf_count),
            tree_math.copath(x, self.leaf_count),
            strict=True,
        )
        return [(parent, child) for parent, child in pairs if self.resolution(child)]

    def add(self, leaf_node: LeafNode) -> tuple[RatchetTree, int]:
        """RFC 9420 Section 12.1.1: the new member's leaf is the leftmost empty one."""
        leaves = self._nodes[::2]
        if None not in leaves:
            return self._extended().add(leaf_node)
        leaf_index = leaves.index(None)
        x = tree_math.leaf_to_node(leaf_index)
        changes: dict[int, TreeNode | None] = {x: leaf_node}
        # "For each non-blank intermediate node along the path from the leaf L to the root, add L's leaf index to the
        # unmerged_leaves list for the node."
        for y in tree_math.direct_path(x, self.leaf_count):
            if (parent := self.parent_node(y)) is not None:
                unmerged = tuple(sorted((*parent.unmerged_leaves, leaf_index)))
                changes[y] = ParentNode(parent.encryption_key, parent.parent_hash, unmerged)
        return self._with(changes), leaf_index

    def update(self, leaf_index: int, leaf_node: LeafNode) -> RatchetTree:
        """RFC 9420 Section 12.1.2: replace the leaf and blank its direct path."""
        return self._with(
            {tree_math.leaf_to_node(leaf_index): leaf_node} | self._blank_path(leaf_index)
        )

    def remove(self, leaf_index: int) -> RatchetTree:
        """RFC 9420 Section 12.1.3: blank the leaf and its direct path, then truncate the tree."""
        blank: dict[int, TreeNode | None] = {tree_math.leaf_to_node(leaf_index): None}
        return self._with(blank | self._blank_path(leaf_index))._truncated()

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
        changed = RatchetTree(self.suite, self._nodes, self._encodings, self.hashes)
        for x, node in changes.items():
            changed._nodes[x] = node
            changed._encodings[x] = changed.hashes[x] = None
            for y in tree_math.direct_path(x, self.leaf_count):
                changed.hashes[y] = None
        return changed

    def _extended(self) -> RatchetTree:
        """RFC 9420 Section 7.7: a blank root over this tree and a blank subtree."""
        blanks = [None] * (self.width + 1)
        return RatchetTree(
            self.suite,
            [*self._nodes, *blanks],
            [*self._encodings, *blanks],
            [*self.hashes, *blanks],
        )

    def _truncated(self) -> RatchetTree:
        """RFC 9420 Section 7.7: without the right half, as often as that holds no member."""
        width = self.width
        while width > 1 and not any(self._nodes[width // 2 + 1 : width : 2]):
            width //= 2
        return RatchetTree(
            self.suite, self._nodes[:width], self._encodings[:width], self.hashes[:width]
        )


def _check_entries(entries: tuple[tuple[Node | None, bytes], ...]) -> None:
    if not entries:
        raise ValidationError(Rule.TREE_EMPTY)
    # "The receiver MUST check that the last node in ratchet_tree is non-blank"
    if entries[-1][0] is None:
        raise ValidationError(Rule.TREE_ENDS_BLANK)
    # "The leaves of the tree are stored in even-numbered entries in the array"
    for x, (node, _) in enumerate(entries):
        if node is not None and (node.node_type == NodeType.LEAF) != tree_math.is_leaf(x):
            raise ValidationError(Rule.TREE_NODE_MISPLACED, f"node {x}")
