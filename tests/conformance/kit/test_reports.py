"""What a run leaves: a page, XML, JSON and a picture, whatever the adapter says."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conformance.kit.conftest import Run

NESTED = {"meta", "br"}
"""Elements without an end."""


class Page(HTMLParser):
    """Elements, texts and attributes; fails on an end that does not fit."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.open, self.tags, self.text = list[str](), set[str](), ""
        self.attributes = set[tuple[str, str]]()
        self.feed(page.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}
        if tag not in NESTED:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "report.html"


def test_the_page_says_what_went_wrong_and_needs_no_script(run: Run, page: Path) -> None:
    run("--html", str(page), adapter=("another-byte",))
    found = Page(page)
    assert "script" not in found.tags
    assert {name for name, _ in found.attributes} & {"src", "onload", "onclick"} == set()
    assert all(value.startswith("#") for name, value in found.attributes if name == "href")
    for said in (
        "hostile 1: conformance",
        "FAIL",
        "answered  050403[ee]01",
        "again: python -m",
        "L2 keys",
    ):
        assert said in found.text


@pytest.mark.parametrize("adapter", ["hello-with-controls", "crashes", "cannot", "prints-debris"])
def test_what_an_adapter_says_cannot_become_markup(run: Run, tmp_path: Path, adapter: str) -> None:
    names = {name: tmp_path / name for name in ("html", "junit", "badge", "json-report")}
    ran = run(
        *(word for name in names for word in (f"--{name}", str(names[name]))), adapter=(adapter,)
    )
    assert "script" not in Page(names["html"]).tags
    for name in ("junit", "badge"):
        tree = ElementTree.fromstring(names[name].read_text(encoding="utf-8"))  # noqa: S314
        assert all(not element.tag.endswith("script") for element in tree.iter())
    for text in (ran.out, ran.err, *(path.read_text(encoding="utf-8") for path in names.values())):
        assert not {"\x1b", "\u202e"} & set(text)


def test_what_a_file_of_expected_failures_says_does_not_break_junit(
    run: Run, tmp_path: Path
) -> None:
    known, junit = tmp_path / "known.toml", tmp_path / "junit.xml"
    known.write_text(r'"frames/opening/opened" = "not yet\u0000\u001b"')
    run("--expect", str(known), "--junit", str(junit), adapter=("another-byte",))
    root = ElementTree.fromstring(junit.read_text())  # noqa: S314
    (skipped,) = root.iterfind(".//testcase[@name='opened']/skipped")
    assert skipped.attrib["message"] == r"EXPECTED_FAILURE: not yet\x00\x1b"


def test_junit_counts_what_it_holds(run: Run, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    run("--junit", str(junit), adapter=("leaks-by-the-way",))
    root = ElementTree.fromstring(junit.read_text())  # noqa: S314
    assert {suite.get("name"): suite.get("tests") for suite in root} == {
        "frames/opening": "3",
        "keys/suite": "1",
        "mls-validation/process": "3",
    }
    for suite in root:
        for kind, attribute in [
            ("failure", "failures"),
            ("error", "errors"),
            ("skipped", "skipped"),
        ]:
            assert int(suite.get(attribute, "")) == len(suite.findall(f"testcase/{kind}"))
    (failure,) = [
        case.find("failure") for case in root.iter("testcase") if case.get("name") == "bad-tag"
    ]
    assert failure is not None
    assert (
        failure.get("message") == "LEAK: must be refused (NOT_AUTHENTIC), and 3 bytes were released"
    )
    assert "again: python -m e2ee.conformance run --only frames/opening/bad-tag" in (
        failure.text or ""
    )


def test_a_crash_is_an_error_and_what_is_not_supported_is_skipped(run: Run, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    run("--junit", str(junit), "--only", "frames/*", adapter=("crashes",))
    (suite,) = ElementTree.fromstring(junit.read_text())  # noqa: S314
    assert (suite.get("errors"), suite.get("skipped"), suite.get("failures")) == ("2", "1", "0")


def test_requirements_are_shown_failed_or_not_exercised(run: Run) -> None:
    found = run("--json", adapter=("another-byte",)).report["requirements"]
    assert {id_: each["state"] for id_, each in found.items()} == {
        "DOOR-1": "failed",
        "DOOR-2": "shown",
        "DOOR-3": "not exercised",
        "DOOR-10": "shown",
        "RFC9420-6": "shown",
        "RFC9420-6.2": "shown",
    }
    assert list(found)[:4] == ["DOOR-1", "DOOR-2", "DOOR-3", "DOOR-10"]  # by number
    assert found["DOOR-1"]["failed"] == ["frames/opening/opened"]
    text = run("--all", adapter=("another-byte",)).out
    assert "requirements: 4 shown, 1 failed, 1 not exercised\n" in text
    assert "  failed: DOOR-1\n" in text
    assert "  not exercised: DOOR-3\n" in text


def test_what_a_requirement_says_is_shown_where_it_is_known(
    run: Run, vectors: Path, page: Path
) -> None:
    index = vectors.parent / "spec" / "requirements.json"
    index.parent.mkdir()
    index.write_text(
        json.dumps({"requirements": [{"id": "DOOR-1", "text": "A <door> MUST be shut."}]})
    )
    ran = run("--html", str(page), adapter=("another-byte",))
    assert "  DOOR-1: A <door> MUST be shut.\n" in ran.out
    assert "DOOR-1: A <door> MUST be shut." in Page(page).text
    assert ("title", "A <door> MUST be shut.") in Page(page).attributes


def test_the_json_of_a_failure_has_both_values_whole(run: Run) -> None:
    report = run("--json", adapter=("another-byte",)).report
    (failed,) = [each for each in report["cases"] if each["verdict"] == "FAIL"]
    assert failed["difference"] == {
        "path": "output.frame",
        "expected": "0504030201",
        "answered": "050403ee01",
    }
    assert report["adapter"]["name"] == "hostile"
    assert report["counts"] == {"FAIL": 1, "UNSUPPORTED": 1, "PASS": 5}


def test_the_same_report_goes_to_a_file(run: Run, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    ran = run("--json-report", str(report), "--json")
    assert json.loads(report.read_text()) == ran.report


@pytest.mark.parametrize(
    ("adapter", "said"), [("honest", "L1 L2"), ("hello-of-a-part", "L1"), ("accepts", "no level")]
)
def test_the_badge_names_the_levels_that_conform(
    run: Run, tmp_path: Path, adapter: str, said: str
) -> None:
    badge = tmp_path / "badge.svg"
    run("--badge", str(badge), adapter=(adapter,))
    picture = ElementTree.fromstring(badge.read_text())  # noqa: S314
    texts = [each.text for each in picture if each.tag.endswith("text")]
    assert texts == ["E2EE calling 1.0", said]


def test_nothing_but_the_report_is_written_to_a_pipe(run: Run) -> None:
    assert run().err == ""
