"""Where third parties' test vectors lie: one fixture, used by every test of this folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import CIPHER_SUITES

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
    """``mls_cases("welcome")``: the cases of mls/welcome.json, with their numbers, whose suite is in CIPHER_SUITES."""

    def load(name: str) -> list[tuple[int, dict[str, Any]]]:
        cases = json.loads((official_vectors / "mls" / f"{name}.json").read_text())
        ours = [(n, case) for n, case in enumerate(cases) if case["cipher_suite"] in CIPHER_SUITES]
        assert ours, f"{name}.json has no case of a supported cipher suite"
        return ours

    return load
