"""The project's frame: the lock covers what is declared, and names no place to fetch it from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from packaging.requirements import Requirement

import e2ee
from e2ee.shipped import checkout

ROOT = checkout()
assert ROOT is not None
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()


def locked() -> dict[str, list[str]]:
    """Distribution -> its versions (more than one where a marker chooses)."""
    versions = dict[str, list[str]]()
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^ ]+)", LOCK, re.MULTILINE):
        versions.setdefault(name, []).append(version)
    return versions


def declared() -> Iterator[Requirement]:
    project = PYPROJECT["project"]
    for extra in project["optional-dependencies"].values():
        yield from map(Requirement, extra)
    for group in PYPROJECT["dependency-groups"].values():
        yield from map(Requirement, group)
    yield from map(Requirement, [*project["dependencies"], *PYPROJECT["build-system"]["requires"]])


OTHERS = sorted({str(each): each for each in declared() if each.name != "e2ee-calling"}.items())


@pytest.mark.parametrize(
    "requirement", [each for _, each in OTHERS], ids=[name for name, _ in OTHERS]
)
def test_the_lock_has_what_is_declared(requirement: Requirement) -> None:
    versions = locked()[requirement.name]
    assert all(requirement.specifier.contains(version) for version in versions)


def test_the_lock_has_a_hash_for_each_and_names_no_index() -> None:
    entries = re.split(r"^(?=[a-z])", LOCK, flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in LOCK
    assert "index" not in LOCK


def test_every_extra_but_all_is_in_all() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    (everything,) = map(Requirement, extras["all"])
    assert everything.extras == set(extras) - {"all"}


def test_the_package_says_its_version_and_the_specifications() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", e2ee.__version__)
    assert re.fullmatch(r"\d+\.\d+", e2ee.SPEC_VERSION)
    changelog = (ROOT / "CHANGELOG.md").read_text() if ROOT else ""
    assert f"## [{e2ee.__version__}]" in changelog
    assert f"specification {e2ee.SPEC_VERSION}" in changelog
