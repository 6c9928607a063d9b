"""Each requirement is traced to its vectors, tests and code, and what is missing, unknown or stale is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2ee.conformance.coverage import Coverage
from e2ee.conformance.trace import Trace, Unconfirmed


def codes(checkout: Path) -> list[tuple[str, str]]:
    return [(finding.code, finding.subject) for finding in Trace(checkout).findings("1.0")]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def written(checkout: Path) -> Path:
    """A checkout whose generated files are up to date."""
    Trace(checkout).write("1.0")
    assert codes(checkout) == []
    return checkout


def test_evidence_is_found_where_it_lies(checkout: Path) -> None:
    evidence = Trace(checkout).evidence
    assert {id_: found.entry() for id_, found in evidence.items()} == {
        "DOOR-1": {
            "vectors": ["vectors/doors.json#shut-door"],
            "checks": [],
            "tests": [],
            "code": ["e2ee/doors.py", "e2ee/doors.py::Door.shut", "e2ee/doors.py::Door"],
        },
        "DOOR-2": {"vectors": [], "checks": [], "tests": [], "code": ["e2ee/doors.py"]},
        "DOOR-3": {
            "vectors": [],
            "checks": [],
            "tests": ["tests/test_panes.py::TestDoors.test_keys"],
            "code": ["e2ee/doors.py"],
        },
        "PANE-1": {
            "vectors": [],
            "checks": [],
            "tests": ["tests/test_panes.py::test_panes"],
            "code": ["e2ee/doors.py::Door.shut"],
        },
        "PANE-2": {
            "vectors": [],
            "checks": [],
            "tests": ["tests/test_panes.py::test_panes"],
            "code": [],
        },
        "PANE-3": {"vectors": [], "checks": [], "tests": [], "code": []},
    }


CHECKS = """\
@check("DOOR-1", "DOOR-9", refused=True)
async def a_shut_door(stage): ...

@check("PANE-1")
async def a_pane(stage): ...
"""


def test_what_services_are_asked_is_evidence_too(checkout: Path) -> None:
    """By its decorator, in the folder of the checks; an id that is nobody's is found."""
    folder = checkout / "e2ee" / "conformance" / "server" / "checks"
    folder.mkdir(parents=True)
    (folder / "doors.py").write_text(CHECKS)
    trace = Trace(checkout)
    place = "e2ee/conformance/server/checks/doors.py::"
    assert trace.evidence["DOOR-1"].checks == [f"{place}a_shut_door"]
    assert trace.evidence["PANE-1"].checks == [f"{place}a_pane"]
    assert trace.results[f"{place}a_shut_door"] == "invalid"
    assert trace.results[f"{place}a_pane"] == "valid"
    assert ("UNKNOWN", "DOOR-9") in codes(checkout)
    assert Coverage(trace).counts["DOOR-1"] == {"valid": 1, "invalid": 1}


def test_a_mark_of_a_module_counts(checkout: Path) -> None:
    module = checkout / "tests" / "test_doors.py"
    module.write_text('import pytest\n\npytestmark = [pytest.mark.requirement("DOOR-2")]\n')
    assert Trace(checkout).evidence["DOOR-2"].tests == ["tests/test_doors.py"]


def test_files_that_were_never_written_are_stale(checkout: Path) -> None:
    assert codes(checkout) == [
        ("STALE", "spec/requirements.json"),
        ("STALE", "spec/trace.json"),
    ]


def test_writing_again_changes_no_byte(written: Path) -> None:
    before = {path: path.read_bytes() for path in (written / "spec").iterdir()}
    Trace(written).write("1.0")
    assert {path: path.read_bytes() for path in (written / "spec").iterdir()} == before


def test_a_moved_line_is_not_stale_and_a_renamed_function_is(written: Path) -> None:
    edit(written / "e2ee" / "doors.py", "class Door", "\n\nclass Door")
    assert codes(written) == []
    edit(written / "e2ee" / "doors.py", "class Door", "class Gate")
    assert codes(written) == [("STALE", "spec/trace.json")]


def test_a_must_with_neither_vector_nor_test_is_found(written: Path) -> None:
    edit(written / "tests" / "test_panes.py", '"PANE-1", ', "")
    assert ("UNSHOWN", "PANE-1") in codes(written)


def test_code_alone_shows_nothing(written: Path) -> None:
    (written / "vectors" / "doors.json").unlink()
    assert Trace(written).evidence["DOOR-1"].code
    assert ("UNSHOWN", "DOOR-1") in codes(written)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("tests/test_panes.py", '"PANE-2"', '"PANE-77"'),
        ("e2ee/doors.py", "# DOOR-1", "# PANE-77"),
        ("vectors/doors.json", '"DOOR-1"', '"DOOR-1", "PANE-77"'),
        ("spec/doors.md", "See DOOR-1", "See PANE-77"),
    ],
)
def test_an_unknown_id_is_found_wherever_it_is_named(
    written: Path, file: str, old: str, new: str
) -> None:
    edit(written / file, old, new)
    assert ("UNKNOWN", "PANE-77") in codes(written)


def test_a_section_of_an_rfc_is_no_requirement_of_ours(written: Path) -> None:
    edit(written / "vectors" / "doors.json", '"DOOR-1"', '"DOOR-1", "RFC9420-12.4.3.1"')
    assert codes(written) == []
    edit(written / "vectors" / "doors.json", '"RFC9420-12.4.3.1"', '"RFC-7"')
    assert codes(written) == [("UNKNOWN", "RFC-7")]


def test_vectors_in_a_folder_count(written: Path) -> None:
    folder = written / "vectors" / "doors"
    folder.mkdir()
    (written / "vectors" / "doors.json").rename(folder / "doors.json")
    assert Trace(written).evidence["DOOR-1"].vectors == ["vectors/doors/doors.json#shut-door"]


def test_a_withdrawn_id_is_shown_by_nothing(written: Path) -> None:
    edit(written / "tests" / "test_panes.py", '"PANE-2"', '"PANE-3"')
    assert ("UNKNOWN", "PANE-3") in codes(written)


def test_an_id_that_vanished_is_found(written: Path) -> None:
    edit(written / "spec" / "window-panes.md", "**PANE-2** A pane MAY be clean.", "")
    assert ("VANISHED", "PANE-2") in codes(written)


def test_a_changed_sentence_with_vectors_waits_for_confirmation(written: Path) -> None:
    edit(written / "spec" / "doors.md", "be\nshut", "be locked")
    assert ("UNCONFIRMED", "DOOR-1") in codes(written)
    before = (written / "spec" / "requirements.json").read_text()
    with pytest.raises(Unconfirmed) as waiting:
        Trace(written).write("1.0")
    assert waiting.value.ids == ["DOOR-1"]
    assert (written / "spec" / "requirements.json").read_text() == before
    Trace(written).write("1.0", confirmed=["DOOR-1"])
    assert codes(written) == []


def test_a_changed_sentence_without_vectors_is_only_stale(written: Path) -> None:
    edit(written / "spec" / "window-panes.md", "MUST NOT be broken", "MUST NOT break")
    assert codes(written) == [("STALE", "spec/requirements.json")]
    Trace(written).write("1.0")
    assert codes(written) == []


def test_the_trace_is_json(written: Path) -> None:
    trace = json.loads((written / "spec" / "trace.json").read_text())
    assert trace["requirements"]["DOOR-1"]["vectors"] == ["vectors/doors.json#shut-door"]
