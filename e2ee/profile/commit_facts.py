"""What every judgement of a commit begins with: who commits, with a path, which proposals by value (KEYS-12, KEYS-13)."""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.mls.commit import Commit
from e2ee.mls.credential import Credential
from e2ee.mls.framing import Sender
from e2ee.mls.proposal import Proposal, ProposalContent
from e2ee.profile.call_profile import CallProfile
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.profile.roster import Roster

__all__ = ["CommitFacts", "by_value", "check_path", "illegal", "member_leaf_index"]


@dataclass(frozen=True, slots=True)
class CommitFacts:
    """The group before the commit, its committer, the proposals, and what is signed beside them."""

    profile: CallProfile
    group_id: bytes
    epoch: int
    members: Roster
    committer: int
    contents: list[ProposalContent]
    authenticated_data: bytes

    @property
    def account_key(self) -> bytes:
        """The committer's."""
        return self.members[self.committer].account_key


def member_leaf_index(sender: Sender) -> int:
    """The leaf of a sender, who must be a member. Raises ProfileError."""
    # KEYS-13: "external commits, external senders ... MUST be refused in a one-to-one call."
    # KEYS-20: "A member MUST refuse every other commit, external commits and external senders."
    if not sender.is_member:
        raise ProfileError(ProfileReason.EXTERNAL_SENDER, sender.sender_type.name.lower())
    return sender.leaf_index


def check_path(commit: Commit, committer: VerifiedCertificate) -> None:
    """The commit has a path, whose leaf is still the committer's. Raises ProfileError."""
    # KEYS-12: "Every commit MUST carry an UpdatePath ...; a commit without one MUST be refused."
    if commit.path is None:
        raise ProfileError(ProfileReason.NO_PATH)
    leaf = commit.path.leaf_node
    # IDENT-11: "a leaf's credential and signature key MUST NOT change while the leaf lives"
    if leaf.signature_key != committer.signature_key:
        raise ProfileError(ProfileReason.LEAF_CHANGED, "another signature key")
    if leaf.credential != Credential.basic(committer.certificate.encode()):
        raise ProfileError(ProfileReason.LEAF_CHANGED, "another credential")


def by_value(commit: Commit) -> list[ProposalContent]:
    """The proposals of the commit. Raises ProfileError."""
    contents = []
    for proposal in commit.proposals:
        # KEYS-13: "Proposals by reference ... MUST be refused in a one-to-one call."
        # KEYS-20: "its proposals MUST be by value"
        if not isinstance(proposal.value, Proposal):
            raise ProfileError(ProfileReason.PROPOSAL_BY_REFERENCE)
        contents.append(proposal.value.content)
    return contents


def illegal(content: ProposalContent, detail: str = "") -> ProfileError:
    """A proposal that the profile does not allow there."""
    named = f"{type(content).__name__} {detail}".rstrip()
    return ProfileError(ProfileReason.ILLEGAL_PROPOSAL, named)
