"""Legal commits of group calls: the closed list of what a group call allows beyond RFC 9420 (KEYS-20, KEYS-24).

Who may do something is judged by the profile before the commit, also of a host who ceases to be one by it; who may be
in the call by the profile after it. So a host lists an account and adds its device in one commit, or bans an account
and removes its devices.

Whatever the proposals are, the group after the commit is one: nobody in it is banned, no device is in it twice, no
account id has two keys. Signatures come last, and of certificates only those of newcomers: a commit to a group of 1,000
is judged in the time that its own proposals take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.proposal import (
    Add,
    GroupContextExtensions,
    PreSharedKey,
    ProposalContent,
    Remove,
)
from e2ee.mls.psk import PSKType
from e2ee.profile import gone
from e2ee.profile.call_profile import (
    CHANGEABLE,
    CallProfile,
    JoinPolicy,
    call_profile,
    check_group_call,
)
from e2ee.profile.commit_facts import CommitFacts, illegal
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.profile.gone import GoneStatement
from e2ee.profile.join import check_join
from e2ee.profile.leaves import MAX_LEAVES
from e2ee.profile.roster import check_roster, leaf_certificate

__all__ = ["check_group_commit", "proposed_profile"]

_PROPOSALS = (Add, Remove, PreSharedKey, GroupContextExtensions)


def check_group_commit(facts: CommitFacts) -> None:
    """KEYS-20. Raises ProfileError; DecodeError or CertificateError for the certificate of a leaf to be added."""
    for content in facts.contents:
        # KEYS-20: "its proposals MUST be by value and of these"
        if not isinstance(content, _PROPOSALS):
            raise illegal(content)
    after = proposed_profile(facts.profile, facts.contents)
    key_packages = [each.key_package for each in facts.contents if isinstance(each, Add)]
    _check_profile(facts, after)
    _check_joins(facts, after, key_packages)
    _check_psks(facts, after)
    statements = _statements(facts)
    newcomers = [leaf_certificate(each.leaf_node) for each in key_packages]
    _check_removes(facts, newcomers, statements)
    _check_members(facts, after, newcomers)
    for statement in statements:
        gone.check(statement, facts.profile.delivery_key, facts.group_id, facts.epoch)


def proposed_profile(profile: CallProfile, contents: Sequence[ProposalContent]) -> CallProfile:
    """The profile after a commit with these proposals, not yet found legal. Raises ProfileError."""
    proposed = [each for each in contents if isinstance(each, GroupContextExtensions)]
    # KEYS-20: "at most one"
    if len(proposed) > 1:
        raise illegal(proposed[1], "beside another")
    return call_profile(proposed[0].extensions) if proposed else profile


def _check_profile(facts: CommitFacts, after: CallProfile) -> None:
    """The row of GroupContextExtensions."""
    if not any(isinstance(each, GroupContextExtensions) for each in facts.contents):
        return
    # KEYS-20: "by a host"; "who is a host is judged by the profile before the commit"
    if not _by_host(facts):
        raise ProfileError(ProfileReason.NOT_A_HOST, "changes the profile")
    # KEYS-20: "that changes nothing but `hosts`, `accounts`, `banned`, `speakers`, `join_policy` and `link_id`"
    before = {name: getattr(facts.profile, name) for name in CHANGEABLE}
    if replace(after, **before) != facts.profile:
        raise ProfileError(ProfileReason.CALL_PROFILE_FIXED)
    # KEYS-20: "and brings a profile of KEYS-19"
    check_group_call(after, facts.group_id)


def _check_joins(
    facts: CommitFacts, after: CallProfile, key_packages: Sequence[KeyPackage]
) -> None:
    """The row of Add, without the accounts: each KeyPackage was made for this call."""
    for key_package in key_packages:
        # KEYS-20: "the KeyPackage carries `join` for this call"
        check_join(key_package, facts.group_id, after.join_policy)


def _check_psks(facts: CommitFacts, after: CallProfile) -> None:
    """The row of PreSharedKey."""
    named = [each.psk for each in facts.contents if isinstance(each, PreSharedKey)]
    adds = any(isinstance(each, Add) for each in facts.contents)
    # KEYS-20: "exactly one, ..., if the commit adds and the policy is link; otherwise none"
    due = 1 if adds and after.join_policy == JoinPolicy.LINK else 0
    if len(named) != due:
        raise ProfileError(ProfileReason.NOT_THE_LINKS_PSK, f"{len(named)} PSKs, not {due}")
    for psk in named:
        # KEYS-20: "external, with `link_id`"
        if (psk.psktype, psk.psk) != (PSKType.EXTERNAL, after.link_id):
            raise ProfileError(ProfileReason.NOT_THE_LINKS_PSK, "another PSK")


def _statements(facts: CommitFacts) -> tuple[GoneStatement, ...]:
    """The GoneStatements, found to be for leaves that the commit removes; their signatures are not yet checked."""
    statements = gone.decode_statements(facts.authenticated_data)
    removed = set(_removed(facts))
    for statement in statements:
        # KEYS-24: "each for another leaf that it removes"
        if statement.leaf not in removed:
            raise ProfileError(ProfileReason.GONE_NOT_REMOVED, f"leaf {statement.leaf}")
        removed.remove(statement.leaf)
    return statements


def _check_removes(
    facts: CommitFacts,
    newcomers: Sequence[VerifiedCertificate],
    statements: Sequence[GoneStatement],
) -> None:
    """The row of Remove."""
    by_host = _by_host(facts)
    added = {_device(newcomer) for newcomer in newcomers}
    gone_leaves = {statement.leaf for statement in statements}
    removed = _removed(facts)
    for leaf_index in removed:
        target = facts.members.get(leaf_index)
        # KEYS-20: "a leaf that has a member, not the committer's own, and no other Remove of the commit has it"
        if target is None or leaf_index == facts.committer or removed.count(leaf_index) > 1:
            raise ProfileError(ProfileReason.ILLEGAL_PROPOSAL, f"Remove of leaf {leaf_index}")
        # KEYS-20: "it is of the committer's account; or the committer is a host; or the commit adds a leaf of the target's
        # `account_id`, `account_key` and `device_id`; or `authenticated_data` has a GoneStatement for it"
        if not (
            target.account_key == facts.account_key
            or by_host
            or _device(target) in added
            or leaf_index in gone_leaves
        ):
            raise ProfileError(ProfileReason.MAY_NOT_REMOVE, f"leaf {leaf_index}")


def _check_members(
    facts: CommitFacts, after: CallProfile, newcomers: Sequence[VerifiedCertificate]
) -> None:
    """Who is in the group after the commit: the rest of the row of Add, and IDENT-11."""
    members = dict(facts.members)
    for leaf_index in _removed(facts):
        members.pop(leaf_index, None)
    # KEYS-23: "at most 1,024 leaves"; so none has a higher index, for a newcomer takes the lowest that is free
    if len(members) + len(newcomers) > MAX_LEAVES:
        raise ProfileError(ProfileReason.TOO_MANY_LEAVES, f"at most {MAX_LEAVES}")
    members.update(enumerate(newcomers, start=MAX_LEAVES))
    banned = set(after.banned)
    for certificate in members.values():
        # KEYS-20: "after it no leaf is of an account in `banned`"
        if certificate.account_key in banned:
            raise ProfileError(ProfileReason.BANNED, certificate.account_id)
    for newcomer in newcomers:
        # KEYS-20: "the account is in `hosts` or `accounts` unless the policy is link"
        if not after.admits(newcomer.account_key):
            raise ProfileError(ProfileReason.NOT_ADMITTED, newcomer.account_id)
    check_roster(members)


def _by_host(facts: CommitFacts) -> bool:
    return facts.profile.is_host(facts.account_key)


def _removed(facts: CommitFacts) -> list[int]:
    return [content.removed for content in facts.contents if isinstance(content, Remove)]


def _device(certificate: VerifiedCertificate) -> tuple[str, bytes, int]:
    """Whose device a leaf is; the account's key too, or anybody could replace a member by an account of its name."""
    return certificate.account_id, certificate.account_key, certificate.device_id
