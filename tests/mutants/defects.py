"""Faults that other systems had."""

from __future__ import annotations

from collections.abc import Iterator

from tests.mutants.checks import Mutant

__all__ = ["defects"]


def defects() -> Iterator[Mutant]:
    """Each."""
    yield from ()
