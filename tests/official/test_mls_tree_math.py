"""mls/tree-math.json: where root, children, parents and siblings lie in the array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.mls import tree_math


def test_tree_math(
    mls_cases: Callable[[str], list[tuple[int, dict[str, Any]]]], subtests: pytest.Subtests
) -> None:
    for _, case in mls_cases("tree-math"):
        n = case["n_leaves"]
        with subtests.test(n_leaves=n):
            nodes = range(case["n_nodes"])
            assert tree_math.node_width(n) == len(nodes)
            assert tree_math.root(n) == case["root"]
            parents = [x for x in nodes if not tree_math.is_leaf(x)]
            assert {x: tree_math.left(x) for x in parents} == _present(case["left"])
            assert {x: tree_math.right(x) for x in parents} == _present(case["right"])
            others = [x for x in nodes if x != case["root"]]
            assert {x: tree_math.parent(x, n) for x in others} == _present(case["parent"])
            assert {x: tree_math.sibling(x, n) for x in others} == _present(case["sibling"])


def _present(answers: list[int | None]) -> dict[int, int]:
    """The nodes for which the vector gives an answer."""
    return {x: answer for x, answer in enumerate(answers) if answer is not None}
