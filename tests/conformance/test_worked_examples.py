"""An example in a chapter shows the bytes of the vector that it names, or is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2ee.conformance.worked_examples import examples, findings
from e2ee.shipped import shipped

EXAMPLE = """\
## Example

<!-- vector: doors/opening#oak -->

    key        = 00112233 44556677
                 8899aabb (sixteen bytes are too many)
    key[4:6]   = 4455
    turns      = 7
    output.key = ff
    panes[1].colour = "no"
                      " colour"
    turned     = [1, 2, 3]

Text goes on.

    and another block, which is nobody's
"""


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    case = {
        "id": "oak",
        "input": {"key": "ee", "panes": [{}, {"colour": "no colour"}]},
        "intermediate": {"key": "00112233445566778899aabb", "turns": 7, "turned": [1, 2, 3]},
        "output": {"key": "ff"},
    }
    (tmp_path / "vectors").mkdir()
    groups = {"groups": [{"name": "opening", "cases": [case]}]}
    (tmp_path / "vectors" / "doors.json").write_text(json.dumps(groups))
    return tmp_path / "vectors"


def details(vectors: Path, markdown: str) -> list[str]:
    spec = vectors.parent / "spec"
    spec.mkdir(exist_ok=True)
    (spec / "doors.md").write_text(markdown)
    return [finding.detail for finding in findings(spec, vectors)]


def test_an_example_is_the_block_below_the_comment() -> None:
    (example,) = examples(EXAMPLE)
    assert (example.chapter, example.group, example.case) == ("doors", "opening", "oak")
    assert [path for path, _, _ in example.fields] == [
        "key", "key", "turns", "output.key", "panes[1].colour", "turned",
    ]  # fmt: skip
    assert example.unreadable == ()


def test_what_the_vector_says_is_right(vectors: Path) -> None:
    assert details(vectors, EXAMPLE) == []


@pytest.mark.parametrize(
    ("old", "new", "detail"),
    [
        ("8899aabb", "8899aabc", "key is another in the vector"),
        ("= 4455\n", "= 5566\n", "key is another in the vector"),
        ("turns      = 7", "turns      = 8", "turns is another in the vector"),
        ('"no"\n', '"some"\n', "panes[1].colour is another in the vector"),
        ("[1, 2, 3]", "[1, 2]", "turned is another in the vector"),
        ("output.key", "outside.key", "the vector has no outside.key"),
        ("panes[1]", "panes[2]", "the vector has no panes[2].colour"),
        (
            "    turns ",
            "    turns are many ",
            "has a line that is no field: turns are many      = 7",
        ),
        ("#oak", "#elm", "names a vector that vectors/doors.json does not have"),
        ("doors/", "gates/", "names a vector that vectors/gates.json does not have"),
    ],
)
def test_what_is_another_than_the_vector_is_found(
    vectors: Path, old: str, new: str, detail: str
) -> None:
    assert old in EXAMPLE
    assert details(vectors, EXAMPLE.replace(old, new)) == [detail]


def test_an_example_that_shows_nothing_is_found(vectors: Path) -> None:
    assert details(vectors, "<!-- vector: doors/opening#oak -->\n\nText.\n") == ["shows nothing"]


def test_the_chapters_examples_are_their_vectors() -> None:
    assert list(findings(shipped("spec"), shipped("vectors"))) == []
