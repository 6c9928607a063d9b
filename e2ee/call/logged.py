"""A commit in the log of a call: staged beside the epoch, judged, and not applied yet (KEYS-17).

MLS stages it, and ``e2ee.profile.legal_commits`` judges it as the delivery service does; nothing here asks what only this
device knows (KEYS-14), but for one thing that every member knows and the service does not: the link (GROUP-12).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.group.link import GroupLink
from e2ee.call.mls_messages import commit_message
from e2ee.call.roster import Member
from e2ee.crypto.secret import Secret
from e2ee.errors import RemoteProtocolError
from e2ee.mls.commit import Commit
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.group import Group, StagedCommit
from e2ee.mls.message import MLSMessage
from e2ee.mls.psk import PskName
from e2ee.mls.public_message import PublicMessage
from e2ee.profile.call_profile import CallProfile, JoinPolicy, call_profile
from e2ee.profile.leaves import receiver_policy
from e2ee.profile.legal_commits import LegalCommit, judge, member_leaf_index
from e2ee.profile.roster import Roster, roster

__all__ = ["InvalidCommit", "Links", "Logged", "psks_of", "stage"]

Links = Mapping[bytes, GroupLink]
"""The links that a device knows of a group call, by ``psk_id``."""


def psks_of(links: Links, Nh: int) -> dict[PskName, Secret]:
    """The external PSK of each link (GROUP-3)."""
    return {psk_id: link.psk(Nh) for psk_id, link in links.items()}


class InvalidCommit(RemoteProtocolError):
    """A commit that a member of this epoch made and that is not to be followed; ``error`` says what is wrong with it."""

    def __init__(self, error: RemoteProtocolError) -> None:
        super().__init__(error.reason, error.detail)
        self.error = error


class UntaggedCommit(RemoteProtocolError):
    """A commit that a member of this epoch signed, without the tag that its members make: nobody can follow it (GROUP-20)."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A legal commit for this epoch, and what it leads to; ``own`` tells that this device made it."""

    kind: LegalCommit
    staged: StagedCommit
    own: bool
    roster_after: Roster = field(repr=False)

    @classmethod
    def of(cls, kind: LegalCommit, staged: StagedCommit, before: Roster, *, own: bool) -> Logged:
        """A staged commit, with the roster that it leaves. Raises RemoteProtocolError."""
        return cls(kind, staged, own, roster(staged.public.tree, before))

    @property
    def committer(self) -> int:
        """The leaf index of who made it."""
        return self.staged.committer

    @property
    def profile_after(self) -> CallProfile:
        """The profile of the epoch that it begins."""
        return call_profile(self.staged.extensions)

    @property
    def added(self) -> tuple[Member, ...]:
        """Who comes by it."""
        leaves = (added.leaf_index for added in self.staged.added)
        return tuple(Member(leaf, self.roster_after[leaf]) for leaf in leaves)

    @property
    def removed(self) -> frozenset[int]:
        """The leaves that it empties; one of them may be a newcomer's afterwards."""
        return frozenset(self.staged.removed)

    @property
    def removes_own_leaf(self) -> bool:
        """Whether it removes this device: then it cannot be applied."""
        return self.staged.removes_own_leaf


def stage(group: Group, members: Roster, links: Links, data: bytes, now: int) -> Logged:
    """Another member's commit, staged beside ``group``.

    Raises InvalidCommit if a member made it and it is not valid (CALL-32, GROUP-20), UntaggedCommit; DecodeError, CallRefused, ProfileError
    or ValidationError (RFC 9420) for what anybody could have made.
    """
    message, commit = commit_message(data)
    member_leaf_index(message.content.sender)  # KEYS-13: a commit from outside has no tag
    _check_authentic(group, message)
    try:
        return _judged(group, members, links, message, commit, now)
    except RemoteProtocolError as error:
        raise InvalidCommit(error) from error


def _check_authentic(group: Group, message: PublicMessage) -> None:
    try:
        group.check_authentic(message)
    except ValidationError as error:
        if error.reason is not Rule.MEMBERSHIP_TAG:
            raise
        group.check_signed(message)
        raise UntaggedCommit(error.reason, error.detail) from None


def _judged(
    group: Group, members: Roster, links: Links, message: PublicMessage, commit: Commit, now: int
) -> Logged:
    psks = psks_of(links, group.cipher_suite.kdf.Nh)
    staged = group.receive(MLSMessage.of(message), policy=receiver_policy(now), psks=psks)
    if not isinstance(staged, StagedCommit):
        raise CallRefused(CallReason.NOT_A_COMMIT)
    # KEYS-11, KEYS-20: "A member MUST refuse every other commit."
    kind = judge(
        call_profile(group.extensions),
        group.group_id,
        group.epoch,
        members,
        message.content.sender,
        commit,
        message.content.authenticated_data,
    )
    logged = Logged.of(kind, staged, members, own=False)
    _check_link_proofs(logged, links)
    return logged


def _check_link_proofs(logged: Logged, links: Links) -> None:
    profile = logged.profile_after
    if profile.join_policy != JoinPolicy.LINK:
        return
    for added in logged.staged.added:
        # GROUP-12: "MUST refuse a commit with an Add whose `link_proof` is not that of the link"
        if not links[profile.link_id].is_proven_by(added.key_package):
            raise CallRefused(CallReason.WRONG_LINK_PROOF, f"leaf {added.leaf_index}")
