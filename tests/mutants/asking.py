"""A case as our adapter answers it, whichever of its modules are imported now: what a fault changes is the answer."""

from __future__ import annotations

import importlib
import resource
import signal

from e2ee.conformance.adapter_protocol import case_line, read_answer
from e2ee.conformance.cases import Case
from e2ee.conformance.verdict import Verdict, judge

__all__ = ["MEMORY", "PATIENCE", "bounded", "verdict_of"]

PATIENCE = 60
"""Seconds of one case: a fault that makes it endless is seen, too."""

MEMORY = 4 << 30
"""Bytes of a process with a fault in it."""


def bounded() -> None:
    """Let this process have no more than ``MEMORY``."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _ended)


def verdict_of(case: Case) -> Verdict:
    """What the adapter's answer is worth; CRASH and HANG are where its process would have ended, or would go on."""
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        importlib.import_module("e2ee.conformance.adapter")  # and with it all operations
        adapter = importlib.import_module("e2ee.conformance.adapter.loop")
        (line,) = adapter.answers([case_line(1, case.group, case.input).encode()])
    except TimeoutError:
        return Verdict.HANG
    except Exception:  # noqa: BLE001 - whatever it is
        return Verdict.CRASH
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return judge(case, read_answer(line, 1), {}).verdict


def _ended(*_: object) -> None:
    raise TimeoutError
