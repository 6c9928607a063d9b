"""No file of the official MLS vectors is forgotten."""

from __future__ import annotations

from pathlib import Path

from e2ee.crypto.cipher_suite import CIPHER_SUITES
from tests.official.conftest import CASES


def test_every_file_is_known(official_vectors: Path) -> None:
    assert {file.stem for file in (official_vectors / "mls").glob("*.json")} == set(CASES)


def test_every_file_is_run() -> None:
    """Its name stands in a test, which gets all of its cases (see ``mls_cases``)."""
    tests = [file for file in Path(__file__).parent.glob("test_mls_*.py") if file != Path(__file__)]
    sources = "".join(file.read_text() for file in tests)
    assert [name for name in CASES if f'"{name}"' not in sources] == []


def test_every_suite_of_rfc_9420_is_in_the_vectors_and_in_the_table() -> None:
    suites = {suite for counts in CASES.values() for suite in counts if suite is not None}
    assert suites == set(range(0x0001, 0x0008))
    assert suites <= set(CIPHER_SUITES)
