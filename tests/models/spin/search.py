"""How Spin is run on the models beside this file, and how a model is held against a table of states.

    spin -a model      a program that searches every order of events (each model says what it models)
    gcc, pan -a        compile and search: ``errors: 0`` is a proof for the model, an error a story in which the claim fails

Spin and gcc are Debian's; without them the tests are skipped, but never in CI.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["MODELS", "Search", "Spin", "source", "steps"]

MODELS = Path(__file__).parent

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Search:
    """What a search found."""

    holds: bool
    states: int
    unreached: tuple[str, ...]
    """Statements of the model that no order of events comes to."""


class Spin:
    """Searches models; each form of a model is compiled once, and searched once for a claim."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._found: dict[tuple[str, ...], Search] = {}

    @classmethod
    def installed(cls, folder: Path) -> Spin:
        """Spin, if this machine has it: else the test is skipped, or fails in CI."""
        if missing := [tool for tool in ("spin", "gcc") if shutil.which(tool) is None]:
            why = f"{' and '.join(missing)} not installed: apt-get install spin gcc"
            if os.environ.get("CI") == "true":
                pytest.fail(why)
            pytest.skip(why)
        return cls(folder)

    def search(self, model: str, claim: str, form: tuple[str, ...]) -> Search:
        """Every order of events of a model, held against one claim."""
        wanted = (model, claim, *form)
        if wanted not in self._found:
            self._found[wanted] = self._search(model, claim, form)
        return self._found[wanted]

    def _search(self, model: str, claim: str, form: tuple[str, ...]) -> Search:
        program = self._program(model, form)
        # a large search takes a minute at most; -m: longest story, -w: logarithm of the hash table's size
        searched = _run([program, "-a", "-m10000", "-w22", "-N", claim], program.parent)
        assert f"ltl formula {claim}" in searched
        errors = re.search(r"errors: (\d+)", searched)
        stored = re.search(r"([\d.e+]+) states, stored", searched)
        assert errors, searched
        assert stored, searched
        holds = errors[1] == "0"
        assert not holds or "Search not completed" not in searched, searched
        assert "max search depth too small" not in searched
        states = int(float(stored[1]))
        _log.info("%s %s %s: holds %s, %d states", model, claim, form, holds, states)
        return Search(holds, states, tuple(_unreached(searched)))

    def _program(self, model: str, form: tuple[str, ...]) -> Path:
        folder = self.folder / "-".join((model, *form))
        program = folder / "pan"
        if not program.exists():
            folder.mkdir()
            defines = [f"-D{name}" for name in form]
            _run(["spin", "-a", *defines, MODELS / f"{model}.pml"], folder)
            _run(["gcc", "-w", "-O1", "-DNOFAIR", "-o", "pan", "pan.c"], folder)
        return program

    def holds(self, model: str, claim: str, form: tuple[str, ...] = ()) -> None:
        """Check that a claim holds in every order of events."""
        assert self.search(model, claim, form).holds

    def fails(self, model: str, claim: str, form: tuple[str, ...], mutant: str) -> None:
        """Check that it does not without the rule that ``mutant`` takes away."""
        assert re.search(rf"\bMUTANT_{mutant}\b", (MODELS / f"{model}.pml").read_text())
        assert not self.search(model, claim, (*form, f"MUTANT_{mutant}")).holds


def _run(command: list[str | Path], folder: Path) -> str:
    done = subprocess.run(  # noqa: S603
        command, cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _unreached(searched: str) -> Iterator[str]:
    """Statements of processes; that claims and processes have no end is meant."""
    for file, line, statement in re.findall(r"^\t(\S+):(\d+), state \d+, \"(.*)\"", searched, re.M):
        if statement != "-end-" and file.endswith(".pml"):
            yield f"{Path(file).name}:{line} {statement}"


# ------------------------------------------------------------------------------------------- a model and its table


def source(model: str) -> str:
    """A model without its comments and continued lines."""
    text = (MODELS / f"{model}.pml").read_text().replace("\\\n", "\n")
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def steps(model: str) -> Iterator[tuple[str, str, str]]:
    """(state, input, next state) of each STEP; a MUTANT_STEP is none."""
    for found in re.finditer(r"(?<!\w)STEP\(", source(model)):
        state, happened, next_state = _arguments(source(model)[found.end() :])
        yield state, happened, next_state


def _arguments(text: str) -> tuple[str, str, str]:
    """Second, third and last of five arguments, each of which may have parentheses."""
    arguments, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            break
        if character == "," and depth == 0:
            arguments.append("")
        else:
            arguments[-1] += character
    _, state, happened, _, next_state = (argument.strip() for argument in arguments)
    return state, happened, next_state
