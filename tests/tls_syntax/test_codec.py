"""RFC 9420 Section 2.1: one encoding for each value, one value for each encoding, everything else refused."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.errors import DecodeError, DecodeReason
from e2ee.tls_syntax import (
    MAX_DEPTH,
    Codec,
    EncodeError,
    EncodeReason,
    Reader,
    enum,
    fixed,
    nothing,
    opaque,
    optional,
    read_length,
    uint8,
    uint16,
    uint32,
    uint64,
    vector,
    write_length,
)


class ContentType(IntEnum):
    APPLICATION = 1
    PROPOSAL = 2
    COMMIT = 3


Typed = tuple[Codec[Any], st.SearchStrategy[Any]]

content_type = enum(ContentType, uint8)
LEAF_TYPES: list[Typed] = [
    (uint8, st.integers(0, 2**8 - 1)),
    (uint16, st.integers(0, 2**16 - 1)),
    (uint32, st.integers(0, 2**32 - 1)),
    (uint64, st.integers(0, 2**64 - 1)),
    (fixed(3), st.binary(min_size=3, max_size=3)),
    (opaque, st.binary(max_size=80)),
    (content_type, st.sampled_from(ContentType)),
]


def vector_of(inner: Typed) -> Typed:
    return vector(inner[0]), st.lists(inner[1], max_size=5).map(tuple)


def optional_of(inner: Typed) -> Typed:
    return optional(inner[0]), st.none() | inner[1]


types = st.recursive(
    st.sampled_from(LEAF_TYPES),
    lambda inner: inner.map(vector_of) | inner.map(optional_of),
    max_leaves=4,
)


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[Codec[Any], Any]:
    codec, values = draw(types)
    return codec, draw(values)


@given(typed_values())
def test_every_value_is_read_back_equal(typed_value: tuple[Codec[Any], Any]) -> None:
    codec, value = typed_value
    assert codec.decode(codec.encode(value)) == value


@given(types, st.binary(max_size=200))
def test_any_bytes_are_one_encoding_or_refused(typed: Typed, data: bytes) -> None:
    codec = typed[0]
    try:
        value = codec.decode(data)
    except DecodeError as error:
        assert isinstance(error.reason, DecodeReason)
    else:
        assert codec.encode(value) == data


@given(typed_values(), st.data())
def test_a_changed_encoding_is_another_value_or_refused(
    typed_value: tuple[Codec[Any], Any], data: st.DataObject
) -> None:
    codec, value = typed_value
    encoding = codec.encode(value)
    position = data.draw(st.integers(0, len(encoding) - 1))
    flip = data.draw(st.integers(1, 255))
    changed = bytearray(encoding)
    changed[position] ^= flip
    try:
        assert codec.decode(bytes(changed)) != value
    except DecodeError as error:
        assert isinstance(error.reason, DecodeReason)


@given(typed_values(), st.data())
def test_a_cut_encoding_is_truncated(
    typed_value: tuple[Codec[Any], Any], data: st.DataObject
) -> None:
    codec, value = typed_value
    encoding = codec.encode(value)
    kept = data.draw(st.integers(0, len(encoding) - 1))
    with pytest.raises(DecodeError) as refused:
        codec.decode(encoding[:kept])
    assert refused.value.reason is DecodeReason.TRUNCATED


@given(typed_values(), st.binary(min_size=1, max_size=4))
def test_bytes_after_the_end_are_refused(typed_value: tuple[Codec[Any], Any], tail: bytes) -> None:
    codec, value = typed_value
    with pytest.raises(DecodeError) as refused:
        codec.decode(codec.encode(value) + tail)
    assert refused.value.reason is DecodeReason.TRAILING_BYTES


def length_header(length: int) -> bytes:
    out = bytearray()
    write_length(length, out)
    return bytes(out)


# The boundaries of RFC 9420 Section 2.1.2, Table 1: 6, 14 and 30 bits.
@pytest.mark.parametrize(
    ("length", "encoding"),
    [
        (0, "00"),
        (63, "3f"),
        (64, "4040"),
        (16383, "7fff"),
        (16384, "80004000"),
        (2**30 - 1, "bfffffff"),
    ],
)
def test_lengths_take_the_shortest_form(length: int, encoding: str) -> None:
    assert length_header(length) == bytes.fromhex(encoding)
    reader = Reader(bytes.fromhex(encoding))
    reader.end += length  # as if the vector's bytes were there
    assert read_length(reader) == length


@pytest.mark.parametrize("length", [2**30, 2**32])
def test_a_vector_over_30_bits_cannot_be_written(length: int) -> None:
    with pytest.raises(EncodeError) as refused:
        length_header(length)
    assert refused.value.reason is EncodeReason.OUT_OF_RANGE


@pytest.mark.parametrize(
    ("encoding", "reason"),
    [
        ("4000", DecodeReason.NON_MINIMAL_LENGTH),
        ("403f" + "00" * 63, DecodeReason.NON_MINIMAL_LENGTH),
        ("80000000", DecodeReason.NON_MINIMAL_LENGTH),
        ("80003fff" + "00" * 0x3FFF, DecodeReason.NON_MINIMAL_LENGTH),
        ("c000000000000000", DecodeReason.BAD_LENGTH),
        ("ff", DecodeReason.BAD_LENGTH),
        ("bfffffff", DecodeReason.TRUNCATED),
        ("40", DecodeReason.TRUNCATED),
        ("800040", DecodeReason.TRUNCATED),
        ("0200", DecodeReason.TRUNCATED),
    ],
)
def test_lengths_in_another_form_are_refused(encoding: str, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        opaque.decode(bytes.fromhex(encoding))
    assert refused.value.reason is reason


def test_an_element_that_runs_over_its_vector_is_refused_though_bytes_follow() -> None:
    two_vectors = vector(vector(uint16))
    assert two_vectors.decode(bytes.fromhex("06 02abcd 02ef01")) == ((0xABCD,), (0xEF01,))
    with pytest.raises(DecodeError) as refused:
        two_vectors.decode(bytes.fromhex("06 03abcd02 02ef01"))
    assert refused.value.reason is DecodeReason.TRUNCATED


@pytest.mark.parametrize("presence", [2, 0x7F, 0xFF])
def test_a_presence_octet_is_0_or_1(presence: int) -> None:
    with pytest.raises(DecodeError) as refused:
        optional(uint8).decode(bytes([presence, 0]))
    assert refused.value.reason is DecodeReason.BAD_PRESENCE


@pytest.mark.parametrize("value", [0, 4, 255])
def test_an_enumeration_is_closed(value: int) -> None:
    with pytest.raises(DecodeError) as refused:
        content_type.decode(bytes([value]))
    assert refused.value.reason is DecodeReason.UNKNOWN_VALUE


def test_an_encoding_has_a_largest_size() -> None:
    assert opaque.decode(opaque.encode(b"1234"), max_size=5) == b"1234"
    with pytest.raises(DecodeError) as refused:
        opaque.decode(opaque.encode(b"12345"), max_size=5)
    assert refused.value.reason is DecodeReason.TOO_LARGE


def test_what_is_read_from_a_mutable_buffer_does_not_change_with_it() -> None:
    buffer = bytearray(opaque.encode(b"1234"))
    value = opaque.decode(buffer)  # type: ignore[arg-type]
    buffer[1:] = b"oops"
    assert value == b"1234"
    assert type(value) is bytes


@pytest.mark.parametrize(
    ("codec", "value", "reason"),
    [
        (uint8, 256, EncodeReason.OUT_OF_RANGE),
        (uint64, 2**64, EncodeReason.OUT_OF_RANGE),
        (uint32, -1, EncodeReason.OUT_OF_RANGE),
        (uint16, "1", EncodeReason.WRONG_TYPE),
        (uint16, None, EncodeReason.WRONG_TYPE),
        (fixed(4), b"123", EncodeReason.WRONG_LENGTH),
        (fixed(4), b"12345", EncodeReason.WRONG_LENGTH),
        (fixed(4), [1, 2, 3, 4], EncodeReason.WRONG_TYPE),
        (opaque, None, EncodeReason.WRONG_TYPE),
        (opaque, [1, 2], EncodeReason.WRONG_TYPE),
        (opaque, "text", EncodeReason.WRONG_TYPE),
        (nothing, b"something", EncodeReason.WRONG_TYPE),
        (vector(uint8), [1, 2], EncodeReason.WRONG_TYPE),
        (vector(uint8), (1, 256), EncodeReason.OUT_OF_RANGE),
        (content_type, 1, EncodeReason.WRONG_TYPE),
        (content_type, 9, EncodeReason.WRONG_TYPE),
    ],
)
def test_a_value_that_would_not_read_back_equal_is_not_written(
    codec: Codec[Any], value: Any, reason: EncodeReason
) -> None:
    with pytest.raises(EncodeError) as refused:
        codec.encode(value)
    assert refused.value.reason is reason


@pytest.mark.parametrize("size", [0, -1])
def test_a_vector_of_elements_without_bytes_is_no_type(size: int) -> None:
    with pytest.raises(TypeError):
        vector(Codec(nothing.read, nothing.write, size))


def test_a_declaration_has_a_deepest_nesting() -> None:
    codec: Codec[Any] = uint8
    for _ in range(MAX_DEPTH):
        codec = vector(codec)
    with pytest.raises(TypeError):
        vector(codec)


def test_a_vector_has_no_more_elements_than_are_allowed() -> None:
    three = vector(uint8, most=3)
    assert three.decode(bytes.fromhex("03 010203")) == (1, 2, 3)
    with pytest.raises(DecodeError) as refused:
        three.decode(bytes.fromhex("04 01020304"))
    assert refused.value.reason is DecodeReason.TOO_LARGE


@pytest.mark.parametrize(("count", "size"), [(256, 0), (300, 3), (2_000, 3)])
def test_elements_of_a_vector_are_tiny_only_if_they_are_few(count: int, size: int) -> None:
    encoded = vector(opaque).encode((bytes(size),) * count)
    assert len(vector(opaque, shortest=4).decode(encoded)) == count


@pytest.mark.parametrize(("count", "size"), [(257, 0), (300, 2), (2_000, 2)])
def test_many_tiny_elements_are_refused(count: int, size: int) -> None:
    encoded = vector(opaque).encode((bytes(size),) * count)
    with pytest.raises(DecodeError) as refused:
        vector(opaque, shortest=4).decode(encoded)
    assert refused.value.reason is DecodeReason.TOO_LARGE
