"""Succession: what must hold between a new group and the one that it comes from (RFC 9420 Sections 11.2, 11.3 and 12.4.3.1).

A new group is linked to its predecessor by the predecessor's resumption PSK, which only its members have. The link is
worth as much as the checks of the new group against the old: they stand here, one function a rule. Who is welcomed asks
them, and so does who makes a new group before anybody is welcomed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.group_context import GroupContext
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.predecessor import Predecessor
from e2ee.mls.proposal import ReInit
from e2ee.mls.psk import PreSharedKeyID, PskName, ResumptionPSK, ResumptionPSKUsage
from e2ee.mls.ratchet_tree import RatchetTree

__all__ = ["Succession", "check_successor_group", "find_succession"]

_Identities = Counter[Hashable]
"""How many leaves there are of each identity: two devices of one person may look alike to the application."""


@dataclass(frozen=True, slots=True, repr=False)
class Succession:
    """From which epoch a new group comes, and in which of the two ways."""

    psk_name: ResumptionPSK
    predecessor: Predecessor

    @property
    def psks(self) -> Mapping[PskName, Secret]:
        """The key that links the two."""
        return {self.psk_name: self.predecessor.resumption_psk}


def find_succession(
    psk_ids: Iterable[PreSharedKeyID], predecessors: Iterable[Predecessor]
) -> Succession | None:
    """What the PSKs of a Welcome say about where the group comes from; None if it is a group of its own.

    Raises ValidationError.
    """
    names = [
        psk_id.psk
        for psk_id in psk_ids
        if isinstance(psk_id.psk, ResumptionPSK) and psk_id.psk.usage in _CHECKS
    ]
    if not names:
        return None
    # "if a PreSharedKeyID has type resumption with usage reinit or branch, verify that it is the only such PSK."
    if len(names) > 1:
        raise ValidationError(Rule.SEVERAL_PREDECESSORS)
    for predecessor in predecessors:
        if predecessor.psk_name(names[0].usage) == names[0]:
            return Succession(names[0], predecessor)
    # "If a PreSharedKeyID is part of the GroupSecrets and the client is not in possession of the corresponding PSK,
    # return an error."
    raise ValidationError(Rule.PREDECESSOR_UNKNOWN, f"epoch {names[0].psk_epoch}")


def check_successor_group(
    context: GroupContext,
    tree: RatchetTree,
    succession: Succession | None,
    predecessors: Iterable[Predecessor],
    policy: ValidationPolicy,
) -> None:
    """A group, as its first newcomers find it, against those that it may come from. Raises ValidationError."""
    _check_reinit_linked(context, succession, predecessors)
    if succession is None:
        return
    # Section 12.4.3.1: "verify that the epoch field in the GroupInfo is equal to 1."
    if context.epoch != 1:
        raise ValidationError(Rule.SUCCESSOR_EPOCH, f"{context.epoch}")
    members = Counter(policy.identity(leaf.credential) for _, leaf in tree.members())
    known = Counter(map(policy.identity, succession.predecessor.credentials))
    _CHECKS[succession.psk_name.usage](context, succession.predecessor, members, known)


def _check_reinit_linked(
    context: GroupContext, succession: Succession | None, predecessors: Iterable[Predecessor]
) -> None:
    # Section 11.2: "The Welcome message MUST specify a PreSharedKeyID of type resumption with usage reinit, where the
    # group_id field matches the old group and the epoch field indicates the epoch after the Commit covering the ReInit."
    # A group under the name that a ReInit gave is one that comes from there, or it is somebody else's.
    for predecessor in predecessors:
        if predecessor.reinit is None or predecessor.reinit.group_id != context.group_id:
            continue
        due = predecessor.psk_name(ResumptionPSKUsage.REINIT)
        if succession is None or succession.psk_name != due:
            raise ValidationError(Rule.REINIT_PSK_MISSING)


def _check_reinitialized(
    context: GroupContext, predecessor: Predecessor, members: _Identities, known: _Identities
) -> None:
    # "For usage reinit, verify that the last Commit to the referenced group contains a ReInit proposal"
    if predecessor.reinit is None:
        raise ValidationError(Rule.PREDECESSOR_NOT_REINITIALIZED)
    _check_as_proposed(context, predecessor.reinit)
    # "Additionally, verify that all the members of the old group are also members of the new group, according to the
    # application."
    if not known <= members:
        raise ValidationError(Rule.SUCCESSOR_LACKS_MEMBER)
    # Section 12.4.1: "the committer MUST create a new group with the parameters specified in the ReInit proposal, and
    # with the same members as the original group."
    if not members <= known:
        raise ValidationError(Rule.SUCCESSOR_MEMBER_UNKNOWN)


def _check_as_proposed(context: GroupContext, reinit: ReInit) -> None:
    # "and that the group_id, version, cipher_suite, and group_context.extensions fields of the GroupInfo match the ReInit
    # proposal."
    for name in ("group_id", "version", "cipher_suite", "extensions"):
        if getattr(context, name) != getattr(reinit, name):
            raise ValidationError(Rule.SUCCESSOR_NOT_AS_PROPOSED, name)


def _check_branched(
    context: GroupContext, predecessor: Predecessor, members: _Identities, known: _Identities
) -> None:
    # "For usage branch, verify that the version and cipher_suite of the new group match those of the old group"
    for name in ("version", "cipher_suite"):
        if getattr(context, name) != getattr(predecessor.context, name):
            raise ValidationError(Rule.BRANCH_OF_OTHER_PARAMETERS, name)
    # Section 11.3: "Each LeafNode in a new subgroup MUST match some LeafNode in the original group. In this context, a
    # pair of LeafNodes is said to "match" if the identifiers presented by their respective credentials are considered
    # equivalent by the application."
    if not members.keys() <= known.keys():
        raise ValidationError(Rule.BRANCH_MEMBER_UNKNOWN)


_CHECKS = {
    ResumptionPSKUsage.REINIT: _check_reinitialized,
    ResumptionPSKUsage.BRANCH: _check_branched,
}
"""The uses of a resumption PSK that link a new group to an old one, each with what must hold between the two."""
