"""Every structure of RFC 9420 that MLS sends or hashes: one encoding for each value, everything else refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2ee.errors import DecodeError
from e2ee.mls.capabilities import Capabilities, RequiredCapabilities
from e2ee.mls.commit import Commit
from e2ee.mls.content_authentication import FramedContentTBS
from e2ee.mls.credential import Credential
from e2ee.mls.extension import Extension, ExternalPub, ExternalSender
from e2ee.mls.framing import (
    AuthenticatedContent,
    FramedContent,
    Sender,
)
from e2ee.mls.group_context import GroupContext
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.message import MLSMessage
from e2ee.mls.private_message import PrivateContentAAD, PrivateMessage, SenderData, SenderDataAAD
from e2ee.mls.proposal import (
    Proposal,
)
from e2ee.mls.psk import PreSharedKeyID
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.tree_node import Node
from e2ee.mls.update_path import UpdatePath
from e2ee.mls.welcome import Welcome
from e2ee.testing.rebuilt import rebuilt
from e2ee.testing.strategies import structures
from e2ee.tls_syntax import Struct

STRUCTURES: list[type[Struct]] = [
    Credential,
    Extension,
    ExternalPub,
    ExternalSender,
    Capabilities,
    RequiredCapabilities,
    GroupContext,
    PreSharedKeyID,
    LeafNode,
    KeyPackage,
    Node,
    UpdatePath,
    Proposal,
    Commit,
    Sender,
    FramedContent,
    FramedContentTBS,
    AuthenticatedContent,
    PublicMessage,
    PrivateMessage,
    PrivateContentAAD,
    SenderData,
    SenderDataAAD,
    Welcome,
    GroupInfo,
    MLSMessage,
]
A_QUARTER = settings(max_examples=settings().max_examples // 4)
"""Of the profile's examples: there are many structures, and a commit takes a while to draw."""

every_structure = pytest.mark.parametrize("structure", STRUCTURES, ids=lambda s: s.__name__)


def decodes_to_itself(structure: type[Struct], data: bytes) -> None:
    """Bytes are the encoding of what they decode to, or they are refused with the documented error."""
    try:
        value = structure.decode(data)
    except DecodeError:
        return
    assert rebuilt(value).encode() == data


@every_structure
@A_QUARTER
@given(st.data())
def test_values_come_back_from_their_encoding(structure: type[Struct], data: st.DataObject) -> None:
    value = data.draw(structures(structure))
    assert structure.decode(value.encode()) == value


@every_structure
@given(st.binary(max_size=400))
def test_arbitrary_bytes(structure: type[Struct], data: bytes) -> None:
    decodes_to_itself(structure, data)


@every_structure
@A_QUARTER
@given(st.data())
def test_encodings_with_a_fault(structure: type[Struct], data: st.DataObject) -> None:
    """A byte changed, left out or put in."""
    encoding = bytearray(data.draw(structures(structure)).encode())
    position = data.draw(st.integers(0, len(encoding) - 1))
    replacement = data.draw(st.binary(max_size=2))
    encoding[position : position + 1] = replacement
    decodes_to_itself(structure, bytes(encoding))


@every_structure
@A_QUARTER
@given(st.data())
def test_no_encoding_begins_another(structure: type[Struct], data: st.DataObject) -> None:
    encoding = data.draw(structures(structure)).encode()
    cut = data.draw(st.integers(0, len(encoding) - 1))
    for wrong in (encoding[:cut], encoding + b"\x00"):
        with pytest.raises(DecodeError):
            structure.decode(wrong)


@pytest.mark.parametrize(
    ("structure", "reserved"),
    [
        (Credential, b"\x00\x00\x00"),
        (Credential, b"\x0a\x0a\x00"),
        (Proposal, b"\x00\x00"),
        (Proposal, b"\x0a\x0a"),
        (Proposal, b"\x00\x08"),
        (Sender, b"\x00"),
        (Sender, b"\x05"),
        (MLSMessage, b"\x00\x00\x00\x01"),
        (MLSMessage, b"\x00\x02\x00\x01"),
        (MLSMessage, b"\x00\x01\x00\x00"),
        (MLSMessage, b"\x00\x01\x00\x06"),
        (PreSharedKeyID, b"\x00\x00\x00"),
    ],
)
def test_reserved_and_unknown_types_are_refused_where_they_have_no_length(
    structure: type[Struct], reserved: bytes
) -> None:
    with pytest.raises(DecodeError):
        structure.decode(reserved + bytes(100))
