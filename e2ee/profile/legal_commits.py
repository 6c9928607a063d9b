"""Legal commits: the closed list of what a one-to-one call allows beyond RFC 9420 (KEYS-11 to KEYS-13).

One table says who may commit what in which epoch; a commit that is in none of its rows is illegal. Judged are public
facts only (the group before the commit, and the commit), so members and the delivery service judge alike, and a
receiver never refuses for what only it knows (KEYS-14). Signatures, the tree and the update path are MLS's to check;
this comes beside that, never instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.mls.commit import Commit
from e2ee.mls.credential import Credential
from e2ee.mls.framing import Sender
from e2ee.mls.proposal import Add, Proposal, ProposalContent, Remove
from e2ee.profile.call_profile import CallProfile
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.profile.roster import Roster, check_roster, leaf_certificate

__all__ = ["LegalCommit", "added_certificates", "judge", "member_leaf_index"]


class LegalCommit(StrEnum):
    """What a legal commit is."""

    INVITATION = "invitation"
    """Epoch 0: the caller adds the callee's devices."""
    ANSWER = "answer"
    """Epoch 1: a device of the callee removes all others of the callee."""
    TIMED = "timed"
    """Epoch 2 and later: a member replaces its keys (KEYS-15)."""


def judge(
    profile: CallProfile, epoch: int, members: Roster, sender: Sender, commit: Commit
) -> LegalCommit:
    """What ``commit`` by ``sender`` is, in this epoch of a one-to-one call with these members.

    Raises ProfileError if it is illegal; DecodeError or CertificateError for the certificate of a leaf to be added.
    """
    committer = member_leaf_index(sender)
    _check_path(commit, members[committer])
    legal = _LEGAL[min(epoch, len(_LEGAL) - 1)]
    if members[committer].account_key not in legal.accounts(profile):
        raise ProfileError(ProfileReason.ILLEGAL_COMMITTER, f"leaf {committer} in epoch {epoch}")
    legal.check(_Facts(profile, members, committer, _by_value(commit)))
    return legal.commit


def member_leaf_index(sender: Sender) -> int:
    """The leaf of a sender, who must be a member. Raises ProfileError."""
    # KEYS-13: "external commits and external senders MUST be refused in a one-to-one call."
    if not sender.is_member:
        raise ProfileError(ProfileReason.EXTERNAL_SENDER, sender.sender_type.name.lower())
    return sender.leaf_index


def added_certificates(commit: Commit) -> list[VerifiedCertificate]:
    """The certificates of the leaves that a commit adds. Raises ProfileError, DecodeError or CertificateError."""
    contents = _by_value(commit)
    return [leaf_certificate(c.key_package.leaf_node) for c in contents if isinstance(c, Add)]


def _check_path(commit: Commit, committer: VerifiedCertificate) -> None:
    # KEYS-12: "Every commit MUST carry an UpdatePath ...; a commit without one MUST be refused."
    if commit.path is None:
        raise ProfileError(ProfileReason.NO_PATH)
    leaf = commit.path.leaf_node
    # IDENT-11: "a leaf's credential and signature key MUST NOT change while the leaf lives"
    if leaf.signature_key != committer.signature_key:
        raise ProfileError(ProfileReason.LEAF_CHANGED, "another signature key")
    if leaf.credential != Credential.basic(committer.certificate.encode()):
        raise ProfileError(ProfileReason.LEAF_CHANGED, "another credential")


def _by_value(commit: Commit) -> list[ProposalContent]:
    contents = []
    for proposal in commit.proposals:
        # KEYS-13: "Proposals by reference ... MUST be refused in a one-to-one call."
        if not isinstance(proposal.value, Proposal):
            raise ProfileError(ProfileReason.PROPOSAL_BY_REFERENCE)
        contents.append(proposal.value.content)
    return contents


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a row looks at: the group before the commit, its committer, and the proposals by value."""

    profile: CallProfile
    members: Roster
    committer: int
    contents: list[ProposalContent]


def _check_invitation(facts: _Facts) -> None:
    """KEYS-11: "Adds by value of the callee account's devices, at least one"."""
    certificates = dict(facts.members)
    for content in facts.contents:
        if not isinstance(content, Add):
            raise _illegal(content)
        certificate = leaf_certificate(content.key_package.leaf_node)
        if certificate.account_key != facts.profile.callee:
            raise _illegal(content, "of another account")
        certificates[len(certificates)] = certificate
    if not facts.contents:
        raise ProfileError(ProfileReason.ILLEGAL_PROPOSAL, "nobody is added")
    check_roster(certificates)


def _check_answer(facts: _Facts) -> None:
    """KEYS-11: "Removes by value of exactly all other leaves of the callee"."""
    removed = []
    for content in facts.contents:
        if not isinstance(content, Remove):
            raise _illegal(content)
        removed.append(content.removed)
    others = [
        leaf_index
        for leaf_index, certificate in facts.members.items()
        if certificate.account_key == facts.profile.callee and leaf_index != facts.committer
    ]
    if sorted(removed) != sorted(others):
        raise ProfileError(ProfileReason.ILLEGAL_PROPOSAL, "not exactly all other leaves")


def _check_timed(facts: _Facts) -> None:
    """KEYS-11: "a commit without proposals"."""
    for content in facts.contents:
        raise _illegal(content)


def _illegal(content: ProposalContent, detail: str = "") -> ProfileError:
    return ProfileError(
        ProfileReason.ILLEGAL_PROPOSAL, f"{type(content).__name__} {detail}".rstrip()
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """What may be committed in an epoch: by whose devices, and which proposals."""

    commit: LegalCommit
    accounts: Callable[[CallProfile], tuple[bytes, ...]]
    check: Callable[[_Facts], None]


# KEYS-11: the legal commits of epoch 0, of epoch 1, and from epoch 2. "A member MUST refuse every other commit."
_LEGAL = (
    _Row(LegalCommit.INVITATION, lambda profile: (profile.caller,), _check_invitation),
    _Row(LegalCommit.ANSWER, lambda profile: (profile.callee,), _check_answer),
    _Row(LegalCommit.TIMED, lambda profile: profile.accounts, _check_timed),
)
