"""Being added: a Welcome becomes a group, or is refused (GROUP-11).

What the service sends may be a Welcome to any group: its own, or another call's. So the group has to be that of the call,
which only its members can have made, because they have the link; or because a host is in it, if there is no link.
"""

from __future__ import annotations

from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.group.asking import Entrance
from e2ee.call.group.errors import GroupReason
from e2ee.call.owner import Owner
from e2ee.crypto.secret import Secret
from e2ee.mls.extension import ExtensionType, find
from e2ee.mls.group import Group
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.joining import join, read_group_info
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.psk import PskName
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import CallProfile, JoinPolicy, call_profile, check_group_call
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.profile.leaves import receiver_policy
from e2ee.profile.roster import Roster, roster

__all__ = ["join_group_call", "tree_epoch"]


def tree_epoch(entrance: Entrance, welcome: Welcome, bundle: KeyPackageBundle) -> int | None:
    """The epoch whose tree has to be asked for; None if the Welcome brings it. Raises RemoteProtocolError."""
    psks = _psks(entrance, bundle)
    info = read_group_info(welcome, bundle, psks=psks, required_psks=psks.keys())
    _check_call_id(entrance, info.group_context.group_id)
    return None if _has_tree(info) else info.group_context.epoch


def join_group_call(
    owner: Owner,
    entrance: Entrance,
    welcome: Welcome,
    bundle: KeyPackageBundle,
    now: int,
    ratchet_tree: bytes | None = None,
) -> tuple[Group, Roster]:
    """The group, found to be the one behind ``entrance``, and its roster. Raises RemoteProtocolError; then nothing has changed."""
    psks = _psks(entrance, bundle)
    group = join(
        welcome,
        bundle,
        policy=receiver_policy(now),
        ratchet_tree=ratchet_tree,
        psks=psks,
        required_psks=psks.keys(),
    )
    _check_call_id(entrance, group.group_id)
    profile, members = call_profile(group.extensions), roster(group.tree)
    # GROUP-11: "and its profile one of KEYS-19"
    check_group_call(profile, group.group_id)
    if profile.version not in owner.versions:
        raise ProfileError(ProfileReason.VERSION_TOO_LOW, f"{profile.version:#06x}")
    _check_entrance(entrance, profile, members)
    return group, members


def _psks(entrance: Entrance, bundle: KeyPackageBundle) -> dict[PskName, Secret]:
    # GROUP-11: "and the Welcome names the link's PSK": else who has not the link could have made it
    if entrance.link.secret is None:
        return {}
    return {entrance.link.psk_id: entrance.link.psk(bundle.suite.kdf.Nh)}


def _has_tree(info: GroupInfo) -> bool:
    return find(info.extensions, ExtensionType.RATCHET_TREE) is not None


def _check_call_id(entrance: Entrance, group_id: bytes) -> None:
    # GROUP-11: "unless the group is that of the call which it asked to join"
    if group_id != entrance.call_id:
        raise CallRefused(CallReason.WRONG_CALL_ID)


def _check_entrance(entrance: Entrance, profile: CallProfile, members: Roster) -> None:
    if entrance.link.secret is not None:
        # GROUP-11: "if it came by a link with a secret, the policy is `link`, `link_id` is the link's"
        link = (profile.join_policy, profile.link_id)
        if link != (JoinPolicy.LINK, entrance.link.psk_id):
            raise CallRefused(GroupReason.WRONG_LINK)
        return
    # GROUP-11: "one of the hosts that it was told of is a host and has a leaf"
    present = {certificate.account_key for certificate in members.values()}
    if not entrance.hosts & present & set(profile.hosts):
        raise CallRefused(GroupReason.HOST_NOT_THERE)
