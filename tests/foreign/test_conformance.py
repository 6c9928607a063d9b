"""Implementations in the conformance kit, over real processes: ours passes all, others fail where they are known to.

Of others a part runs here: in suite 0x0001 the first case of each reason, and of each group one that is valid. All of
it is run by ``make results``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from e2ee.conformance.cases import Case, read_cases
from e2ee.conformance.results import RESERVED, TITLES
from e2ee.shipped import shipped
from tests.foreign import results
from tests.foreign.adapters import ADAPTERS, Report
from tests.foreign.peers import NotInstalled

PASSED = {"PASS", "PASS_OTHER_REASON"}

SLOW = "unmerged-leaf-that-is"
"""These end ts-mls's process after it has filled the memory."""


@pytest.fixture(scope="session")
def own_report() -> Report:
    """The kit's report of this implementation's adapter: every case."""
    return ADAPTERS["ours"].run()


def test_ours_passes_every_case_of_every_level(own_report: Report) -> None:
    assert own_report["counts"].keys() == {"PASS"}
    assert {level["level"]: level["conforms"] for level in own_report["levels"]} == {
        level: True for level in TITLES if level not in RESERVED
    }


def test_the_page_has_the_figures_of_this_implementation(own_report: Report) -> None:
    """If not: ``make results``, or ``python -m tests.foreign.results ours``."""
    assert results.stored()["ours"] == results.summary(own_report)


def test_the_page_is_what_would_be_written() -> None:
    assert results.PAGE.read_text() == results.page(results.stored())


def test_no_implementation_fails_but_as_it_is_known_to() -> None:
    for name, summary in results.stored().items():
        of_levels = {verdict for counts in summary["levels"].values() for verdict in counts}
        assert of_levels <= {*PASSED, "EXPECTED_FAILURE", "UNSUPPORTED"}, name


def one_of_each(cases: list[Case]) -> Iterator[str]:
    """Names of the first case of each reason, and of the first valid one of each group."""
    seen: set[tuple[str, str | None]] = set()
    for case in cases:
        what = ("", case.reason) if case.reason else (case.group, None)
        if what not in seen and SLOW not in case.name:
            seen.add(what)
            yield case.name


@pytest.fixture(scope="session")
def sample() -> list[str]:
    """Options that select it."""
    cases = [
        case
        for case in read_cases(shipped("vectors"))
        if not case.group.startswith("mls-validation/") or case.id.startswith("0x0001/")
    ]
    return [option for name in one_of_each(cases) for option in ("--only", name)]


@pytest.fixture
def run() -> Callable[..., Report]:
    """``run("ts-mls", *options)``: the kit's report. Without cargo, what cargo builds is skipped, in CI too."""

    def run(name: str, *options: str) -> Report:
        try:
            return ADAPTERS[name].run(*options)
        except NotInstalled as missing:
            if os.environ.get("CI") == "true" and name == "ts-mls":
                pytest.fail(str(missing))
            pytest.skip(str(missing))

    return run


def test_ts_mls_fails_where_it_is_known_to(run: Callable[..., Report], sample: list[str]) -> None:
    counts = run("ts-mls", *sample)["counts"]
    assert counts.keys() == {*PASSED, "EXPECTED_FAILURE", "UNSUPPORTED"}


def test_sframe_rs_fails_where_it_is_known_to(run: Callable[..., Report]) -> None:
    counts = run("sframe-rs", "--only", "frame-*")["counts"]
    assert counts.keys() == {*PASSED, "EXPECTED_FAILURE", "UNSUPPORTED"}
