"""Whatever an adapter says, it gets a verdict, and every report of it can be read."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from e2ee.conformance import report_html, report_json, report_junit, report_text
from e2ee.conformance.adapter_protocol import Hello, NotTheProtocol, read_answer, read_hello
from e2ee.conformance.badge import badge
from e2ee.conformance.cases import Case
from e2ee.conformance.difference import first_difference
from e2ee.conformance.results import Results
from e2ee.conformance.runner import Outcome
from e2ee.conformance.session import Exchange
from e2ee.conformance.verdict import Judgement, Verdict, judge

HEX = st.binary(max_size=40).map(bytes.hex)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | HEX,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | HEX, inner, max_size=4),
    max_leaves=12,
)
ANSWERS = st.fixed_dictionaries(
    {"type": st.just("answer"), "number": st.just(1)},
    optional={
        "result": st.sampled_from(["valid", "invalid", "unsupported"]) | VALUES,
        "output": st.fixed_dictionaries({}, optional={"frame": VALUES, "kid": VALUES}) | VALUES,
        "intermediate": st.fixed_dictionaries({}, optional={"step": VALUES}) | VALUES,
        "reason": st.text() | st.just("BAD") | VALUES,
        "released": HEX | VALUES,
        "then": st.lists(VALUES, max_size=3) | VALUES,
    },
)


def case(*, valid: bool, **members: Any) -> Case:
    fixed: dict[str, Any] = {
        "level": "L1",
        "group": "doors/opening",
        "id": "a-door",
        "comment": "About a door.",
        "requirements": ("DOOR-1",),
        "features": (),
        "input": {},
        "intermediate": {"step": "00ff", "list": [1, {"a": None}]},
        "result": "valid" if valid else "invalid",
        "output": {"frame": "0102", "kid": 7} if valid else None,
        "reason": None if valid else "BAD",
    }
    return Case(**{**fixed, **members})


CASES = [
    case(valid=True),
    case(valid=False),
    case(valid=False, flags=("stricter",)),
    case(valid=False, then=({"application_data": "00"}, {})),
]


def judged(case: Case, line: bytes) -> Judgement:
    """As a session does it."""
    try:
        return judge(case, read_answer(line, 1), {"OURS": frozenset({"BAD"})})
    except NotTheProtocol as wrong:
        return Judgement(Verdict.CRASH, str(wrong))


def readable(case: Case, judgement: Judgement) -> None:
    """Every report of this judgement."""
    hello = Hello("an adapter", "1", ("doors/opening",), ())
    outcome = Outcome(1, case, judgement, 0.1, Exchange("{}", b"", None, None, ("last words",)))
    results = Results(hello, [outcome], [case], whole=True)
    text = "\n".join(report_text.report(results, str, everything=True))
    assert all(each.isprintable() for each in text.replace("\n", ""))
    json.loads(report_json.report(results, "1.0", str))
    ElementTree.fromstring(report_junit.report(results, str).encode())  # noqa: S314
    assert report_html.report(results, "1.0", str).decode().endswith("</html>\n")
    ElementTree.fromstring(badge(results, "1.0"))  # noqa: S314
    assert results.counts == Counter([judgement.verdict])


@pytest.mark.requirement("CONF-16")
@given(ANSWERS | VALUES)
@example({"type": "answer", "number": 1, "result": "valid", "output": {"\ud800\x1b": "\udfff"}})
@example({"type": "answer", "number": 1, "result": "valid", "output": {"kid": float("inf")}})
@example({"type": "answer", "number": True, "result": "valid"})
def test_any_json_gets_a_verdict(answer: Any) -> None:
    line = json.dumps(answer).encode()
    for each in CASES:
        readable(each, judged(each, line))


@pytest.mark.requirement("CONF-5", "CONF-16")
@given(st.binary())
@example(b"[" * 2000)
@example(b'{"type": "answer", "number": 1, "result": "valid", "output": {"kid": 1e999}}')
@example(b'{"type": "answer", "number": 1, "result": "valid", "output": {"kid": NaN}}')
@example(b'{"type": "answer", "number": 1' + b"0" * 5000 + b"}")
@example(b"[" * 65 + b"]" * 65)
@example(b"\xff\xfe{\x00}\x00")
def test_any_line_gets_a_verdict(line: bytes) -> None:
    for each in CASES:
        readable(each, judged(each, line))
    with contextlib.suppress(NotTheProtocol):
        read_hello(line)


@pytest.mark.requirement("CONF-5")
@pytest.mark.parametrize(
    "line",
    [
        b'{"type": "answer", "number": 1, "result": "valid", "output": {"kid": NaN}}',
        b'{"type": "answer", "number": 1, "result": "valid", "output": {"kid": 1e999}}',
        b'{"type": "answer", "number": 1, "result": "valid", "output": {"a": '
        + b"[" * 64
        + b"]" * 64
        + b"}}",
        b'{"type": "answer", "number": 1, "result": "invalid", "released": "aa", "released": ""}',
        b'{"type": "answer", "number": 1, "result": "valid", "output": {"kid": 6, "kid": 7}}',
    ],
)
def test_what_is_no_message_is_a_crash(line: bytes) -> None:
    assert judged(CASES[0], line).verdict is Verdict.CRASH


@pytest.mark.requirement("CONF-5")
def test_members_that_nobody_named_are_ignored() -> None:
    line = b'{"type": "answer", "number": 1, "result": "invalid", "reason": "OURS", "took": [1.5]}'
    assert judged(CASES[1], line).verdict is Verdict.PASS


@pytest.mark.requirement("CONF-12")
@pytest.mark.parametrize(
    ("expected", "answered", "path"),
    [
        (1, True, "output"),
        ([1, 2], [1, 2, 3], "output[2]"),
        ([1, 2], [1], "output[1]"),
        ({"a": 1, "b": {"c": []}}, {"a": 1, "b": {"c": {}}}, "output.b.c"),
        ({"a": 1}, {"a": 1, "b": 2}, "output.b"),
        ({"z": 1, "a": 2}, {"a": 3, "z": 4}, "output.z"),
        (None, "", "output"),
        ("00", "0000", "output"),
    ],
)
def test_the_first_difference_is_in_the_files_order(
    expected: Any, answered: Any, path: str
) -> None:
    found = first_difference(expected, answered, "output")
    assert found is not None
    assert found.path == path


def test_numbers_are_what_json_says() -> None:
    assert first_difference({"kid": 7}, {"kid": 7.0}, "output") is None


@pytest.mark.parametrize(
    ("expected", "answered", "headline", "lines"),
    [
        ("00ff11", "00ff22", "x, at byte 2 of 3", ("00ff[11]", "00ff[22]")),
        ("00ff", "00ff22", "x, at byte 2 of 2 and 3", ("00ff[]", "00ff[22]")),
        ("aa" * 100, "aa" * 60 + "bb", "x, at byte 60 of 100 and 61", None),
        ("00", 7, "x", ('"00"', "7")),
        (300, 301, "x", ("300 (0x12c)", "301 (0x12d)")),
    ],
)
def test_both_values_are_shown_around_the_first_byte_that_differs(
    expected: Any, answered: Any, headline: str, lines: tuple[str, str] | None
) -> None:
    found = first_difference(expected, answered, "x")
    assert found is not None
    assert found.headline() == headline
    around = "…" + "aa" * 12
    assert found.lines() == (lines or (f"{around}[aa]{'aa' * 19}…", f"{around}[bb]"))


@pytest.mark.parametrize(
    ("answered", "headline", "shown"),
    [
        ("00" * 2**23, f"x, at byte 1 of 2 and {2**23}", f"00[00]{'00' * 19}…"),
        ("no bytes" * 2**20, "x", '"no bytesno bytes'),
        ([[0] * 100] * 10_000, "x", "[[0, 0, 0,"),
        ({"a": {"b": "c" * 2**20}}, "x", '{"a": {"b": "ccc'),
    ],
)
def test_of_a_long_answer_the_beginning_is_kept(answered: Any, headline: str, shown: str) -> None:
    found = first_difference("000b", answered, "x")
    assert found is not None
    assert (found.headline(), found.lines()[1][: len(shown)]) == (headline, shown)
    assert len(json.dumps(found.answered)) < 10_000


@pytest.mark.parametrize(
    ("answered", "hint"),
    [
        ("0A0B", "bytes are written in lower-case hexadecimal"),
        ("0b0a", "the same bytes in the other order"),
        ("0b0b", None),
    ],
)
def test_common_faults_are_guessed(answered: str, hint: str | None) -> None:
    found = first_difference("0a0b", answered, "x")
    assert found is not None
    assert found.hint() == hint
