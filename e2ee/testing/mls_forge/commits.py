"""Commits (RFC 9420 Section 12.4.1), of whatever proposals, and the epoch that each leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from e2ee.crypto.secret import Secret
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.extension import Extension
from e2ee.mls.framing import AuthenticatedContent, FramedContentAuthData, Sender
from e2ee.mls.group_context import GroupContext
from e2ee.mls.key_schedule import (
    derive_epoch_secret,
    derive_joiner_secret,
    derive_psk_secret,
    external_key_pair,
    zero_secret,
)
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import (
    Add,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ProposalContent,
    Remove,
    Update,
)
from e2ee.mls.psk import PreSharedKeyID, PskName
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.transcript_hash import confirmed_transcript_hash
from e2ee.mls.tree_hash import tree_hash
from e2ee.mls.update_path import UpdatePath
from e2ee.testing.mls_forge.epochs import Epoch, begin
from e2ee.testing.mls_forge.forge import Change, Forge, same
from e2ee.testing.mls_forge.messages import Framing, Sent, frame, wrap
from e2ee.testing.mls_forge.paths import MadePath, Path, make_path, seal_path

__all__ = [
    "EXTERNAL_INIT_LABEL",
    "Applied",
    "Committed",
    "Committer",
    "Committing",
    "Item",
    "apply",
    "commit",
    "commit_as",
    "proposal_of",
]

EXTERNAL_INIT_LABEL = b"MLS 1.0 external init secret"
"""RFC 9420 Section 8.3."""

Item = ProposalContent | Proposal | Sent
"""What is committed by value, or what was sent before and is committed by reference."""


@dataclass(frozen=True, slots=True)
class Committing:
    """What a committer changes; ``path`` is None if the commit shall have none, ``psks`` are those that it knows.

    ``tree`` is the one after the proposals, ``context`` the new epoch's GroupContext with the old transcript hash,
    ``commit`` what is framed.
    """

    framing: Framing = field(default_factory=Framing)
    path: Path | None = field(default_factory=Path)
    psks: Mapping[PskName, Secret] = field(default_factory=dict)
    tree: Change[RatchetTree] = same
    context: Change[GroupContext] = same
    commit: Change[Commit] = same


@dataclass(frozen=True, slots=True)
class Committer:
    """Who commits: its leaf before the commit, its public signature key, and the init_secret that it uses.

    ``joins`` says that ``leaf_index`` is the leftmost free leaf after the proposals, which the committer takes.
    """

    sender: Sender
    leaf_index: int
    leaf_node: LeafNode
    signer: bytes
    init_secret: Secret
    joins: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """What proposals make of a group; ``added`` are leaf indices."""

    tree: RatchetTree
    extensions: tuple[Extension, ...]
    added: tuple[int, ...]
    psks: tuple[PreSharedKeyID, ...]


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit, and what its committer knows of the epoch that it begins."""

    message: MLSMessage
    epoch: Epoch
    committer: int
    joiner_secret: Secret
    psk_secret: Secret
    psks: tuple[PreSharedKeyID, ...]
    path_secrets: Mapping[int, Secret]


def commit(
    forge: Forge,
    epoch: Epoch,
    committer: int,
    *items: Item,
    committing: Committing | None = None,
) -> Committed:
    """A commit of the member at leaf ``committer``."""
    leaf_node = epoch.leaf(committer)
    who = Committer(
        Sender.member(committer),
        committer,
        leaf_node,
        leaf_node.signature_key,
        _init_secret(epoch, items),
    )
    return commit_as(forge, epoch, who, items, committing or Committing())


def _init_secret(epoch: Epoch, items: Sequence[Item]) -> Secret:
    """That of the epoch, or of an ExternalInit (RFC 9420 Section 12.3: "use it to derive the init_secret")."""
    contents = (proposal_of(item).content for item in items)
    found = next((content for content in contents if isinstance(content, ExternalInit)), None)
    if found is None:
        return epoch.secrets.init_secret
    suite = epoch.suite
    private_key = external_key_pair(suite, epoch.secrets.external_secret).private
    return suite.hpke.receive_export(
        found.kem_output, private_key, b"", EXTERNAL_INIT_LABEL, suite.kdf.Nh
    )


def commit_as(
    forge: Forge, epoch: Epoch, who: Committer, items: Sequence[Item], committing: Committing
) -> Committed:
    """A commit of a member or a joiner."""
    applied = _applied(epoch, who, items, committing)
    made = _path(forge, epoch, who, applied.tree, committing.path)
    tree = made.tree if made else applied.tree
    provisional = _provisional(epoch, tree, applied.extensions, committing)
    path = _update_path(forge, made, provisional, applied, committing.path)
    content = committing.commit(Commit(tuple(map(_by_value_or_reference, items)), path))
    signed = frame(forge, epoch, who.sender, content, who.signer, committing.framing)
    context = _confirming(epoch, provisional, signed)
    commit_secret = made.commit_secret if made else zero_secret(epoch.suite.kdf)
    psk_secret = _psk_secret(epoch, applied, committing)
    joiner_secret = derive_joiner_secret(
        epoch.suite.kdf, who.init_secret, commit_secret, context.encode()
    )
    begun = begin(tree, context, _epoch_secret(epoch, joiner_secret, psk_secret, context))
    return Committed(
        _tagged(forge, epoch, signed, begun.confirmation_tag, committing.framing),
        begun,
        who.leaf_index,
        joiner_secret,
        psk_secret,
        applied.psks,
        made.secrets if made else {},
    )


def _applied(
    epoch: Epoch, who: Committer, items: Sequence[Item], committing: Committing
) -> Applied:
    """What the proposals make of the group, with a place for who joins."""
    applied = apply(epoch, who.leaf_index, items)
    tree = applied.tree.add(who.leaf_node)[0] if who.joins else applied.tree
    return replace(applied, tree=committing.tree(tree))


def _provisional(
    epoch: Epoch, tree: RatchetTree, extensions: tuple[Extension, ...], committing: Committing
) -> GroupContext:
    return committing.context(
        replace(
            epoch.context,
            epoch=epoch.context.epoch + 1,
            tree_hash=tree_hash(tree),
            extensions=extensions,
        )
    )


def _confirming(
    epoch: Epoch, provisional: GroupContext, signed: AuthenticatedContent
) -> GroupContext:
    """The new epoch's GroupContext, which confirms the commit."""
    confirmed = confirmed_transcript_hash(
        epoch.suite.kdf,
        epoch.interim_transcript_hash,
        signed.wire_format,
        signed.content,
        signed.auth.signature,
    )
    return replace(provisional, confirmed_transcript_hash=confirmed)


def _psk_secret(epoch: Epoch, applied: Applied, committing: Committing) -> Secret:
    """Of the PSKs that the committer knows; those that it does not know are empty."""
    known = [(psk_id, committing.psks.get(psk_id.psk, Secret(b""))) for psk_id in applied.psks]
    return derive_psk_secret(epoch.suite.kdf, known)


def _epoch_secret(
    epoch: Epoch, joiner_secret: Secret, psk_secret: Secret, context: GroupContext
) -> Secret:
    return derive_epoch_secret(epoch.suite.kdf, joiner_secret, psk_secret, context.encode())


def _tagged(
    forge: Forge, epoch: Epoch, signed: AuthenticatedContent, tag: bytes, framing: Framing
) -> MLSMessage:
    auth = FramedContentAuthData(signed.auth.signature, framing.confirmation_tag(tag))
    return wrap(forge, epoch, replace(signed, auth=auth), framing)


def _path(
    forge: Forge, epoch: Epoch, who: Committer, tree: RatchetTree, path: Path | None
) -> MadePath | None:
    if path is None:
        return None
    group_id = epoch.context.group_id
    return make_path(forge, tree, who.leaf_index, who.leaf_node, group_id, path)


def _update_path(
    forge: Forge, made: MadePath | None, context: GroupContext, applied: Applied, path: Path | None
) -> UpdatePath | None:
    if made is None or path is None:
        return None
    nodes = seal_path(forge, made, context.encode(), applied.added, path)
    return UpdatePath(made.leaf_node, nodes)


def _by_value_or_reference(item: Item) -> ProposalOrRef:
    if isinstance(item, Sent):
        return ProposalOrRef.by_reference(item.reference)
    return ProposalOrRef.by_value(proposal_of(item))


def proposal_of(item: Item) -> Proposal:
    """The proposal itself."""
    match item:
        case Sent():
            return item.proposal
        case Proposal():
            return item
    return Proposal(item)


def apply(epoch: Epoch, committer: int, items: Sequence[Item]) -> Applied:
    """RFC 9420 Section 12.3, for any list: what makes no sense changes nothing."""
    sent = [
        (item.sender if isinstance(item, Sent) else committer, proposal_of(item).content)
        for item in items
    ]
    tree, extensions, added = epoch.tree, epoch.context.extensions, []
    for _, content in sent:
        if isinstance(content, GroupContextExtensions):
            extensions = content.extensions
    for sender, content in sent:
        if isinstance(content, Update) and sender is not None:
            tree = tree.update(sender, content.leaf_node)
    for _, content in sent:
        if isinstance(content, Remove) and tree.leaf(content.removed) is not None:
            tree = tree.remove(content.removed)
    for _, content in sent:
        if isinstance(content, Add):
            tree, leaf_index = tree.add(content.key_package.leaf_node)
            added.append(leaf_index)
    psks = tuple(content.psk for _, content in sent if isinstance(content, PreSharedKey))
    return Applied(tree, extensions, tuple(added), psks)
