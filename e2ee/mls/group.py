"""Group: one member's view of one epoch of a group (RFC 9420), and everything that a member does.

    group = Group.create(bundle, group_id=..., ...)           epoch 0, one member
    group = joining.join(welcome, bundle, ...)                or added by somebody
    pending = external_joining.external_join(group_info, bundle, ...)
        or joined by an own commit: pending.group, once pending.message was taken

    pending = group.commit(proposals=[Add(key_package)], ...)
        pending.message goes to the members, pending.welcome to those who are added, once the delivery service has
        taken the commit; then group = group.merge(pending.staged). Until then nothing has changed, and if another
        commit was taken, pending is dropped.

    match group.receive(message, policy=...):
        case StagedCommit() as staged:        look at it (staged.external: somebody joins by it); then
                                              group = group.merge(staged), or drop it
        case ReceivedProposal() as received:  of received.sender, member or not; kept for a commit, until
                                              group.discard_proposal(received.reference) forgets it
        case ApplicationMessage() as said:    said.data is from the member at said.sender

    message = group.protect(data, entropy=...)                application data
    secret = group.export("label", context, length)           then group.erase_exporter()

Rules that this class keeps:

* Everything that ``receive`` gives is verified: group, epoch, a member's membership tag or AEAD tag, the sender's
  signature; of a commit also every rule of Sections 12.2 to 12.4 and the confirmation tag.
* Whatever raises has changed nothing: no key is consumed, no proposal kept, no epoch left.
* ``merge`` gives a new Group and ends this epoch: the old Group forgets the keys of its tree, its init_secret, its
  exporter_secret and its Update proposals, and from then on only opens application messages that come late. It is
  dropped to forget these keys too, and what was merged is dropped at once: it holds all that the new epoch began with.
* Who merged a commit of a ReInit is in a group that is over: it sends and receives nothing more, and its ``predecessor()``
  leads to the group that follows (``successor``, ``joining``).
* A ``policy`` is the application's ``AuthenticationService`` and the time: without tolerance to send, with
  ``RECEIVER_TOLERANCE`` to receive.
* A Group is one thread's, and exists once. How it outlives its process, and why a call's does not: ``group_state``.

Every error is a ``UsageError`` (the caller asked for what cannot be), a ``ValidationError`` or ``DecodeError`` (somebody
sent what cannot be), or what the application's ``AuthenticationService`` raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.secret import Secret
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.commit_creation import CommitRequest
from e2ee.mls.committing import PendingCommit, Wrapping, create_commit
from e2ee.mls.content_authentication import VerifiedContent
from e2ee.mls.epoch import Epoch, own_group_info
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.extension import Extension
from e2ee.mls.framing import ContentType, Sender, WireFormat
from e2ee.mls.group_state import GroupState, Member
from e2ee.mls.key_package import check_key_package
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.key_schedule import EpochSecrets
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.message_protection import Unprotected
from e2ee.mls.private_message import PrivateMessage
from e2ee.mls.processing import process_commit
from e2ee.mls.proposal import Add, Proposal, ProposalContent, Update, make_proposal_ref
from e2ee.mls.proposing import ProposedChange, new_update, sign
from e2ee.mls.psk import PskName
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.ratchet_limits import RatchetLimits
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.received import ApplicationMessage, ReceivedProposal, StagedCommit
from e2ee.mls.stored_commit import restore_commit
from e2ee.mls.transcript_hash import confirmation_tag
from e2ee.mls.tree_private_keys import TreePrivateKeys
from e2ee.mls.tree_validation import check_joined_tree

__all__ = [
    "ApplicationMessage",
    "Group",
    "Member",
    "PendingCommit",
    "ProposedChange",
    "Received",
    "ReceivedProposal",
    "StagedCommit",
]

Received = StagedCommit | ReceivedProposal | ApplicationMessage
"""What ``Group.receive`` gives."""

_NO_PSKS: Mapping[PskName, Secret] = MappingProxyType({})


class Group(GroupState):
    """One epoch of a group, as one member has it. See the module for its use and its rules."""

    __slots__ = ()

    @classmethod
    def create(
        cls,
        bundle: KeyPackageBundle,
        *,
        group_id: bytes,
        extensions: tuple[Extension, ...] = (),
        policy: ValidationPolicy,
        entropy: Entropy,
    ) -> Group:
        """RFC 9420 Section 11: a group of one, in epoch 0. The leaf is that of the bundle's KeyPackage."""
        kdf, leaf_node = bundle.suite.kdf, bundle.key_package.leaf_node
        tree = RatchetTree.of_leaf(bundle.suite, leaf_node)
        context = PublicGroup.initial_context(tree, group_id, extensions)
        check_joined_tree(tree, context, policy)
        # "Epoch secret: A fresh random value of size KDF.Nh"
        secrets = EpochSecrets.derive(kdf, Secret(entropy.random(kdf.Nh)))
        tag = confirmation_tag(kdf, secrets.confirmation_key, context.confirmed_transcript_hash)
        public = PublicGroup.at(context, tree, tag)
        keys = TreePrivateKeys.of_leaf(0, bundle.leaf_key_pair)
        return cls(Epoch.begin(public, keys, bundle.signature_private_key, secrets))

    # Messages to send

    def group_info(
        self,
        *,
        ratchet_tree: bool = True,
        external_pub: bool = True,
        extensions: tuple[Extension, ...] = (),
    ) -> MLSMessage:
        """RFC 9420 Section 12.4.3: what tells the public half of this epoch. Raises UsageError: EPOCH_IS_OVER, GROUP_REINITIALIZED.

        ``external_pub`` lets who gets it join by an external commit; ``extensions`` are the application's.
        """
        keys = self._require_living()
        group_info = own_group_info(
            self._public,
            keys,
            ratchet_tree=ratchet_tree,
            external_pub=external_pub,
            extensions=extensions,
        )
        return MLSMessage.of(group_info)

    def protect(
        self, data: bytes, *, entropy: Entropy, authenticated_data: bytes = b"", padding: int = 0
    ) -> MLSMessage:
        """Application data for all members; ``padding`` bytes of zeros hide its length.

        Raises UsageError: EPOCH_IS_OVER, GROUP_REINITIALIZED, COMMIT_REQUIRED, RATCHET_EXHAUSTED.
        """
        keys = self._require_living()
        # "A group member that has observed one or more valid proposals within an epoch MUST send a Commit message
        # before sending application data."
        if self._public.proposals:
            raise UsageError(Rule.COMMIT_REQUIRED, "commit or discard the proposals of this epoch")
        signed = sign(self._public, keys, data, authenticated_data, WireFormat.PRIVATE_MESSAGE)
        return self._protection.protect(signed, entropy, padding)

    def propose(
        self,
        content: ProposalContent,
        *,
        policy: ValidationPolicy,
        entropy: Entropy,
        authenticated_data: bytes = b"",
        wire_format: WireFormat = WireFormat.PUBLIC_MESSAGE,
        padding: int = 0,
    ) -> ProposedChange:
        """A proposal for others to commit; ``padding`` is for a PrivateMessage. For an own Update see ``propose_update``."""
        if isinstance(content, Update):
            raise UsageError(Rule.UPDATE_WITHOUT_ITS_KEY, "propose_update keeps the key")
        if isinstance(content, Add):
            check_key_package(self.cipher_suite, content.key_package, policy)
        return self._propose(content, authenticated_data, wire_format, entropy, padding)

    def propose_update(
        self,
        *,
        entropy: Entropy,
        authenticated_data: bytes = b"",
        wire_format: WireFormat = WireFormat.PUBLIC_MESSAGE,
        padding: int = 0,
    ) -> ProposedChange:
        """RFC 9420 Section 12.1.2: a fresh encryption key for the own leaf, for another member to commit."""
        update, key_pair = new_update(self._public, self._require_living(), entropy)
        proposed = self._propose(update, authenticated_data, wire_format, entropy, padding)
        self._own_updates[key_pair.public] = key_pair
        return proposed

    def _propose(
        self,
        content: ProposalContent,
        authenticated_data: bytes,
        wire_format: WireFormat,
        entropy: Entropy,
        padding: int,
    ) -> ProposedChange:
        keys, proposal = self._require_living(), Proposal(content)
        signed = sign(self._public, keys, proposal, authenticated_data, wire_format)
        message = self._protection.protect(signed, entropy, padding)
        own = VerifiedContent(self._public.context, signed)
        return ProposedChange(message, self._remember(own))

    def commit(
        self,
        *,
        policy: ValidationPolicy,
        entropy: Entropy,
        proposals: Iterable[ProposalContent] = (),
        references: Iterable[bytes] = (),
        authenticated_data: bytes = b"",
        psks: Mapping[PskName, Secret] = _NO_PSKS,
        ratchet_tree_extension: bool = True,
        group_info_extensions: tuple[Extension, ...] = (),
        update_path: bool = True,
        wire_format: WireFormat = WireFormat.PUBLIC_MESSAGE,
        padding: int = 0,
    ) -> PendingCommit:
        """A commit of the proposals named by ``references`` and of new ``proposals``, in this order.

        ``psks`` are all PSKs that the application has; ``ratchet_tree_extension`` puts the tree into the Welcome's GroupInfo,
        beside the application's ``group_info_extensions``; without ``update_path`` the committer's keys are replaced only
        where RFC 9420 asks for it; ``padding`` is for a PrivateMessage.
        Raises UsageError: EPOCH_IS_OVER, GROUP_REINITIALIZED; or ValidationError if the proposals are not valid together.
        """
        request = CommitRequest(
            (
                *map(ProposalOrRef.by_reference, references),
                *(ProposalOrRef.by_value(Proposal(content)) for content in proposals),
            ),
            authenticated_data,
            wire_format,
            psks,
            update_path,
        )
        wrapping = Wrapping(ratchet_tree_extension, group_info_extensions, padding)
        keys, protection = self._require_living(), self._protection
        return create_commit(self._public, keys, protection, request, wrapping, policy, entropy)

    def restore_commit(self, stored: bytes) -> PendingCommit:
        """An own commit of this epoch that was stored. Raises StorageError, UsageError: EPOCH_IS_OVER, STAGED_ELSEWHERE."""
        return PendingCommit(*restore_commit(stored, self._public, self._require_keys()))

    # Messages received

    def receive(
        self,
        message: MLSMessage,
        *,
        policy: ValidationPolicy,
        psks: Mapping[PskName, Secret] = _NO_PSKS,
    ) -> Received:
        """What somebody says, verified. A commit is staged and changes nothing until it is merged.

        ``psks`` are all PSKs that the application has. Raises UsageError(NOT_A_GROUP_MESSAGE), ValidationError, DecodeError.
        """
        body = message.body
        if not isinstance(body, PublicMessage | PrivateMessage):
            raise UsageError(Rule.NOT_A_GROUP_MESSAGE, message.wire_format.name.lower())
        if self._keys is None and not _is_application_data(body):
            raise ValidationError(Rule.EPOCH_IS_OVER, "only application messages open late")
        if self.reinit is not None:
            raise ValidationError(Rule.GROUP_REINITIALIZED)
        with self._protection.unprotect(body, policy.ratchet_limits) as unprotected:
            return self._accept(unprotected, policy, psks)

    def check_authentic(self, message: PublicMessage) -> None:
        """Return if a member of this epoch signed the message and knew its keys; whether it is valid is another matter.

        Raises ValidationError, DecodeError. Changes nothing.
        """
        with self._protection.unprotect(message, RatchetLimits()):
            return

    def check_signed(self, message: PublicMessage) -> None:
        """Return if a member of this epoch signed the message, whatever its membership tag. Raises ValidationError, DecodeError."""
        self._public.verify(message)

    def _accept(
        self, unprotected: Unprotected, policy: ValidationPolicy, psks: Mapping[PskName, Secret]
    ) -> Received:
        verified = unprotected.verified
        content = verified.content
        authenticated_data = verified.authenticated_data
        if isinstance(content, Commit):
            keys = self._require_keys()
            return process_commit(self._public, keys, self._own_updates, verified, psks, policy)
        if isinstance(content, Proposal):
            reference = self._remember(verified, policy.maximum_proposals)
            return ReceivedProposal(verified.sender, content.content, reference, authenticated_data)
        generation: int = unprotected.generation  # type: ignore[assignment]  # of a PrivateMessage
        return ApplicationMessage(verified.leaf_index, content, authenticated_data, generation)

    def _remember(self, verified: VerifiedContent, most: int | None = None) -> bytes:
        """Keep a proposal for a commit; its reference."""
        self._public = self._public.with_proposal(verified, most)
        return make_proposal_ref(self.cipher_suite, verified.authenticated.encode())

    def discard_proposal(self, reference: bytes) -> None:
        """Forget a proposal that the application does not want; a commit that names it is then refused."""
        sent = self.proposals.get(reference)
        if sent is not None and sent.sender == Sender.member(self._leaf_index):
            self._forget_update(sent.proposal.content)
        kept = {ref: sent for ref, sent in self.proposals.items() if ref != reference}
        self._public = replace(self._public, proposals=MappingProxyType(kept))

    def _forget_update(self, own: ProposalContent) -> None:
        if isinstance(own, Update):
            del self._own_updates[own.leaf_node.encryption_key]

    # The next epoch

    def merge(self, staged: StagedCommit) -> Group:
        """Enter the next epoch and end this one.

        Raises UsageError: EPOCH_IS_OVER, STAGED_ELSEWHERE, or REMOVED_FROM_GROUP if ``staged.removes_own_leaf``.
        """
        self._require_keys()
        if staged.public.before is not self._public.context:
            raise UsageError(Rule.STAGED_ELSEWHERE)
        if staged.next_epoch is None:
            raise UsageError(Rule.REMOVED_FROM_GROUP, "there is no next epoch to enter")
        self._keys = self._exporter_secret = None
        self._own_updates = {}
        return Group(staged.next_epoch)


def _is_application_data(body: PublicMessage | PrivateMessage) -> bool:
    return isinstance(body, PrivateMessage) and body.content_type is ContentType.APPLICATION
