"""How much a commit may ask of the service and of everybody (DS-7): looked at before anything is verified for it."""

from __future__ import annotations

from e2ee.delivery import limits
from e2ee.delivery.call import Call
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.mls.commit import Commit
from e2ee.mls.proposal import Add, GroupContextExtensions, ProposalContent
from e2ee.profile.commit_facts import by_value

__all__ = ["check_size", "check_work"]


def check_work(call: Call, commit: Commit) -> None:
    """Raises DeliveryError for more proposals than a call of this kind takes."""
    # DS-7: "64 proposals", "1,024 proposals"
    most = limits.MAX_PROPOSALS if call.is_group else limits.MAX_DEVICES
    if len(commit.proposals) > most:
        detail = f"at most {most} proposals in a commit"
        raise DeliveryError(DeliveryReason.TOO_MANY_DEVICES, detail)
    adds = sum(isinstance(content, Add) for content in by_value(commit)) if call.is_group else 0
    # DS-7: "256 of them Adds"
    if adds > limits.MAX_ADDS:
        detail = f"at most {limits.MAX_ADDS} Adds in a commit"
        raise DeliveryError(DeliveryReason.TOO_MANY_DEVICES, detail)


def check_size(call: Call, commit: Commit, size: int) -> None:
    """Raises DeliveryError for a commit of a group call that is longer than its tree and its proposals make it."""
    a_leaf = limits.COMMIT_BYTES_A_LEAF + call.group.suite.hpke.kem.Nenc
    most = limits.COMMIT_BYTES + call.group.tree.leaf_count * a_leaf
    most += sum(map(_room, by_value(commit)))
    if size > most:
        detail = f"at most {most} in a commit with these proposals"
        raise DeliveryError(DeliveryReason.TOO_MANY_BYTES, detail)


def _room(content: ProposalContent) -> int:
    if isinstance(content, Add):
        return limits.COMMIT_BYTES_AN_ADD
    if isinstance(content, GroupContextExtensions):
        return limits.COMMIT_BYTES_A_PROFILE
    return limits.COMMIT_BYTES_A_PROPOSAL
