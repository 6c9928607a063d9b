"""The specification and its vectors are found in a checkout, and in what is built from it."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from e2ee.shipped import checkout, shipped


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which our wheel, and nothing else, is unpacked."""
    root, folder = checkout(), tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)  # noqa: S603 - our own tree
    (wheel,) = folder.glob("e2ee_calling-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def python(installed: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Run ``program`` where ``e2ee`` is the installed one; -I keeps the checkout out of the path."""
    program = f"import sys; sys.path.insert(0, {str(installed)!r}); {program}"
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False
    )


def test_a_checkout_has_them_beside_the_package() -> None:
    root = checkout()
    assert root is not None
    assert shipped("spec") == root / "spec"
    assert shipped("vectors") == root / "vectors"


def test_a_wheel_has_them_inside(installed: Path) -> None:
    inside = installed / "e2ee" / "_shipped"
    for folder in ("spec", "vectors"):
        kept = {path.name for path in shipped(folder).iterdir()}
        assert {path.name for path in (inside / folder).iterdir()} == kept
        assert "LICENSE" in kept


def test_a_wheel_says_its_licences(installed: Path) -> None:
    (metadata,) = installed.glob("e2ee_calling-*.dist-info")
    text = (metadata / "METADATA").read_text()
    assert "License-Expression: Apache-2.0 AND CC-BY-4.0 AND CC0-1.0" in text
    licences = {path.relative_to(metadata).as_posix() for path in metadata.rglob("LICENSE")}
    assert licences == {
        "licenses/LICENSE",
        "licenses/spec/LICENSE",
        "licenses/vectors/LICENSE",
    }


def test_one_function_finds_them_there_too(installed: Path) -> None:
    program = (
        'import e2ee.shipped as s; print(s.checkout(), s.shipped("spec"), s.shipped("vectors"))'
    )
    found = python(installed, program).stdout.split()
    inside = installed / "e2ee" / "_shipped"
    assert found == ["None", str(inside / "spec"), str(inside / "vectors")]


def test_the_requirements_are_checked_without_a_checkout(installed: Path) -> None:
    """What is found there is found in the checkout, too: all but the tests themselves is shipped."""
    program = (
        "from typer.testing import CliRunner; from e2ee.cli.commands import application;"
        " words = ['requirements', '--check', '--json'];"
        " print(CliRunner().invoke(application(words), words).stdout)"
    )
    here = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=checkout()
    )
    there = python(installed, program)
    assert there.returncode == 0, there.stderr
    findings = {tuple(row.values()) for row in json.loads(there.stdout)["findings"]}
    known = {tuple(row.values()) for row in json.loads(here.stdout)["findings"]}
    assert {row for row in findings if row[0] != "UNSHOWN"} <= known
    traced = json.loads((shipped("spec") / "trace.json").read_text())["requirements"]
    unshown = {subject for code, subject, _ in findings if code == "UNSHOWN"}
    assert not any(traced[id_]["tests"] for id_ in unshown if id_ in traced)


def test_a_vector_that_is_lacking_there_is_found(installed: Path) -> None:
    vectors = installed / "e2ee" / "_shipped" / "vectors" / "chat.json"
    vectors.rename(vectors.with_suffix(".away"))
    program = (
        "import sys, e2ee.cli.main as m; sys.argv = ['e2ee', 'requirements', '--check']; m.main()"
    )
    try:
        checked = python(installed, program)
    finally:
        vectors.with_suffix(".away").rename(vectors)
    assert checked.returncode == 1
    assert "STALE        spec/trace.json" in checked.stdout


def test_the_specification_is_a_page_without_a_checkout(installed: Path) -> None:
    program = "import sys, e2ee.cli.main as m; sys.argv = ['e2ee', 'spec', sys.argv[1]]; m.main()"
    page = installed / "spec.html"
    written = python(installed, program.replace("sys.argv[1]", repr(str(page))))
    assert written.returncode == 0, written.stderr
    html = page.read_text()
    assert 'href="e2ee/_shipped/vectors/frame-format.json"' in html
    assert 'href="e2ee/media/opener.py"' in html
    assert 'href="tests/' not in html  # they are not shipped, and named all the same
    assert "tests/media/test_opener.py" in html


def test_a_package_over_which_another_was_removed_says_so_in_one_line(installed: Path) -> None:
    (installed / "e2ee" / "errors.py").rename(installed / "errors.py")
    try:
        failed = python(installed, "import e2ee")
    finally:
        (installed / "errors.py").rename(installed / "e2ee" / "errors.py")
    assert failed.returncode == 1
    assert "lacks errors of e2ee-calling" in failed.stderr.splitlines()[-1]


def test_the_command_line_refuses_to_run_over_a_strangers_package(installed: Path) -> None:
    ours = (installed / "e2ee" / "__init__.py").read_text()
    (installed / "e2ee" / "__init__.py").write_text('"""Another project of this name."""\n')
    try:
        failed = python(installed, "import e2ee.cli.main as m; m.main()")
    finally:
        (installed / "e2ee" / "__init__.py").write_text(ours)
    assert failed.returncode == 2
    (line,) = failed.stderr.splitlines()
    assert "is not e2ee-calling" in line
