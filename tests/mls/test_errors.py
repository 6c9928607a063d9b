"""Every rule has a check that raises it, and a test that breaks it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import e2ee.mls.errors
from e2ee.errors import LocalProtocolError, RemoteProtocolError
from e2ee.mls.errors import Rule, UsageError, ValidationError

PACKAGE = Path(e2ee.mls.errors.__file__).parent
TESTS = Path(__file__).parents[1]


def rules_named_in(files: list[Path]) -> set[str]:
    """The members of Rule that these sources name."""
    return {name for file in files for name in re.findall(r"Rule\.([A-Z0-9_]+)", file.read_text())}


def test_every_rule_is_enforced() -> None:
    sources = [file for file in PACKAGE.glob("*.py") if file.name != "errors.py"]
    assert rules_named_in(sources) == {rule.name for rule in Rule}


def test_every_rule_is_tested() -> None:
    tests = [file for file in TESTS.rglob("test_*.py") if file != Path(__file__)]
    assert rules_named_in(tests) >= {rule.name for rule in Rule}


@pytest.mark.parametrize("rule", Rule)
def test_a_rule_is_called_by_its_name(rule: Rule) -> None:
    assert rule.value == rule.name


def test_who_erred_is_told_by_the_class() -> None:
    assert issubclass(ValidationError, RemoteProtocolError)
    assert issubclass(UsageError, LocalProtocolError)
