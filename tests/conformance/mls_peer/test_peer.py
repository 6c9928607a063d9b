"""A line in, a line out, whatever the line is; and the table of operations."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.conformance.mls_peer.errors import RequestReason
from e2ee.conformance.mls_peer.peer import MAXIMUM_LINE, OPERATIONS, Peer
from e2ee.conformance.mls_peer.surroundings import Surroundings
from e2ee.crypto.errors import CryptoReason
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import DecodeReason
from e2ee.mls.errors import Rule

if TYPE_CHECKING:
    from tests.conformance.mls_peer.conftest import Reply, Talk

FIELDS = {
    "suites": "",
    "client": "id suite name? name_hex? extensions?",
    "load": "id suite key_package init_priv encryption_priv signature_priv",
    "psk": "id psk_id psk",
    "create": "id group_id extensions?",
    "propose": "id add? remove? update? public_message?",
    "commit": "id add? remove? public_message? tree_ext? psks? force_path?",
    "join": "id welcome tree?",
    "process": "id message",
    "encrypt": "id data authenticated_data?",
    "export": "id label context length",
    "group_info": "id",
    "external_join": "id group_info resync?",
    "info": "id",
    "drop": "id",
}
"""What others' programs are written against: a change here breaks them."""

REPLIES = {
    "suites": "suites",
    "client": "key_package",
    "propose": "proposals",
    "commit": "commit welcome tree",
    "process": "kind data authenticated_data sender removed",
    "encrypt": "message",
    "export": "secret",
    "group_info": "group_info",
    "external_join": "commit",
    "info": "epoch epoch_authenticator tree_hash leaf_index roster",
}


def test_the_operations_are_what_others_rely_on() -> None:
    shown = {
        name: " ".join(f"{field}{'?' * kind.optional}" for field, kind in operation.fields.items())
        for name, operation in OPERATIONS.items()
    }
    assert shown == FIELDS
    replies = {name: " ".join(operation.reply) for name, operation in OPERATIONS.items()}
    assert replies == dict.fromkeys(FIELDS, "") | REPLIES


def test_every_operation_says_its_purpose_in_a_line() -> None:
    purposes = [operation.purpose for operation in OPERATIONS.values()]
    assert all(purpose.endswith(".") and "\n" not in purpose for purpose in purposes)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", RequestReason.NOT_JSON),
        (b"\xff", RequestReason.NOT_JSON),
        (b"{", RequestReason.NOT_JSON),
        ('{"op": "suites"}'.encode("utf-16"), RequestReason.NOT_JSON),
        (b'{"op": "suites"} {"op": "suites"}', RequestReason.NOT_JSON),
        (b'{"op": "export", "length": NaN}', RequestReason.NOT_JSON),
        (b'{"op": "export", "length": -Infinity}', RequestReason.NOT_JSON),
        (b"9" * 5000, RequestReason.NOT_JSON),
        (b"[" * 100_000, RequestReason.NOT_JSON),
        (b" " * (MAXIMUM_LINE + 1), RequestReason.LINE_TOO_LONG),
        (b" " * MAXIMUM_LINE, RequestReason.NOT_JSON),
        (b"null", RequestReason.NOT_AN_OBJECT),
        (b'[{"op": "suites"}]', RequestReason.NOT_AN_OBJECT),
        (b'{"op": "suites", "op": "suites"}', RequestReason.DUPLICATE_FIELD),
        (b'{"op": "suites", "x": {"y": 1, "y": 1}}', RequestReason.DUPLICATE_FIELD),
        (b"{}", RequestReason.UNKNOWN_OP),
        (b'{"op": null}', RequestReason.UNKNOWN_OP),
        (b'{"op": ["suites"]}', RequestReason.UNKNOWN_OP),
        (b'{"op": "Suites"}', RequestReason.UNKNOWN_OP),
        (b'{"op": "_client", "id": 1}', RequestReason.UNKNOWN_OP),
        (b'{"op": "suites", "id": 1}', RequestReason.UNKNOWN_FIELD),
        (b'{"op": "drop"}', RequestReason.MISSING_FIELD),
        (b'{"op": "drop", "id": {}}', RequestReason.BAD_FIELD),
        (b'{"op": "drop", "id": 1}', RequestReason.UNKNOWN_CLIENT),
        (b'{"op": "info", "id": "\\ud800"}', RequestReason.UNKNOWN_CLIENT),
    ],
)
def test_a_line_that_is_no_request_is_told_so(
    talk: Talk, line: bytes, reason: RequestReason
) -> None:
    assert talk.send(line)["error"] == reason


def test_an_error_repeats_little_of_what_it_does_not_know(talk: Talk) -> None:
    name = "long" * 1000
    for request in ({"op": name}, {"op": "suites", name: 1}, {"op": "info", "id": name}):
        reply = talk.send(json.dumps(request).encode())
        assert "longlong" in reply["detail"]
        assert len(reply["detail"]) < 70


def test_ids_are_told_apart_by_their_type(talk: Talk) -> None:
    talk.ask("client", id=1, name="number", suite=1)
    talk.ask("client", id="1", name="text", suite=1)
    assert talk.send(b'{"op": "drop", "id": 1.0}')["error"] == RequestReason.BAD_FIELD
    talk.ask("drop", id="1")
    assert talk.send(b'{"op": "psk", "id": 1, "psk_id": "", "psk": ""}') == {"ok": True}


def test_a_fault_of_its_own_is_told_and_survived() -> None:
    def stopped() -> int:
        raise OSError("no clock")

    peer = Peer(Surroundings(SeededEntropy(b"fault"), stopped))
    reply = json.loads(peer.answer(b'{"op": "client", "id": 1, "name": "a", "suite": 1}'))
    assert reply == {"ok": False, "error": RequestReason.INTERNAL_ERROR, "detail": "OSError"}
    assert json.loads(peer.answer(b'{"op": "suites"}'))["ok"]


# Whatever comes

CODES = {
    str(reason)
    for reasons in (RequestReason, Rule, DecodeReason, CryptoReason)
    for reason in reasons
}

numbers = st.integers() | st.integers(0, 5) | st.sampled_from([1 << 16, 1 << 32, 1 << 64])
hexes = st.binary(max_size=40).map(bytes.hex)
texts = st.text(max_size=20) | hexes | st.sampled_from(["a", "b", "c", *OPERATIONS])
scalars = st.none() | st.booleans() | numbers | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=8
)


def is_documented(reply: Reply) -> bool:
    """The reply says what was done, or which rule forbids it."""
    return reply["ok"] or reply["error"] in CODES - {RequestReason.INTERNAL_ERROR}


@given(value=values)
def test_any_json_has_a_reply(make_talk: Callable[[], Talk], value: Any) -> None:
    assert is_documented(make_talk().send(json.dumps(value).encode()))


@given(line=st.binary() | st.text().map(str.encode))
def test_any_bytes_have_a_reply(make_talk: Callable[[], Talk], line: bytes) -> None:
    assert is_documented(make_talk().send(line))


OF_A_KIND: dict[str, st.SearchStrategy[Any]] = {
    "id": st.sampled_from(["alice", "bob", "carol", "dave", 1]),
    "text": texts,
    "hex": hexes,
    "bool": st.booleans(),
    "number": st.integers(0, 70_000),
    "code point or name": st.sampled_from([1, 2, 3, 0xF0E2, 0x7777]),
    "bool or leaf": st.booleans() | st.integers(0, 3),
    "leaf": st.integers(0, 3),
    "extension": st.tuples(st.sampled_from([1, 2, 3, 4, 5, 0xF123]), hexes),
}
MESSAGES = ("MLSMessage", "KeyPackage", "Welcome", "GroupInfo")


@st.composite
def messages(draw: st.DrawFn, known: list[str]) -> str:
    """One that somebody sent, perhaps with a byte changed, perhaps cut off."""
    message = bytearray.fromhex(draw(st.sampled_from(known)))
    change = draw(st.sampled_from(["none", "byte", "end"]))
    place = draw(st.integers(0, len(message) - 1))
    if change == "byte":
        message[place] ^= draw(st.integers(1, 255))
    return message[: place if change == "end" else None].hex()


@st.composite
def requests(draw: st.DrawFn, known: list[str]) -> dict[str, Any]:
    """An operation with fields of their kinds, and one in ten of any other."""
    op = draw(st.sampled_from(sorted(OPERATIONS)))
    of_a_kind = OF_A_KIND | dict.fromkeys(MESSAGES, messages(known))
    request = {"op": op}
    for name, field in OPERATIONS[op].fields.items():
        if field.optional and draw(st.booleans()):
            continue
        kind = field.kind.name
        item = of_a_kind[kind.removeprefix("list of ")]
        due = st.lists(item, max_size=2) if kind.startswith("list of ") else item
        request[name] = draw(values if draw(st.integers(0, 9)) == 0 else due)
    return request


@given(data=st.data())
def test_any_requests_have_replies_and_refusals_change_nothing(
    make_talk: Callable[[], Talk], data: st.DataObject
) -> None:
    talk = make_talk()
    known = talk.conversation()
    for request in data.draw(st.lists(requests(known), max_size=6)):
        assert is_documented(talk.send(json.dumps(request).encode()))
    talk.request("drop", id="bob")
    talk.client("bob")


@given(data=st.data())
def test_a_changed_message_is_refused(make_talk: Callable[[], Talk], data: st.DataObject) -> None:
    talk = make_talk()
    known = talk.conversation()
    message = data.draw(messages(known))
    reply = talk.request("process", id="alice", message=message)
    assert is_documented(reply)
    assert not reply["ok"] or message in known
