"""The pages: what is around the chapters, or around the requirements alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

import e2ee
from e2ee.conformance.requirements import Specification
from e2ee.conformance.site.chapter import Chapter, Heading
from e2ee.conformance.site.evidence import Evidence
from e2ee.conformance.site.places import Library
from e2ee.shipped import shipped

__all__ = ["chapter_files", "requirements_page", "specification_page"]

_ROW = re.compile(r"^\| \[[^]]+\]\(([A-Za-z-]+\.md)\)")


def chapter_files(spec: Path) -> list[str]:
    """The overview, then the chapters in the order of its tables, then those that it lacks."""
    readme = (spec / "README.md").read_text().splitlines()
    listed = ["README.md", *(row[1] for row in map(_ROW.match, readme) if row)]
    named = [name for name in dict.fromkeys(listed) if (spec / name).is_file()]
    return [*named, *sorted(path.name for path in spec.glob("*.md") if path.name not in named)]


def specification_page(page: Path) -> str:
    """The whole specification as HTML, for the file ``page``, from which links to other files are counted."""
    library = Library(page)
    specification, evidence = Specification(shipped("spec")), Evidence(library)
    grammars = sorted(path.name for path in specification.folder.glob("*.cddl"))
    names = [*chapter_files(specification.folder), *grammars]
    chapters = [
        Chapter(name, specification, evidence, library, names)
        for name in names
        if name not in grammars
    ]
    contents = [_contents(chapter.headings) for chapter in chapters]
    contents += [_entry(Heading(1, _anchor(name), name)) + "</li>" for name in grammars]
    body = [chapter.html() for chapter in chapters]
    body += [_grammar(name, (specification.folder / name).read_text()) for name in grammars]
    return _page(f"E2EE Calling Protocol {e2ee.SPEC_VERSION}", contents, body)


def requirements_page(ids: Collection[str], page: Path) -> str:
    """The requirements that ``ids`` names as HTML, for the file ``page``, with all that shows each."""
    library = Library(page)
    specification, evidence = Specification(shipped("spec")), Evidence(library)
    known = specification.requirements
    named = {known[id_].chapter for id_ in ids if id_ in known}
    chapters = [
        Chapter(f"{chapter.name}.md", specification, evidence, library, (), ids=ids)
        for chapter in specification.chapters
        if chapter.name in named
    ]
    contents = [f"{_entry(chapter.headings[0])}</li>" for chapter in chapters]
    body = [chapter.boxes(ids) for chapter in chapters]
    return _page(f"E2EE Calling Protocol {e2ee.SPEC_VERSION}: requirements", contents, body)


def _page(title: str, contents: Iterable[str], body: Iterable[str]) -> str:
    here = files("e2ee.conformance.site")
    return Template((here / "page.html").read_text()).substitute(
        title=escape(title),
        style=(here / "style.css").read_text(),
        script=(here / "search.js").read_text(),
        contents="\n".join(contents),
        body="".join(body),
        maker=escape(f"{e2ee.DISTRIBUTION} {e2ee.__version__}"),
    )


def _contents(headings: Sequence[Heading]) -> str:
    """A chapter and its sections in the table of contents."""
    chapter, *others = headings
    sections = "".join(f"{_entry(each)}</li>" for each in others if each.level == 2)
    return f"{_entry(chapter)}{f'<ul>{sections}</ul>' if sections else ''}</li>"


def _entry(heading: Heading) -> str:
    return f'<li><a href="#{heading.anchor}">{escape(heading.title)}</a>'


def _anchor(name: str) -> str:
    return name.lower().replace(".", "-")


def _grammar(name: str, text: str) -> str:
    head = f'<h2 id="{_anchor(name)}">{escape(name)}</h2>'
    return f'<section class="chapter">{head}<pre tabindex="0"><code>{escape(text)}</code></pre></section>\n'
