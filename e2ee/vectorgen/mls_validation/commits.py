"""Vectors of RFC 9420, Section 12.4: the commit around a list of proposals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.errors import Rule
from e2ee.mls.leaf_node import LeafNodeSource
from e2ee.mls.proposal import Add, GroupContextExtensions, Remove, Update
from e2ee.testing.mls_forge.clients import make_client, next_leaf, sign_leaf
from e2ee.testing.mls_forge.commits import Committing, Item, commit
from e2ee.testing.mls_forge.messages import PRIVATE, Framing, Sent, propose, say
from e2ee.testing.mls_forge.spoiling import flipped
from e2ee.vectorgen.mls_validation.groups import ALICE, BOB, CAROL, GROUP_ID
from e2ee.vectorgen.mls_validation.registry import Case, File, Flag, operation
from e2ee.vectorgen.mls_validation.scenes import State
from e2ee.vectorgen.mls_validation.states import (
    bob_in_the_next_epoch,
    bob_of_a_group_that_ended,
    bob_of_three,
)

__all__ = ["FILE"]

process = operation("process")


Items = Callable[[Case, State], Sequence[Item]]


def update(case: Case, state: State) -> Sequence[Item]:
    key = case.forge.key_pair().public
    unsigned = next_leaf(state.epoch.leaf(ALICE), key, LeafNodeSource.UPDATE)
    leaf_node = sign_leaf(case.forge, unsigned, GROUP_ID, ALICE)
    return (propose(case.forge, state.epoch, ALICE, Update(leaf_node)),)


def add(case: Case, _: State) -> Sequence[Item]:
    return (Add(make_client(case.forge, "dave").key_package),)


LISTS: dict[str, Items] = {
    "nothing": lambda _, __: (),
    "an-update": update,
    "a-remove": lambda _, __: (Remove(ALICE),),
    "new-extensions": lambda _, __: (GroupContextExtensions(()),),
    "an-add-and-a-remove": lambda case, state: (*add(case, state), Remove(ALICE)),
}
"""What needs a path."""


def committed(case: Case, items: Items, committing: Committing) -> None:
    state = case.at(bob_of_three)
    proposals = items(case, state)
    sent = (item for item in proposals if isinstance(item, Sent))
    case.judge(commit(case.forge, state.epoch, CAROL, *proposals, committing=committing), *sent)


@process.vector("RFC9420-12.4", each=LISTS)
def path_with(case: Case, items: Items) -> None:
    """A commit with a path, where a path is needed."""
    committed(case, items, Committing())


@process.vector("RFC9420-12.4", reason=Rule.PATH_MISSING, like="path-with-{}", each=LISTS)
def no_path_with(case: Case, items: Items) -> None:
    """The same without a path, and with the secrets that follow from having none."""
    committed(case, items, Committing(path=None))


@process.vector("RFC9420-12.4")
def no_path_with_an_add(case: Case) -> None:
    """An Add needs no path."""
    committed(case, add, Committing(path=None))


@process.vector("RFC9420-12.4.2")
def removal_of_this_member(case: Case) -> None:
    """The commit removes Bob, who can see that and check all but the confirmation tag."""
    state = case.at(bob_of_three)
    case.judge(commit(case.forge, state.epoch, CAROL, Remove(BOB)).message)


# ------------------------------------------------------------------------------------------------------- references


@process.vector("RFC9420-12.4", each={"a-public": Framing(), "a-private": Framing(PRIVATE)})
def reference_to(case: Case, framing: Framing) -> None:
    """Alice has proposed to remove herself, in a message of this kind."""
    epoch = case.at(bob_of_three).epoch
    proposed = propose(case.forge, epoch, ALICE, Remove(ALICE), framing)
    case.judge(commit(case.forge, epoch, CAROL, proposed), proposed)


@process.vector(
    "RFC9420-12.4", reason=Rule.PROPOSAL_REFERENCE_UNKNOWN, like="reference-to-a-public"
)
def reference_to_what_was_not_sent(case: Case) -> None:
    """The proposal was never sent to this member."""
    epoch = case.at(bob_of_three).epoch
    proposed = propose(case.forge, epoch, ALICE, Remove(ALICE))
    case.judge(commit(case.forge, epoch, CAROL, proposed))


OTHER_REFERENCES: dict[str, Callable[[bytes], bytes]] = {
    "another-proposal": lambda reference: flipped(reference, 0),
    "nothing": lambda _: b"",
    "the-beginning-of-one": lambda reference: reference[:-1],
}


@process.vector(
    "RFC9420-12.4",
    reason=Rule.PROPOSAL_REFERENCE_UNKNOWN,
    like="reference-to-a-public",
    each=OTHER_REFERENCES,
)
def reference_that_is_of(case: Case, change: Callable[[bytes], bytes]) -> None:
    """The ProposalRef is not that of the proposal."""
    epoch = case.at(bob_of_three).epoch
    proposed = propose(case.forge, epoch, ALICE, Remove(ALICE))

    def changed(content: Commit) -> Commit:
        reference = ProposalOrRef.by_reference(change(proposed.reference))
        return replace(content, proposals=(reference,))

    committing = Committing(commit=changed)
    case.judge(commit(case.forge, epoch, CAROL, proposed, committing=committing), proposed)


@process.vector("RFC9420-12.4")
def nothing_in_the_next_epoch(case: Case) -> None:
    """A commit of no proposal, by who has received one in the epoch before."""
    case.judge(commit(case.forge, case.at(bob_in_the_next_epoch).epoch, CAROL))


@process.vector(
    "RFC9420-12.4", reason=Rule.PROPOSAL_REFERENCE_UNKNOWN, like="nothing-in-the-next-epoch"
)
def reference_to_a_proposal_of_the_epoch_before(case: Case) -> None:
    """Carol's proposal was sent and received in the epoch before."""
    state = case.at(bob_in_the_next_epoch)
    proposed = propose(case.scene.forge("proposal"), state.first, CAROL, Remove(ALICE))
    case.judge(commit(case.forge, state.epoch, CAROL, proposed))


# ------------------------------------------------------------------------------------------------ after the group's end


@process.vector(
    "RFC9420-12.4.2",
    reason=Rule.GROUP_REINITIALIZED,
    like="path-with-nothing",
    flags=(Flag.STRICTER,),
    each={"a-commit": False, "application-data": True},
)
def after_a_reinitialization(case: Case, application_data: bool) -> None:
    """The group's last commit had a ReInit, and after that "the client MUST NOT use the group to send messages anymore"."""
    epoch = case.at(bob_of_a_group_that_ended).epoch
    if application_data:
        case.judge(say(case.forge, epoch, CAROL, b"hello"))
    else:
        case.judge(commit(case.forge, epoch, CAROL))


FILE = File(
    "commits",
    "Commits: RFC 9420, Section 12.4. When a path is needed, what a reference names, and the end of a group.",
    (process,),
)
