"""The group with which a group call begins: one member, a host, and the profile of KEYS-19 (GROUP-1)."""

from __future__ import annotations

from collections.abc import Sequence

from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.link import GroupLink
from e2ee.call.owner import Owner
from e2ee.mls.group import Group
from e2ee.profile.call_profile import (
    JoinPolicy,
    check_group_call,
    group_extensions,
    group_profile,
)
from e2ee.profile.errors import ProfileError
from e2ee.profile.leaves import committer_policy

__all__ = ["new_group"]


def new_group(
    owner: Owner,
    call_id: bytes,
    now: int,
    *,
    join_policy: JoinPolicy,
    accounts: Sequence[bytes],
    speakers: Sequence[bytes],
    suite: int | None,
) -> tuple[Group, GroupLink | None]:
    """The group of a new call, and its link if the policy is link. Raises CallUsageError (BAD_CONFIGURATION, BAD_PROFILE)."""
    suite = owner.suites[-1] if suite is None else suite
    if suite not in owner.suites:
        raise CallUsageError(CallReason.BAD_CONFIGURATION, f"MLS suite {suite:#06x}")
    link = GroupLink.create(owner.entropy, call_id) if join_policy is JoinPolicy.LINK else None
    profile = group_profile(
        owner.certificate.account_key,
        owner.delivery_key,
        join_policy=join_policy,
        accounts=accounts,
        speakers=speakers,
        link_id=b"" if link is None else link.psk_id,
        version=owner.versions[-1],
    )
    try:
        check_group_call(profile, call_id)
    except ProfileError as error:
        raise CallUsageError(GroupReason.BAD_PROFILE, error.detail) from None
    group = Group.create(
        owner.new_join_key_package(suite, GroupLink(call_id, None), now),
        group_id=call_id,  # CALL-1
        extensions=group_extensions(profile),
        policy=committer_policy(now),
        entropy=owner.entropy,
    )
    return group, link
