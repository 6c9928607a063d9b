"""Structures: annotations in wire order become one codec, and a declaration that would lie is refused."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from enum import IntEnum
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.errors import DecodeError, DecodeReason
from e2ee.testing.rebuilt import rebuilt
from e2ee.tls_syntax import (
    MAX_DEPTH,
    EncodedOnce,
    EncodeError,
    EncodeReason,
    Opaque,
    Struct,
    Uint8,
    Uint16,
    Uint32,
    enum,
    fixed,
    nothing,
    opaque,
    optional,
    select,
    struct,
    uint8,
    vector,
)


class SenderType(IntEnum):
    MEMBER = 1
    EXTERNAL = 2
    NEW_MEMBER_COMMIT = 4


@struct
class Sender(Struct):
    sender_type: Annotated[SenderType, enum(SenderType, uint8)]
    leaf_index: Annotated[
        int | None,
        select(
            "sender_type",
            {
                SenderType.MEMBER: Uint32.__metadata__[0],
                SenderType.NEW_MEMBER_COMMIT: nothing,
            },
        ),
    ]


@struct
class Extension(Struct):
    extension_type: Uint16
    extension_data: Opaque


@struct
class Content(Struct):
    group_id: Opaque
    sender: Sender
    tag: Annotated[
        bytes | None, select("sender.sender_type", {SenderType.MEMBER: fixed(4)}, default=nothing)
    ]
    extensions: Annotated[tuple[Extension, ...], vector(Extension.codec())]
    parent: Annotated[Extension | None, optional(Extension.codec())]


extensions = st.builds(Extension, st.integers(0, 0xFFFF), st.binary(max_size=70))


@st.composite
def contents(draw: st.DrawFn) -> Content:
    member = draw(st.booleans())
    return Content(
        draw(st.binary(max_size=20)),
        Sender(SenderType.MEMBER, draw(st.integers(0, 2**32 - 1)))
        if member
        else Sender(SenderType.NEW_MEMBER_COMMIT, None),
        draw(st.binary(min_size=4, max_size=4)) if member else None,
        tuple(draw(st.lists(extensions, max_size=3))),
        draw(st.none() | extensions),
    )


@given(contents())
def test_a_structure_is_read_back_equal(content: Content) -> None:
    assert Content.decode(content.encode()) == content


@given(st.binary(max_size=60) | contents().map(lambda content: content.encode()), st.data())
def test_any_bytes_are_one_structure_or_refused(encoding: bytes, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(encoding)))
    spliced = encoding[:position] + data.draw(st.binary(max_size=3)) + encoding[position + 1 :]
    try:
        content = Content.decode(spliced)
    except DecodeError as error:
        assert isinstance(error.reason, DecodeReason)
    else:
        assert content.encode() == spliced


def test_fields_lie_in_the_order_in_which_they_are_declared() -> None:
    content = Content(
        b"g", Sender(SenderType.MEMBER, 7), b"abcd", (Extension(1, b"x"),), Extension(2, b"")
    )
    assert content.encode().hex(" ") == (
        "01 67 01 00 00 00 07 61 62 63 64 04 00 01 01 78 01 00 02 00"
    )


def test_a_selected_field_follows_its_tag() -> None:
    assert Sender.decode(b"\x04") == Sender(SenderType.NEW_MEMBER_COMMIT, None)
    assert Sender.decode(b"\x01\0\0\0\x05") == Sender(SenderType.MEMBER, 5)


def test_a_tag_without_a_case_is_refused_on_both_sides() -> None:
    with pytest.raises(DecodeError) as refused:
        Sender.decode(b"\x02\0\0\0\x05")
    assert refused.value.reason is DecodeReason.UNKNOWN_VALUE
    with pytest.raises(EncodeError) as not_written:
        Sender(SenderType.EXTERNAL, 5).encode()
    assert not_written.value.reason is EncodeReason.NO_SUCH_VARIANT


@pytest.mark.parametrize(
    "sender",
    [Sender(SenderType.NEW_MEMBER_COMMIT, 5), Sender(SenderType.MEMBER, None)],
)
def test_a_value_of_another_case_is_not_written_as_this_one(sender: Sender) -> None:
    with pytest.raises(EncodeError) as refused:
        sender.encode()
    assert refused.value.reason is EncodeReason.WRONG_TYPE


def test_a_structure_of_another_type_is_not_written_in_a_structures_place() -> None:
    content = Content(b"", Extension(1, b""), None, (), None)  # type: ignore[arg-type]
    with pytest.raises(EncodeError) as refused:
        content.encode()
    assert refused.value.reason is EncodeReason.WRONG_TYPE


def test_structures_are_frozen_and_comparable() -> None:
    extension = Extension(1, b"x")
    assert extension == Extension(1, b"x")
    assert len({extension, Extension(1, b"x")}) == 1
    with pytest.raises(FrozenInstanceError):
        extension.extension_type = 2  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        extension.another = 2  # type: ignore[attr-defined]


def test_a_structure_in_a_hostile_encoding_costs_no_more_than_its_bytes() -> None:
    claims_a_gibibyte = bytes.fromhex("00 04 bfffffff 00")
    with pytest.raises(DecodeError) as refused:
        Content.decode(claims_a_gibibyte)
    assert refused.value.reason is DecodeReason.TRUNCATED


def declared(**annotations: Any) -> type[Struct]:
    return struct(type("Declared", (Struct,), {"__annotations__": annotations}))


def test_a_field_without_a_codec_is_refused_when_it_is_declared() -> None:
    with pytest.raises(TypeError, match="0 codecs"):
        declared(epoch=int)


def test_a_field_with_two_codecs_is_refused_when_it_is_declared() -> None:
    with pytest.raises(TypeError, match="2 codecs"):
        declared(tag=Annotated[Opaque, fixed(4)])


@pytest.mark.parametrize("tag", ["kind", "value", "other"])
def test_a_select_by_a_field_that_is_not_before_it_is_refused_when_it_is_declared(tag: str) -> None:
    with pytest.raises(TypeError, match="not an earlier field"):
        declared(value=Annotated[Any, select(tag, {1: opaque})], kind=Uint8)


def test_structures_have_a_deepest_nesting() -> None:
    inner = declared(value=Uint8)
    for _ in range(MAX_DEPTH - 1):
        inner = declared(value=inner)
    with pytest.raises(TypeError, match="deeper"):
        declared(value=inner)


def test_a_structure_without_bytes_is_no_element_of_a_vector() -> None:
    with pytest.raises(TypeError, match="at least one byte"):
        vector(declared().codec())


@struct
class Capabilities(EncodedOnce):
    versions: Annotated[tuple[int, ...], vector(uint8)]


@struct
class Leaf(EncodedOnce):
    key: Opaque
    capabilities: Capabilities
    signature: Opaque


@struct
class LeafInTree(Struct):
    leaf_index: Uint32
    leaf: Leaf


leaves = st.builds(
    Leaf,
    st.binary(max_size=70),
    st.builds(Capabilities, st.lists(st.integers(0, 255), max_size=3).map(tuple)),
    st.binary(max_size=70),
)
in_tree = st.builds(LeafInTree, st.integers(0, 2**32 - 1), leaves)


@given(in_tree)
def test_an_encoding_that_was_kept_is_the_one_that_would_be_made(sent: LeafInTree) -> None:
    """At every depth, made or read: a structure that remembers nothing encodes to the same bytes."""
    received = LeafInTree.decode(sent.encode())
    assert received == sent
    for one in (sent, received):
        assert one.encode() == rebuilt(one).encode()
        assert one.leaf.encode() == rebuilt(one.leaf).encode()
        assert one.leaf.capabilities.encode() == rebuilt(one.leaf.capabilities).encode()


@given(st.binary(max_size=30) | in_tree.map(lambda value: value.encode()), st.data())
def test_bytes_that_are_kept_are_the_only_encoding(encoding: bytes, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(encoding)))
    spliced = encoding[:position] + data.draw(st.binary(max_size=3)) + encoding[position + 1 :]
    try:
        received = LeafInTree.decode(spliced)
    except DecodeError:
        return
    assert rebuilt(received).encode() == spliced


@given(leaves, st.binary(max_size=9))
def test_a_changed_copy_does_not_keep_the_encoding(leaf: Leaf, signature: bytes) -> None:
    for original in (leaf, Leaf.decode(leaf.encode())):
        changed = replace(original, signature=signature)
        assert changed.encode() == Leaf(leaf.key, leaf.capabilities, signature).encode()
        assert original.encode() == leaf.encode()


def test_a_kept_encoding_is_no_part_of_the_value() -> None:
    leaf = Leaf(b"key", Capabilities((1,)), b"signature")
    received = Leaf.decode(leaf.encode())
    assert received.encode() is received.encode()
    assert received == rebuilt(received)
    assert hash(received) == hash(rebuilt(received))
    assert repr(received) == repr(rebuilt(received))


def test_what_cannot_be_encoded_is_refused_again() -> None:
    leaf = Leaf(b"key", Capabilities((256,)), b"")
    for _ in range(2):
        with pytest.raises(EncodeError):
            leaf.encode()
    with pytest.raises(EncodeError):
        LeafInTree(0, Capabilities(())).encode()  # type: ignore[arg-type]
