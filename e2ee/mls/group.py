"""Group: one member's view of one epoch of a group (RFC 9420), and everything that a member does.

    group = Group.create(bundle, group_id=..., ...)           epoch 0, one member
    group = joining.join(welcome, bundle, ...)                or added by somebody

    pending = group.commit(proposals=[Add(key_package)], ...)
        pending.message goes to the members, pending.welcome to those who are added, once the delivery service has
        taken the commit; then group = group.merge(pending.staged). Until then nothing has changed, and if another
        commit was taken, pending is dropped.

    match group.receive(message, policy=...):
        case StagedCommit() as staged:        look at it; then group = group.merge(staged), or drop it
        case ReceivedProposal() as received:  kept for a commit; group.discard_proposal(received.reference) forgets it
        case ApplicationMessage() as said:    said.data is from the member at said.sender

    message = group.protect(data, entropy=...)                application data
    secret = group.export("label", context, length)           then group.erase_exporter()

Rules that this class keeps:

* Everything that ``receive`` gives is verified: group, epoch, membership tag or AEAD tag, the sender's signature; of a
  commit also every rule of Sections 12.2 to 12.4 and the confirmation tag.
* Whatever raises has changed nothing: no key is consumed, no proposal kept, no epoch left.
* ``merge`` gives a new Group and ends this epoch: the old Group forgets the keys of its tree, its init_secret, its
  exporter_secret and its Update proposals, and from then on only opens application messages that come late. It is
  dropped to forget these keys too.
* A ``policy`` is the application's ``AuthenticationService`` and the time: without tolerance to send, with
  ``RECEIVER_TOLERANCE`` to receive.
* A Group is one thread's, and is not stored: who lost it rejoins as a new leaf.

Every error is a ``UsageError`` (the caller asked for what cannot be), a ``ValidationError`` or ``DecodeError`` (somebody
sent what cannot be), or what the application's ``AuthenticationService`` raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.kem import KeyPair
from e2ee.crypto.secret import Secret
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.committing import CommitRequest, PendingCommit, create_commit
from e2ee.mls.epoch import Epoch, MemberKeys, own_group_info
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.extension import Extension
from e2ee.mls.framing import ContentType, VerifiedContent, WireFormat
from e2ee.mls.group_context import GroupContext
from e2ee.mls.key_package import check_key_package
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.key_schedule import EpochSecrets, export
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.message_protection import Unprotected
from e2ee.mls.private_message import PrivateMessage
from e2ee.mls.processing import process_commit
from e2ee.mls.proposal import Add, Proposal, ProposalContent, Update, make_proposal_ref
from e2ee.mls.proposal_list import SentProposal
from e2ee.mls.proposing import ProposedChange, new_update, sign
from e2ee.mls.psk import PskName
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.received import ApplicationMessage, ReceivedProposal, StagedCommit
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


@dataclass(frozen=True, slots=True)
class Member:
    """A member's place and leaf."""

    leaf_index: int
    leaf_node: LeafNode


class Group:
    """One epoch of a group, as one member has it. See the module for its use and its rules."""

    __slots__ = (
        "_epoch_authenticator",
        "_exporter_secret",
        "_keys",
        "_leaf_index",
        "_own_updates",
        "_protection",
        "_public",
    )

    def __init__(self, epoch: Epoch) -> None:
        """Use ``create``, ``joining.join`` or ``merge``."""
        self._public = epoch.public
        self._protection = epoch.protection
        self._leaf_index = epoch.keys.leaf_index
        self._epoch_authenticator = epoch.epoch_authenticator
        self._keys: MemberKeys | None = epoch.keys
        self._exporter_secret: Secret | None = epoch.exporter_secret
        self._own_updates: dict[bytes, KeyPair] = {}

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

    # Messages to send

    def group_info(self, *, ratchet_tree: bool = True) -> MLSMessage:
        """RFC 9420 Section 12.4.3: what tells the public half of this epoch. Raises UsageError(EPOCH_IS_OVER)."""
        keys = self._require_keys()
        return MLSMessage.of(own_group_info(self._public, keys, ratchet_tree=ratchet_tree))

    def protect(
        self, data: bytes, *, entropy: Entropy, authenticated_data: bytes = b"", padding: int = 0
    ) -> MLSMessage:
        """Application data for all members; ``padding`` bytes of zeros hide its length.

        Raises UsageError: EPOCH_IS_OVER, COMMIT_REQUIRED, RATCHET_EXHAUSTED.
        """
        keys = self._require_keys()
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
    ) -> ProposedChange:
        """A proposal for others to commit. For an own Update see ``propose_update``."""
        if isinstance(content, Update):
            raise UsageError(Rule.UPDATE_WITHOUT_ITS_KEY, "propose_update keeps the key")
        if isinstance(content, Add):
            check_key_package(self.cipher_suite, content.key_package, policy)
        return self._propose(content, authenticated_data, wire_format, entropy)

    def propose_update(
        self,
        *,
        entropy: Entropy,
        authenticated_data: bytes = b"",
        wire_format: WireFormat = WireFormat.PUBLIC_MESSAGE,
    ) -> ProposedChange:
        """RFC 9420 Section 12.1.2: a fresh encryption key for the own leaf, for another member to commit."""
        update, key_pair = new_update(self._public, self._require_keys(), entropy)
        proposed = self._propose(update, authenticated_data, wire_format, entropy)
        self._own_updates[key_pair.public] = key_pair
        return proposed

    def _propose(
        self,
        content: ProposalContent,
        authenticated_data: bytes,
        wire_format: WireFormat,
        entropy: Entropy,
    ) -> ProposedChange:
        keys, proposal = self._require_keys(), Proposal.of(content)
        signed = sign(self._public, keys, proposal, authenticated_data, wire_format)
        message = self._protection.protect(signed, entropy)
        own = VerifiedContent(self._public.context, signed, self._leaf_index)
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
        wire_format: WireFormat = WireFormat.PUBLIC_MESSAGE,
    ) -> PendingCommit:
        """A commit of the proposals named by ``references`` and of new ``proposals``, in this order, with a path.

        ``psks`` are all PSKs that the application has; ``ratchet_tree_extension`` puts the tree into the Welcome. Raises
        UsageError(EPOCH_IS_OVER), or ValidationError if the proposals are not valid together.
        """
        request = CommitRequest(
            (
                *map(ProposalOrRef.by_reference, references),
                *(ProposalOrRef.by_value(Proposal.of(content)) for content in proposals),
            ),
            authenticated_data,
            wire_format,
            ratchet_tree_extension,
            psks,
        )
        return create_commit(
            self._public, self._require_keys(), self._protection, request, policy, entropy
        )

    # Messages received

    def receive(
        self,
        message: MLSMessage,
        *,
        policy: ValidationPolicy,
        psks: Mapping[PskName, Secret] = _NO_PSKS,
    ) -> Received:
        """What another member says, verified. A commit is staged and changes nothing until it is merged.

        ``psks`` are all PSKs that the application has. Raises UsageError(NOT_A_GROUP_MESSAGE), ValidationError, DecodeError.
        """
        body = message.body
        if not isinstance(body, PublicMessage | PrivateMessage):
            raise UsageError(Rule.NOT_A_GROUP_MESSAGE, message.wire_format.name.lower())
        if self._keys is None and not _is_application_data(body):
            raise ValidationError(Rule.EPOCH_IS_OVER, "only application messages open late")
        with self._protection.unprotect(body) as unprotected:
            return self._accept(unprotected, policy, psks)

    def _accept(
        self, unprotected: Unprotected, policy: ValidationPolicy, psks: Mapping[PskName, Secret]
    ) -> Received:
        verified = unprotected.verified
        content, sender = verified.content, verified.leaf_index
        authenticated_data = verified.authenticated_data
        if isinstance(content, Commit):
            keys = self._require_keys()
            return process_commit(self._public, keys, self._own_updates, verified, psks, policy)
        if isinstance(content, Proposal):
            reference = self._remember(verified)
            return ReceivedProposal(sender, content.content, reference, authenticated_data)
        generation: int = unprotected.generation  # type: ignore[assignment]  # of a PrivateMessage
        return ApplicationMessage(sender, content, authenticated_data, generation)

    def _remember(self, verified: VerifiedContent) -> bytes:
        """Keep a proposal for a commit; its reference."""
        self._public = self._public.with_proposal(verified)
        return make_proposal_ref(self.cipher_suite, verified.authenticated.encode())

    def discard_proposal(self, reference: bytes) -> None:
        """Forget a proposal that the application does not want; a commit that names it is then refused."""
        kept = {ref: sent for ref, sent in self.proposals.items() if ref != reference}
        self._public = replace(self._public, proposals=MappingProxyType(kept))

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

    def _require_keys(self) -> MemberKeys:
        if self._keys is None:
            raise UsageError(Rule.EPOCH_IS_OVER)
        return self._keys


def _is_application_data(body: PublicMessage | PrivateMessage) -> bool:
    return isinstance(body, PrivateMessage) and body.content_type is ContentType.APPLICATION
