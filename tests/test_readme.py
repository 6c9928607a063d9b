"""The README's promises: its code is the examples' code, its links lead somewhere, its commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
EXAMPLES = "\n".join(path.read_text() for path in (ROOT / "e2ee" / "examples").glob("*.py"))

LINKS = sorted(set(re.findall(r"\]\(([^)#:]+)\)", README)))
MAKE_TARGETS = sorted(set(re.findall(r"\bmake ([\w-]+)", README)))
COMMANDS = sorted(set(re.findall(r"`\.venv/bin/e2ee ([\w-]+)", README)))


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
    done = subprocess.run([*entry, command, "--help"], capture_output=True, timeout=60, check=False)  # noqa: S603
    assert done.returncode == 0


def test_the_options_that_it_names_are_the_demo_s() -> None:
    entry = [sys.executable, "-c", "from e2ee.cli.main import main; main()"]
    shown = subprocess.run(  # noqa: S603
        [*entry, "demo", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"COLUMNS": "200", "NO_COLOR": "1"},
    ).stdout
    named = set(re.findall(r"(?<![\w-])--[a-z]+", README)) - {"--help"}
    assert named
    assert {option for option in named if option not in shown} == set()


def test_its_picture_loads_nothing_from_elsewhere() -> None:
    picture = (ROOT / "spec" / "pictures" / "demo.svg").read_text()
    assert "passed" in picture
    assert "@font-face" not in picture
    assert not re.search(r"url\((?!#)|href=|<image", picture)
