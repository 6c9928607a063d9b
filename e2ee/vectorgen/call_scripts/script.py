"""A script: what happens to a device, step by step, and what must come of it.

    script = Script(case, "phone")
    script.receive(0, invited, told=[rings("alice")], sent=["ringing"], calls=["ringing"])
    script.wait(60_000, ...)
    script.do(61_000, "answer", ...)
    script.done()                            every step came out as it says
    script.refuses(61_000, message)          or: the last one must be refused, silently, for the case's reason

In ``sent``, `alive` is of the newest epoch that was told, and `hangup` gives the reason with which the call ends here, unless a
step says otherwise. ``calls`` and ``media`` are what they were at the step before unless a step says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from e2ee.signalling.messages import FromService
from e2ee.signalling.wire import encode
from e2ee.vectorgen.registry import Case

__all__ = ["Script", "received"]


def received(at: int, message: FromService | bytes) -> dict[str, Any]:
    """A step: a message of the delivery service comes."""
    data = message if isinstance(message, bytes) else encode(message)
    return {"at": at, "receive": data}


class Script:
    """See the module. ``state`` names one of the file's states."""

    def __init__(
        self,
        case: Case,
        state: str,
        *,
        calls: Sequence[str] = (),
        media: bool = False,
        settings: Mapping[str, Any] | None = None,
        contacts: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._case = case
        self._calls, self._media = list(calls), media
        self._steps: list[dict[str, Any]] = []
        self._came: list[dict[str, Any]] = []
        self._reasons: list[str | None] = []
        self._said: dict[str, str] = {}
        self._note([{"event": "epoch", "epoch": 5 if "in-call" in self._calls else 2}])
        case.input |= {
            "state": state,
            "settings": dict(settings or {}),
            "contacts": [dict(contact) for contact in contacts],
            "steps": self._steps,
        }

    def receive(self, at: int, message: FromService | bytes, **expected: Any) -> None:
        """A message of the delivery service comes."""
        self._step(received(at, message), **expected)

    def wait(self, at: int, **expected: Any) -> None:
        """Time passes until ``at``."""
        self._step({"at": at}, **expected)

    def do(
        self, at: int, what: str, *, values: Mapping[str, Any] | None = None, **expected: Any
    ) -> None:
        """A person, or the application, does something."""
        self._step({"at": at, "do": what, **(values or {})}, **expected)

    def own_commit(self, at: int, *, of: int = 0, **expected: Any) -> None:
        """The device's ``of``-th commit of the script, counted from 0, is in the log, and comes back to it."""
        self._step({"at": at, "own_commit": of}, **expected)

    def _step(
        self,
        step: dict[str, Any],
        *,
        told: Sequence[Mapping[str, Any]] = (),
        sent: Sequence[str] = (),
        refused: StrEnum | str | None = None,
        calls: Sequence[str] | None = None,
        media: bool | None = None,
    ) -> None:
        self._calls = self._calls if calls is None else list(calls)
        self._note(told)
        self._media = self._media if media is None else media
        self._steps.append(step)
        self._reasons.append(None if refused is None else str(refused))
        self._came.append(
            {
                "refused": refused is not None,
                "told": sorted(told, key=lambda each: each["event"]),
                "sent": sorted({self._said.get(each, each) for each in sent}),
                "calls": sorted(self._calls),
                "media": self._media,
            }
        )

    def _note(self, told: Sequence[Mapping[str, Any]]) -> None:
        """What `alive` and `hangup` say when what is told here has happened."""
        for each in told:
            if each["event"] == "epoch":
                self._said["alive"] = f"alive {each['epoch']}"
            elif each["event"] == "ended":
                self._said["hangup"] = f"hangup {each['reason']}"

    def done(self) -> None:
        """The script ends here."""
        if self._came[-1]["refused"] and not (self._came[-1]["told"] or self._came[-1]["sent"]):
            raise ValueError(f"{self._case.id}: the last step is refused: say refuses")
        self._case.output |= {"steps": self._came}
        self._case.intermediate |= {"reasons": self._reasons}

    def refuses(self, at: int, message: FromService | bytes) -> None:
        """It ends with a message that must be refused, for the case's reason, as if it had not come."""
        self._end_refused(received(at, message))

    def refuses_to(self, at: int, what: str, **values: Any) -> None:
        """It ends with something that a person may not do."""
        self._end_refused({"at": at, "do": what, **values})

    def _end_refused(self, step: dict[str, Any]) -> None:
        assert self._case.reason is not None  # noqa: S101
        self._steps.append(step)
        self._reasons.append(self._case.reason.value)
        self._case.intermediate |= {"steps": self._came, "reasons": self._reasons}
