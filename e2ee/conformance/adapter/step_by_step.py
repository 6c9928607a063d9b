"""Cases of several steps: what each makes a device send and tell. A refused one is refused at its last step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from e2ee.conformance.adapter.judging import Differs
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, Refused
from e2ee.errors import E2EEError

__all__ = ["Outcome", "step_by_step"]

Outcome = dict[str, Any]


def step_by_step(steps: Sequence[Given], act: Callable[[Given], Outcome]) -> Answer:
    """What ``act`` makes of the steps. Raises Differs if one before the last is refused."""
    outcomes: list[Outcome] = []
    for place, step in enumerate(steps):
        try:
            outcomes.append(act(step))
        except E2EEError as error:
            if place + 1 < len(steps):
                raise Differs(f"step {place} is refused: {error.reason.value}") from error
            return Refused(error.reason.value, {"steps": outcomes})
    return Accepted({"steps": outcomes})
