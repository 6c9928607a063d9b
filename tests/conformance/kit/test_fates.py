"""Answers that tell what became of many frames: what differs only in reasons conforms, and what leaked is called so."""

from __future__ import annotations

from typing import Any

import pytest

from e2ee.conformance.adapter_protocol import Answer
from e2ee.conformance.cases import Case
from e2ee.conformance.verdict import Verdict, judge

OPENED = {"step": 1, "fate": "opened", "ctr": 7, "frame": "0102"}
REPLAYED = {"step": 2, "fate": "refused", "reason": "REPLAYED"}
HELD = {"step": 3, "fate": "held"}
LATE = {"step": 3, "fate": "refused", "settled_in": 4, "reason": "UNKNOWN_KEY"}
FATES = [OPENED, REPLAYED, HELD, LATE]


def verdict(*fates: Any, reasons: dict[str, frozenset[str]] | None = None) -> str:
    case = Case(
        "L2", "keys/trace", "a-trace", "A trace.", ("FKEY-7",), (), {}, {}, "valid", {"fates": FATES}, None
    )  # fmt: skip
    return judge(case, Answer("valid", {"fates": list(fates)}), reasons or {}).verdict


@pytest.mark.requirement("CONF-20")
def test_a_fate_with_another_reason_passes_as_a_refusal_with_another_reason_does() -> None:
    assert verdict(*FATES) == Verdict.PASS
    other = REPLAYED | {"reason": "duplicate"}
    assert verdict(OPENED, other, HELD, LATE) == Verdict.PASS_OTHER_REASON
    assert verdict(OPENED, {"step": 2, "fate": "refused"}, HELD, LATE) == Verdict.PASS_OTHER_REASON
    mapped = {"duplicate": frozenset({"REPLAYED"})}
    assert verdict(OPENED, other, HELD, LATE, reasons=mapped) == Verdict.PASS


@pytest.mark.requirement("CONF-20")
@pytest.mark.parametrize("fate", [REPLAYED, LATE])
def test_a_frame_that_came_out_in_the_place_of_a_refusal_leaked(fate: dict[str, Any]) -> None:
    leak = {**fate, "fate": "opened", "frame": "0102"}
    answered = [leak if each is fate else each for each in FATES]
    assert verdict(*answered) == Verdict.LEAK
    refused_with_bytes = [fate | {"frame": "01"} if each is fate else each for each in FATES]
    assert verdict(*refused_with_bytes) == Verdict.LEAK


@pytest.mark.requirement("CONF-12", "CONF-20")
@pytest.mark.parametrize(
    "answered",
    [
        pytest.param([OPENED | {"ctr": 8}, *FATES[1:]], id="another-counter"),
        pytest.param([OPENED | {"frame": "0103"}, *FATES[1:]], id="another-frame"),
        pytest.param([*FATES[:3], LATE | {"settled_in": 5}], id="settled-in-another-step"),
        pytest.param(FATES[:3], id="one-less"),
        pytest.param([*FATES, OPENED], id="one-more"),
        pytest.param([REPLAYED, OPENED, HELD, LATE], id="another-order"),
        pytest.param([OPENED, REPLAYED, LATE], id="not-held"),
        pytest.param([OPENED, REPLAYED | {"reason": 7}, HELD, LATE], id="a-number-for-a-reason"),
        pytest.param(["opened", None, 3, [LATE]], id="no-fates"),
        pytest.param([{"step": [2] * 99, "fate": "opened", "frame": 1}], id="no-step"),
    ],
)
def test_all_else_must_be_as_in_the_vectors(answered: list[Any]) -> None:
    assert verdict(*answered) == Verdict.FAIL


OUTCOMES = ["taken", "NUMBER_PASSED", "NUMBER_TAKEN"]


def of_outcomes(*outcomes: Any, reasons: dict[str, frozenset[str]] | None = None) -> str:
    case = Case(
        "L4", "chat/order", "an-order", "Texts.", ("CHAT-1",), (), {}, {}, "valid", {"outcomes": OUTCOMES, "delivered": 1}, None
    )  # fmt: skip
    answered = {"outcomes": list(outcomes), "delivered": 1}
    return judge(case, Answer("valid", answered), reasons or {}).verdict


@pytest.mark.requirement("CONF-20")
def test_an_outcome_with_another_reason_passes_as_a_refusal_with_another_reason_does() -> None:
    assert of_outcomes(*OUTCOMES) == Verdict.PASS
    assert of_outcomes("taken", "late", "NUMBER_TAKEN") == Verdict.PASS_OTHER_REASON
    mapped = {"late": frozenset({"NUMBER_PASSED"})}
    assert of_outcomes("taken", "late", "NUMBER_TAKEN", reasons=mapped) == Verdict.PASS


@pytest.mark.requirement("CONF-12", "CONF-20")
@pytest.mark.parametrize(
    "answered",
    [
        pytest.param(["taken", "taken", "NUMBER_TAKEN"], id="taken-and-not-refused"),
        pytest.param(
            ["NUMBER_PASSED", "NUMBER_PASSED", "NUMBER_TAKEN"], id="refused-and-not-taken"
        ),
        pytest.param(OUTCOMES[:2], id="one-less"),
        pytest.param([*OUTCOMES, "NUMBER_PASSED"], id="one-more"),
        pytest.param(["taken", 7, "NUMBER_TAKEN"], id="a-number"),
        pytest.param(["taken", ["late"], "NUMBER_TAKEN"], id="a-list"),
    ],
)
def test_an_outcome_itself_binds(answered: list[Any]) -> None:
    assert of_outcomes(*answered) == Verdict.FAIL
