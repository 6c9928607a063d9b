"""Groups that come from other groups: reinitialization and branching (RFC 9420 Sections 11.2 and 11.3).

    reinitialize    after a commit of a ReInit, by any member: the same members, other parameters, and the old group is over
    branch          at any time, by any member: some of the members, the same version and cipher suite, and both groups live

Both take fresh KeyPackages of the others (of the new cipher suite), make a group of one, and add everybody by its first
commit, which carries the predecessor's resumption PSK. Only members of the predecessor can open the Welcome, and they
join with ``joining.join(welcome, bundle, predecessors=[their own Predecessor of that epoch], ...)``.

The new group is judged before it is given away by the same function as its newcomers will judge it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from e2ee.crypto.entropy import Entropy
from e2ee.mls.errors import Rule, UsageError
from e2ee.mls.extension import Extension
from e2ee.mls.group import Group
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.predecessor import Predecessor
from e2ee.mls.proposal import Add, PreSharedKey
from e2ee.mls.psk import PreSharedKeyID, PSKType, ResumptionPSKUsage
from e2ee.mls.succession import Succession, check_successor_group

__all__ = ["NewGroup", "branch", "reinitialize"]


@dataclass(frozen=True, slots=True)
class NewGroup:
    """The creator's group in epoch 1, and the Welcome for the others; None if there are none.

    Nobody else knows of the group before the Welcome is sent, so who does not send it drops both.
    """

    group: Group
    welcome: MLSMessage | None


def reinitialize(
    predecessor: Predecessor,
    bundle: KeyPackageBundle,
    key_packages: Iterable[KeyPackage],
    *,
    policy: ValidationPolicy,
    entropy: Entropy,
    ratchet_tree_extension: bool = True,
) -> NewGroup:
    """The group that the ReInit asked for, with all members of the old one.

    ``predecessor`` is of the epoch that the commit of the ReInit began; ``bundle`` and ``key_packages`` are of the cipher
    suite that the ReInit names. Raises UsageError(NOT_REINITIALIZED); ValidationError if the new group is not the one
    that was asked for (SUCCESSOR_NOT_AS_PROPOSED, SUCCESSOR_LACKS_MEMBER) or a KeyPackage is not valid.
    """
    reinit = predecessor.reinit
    if reinit is None:
        raise UsageError(Rule.NOT_REINITIALIZED)
    alone = Group.create(
        bundle,
        group_id=reinit.group_id,
        extensions=reinit.extensions,
        policy=policy,
        entropy=entropy,
    )
    return _populated(
        alone,
        key_packages,
        Succession(predecessor.psk_name(ResumptionPSKUsage.REINIT), predecessor),
        policy,
        entropy,
        ratchet_tree_extension,
    )


def branch(
    predecessor: Predecessor,
    bundle: KeyPackageBundle,
    key_packages: Iterable[KeyPackage],
    *,
    group_id: bytes,
    extensions: tuple[Extension, ...] = (),
    policy: ValidationPolicy,
    entropy: Entropy,
    ratchet_tree_extension: bool = True,
) -> NewGroup:
    """A subgroup of some of the members, under a new ``group_id``.

    ``bundle`` and ``key_packages`` are of the old group's cipher suite. Raises UsageError(GROUP_REINITIALIZED);
    ValidationError if somebody was no member (BRANCH_MEMBER_UNKNOWN), of BRANCH_OF_OTHER_PARAMETERS, or if a KeyPackage
    is not valid.
    """
    if predecessor.reinit is not None:
        raise UsageError(Rule.GROUP_REINITIALIZED)
    alone = Group.create(
        bundle, group_id=group_id, extensions=extensions, policy=policy, entropy=entropy
    )
    return _populated(
        alone,
        key_packages,
        Succession(predecessor.psk_name(ResumptionPSKUsage.BRANCH), predecessor),
        policy,
        entropy,
        ratchet_tree_extension,
    )


def _populated(
    alone: Group,
    key_packages: Iterable[KeyPackage],
    succession: Succession,
    policy: ValidationPolicy,
    entropy: Entropy,
    ratchet_tree_extension: bool,
) -> NewGroup:
    """The group of one after the commit that adds everybody, linked to the predecessor."""
    # "the psk_nonce included in the PreSharedKeyID object MUST be a randomly sampled nonce of length KDF.Nh."
    nonce = entropy.random(alone.cipher_suite.kdf.Nh)
    psk_id = PreSharedKeyID(PSKType.RESUMPTION, succession.psk_name, nonce)
    pending = alone.commit(
        proposals=[*map(Add, key_packages), PreSharedKey(psk_id)],
        psks=succession.psks,
        policy=policy,
        entropy=entropy,
        ratchet_tree_extension=ratchet_tree_extension,
    )
    group = alone.merge(pending.staged)
    check_successor_group(
        group.group_context, group.tree, succession, [succession.predecessor], policy
    )
    return NewGroup(group, pending.welcome)
