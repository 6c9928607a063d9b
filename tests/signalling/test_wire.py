"""Every message has exactly one encoding, and all other bytes are refused with a precise reason."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.secret import Secret
from e2ee.signalling import wire
from e2ee.signalling.errors import MessageError, WireError, WireReason
from e2ee.signalling.messages import (
    CALL,
    LETTER,
    SERVICE,
    Accepted,
    Alive,
    Claim,
    Commit,
    Family,
    Find,
    Hangup,
    Hello,
    LoggedIn,
    Message,
    Offer,
    Open,
    Publish,
    Published,
    Send,
)
from e2ee.testing.strategies import messages_of

FAMILIES: list[Family[Any]] = [SERVICE, CALL, LETTER]
MESSAGES: list[type[Message]] = [m for family in FAMILIES for m in family.messages.values()]


def refusal(family: Family[Any], data: bytes) -> WireReason:
    """Why these bytes are refused."""
    with pytest.raises(WireError) as refused:
        wire.decode(family, data)
    reason = refused.value.reason
    assert isinstance(reason, WireReason)
    return reason


@pytest.mark.requirement("SIG-1", "SIG-2")
@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.name)
@given(data=st.data())
def test_every_message_comes_back_as_it_was(message: type[Message], data: st.DataObject) -> None:
    sent = data.draw(messages_of(message))
    encoded = wire.encode(sent)
    assert wire.decode(message.family, encoded) == sent
    for length in range(len(encoded)):
        assert refusal(message.family, encoded[:length]) is WireReason.TRUNCATED
    assert refusal(message.family, encoded + b"\x00") is WireReason.TRAILING_BYTES


@pytest.mark.requirement("SIG-1", "SIG-2")
@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
@given(data=st.binary(max_size=400))
def test_arbitrary_bytes_are_a_message_or_refused(family: Family[Any], data: bytes) -> None:
    try:
        message = wire.decode(family, data)
    except WireError as error:
        assert isinstance(error.reason, WireReason)
    else:
        assert wire.encode(message) == data


@pytest.mark.requirement("SIG-1", "SIG-2")
@given(data=st.data())
def test_a_message_with_changed_bytes_is_another_message_or_refused(data: st.DataObject) -> None:
    message = data.draw(messages_of(MESSAGES))
    encoded = bytearray(wire.encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        changed = wire.decode(message.family, bytes(encoded))
    except WireError as error:
        assert isinstance(error.reason, WireReason)
    else:
        assert wire.encode(changed) == encoded


def test_encodings_by_hand() -> None:
    assert wire.encode(Hello((0x0100, 7))) == b"\x92\xa5hello\x92\xcd\x01\x00\x07"
    assert wire.encode(LoggedIn()) == b"\x91\xa9logged_in"
    assert wire.encode(Find("alice")) == b"\x92\xa4find\xa5alice"
    assert wire.encode(Publish((b"", b"kp"))) == b"\x92\xa7publish\x92\xc4\x00\xc4\x02kp"
    assert (
        wire.encode(Commit(bytes(16), b"c", None, None))
        == b"\x95\xa6commit\xc4\x10" + bytes(16) + b"\xc4\x01c\xc0\xc0"
    )
    assert wire.encode(Offer(1, "video")) == b"\x93\xa5offer\x01\xa5video"
    assert wire.encode(Alive(2**64 - 1, 0)) == b"\x93\xa5alive\xcf" + b"\xff" * 8 + b"\x00"


NOT_SHORTEST = {
    "array16 for an array of two": b"\xdc\x00\x02\xa5hello\x90",
    "array32 for an array of two": b"\xdd\x00\x00\x00\x02\xa5hello\x90",
    "str8 for five characters": b"\x92\xd9\x05hello\x90",
    "uint8 for 7": b"\x92\xa5hello\x91\xcc\x07",
    "uint16 for 7": b"\x92\xa5hello\x91\xcd\x00\x07",
    "uint32 for 256": b"\x92\xa5hello\x91\xce\x00\x00\x01\x00",
    "uint64 for 256": b"\x92\xa5hello\x91\xcf" + bytes(6) + b"\x01\x00",
    "int8 for 7": b"\x92\xa5hello\x91\xd0\x07",
    "int64 for 256": b"\x92\xa5hello\x91\xd3" + bytes(6) + b"\x01\x00",
    "bin16 for two bytes": b"\x93\xa4send\xc4\x10" + bytes(16) + b"\xc5\x00\x02ab",
    "bin32 for two bytes": b"\x93\xa4send\xc4\x10" + bytes(16) + b"\xc6\x00\x00\x00\x02ab",
}


@pytest.mark.requirement("SIG-1")
@pytest.mark.parametrize("data", NOT_SHORTEST.values(), ids=NOT_SHORTEST)
def test_a_longer_form_is_refused(data: bytes) -> None:
    assert refusal(SERVICE, data) is WireReason.NOT_CANONICAL


CALL_ID = b"\xc4\x10" + bytes(16)
REFUSED: dict[str, tuple[bytes, WireReason]] = {
    "no bytes": (b"", WireReason.TRUNCATED),
    "nil": (b"\xc0", WireReason.NOT_A_MESSAGE),
    "a map": (b"\x80", WireReason.NOT_A_MESSAGE),
    "a map with an entry": (b"\x81\xa1a\x01", WireReason.NOT_A_MESSAGE),
    "a map for a list": (b"\x92\xa5hello\x80", WireReason.WRONG_TYPE),
    "a map with a map for a key": (b"\x92\xa5hello\x81\x81\x01\x02\x03", WireReason.WRONG_TYPE),
    "a map of 2^32 entries": (b"\x92\xa5hello\xdf\xff\xff\xff\xff", WireReason.BEYOND_LIMIT),
    "maps nested 100,000 deep": (b"\x81" * 100_000, WireReason.TOO_DEEP),
    "an array of nothing": (b"\x90", WireReason.NOT_A_MESSAGE),
    "a name of bytes": (b"\x91\xc4\x09logged_in", WireReason.NOT_A_MESSAGE),
    "the byte that MessagePack never uses": (b"\xc1", WireReason.NOT_MESSAGEPACK),
    "text that is not UTF-8": (b"\x92\xa4find\xa2\xc3\x28", WireReason.NOT_MESSAGEPACK),
    "an unknown name": (b"\x91\xa5howdy", WireReason.UNKNOWN_MESSAGE),
    "a message of the other family": (b"\x92\xa6hangup\xa4done", WireReason.UNKNOWN_MESSAGE),
    "a field missing": (b"\x91\xa5hello", WireReason.WRONG_FIELD_COUNT),
    "a field too many": (b"\x92\xa9logged_in\xc0", WireReason.WRONG_FIELD_COUNT),
    "a float": (b"\x92\xa5hello\x91\xcb" + struct.pack(">d", 256.0), WireReason.WRONG_TYPE),
    "not a number": (b"\x92\xa5hello\x91\xca\x7f\xc0\x00\x00", WireReason.WRONG_TYPE),
    "a bool for an integer": (b"\x92\xa5hello\x91\xc3", WireReason.WRONG_TYPE),
    "text for bytes": (b"\x93\xa4send" + CALL_ID + b"\xa2ab", WireReason.WRONG_TYPE),
    "bytes for text": (b"\x92\xa4find\xc4\x05alice", WireReason.WRONG_TYPE),
    "nil where nothing is optional": (b"\x92\xa4find\xc0", WireReason.WRONG_TYPE),
    "an array for an integer": (b"\x92\xa5hello\x91\x90", WireReason.WRONG_TYPE),
    "an integer for an array": (b"\x92\xa5hello\x01", WireReason.WRONG_TYPE),
    "an extension": (b"\x92\xa5hello\xd4\x05\x00", WireReason.WRONG_TYPE),
    "an empty extension": (b"\x92\xa5hello\xc7\x00\x05", WireReason.WRONG_TYPE),
    "a timestamp": (b"\x92\xa5hello\x91\xd6\xff\x00\x00\x00\x01", WireReason.WRONG_TYPE),
    "no timestamp": (b"\x92\xa5hello\x91\xd5\xff\x00\x00", WireReason.BEYOND_LIMIT),
    "a negative integer": (b"\x92\xa5hello\x91\xff", WireReason.BEYOND_LIMIT),
    "2^32 as a u32": (b"\x92\xa5hello\x91\xcf\x00\x00\x00\x01" + bytes(4), WireReason.BEYOND_LIMIT),
    "15 bytes as bytes[16]": (
        b"\x93\xa4send\xc4\x0f" + bytes(15) + b"\xc4\x00",
        WireReason.BEYOND_LIMIT,
    ),
    "a name of no characters": (b"\x92\xa4find\xa0", WireReason.BEYOND_LIMIT),
    "a name of 65 bytes": (b"\x92\xa4find\xd9\x41" + b"a" * 65, WireReason.BEYOND_LIMIT),
    "a name that is not NFC": (b"\x92\xa4find\xa3e\xcc\x81", WireReason.BEYOND_LIMIT),
    "a name of two lines": (b"\x92\xa4find\xa3a\nb", WireReason.BEYOND_LIMIT),
    "a name that turns direction": (b"\x92\xa4find\xa4\xe2\x80\xaea", WireReason.BEYOND_LIMIT),
    "a length of 4 GiB": (b"\x92\xa4find\xdb\xff\xff\xff\xff", WireReason.TRUNCATED),
    "an array of 2^32 elements": (b"\x92\xa5hello\xdd\xff\xff\xff\xff", WireReason.BEYOND_LIMIT),
    "arrays nested 100,000 deep": (b"\x91" * 100_000, WireReason.TOO_DEEP),
    "wide arrays nested 10,000 deep": (b"\xdc\x04\x00" * 10_000, WireReason.TOO_DEEP),
}


@pytest.mark.requirement("SIG-2")
@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_a_message_is_refused(data: bytes, reason: WireReason) -> None:
    assert refusal(SERVICE, data) is reason


@pytest.mark.requirement("SIG-2")
def test_a_list_ends_at_1024_elements() -> None:
    longest = b"\x92\xa5hello\xdc\x04\x00" + b"\x01" * 1024
    assert wire.decode(SERVICE, longest) == Hello((1,) * 1024)
    assert (
        refusal(SERVICE, b"\x92\xa5hello\xdc\x04\x01" + b"\x01" * 1025) is WireReason.BEYOND_LIMIT
    )


@pytest.mark.requirement("SIG-2")
def test_text_ends_at_64_kib() -> None:
    # SERVICE, because a call message with such a text is larger than its family allows
    head = b"\x95\xa7refused\xa0\xc0\xa0\xdb"
    longest = head + (2**16).to_bytes(4, "big") + b"a" * 2**16
    assert wire.encode(wire.decode(SERVICE, longest)) == longest
    longer = head + (2**16 + 1).to_bytes(4, "big") + b"a" * (2**16 + 1)
    assert refusal(SERVICE, longer) is WireReason.BEYOND_LIMIT


@pytest.mark.requirement("SIG-3")
@pytest.mark.parametrize(("family", "largest"), [(SERVICE, 2**20), (CALL, 2**16)])
def test_a_longer_message_is_refused_before_it_is_decoded(
    family: Family[Any], largest: int
) -> None:
    # Bytes that would be refused for their first byte: the size is looked at before.
    assert refusal(family, b"\xc1" * (largest + 1)) is WireReason.TOO_LARGE
    assert refusal(family, b"\xc1" * largest) is WireReason.NOT_MESSAGEPACK


@pytest.mark.requirement("SIG-3")
def test_the_largest_message_passes_and_one_byte_more_is_not_sent() -> None:
    envelope = len(wire.encode(Send(bytes(16), b"x" * 2**16))) - 2**16
    largest = Send(bytes(16), bytes(2**20 - envelope))
    encoded = wire.encode(largest)
    assert len(encoded) == 2**20
    assert wire.decode(SERVICE, encoded) == largest
    with pytest.raises(MessageError) as refused:
        wire.encode(Send(bytes(16), bytes(2**20 - envelope + 1)))
    assert refused.value.reason is WireReason.TOO_LARGE


UNSENDABLE: dict[str, tuple[Message, WireReason]] = {
    "an integer beyond its type": (Published(2**32), WireReason.BEYOND_LIMIT),
    "a negative integer": (Claim("bob", -1), WireReason.BEYOND_LIMIT),
    "a call id of 15 bytes": (Open(bytes(15), b""), WireReason.BEYOND_LIMIT),
    "a list of 1,025 elements": (Publish((b"",) * 1025), WireReason.BEYOND_LIMIT),
    "a lone surrogate": (Hangup("\ud800"), WireReason.BEYOND_LIMIT),
    "text beyond 64 KiB": (Accepted("a" * (2**16 + 1)), WireReason.BEYOND_LIMIT),
    "a secret": (Send(bytes(16), Secret(bytes(32))), WireReason.WRONG_TYPE),
    "a mutable list": (Hello([1]), WireReason.WRONG_TYPE),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("message", "reason"), UNSENDABLE.values(), ids=UNSENDABLE)
def test_we_encode_nothing_that_we_would_refuse(message: Message, reason: WireReason) -> None:
    with pytest.raises(MessageError) as refused:
        wire.encode(message)
    assert refused.value.reason is reason
