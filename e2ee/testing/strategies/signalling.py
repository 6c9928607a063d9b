"""Every signalling message of each family, derived from its declaration; and what almost is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from hypothesis import strategies as st

from e2ee.signalling import fields, wire
from e2ee.signalling.errors import WireReason
from e2ee.signalling.messages import Family, Message
from e2ee.testing.strategies.faults import Refusable
from e2ee.testing.strategies.octets import account_ids, octets, unsigned

__all__ = ["almost_messages", "messages_of"]

M = TypeVar("M", bound=Message)
Values = st.SearchStrategy[Any]

_MOST_ELEMENTS = 20

_VALUES: Mapping[Any, Values] = {
    fields.U32: unsigned(32),
    fields.U64: unsigned(64),
    fields.Bool: st.booleans(),
    fields.Text: st.text(max_size=100),
    fields.Name: account_ids(),
    fields.Bytes: st.binary(max_size=300),
    fields.Bytes16: octets(16),
    fields.Bytes32: octets(32),
    fields.Bytes64: octets(64),
    fields.OptionalBytes: st.none() | st.binary(max_size=300),
    fields.OptionalBytes16: st.none() | octets(16),
    fields.ListOfU32: st.lists(unsigned(32), max_size=_MOST_ELEMENTS).map(tuple),
    fields.ListOfText: st.lists(st.text(max_size=30), max_size=_MOST_ELEMENTS).map(tuple),
    fields.ListOfBytes: st.lists(st.binary(max_size=80), max_size=_MOST_ELEMENTS).map(tuple),
}


def messages_of(
    kinds: Family[M] | type[M] | Iterable[type[M]], usual: Mapping[Any, Values] | None = None
) -> st.SearchStrategy[M]:
    """Messages of a family, or of one class, or of several. What is drawn encodes.

    ``usual`` says what a type of field (``fields.Text``, ...) mostly is in your call, beside what it can be:
    ``messages_of(CALL)`` draws any call message; ``messages_of(Hangup, {fields.Text: st.just("done")})`` mostly one that ends
    a call.
    """
    classes = _classes(kinds)
    drawn = {kind: _message(kind, usual or {}) for kind in classes}
    return st.sampled_from(classes).flatmap(lambda kind: drawn[kind])


def _classes(kinds: Family[M] | type[M] | Iterable[type[M]]) -> list[type[M]]:
    if isinstance(kinds, Family):
        return list(kinds.messages.values())
    return [kinds] if isinstance(kinds, type) else list(kinds)


def _message(kind: type[M], usual: Mapping[Any, Values]) -> st.SearchStrategy[M]:
    of_check = {declared.__metadata__[0]: values for declared, values in _VALUES.items()}
    for declared, values in usual.items():
        check = declared.__metadata__[0]
        of_check[check] = values | of_check[check]
    return st.builds(kind, **{name: of_check[check] for name, check in kind.checks})


@st.composite
def almost_messages(draw: st.DrawFn, family: Family[Any]) -> Refusable:
    """What is no message of the family for one reason: cut, longer, not in its shortest form, one field wrong (SIG-1, SIG-2).

    ``almost_messages(SERVICE)`` draws ``Refusable(b"\\x92\\xa5hello", WireReason.TRUNCATED, "cut")``.
    """
    message = draw(messages_of(family))
    encoded = wire.encode(message)
    values = [getattr(message, name) for name, _ in message.checks]
    fault = draw(st.sampled_from(["cut", "longer", "longest", "name", "fewer", "more", "type"]))
    match fault:
        case "cut":
            cut = draw(st.integers(0, len(encoded) - 1))
            return Refusable(encoded[:cut], WireReason.TRUNCATED, "cut")
        case "longer":
            tail = draw(st.binary(min_size=1, max_size=4))
            return Refusable(encoded + tail, WireReason.TRAILING_BYTES, "something follows")
        case "longest":
            long = b"\xdc" + (len(values) + 1).to_bytes(2, "big") + encoded[1:]
            return Refusable(long, WireReason.NOT_CANONICAL, "a longer header of the array")
        case "name":
            return _refusable(["no_such_message", *values], WireReason.UNKNOWN_MESSAGE, "unknown")
        case "fewer" if values:
            fewer = [message.name, *values[:-1]]
            return _refusable(fewer, WireReason.WRONG_FIELD_COUNT, "a field is missing")
        case "type" if values:
            place = draw(st.integers(0, len(values) - 1))
            wrong = [message.name, *values[:place], 1.5, *values[place + 1 :]]
            return _refusable(
                wrong, WireReason.WRONG_TYPE, f"{message.checks[place][0]} is a float"
            )
        case _:
            more = [message.name, *values, None]
            return _refusable(more, WireReason.WRONG_FIELD_COUNT, "a field too many")


def _refusable(values: list[Any], reason: WireReason, fault: str) -> Refusable:
    return Refusable(wire._pack(values), reason, fault)
