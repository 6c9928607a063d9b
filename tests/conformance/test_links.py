"""Links between the chapters, and to files of the repository, lead to something: also those to a section."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2ee.conformance.site.chapter import slug
from e2ee.conformance.site.page import chapter_files
from e2ee.shipped import shipped

SPEC = shipped("spec")
PAGES = sorted(path.name for path in SPEC.glob("*.md"))

_INLINE = re.compile(r"\]\(([^)\s]+)\)")
_REFERENCE = re.compile(r"^\[([^]]+)\]: (\S+)", re.MULTILINE)
_NAMED = re.compile(r"(?<![\w\]`])\[([A-Za-z][\w .-]*)\](?![(:\[])")


def text(page: str) -> str:
    """Of a page of the specification."""
    return without_code(SPEC / page)


def without_code(page: Path) -> str:
    """In code brackets mean something else."""
    lines = page.read_text().splitlines()
    outside = "\n".join(line for line in lines if not line.startswith("    "))
    return re.sub(r"`[^`\n]*`", "", outside)


def sections(page: Path) -> set[str]:
    headings = (line for line in page.read_text().splitlines() if re.match(r"#+ ", line))
    return {slug(heading.lstrip("#").strip()) for heading in headings}


def targets(page: str) -> Iterator[str]:
    yield from _INLINE.findall(text(page))
    yield from (target for _, target in _REFERENCE.findall(text(page)))


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_to_a_file_and_its_section(page: str) -> None:
    for target in targets(page):
        if "://" in target:
            assert target.startswith("https://")
            continue
        file, _, section = target.partition("#")
        path = SPEC / file if file else SPEC / page
        assert path.exists(), target
        assert not section or section in sections(path), target


@pytest.mark.parametrize("page", PAGES)
def test_a_name_in_brackets_has_its_link(page: str) -> None:
    known = {name for name, _ in _REFERENCE.findall((SPEC / page).read_text())}
    named = set(_NAMED.findall(_REFERENCE.sub("", text(page))))
    assert named <= known


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_title_and_no_section_twice(page: str) -> None:
    lines = [line for line in (SPEC / page).read_text().splitlines() if re.match(r"#+ ", line)]
    assert [line for line in lines if line.startswith("# ")] == lines[:1]
    assert len(lines) == len(set(lines))


def test_the_overview_leads_to_every_page() -> None:
    named = {target.partition("#")[0] for target in targets("README.md")}
    assert set(PAGES) - {"README.md"} <= named
    assert chapter_files(SPEC)[0] == "README.md"
    assert sorted(chapter_files(SPEC)) == PAGES


@pytest.mark.parametrize(
    "page",
    [
        *sorted(SPEC.glob("*.md")),
        *sorted(shipped("vectors").rglob("*.md")),
    ],
    ids=lambda page: f"{page.parent.name}/{page.name}",
)
def test_who_has_only_specification_and_vectors_finds_no_dead_link(page: Path) -> None:
    at_hand = (SPEC.resolve(), shipped("vectors").resolve())
    for target in _INLINE.findall(without_code(page)):
        if "://" not in target and not target.startswith("#"):
            leads_to = (page.parent / target.partition("#")[0]).resolve()
            assert leads_to.exists(), target
            assert any(leads_to.is_relative_to(folder) for folder in at_hand), target
