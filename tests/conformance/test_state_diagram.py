"""The picture of the states says all that the table says, and a stale one is found."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from e2ee.call.states import TRANSITIONS, State
from e2ee.conformance.state_diagram import CARD, PICTURE, _cards, is_current, svg, write

SVG = "{http://www.w3.org/2000/svg}"
CARDS = _cards()


@pytest.fixture(scope="module")
def words() -> list[str]:
    """Every line of text in the picture."""
    return [text.text or "" for text in Xml.fromstring(svg()).iter(f"{SVG}text")]  # noqa: S314


def test_every_state_is_drawn_once(words: list[str]) -> None:
    assert [words.count(state.value) for state in State] == [1] * len(State)


def test_every_way_on_is_an_arrow(words: list[str]) -> None:
    ways = {
        (state, to.state, to.action)
        for state, row in TRANSITIONS.items()
        for to in row.values()
        if to.state not in (state, State.ENDED)
    }
    labels = Counter(word.split(" / ")[-1] for word in words)
    expected = Counter(action.value for _, _, action in ways)
    assert expected == {action: labels[action] for action in expected}


@pytest.mark.parametrize("state", list(State))
def test_a_card_names_every_input_that_leads_to_the_end_or_nowhere(state: State) -> None:
    said = " ".join(line for line, _ in CARDS[state].lines).replace(" ends:", ", ends:")
    for happened, to in TRANSITIONS[state].items():
        assert (f" {happened}," in f"{said},") is (to.state in (state, State.ENDED))


def test_no_two_cards_overlap() -> None:
    for one, other in combinations(CARDS.values(), 2):
        beside = abs(one.x - other.x) > CARD
        assert beside or one.bottom < other.y or other.bottom < one.y


def test_it_is_the_same_at_every_call_and_a_stale_one_is_found(tmp_path: Path) -> None:
    assert svg() == svg()
    assert not is_current(tmp_path)
    (tmp_path / PICTURE).parent.mkdir()
    write(tmp_path)
    assert is_current(tmp_path)
    (tmp_path / PICTURE).write_text(svg().replace("hang-up", "hang up", 1))
    assert not is_current(tmp_path)
