"""mls/tree-operations.json: Add, Update and Remove applied to a tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.mls.proposal import Add, Proposal, Remove, Update
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_hash import tree_hash

Cases = Callable[[str], list[tuple[int, dict[str, Any]]]]


def test_tree_operations(mls_cases: Cases, subtests: pytest.Subtests) -> None:
    for number, case in mls_cases("tree-operations"):
        with subtests.test(case=number):
            suite = cipher_suite(case["cipher_suite"])
            before = RatchetTree.decode(suite, bytes.fromhex(case["tree_before"]))
            assert tree_hash(before).hex() == case["tree_hash_before"]
            proposal = Proposal.decode(bytes.fromhex(case["proposal"]))
            after = _apply(before, case["proposal_sender"], proposal)
            assert after.encode().hex() == case["tree_after"]
            assert tree_hash(after).hex() == case["tree_hash_after"]
            assert before.encode().hex() == case["tree_before"]


def _apply(tree: RatchetTree, sender: int, proposal: Proposal) -> RatchetTree:
    match proposal.content:
        case Add(key_package):
            return tree.add(key_package.leaf_node)[0]
        case Update(leaf_node):
            return tree.update(sender, leaf_node)
        case Remove(removed):
            return tree.remove(removed)
        case _:
            pytest.fail(f"a vector with a proposal of type {proposal.proposal_type}")
