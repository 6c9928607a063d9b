"""GroupState: what one member holds of one epoch of a group, what it shows of it, and how it is stored.

A ``Group`` is a GroupState that acts. It exists once: it is neither copied nor pickled, since a copy would use message
keys a second time and keep what was erased. To outlive its process it is stored:

    stored = group.serialize()              the whole state, to be kept in the place of what was stored before
    group = Group.deserialize(stored)       once, after a restart
    stored = pending.serialize()            an own commit, before it is sent; group.restore_commit(stored) brings it back

Rules for an application that stores groups:

* These bytes are the member: they hold its signature key and all keys that it still needs. They are sealed with a key
  that the platform keeps, or at the least in a file that only their owner can read (mode 0600), and they stay out of
  backups, synchronised folders and logs.
* Store before sending. ``protect``, ``propose``, ``commit`` and ``PendingCommit.protect`` use up a key: what they give
  leaves the client after the state without that key was stored. "Because the key schedule generates nonces
  deterministically, a client MUST keep persistent state as to where in the key schedule it is" (Section 6.3.1).
* Store what was received before telling that it was: who crashes in between is sent the message again and opens it
  again. A commit is received and merged before the next storing: what was stored before it opens it again.
* Keep one state, the newest. From an old one, keys come back that Section 9.2 demands deleted; messages are sent with
  keys that were used (of the nonces only the 32 random bits of the reuse guard then differ), and messages that were
  opened open again. No check of a store finds that it is old: whoever can put an old file back can do all this.
* Restore once. Two Groups from one state are two members with the same keys.
* What is not a Group yet is stored alike: the Group of an external commit before the commit is sent, and a
  ``KeyPackageBundle``, which is a KeyPackage and three private keys, before the KeyPackage is published.

A call's group is never stored. A call ends with its process, and who lost it joins again as a new leaf; a stored group
would keep the keys of the frames of the past, bring back sending keys whose counters nobody knows any more (FKEY-5),
and give up the reason for which a call has a new group each time. Nothing in calls imports what stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.secret import NonCopyable, Secret
from e2ee.mls.epoch import Epoch, MemberKeys
from e2ee.mls.errors import Rule, UsageError
from e2ee.mls.extension import Extension
from e2ee.mls.group_context import GroupContext
from e2ee.mls.key_schedule import export
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.predecessor import Predecessor
from e2ee.mls.proposal import ReInit
from e2ee.mls.proposal_list import SentProposal
from e2ee.mls.psk import ResumptionPSK, ResumptionPSKUsage
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.stored_group import KeptEpoch, restore_group, store_group

__all__ = ["GroupState", "Member"]


@dataclass(frozen=True, slots=True)
class Member:
    """A member's place and leaf."""

    leaf_index: int
    leaf_node: LeafNode


class GroupState(NonCopyable):
    """See the module."""

    __slots__ = (
        "_epoch_authenticator",
        "_exporter_secret",
        "_keys",
        "_leaf_index",
        "_own_updates",
        "_protection",
        "_public",
    )

    def __init__(self, epoch: Epoch | KeptEpoch) -> None:
        """Use ``Group.create``, ``joining.join``, ``merge`` or ``deserialize``."""
        self._public = epoch.public
        self._protection = epoch.protection
        self._leaf_index = epoch.leaf_index
        self._epoch_authenticator = epoch.epoch_authenticator
        self._keys: MemberKeys | None = epoch.keys
        self._exporter_secret: Secret | None = epoch.exporter_secret
        self._own_updates = dict(epoch.own_updates)

    # Storing

    def serialize(self) -> Secret:
        """All of this state, to be stored by the module's rules; nothing changes."""
        return store_group(
            KeptEpoch(
                self._public,
                self._protection,
                self._leaf_index,
                self._epoch_authenticator,
                self._keys,
                self._exporter_secret,
                self._own_updates,
            )
        )

    @classmethod
    def deserialize(cls, stored: bytes) -> Self:
        """The group of what ``serialize`` gave, once. Raises StorageError."""
        return cls(restore_group(stored))

    # What everybody in the group knows

    @property
    def cipher_suite(self) -> CipherSuite:
        """The group's, from its beginning to its end."""
        return self._public.suite

    @property
    def group_context(self) -> GroupContext:
        """RFC 9420 Section 8.1."""
        return self._public.context

    @property
    def group_id(self) -> bytes:
        """The group's name, from its beginning to its end."""
        return self._public.context.group_id

    @property
    def epoch(self) -> int:
        """This epoch's number."""
        return self._public.context.epoch

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """The GroupContext extensions."""
        return self._public.context.extensions

    @property
    def tree(self) -> RatchetTree:
        """The public tree; ``tree.encode()`` is what a joiner needs out of band."""
        return self._public.tree

    @property
    def proposals(self) -> Mapping[bytes, SentProposal]:
        """The proposals sent in this epoch, by reference."""
        return self._public.proposals

    @property
    def own_leaf_index(self) -> int:
        """Where this member is in the tree."""
        return self._leaf_index

    @property
    def is_over(self) -> bool:
        """Whether a commit was merged, so that this Group only opens late application messages."""
        return self._keys is None

    @property
    def reinit(self) -> ReInit | None:
        """RFC 9420 Section 11.2: what ended this group, if it was a ReInit; what follows is made from ``predecessor()``."""
        return self._public.reinit

    def members(self) -> tuple[Member, ...]:
        """All members, by leaf index."""
        return tuple(Member(*member) for member in self.tree.members())

    # Secrets for the application

    @property
    def epoch_authenticator(self) -> Secret:
        """RFC 9420 Section 8.7: equal for two members exactly if they are in the same state. Nh bytes."""
        return self._epoch_authenticator

    def export(self, label: str, context: bytes, length: int) -> Secret:
        """RFC 9420 Section 8.5: MLS-Exporter. Raises UsageError: EPOCH_IS_OVER, EXPORTER_ERASED."""
        self._require_keys()
        if self._exporter_secret is None:
            raise UsageError(Rule.EXPORTER_ERASED)
        return export(self.cipher_suite.kdf, self._exporter_secret, label, context, length)

    def erase_exporter(self) -> None:
        """Forget the exporter_secret; what was exported is the application's to erase."""
        self._exporter_secret = None

    @property
    def resumption_psk(self) -> Secret:
        """RFC 9420 Section 8.6: proves membership in this epoch later, as a PSK. Raises UsageError(EPOCH_IS_OVER)."""
        return self._require_keys().resumption_psk

    def resumption_name(self) -> ResumptionPSK:
        """How a commit of this or another group names ``resumption_psk``: ``psks={name: key}`` there."""
        return ResumptionPSK(ResumptionPSKUsage.APPLICATION, self.group_id, self.epoch)

    def predecessor(self) -> Predecessor:
        """What ``successor`` and ``joining.join`` need of this epoch, to be kept beyond it. Raises UsageError(EPOCH_IS_OVER)."""
        return Predecessor.of(self._public, self._require_keys().resumption_psk)

    def _require_keys(self) -> MemberKeys:
        if self._keys is None:
            raise UsageError(Rule.EPOCH_IS_OVER)
        return self._keys

    def _require_living(self) -> MemberKeys:
        # "If the Commit included a ReInit proposal, the client MUST NOT use the group to send messages anymore."
        if self._public.reinit is not None:
            raise UsageError(Rule.GROUP_REINITIALIZED)
        return self._require_keys()
