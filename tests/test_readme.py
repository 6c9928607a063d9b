"""The README's promises: its code is the examples' code, its links lead somewhere, its commands exist."""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
EXAMPLES = "\n".join(path.read_text() for path in (ROOT / "e2ee" / "examples").glob("*.py"))

LINKS = sorted(set(re.findall(r"\]\(([^)#:]+)\)", README)))
MAKE_TARGETS = sorted(set(re.findall(r"\bmake ([\w-]+)", README)))
COMMANDS = sorted(set(re.findall(r"\.venv/bin/e2ee ((?:conformance )?[\w-]+)", README)))


def test_its_code_is_code_that_is_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        assert textwrap.indent(block, "    ") in EXAMPLES


@pytest.mark.parametrize("link", LINKS)
def test_its_links_lead_to_files(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("target", MAKE_TARGETS)
def test_its_make_targets_exist(target: str) -> None:
    assert f"\n{target}:" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_exist(command: str) -> None:
    entry = [sys.executable, "-c", "from e2ee.cli.main import main; main()"]
    asked = [*entry, *command.split(), "--help"]
    assert subprocess.run(asked, capture_output=True, timeout=60, check=False).returncode == 0  # noqa: S603


def test_the_options_that_it_names_are_those_of_the_commands_that_it_names() -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", README)) - {"--help"}
    entry = [sys.executable, "-c", "from e2ee.cli.main import main; main()"]
    shown = ""
    for command in COMMANDS:
        shown += subprocess.run(  # noqa: S603
            [*entry, *command.split(), "--help"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env={"COLUMNS": "200", "NO_COLOR": "1"},
        ).stdout
    assert named
    assert {option for option in named if option not in shown} == set()


def test_a_fault_in_an_adapter_is_shown_as_it_says(tmp_path: Path) -> None:
    section = README.split("## Your own client")[1].split("\n## ")[0]
    block = re.search(r"```console\n(.*?)```", section, re.DOTALL)
    assert block is not None
    command, *shown = block[1].replace("/home/you", str(tmp_path)).splitlines()
    template = (ROOT / "e2ee" / "examples" / "conformance_adapter.py").read_text()
    adapter = tmp_path / "my-adapter"
    adapter.write_text(f"#!{sys.executable}\n{template.replace('% 16', '% 8')}")
    adapter.chmod(0o700)
    ran = done(shlex.split(command.removeprefix("$ .venv/bin/")), tmp_path)
    assert ran.returncode == 1
    assert [line for line in shown if line not in ran.stdout.splitlines()] == []


def test_its_transcript_runs(tmp_path: Path) -> None:
    """The commands of "Between your own machines", as they stand there; on a free port, and over loopback."""
    section = README.split("## Between your own machines")[1].split("\n## ")[0]
    commands = re.findall(r"^\$ \.venv/bin/(e2ee .*)$", section, re.MULTILINE)
    serve, alice, bob, answer, call, verify, meet, join = map(shlex.split, commands)
    with started([*serve, "--port", "0", "--store", "calls.db"], tmp_path) as (_, service):
        given = shlex.split(until(service, "e2ee register NAME").split("NAME")[1])
        for command in (alice, bob):
            assert done([*command[:5], *given], tmp_path).returncode == 0
        loopback = ["--address", "127.0.0.1"]
        with started([*answer, "--auto", "--once", *loopback], tmp_path) as (_, bobs):
            until(bobs, "waits for calls")
            with started([*call, *loopback], tmp_path) as (caller, alices):
                until(alices, "connected")
                assert caller.stdin is not None
                caller.stdin.write("/quit\n")
                caller.stdin.flush()
                until(alices, "frames: ")
        shown = done(verify, tmp_path)
        assert shown.returncode == 0
        assert "safety number with" in shown.stdout
        with started([*meet, *loopback], tmp_path) as (_, alices):
            link = shlex.split(until(alices, "e2ee join"))[2]
            with started([*join[:2], link, *join[3:], *loopback], tmp_path) as (_, bobs):
                until(bobs, "in the call: ")
                until(alices, "came in")
                until(bobs, "heard now: \N{FIRST STRONG ISOLATE}alice")


def _entry(command: list[str]) -> list[str]:
    return [sys.executable, "-c", "from e2ee.cli.main import main; main()", *command[1:]]


def done(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """What a command that ends by itself says."""
    return subprocess.run(  # noqa: S603
        _entry(command), cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


@contextlib.contextmanager
def started(
    command: list[str], folder: Path
) -> Iterator[tuple[subprocess.Popen[str], Iterator[str]]]:
    """A command that runs while the context lasts, and the lines that it prints."""
    process = subprocess.Popen(  # noqa: S603
        _entry(command),
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            yield process, iter(process.stdout)
        finally:
            process.terminate()


def until(lines: Iterator[str], expected: str) -> str:
    """The next line that holds ``expected``."""
    seen = []
    for line in lines:
        seen.append(line)
        if expected in line:
            return line
    raise AssertionError("".join(seen))
