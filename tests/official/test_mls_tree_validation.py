"""mls/tree-validation.json: resolutions, tree hashes, parent hashes and leaf signatures of whole trees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.mls.leaf_node import check_leaf_signature
from e2ee.mls.parent_hash import check_parent_hashes
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_hash import tree_hash
from e2ee.mls.tree_validation import check_together

Cases = Callable[[str], list[tuple[int, dict[str, Any]]]]


def test_tree_validation(mls_cases: Cases, subtests: pytest.Subtests) -> None:
    for number, case in mls_cases("tree-validation"):
        with subtests.test(case=number):
            _check(case)


def _check(case: dict[str, Any]) -> None:
    tree = RatchetTree.decode(cipher_suite(case["cipher_suite"]), bytes.fromhex(case["tree"]))
    nodes = range(tree.width)
    assert [tree.resolution(x) for x in nodes] == case["resolutions"]
    assert [tree_hash(tree, x).hex() for x in nodes] == case["tree_hashes"]
    check_together(tree)
    check_parent_hashes(tree)
    group_id = bytes.fromhex(case["group_id"])
    for leaf_index, leaf_node in tree.members():
        check_leaf_signature(tree.suite, leaf_node, group_id, leaf_index)
