"""The specification's picture of a call's states, printed from the state table.

A state is a card. Arrows are what leads on, with input and action; what leads to the end, or nowhere, stands in the card,
so that the picture stays one of a call's way. Where a card stands follows from the table: its row from the longest way
to it, its column from where that way begins. So a table with other states makes another picture, and no drawing is kept
by hand.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as Xml

from e2ee.call.states import TRANSITIONS, Input, State

__all__ = ["PICTURE", "is_current", "svg", "write"]

PICTURE = "pictures/call-states.svg"
"""Where the picture lies in ``spec/``."""

WIDTH, CARD = 1290, 250
TITLE_HEIGHT, LINE, GAP, TOP = 30, 15, 62, 70
LETTERS_A_LINE = 38
MIDDLE = 640
COLUMNS = {State.LOOKING_UP: 430, State.INVITED: 870}
"""Where the cards of each side stand, by the state in which a call begins there; what both come to stands between."""
SIDE_STEP = {State.LOOKING_UP: -280, State.INVITED: 270}
"""How far beside its side's column, outwards, a state stands that leads only to the end."""

HEADINGS = {
    State.LOOKING_UP: "at the device that calls",
    State.INVITED: "at a device that is called",
}
INK, PALE, RED, LINES, PAPER = "#1b1f24", "#57606a", "#a40e26", "#57606a", "#ffffff"

Edges = Mapping[tuple[State, State], list[str]]


@dataclass(frozen=True, slots=True)
class Card:
    """A state as it is drawn: the middle of its upper edge, and its lines, each with a colour."""

    state: State
    x: int
    y: int
    lines: tuple[tuple[str, str], ...]

    @property
    def height(self) -> int:
        return TITLE_HEIGHT + LINE * len(self.lines) + (6 if self.lines else 0)

    @property
    def bottom(self) -> int:
        return self.y + self.height


def write(spec: Path) -> None:
    """Draw the picture in the folder ``spec``."""
    (spec / PICTURE).write_text(svg())


def is_current(spec: Path) -> bool:
    """Whether the picture in the folder ``spec`` is what the state table says."""
    picture = spec / PICTURE
    return picture.is_file() and picture.read_text() == svg()


def svg() -> str:
    """The picture, the same at every call."""
    cards = _cards()
    height = max(card.bottom for card in cards.values()) + 30
    root = Xml.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {height}")
    root.set("font-family", "Helvetica, Arial, sans-serif")
    Xml.SubElement(root, "title").text = "The states of a call at one device"
    _arrow_head(root)
    Xml.SubElement(root, "rect", width=str(WIDTH), height=str(height), fill=PAPER)
    for state, heading in HEADINGS.items():
        _text(root, cards[state].x, TOP - 42, heading, size=15, colour=PALE)
        _line(root, f"M{cards[state].x},{TOP - 32} V{TOP - 3}")
    _text(root, MIDDLE, TOP - 42, "an arrow: input / action", colour=PALE)
    for (begin, end), labels in _edges().items():
        _edge(root, cards[begin], cards[end], labels)
    for card in cards.values():
        _draw(root, card)
    Xml.indent(root, " ")
    return Xml.tostring(root, encoding="unicode") + "\n"


# ------------------------------------------------------------------------------------------- what the table says


def _edges() -> Edges:
    """What leads on, with the words of its arrow: a line for each action."""
    ways: defaultdict[tuple[State, State], defaultdict[str, list[Input]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for state, row in TRANSITIONS.items():
        for happened, (action, next_state) in row.items():
            if next_state not in (state, State.ENDED):
                ways[state, next_state][action.value].append(happened)
    return {
        way: [f"{', '.join(inputs)} / {action}" for action, inputs in actions.items()]
        for way, actions in ways.items()
    }


def _before(state: State) -> Iterator[State]:
    return (begin for begin, end in _edges() if end is state)


@cache
def _row(state: State) -> int:
    """The length of the longest way to a state; there is no way back (CALL-9)."""
    if state is State.ENDED:
        return 1 + max(_row(other) for other in State if other is not State.ENDED)
    return 1 + max(map(_row, _before(state)), default=-1)


@cache
def _begins(state: State) -> frozenset[State]:
    """The states in which a call begins that can come to this one."""
    begins = frozenset[State]().union(*map(_begins, _before(state)))
    return begins or frozenset({state})


def _column(state: State) -> int:
    begins = _begins(state)
    if len(begins) != 1 or state is State.ENDED:
        return MIDDLE
    leads_on = any(way[0] is state for way in _edges())
    (begin,) = begins
    return COLUMNS[begin] + (0 if leads_on else SIDE_STEP[begin])


def _lines(state: State) -> tuple[tuple[str, str], ...]:
    """What leads nowhere, and what leads to the end."""
    row = TRANSITIONS[state].items()
    if not row:
        return (("where all that is red leads", RED),)
    stays = [happened for happened, to in row if to.state is state]
    ends = [happened for happened, to in row if to.state is State.ENDED]
    words = [(PALE, "stays: ", stays), (RED, "ends: ", ends)]
    return tuple(
        (line, colour)
        for colour, opening, inputs in words
        if inputs
        for line in textwrap.wrap(
            opening + ", ".join(inputs), LETTERS_A_LINE, break_on_hyphens=False
        )
    )


def _cards() -> dict[State, Card]:
    rows = sorted({_row(state) for state in State})
    cards: dict[State, Card] = {}
    y = TOP
    for row in rows:
        here = [
            Card(state, _column(state), y, _lines(state)) for state in State if _row(state) == row
        ]
        cards |= {card.state: card for card in here}
        y = max(card.bottom for card in here) + GAP
    return cards


# ------------------------------------------------------------------------------------------------ how it is drawn


def _draw(root: Xml.Element, card: Card) -> None:
    final = card.state is State.ENDED
    box = Xml.SubElement(root, "rect", rx="15" if final else "5", stroke=INK, fill="#f6f8fa")
    box.set("x", str(card.x - CARD // 2))
    box.set("y", str(card.y))
    box.set("width", str(CARD))
    box.set("height", str(card.height))
    _text(root, card.x, card.y + 20, card.state.value, size=15, weight="bold")
    for number, (line, colour) in enumerate(card.lines):
        _text(root, card.x, card.y + TITLE_HEIGHT + 12 + LINE * number, line, colour=colour)


def _edge(root: Xml.Element, begin: Card, end: Card, labels: list[str]) -> None:
    if begin.x != end.x:
        _line(root, f"M{begin.x},{begin.bottom} L{end.x},{end.y - 3}")
        side = 1 if begin.x > MIDDLE else -1  # outwards, beside the slope
        above = side < 0 and end.x < begin.x
        x, y = (begin.x + end.x) // 2 + 12 * side, (begin.bottom + end.y) // 2
        y, anchor = y + (-6 if above else 10), "start" if side > 0 else "end"
    elif _row(end.state) == _row(begin.state) + 1:
        _line(root, f"M{begin.x},{begin.bottom} V{end.y - 3}")
        x, y, anchor = begin.x + 8, (begin.bottom + end.y) // 2, "start"
    else:  # around the cards between
        right, begin_y, end_y = begin.x + CARD // 2, begin.y + 15, end.y + 15
        _line(
            root,
            f"M{right},{begin_y} C{right + 50},{begin_y} {right + 50},{end_y} {right + 3},{end_y}",
        )
        x, y, anchor = right + 44, (begin_y + end_y) // 2, "start"
        labels = [part for label in labels for part in label.split(" / ")]
    for number, label in enumerate(labels):
        _text(root, x, y + 4 + LINE * number, label, anchor=anchor, halo=True)


def _line(root: Xml.Element, path: str) -> None:
    line = Xml.SubElement(root, "path", d=path, fill="none", stroke=LINES)
    line.set("marker-end", "url(#head)")


def _arrow_head(root: Xml.Element) -> None:
    marker = Xml.SubElement(Xml.SubElement(root, "defs"), "marker", id="head", orient="auto")
    for name, value in (("markerWidth", "8"), ("markerHeight", "8"), ("refX", "6"), ("refY", "4")):
        marker.set(name, value)
    Xml.SubElement(marker, "path", d="M0,0 L8,4 L0,8 z", fill=LINES)


def _text(
    root: Xml.Element,
    x: int,
    y: int,
    words: str,
    *,
    size: int = 12,
    weight: str = "normal",
    colour: str = INK,
    anchor: str = "middle",
    halo: bool = False,
) -> None:
    """``halo`` keeps the words legible on a line."""
    text = Xml.SubElement(root, "text", x=str(x), y=str(y), fill=colour)
    text.set("font-size", str(size))
    text.set("font-weight", weight)
    text.set("text-anchor", anchor)
    if halo:
        text.set("stroke", PAPER)
        text.set("stroke-width", "4")
        text.set("paint-order", "stroke")
    text.text = words
