"""The chapter on conformance: its examples are true, its template works, and the reference implementation conforms."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import e2ee.examples.conformance_adapter as template
from e2ee.conformance.__main__ import main
from e2ee.conformance.adapter_protocol import hello_line, read_answer, read_hello
from e2ee.conformance.cases import OPTIONAL_FEATURES, read_cases, specification_of
from e2ee.conformance.results import TITLES
from e2ee.conformance.verdict import Verdict, judge
from e2ee.shipped import shipped

CHAPTER = (shipped("spec") / "conformance.md").read_text()
CASES = list(read_cases(shipped("vectors")))


def said(mark: str) -> list[str]:
    """Lines of the first example: what the runner (>) or the adapter (<) says."""
    return re.findall(rf"^    {mark} (.+\}})$", CHAPTER.split("**CONF-3**")[0], re.MULTILINE)


def test_the_example_of_a_talk_is_one() -> None:
    hello, first, second = said(">")
    declared, *answers = said("<")
    assert json.loads(hello_line(specification_of(shipped("vectors")))) == json.loads(hello)
    assert read_hello(declared.encode()).groups == ("frame-keys/kid",)
    for number, (asked, answered) in enumerate(zip((first, second), answers, strict=True), 1):
        message = json.loads(asked)
        (case,) = [
            case
            for case in CASES
            if (case.group, case.input) == (message["group"], message["input"])
        ]
        assert judge(case, read_answer(answered.encode(), number), {}).verdict is Verdict.PASS


def test_the_table_of_levels_has_the_chapters_of_the_vectors() -> None:
    rows = re.findall(r"^\| (L\d) \| ([a-z ]+) \| ([a-z, -]+) \|$", CHAPTER, re.MULTILINE)
    assert {level: about for level, about, _ in rows}.items() <= TITLES.items()
    listed = {(level, chapter) for level, _, chapters in rows for chapter in chapters.split(", ")}
    assert {(case.level, case.group.partition("/")[0]) for case in CASES} == listed


def test_every_feature_of_a_case_is_in_the_chapter() -> None:
    features = {feature for case in CASES for feature in case.features}
    assert features <= {*OPTIONAL_FEATURES, *(f"mls-0x000{suite}" for suite in range(1, 8))}
    assert all(f"`{name}`" in CHAPTER for name in OPTIONAL_FEATURES)


def test_every_case_has_a_name_of_its_own() -> None:
    names = {case.name for case in CASES}
    assert len(names) == len(CASES)
    assert not any(set("*?[") & set(name) for name in names)  # so that --only names one case


def test_the_template_passes_what_it_declares_without_installed_packages(
    capfd: pytest.CaptureFixture[str],
) -> None:
    adapter = [sys.executable, "-I", "-S", str(template.__file__)]
    status = main(["--json", "--jobs", "1", "--only", "frame-keys/*", "--", *adapter])
    report = json.loads(capfd.readouterr().out)
    ran = {each["case"].rpartition("/")[0] for each in report["cases"] if each["verdict"] == "PASS"}
    assert status == 0
    assert ran == set(template.GROUPS)
    assert report["counts"].keys() == {"PASS", "UNSUPPORTED"}


def test_the_template_is_as_short_as_the_chapter_says() -> None:
    assert len(Path(str(template.__file__)).read_text().splitlines()) < 100


def test_the_reference_implementation_conforms_at_l1(capfd: pytest.CaptureFixture[str]) -> None:
    """The other levels take longer; tests/vectors runs all cases without a process between."""
    adapter = [sys.executable, "-m", "e2ee.conformance.adapter"]
    status = main(["--json", "--jobs", "1", "--level", "L1", "--", *adapter])
    (level,) = json.loads(capfd.readouterr().out)["levels"]
    assert (status, level["statement"]) == (0, "conforms")


def test_the_template_in_the_chapter_is_the_file() -> None:
    _, _, section = CHAPTER.partition("\n## Template\n")
    block = "".join(
        re.findall(
            r"^(?: {4}.*)?\n", section.split("conformance_adapter.py`.\n\n")[1], re.MULTILINE
        )
    )
    assert dedent(block) == Path(template.__file__).read_text()
