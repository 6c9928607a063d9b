"""Vectors of RFC 9420, Sections 11.2 and 11.3: groups that come from other groups, by ReInit or as a branch.

Bob is in a group, or was until its ReInit, and is welcomed into another one with a KeyPackage that he made for it.
"""

from __future__ import annotations

from typing import Any

from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.proposal import PreSharedKey
from e2ee.mls.psk import ResumptionPSK, ResumptionPSKUsage
from e2ee.testing.mls_forge.welcomes import welcome
from e2ee.vectorgen.mls_validation.ended_groups import (
    BASIC_REQUIRED,
    bob_after_a_reinit,
    bob_after_a_reinit_of_another_suite,
    bob_of_three_after_a_reinit,
    elsewhere,
    successor,
)
from e2ee.vectorgen.mls_validation.groups import BOB, GROUP_ID
from e2ee.vectorgen.mls_validation.registry import Case, File, Flag, operation
from e2ee.vectorgen.mls_validation.scenes import Build
from e2ee.vectorgen.mls_validation.states import (
    NEXT,
    THREE,
    TWO,
    bob_of_three,
    bob_of_two,
    psk,
)

__all__ = ["FILE"]

joining = operation("join")

NOTHING_REQUIRED = Extension(
    ExtensionType.REQUIRED_CAPABILITIES, RequiredCapabilities((), (), ()).encode()
)

BRANCH, REINIT = ResumptionPSKUsage.BRANCH, ResumptionPSKUsage.REINIT


def link(
    case: Case, usage: ResumptionPSKUsage, epoch: int, group_id: bytes = GROUP_ID
) -> PreSharedKey:
    """A proposal of the resumption PSK of an epoch."""
    return psk(case.forge, ResumptionPSK(usage, group_id, epoch))


def invited(case: Case, build: Build, usage: ResumptionPSKUsage, **how: Any) -> None:
    """Bob is welcomed into a successor."""
    state = case.at(build)
    forge = how.pop("forge", case.forge)
    bob, made = successor(forge, state.epoch, usage, **how)
    case.welcome(made, welcome(forge, made, bob, BOB), client=bob)


def branched(case: Case, **how: Any) -> None:
    build = how.pop("build", bob_of_two)
    invited(case, build, BRANCH, **{"group_id": b"a subgroup", **how})


def reinitialized(case: Case, **how: Any) -> None:
    agreed = {"group_id": NEXT, "extensions": (BASIC_REQUIRED,)}
    invited(case, how.pop("build", bob_after_a_reinit), REINIT, **{**agreed, **how})


# ---------------------------------------------------------------------------------------------------------- branches


@joining.vector("RFC9420-11.3", each={"of-all": bob_of_two, "of-some": bob_of_three})
def branch(case: Case, build: Build) -> None:
    """A subgroup of two members, under another group_id."""
    branched(case, build=build)


@joining.vector("RFC9420-11.3", reason=Rule.BRANCH_MEMBER_UNKNOWN, like="branch-of-all")
def branch_with_a_stranger(case: Case) -> None:
    """Erin is in the subgroup, who is not in the group."""
    branched(case, members=(*TWO, "erin"))


@joining.vector("RFC9420-11.3", reason=Rule.SUCCESSOR_EPOCH, like="branch-of-all")
def branch_in_its_second_epoch(case: Case) -> None:
    """The members are added in epoch 1, so that epoch in the Welcome is 2."""
    branched(case, later=True)


@joining.vector("RFC9420-11.3", reason=Rule.BRANCH_OF_OTHER_PARAMETERS, like="branch-of-all")
def branch_in_another_suite(case: Case) -> None:
    """The subgroup has cipher suite 0x0001, or 0x0003 where the group has that."""
    branched(case, forge=elsewhere(case.forge))


OTHERS: dict[str, tuple[int, bytes]] = {
    "a-later-epoch": (7, GROUP_ID),
    "the-time-before-bob": (0, GROUP_ID),
    "another-group": (1, b"another group"),
}


@joining.vector(
    "RFC9420-12.4.3.1", reason=Rule.PREDECESSOR_UNKNOWN, like="branch-of-all", each=OTHERS
)
def branch_of(case: Case, other: tuple[int, bytes]) -> None:
    """The PreSharedKeyID names an epoch whose resumption PSK Bob does not have."""
    branched(case, psks=(link(case, BRANCH, *other),))


@joining.vector("RFC9420-12.4.3.1", reason=Rule.SEVERAL_PREDECESSORS, like="branch-of-all")
def branch_by_two_keys(case: Case) -> None:
    """Two PreSharedKeyIDs of usage branch, both of the group's epoch."""
    branched(case, psks=[link(case, BRANCH, 1) for _ in range(2)])


# ------------------------------------------------------------------------------------------------------------ ReInit


@joining.vector("RFC9420-11.2")
def reinit(case: Case) -> None:
    """The group that the ReInit announced, with the same members."""
    reinitialized(case)


@joining.vector("RFC9420-11.2")
def reinit_in_another_suite(case: Case) -> None:
    """The group that a ReInit of another cipher suite announced."""
    invited(
        case,
        bob_after_a_reinit_of_another_suite,
        REINIT,
        group_id=NEXT,
        extensions=(BASIC_REQUIRED,),
        forge=elsewhere(case.forge),
    )


@joining.vector(
    "RFC9420-11.2",
    "RFC9420-12.4.3.1",
    reason=Rule.SUCCESSOR_NOT_AS_PROPOSED,
    like="reinit",
    each={
        "another-group-id": {"group_id": b"another group"},
        "no-extensions": {"extensions": ()},
        "other-extensions": {"extensions": (NOTHING_REQUIRED,)},
    },
)
def reinit_with(case: Case, how: dict[str, Any]) -> None:
    """A field of the GroupContext is not the one of the ReInit."""
    reinitialized(case, **how)


@joining.vector("RFC9420-11.2", reason=Rule.SUCCESSOR_NOT_AS_PROPOSED, like="reinit")
def reinit_in_a_suite_that_was_not_proposed(case: Case) -> None:
    """The new group has another cipher suite than the ReInit."""
    reinitialized(case, forge=elsewhere(case.forge))


@joining.vector(
    "RFC9420-11.2", reason=Rule.SUCCESSOR_NOT_AS_PROPOSED, like="reinit-in-another-suite"
)
def reinit_in_the_old_suite(case: Case) -> None:
    """The new group has the old group's cipher suite, and the ReInit another one."""
    agreed = {"group_id": NEXT, "extensions": (BASIC_REQUIRED,)}
    invited(case, bob_after_a_reinit_of_another_suite, REINIT, **agreed)


@joining.vector("RFC9420-11.2", reason=Rule.SUCCESSOR_EPOCH, like="reinit")
def reinit_in_its_second_epoch(case: Case) -> None:
    """The members are added in epoch 1, so that epoch in the Welcome is 2."""
    reinitialized(case, later=True)


@joining.vector("RFC9420-11.2", reason=Rule.REINIT_PSK_MISSING, like="reinit")
def reinit_without_its_key(case: Case) -> None:
    """A group of the announced group_id, and no resumption PSK: anybody could have created it."""
    reinitialized(case, psks=())


@joining.vector("RFC9420-11.2", reason=Rule.REINIT_PSK_MISSING, like="reinit")
def reinit_by_a_branch(case: Case) -> None:
    """The usage of the resumption PSK is branch."""
    reinitialized(case, psks=(link(case, BRANCH, 2),))


@joining.vector("RFC9420-12.4.3.1", reason=Rule.SEVERAL_PREDECESSORS, like="reinit")
def reinit_and_branch(case: Case) -> None:
    """A resumption PSK of usage reinit, and one of usage branch."""
    reinitialized(case, psks=(link(case, REINIT, 2), link(case, BRANCH, 2)))


@joining.vector("RFC9420-12.4.3.1", reason=Rule.PREDECESSOR_NOT_REINITIALIZED, like="branch-of-all")
def reinit_of_a_living_group(case: Case) -> None:
    """The usage of the resumption PSK is reinit, and the group's last commit had no ReInit."""
    invited(case, bob_of_two, REINIT, group_id=NEXT)


@joining.vector("RFC9420-11.2")
def reinit_of_three(case: Case) -> None:
    """The group that the ReInit announced, with three members."""
    reinitialized(case, build=bob_of_three_after_a_reinit, members=THREE)


@joining.vector("RFC9420-12.4.3.1", reason=Rule.SUCCESSOR_LACKS_MEMBER, like="reinit-of-three")
def reinit_without_carol(case: Case) -> None:
    """Carol, who was in the old group, is not in the new one."""
    reinitialized(case, build=bob_of_three_after_a_reinit, members=TWO)


@joining.vector(
    "RFC9420-12.4.1", reason=Rule.SUCCESSOR_MEMBER_UNKNOWN, like="reinit", flags=(Flag.STRICTER,)
)
def reinit_with_a_stranger(case: Case) -> None:
    """Erin, who was not in the old group, is in the new one."""
    reinitialized(case, members=(*TWO, "erin"))


FILE = File(
    "successors",
    "Groups that come from other groups: RFC 9420, Sections 11.2, 11.3 and 12.4.3.1. After a ReInit, and branches.",
    (joining,),
)
