"""A member's own commit (RFC 9420 Section 12.4.1): to the members, and as a Welcome to those whom it adds.

A commit made here has an UpdatePath unless its caller lets it go without, also one that only adds somebody: so the
committer's keys heal. Where somebody is removed or updated RFC 9420 leaves no choice. The result stands beside the
present epoch until it is merged.
"""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.secret import Secret
from e2ee.mls.commit_creation import CommitRequest, Committer, create
from e2ee.mls.epoch import MemberKeys
from e2ee.mls.errors import Rule, UsageError
from e2ee.mls.extension import Extension
from e2ee.mls.framing import Sender, WireFormat
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.message_protection import MessageProtection
from e2ee.mls.proposing import sign
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.received import StagedCommit
from e2ee.mls.stored_commit import store_commit
from e2ee.mls.welcoming import make_welcome

__all__ = ["PendingCommit", "Wrapping", "create_commit"]


@dataclass(frozen=True, slots=True)
class PendingCommit:
    """An own commit to send, the Welcome for those whom it adds, and what to merge once the commit was taken."""

    message: MLSMessage
    welcome: MLSMessage | None
    staged: StagedCommit

    def protect(
        self, data: bytes, *, entropy: Entropy, authenticated_data: bytes = b""
    ) -> MLSMessage:
        """Application data of the epoch that this commit begins, to go out together with the Welcome.

        Raises UsageError: RATCHET_EXHAUSTED, or GROUP_REINITIALIZED if the commit ends the group.
        """
        epoch = self.staged.next_epoch
        if epoch is None:
            raise UsageError(Rule.REMOVED_FROM_GROUP)
        if self.staged.reinit is not None:
            raise UsageError(Rule.GROUP_REINITIALIZED)
        signed = sign(
            epoch.public, epoch.keys, data, authenticated_data, WireFormat.PRIVATE_MESSAGE
        )
        return epoch.protection.protect(signed, entropy)

    def serialize(self) -> Secret:
        """This commit, to be stored by the rules of ``group_state`` and brought back by ``Group.restore_commit``."""
        return store_commit(self.message, self.welcome, self.staged)


@dataclass(frozen=True, slots=True)
class Wrapping:
    """How a commit goes out: what is in the Welcome's GroupInfo, and how much padding a PrivateMessage gets."""

    ratchet_tree: bool = True
    group_info_extensions: tuple[Extension, ...] = ()
    padding: int = 0


def create_commit(
    group: PublicGroup,
    keys: MemberKeys,
    protection: MessageProtection,
    request: CommitRequest,
    wrapping: Wrapping,
    policy: ValidationPolicy,
    entropy: Entropy,
) -> PendingCommit:
    """A commit of this member. Raises ValidationError if the proposals are not valid together."""
    committer = Committer(
        Sender.member(keys.leaf_index),
        keys.signature_private_key,
        keys.init_secret,
        keys.tree.key_pairs,
    )
    created = create(group, committer, request, policy, entropy)
    welcome = make_welcome(
        created,
        ratchet_tree=wrapping.ratchet_tree,
        extensions=wrapping.group_info_extensions,
        entropy=entropy,
    )
    message = protection.protect(created.authenticated, entropy, wrapping.padding)
    return PendingCommit(message, welcome, created.staged)
