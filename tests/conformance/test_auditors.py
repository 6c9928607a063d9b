"""What the guide for auditors names is there: sentences, tests, code, and commands of the Makefile."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from e2ee.cli.commands import COMMANDS
from e2ee.conformance.lines_of_code import COMPONENTS
from e2ee.conformance.requirements import Specification, mentioned
from e2ee.shipped import PACKAGE, checkout, shipped

ROOT = checkout()
assert ROOT is not None
SPECIFICATION = Specification(shipped("spec"))
PAGE = (shipped("spec") / "auditors.md").read_text()
PLACES = sorted(set(re.findall(r"`((?:tests|e2ee)/[\w/]+\.py(?:::[\w.]+)?)`", PAGE)))
INVARIANTS = [line for line in PAGE.splitlines() if "`tests/" in line and line.startswith("| ")]
NOT_IN_SCOPE = {"conformance", "inspection", "testing", "vectorgen", "cli", "examples"}


def names(path: Path) -> set[str]:
    """Functions and classes of a module, those of a class as ``Class.name``."""
    found = set[str]()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            inside = node.body if isinstance(node, ast.ClassDef) else []
            found |= {f"{node.name}.{each.name}" for each in inside if hasattr(each, "name")}
    return found


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_is_named_is_there(place: str) -> None:
    assert ROOT
    file, _, name = place.partition("::")
    assert (ROOT / file).is_file()
    assert not name or name in names(ROOT / file)


@pytest.mark.parametrize(
    "line", INVARIANTS, ids=[line.split("|")[1].strip() for line in INVARIANTS]
)
def test_an_invariant_has_a_sentence_and_a_test_that_shows_it_or_code_that_keeps_it(
    line: str,
) -> None:
    _, _, sentence, test, code, _ = line.split("|")
    assert mentioned(sentence, SPECIFICATION.prefixes)
    assert "::test_" in test or ".test_" in test
    assert code.strip().startswith("`")


def test_every_rule_that_is_named_is_in_force() -> None:
    named = mentioned(PAGE, SPECIFICATION.prefixes)
    assert [id_ for id_ in named if id_ not in SPECIFICATION.requirements] == []


def test_every_package_is_in_scope_or_said_not_to_be() -> None:
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert packages == {name for name, _, _ in COMPONENTS} | NOT_IN_SCOPE
    scope = PAGE.partition("## Scope")[2].partition("## Trust")[0]
    assert all(f"`{name}`" in scope for name in NOT_IN_SCOPE)


def test_the_commands_that_reproduce_it_exist() -> None:
    assert ROOT
    reproduce = PAGE.partition("## How to reproduce")[2]
    targets = set(re.findall(r"`make ([a-z]+)`", reproduce))
    phony = (ROOT / "Makefile").read_text().partition(".PHONY:")[2].splitlines()[0].split()
    assert targets <= set(phony)
    assert set(re.findall(r"`e2ee ([a-z]+)", reproduce)) <= set(COMMANDS)
