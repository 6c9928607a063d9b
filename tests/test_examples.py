"""The examples, run as their reader would run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import e2ee.examples

EXAMPLES = {
    "first_call": ["Calling", "Connected", "the code to compare:", "Ended"],
    "mls_group": [
        "Carol reads: Whose turn is it? (from leaf 1)",
        "Alice and Bob export the same secret: True",
        "Bob sees that leaf 0 removes [2]",
        "Carol gets: WRONG_EPOCH",
        "Epoch 2: 2 members",
    ],
}
"""What each prints, in this order."""


def test_every_example_is_run() -> None:
    modules = {path.stem for path in Path(e2ee.examples.__path__[0]).glob("[a-z]*.py")}
    assert modules == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_does_what_it_says(name: str) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", f"e2ee.examples.{name}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    places = [done.stdout.find(line) for line in EXAMPLES[name]]
    assert -1 not in places
    assert places == sorted(places)
