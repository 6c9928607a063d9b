"""The declarations are the tables of the spec's chapter: same messages, same order, same fields, same senders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from e2ee.signalling.messages import CALL, LETTER, SERVICE, FromDevice, FromService, Message

CHAPTER = Path(__file__).parents[2] / "spec" / "signalling.md"


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under this heading, without its head."""
    section = CHAPTER.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def declared_in_spec(cell: str) -> list[tuple[str, str]]:
    """``"a: u32, b: bytes or nil"`` as names and types."""
    pairs = re.findall(r"(\w+): ([^,]+)", cell)
    return [(name, type_name.strip()) for name, type_name in pairs]


def assert_declared(message: type[Message], name_cell: str, fields_cell: str) -> None:
    assert name_cell == f"`{message.name}`"
    declared = [(name, check.name) for name, check in message.checks]
    assert declared == declared_in_spec(fields_cell), message.name


@pytest.mark.requirement("SIG-2")
def test_service_messages_are_the_table_of_the_chapter() -> None:
    table = rows("Service messages")
    for message, (name, sender, field_list, _) in zip(
        SERVICE.messages.values(), table, strict=True
    ):
        assert_declared(message, name, field_list)
        assert issubclass(message, {"device": FromDevice, "service": FromService}[sender])


@pytest.mark.requirement("SIG-2")
def test_call_messages_are_the_table_of_the_chapter() -> None:
    table = rows("Call messages")
    for message, (name, field_list, _) in zip(CALL.messages.values(), table, strict=True):
        assert_declared(message, name, field_list)


@pytest.mark.requirement("SIG-2")
def test_letters_are_the_table_of_the_chapter() -> None:
    table = rows("Letters")
    for message, (name, field_list, _) in zip(LETTER.messages.values(), table, strict=True):
        assert_declared(message, name, field_list)


def test_what_people_say_is_not_printed() -> None:
    for message in (*CALL.messages.values(), *LETTER.messages.values()):
        assert repr(message(*(None for _ in message.checks))) == f"{message.__name__}(...)"


@pytest.mark.requirement("SIG-4")
def test_only_the_forwarding_unit_is_described_in_service_messages() -> None:
    texts = {
        (message.name, name)
        for message in SERVICE.messages.values()
        for name, check in message.checks
        if check.name == "text"
    }
    assert texts == {
        ("welcome", "server_name"),
        ("register", "token"),
        ("stored", "request"),
        ("relays", "username"),
        ("relays", "credential"),
        ("refused", "request"),
        ("refused", "reason"),
        ("refused", "detail"),
        ("publish_media", "description"),
        ("media_published", "description"),
        ("media_offer", "description"),
        ("media_answer", "description"),
    }
    assert {
        name for name in CALL.messages if "description" in dict(CALL.messages[name].checks)
    } == {
        "accepted",
        "answer_description",
        "reconnect",
        "reconnected",
    }
