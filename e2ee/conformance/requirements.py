"""The specification's requirements, read from its chapters.

A requirement is a paragraph that opens with its id in bold:

    **FRAME-7** If ``speakers`` is not empty, a frame of a leaf that is neither listed nor a host's MUST be refused.

and ends before the next requirement or heading, so a table or formula below a sentence belongs to it. The prefix of
an id belongs to one chapter, as the table in ``spec/README.md`` says. Ids are never used again: a requirement that
goes leaves its id behind, with a text that begins with "Withdrawn".

``spec/requirements.json`` holds what was last confirmed: each requirement's text and the digest of it. A text that
changed under the vectors that were made for it is a finding until somebody confirms that they still show it.

This module imports nothing of the package, so that other implementations can use it as it is.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["INDEX", "Chapter", "Finding", "Requirement", "Specification", "mentioned"]

INDEX = "requirements.json"

LEVELS = ("MUST", "SHOULD", "MAY")
"""Strongest first. A text with none of them states what the others rest on."""

_CHAPTER_ROW = re.compile(
    r"^\| \[(?P<title>[^]]+)\]\((?P<file>[a-z-]+)\.md\) \| `(?P<prefix>[A-Z]+)` \|"
)
_OPENING = re.compile(r"^\*\*(?P<id>[A-Z]+-\d+)\*\* ")
_LINK_TARGET = re.compile(r"^\[[^]]+\]: ")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: a stable ``code``, the ``subject`` that it is about, and words for people."""

    code: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """A row of the table in ``spec/README.md``."""

    title: str
    name: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One normative paragraph. ``text`` is without its id, with each run of white space as one space."""

    id: str
    chapter: str
    section: str
    text: str

    @property
    def level(self) -> str:
        """The strongest key word of BCP 14 in the text, or "STATEMENT"."""
        words = set(re.findall(r"\b[A-Z]+\b", self.text))
        return next((level for level in LEVELS if level in words), "STATEMENT")

    @property
    def withdrawn(self) -> bool:
        """True for an id that binds nobody any more."""
        return self.text.startswith("Withdrawn")

    @property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of ``text``."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    def entry(self) -> dict[str, str]:
        """This requirement's entry in ``spec/requirements.json``."""
        return {
            "id": self.id,
            "chapter": self.chapter,
            "section": self.section,
            "level": "WITHDRAWN" if self.withdrawn else self.level,
            "text": self.text,
            "sha256": self.digest,
        }


def mentioned(text: str, prefixes: Iterable[str]) -> list[str]:
    """The requirement ids in ``text``, each once, in their order."""
    return list(dict.fromkeys(re.findall(rf"\b(?:{'|'.join(prefixes)})-\d+\b", text)))


class Specification:
    """The chapters in the folder ``spec``, and what was confirmed of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chapters = _chapters(folder / "README.md")
        self.prefixes = [chapter.prefix for chapter in self.chapters]
        found = [r for chapter in self.chapters for r in _requirements(folder, chapter)]
        self.requirements = {requirement.id: requirement for requirement in found}
        self.findings = [*_misnumbered(found, self.chapters), *self._unknown_mentions()]

    def confirmed(self) -> Mapping[str, Mapping[str, Any]]:
        """The entries of ``requirements.json`` by id; empty before it was first written."""
        index = self.folder / INDEX
        if not index.is_file():
            return {}
        return {entry["id"]: entry for entry in json.loads(index.read_text())["requirements"]}

    def changed(self) -> list[str]:
        """Ids whose text is not the one that was confirmed."""
        confirmed = self.confirmed()
        return [
            requirement.id
            for requirement in self.requirements.values()
            if requirement.id in confirmed
            and requirement.digest != confirmed[requirement.id]["sha256"]
        ]

    def vanished(self) -> list[str]:
        """Ids that were confirmed once and stand in no chapter now."""
        return [id_ for id_ in self.confirmed() if id_ not in self.requirements]

    def index(self, version: str) -> str:
        """What ``requirements.json`` holds for the chapters as they are."""
        entries = [requirement.entry() for requirement in self.requirements.values()]
        document = {"specification": version, "requirements": entries}
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"

    def _unknown_mentions(self) -> Iterator[Finding]:
        for chapter in self.chapters:
            text = (self.folder / f"{chapter.name}.md").read_text()
            for id_ in mentioned(text, self.prefixes):
                if id_ not in self.requirements:
                    yield Finding("UNKNOWN", id_, f"named in {chapter.name}.md, defined nowhere")


def _chapters(readme: Path) -> list[Chapter]:
    rows = (_CHAPTER_ROW.match(line) for line in readme.read_text().splitlines())
    return [Chapter(row["title"], row["file"], row["prefix"]) for row in rows if row]


def _requirements(folder: Path, chapter: Chapter) -> Iterator[Requirement]:
    """The requirements of one chapter, in their order."""
    section, id_, lines = "", "", list[str]()
    for line in [*(folder / f"{chapter.name}.md").read_text().splitlines(), "#"]:
        opening = _OPENING.match(line)
        if opening or line.startswith("#"):
            if id_:
                yield Requirement(id_, chapter.name, section, " ".join(" ".join(lines).split()))
            id_, lines = (opening["id"], [line[opening.end() :]]) if opening else ("", [])
            section = section if opening else line.lstrip("# ")
        elif not _LINK_TARGET.match(line):
            lines.append(line)


def _misnumbered(found: list[Requirement], chapters: list[Chapter]) -> Iterator[Finding]:
    prefixes = {chapter.name: chapter.prefix for chapter in chapters}
    seen = set[str]()
    for requirement in found:
        if requirement.id in seen:
            yield Finding(
                "DUPLICATE", requirement.id, f"opens a second paragraph in {requirement.chapter}.md"
            )
        seen.add(requirement.id)
        if requirement.id.split("-")[0] != prefixes[requirement.chapter]:
            yield Finding(
                "MISPLACED",
                requirement.id,
                f"stands in {requirement.chapter}.md, whose ids begin otherwise",
            )
