"""Requirements are read from the chapters, and what is wrong with their ids is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2ee.conformance.requirements import Finding, Specification


@pytest.fixture
def specification(checkout: Path) -> Specification:
    return Specification(checkout / "spec")


def edited(checkout: Path, chapter: str, old: str, new: str) -> Specification:
    path = checkout / "spec" / f"{chapter}.md"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return Specification(checkout / "spec")


def test_a_requirement_is_a_paragraph_that_opens_with_its_id(specification: Specification) -> None:
    assert [*specification.requirements] == [
        "DOOR-1", "DOOR-2", "DOOR-3", "PANE-1", "PANE-2", "PANE-3",
    ]  # fmt: skip
    assert specification.findings == []


def test_white_space_does_not_count(specification: Specification) -> None:
    assert specification.requirements["DOOR-1"].text == "A door MUST be shut."


def test_a_table_below_a_sentence_belongs_to_it(specification: Specification) -> None:
    assert "oak" in specification.requirements["DOOR-2"].text


def test_a_heading_and_the_targets_of_links_do_not(specification: Specification) -> None:
    assert "Keys" not in specification.requirements["DOOR-2"].text
    assert specification.requirements["DOOR-3"].text == "What a key is. See DOOR-1 and [PANE-1]."
    assert specification.requirements["DOOR-3"].section == "Keys"


def test_the_strongest_key_word_is_the_level(specification: Specification) -> None:
    levels = {r.id: r.entry()["level"] for r in specification.requirements.values()}
    assert levels == {
        "DOOR-1": "MUST",
        "DOOR-2": "SHOULD",
        "DOOR-3": "STATEMENT",
        "PANE-1": "MUST",
        "PANE-2": "MAY",
        "PANE-3": "WITHDRAWN",
    }


def test_an_id_that_opens_two_paragraphs_is_found(checkout: Path) -> None:
    again = edited(checkout, "doors", "**DOOR-2**", "**DOOR-1**")
    assert [(f.code, f.subject) for f in again.findings] == [("DUPLICATE", "DOOR-1")]


def test_an_id_in_another_chapter_than_its_own_is_found(checkout: Path) -> None:
    moved = edited(checkout, "doors", "**DOOR-2**", "**PANE-9**")
    assert [(f.code, f.subject) for f in moved.findings] == [("MISPLACED", "PANE-9")]


def test_a_mention_of_an_id_that_nobody_defines_is_found(checkout: Path) -> None:
    dangling = edited(checkout, "doors", "See DOOR-1", "See DOOR-7")
    assert dangling.findings == [Finding("UNKNOWN", "DOOR-7", "named in doors.md, defined nowhere")]


def test_what_was_confirmed_is_compared_by_digest(checkout: Path) -> None:
    specification = Specification(checkout / "spec")
    (checkout / "spec" / "requirements.json").write_text(specification.index("1.0"))
    assert specification.changed() == []
    assert edited(checkout, "doors", "be\nshut.", "be   shut.").changed() == []
    assert edited(checkout, "doors", "be   shut.", "be open.").changed() == ["DOOR-1"]
    assert edited(checkout, "doors", "| oak | none |", "| oak | red |").changed() == [
        "DOOR-1",
        "DOOR-2",
    ]


def test_an_id_that_vanished_is_found(checkout: Path) -> None:
    specification = Specification(checkout / "spec")
    (checkout / "spec" / "requirements.json").write_text(specification.index("1.0"))
    gone = edited(checkout, "window-panes", "**PANE-2** A pane MAY be clean.", "")
    assert gone.vanished() == ["PANE-2"]


def test_the_index_is_json_with_an_entry_for_each_requirement(specification: Specification) -> None:
    index = json.loads(specification.index("1.0"))
    assert index["specification"] == "1.0"
    assert index["requirements"][0] == {
        "id": "DOOR-1",
        "chapter": "doors",
        "section": "Doors",
        "level": "MUST",
        "text": "A door MUST be shut.",
        "sha256": specification.requirements["DOOR-1"].digest,
    }
    assert len(index["requirements"][0]["sha256"]) == 16
