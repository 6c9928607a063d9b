"""Where a leaf can stand, and how a change of a leaf becomes a case in each of these places.

in an Update, in an UpdatePath, in the KeyPackage of an Add         a member receives the commit
in a KeyPackage that is fetched                                     a member is to add its client
in the tree                                                         a client is to join the group
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from e2ee.errors import Reason
from e2ee.mls.extension import Extension
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource
from e2ee.mls.proposal import Add, Update
from e2ee.testing.mls_forge.clients import Client, make_client, next_leaf, sign_leaf
from e2ee.testing.mls_forge.commits import Committing, commit
from e2ee.testing.mls_forge.forge import Change, Forge, same
from e2ee.testing.mls_forge.messages import propose
from e2ee.testing.mls_forge.paths import Path
from e2ee.testing.mls_forge.welcomes import welcome
from e2ee.vectorgen.mls_validation.groups import ALICE, BOB, CAROL, DAVE, GROUP_ID, founded
from e2ee.vectorgen.mls_validation.registry import Case, Flag, operation
from e2ee.vectorgen.mls_validation.scenes import Build, State
from e2ee.vectorgen.mls_validation.states import (
    DEMANDS,
    bob_of_a_certified_group,
    bob_of_a_demanding_group,
    bob_of_three,
    capable,
    capable_dave,
    certified,
    certified_dave,
    dave,
)

__all__ = [
    "ADD",
    "CERTIFIED",
    "DEMANDING",
    "EVERYWHERE",
    "KEY_PACKAGE",
    "PLAIN",
    "TREE",
    "UPDATE",
    "UPDATE_PATH",
    "Place",
    "add_case",
    "adding",
    "fault",
    "joining",
    "process",
    "unchanged",
    "well_made",
]

process, joining, adding = operation("process"), operation("join"), operation("key-package")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a leaf stands, and what a fault may need to know of it."""

    case: Case
    state: State
    leaf_index: int
    other: str = "bob"

    @property
    def forge(self) -> Forge:
        """The case's."""
        return self.case.forge

    @property
    def old(self) -> LeafNode:
        """The leaf that is replaced."""
        return self.state.epoch.leaf(self.leaf_index)

    @property
    def victim(self) -> Client:
        """Another member."""
        return self.state.clients[self.other]


Fault = Callable[[LeafNode, Place], LeafNode]
"""A leaf becomes another one; what it was to be is known."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The group in which a fault is made: what its members support, and its states."""

    name: str
    member: Build
    joiner: Build
    leaf: Callable[[Forge], Change[LeafNode]]
    extensions: tuple[Extension, ...] = ()


PLAIN = Setting("", bob_of_three, dave, lambda _: same)
DEMANDING = Setting(
    "-of-a-demanding-group", bob_of_a_demanding_group, capable_dave, lambda _: capable, DEMANDS
)
CERTIFIED = Setting("-of-a-certified-group", bob_of_a_certified_group, certified_dave, certified)


def unchanged(leaf: LeafNode, _: Place) -> LeafNode:
    """No fault."""
    return leaf


Make = Callable[[Case, Setting, Fault, Fault], None]


def _in_an_update(case: Case, setting: Setting, change: Fault, after: Fault) -> None:
    state = case.at(setting.member)
    place = Place(case, state, ALICE)
    unsigned = next_leaf(place.old, case.forge.key_pair().public, LeafNodeSource.UPDATE)
    signed = sign_leaf(case.forge, change(unsigned, place), GROUP_ID, ALICE)
    proposed = propose(case.forge, state.epoch, ALICE, Update(after(signed, place)))
    case.judge(commit(case.forge, state.epoch, CAROL, proposed), proposed)


def _in_an_update_path(case: Case, setting: Setting, change: Fault, after: Fault) -> None:
    state = case.at(setting.member)
    place = Place(case, state, CAROL)
    path = Path(leaf=lambda leaf: change(leaf, place), signed_leaf=lambda leaf: after(leaf, place))
    case.judge(commit(case.forge, state.epoch, CAROL, committing=Committing(path=path)))


def _in_an_add(case: Case, setting: Setting, change: Fault, after: Fault) -> None:
    state = case.at(setting.member)
    added = _changed_client(Place(case, state, DAVE), "dave", setting, change, after)
    items, committing = (Add(added.key_package),), Committing(path=None)
    case.judge(commit(case.forge, state.epoch, CAROL, *items, committing=committing))


def _in_a_key_package(case: Case, setting: Setting, change: Fault, after: Fault) -> None:
    state = case.at(setting.member)
    fetched = _changed_client(Place(case, state, DAVE, "carol"), "dave", setting, change, after)
    case.fetch(fetched.key_package)


def _in_a_tree(case: Case, setting: Setting, change: Fault, after: Fault) -> None:
    state = case.at(setting.joiner)
    alice = _changed_client(Place(case, state, ALICE, "dave"), "alice", setting, change, after)
    made = founded(case.forge, alice, state.client, extensions=setting.extensions)
    case.welcome(made, welcome(case.forge, made, state.client, BOB))


def _changed_client(
    place: Place, name: str, setting: Setting, change: Fault, after: Fault
) -> Client:
    return make_client(
        place.forge,
        name,
        leaf=lambda leaf: change(setting.leaf(place.forge)(leaf), place),
        signed_leaf=lambda leaf: after(leaf, place),
    )


PLACES: dict[str, Make] = {
    "in-an-update": _in_an_update,
    "in-an-update-path": _in_an_update_path,
    "in-an-add": _in_an_add,
    "in-a-key-package": _in_a_key_package,
    "in-a-tree": _in_a_tree,
}
UPDATE, UPDATE_PATH, ADD, KEY_PACKAGE, TREE = EVERYWHERE = tuple(PLACES)


def add_case(place: str, id_: str, section: str, *changes: Any, **kind: Any) -> None:
    """A leaf in one place; ``changes`` are the setting, and what is changed before and after signing."""
    group = {KEY_PACKAGE: adding, TREE: joining}.get(place, process)
    group.add(f"{id_}-{place}", (section,), PLACES[place], *changes, **kind)


def well_made(setting: Setting, change: Fault, name: str, comment: str) -> None:
    """Make a leaf as it should be a case in every place, for the faults to be like."""
    for place in EVERYWHERE:
        add_case(
            place,
            f"{name}{setting.name}",
            "RFC9420-7.3",
            setting,
            change,
            unchanged,
            comment=comment,
        )


def fault(
    section: str,
    reason: Reason,
    *places: str,
    setting: Setting = PLAIN,
    like: str = "well-made",
    after_signing: bool = False,
    flags: tuple[Flag, ...] = (),
) -> Callable[[Fault], Fault]:
    """Make a change of a leaf a case in each of these places.

    What is recommended to receivers is required of who adds a client.
    """

    def register(change: Fault) -> Fault:
        changes = (unchanged, change) if after_signing else (change, unchanged)
        for place in places:
            add_case(
                place,
                change.__name__.replace("_", "-"),
                section,
                setting,
                *changes,
                reason=reason,
                like=f"{like}{setting.name}-{place}",
                flags=() if place == KEY_PACKAGE and Flag.RECOMMENDED in flags else flags,
                comment=change.__doc__,
            )
        return change

    return register
