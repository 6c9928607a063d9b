"""One member's whole state in one epoch: what a creation, a Welcome or a commit results in.

An ``Epoch`` never changes but for the ratchets inside ``protection``. Its parts end at different times: ``keys`` when
the epoch is over, ``exporter_secret`` when the application has exported what it needs, and ``protection`` when no late
message is awaited any more. ``group`` holds them apart for that reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from e2ee.crypto.kem import KeyPair
from e2ee.crypto.secret import Secret
from e2ee.mls.extension import Extension, ExtensionType, ExternalPub
from e2ee.mls.group_context_extensions import check_own_support
from e2ee.mls.group_info import GroupInfo, sign_group_info
from e2ee.mls.key_schedule import EpochSecrets, external_key_pair
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.message_protection import MessageProtection
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.tree_private_keys import TreePrivateKeys

__all__ = ["Epoch", "MemberKeys", "own_group_info"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class MemberKeys:
    """What a member needs to make the next commit or to follow it, and its proof of having been here.

    ``external_secret`` gives the key pair by which somebody can join from outside (RFC 9420 Section 8.3).
    """

    tree: TreePrivateKeys
    signature_private_key: Secret
    init_secret: Secret
    resumption_psk: Secret
    external_secret: Secret

    @property
    def leaf_index(self) -> int:
        """The member's own."""
        return self.tree.leaf_index


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Epoch:
    """See the module."""

    public: PublicGroup
    keys: MemberKeys
    protection: MessageProtection
    exporter_secret: Secret
    epoch_authenticator: Secret

    @property
    def leaf_index(self) -> int:
        """The member's own."""
        return self.keys.leaf_index

    @property
    def own_updates(self) -> Mapping[bytes, KeyPair]:
        """Key pairs of own Update proposals, by public key: none was sent yet."""
        return {}

    @classmethod
    def begin(
        cls,
        public: PublicGroup,
        tree: TreePrivateKeys,
        signature_private_key: Secret,
        secrets: EpochSecrets,
    ) -> Epoch:
        """The epoch of ``public`` for the member with these keys. Raises ValidationError if it asks for what we do not support."""
        own_leaf: LeafNode = public.tree.leaf(tree.leaf_index)  # type: ignore[assignment]  # a member has a leaf
        check_own_support(own_leaf.capabilities, public.context.extensions)
        return cls(
            public,
            MemberKeys(
                tree,
                signature_private_key,
                secrets.init_secret,
                secrets.resumption_psk,
                secrets.external_secret,
            ),
            MessageProtection.begin(public, tree.leaf_index, secrets),
            secrets.exporter_secret,
            secrets.epoch_authenticator,
        )


def own_group_info(
    group: PublicGroup,
    keys: MemberKeys,
    *,
    ratchet_tree: bool,
    external_pub: bool,
    extensions: tuple[Extension, ...] = (),
) -> GroupInfo:
    """RFC 9420 Section 12.4.3: this epoch's GroupInfo, signed by this member.

    ``extensions`` are the application's; the tree and the key for external commits come after them, or do not.
    """
    described = list(extensions)
    if ratchet_tree:
        described.append(Extension(ExtensionType.RATCHET_TREE, group.tree.encode()))
    if external_pub:
        public_key = ExternalPub(external_key_pair(group.suite, keys.external_secret).public)
        described.append(Extension(ExtensionType.EXTERNAL_PUB, public_key.encode()))
    unsigned = GroupInfo(
        group_context=group.context,
        extensions=tuple(described),
        confirmation_tag=group.confirmation_tag,
        signer=keys.leaf_index,
        signature=b"",
    )
    return sign_group_info(group.suite, unsigned, keys.signature_private_key)
