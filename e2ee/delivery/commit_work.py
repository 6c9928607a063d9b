"""How much a commit may ask of the service and of everybody (DS-7): looked at before anything is verified for it."""

from __future__ import annotations

from e2ee.delivery import limits
from e2ee.delivery.call import Call
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.mls.commit import Commit
from e2ee.mls.proposal import Add, GroupContextExtensions, ProposalContent
from e2ee.mls.welcome import Welcome
from e2ee.profile.commit_facts import by_value

__all__ = ["check_size", "check_welcomes", "check_work", "number_of_adds"]


def check_work(call: Call, commit: Commit) -> None:
    """Raises DeliveryError for more proposals than a call of this kind takes."""
    # DS-7: "64 proposals", "1,024 proposals"
    most = limits.MAX_PROPOSALS if call.is_group else limits.MAX_DEVICES
    if len(commit.proposals) > most:
        detail = f"at most {most} proposals in a commit"
        raise DeliveryError(DeliveryReason.TOO_MANY_DEVICES, detail)
    # DS-7: "256 of them Adds"
    if call.is_group and number_of_adds(commit) > limits.MAX_ADDS:
        detail = f"at most {limits.MAX_ADDS} Adds in a commit"
        raise DeliveryError(DeliveryReason.TOO_MANY_DEVICES, detail)


def number_of_adds(commit: Commit) -> int:
    """How many leaves it adds. Raises ProfileError if it refers to proposals."""
    return sum(isinstance(content, Add) for content in by_value(commit))


def check_welcomes(welcome: Welcome) -> None:
    """Raises DeliveryError if what it comes to is too long, when each of its receivers has it."""
    # DS-7: "40 MiB of Welcomes"
    if len(welcome.secrets) * len(welcome.encrypted_group_info) > limits.MAX_WELCOMES:
        detail = f"at most {limits.MAX_WELCOMES} of Welcomes"
        raise DeliveryError(DeliveryReason.TOO_MANY_BYTES, detail)


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
