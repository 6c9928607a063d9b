"""How this implementation's adapter speaks: the adapter protocol from its side (chapter Conformance)."""

from __future__ import annotations

import json
from typing import Any

import pytest

import e2ee
from e2ee.conformance.adapter.judging import Differs, expect, refusing
from e2ee.conformance.adapter.loop import answers
from e2ee.conformance.adapter.operations import OPERATIONS, Accepted, Answer, Given, Refused
from e2ee.identity.errors import IdentityReason, LinkError

HELLO = {"type": "hello", "protocol": 1, "specification": "1.0"}


def said(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answers([json.dumps(each).encode() for each in messages])]


def case(group: str, number: int = 1, **given: Any) -> dict[str, Any]:
    return {"type": "case", "number": number, "group": group, "input": given}


def test_it_says_who_it_is_and_what_it_has() -> None:
    (hello,) = said(HELLO)
    assert (hello["type"], hello["protocol"]) == ("hello", 1)
    assert (hello["name"], hello["version"]) == ("e2ee-calling", e2ee.__version__)
    assert hello["groups"] == sorted(OPERATIONS)
    assert {"hybrid", "mls-0x0001", "mls-0x0007"} <= {*hello["features"]}
    assert "mls-0xf0e2" not in hello["features"]


def test_each_case_is_answered_under_its_number() -> None:
    kid = {"kind": 0, "instance": 0, "leaf_index": 3, "epoch": 2}
    accepted, refused = said(
        case("frame-keys/kid", 7, **kid), case("frame-keys/refused-kid", 8, kid=2**22)
    )
    assert accepted == {
        "type": "answer",
        "number": 7,
        "result": "valid",
        "output": {"kid": 50},
        "intermediate": {},
    }
    assert (refused["number"], refused["result"], refused["reason"]) == (8, "invalid", "BAD_KID")
    assert "then" not in refused


def test_a_line_is_one_line_whatever_is_in_it() -> None:
    (line,) = answers(
        [json.dumps(case("chat/content", message="chat", text="a\nb\ud800")).encode()]
    )
    assert line.count(b"\n") == 1
    assert line.isascii()


def test_a_group_that_it_lacks_is_unsupported() -> None:
    (answer,) = said(case("dreams/interpreting"))
    assert (answer["result"], answer["reason"]) == (
        "unsupported",
        "no operation for dreams/interpreting",
    )


@pytest.mark.parametrize(
    "line", [b"", b"{}", b'{"type": "case"}', b'{"type": "hello", "protocol": 2}', b"[]"]
)
def test_what_is_no_message_ends_it(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        next(answers([line]))


def test_a_fault_is_no_answer() -> None:
    """Who sends a case without its input sees the traceback, and no refusal."""
    with pytest.raises(KeyError):
        said(case("frame-keys/kid"))


def test_an_error_of_the_protocol_is_a_refusal_and_a_step_that_differs_is_a_fault() -> None:
    def judge(given: Given) -> Answer:
        expect(given["came"], 1, "what came")
        raise LinkError(IdentityReason.WRONG_SERVER)

    assert refusing(judge)({"came": 1}) == Refused("WRONG_SERVER")
    with pytest.raises(Differs, match="what came: 2, and not 1"):
        refusing(judge)({"came": 2})
    assert refusing(lambda _: Accepted({"a": 1}))({}) == Accepted({"a": 1})
