"""The pictures of the states say all that their tables say, and a stale one is found."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from e2ee.conformance.state_diagram import CARD, DIAGRAMS, PICTURES, StateDiagram, stale, write

SVG = "{http://www.w3.org/2000/svg}"
STATES = [(diagram, state) for diagram in DIAGRAMS for state in diagram.table]

each_diagram = pytest.mark.parametrize("diagram", DIAGRAMS, ids=PICTURES)


def words(diagram: StateDiagram) -> list[str]:
    """Every line of text in the picture."""
    return [text.text or "" for text in Xml.fromstring(diagram.svg()).iter(f"{SVG}text")]  # noqa: S314


@each_diagram
def test_every_state_is_drawn_once(diagram: StateDiagram) -> None:
    assert [words(diagram).count(state.value) for state in diagram.table] == [1] * len(
        diagram.table
    )


@each_diagram
def test_every_way_on_is_an_arrow(diagram: StateDiagram) -> None:
    ways = {
        (state, to.state, to.action)
        for state, row in diagram.table.items()
        for happened, to in row.items()
        if to.state not in (state, diagram.end) and (state, happened) not in diagram.back
    }
    labels = Counter(word.split(" / ")[-1] for word in words(diagram))
    expected = Counter(action.value for _, _, action in ways)
    assert expected == {action: labels[action] for action in expected}


@pytest.mark.parametrize(("diagram", "state"), STATES)
def test_a_card_names_every_input_that_leads_to_the_end_or_back_or_nowhere(
    diagram: StateDiagram, state: StrEnum
) -> None:
    said = " ".join(line for line, _ in diagram.cards[state].lines)
    for opening in (" ends:", *(f" to {earlier}:" for earlier in diagram.table)):
        said = said.replace(opening, f",{opening}")
    for happened, to in diagram.table[state].items():
        in_card = to.state in (state, diagram.end) or (state, happened) in diagram.back
        assert (f" {happened}," in f"{said},") is in_card


@each_diagram
def test_no_two_cards_overlap(diagram: StateDiagram) -> None:
    for one, other in combinations(diagram.cards.values(), 2):
        beside = abs(one.x - other.x) > CARD
        assert beside or one.bottom < other.y or other.bottom < one.y


def test_they_are_the_same_at_every_call_and_a_stale_one_is_found(tmp_path: Path) -> None:
    assert [each.svg() for each in DIAGRAMS] == [each.svg() for each in DIAGRAMS]
    assert stale(tmp_path) == list(PICTURES)
    (tmp_path / PICTURES[0]).parent.mkdir()
    write(tmp_path)
    assert stale(tmp_path) == []
    for picture in PICTURES:
        text = (tmp_path / picture).read_text()
        (tmp_path / picture).write_text(text.replace("refused", "Refused", 1))
        assert stale(tmp_path) == [picture]
        (tmp_path / picture).write_text(text)
