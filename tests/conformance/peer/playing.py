"""One scenario with a driver: the peer as its user meets it, arguments in, JSON out."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Sequence

from e2ee.conformance.peer.command import main
from e2ee.conformance.verdict import Verdict
from tests.conformance.peer.faulty_driver import FAULTS

__all__ = ["OWN", "played", "verdict_of"]

OWN = [sys.executable, "-m", "e2ee.conformance.peer.driver"]
FAULTY = [sys.executable, "-m", "tests.conformance.peer.faulty_driver"]


def played(*options: str, driver: Sequence[str] = OWN) -> tuple[int, str]:
    """The exit status, and what was written."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = main([*options, "--", *driver])
    return status, out.getvalue()


def verdict_of(scenario: str, fault: str) -> tuple[str, str]:
    """Of one scenario with a faulty client: the verdict, and why."""
    seconds = "12" if FAULTS[fault].verdict is Verdict.HANG else "60"
    _, report = played("--only", scenario, "--timeout", seconds, "--json", driver=[*FAULTY, fault])
    (case,) = json.loads(report)["cases"]
    return case["verdict"], case.get("why", "")
