"""The page stands alone, holds everything, and each link on it leads somewhere."""

from __future__ import annotations

import os
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from shutil import copytree
from urllib.parse import unquote

import pytest

import e2ee
from e2ee.conformance.requirements import Specification
from e2ee.conformance.site import requirements_page, specification_page
from e2ee.conformance.site.chapter import Chapter, slug
from e2ee.conformance.site.evidence import Evidence
from e2ee.conformance.site.places import Library
from e2ee.shipped import checkout, shipped

ROOT = checkout()
assert ROOT is not None
SPECIFICATION = Specification(shipped("spec"))


class Page(HTMLParser):
    """What a test asks of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.ids = Counter[str]()
        self.links = set[str]()
        self.loaded = list[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids[given["id"]] += 1
        if tag == "a":
            self.links.add(given.get("href", ""))
        self.loaded += [given[name] for name in ("src", "srcset") if name in given]
        self.loaded += [given["href"]] if tag == "link" else []

    def around(self, id_: str) -> str:
        """The box of a requirement, up to the next one."""
        return self.html.partition(f'<div class="requirement" id="{id_}">')[2].partition(
            '<div class="req'
        )[0]


@pytest.fixture(scope="module")
def place() -> Path:
    """Where the page is said to lie: nothing is written there."""
    assert ROOT
    return ROOT / "dist" / "spec.html"


@pytest.fixture(scope="module")
def page(place: Path) -> Page:
    return Page(specification_page(place))


def test_every_requirement_and_every_chapter_is_an_anchor(page: Page) -> None:
    assert set(SPECIFICATION.requirements) <= set(page.ids)
    assert {chapter.name for chapter in SPECIFICATION.chapters} <= set(page.ids)


def test_no_anchor_is_there_twice(page: Page) -> None:
    assert [id_ for id_, count in page.ids.items() if count > 1] == []


def test_every_link_on_the_page_leads_to_an_anchor(page: Page) -> None:
    inside = {link[1:] for link in page.links if link.startswith("#")}
    assert inside - set(page.ids) == set()


def test_every_link_to_a_file_leads_to_one(page: Page, place: Path) -> None:
    files = {link.partition("#")[0] for link in page.links if "://" not in link} - {""}
    there = [
        Path(os.path.normpath(place.parent / unquote(file))) for file in files
    ]  # dist/ may not be
    assert [file for file in there if not file.exists()] == []
    assert len(files) > 100


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    assert [source for source in page.loaded if not source.startswith("data:")] == []
    assert "@import" not in page.html
    assert "url(http" not in page.html


def test_a_requirement_links_to_what_shows_it(page: Page) -> None:
    box = page.around("FRAME-9")
    assert '<span class="badge must">MUST</span>' in box
    assert '<span class="badge level" title="level of conformance">L1</span>' in box
    assert 'href="../vectors/frame-format.json#:~:text=%22frame-sent-twice-audio%22"' in box
    assert (
        'href="../tests/media/test_opener.py#:~:text=def%20test_a_replayed_frame_is_refused"' in box
    )
    assert 'href="../e2ee/media/opener.py#:~:text=def%20open"' in box


def test_a_requirements_table_is_in_its_box(page: Page) -> None:
    box = page.around("FRAME-3")
    assert "NOT_AUTHENTIC" in box
    assert '<a href="#FRAME-9">FRAME-9</a>' in box


def test_pictures_are_inside(page: Page) -> None:
    assert page.html.count("<svg ") >= 2
    assert "where all that is red leads</text>" in page.html


def test_comments_of_the_chapters_are_not_shown(page: Page) -> None:
    assert "&lt;!--" not in page.html
    assert "<!-- vector" not in page.html


def test_it_says_its_version(page: Page) -> None:
    assert f"<title>E2EE Calling Protocol {e2ee.SPEC_VERSION}</title>" in page.html


def test_some_requirements_alone_are_a_page_too(place: Path) -> None:
    page = Page(requirements_page({"FRAME-3", "IDENT-2"}, place))
    assert {"FRAME-3", "IDENT-2", "frame-format", "identity"} <= set(page.ids)
    assert "FRAME-4" not in page.ids
    assert '<details class="evidence" open>' in page.html


def test_a_link_among_some_requirements_leads_to_one_of_them(place: Path) -> None:
    page = Page(requirements_page({"FRAME-3", "FRAME-9"}, place))
    inside = {link[1:] for link in page.links if link.startswith("#")}
    assert "FRAME-9" in inside
    assert inside - set(page.ids) == set()


def test_html_in_a_chapter_is_no_html_of_the_page(tmp_path: Path, place: Path) -> None:
    """At the top, in a line, in a list, in a quotation, in a heading, and as where a link leads."""
    evil = "<img src=x onerror=alert(1)>"
    copytree(shipped("spec"), tmp_path, dirs_exist_ok=True)
    (tmp_path / "evil.md").write_text(
        f"# Evil {evil}\n\n{evil}\n\nA line {evil} `{evil}`\n\n- in a list\n\n  <script>alert(1)</script>\n\n"
        f"> quoted\n>\n> <script>alert(1)</script>\n\n| a | b |\n|---|---|\n| {evil} | [x](javascript:alert(1)) |\n"
    )
    library = Library(place)
    library = Library(place)
    chapter = Chapter("evil.md", Specification(tmp_path), Evidence(library), library, ())
    html = Page(chapter.html()).html
    assert "<img" not in html
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert html.count("&lt;img") == 1


def test_a_heading_has_the_anchor_that_repository_pages_give_it() -> None:
    assert slug("Who gets what") == "who-gets-what"
    assert slug("Limits, said openly") == "limits-said-openly"
    assert slug("What `bdi` is: a re-use") == "what-bdi-is-a-re-use"
