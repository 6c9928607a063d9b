"""External commits (RFC 9420 Sections 12.2 and 12.4.3.2): the commit by which a client joins, or comes back.

What everybody can judge of one without a secret of the group: its list of proposals, and what a GroupInfo must hold so
that one can be made. Whose leaf stands in its path is judged with all other paths by ``public_group``, and who made it
by ``content_authentication``. Everybody with a GroupInfo can make one: whether an application wants that is its to say,
by its authentication service and by what it looks for in a staged commit (a PSK that strangers do not have, no Remove).
"""

from __future__ import annotations

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.errors import BadPublicKey
from e2ee.mls.applied_proposals import AppliedProposals
from e2ee.mls.commit import Commit, ProposalOrRefType
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extension, ExtensionType, ExternalPub, find
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.proposal import ExternalInit, PreSharedKey, ProposalContent, Remove
from e2ee.mls.proposal_list import SentProposal, check_psks, check_removed
from e2ee.mls.ratchet_tree import RatchetTree

__all__ = ["apply_external_proposals", "check_by_value", "external_pub"]


def external_pub(suite: CipherSuite, group_info: GroupInfo) -> bytes:
    """The public key to which a joiner encapsulates. Raises ValidationError or DecodeError."""
    # "a new member needs a GroupInfo with an external_pub extension present in its extensions field."
    data = find(group_info.extensions, ExtensionType.EXTERNAL_PUB)
    if data is None:
        raise ValidationError(Rule.EXTERNAL_PUB_MISSING)
    public_key = ExternalPub.decode(data).external_pub
    try:
        suite.hpke.kem.check_public_key(public_key)
    except BadPublicKey as error:
        raise ValidationError(Rule.EXTERNAL_PUB_MALFORMED, error.detail) from None
    return public_key


def check_by_value(commit: Commit) -> None:
    """Raises ValidationError."""
    # "The Commit MUST NOT include any proposals by reference, since an external joiner cannot determine the validity
    # of proposals sent within the group."
    if any(item.type is ProposalOrRefType.REFERENCE for item in commit.proposals):
        raise ValidationError(Rule.EXTERNAL_COMMIT_WITH_REFERENCE)


def apply_external_proposals(
    tree: RatchetTree,
    extensions: tuple[Extension, ...],
    proposals: tuple[SentProposal, ...],
) -> AppliedProposals:
    """The tree after these proposals of an external commit, with a blank leaf where the joiner goes.

    ``tree`` and the GroupContext ``extensions``, which stay, are of the epoch that the commit ends. Raises ValidationError.
    """
    contents = [sent.proposal.content for sent in proposals]
    removed = tuple(content.removed for content in contents if isinstance(content, Remove))
    _check_list(contents, removed)
    check_removed(tree, removed)
    check_psks(
        tree.suite, [content.psk for content in contents if isinstance(content, PreSharedKey)]
    )
    for leaf_index in removed:
        tree = tree.remove(leaf_index)
    # Section 12.4.2: "assign the sender the leftmost blank leaf node in the new ratchet tree. If there are no blank
    # leaf nodes in the new ratchet tree, add a blank leaf to the right side of the new ratchet tree"
    with_room, _ = tree.with_room()
    return AppliedProposals(
        proposals=proposals,
        tree=with_room,
        extensions=extensions,
        updated=(),
        removed=removed,
        added=(),
    )


def _check_list(contents: list[ProposalContent], removed: tuple[int, ...]) -> None:
    """Section 12.2: "For an external Commit, the list is valid if it contains only the following proposals"."""
    # "Exactly one ExternalInit"
    if sum(isinstance(content, ExternalInit) for content in contents) != 1:
        raise ValidationError(Rule.EXTERNAL_INIT_NOT_ONCE)
    # "At most one Remove proposal, with which the joiner removes an old version of themselves."
    if len(removed) > 1:
        raise ValidationError(Rule.EXTERNAL_COMMIT_REMOVES_SEVERAL)
    # "Zero or more PreSharedKey proposals", "No other proposals"
    for content in contents:
        if not isinstance(content, ExternalInit | Remove | PreSharedKey):
            raise ValidationError(Rule.EXTERNAL_COMMIT_PROPOSAL_TYPE, type(content).__name__)
