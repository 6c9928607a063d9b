"""The specification's pictures of the states of calls, printed from the state tables.

A state is a card. Arrows are what leads on, with input and action; what leads to the end, back, or nowhere, stands in the
card, so that the picture stays one of a call's way. A card's row follows from the table: it is the longest way to it. So a
table with other states makes another picture, and no drawing is kept by hand.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from e2ee.call import states as calls
from e2ee.call.group import states as group_calls

__all__ = ["DIAGRAMS", "PICTURES", "Card", "StateDiagram", "stale", "write"]

WIDTH, CARD = 1260, 250
TITLE_HEIGHT, LINE, GAP, TOP = 30, 15, 62, 70
LETTERS_A_LINE = 38
MIDDLE = 640
SIDE_STEP = -280
"""How far beside its side's column a state stands that leads only to the end."""
INK, PALE, RED, BLUE, LINES, PAPER = (
    "#1b1f24",
    "#57606a",
    "#a40e26",
    "#0550ae",
    "#57606a",
    "#ffffff",
)

Table = Mapping[Any, Mapping[Any, Any]]
Edges = Mapping[tuple[StrEnum, StrEnum], list[str]]


@dataclass(frozen=True, slots=True)
class Card:
    """A state as it is drawn: the middle of its upper edge, and its lines, each with a colour."""

    state: StrEnum
    x: int
    y: int
    lines: tuple[tuple[str, str], ...]

    @property
    def height(self) -> int:
        return TITLE_HEIGHT + LINE * len(self.lines) + (6 if self.lines else 0)

    @property
    def bottom(self) -> int:
        return self.y + self.height


@dataclass(frozen=True)
class StateDiagram:
    """One table's. ``picture`` is where it lies in ``spec/``; ``headings`` are over the states in which a call begins.

    ``columns`` say where cards stand; another one stands below that in which its way begins, what several ways come to in the
    middle. ``back`` are the cells that lead to an earlier state.
    """

    picture: str
    title: str
    table: Table
    end: StrEnum
    headings: Mapping[StrEnum, str]
    columns: Mapping[StrEnum, int]
    legend_x: int = MIDDLE
    back: Collection[tuple[Any, Any]] = field(default=frozenset())

    def svg(self) -> str:
        """The picture, the same at every call."""
        cards = self.cards
        height = max(card.bottom for card in cards.values()) + 30
        root = Xml.Element("svg", xmlns="http://www.w3.org/2000/svg")
        root.set("viewBox", f"0 0 {WIDTH} {height}")
        root.set("font-family", "Helvetica, Arial, sans-serif")
        Xml.SubElement(root, "title").text = self.title
        _arrow_head(root)
        Xml.SubElement(root, "rect", width=str(WIDTH), height=str(height), fill=PAPER)
        for state, heading in self.headings.items():
            _text(root, cards[state].x, TOP - 42, heading, size=15, colour=PALE)
            _line(root, f"M{cards[state].x},{TOP - 32} V{TOP - 3}")
        _text(root, self.legend_x, TOP - 42, "an arrow: input / action", colour=PALE)
        for (begin, end), labels in self.edges.items():
            _edge(root, cards.values(), cards[begin], cards[end], labels)
        for card in cards.values():
            _draw(root, card, final=card.state is self.end)
        Xml.indent(root, " ")
        return Xml.tostring(root, encoding="unicode") + "\n"

    # What the table says

    @cached_property
    def edges(self) -> Edges:
        """What leads on, with the words of its arrow: a line for each action."""
        ways: defaultdict[tuple[StrEnum, StrEnum], defaultdict[str, list[str]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for state, row in self.table.items():
            for happened, (action, next_state) in row.items():
                if next_state not in (state, self.end) and (state, happened) not in self.back:
                    ways[state, next_state][action.value].append(happened)
        return {
            way: [f"{', '.join(inputs)} / {action}" for action, inputs in actions.items()]
            for way, actions in ways.items()
        }

    def _before(self, state: StrEnum) -> Iterator[StrEnum]:
        return (begin for begin, end in self.edges if end is state)

    def _row(self, state: StrEnum) -> int:
        """The length of the longest way to a state, ways back not counted."""
        if state is self.end:
            return 1 + max(self._row(other) for other in self.table if other is not self.end)
        return 1 + max(map(self._row, self._before(state)), default=-1)

    def _begins(self, state: StrEnum) -> frozenset[StrEnum]:
        """The states in which a call begins that can come to this one."""
        begins = frozenset[StrEnum]().union(*map(self._begins, self._before(state)))
        return begins or frozenset({state})

    def _column(self, state: StrEnum) -> int:
        if state in self.columns:
            return self.columns[state]
        begins = self._begins(state)
        if len(begins) != 1 or state is self.end:
            return MIDDLE
        leads_on = any(begin is state for begin, _ in self.edges)
        return self.columns[next(iter(begins))] + (0 if leads_on else SIDE_STEP)

    def _lines(self, state: StrEnum) -> tuple[tuple[str, str], ...]:
        """What leads nowhere, what leads back, and what leads to the end."""
        row = self.table[state]
        if not row:
            return (("where all that is red leads", RED),)
        words = [(PALE, "stays: ", [happened for happened, to in row.items() if to.state is state])]
        for earlier in dict.fromkeys(
            row[happened].state for at, happened in self._back_from(state)
        ):
            inputs = [each for _, each in self._back_from(state) if row[each].state is earlier]
            words.append((BLUE, f"to {earlier}: ", inputs))
        words.append((RED, "ends: ", [each for each, to in row.items() if to.state is self.end]))
        return tuple(
            (line, colour)
            for colour, opening, inputs in words
            if inputs
            for line in textwrap.wrap(
                opening + ", ".join(inputs), LETTERS_A_LINE, break_on_hyphens=False
            )
        )

    def _back_from(self, state: StrEnum) -> list[tuple[Any, Any]]:
        """In the table's order."""
        return [(state, each) for each in self.table[state] if (state, each) in self.back]

    @cached_property
    def cards(self) -> dict[StrEnum, Card]:
        """Where everything stands."""
        rows: defaultdict[int, list[StrEnum]] = defaultdict(list)
        for state in self.table:
            rows[self._row(state)].append(state)
        cards: dict[StrEnum, Card] = {}
        y = TOP
        for _, states in sorted(rows.items()):
            here = [Card(state, self._column(state), y, self._lines(state)) for state in states]
            cards |= {card.state: card for card in here}
            y = max(card.bottom for card in here) + GAP
        return cards


# ------------------------------------------------------------------------------------------------ how it is drawn


def _draw(root: Xml.Element, card: Card, *, final: bool) -> None:
    box = Xml.SubElement(root, "rect", rx="15" if final else "5", stroke=INK, fill="#f6f8fa")
    box.set("x", str(card.x - CARD // 2))
    box.set("y", str(card.y))
    box.set("width", str(CARD))
    box.set("height", str(card.height))
    _text(root, card.x, card.y + 20, card.state.value, size=15, weight="bold")
    for number, (line, colour) in enumerate(card.lines):
        _text(root, card.x, card.y + TITLE_HEIGHT + 12 + LINE * number, line, colour=colour)


def _edge(
    root: Xml.Element, cards: Iterable[Card], begin: Card, end: Card, labels: list[str]
) -> None:
    between = any(card.x == begin.x and begin.y < card.y < end.y for card in cards)
    is_long = any(begin.bottom < card.y and card.bottom < end.y for card in cards)
    along = (
        3 if is_long else 2
    )  # where several arrows lead to one card they have come apart near their beginnings
    if begin.x != end.x:
        _line(root, f"M{begin.x},{begin.bottom} L{end.x},{end.y - 3}")
        side = 1 if max(begin.x, end.x) > MIDDLE <= begin.x else -1  # outwards, beside the slope
        above = (end.x - begin.x) * side > 0
        x, y = begin.x + (end.x - begin.x) // along, begin.bottom + (end.y - begin.bottom) // along
        x += 12 * side
        y, anchor = y + (-6 if above else 10), "start" if side > 0 else "end"
    elif not between:
        _line(root, f"M{begin.x},{begin.bottom} V{end.y - 3}")
        x, y, anchor = begin.x + 8, begin.bottom + (end.y - begin.bottom) // along, "start"
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


DIAGRAMS = (
    StateDiagram(
        picture="pictures/call-states.svg",
        title="The states of a call at one device",
        table=calls.TRANSITIONS,
        end=calls.State.ENDED,
        headings={
            calls.State.LOOKING_UP: "at the device that calls",
            calls.State.INVITED: "at a device that is called",
        },
        columns={
            calls.State.LOOKING_UP: 430,
            calls.State.INVITED: 850,
            calls.State.HANDED_OVER: 1120,
        },
    ),
    StateDiagram(
        picture="pictures/group-call-states.svg",
        title="The states of a group call at one member",
        table=group_calls.TRANSITIONS,
        end=group_calls.State.ENDED,
        headings={
            group_calls.State.ASKING: "at a device that joins",
            group_calls.State.OPENING: "at the device that opens the call",
        },
        columns={
            group_calls.State.ASKING: MIDDLE,
            group_calls.State.IN_LOBBY: 210,
            group_calls.State.FETCHING: 1050,
            group_calls.State.OPENING: 1050,
        },
        legend_x=210,
        back=group_calls.WAYS_BACK,
    ),
)

PICTURES = tuple(diagram.picture for diagram in DIAGRAMS)
"""Where the pictures lie in ``spec/``."""


def write(spec: Path) -> None:
    """Draw the pictures in the folder ``spec``."""
    for diagram in DIAGRAMS:
        (spec / diagram.picture).write_text(diagram.svg())


def stale(spec: Path) -> list[str]:
    """Those pictures in the folder ``spec`` that are not what their table says."""
    return [each.picture for each in DIAGRAMS if not _is_current(spec / each.picture, each)]


def _is_current(picture: Path, diagram: StateDiagram) -> bool:
    return picture.is_file() and picture.read_text() == diagram.svg()
