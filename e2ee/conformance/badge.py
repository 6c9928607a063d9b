"""A badge: the levels that an implementation conforms to, as a small picture (SVG).

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

from e2ee.conformance.results import Results

__all__ = ["badge"]

HEIGHT, MARGIN = 22, 8
PER_CHARACTER = 7
"""Pixels; ``textLength`` makes every typeface as wide as that."""

DARK, GREEN, GREY = "#24292f", "#1a7f37", "#6e7781"


def badge(results: Results, specification: str) -> str:
    """The text of the file."""
    conforming = [level.name for level in results.levels if level.conforms]
    left, right = f"E2EE calling {specification}", " ".join(conforming) or "no level"
    widths = [2 * MARGIN + PER_CHARACTER * len(text) for text in (left, right)]
    picture = Element(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        width=str(sum(widths)),
        height=str(HEIGHT),
        role="img",
    )
    SubElement(picture, "title").text = f"{results.hello.name}: {left}, {right}"
    _field(picture, 0, widths[0], DARK, left)
    _field(picture, widths[0], widths[1], GREEN if conforming else GREY, right)
    return tostring(picture, "unicode") + "\n"


def _field(picture: Element, x: int, width: int, colour: str, text: str) -> None:
    SubElement(picture, "rect", x=str(x), width=str(width), height=str(HEIGHT), fill=colour)
    place = {"x": str(x + MARGIN), "y": "15", "textLength": str(width - 2 * MARGIN)}
    style = {"fill": "#fff", "font-family": "Verdana, DejaVu Sans, sans-serif", "font-size": "11"}
    SubElement(picture, "text", place | style).text = text
