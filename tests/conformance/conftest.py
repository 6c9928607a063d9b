"""A checkout in miniature: two chapters, one file of vectors, one test module, one module of code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

README = """\
| chapter | ids | what it fixes |
|---|---|---|
| [Doors](doors.md) | `DOOR` | who may pass |
| [Window panes](window-panes.md) | `PANE` | what is seen |
"""

DOORS = """\
# Doors

**This** paragraph binds nobody, whatever it MUST say.

**DOOR-1** A door MUST be
shut.

**DOOR-2** A door SHOULD be painted:

| wood | colour |
|---|---|
| oak | none |

## Keys

**DOOR-3** What a key is. See DOOR-1 and [PANE-1].

[PANE-1]: window-panes.md
"""

PANES = """\
# Window panes

**PANE-1** A pane MUST NOT be broken.

**PANE-2** A pane MAY be clean.

**PANE-3** Withdrawn in 1.1: panes were square.
"""

TESTS = """\
import pytest


@pytest.mark.requirement("PANE-1", "PANE-2")
@pytest.mark.parametrize("pane", [1, 2])
def test_panes(pane): ...


class TestDoors:
    @pytest.mark.requirement("DOOR-3")
    async def test_keys(self): ...
"""

CODE = '''\
"""Doors (DOOR-3)."""

SHUT = True  # DOOR-1
"""DOOR-2, below a constant."""


class Door:
    """What DOOR-1 is about."""

    def shut(self):
        """Shut it."""
        text = "DOOR-3"  # PANE-1 and DOOR-1, DOOR-1 again
'''


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Its root. Nothing generated is in it yet."""
    vectors = {"groups": [{"cases": [{"id": "shut-door", "requirements": ["DOOR-1"]}]}]}
    for name, content in {
        "spec/README.md": README,
        "spec/doors.md": DOORS,
        "spec/window-panes.md": PANES,
        "vectors/doors.json": json.dumps(vectors),
        "tests/test_panes.py": TESTS,
        "e2ee/doors.py": CODE,
        "e2ee/vectorgen/doors.py": "# DOOR-2\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path
