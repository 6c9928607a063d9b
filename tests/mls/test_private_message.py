"""RFC 9420 Section 6.3: what lies in a PrivateMessage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.errors import DecodeError, RemoteProtocolError
from e2ee.mls.commit import Commit
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.framing import ContentType, FramedContentAuthData
from e2ee.mls.private_message import (
    PrivateContentAAD,
    PrivateMessage,
    SenderData,
    SenderDataAAD,
    decode_private_message_content,
    encode_private_message_content,
    guarded_nonce,
)
from e2ee.mls.proposal import Proposal, Remove

SIGNED = FramedContentAuthData(b"signature", None)
CONFIRMED = FramedContentAuthData(b"signature", b"tag")


@pytest.mark.parametrize("padding", [0, 1, 100])
@pytest.mark.parametrize(
    ("content_type", "content", "auth"),
    [
        (ContentType.APPLICATION, b"hello", SIGNED),
        (ContentType.PROPOSAL, Proposal(Remove(1)), SIGNED),
        (ContentType.COMMIT, Commit((), None), CONFIRMED),
    ],
)
def test_contents_are_padded_with_zeros(
    content_type: ContentType,
    content: bytes | Proposal | Commit,
    auth: FramedContentAuthData,
    padding: int,
) -> None:
    plaintext = encode_private_message_content(content_type, content, auth, padding)
    assert plaintext.endswith(bytes(padding))
    assert decode_private_message_content(content_type, plaintext) == (content, auth)


@pytest.mark.parametrize("padding", [b"\x01", b"\x00\x01", b"\x01\x00", bytes(50) + b"\xff"])
def test_padding_hides_nothing(padding: bytes) -> None:
    plaintext = encode_private_message_content(ContentType.APPLICATION, b"hello", SIGNED, 0)
    with pytest.raises(ValidationError) as refused:
        decode_private_message_content(ContentType.APPLICATION, plaintext + padding)
    assert refused.value.reason == Rule.NON_ZERO_PADDING


@given(st.sampled_from(ContentType), st.binary(max_size=300))
def test_arbitrary_plaintexts_are_content_or_refused(
    content_type: ContentType, plaintext: bytes
) -> None:
    try:
        content, auth = decode_private_message_content(content_type, plaintext)
    except DecodeError:
        return
    except RemoteProtocolError as error:
        assert error.reason == Rule.NON_ZERO_PADDING
        return
    again = encode_private_message_content(content_type, content, auth, 0)
    assert plaintext.rstrip(b"\x00") == again.rstrip(b"\x00")
    assert plaintext.startswith(again)


def test_the_reuse_guard_changes_the_first_four_bytes() -> None:
    nonce = bytes(range(12))
    assert guarded_nonce(nonce, b"\x00\x00\x00\x00") == nonce
    assert guarded_nonce(nonce, b"\xff\x00\x00\x01") == b"\xff\x01\x02\x02" + nonce[4:]


def test_sender_data_is_twelve_bytes() -> None:
    data = SenderData(leaf_index=1, generation=2, reuse_guard=b"abcd")
    assert data.encode() == b"\x00\x00\x00\x01\x00\x00\x00\x02abcd"
    assert SenderData.decode(data.encode()) == data


def test_associated_data_are_the_first_fields_of_the_message() -> None:
    message = PrivateMessage(b"group", 7, ContentType.COMMIT, b"data", b"sender", b"ciphertext")
    sender = SenderDataAAD(b"group", 7, ContentType.COMMIT).encode()
    content = PrivateContentAAD(b"group", 7, ContentType.COMMIT, b"data").encode()
    assert content.startswith(sender)
    assert message.encode().startswith(content)
