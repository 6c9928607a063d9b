"""Attacks are played once, with all debug logging on, for all who look at what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pytest

from e2ee.testing.hostile.catalogue import catalogue
from e2ee.testing.hostile.run import run
from e2ee.testing.hostile.trial import Verdict
from tests.hostile.debug_log import everything_said
from tests.hostile.secrets_made import SecretsMade


@dataclass(frozen=True)
class Played:
    """An attack that was played: what came of it, how many secrets it made, and where they were said."""

    verdict: Verdict
    secrets: int
    leaks: list[str]


@cache
def play(name: str) -> Played:
    """Play an attack, with its defence."""
    made = SecretsMade()
    with everything_said() as said, made.recording():
        verdict = run(catalogue()[name])
    shown = "\n".join([said.getvalue(), *verdict.log, *verdict.outcomes, repr(verdict)])
    return Played(verdict, len(made), made.leaked_in(shown))


@pytest.fixture(scope="session")
def played() -> Callable[[str], Played]:
    """Gives what came of an attack by its id."""
    return play
