"""What code quotes of a sentence stands in it: ``ID: "..."`` in a comment or a docstring, with dots where something is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from e2ee.conformance.requirements import Specification
from e2ee.shipped import checkout, shipped

ROOT = checkout()
assert ROOT is not None
QUOTATION = re.compile(r'\b([A-Z]+-\d+): "([^"]{8,})')
LEFT_OUT = "..."


def plain(text: str) -> str:
    """Without marks, and in one case."""
    for mark, as_code in {"`": "", "\\": "", "−": "-", "≤": "<="}.items():
        text = text.replace(mark, as_code)
    return " ".join(text.split()).lower()


SENTENCES = {
    id_: plain(requirement.text)
    for id_, requirement in Specification(shipped("spec")).requirements.items()
}


def quotations(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Where something is quoted, of which sentence, and what."""
    for path in sorted(folder.rglob("*.py")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for found in QUOTATION.finditer(line):
                yield f"{path.relative_to(folder)}:{number}", found[1], found[2]


def stands_in(quoted: str, sentence: str) -> bool:
    """Each piece of it, one behind the other."""
    at = 0
    for piece in plain(quoted).split(LEFT_OUT):
        words = piece.strip(" .,")
        found = sentence.find(words, at)
        if found < 0:
            return False
        at = found + len(words)
    return True


def test_what_is_quoted_of_a_sentence_stands_in_it() -> None:
    assert ROOT
    found = [each for each in quotations(ROOT / "e2ee") if each[1] in SENTENCES]
    assert len(found) > 200
    assert [each for each in found if not stands_in(each[2], SENTENCES[each[1]])] == []


def test_a_quotation_may_leave_something_out_and_changes_nothing() -> None:
    sentence = plain("A message that is not allowed, or not to its sender, MUST be refused.")
    assert stands_in("A message that is not allowed ... MUST be refused.", sentence)
    assert not stands_in("MUST be refused ... that is not allowed", sentence)
    assert not stands_in("A message that is allowed", sentence)
