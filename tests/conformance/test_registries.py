"""The page of registries has what code and chapters have, and each of its numbers is the code's."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import reduce
from importlib import import_module
from typing import Any

import pytest

from e2ee.call.end_reason import EndReason
from e2ee.conformance.requirements import Specification, mentioned
from e2ee.delivery.errors import DeliveryReason
from e2ee.identity.labels import SignatureLabel
from e2ee.profile.call_profile import CallKind, JoinPolicy
from e2ee.sframe.mls import Kind
from e2ee.shipped import PACKAGE, shipped

SPECIFICATION = Specification(shipped("spec"))
PAGE = (shipped("spec") / "registries.md").read_text()
HANGUP = SPECIFICATION.requirements["CALL-20"].text
"""With its table of reasons."""

UNITS = {
    "ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "days": 86_400_000, "KiB": 1 << 10, "MiB": 1 << 20,
}  # fmt: skip
OF_THE_SERVERS_SHELL = {
    "NO_LOGIN_IN_TIME",
    "TOO_MANY_CONNECTIONS",
    "TOO_MANY_OF_THIS_ADDRESS",
    "STORE_FAILED",
}
"""What ``e2ee.server`` says to a device in a close frame, beside the delivery service's reasons."""
OF_A_SERVICE_ALONE = {"Invitation"}
"""The label of what a service makes and takes itself: no other program ever sees what is below it."""
IN_A_TABLE_OR_FORMULA = {"FKEY-7", "IDENT-12", "SIG-2"}
"""Rules whose numbers stand beside them in the chapter."""
NAMES_IN_CAPITALS = {"H264", "SRTP_AES128_CM_HMAC_SHA1_80"}
"""What stands in vectors and is no reason."""
NEVER_SAID = {"WRONG_SERVER_NAME", "IDENTITY_MISSING", "IDENTITY_UNREADABLE"}
"""Why a service does not start."""


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    text = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def in_code(cell: str) -> str:
    return cell.strip().strip("`")


def constant(name: str) -> Any:
    """The value of ``media.limits.HELD_TIME``, of an attribute of it or of an entry of a table."""
    parts = name.split(".")
    module = import_module(".".join(["e2ee", *parts[:2]]))
    depth = 2
    while hasattr(module, "__path__") or not hasattr(module, parts[depth]):
        depth += 1
        module = import_module(".".join(["e2ee", *parts[:depth]]))
    return reduce(_step, parts[depth:], module)


def _step(value: Any, part: str) -> Any:
    return value[Kind[part]] if isinstance(value, Mapping) else getattr(value, part)


def values(cell: str) -> set[float]:
    """What a cell says, as a number; of times both milliseconds and seconds."""
    number, _, unit = cell.replace(",", "").partition(" ")
    if "^" in number:
        base, _, power = number.partition("^")
        return {float(int(base) ** int(power))}
    value = int(number, 0) * UNITS.get(unit, 1)
    return {value, value / 1_000} if unit in ("ms", "s", "min", "h", "days") else {value}


def numbered() -> Iterator[tuple[str, str]]:
    """(value, constant) of every row that names a constant."""
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| ") and re.fullmatch(r"`[a-z_]+(\.\w+)+`", cells[-1].strip()):
            value = cells[0] if cells[0].startswith("0x") else cells[1]
            yield value, in_code(cells[-1])


@pytest.mark.parametrize(("value", "name"), list(numbered()))
def test_a_number_is_the_codes(value: str, name: str) -> None:
    assert constant(name) in values(value)


def test_numbers_are_looked_at() -> None:
    assert len(list(numbered())) > 100


@pytest.mark.parametrize("row", [*rows("Times"), *rows("Limits")], ids=lambda row: in_code(row[-1]))
def test_a_number_stands_in_the_sentence_that_fixes_it(row: list[str]) -> None:
    rules = [SPECIFICATION.requirements[id_] for id_ in mentioned(row[2], SPECIFICATION.prefixes)]
    assert rules
    text = " ".join(rule.text for rule in rules)
    if rules[0].id in IN_A_TABLE_OR_FORMULA:
        text = (SPECIFICATION.folder / f"{rules[0].chapter}.md").read_text()
    assert any(form in text for form in forms(row[1]))


def forms(cell: str) -> Iterator[str]:
    """How a sentence may write it."""
    yield from (cell, cell.replace(",", ""))
    number, _, unit = cell.replace(",", "").partition(" ")
    if unit == "ms":
        yield f"{int(number) / 1_000:g} s"
    elif unit in ("min", "h"):
        yield f"{number} {'minutes' if unit == 'min' else 'hours'}"
    elif cell in ("1 s", "3"):
        yield {"1 s": "a second", "3": "three"}[cell]


def test_every_rule_that_is_named_is_in_force() -> None:
    named = mentioned(PAGE, SPECIFICATION.prefixes)
    assert [id_ for id_ in named if id_ not in SPECIFICATION.requirements] == []


@pytest.mark.parametrize("enumeration", [CallKind, JoinPolicy, Kind])
def test_no_number_of_an_enumeration_lacks(enumeration: Any) -> None:
    names = {
        name.rpartition(".")[2] for _, name in numbered() if f".{enumeration.__name__}." in name
    }
    assert names == set(enumeration.__members__)


def test_every_label_of_the_code_is_listed() -> None:
    called, texts = labels_of_the_code()
    listed = {in_code(row[0]) for row in rows("Labels")}
    assert called - listed == OF_A_SERVICE_ALONE
    assert listed - texts == set()


def test_every_label_of_the_chapters_is_listed() -> None:
    listed = {in_code(row[0]) for row in rows("Labels")}
    for chapter in SPECIFICATION.chapters:
        text = (SPECIFICATION.folder / f"{chapter.name}.md").read_text()
        assert set(re.findall(r'label\("([^"]*)"\)', text)) <= listed


def labels_of_the_code() -> tuple[set[str], set[str]]:
    """What ``label`` is called with and what is signed over; and every text there is, since some calls hand a label on."""
    called, texts = {str(each) for each in SignatureLabel}, set[str]()
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] not in ("testing", "vectorgen", "conformance"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.add(node.value)
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "label":
                    called |= {str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)}
    return called, texts


def test_the_ends_of_a_call_are_those_of_the_code() -> None:
    assert [in_code(row[0]) for row in rows("How a call ends")] == [
        *(str(each) for each in EndReason if f"| `{each}` |" in HANGUP),
        *(str(each) for each in EndReason if f"| `{each}` |" not in HANGUP),
    ]


def test_what_goes_in_hangup_is_what_the_chapter_lists() -> None:
    for end, said, *_ in rows("How a call ends"):
        assert (f"| {end} |" in HANGUP) is (said == "yes")


def test_the_reasons_of_a_service_are_those_of_the_code() -> None:
    listed = [in_code(row[0]) for row in rows("Reasons of a delivery service")]
    assert len(listed) == len(set(listed))
    said = {str(each) for each in DeliveryReason} - NEVER_SAID | OF_THE_SERVERS_SHELL
    assert set(listed) == said


def test_every_word_in_capitals_of_the_vectors_that_is_no_name_is_listed_as_a_reason() -> None:
    listed = {in_code(row[0]) for row in rows("Reasons of vectors")}
    said = set[str]()
    for path in shipped("vectors").glob("*.json"):
        for group in json.loads(path.read_text())["groups"]:
            for case in group["cases"]:
                said |= {case.get("reason", ""), *words(case)}
    assert said - {"", *NAMES_IN_CAPITALS} - listed == set()


def words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from words(each)
    elif isinstance(value, list):
        for each in value:
            yield from words(each)
    elif isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z0-9_]{3,}", value):
        yield value
