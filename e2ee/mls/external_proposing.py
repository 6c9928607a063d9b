"""External proposals (RFC 9420 Section 12.1.8): what somebody outside of a group may propose to it.

    propose_externally    by a party that the group lists in its ``external_senders``, with the key that is listed
    propose_to_join       by a client that wants to be added, with the key of its KeyPackage

Both know of the group no more than its id, its epoch and its suite, and no secret: an epoch later the proposal is void.
Whether members follow is their application's to say.
"""

from __future__ import annotations

from e2ee.crypto.cipher_suite import CipherSuite, cipher_suite
from e2ee.mls.content_authentication import TYPES_FOR_EXTERNAL_SENDERS, authenticate
from e2ee.mls.errors import Rule, UsageError
from e2ee.mls.framing import ContentType, FramedContent, Sender, WireFormat
from e2ee.mls.key_package import KeyPackage, check_key_package
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, Proposal, ProposalContent
from e2ee.mls.public_message import PublicMessage

__all__ = ["propose_externally", "propose_to_join"]


def propose_externally(
    content: ProposalContent,
    signature_private_key: bytes,
    *,
    suite: CipherSuite,
    group_id: bytes,
    epoch: int,
    sender_index: int,
    policy: ValidationPolicy,
    authenticated_data: bytes = b"",
) -> MLSMessage:
    """A proposal of the party at ``sender_index`` of the group's ``external_senders``.

    Raises UsageError if such a party may not propose it, ValidationError if it is to add somebody who is not valid now.
    """
    proposal = Proposal(content)
    if proposal.proposal_type not in TYPES_FOR_EXTERNAL_SENDERS:
        detail = f"type {proposal.proposal_type:#06x}"
        raise UsageError(Rule.PROPOSAL_TYPE_NOT_FOR_EXTERNAL_SENDERS, detail)
    if isinstance(content, Add):
        check_key_package(suite, content.key_package, policy)
    sender = Sender.external(sender_index)
    framed = _framed(group_id, epoch, sender, proposal, authenticated_data)
    return _signed(suite, framed, signature_private_key)


def propose_to_join(
    key_package: KeyPackage,
    signature_private_key: bytes,
    *,
    group_id: bytes,
    epoch: int,
    policy: ValidationPolicy,
    authenticated_data: bytes = b"",
) -> MLSMessage:
    """The proposal to add the client of this KeyPackage, by this client. Raises ValidationError if it is not valid now."""
    suite = cipher_suite(key_package.cipher_suite)
    check_key_package(suite, key_package, policy)
    proposal, sender = Proposal(Add(key_package)), Sender.new_member_proposal()
    framed = _framed(group_id, epoch, sender, proposal, authenticated_data)
    return _signed(suite, framed, signature_private_key)


def _framed(
    group_id: bytes, epoch: int, sender: Sender, proposal: Proposal, authenticated_data: bytes
) -> FramedContent:
    return FramedContent(
        group_id, epoch, sender, authenticated_data, ContentType.PROPOSAL, proposal
    )


def _signed(suite: CipherSuite, framed: FramedContent, signature_private_key: bytes) -> MLSMessage:
    # "An external proposal MUST be sent as a PublicMessage object, since the sender will not have the keys necessary to
    # construct a PrivateMessage object."
    wire_format = WireFormat.PUBLIC_MESSAGE
    signed = authenticate(suite, None, wire_format, framed, signature_private_key)
    return MLSMessage.of(PublicMessage(signed.content, signed.auth, membership_tag=None))
