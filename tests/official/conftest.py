"""Where third parties' test vectors lie: one fixture, used by every test of this folder."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_SUITES = range(0x0001, 0x0008)
CASES: dict[str, dict[int | None, int]] = {
    "crypto-basics": dict.fromkeys(_SUITES, 1),
    "deserialization": {None: 14},
    "key-schedule": dict.fromkeys(_SUITES, 1),
    "message-protection": dict.fromkeys(_SUITES, 1),
    "messages": {None: 300},
    "passive-client-handling-commit": dict.fromkeys(_SUITES, 13),
    "passive-client-random": {0x0001: 1},
    "passive-client-welcome": dict.fromkeys(_SUITES, 8),
    "psk_secret": dict.fromkeys(_SUITES, 11),
    "secret-tree": dict.fromkeys(_SUITES, 3),
    "transcript-hashes": dict.fromkeys(_SUITES, 1),
    "tree-math": {None: 10},
    "tree-operations": {0x0001: 5},
    "tree-validation": dict.fromkeys(_SUITES, 14),
    "treekem": dict.fromkeys(_SUITES, 11),
    "welcome": dict.fromkeys(_SUITES, 1),
}
"""The files of mls/, and how many cases of which cipher suite each has; None where a case names no suite.

No test drops a case: one of a suite that is not in the table fails.
"""

BESIDE_THE_REPOSITORY = Path(__file__).parents[3] / "shared" / "official-vectors"


@pytest.fixture(scope="session")
def official_vectors() -> Path:
    """The folder with the subfolders ``mls``, ``sframe`` and ``hpke``.

    Taken from E2EE_OFFICIAL_VECTORS, else from beside the repository. Where it is in neither place the tests are
    skipped, except in CI, which must never pass without them.
    """
    named = os.environ.get("E2EE_OFFICIAL_VECTORS")
    folder = Path(named) if named else BESIDE_THE_REPOSITORY
    if folder.is_dir():
        return folder
    missing = f"no official vectors in {folder}; set E2EE_OFFICIAL_VECTORS to their folder"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def mls_cases(official_vectors: Path) -> Callable[[str], list[tuple[int, dict[str, Any]]]]:
    """``mls_cases("welcome")``: all cases of mls/welcome.json, with their numbers, as many as ``CASES`` says."""

    def load(name: str) -> list[tuple[int, dict[str, Any]]]:
        cases = json.loads((official_vectors / "mls" / f"{name}.json").read_text())
        assert Counter(case.get("cipher_suite") for case in cases) == CASES[name]
        return list(enumerate(cases))

    return load
