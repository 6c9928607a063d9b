"""GroupInfo (RFC 9420 Section 12.4.3): what a joiner is told about a group, signed by a member."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extensions
from e2ee.mls.group_context import GroupContext
from e2ee.mls.labels import sign_with_label, verify_with_label
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.tls_syntax import Opaque, Struct, Uint32, opaque, struct

__all__ = ["GroupInfo", "check_group_info_signature", "check_joinable", "sign_group_info"]


@struct
class GroupInfo(Struct):
    """RFC 9420 Section 12.4.3. ``signer`` is a leaf index."""

    group_context: GroupContext
    extensions: Extensions
    confirmation_tag: Opaque
    signer: Uint32
    signature: Opaque


def _to_be_signed(group_info: GroupInfo) -> bytes:
    """GroupInfoTBS: "all the fields in the GroupInfo above signature"."""
    return group_info.encode().removesuffix(opaque.encode(group_info.signature))


def sign_group_info(suite: CipherSuite, unsigned: GroupInfo, private: bytes) -> GroupInfo:
    """``unsigned`` with the signature of the member at its ``signer``."""
    signature = sign_with_label(suite, private, "GroupInfoTBS", _to_be_signed(unsigned))
    return replace(unsigned, signature=signature)


def check_joinable(
    group_info: GroupInfo, suite: CipherSuite, group_ids_in_use: Container[bytes]
) -> None:
    """A client whose KeyPackage is for ``suite``, and which is in these groups, may join. Raises ValidationError."""
    context = group_info.group_context
    # "Verify that the group_id is unique among the groups that the client is currently participating in."
    if context.group_id in group_ids_in_use:
        raise ValidationError(Rule.GROUP_ID_IN_USE)
    # "Verify that the cipher_suite in the GroupInfo matches the cipher_suite in the KeyPackage."
    if context.cipher_suite != suite.code_point:
        raise ValidationError(Rule.GROUP_INFO_CIPHER_SUITE, f"{context.cipher_suite:#06x}")


def check_group_info_signature(group_info: GroupInfo, tree: RatchetTree) -> None:
    """The member at ``signer`` in this tree signed it. Raises ValidationError."""
    # "The public key is taken from the LeafNode of the ratchet tree with leaf index signer. If the node is blank or if
    # signature verification fails, return an error."
    leaf_node = tree.leaf(group_info.signer)
    if leaf_node is None:
        raise ValidationError(Rule.GROUP_INFO_SIGNER_BLANK, f"leaf {group_info.signer}")
    verify_with_label(
        tree.suite,
        leaf_node.signature_key,
        "GroupInfoTBS",
        _to_be_signed(group_info),
        group_info.signature,
        Rule.GROUP_INFO_SIGNATURE,
    )
