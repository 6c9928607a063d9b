"""Messages of one epoch: content is framed, signed, and wrapped as a PublicMessage or a PrivateMessage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from e2ee.crypto.secret import Secret
from e2ee.mls import tree_math
from e2ee.mls.commit import Commit
from e2ee.mls.framing import (
    AuthenticatedContent,
    ContentType,
    FramedContent,
    FramedContentAuthData,
    Sender,
    SenderType,
    WireFormat,
    auth_data,
)
from e2ee.mls.group_context import GroupContext, ProtocolVersion
from e2ee.mls.labels import derive_tree_secret, expand_with_label
from e2ee.mls.message import MLSMessage
from e2ee.mls.private_message import (
    PrivateContentAAD,
    PrivateMessage,
    SenderData,
    SenderDataAAD,
    encode_private_message_content,
    guarded_nonce,
)
from e2ee.mls.proposal import Proposal, ProposalContent, make_proposal_ref
from e2ee.mls.public_message import PublicMessage
from e2ee.testing.mls_forge.epochs import Epoch
from e2ee.testing.mls_forge.forge import Change, Forge, same
from e2ee.tls_syntax import uint16

__all__ = [
    "PRIVATE",
    "PUBLIC",
    "Framing",
    "Sent",
    "frame",
    "propose",
    "say",
    "tbs",
    "wrap",
]

PUBLIC, PRIVATE = WireFormat.PUBLIC_MESSAGE, WireFormat.PRIVATE_MESSAGE

_KNOWS_THE_GROUP = {SenderType.MEMBER, SenderType.NEW_MEMBER_COMMIT}


@dataclass(frozen=True, slots=True)
class Framing:
    """How content is wrapped, and what is changed on the way.

    ``signer`` is a public signature key, ``signed_as`` the wire format and ``signed_in`` the context under the
    signature, if they are not the sender's, the message's and the epoch's. ``moved`` changes what is already signed.
    ``padding`` is the padding itself; ``ratchet`` is the leaf whose keys encrypt, if it is not the sender's.
    """

    wire_format: WireFormat = PUBLIC
    authenticated_data: bytes = b""
    content: Change[FramedContent] = same
    signer: bytes | None = None
    signed_as: WireFormat | None = None
    signed_in: GroupContext | None = None
    signature: Change[bytes] = same
    moved: Change[FramedContent] = same
    confirmation_tag: Change[bytes] = same
    membership_tag: Change[bytes] = same
    membership_key: Change[Secret] = same
    generation: int = 0
    padding: bytes = b""
    plaintext: Change[bytes] = same
    ratchet: int | None = None
    sender_data: Change[SenderData] = same
    private_message: Change[PrivateMessage] = same


@dataclass(frozen=True, slots=True)
class Sent:
    """A proposal as it was sent by the member at leaf ``sender`` (None: by somebody who is none)."""

    proposal: Proposal
    sender: int | None
    reference: bytes
    message: MLSMessage


def tbs(wire_format: WireFormat, content: FramedContent, context: GroupContext) -> bytes:
    """FramedContentTBS (RFC 9420 Section 6.1)."""
    head = uint16.encode(ProtocolVersion.MLS10) + uint16.encode(wire_format) + content.encode()
    return head + (context.encode() if content.sender.sender_type in _KNOWS_THE_GROUP else b"")


def frame(
    forge: Forge,
    epoch: Epoch,
    sender: Sender,
    content: bytes | Proposal | Commit,
    signer: bytes,
    framing: Framing,
) -> AuthenticatedContent:
    """Content, signed; a commit has no confirmation tag yet. ``signer`` is the sender's public key."""
    framed = framing.content(
        FramedContent.of(epoch.context, sender, content, framing.authenticated_data)
    )
    signed_as = framing.signed_as or framing.wire_format
    signed = tbs(signed_as, framed, framing.signed_in or epoch.context)
    signature = forge.sign(framing.signer or signer, "FramedContentTBS", signed)
    auth = FramedContentAuthData(framing.signature(signature), None)
    return AuthenticatedContent(framing.wire_format, framing.moved(framed), auth)


def wrap(forge: Forge, epoch: Epoch, signed: AuthenticatedContent, framing: Framing) -> MLSMessage:
    """The message with this signed content."""
    if framing.wire_format == PRIVATE:
        return MLSMessage.of(_encrypt(forge, epoch, signed, framing))
    content, auth = signed.content, signed.auth
    if content.sender.sender_type != SenderType.MEMBER:
        return MLSMessage.of(PublicMessage(content, auth, None))
    covered = tbs(PUBLIC, content, epoch.context) + auth_data[content.content_type].encode(auth)
    membership_key = framing.membership_key(epoch.secrets.membership_key)
    tag = framing.membership_tag(epoch.suite.kdf.hmac(membership_key, covered))
    return MLSMessage.of(PublicMessage(content, auth, tag))


def say(
    forge: Forge,
    epoch: Epoch,
    sender: int,
    content: bytes | Proposal | Commit,
    framing: Framing | None = None,
) -> MLSMessage:
    """A message of the member at leaf ``sender``; a commit gets the confirmation tag of nothing at all."""
    framing = framing or Framing(PRIVATE)
    signer = epoch.leaf(sender).signature_key
    signed = frame(forge, epoch, Sender.member(sender), content, signer, framing)
    if isinstance(content, Commit):
        tag = framing.confirmation_tag(bytes(epoch.suite.kdf.Nh))
        signed = replace(signed, auth=FramedContentAuthData(signed.auth.signature, tag))
    return wrap(forge, epoch, signed, framing)


def propose(
    forge: Forge,
    epoch: Epoch,
    sender: int,
    content: ProposalContent | Proposal,
    framing: Framing | None = None,
) -> Sent:
    """A proposal of the member at leaf ``sender``, to be committed by reference."""
    framing = framing or Framing()
    proposal = content if isinstance(content, Proposal) else Proposal(content)
    signer = epoch.leaf(sender).signature_key
    signed = frame(forge, epoch, Sender.member(sender), proposal, signer, framing)
    reference = make_proposal_ref(epoch.suite, signed.encode())
    return Sent(proposal, sender, reference, wrap(forge, epoch, signed, framing))


def _encrypt(
    forge: Forge, epoch: Epoch, signed: AuthenticatedContent, framing: Framing
) -> PrivateMessage:
    """RFC 9420 Section 6.3."""
    content, suite = signed.content, epoch.suite
    header = (content.group_id, content.epoch, content.content_type)
    leaf_index = content.sender.index or 0
    encoded = encode_private_message_content(
        content.content_type, content.content, signed.auth, padding=0
    )
    guard = forge.entropy.random(4)
    ratchet = leaf_index if framing.ratchet is None else framing.ratchet
    key, nonce = _message_key(epoch, ratchet, content.content_type, framing.generation)
    ciphertext = suite.aead.key(key).seal(
        guarded_nonce(nonce, guard),
        PrivateContentAAD(*header, content.authenticated_data).encode(),
        framing.plaintext(encoded + framing.padding),
    )
    sender_data = framing.sender_data(SenderData(leaf_index, framing.generation, guard))
    sealed = _encrypt_sender_data(epoch, header, sender_data, ciphertext)
    message = PrivateMessage(*header, content.authenticated_data, sealed, ciphertext)
    return framing.private_message(message)


def _encrypt_sender_data(
    epoch: Epoch,
    header: tuple[bytes, int, ContentType],
    sender_data: SenderData,
    ciphertext: bytes,
) -> bytes:
    """RFC 9420 Section 6.3.2."""
    suite, secret = epoch.suite, epoch.secrets.sender_data_secret
    sample = ciphertext[: suite.kdf.Nh]
    key = expand_with_label(suite.kdf, secret, "key", sample, suite.aead.Nk)
    nonce = expand_with_label(suite.kdf, secret, "nonce", sample, suite.aead.Nn)
    return suite.aead.key(key).seal(nonce, SenderDataAAD(*header).encode(), sender_data.encode())


def _message_key(
    epoch: Epoch, leaf_index: int, content_type: ContentType, generation: int
) -> tuple[Secret, Secret]:
    """RFC 9420 Section 9: key and nonce of one generation of a leaf's ratchet."""
    suite, kdf = epoch.suite, epoch.suite.kdf
    secret = epoch.secrets.encryption_secret
    for side in _way_to(leaf_index, epoch.tree.leaf_count):
        secret = expand_with_label(kdf, secret, "tree", side, kdf.Nh)
    ratchet = "application" if content_type == ContentType.APPLICATION else "handshake"
    secret = expand_with_label(kdf, secret, ratchet, b"", kdf.Nh)
    for passed in range(generation):
        secret = derive_tree_secret(kdf, secret, "secret", passed, kdf.Nh)
    return (
        derive_tree_secret(kdf, secret, "key", generation, suite.aead.Nk),
        derive_tree_secret(kdf, secret, "nonce", generation, suite.aead.Nn),
    )


def _way_to(leaf_index: int, leaf_count: int) -> Sequence[bytes]:
    """The turns from the root down to a leaf."""
    below, nodes = tree_math.leaf_to_node(leaf_index), []
    for above in tree_math.direct_path(below, leaf_count):
        nodes.append(b"left" if below < above else b"right")
        below = above
    return nodes[::-1]
