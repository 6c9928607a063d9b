"""One member's whole state in one epoch: what a creation, a Welcome or a commit results in.

An ``Epoch`` never changes but for the ratchets inside ``protection``. Its parts end at different times: ``keys`` when
the epoch is over, ``exporter_secret`` when the application has exported what it needs, and ``protection`` when no late
message is awaited any more. ``group`` holds them apart for that reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.crypto.secret import Secret
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.group_info import GroupInfo, sign_group_info
from e2ee.mls.key_schedule import EpochSecrets
from e2ee.mls.message_protection import MessageProtection
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.tree_private_keys import TreePrivateKeys

__all__ = ["Epoch", "MemberKeys", "own_group_info"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class MemberKeys:
    """What a member needs to make the next commit or to follow it, and its proof of having been here."""

    tree: TreePrivateKeys
    signature_private_key: Secret
    init_secret: Secret
    resumption_psk: Secret

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

    @classmethod
    def begin(
        cls,
        public: PublicGroup,
        tree: TreePrivateKeys,
        signature_private_key: Secret,
        secrets: EpochSecrets,
    ) -> Epoch:
        """The epoch of ``public`` for the member with these keys."""
        return cls(
            public,
            MemberKeys(tree, signature_private_key, secrets.init_secret, secrets.resumption_psk),
            MessageProtection(public, tree.leaf_index, secrets),
            secrets.exporter_secret,
            secrets.epoch_authenticator,
        )


def own_group_info(group: PublicGroup, keys: MemberKeys, *, ratchet_tree: bool) -> GroupInfo:
    """RFC 9420 Section 12.4.3: this epoch's GroupInfo, signed by this member; with the tree in it, or without."""
    tree = Extension(ExtensionType.RATCHET_TREE, group.tree.encode())
    unsigned = GroupInfo(
        group_context=group.context,
        extensions=(tree,) if ratchet_tree else (),
        confirmation_tag=group.confirmation_tag,
        signer=keys.leaf_index,
        signature=b"",
    )
    return sign_group_info(group.suite, unsigned, keys.signature_private_key)
