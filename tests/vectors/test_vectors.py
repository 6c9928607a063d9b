"""Every case of every chapter in ``vectors/`` against this implementation, through its adapter.

The files are read as a stranger reads them, from JSON alone. What is refused must be refused for the case's own
reason; of the steps on the way, those that the adapter shows must be the case's.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from e2ee.conformance.adapter.loop import FEATURES
from e2ee.conformance.adapter.operations import OPERATIONS, Accepted, Refused
from e2ee.shipped import shipped

Vector = dict[str, Any]

DOCUMENTS = [json.loads(p.read_text()) for p in sorted(shipped("vectors").glob("*.json"))]
GROUPS = {
    f"{document['chapter']}/{group['name']}": group
    for document in DOCUMENTS
    for group in document["groups"]
}


def begun(vector: Vector, states: dict[str, Any]) -> Vector:
    """The case with the state itself, if it begins in a named one."""
    name = vector["input"].get("state")
    return (
        vector | {"input": vector["input"] | {"state": states[name]}} if states and name else vector
    )


CASES = [
    pytest.param(name, begun(case, document.get("states", {})), id=f"{name}-{case['id']}")
    for document in DOCUMENTS
    for group in document["groups"]
    for name in [f"{document['chapter']}/{group['name']}"]
    for case in group["cases"]
]


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_an_operation(group: str) -> None:
    assert group in OPERATIONS


def test_every_operation_has_its_group() -> None:
    without = OPERATIONS.keys() - GROUPS.keys()
    assert {name for name in without if not name.startswith("mls-validation/")} == set()


def test_every_feature_that_a_case_needs_is_declared() -> None:
    needed = (case["features"] for group in GROUPS.values() for case in group["cases"])
    assert {feature for features in needed for feature in features} <= {*FEATURES}


@pytest.mark.parametrize(("group", "vector"), CASES)
def test_a_case_is_answered_as_it_says(group: str, vector: Vector) -> None:
    answer = OPERATIONS[group](vector["input"])
    if vector["result"] == "valid":
        assert isinstance(answer, Accepted), answer
        assert answer.output == vector["output"]
    else:
        assert isinstance(answer, Refused), answer
        assert answer.reason == vector["reason"]
    shown = answer.intermediate
    assert shown == {name: vector["intermediate"].get(name) for name in shown}
