"""``spec/signalling.cddl`` says what the tables of the chapter and the declarations say, and a CDDL tool reads it so.

The tool (zcbor) validates values, and does not ask which encoding they came from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
import zcbor  # type: ignore[import-untyped]

from e2ee.shipped import shipped
from e2ee.signalling.messages import CALL, LETTER, SERVICE, FromDevice, FromService, Message

CDDL = (shipped("spec") / "signalling.cddl").read_text()
VECTORS = json.loads((shipped("vectors") / "signalling.json").read_text())

CDDL_TYPES = {
    "u32": "u32",
    "u64": "u64",
    "bool": "bool",
    "text": "text64k",
    "name": "name",
    "bytes": "bstr",
    "bytes[16]": "bytes16",
    "bytes[32]": "bytes32",
    "bytes[64]": "bytes64",
    "bytes or nil": "bstr / nil",
    "bytes[16] or nil": "bytes16 / nil",
    "list of u32": "[0*1024 u32]",
    "list of text": "[0*1024 text64k]",
    "list of bytes": "[0*1024 bstr]",
}
"""A type by its name in the chapter's tables."""

ROOTS = {
    "from-device": "from-device",
    "from-service": "from-service",
    "call-message": "between-devices",
    "letter-message": "letter",
}
"""Group of vectors -> rule."""

DECLARED: dict[str, list[type[Message]]] = {
    "from-device": [m for m in SERVICE.messages.values() if issubclass(m, FromDevice)],
    "from-service": [m for m in SERVICE.messages.values() if issubclass(m, FromService)],
    "between-devices": list(CALL.messages.values()),
    "letter": list(LETTER.messages.values()),
}


def rule(message: type[Message]) -> str:
    return message.name.replace("_", "-") + "-message"


def rules() -> Iterator[tuple[str, str]]:
    """Each rule and its right side, on one line."""
    without_comments = re.sub(r" *;.*", "", CDDL)
    for found in re.finditer(r"^([\w-]+) =((?:.|\n)*?)(?=\n[\w-]+ =|\Z)", without_comments, re.M):
        right = " ".join(found[2].split())
        yield found[1], right.replace("[ ", "[").replace(", ]", "]")


def declared(message: type[Message]) -> str:
    """The rule that says what the declaration says."""
    fields = [f"{name}: {CDDL_TYPES[check.name]}" for name, check in message.checks]
    return "[" + ", ".join([f'"{message.name}"', *fields]) + "]"


RULES = dict(rules())


@pytest.mark.requirement("SIG-2")
def test_each_message_has_a_rule_and_each_rule_is_its_declaration() -> None:
    messages = [message for family in DECLARED.values() for message in family]
    assert {name: right for name, right in RULES.items() if right.startswith("[")} == {
        rule(message): declared(message) for message in messages
    }


@pytest.mark.parametrize("root", DECLARED)
def test_the_rules_of_a_family_stand_in_the_order_of_the_tables(root: str) -> None:
    assert RULES[root].split(" / ") == [rule(message) for message in DECLARED[root]]


def is_valid(types: Mapping[str, Any], root: str, data: bytes) -> bool:
    """Whether what the MessagePack holds is of these types, for the tool: of the rule of its name, if the family has one."""
    value = msgpack.unpackb(data, strict_map_key=False)
    named = f"{value[0]}-message".replace("_", "-") if isinstance(value, list) and value else ""
    try:
        types[named if named in RULES[root].split(" / ") else root].validate_obj(value)
    except zcbor.CddlValidationError:
        return False
    return True


SEEN_IN_THE_VALUE = {
    "NOT_A_MESSAGE",
    "UNKNOWN_MESSAGE",
    "WRONG_FIELD_COUNT",
    "WRONG_TYPE",
    "BEYOND_LIMIT",
}
"""Reasons that lie in what bytes decode to. Of an account id CDDL sees the length alone."""


@pytest.mark.requirement("SIG-2")
@pytest.mark.parametrize("group", ROOTS)
def test_a_cddl_tool_takes_and_refuses_what_the_vectors_say(group: str) -> None:
    types = zcbor.DataTranslator.from_cddl(cddl_string=CDDL, default_max_qty=1024).my_types
    (cases,) = [each["cases"] for each in VECTORS["groups"] if each["name"] == group]
    for case in cases:
        data = bytes.fromhex(case["input"]["bytes"])
        if case["result"] == "valid":
            assert is_valid(types, ROOTS[group], data), case["id"]
        elif case["reason"] in SEEN_IN_THE_VALUE and not is_an_account_id_of_good_length(case):
            assert not is_valid(types, ROOTS[group], data), case["id"]


def is_an_account_id_of_good_length(case: dict[str, Any]) -> bool:
    """``.size`` is of bytes (RFC 8610, Section 3.8.1), and the tool counts characters."""
    named = case["id"].startswith("name-that-is-") or case["id"].endswith("-account-id")
    return named and not case["id"].endswith(("-65-bytes", "empty"))
