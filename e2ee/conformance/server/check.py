"""A check: a story of some devices and the service, by the requirements that it shows.

    @check("IDENT-14", "DS-1", refused=True)
    async def a_nonce_a_second_time(stage: Stage) -> None:
        \"\"\"A device logs in with the nonce of its last login.\"\"\"

Its name and the module's are its name in reports: ``login/a-nonce-a-second-time``. ``refused`` is whether it shows that
something is refused, or that something is accepted: ``spec/trace.json`` names its checks, and ``e2ee requirements --coverage`` counts
them, by that. ``features`` are what a service may
lack. ``slow`` is one that takes longer than 20 s, or thousands of requests: it runs if it is asked for. ``restarts``: it has the
service's process ended, so it runs if the command for that is given, and nothing else beside it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from e2ee.conformance.cases import Case

if TYPE_CHECKING:
    from e2ee.conformance.server.stage import Stage

__all__ = ["LEVEL", "Check", "Story", "check", "registered"]

LEVEL = "D"

Story = Callable[["Stage"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Check:
    """See the module."""

    case: Case
    story: Story
    slow: bool
    restarts: bool


_registered: dict[str, Check] = {}


def check(
    *requirements: str,
    refused: bool = False,
    features: tuple[str, ...] = (),
    slow: bool = False,
    restarts: bool = False,
) -> Callable[[Story], Story]:
    """Register the function below."""

    def register(story: Story) -> Story:
        case = Case(
            level=LEVEL,
            group=_dashed(story.__module__.rpartition(".")[2]),
            id=_dashed(story.__name__),
            comment=" ".join((story.__doc__ or "").split()),
            requirements=requirements,
            features=features,
            input={},
            intermediate={},
            result="invalid" if refused else "valid",
            output=None if refused else {},
            reason=None,
        )
        _registered[case.name] = Check(case, story, slow, restarts)
        return story

    return register


def registered() -> list[Check]:
    """All checks of the modules that were imported."""
    return [*_registered.values()]


def _dashed(name: str) -> str:
    return name.replace("_", "-")
