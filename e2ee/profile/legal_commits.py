"""Legal commits: the closed list of what a call allows beyond RFC 9420 (KEYS-11 to KEYS-13, KEYS-20, KEYS-22).

Of a one-to-one call and of a ring group one table says who may commit what in which epoch; a commit that is in none of
its rows is illegal. Group calls have a table of their own (``legal_group_commits``). Judged are public facts only (the
group before the commit, and the commit), so members and the delivery service judge alike, and a receiver never refuses
for what only it knows (KEYS-14). Signatures, the tree and the update path are MLS's to check; this comes beside that,
never instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.mls.commit import Commit
from e2ee.mls.framing import Sender
from e2ee.mls.proposal import Add, Remove
from e2ee.profile.call_profile import CallKind, CallProfile
from e2ee.profile.commit_facts import (
    CommitFacts,
    by_value,
    check_path,
    illegal,
    member_leaf_index,
)
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.profile.join import check_no_join
from e2ee.profile.legal_group_commits import check_group_commit, proposed_profile
from e2ee.profile.roster import Roster, check_roster, leaf_certificate

__all__ = ["LegalCommit", "added_certificates", "judge", "member_leaf_index", "profile_after"]


class LegalCommit(StrEnum):
    """What a legal commit is."""

    INVITATION = "invitation"
    """Epoch 0 of a call between two: the caller adds the callee's devices."""
    ANSWER = "answer"
    """Epoch 1 of a call between two: a device of the callee removes all others of the callee."""
    CHANGE = "change"
    """Of a group call: members come or go, or the profile changes."""
    TIMED = "timed"
    """A member replaces its keys and does nothing else (KEYS-15)."""


def judge(
    profile: CallProfile,
    group_id: bytes,
    epoch: int,
    members: Roster,
    sender: Sender,
    commit: Commit,
    authenticated_data: bytes,
) -> LegalCommit:
    """What ``commit`` by ``sender``, a member, is in this epoch of the call with this profile and these members.

    ``authenticated_data`` is what is signed beside it. Raises ProfileError if it is illegal; DecodeError or
    CertificateError for the certificate of a leaf to be added.
    """
    committer = member_leaf_index(sender)
    check_path(commit, members[committer])
    judged = _JUDGES.get(profile.kind)
    if judged is None:
        raise ProfileError(ProfileReason.BAD_CALL_PROFILE, f"kind {profile.kind}")
    contents = by_value(commit)
    return judged(
        CommitFacts(profile, group_id, epoch, members, committer, contents, authenticated_data)
    )


def added_certificates(commit: Commit) -> list[VerifiedCertificate]:
    """The certificates of the leaves that a commit adds. Raises ProfileError, DecodeError or CertificateError."""
    contents = by_value(commit)
    return [leaf_certificate(c.key_package.leaf_node) for c in contents if isinstance(c, Add)]


def profile_after(profile: CallProfile, commit: Commit) -> CallProfile:
    """The profile that holds after a commit that was found legal while ``profile`` held. Raises ProfileError."""
    return proposed_profile(profile, by_value(commit))


def _check_invitation(facts: CommitFacts) -> None:
    """KEYS-11: "Adds by value of the callee account's devices, at least one"."""
    certificates = dict(facts.members)
    for content in facts.contents:
        if not isinstance(content, Add):
            raise illegal(content)
        check_no_join(content.key_package)
        certificate = leaf_certificate(content.key_package.leaf_node)
        if certificate.account_key != facts.profile.callee:
            raise illegal(content, "of another account")
        certificates[len(certificates)] = certificate
    if not facts.contents:
        raise ProfileError(ProfileReason.ILLEGAL_PROPOSAL, "nobody is added")
    check_roster(certificates)


def _check_answer(facts: CommitFacts) -> None:
    """KEYS-11: "Removes by value of exactly all other leaves of the callee"."""
    removed = []
    for content in facts.contents:
        if not isinstance(content, Remove):
            raise illegal(content)
        removed.append(content.removed)
    others = [
        leaf_index
        for leaf_index, certificate in facts.members.items()
        if certificate.account_key == facts.profile.callee and leaf_index != facts.committer
    ]
    if sorted(removed) != sorted(others):
        raise ProfileError(ProfileReason.ILLEGAL_PROPOSAL, "not exactly all other leaves")


def _check_timed(facts: CommitFacts) -> None:
    """KEYS-11: "a commit without proposals"."""
    for content in facts.contents:
        raise illegal(content)


def _judge_between_two(facts: CommitFacts) -> LegalCommit:
    legal = _LEGAL[min(facts.epoch, len(_LEGAL) - 1)]
    if facts.account_key not in legal.accounts(facts.profile):
        detail = f"leaf {facts.committer} in epoch {facts.epoch}"
        raise ProfileError(ProfileReason.ILLEGAL_COMMITTER, detail)
    # KEYS-13: "and a commit with `authenticated_data` MUST be refused"
    if facts.authenticated_data:
        raise ProfileError(ProfileReason.UNEXPECTED_AUTHENTICATED_DATA)
    legal.check(facts)
    return legal.commit


def _judge_group(facts: CommitFacts) -> LegalCommit:
    check_group_commit(facts)
    return LegalCommit.CHANGE if facts.contents else LegalCommit.TIMED


@dataclass(frozen=True, slots=True)
class _Row:
    """What may be committed in an epoch: by whose devices, and which proposals."""

    commit: LegalCommit
    accounts: Callable[[CallProfile], tuple[bytes, ...]]
    check: Callable[[CommitFacts], None]


# KEYS-11: the legal commits of epoch 0, of epoch 1, and from epoch 2. "A member MUST refuse every other commit."
_LEGAL = (
    _Row(LegalCommit.INVITATION, lambda profile: (profile.caller,), _check_invitation),
    _Row(LegalCommit.ANSWER, lambda profile: (profile.callee,), _check_answer),
    _Row(LegalCommit.TIMED, lambda profile: profile.accounts, _check_timed),
)

_JUDGES: Mapping[int, Callable[[CommitFacts], LegalCommit]] = {
    CallKind.RING: _judge_between_two,  # KEYS-22
    CallKind.ONE_TO_ONE: _judge_between_two,
    CallKind.GROUP: _judge_group,
}
