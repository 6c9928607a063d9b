"""All checks of a run: some at a time, each with a verdict, whatever the service does."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from e2ee.conformance.expectations import Expectations
from e2ee.conformance.runner import Outcome
from e2ee.conformance.server.check import Check
from e2ee.conformance.server.faults import Fault, Unsupported
from e2ee.conformance.server.stage import Service, Stage
from e2ee.conformance.shown import shown
from e2ee.conformance.verdict import Judgement, Verdict
from e2ee.errors import RemoteProtocolError

__all__ = ["run"]

LONGEST = 300.0
"""Seconds that a check may take."""


async def run(
    service: Service,
    checks: Sequence[Check],
    expectations: Expectations,
    jobs: int,
    known: Callable[[Outcome], None],
) -> None:
    """Run them; ``known`` is told of each as it comes. Those that restart the service come last, one by one."""
    numbered = [*enumerate(checks, 1)]
    places = asyncio.Semaphore(jobs)

    async def one(number: int, check: Check) -> None:
        async with places:
            known(await _outcome(service, number, check, expectations))

    async with asyncio.TaskGroup() as tasks:
        for number, check in numbered:
            if not check.restarts:
                tasks.create_task(one(number, check))
    for number, check in numbered:
        if check.restarts:
            await one(number, check)


async def _outcome(
    service: Service, number: int, check: Check, expectations: Expectations
) -> Outcome:
    began = time.monotonic()
    judgement = await _judgement(service, check)
    took = time.monotonic() - began
    judgement, expected = expectations.applied(check.case, judgement)
    return Outcome(number, check.case, judgement, took, expected=expected)


async def _judgement(service: Service, check: Check) -> Judgement:
    """It raises a RemoteProtocolError here when what the service sent is wrong: it did not open, or did not verify."""
    try:
        async with asyncio.timeout(LONGEST), Stage(service) as stage:
            await check.story(stage)
    except Fault as fault:
        return fault.judgement()
    except Unsupported as lacking:
        return Judgement(Verdict.UNSUPPORTED, shown(str(lacking)))
    except RemoteProtocolError as error:
        return Judgement(Verdict.FAIL, shown(f"what it sent is not right: {error}"))
    except TimeoutError:
        return Judgement(Verdict.HANG, f"not over after {LONGEST:g} s")
    except Exception as error:  # noqa: BLE001 - whatever a service brings about, the others go on
        return Judgement(Verdict.CRASH, "the check itself broke", hints=_where(error))
    if stage.other_reasons:
        others = "; ".join(dict.fromkeys(stage.other_reasons))
        return Judgement(Verdict.PASS_OTHER_REASON, shown(f"refused with {others}"))
    return Judgement(Verdict.PASS)


def _where(error: Exception) -> tuple[str, str]:
    """What was raised, and where."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    raised = traceback.format_exception_only(error)[-1].strip()
    return shown(raised), f"in {frame.name}, {Path(frame.filename).name}, line {frame.lineno}"
