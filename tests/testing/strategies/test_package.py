"""The package itself: what it exports is documented, and who lacks Hypothesis is told what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest

from e2ee.testing import strategies

WITHOUT = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "hypothesis":
            raise ModuleNotFoundError("No module named 'hypothesis'", name="hypothesis")
sys.meta_path.insert(0, Nothing())
import e2ee.testing.hostile.run
try:
    import e2ee.testing.strategies
except ImportError as missing:
    print(missing)
"""


@pytest.mark.parametrize("name", strategies.__all__)
def test_what_is_exported_is_documented(name: str) -> None:
    assert getattr(strategies, name).__doc__


def test_without_hypothesis_it_says_what_to_install() -> None:
    """And the attacks, which are shipped to be run, need none."""
    command = [sys.executable, "-c", WITHOUT]
    said = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert "pip install 'e2ee-calling[testing]'" in said.stdout
