"""What an answer to a case is worth.

    PASS                 accepted with exactly this output, or refused for exactly this reason
    PASS_OTHER_REASON    refused, with another reason: this conforms (CONF-13)
    FAIL                 another output; accepted what must be refused; refused what must be accepted
    LEAK                 bytes of a frame that must be refused came out (CONF-15)
    CRASH, HANG          no answer: the adapter ended or said what is none; or it said nothing in time
    UNSUPPORTED          not declared, or said so
    EXPECTED_FAILURE     failed as the file of expected failures says
    UNEXPECTED_PASS      passed although that file says that it fails

Steps on the way bind nobody: they say where a fault lies, and never make one.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from e2ee.conformance.adapter_protocol import Answer
from e2ee.conformance.cases import Case
from e2ee.conformance.difference import Difference, first_difference
from e2ee.conformance.fates import explained, leaked_fate
from e2ee.conformance.shown import shown

__all__ = ["FAILING", "PASSING", "Judgement", "Verdict", "judge"]


class Verdict(StrEnum):
    """The worst first: in this order failures are shown."""

    LEAK = "LEAK"
    CRASH = "CRASH"
    HANG = "HANG"
    FAIL = "FAIL"
    UNEXPECTED_PASS = "UNEXPECTED_PASS"
    EXPECTED_FAILURE = "EXPECTED_FAILURE"
    UNSUPPORTED = "UNSUPPORTED"
    PASS_OTHER_REASON = "PASS_OTHER_REASON"
    PASS = "PASS"


FAILING = (Verdict.LEAK, Verdict.CRASH, Verdict.HANG, Verdict.FAIL)
PASSING = (Verdict.PASS, Verdict.PASS_OTHER_REASON)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, in a line why, the first value that differs, and what may help to find the fault."""

    verdict: Verdict
    why: str = ""
    difference: Difference | None = None
    hints: tuple[str, ...] = ()


Reasons = Mapping[str, frozenset[str]]
"""The adapter's own name of an error -> the reasons that it stands for."""


def judge(case: Case, answer: Answer, reasons: Reasons) -> Judgement:
    """What ``answer`` is worth."""
    if not case.valid and (leak := _leaked(answer)):
        return Judgement(Verdict.LEAK, f"must be refused ({case.reason}), and {leak}")
    if leak := leaked_fate(case.output or {}, answer.output):
        return Judgement(Verdict.LEAK, f"must be refused, and {leak}")
    if answer.result == "unsupported":
        return Judgement(Verdict.UNSUPPORTED, shown(answer.reason or "without a reason"))
    return (_of_a_valid if case.valid else _of_an_invalid)(case, answer, reasons)


def _leaked(answer: Answer) -> str | None:
    if answer.released:
        return f"{len(answer.released) // 2} bytes were released"
    if (frame := answer.output.get("frame")) is not None:
        size = f"of {len(frame) // 2} bytes " if isinstance(frame, str) else ""
        return f"a frame {size}came out"
    return None


def _of_a_valid(case: Case, answer: Answer, reasons: Reasons) -> Judgement:
    on_the_way = _on_the_way(case, answer)
    if answer.result == "invalid":
        why = f"must be accepted, and was refused ({shown(answer.reason or 'no reason given')})"
        return Judgement(Verdict.FAIL, why, on_the_way, _hints(case, answer))
    output, other_reason = explained(case.output or {}, answer.output, reasons)
    difference = first_difference(case.output, output, "output")
    if difference is None and other_reason:
        return Judgement(Verdict.PASS_OTHER_REASON, other_reason, on_the_way)
    if difference is None:
        return Judgement(Verdict.PASS, _strayed(on_the_way), on_the_way)
    first = on_the_way or difference
    hints = (*filter(None, [first.hint()]), *_hints(case, answer))
    return Judgement(Verdict.FAIL, "accepted, as it must be, with something else", first, hints)


def _of_an_invalid(case: Case, answer: Answer, reasons: Reasons) -> Judgement:
    if answer.result == "valid":
        if case.flags:
            return Judgement(Verdict.PASS, f"accepted, which is allowed ({', '.join(case.flags)})")
        why = f"must be refused ({case.reason}), and was accepted"
        return Judgement(Verdict.FAIL, why, _on_the_way(case, answer), _hints(case, answer))
    if case.then and (after := _after_refusal(case, answer)):
        return after
    if case.reason in {answer.reason, *reasons.get(answer.reason or "", ())}:
        return Judgement(Verdict.PASS)
    why = f"refused with {shown(answer.reason or 'no reason')} in place of {case.reason}"
    return Judgement(Verdict.PASS_OTHER_REASON, why)


def _after_refusal(case: Case, answer: Answer) -> Judgement | None:
    """What is wrong with what followed a refusal, which must have changed nothing (CONF-11)."""
    if answer.then is None:
        return Judgement(
            Verdict.FAIL, "refused, and the answer does not say what came of input.then"
        )
    if difference := first_difference(case.then, answer.then, "then"):
        why = "refused, and did not go on as if nothing had come"
        return Judgement(Verdict.FAIL, why, difference)
    return None


def _on_the_way(case: Case, answer: Answer) -> Difference | None:
    """The first step that the adapter showed and that differs."""
    both = {name: value for name, value in case.intermediate.items() if name in answer.intermediate}
    given = {name: answer.intermediate[name] for name in both}
    return first_difference(both, given, "intermediate")


def _strayed(difference: Difference | None) -> str:
    return f"the output is right, and {difference.path} is not" if difference else ""


def _hints(case: Case, answer: Answer) -> tuple[str, ...]:
    """Which steps are right, or which would help if they were shown."""
    if not case.intermediate:
        return ()
    if right := [name for name in case.intermediate if _is_right(case, answer, name)]:
        return (f"right on the way: {', '.join(right)}",)
    if case.intermediate.keys() & answer.intermediate.keys():
        return ()
    names = ", ".join(case.intermediate)
    return (f"an answer with intermediate values ({names}) would show where it goes wrong",)


def _is_right(case: Case, answer: Answer, name: str) -> bool:
    given = answer.intermediate
    return name in given and not first_difference(case.intermediate[name], given[name], name)
