"""One chapter from Markdown to HTML, as part of a page that holds all of them.

    anchors        the chapter under its file's name, a section as ``chapter--section``, a requirement under its id
    requirements   each in a box of its own that holds all that its digest covers, with badges and evidence below
    examples       with a line that says which vector they are
    HTML           of the chapter's own is left out, wherever it stands
    links          to another chapter lead to its place on the page, all others to files, relative to it
    pictures       SVG is put in, to take the page's colours; other kinds as data

The parser is markdown-it-py, with CommonMark and tables.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from posixpath import normpath

from markdown_it import MarkdownIt
from markdown_it.token import Token

from e2ee.conformance.requirements import Requirement, Specification
from e2ee.conformance.site.evidence import Evidence
from e2ee.conformance.site.places import Library

__all__ = ["Chapter", "Heading", "slug"]

OPENING = re.compile(r"^\*\*([A-Z]+-\d+)\*\* ")
KEY_WORD = re.compile(r"\b(MUST NOT|MUST|SHOULD NOT|SHOULD|MAY)\b")
VECTOR = re.compile(r"<!-- vector: ([a-z-]+)/[a-z-]+#(\S+) -->")


@dataclass(frozen=True, slots=True)
class Heading:
    """``level`` 1 is the chapter's title."""

    level: int
    anchor: str
    title: str


@dataclass(slots=True)
class _Part:
    """A requirement with all that its digest covers, or what is between two."""

    requirement: Requirement | None = None
    html: str = ""


def slug(title: str) -> str:
    """The anchor of a heading, as repository pages make it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


class Chapter:
    """The chapter in ``file``, a name in ``spec/``. ``names`` are the files that are on the page, too, ``ids`` its requirements, if not all."""

    def __init__(
        self,
        file: str,
        specification: Specification,
        evidence: Evidence,
        library: Library,
        names: Sequence[str],
        *,
        ids: Collection[str] | None = None,
    ) -> None:
        self.file = file
        self.anchor = file.removesuffix(".md").lower()
        self._specification = specification
        self._evidence = evidence
        self._library = library
        self._names = names
        self._ids = specification.requirements if ids is None else ids
        self._markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
        self._markdown.add_render_rule("html_block", _nothing)
        self._mentions = re.compile(rf"\b(?:{'|'.join(specification.prefixes)})-\d+\b")

    @cached_property
    def tokens(self) -> list[Token]:
        """As the parser gives them, with links, anchors and ids rewritten."""
        tokens = self._markdown.parse((self._specification.folder / self.file).read_text())
        for number, token in enumerate(tokens):
            if token.type == "heading_open":
                level = int(token.tag[1])
                token.attrSet("id", self._anchor_of(tokens[number + 1].content, level))
                token.tag = tokens[number + 2].tag = f"h{level + 1}"
            elif token.type == "inline" and token.children is not None:
                token.children = [*self._inline(token.children)]
        return tokens

    @property
    def headings(self) -> list[Heading]:
        """All, in their order."""
        return [
            Heading(
                int(token.tag[1]) - 1, str(token.attrGet("id")), _plain(self.tokens[number + 1])
            )
            for number, token in enumerate(self.tokens)
            if token.type == "heading_open"
        ]

    def html(self) -> str:
        """The chapter's ``<section>``."""
        parts = (
            self._box(part, is_open=False) if part.requirement else part.html
            for part in self._parts()
        )
        return f'<section class="chapter" aria-labelledby="{self.anchor}">\n{"".join(parts)}</section>\n'

    def boxes(self, ids: Collection[str]) -> str:
        """The chapter's title, and those of its requirements that ``ids`` names, with their evidence unfolded."""
        parts = [part for part in self._parts() if part.requirement and part.requirement.id in ids]
        boxes = "".join(self._box(part, is_open=True) for part in parts)
        title = escape(self.headings[0].title)
        return f'<section class="chapter"><h2 id="{self.anchor}">{title}</h2>\n{boxes}</section>\n'

    # Blocks

    def _parts(self) -> Iterator[_Part]:
        """The chapter cut where a requirement begins or ends."""
        part, vector = _Part(), ""
        for block in _top_level(self.tokens):
            requirement = self._opens(block)
            if requirement or block[0].type == "heading_open":
                yield part
                part = _Part(requirement)
            if requirement:
                self._put_badges(block[1], requirement)
            if block[0].type == "html_block":
                vector = block[0].content.strip()
                continue
            html = self._render(block)
            part.html += self._example(vector, html) if block[0].type == "code_block" else html
            vector = ""
        yield part

    def _box(self, part: _Part, *, is_open: bool) -> str:
        id_ = part.requirement.id if part.requirement else ""
        evidence = self._evidence.html(id_, is_open=is_open)
        return f'<div class="requirement" id="{id_}">\n{part.html}{evidence}</div>\n'

    def _opens(self, block: list[Token]) -> Requirement | None:
        opening = OPENING.match(block[1].content) if block[0].type == "paragraph_open" else None
        return self._specification.requirements.get(opening[1]) if opening else None

    def _put_badges(self, inline: Token, requirement: Requirement) -> None:
        """In the place of the bold id with which the paragraph opens."""
        level = "WITHDRAWN" if requirement.withdrawn else requirement.level
        opening = f'<a class="id" href="#{requirement.id}">{requirement.id}</a> {self._evidence.badges(requirement.id, level)}'
        children = inline.children or []
        close = next(n for n, token in enumerate(children) if token.type == "strong_close")
        inline.children = [_html(opening), *children[close + 1 :]]

    def _render(self, block: list[Token]) -> str:
        html = str(self._markdown.renderer.render(block, self._markdown.options, {}))
        html = html.replace("<pre>", '<pre tabindex="0">')
        return (
            f'<div class="wide" tabindex="0">{html}</div>\n'
            if block[0].type == "table_open"
            else html
        )

    def _example(self, comment: str, html: str) -> str:
        if not (vector := VECTOR.fullmatch(comment)):
            return html
        caption = (
            f"<figcaption>Vector {self._evidence.vector_link(vector[1], vector[2])}</figcaption>"
        )
        return f'<figure class="example">{html}{caption}</figure>\n'

    # Inside a block

    def _inline(self, children: Sequence[Token]) -> Iterator[Token]:
        inside_link = 0
        for token in children:
            inside_link += token.nesting if token.type in ("link_open", "link_close") else 0
            if token.type == "link_open":
                token.attrSet("href", self._target(str(token.attrGet("href"))))
                yield token
            elif token.type == "image":
                yield _html(self._picture(str(token.attrGet("src")), token.content))
            elif token.type == "text" and not inside_link:
                yield _html(self._marked(token.content))
            elif token.type != "html_inline":
                yield token

    def _marked(self, text: str) -> str:
        """Key words are marked, and ids lead to their requirement."""
        html = KEY_WORD.sub(r'<em class="key">\1</em>', escape(text, quote=False))
        return self._mentions.sub(lambda found: self._id_link(found[0]), html)

    def _id_link(self, id_: str) -> str:
        return f'<a href="#{id_}">{id_}</a>' if id_ in self._ids else id_

    def _anchor_of(self, title: str, level: int) -> str:
        return self.anchor if level == 1 else f"{self.anchor}--{slug(title)}"

    def _target(self, href: str) -> str:
        if ":" in href.partition("/")[0]:
            return href
        file, _, section = href.partition("#")
        if not file or file in self._names:
            chapter = (file or self.file).removesuffix(".md").lower().replace(".", "-")
            return f"#{chapter}--{section}" if section else f"#{chapter}"
        return self._library.link(normpath(f"spec/{file}")) or href

    def _picture(self, source: str, words: str) -> str:
        path = self._specification.folder / source
        if path.suffix == ".svg":
            image = _svg(path, words)
        else:
            data = base64.b64encode(path.read_bytes()).decode()
            image = f'<img alt="{escape(words)}" src="data:image/{path.suffix[1:]};base64,{data}">'
        return f'<span class="picture" tabindex="0">{image}</span>'


def _top_level(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens of each block."""
    block = list[Token]()
    for token in tokens:
        block.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield block
            block = []


def _svg(path: Path, words: str) -> str:
    """Its ids belong to the picture: a page has several."""
    text = path.read_text()
    for id_ in set(re.findall(r'\bid="([\w-]+)"', text)):
        text = text.replace(f'id="{id_}"', f'id="{path.stem}-{id_}"').replace(
            f"#{id_})", f"#{path.stem}-{id_})"
        )
    return re.sub(
        r"^.*?<svg ",
        f'<svg role="img" aria-label="{escape(words)}" ',
        text,
        count=1,
        flags=re.DOTALL,
    )


def _plain(inline: Token) -> str:
    return re.sub(r"[`*]", "", inline.content)


def _nothing(*_: object) -> str:
    return ""


def _html(content: str) -> Token:
    return Token("html_inline", "", 0, content=content)
