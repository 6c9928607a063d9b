"""Every structure of RFC 9420 that MLS sends or hashes: one encoding for each value, everything else refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2ee.errors import DecodeError
from e2ee.mls.capabilities import Capabilities, RequiredCapabilities
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.content_authentication import FramedContentTBS
from e2ee.mls.credential import Certificate, Credential, CredentialType
from e2ee.mls.extension import Extension, ExternalPub, ExternalSender
from e2ee.mls.framing import (
    AuthenticatedContent,
    ContentType,
    FramedContent,
    FramedContentAuthData,
    Sender,
    SenderType,
    WireFormat,
)
from e2ee.mls.group_context import GroupContext, ProtocolVersion
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.labels import HPKECiphertext
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, Lifetime
from e2ee.mls.message import MLSMessage
from e2ee.mls.private_message import PrivateContentAAD, PrivateMessage, SenderData, SenderDataAAD
from e2ee.mls.proposal import (
    Add,
    CustomProposal,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ReInit,
    Remove,
    Update,
)
from e2ee.mls.psk import PreSharedKeyID, PSKType, ResumptionPSK, ResumptionPSKUsage
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.tree_node import Node, NodeType, ParentNode
from e2ee.mls.update_path import UpdatePath, UpdatePathNode
from e2ee.mls.welcome import EncryptedGroupSecrets, Welcome
from e2ee.testing.rebuilt import rebuilt
from e2ee.tls_syntax import Struct

Any_ = st.SearchStrategy[Any]


def up_to(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


def some(element: Any_, at_most: int = 2) -> Any_:
    return st.lists(element, max_size=at_most).map(tuple)


octets = st.binary(max_size=70)  # lengths of one and of two bytes
code_points = some(up_to(16), 4)

credentials = st.one_of(
    st.builds(Credential.basic, octets),
    st.builds(Credential, st.just(CredentialType.X509), some(st.builds(Certificate, octets))),
)
extensions = st.lists(
    st.builds(Extension, up_to(16), octets), max_size=3, unique_by=lambda e: e.extension_type
).map(tuple)
capabilities = st.builds(Capabilities, *[code_points] * 5)
contexts = st.builds(
    GroupContext,
    st.just(ProtocolVersion.MLS10),
    up_to(16),
    octets,
    up_to(64),
    octets,
    octets,
    extensions,
)
psk_ids = st.one_of(
    st.builds(PreSharedKeyID.external, octets, octets),
    st.builds(
        PreSharedKeyID,
        st.just(PSKType.RESUMPTION),
        st.builds(ResumptionPSK, st.sampled_from(ResumptionPSKUsage), octets, up_to(64)),
        octets,
    ),
)
DETAILS: dict[LeafNodeSource, Any_] = {
    LeafNodeSource.KEY_PACKAGE: st.builds(Lifetime, up_to(64), up_to(64)),
    LeafNodeSource.UPDATE: st.none(),
    LeafNodeSource.COMMIT: octets,
}
leaf_nodes = st.sampled_from(LeafNodeSource).flatmap(
    lambda source: st.builds(
        LeafNode,
        octets,
        octets,
        credentials,
        capabilities,
        st.just(source),
        DETAILS[source],
        extensions,
        octets,
    )
)
key_packages = st.builds(KeyPackage, up_to(16), up_to(16), octets, leaf_nodes, extensions, octets)
parent_nodes = st.builds(ParentNode, octets, octets, some(up_to(32), 3))
nodes = st.one_of(
    st.builds(Node, st.just(NodeType.LEAF), leaf_nodes),
    st.builds(Node, st.just(NodeType.PARENT), parent_nodes),
)
sealed = st.builds(HPKECiphertext, octets, octets)
update_paths = st.builds(
    UpdatePath, leaf_nodes, some(st.builds(UpdatePathNode, octets, some(sealed)))
)
proposals = st.one_of(
    st.builds(Add, key_packages),
    st.builds(Update, leaf_nodes),
    st.builds(Remove, up_to(32)),
    st.builds(PreSharedKey, psk_ids),
    st.builds(ReInit, octets, up_to(16), up_to(16), extensions),
    st.builds(ExternalInit, octets),
    st.builds(GroupContextExtensions, extensions),
    st.builds(CustomProposal, st.integers(0xF000, 0xFFFF), octets),
).map(Proposal)
commits = st.builds(
    Commit,
    some(
        st.builds(ProposalOrRef.by_value, proposals) | st.builds(ProposalOrRef.by_reference, octets)
    ),
    st.none() | update_paths,
)
SENDER_INDEX: dict[SenderType, Any_] = {
    SenderType.MEMBER: up_to(32),
    SenderType.EXTERNAL: up_to(32),
    SenderType.NEW_MEMBER_PROPOSAL: st.none(),
    SenderType.NEW_MEMBER_COMMIT: st.none(),
}
senders = st.sampled_from(SenderType).flatmap(
    lambda sender_type: st.builds(Sender, st.just(sender_type), SENDER_INDEX[sender_type])
)
framed_contents = st.builds(
    FramedContent.of, contexts, senders, st.one_of(octets, proposals, commits), octets
)


def auth_of(content: FramedContent) -> Any_:
    commit = content.content_type == ContentType.COMMIT
    return st.builds(FramedContentAuthData, octets, octets if commit else st.none())


def tbs_of(content: FramedContent) -> Any_:
    inside = content.sender.sender_type in (SenderType.MEMBER, SenderType.NEW_MEMBER_COMMIT)
    return st.builds(
        FramedContentTBS,
        st.just(ProtocolVersion.MLS10),
        st.sampled_from(WireFormat),
        st.just(content),
        contexts if inside else st.none(),
    )


def public_message_of(content: FramedContent) -> Any_:
    member = content.sender.sender_type == SenderType.MEMBER
    tag = octets if member else st.none()
    return st.builds(PublicMessage, st.just(content), auth_of(content), tag)


public_messages = framed_contents.flatmap(public_message_of)
private_messages = st.builds(
    PrivateMessage, octets, up_to(64), st.sampled_from(ContentType), octets, octets, octets
)
welcomes = st.builds(
    Welcome, up_to(16), some(st.builds(EncryptedGroupSecrets, octets, sealed)), octets
)
group_infos = st.builds(GroupInfo, contexts, extensions, octets, up_to(32), octets)
STRUCTURES: dict[type[Struct], Any_] = {
    Credential: credentials,
    Extension: st.builds(Extension, up_to(16), octets),
    ExternalPub: st.builds(ExternalPub, octets),
    ExternalSender: st.builds(ExternalSender, octets, credentials),
    Capabilities: capabilities,
    RequiredCapabilities: st.builds(RequiredCapabilities, *[code_points] * 3),
    GroupContext: contexts,
    PreSharedKeyID: psk_ids,
    LeafNode: leaf_nodes,
    KeyPackage: key_packages,
    Node: nodes,
    UpdatePath: update_paths,
    Proposal: proposals,
    Commit: commits,
    Sender: senders,
    FramedContent: framed_contents,
    FramedContentTBS: framed_contents.flatmap(tbs_of),
    AuthenticatedContent: framed_contents.flatmap(
        lambda content: st.builds(
            AuthenticatedContent, st.sampled_from(WireFormat), st.just(content), auth_of(content)
        )
    ),
    PublicMessage: public_messages,
    PrivateMessage: private_messages,
    PrivateContentAAD: st.builds(
        PrivateContentAAD, octets, up_to(64), st.sampled_from(ContentType), octets
    ),
    SenderData: st.builds(SenderData, up_to(32), up_to(32), st.binary(min_size=4, max_size=4)),
    SenderDataAAD: st.builds(SenderDataAAD, octets, up_to(64), st.sampled_from(ContentType)),
    Welcome: welcomes,
    GroupInfo: group_infos,
    MLSMessage: st.one_of(
        public_messages,
        private_messages,
        welcomes,
        group_infos,
        key_packages.map(lambda key_package: replace(key_package, version=1)),
    ).map(MLSMessage.of),
}
A_QUARTER = settings(max_examples=settings().max_examples // 4)
"""Of the profile's examples: there are many structures, and a commit takes a while to draw."""

structures = pytest.mark.parametrize("structure", STRUCTURES, ids=lambda s: s.__name__)


def decodes_to_itself(structure: type[Struct], data: bytes) -> None:
    """Bytes are the encoding of what they decode to, or they are refused with the documented error."""
    try:
        value = structure.decode(data)
    except DecodeError:
        return
    assert rebuilt(value).encode() == data


@structures
@A_QUARTER
@given(st.data())
def test_values_come_back_from_their_encoding(structure: type[Struct], data: st.DataObject) -> None:
    value = data.draw(STRUCTURES[structure])
    assert structure.decode(value.encode()) == value


@structures
@given(st.binary(max_size=400))
def test_arbitrary_bytes(structure: type[Struct], data: bytes) -> None:
    decodes_to_itself(structure, data)


@structures
@A_QUARTER
@given(st.data())
def test_encodings_with_a_fault(structure: type[Struct], data: st.DataObject) -> None:
    """A byte changed, left out or put in."""
    encoding = bytearray(data.draw(STRUCTURES[structure]).encode())
    position = data.draw(st.integers(0, len(encoding) - 1))
    replacement = data.draw(st.binary(max_size=2))
    encoding[position : position + 1] = replacement
    decodes_to_itself(structure, bytes(encoding))


@structures
@A_QUARTER
@given(st.data())
def test_no_encoding_begins_another(structure: type[Struct], data: st.DataObject) -> None:
    encoding = data.draw(STRUCTURES[structure]).encode()
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
