"""A documented function becomes a case; what would make vectors ambiguous is refused."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any

import pytest

from e2ee.crypto.secret import Secret
from e2ee.vectorgen.registry import LARGEST_NUMBER, Case, Chapter, Group, plain


class Refusal(StrEnum):
    REPLAYED = "REPLAYED"


class Kind(IntEnum):
    CAMERA = 1


def document(group: Group) -> dict[str, Any]:
    return Chapter("chapter", "L1", "About it.", (group,)).document("1.0")


def cases(group: Group) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document(group)["groups"][0]["cases"]
    return found


def test_a_function_becomes_a_case() -> None:
    group = Group("group", "What it does.")

    @group.vector("FRAME-1", "FRAME-3")
    def frame_in_order(case: Case) -> None:
        """All is
        well."""
        case.input["frame"] = b"\x01\x02"
        case.intermediate["ctr"] = 0
        case.output["frame"] = Secret(b"\x03")

    assert document(group) == {
        "specification": "1.0",
        "chapter": "chapter",
        "description": "About it.",
        "groups": [
            {
                "name": "group",
                "level": "L1",
                "description": "What it does.",
                "cases": [
                    {
                        "id": "frame-in-order",
                        "comment": "All is well.",
                        "requirements": ["FRAME-1", "FRAME-3"],
                        "features": [],
                        "input": {"frame": "0102"},
                        "intermediate": {"ctr": 0},
                        "output": {"frame": "03"},
                        "result": "valid",
                    }
                ],
            }
        ],
    }


def test_a_reason_makes_a_case_that_is_refused_and_has_no_output() -> None:
    group = Group("group", "What it does.")

    @group.vector("FRAME-9", reason=Refusal.REPLAYED)
    def frame_sent_twice(case: Case) -> None:
        """Again."""
        case.input["frame"] = b""

    (case,) = cases(group)
    assert (case["result"], case["reason"]) == ("invalid", "REPLAYED")
    assert "output" not in case


def test_a_refused_case_with_an_output_is_a_mistake() -> None:
    group = Group("group", "What it does.")

    @group.vector("FRAME-9", reason=Refusal.REPLAYED)
    def confused(case: Case) -> None:
        """Refused, and yet."""
        case.output["frame"] = b""

    with pytest.raises(ValueError, match="has an output"):
        document(group)


def test_each_makes_a_case_of_each_item() -> None:
    group = Group("group", "What it does.")

    @group.vector("FKEY-2", each={"one": 1, "two": 2})
    def number(case: Case, value: int) -> None:
        """A number."""
        case.input["value"] = value

    assert [(case["id"], case["input"]) for case in cases(group)] == [
        ("number-one", {"value": 1}),
        ("number-two", {"value": 2}),
    ]


def test_two_cases_of_one_name_are_a_mistake() -> None:
    group = Group("group", "What it does.")
    for _ in range(2):

        @group.vector("FKEY-2")
        def same(case: Case) -> None:
            """The same name."""

    with pytest.raises(ValueError, match="same"):
        document(group)


def test_the_randomness_of_a_case_is_its_own_and_always_the_same() -> None:
    drawn: dict[str, list[bytes]] = {}
    group = Group("group", "What it does.")

    @group.vector("FKEY-2", each={"a": "a", "b": "b"})
    def draw(case: Case, name: str) -> None:
        """Draw."""
        drawn.setdefault(name, []).append(case.entropy.random(16))

    document(group)
    document(group)
    Chapter("another", "L1", "About it.", (group,)).document("1.0")
    a, b = drawn["a"], drawn["b"]
    assert a[0] == a[1]
    assert a[0] != a[2]
    assert a[0] != b[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\xff", "ff"),
        (Kind.CAMERA, 1),
        (Refusal.REPLAYED, "REPLAYED"),
        ({1: (b"", None, True)}, {"1": ["", None, True]}),
        ({3, 1, 2}, [1, 2, 3]),
        (LARGEST_NUMBER, LARGEST_NUMBER),
    ],
)
def test_values_have_one_form_in_json(value: Any, expected: Any) -> None:
    assert plain(value) == expected


@pytest.mark.parametrize("value", [LARGEST_NUMBER + 1, 1.5, object()])
def test_a_value_that_readers_would_read_differently_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        plain(value)
