"""Vectors of RFC 9420, Sections 13.4 and 13.5: lists of extensions, and what nobody knows in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.proposal import Add, GroupContextExtensions, ReInit
from e2ee.testing.mls_forge.clients import Client, make_client
from e2ee.testing.mls_forge.commits import Committing, Item, commit
from e2ee.testing.mls_forge.extensions import twice
from e2ee.testing.mls_forge.forge import Change, same
from e2ee.testing.mls_forge.paths import Path
from e2ee.testing.mls_forge.welcomes import Welcoming, welcome
from e2ee.vectorgen.mls_validation.ended_groups import BASIC_REQUIRED
from e2ee.vectorgen.mls_validation.groups import ALICE, BOB, founded
from e2ee.vectorgen.mls_validation.registry import Case, File, Flag, Group, operation
from e2ee.vectorgen.mls_validation.scenes import Build
from e2ee.vectorgen.mls_validation.states import (
    EXTENSION,
    GREASE,
    NEXT,
    bob_of_a_greased_group,
    bob_of_two,
    greased,
    greased_dave,
    with_capabilities,
)

__all__ = ["FILE"]

process, joining, adding = operation("process"), operation("join"), operation("key-package")

APPLICATION_ID = Extension(
    ExtensionType.APPLICATION_ID, b"\x10an application's"
)  # Section 5.3.3: a vector
OWN = Extension(EXTENSION, b"of this client")
UNKNOWN = Extension(GREASE, b"grease")

Extended = tuple[Extension, ...]


def committed(
    case: Case,
    *items: Item,
    path: Path | None = None,
    state: Build = bob_of_two,
) -> None:
    epoch = case.at(state).epoch
    case.judge(commit(case.forge, epoch, ALICE, *items, committing=Committing(path=path)))


def client(case: Case, leaf: Extended = (), key_package: Extended = ()) -> Client:
    """A client that has these extensions, and supports the one for private use."""
    return make_client(
        case.forge,
        "dave",
        leaf=lambda unsigned: replace(
            with_capabilities(unsigned, extensions=(EXTENSION,)), extensions=leaf
        ),
        key_package=lambda unsigned: replace(unsigned, extensions=key_package),
    )


def in_a_key_package(case: Case, extensions: Extended) -> None:
    committed(case, Add(client(case, key_package=extensions).key_package))


def in_a_key_package_that_is_fetched(case: Case, extensions: Extended) -> None:
    case.at(bob_of_two)
    case.fetch(client(case, key_package=extensions).key_package)


def in_a_leaf(case: Case, extensions: Extended) -> None:
    committed(case, Add(client(case, leaf=extensions).key_package))


def in_the_leaf_of_a_path(case: Case, extensions: Extended) -> None:
    committed(case, path=Path(leaf=lambda leaf: replace(leaf, extensions=extensions)))


def in_new_extensions(case: Case, extensions: Extended) -> None:
    committed(case, GroupContextExtensions(extensions), path=Path())


def in_a_reinit(case: Case, extensions: Extended) -> None:
    committed(case, ReInit(NEXT, 1, 0x0001, extensions))


def welcomed(
    case: Case, context: Extended = (), info: Change[Extended] = same, leaf: Change[LeafNode] = same
) -> None:
    """Alice adds Dave to a group with these extensions, and tells him of it with those."""
    state = case.at(greased_dave)
    alice = make_client(case.forge, "alice", leaf=leaf)
    made = founded(case.forge, alice, state.client, extensions=context)
    welcoming = Welcoming(group_info=lambda told: replace(told, extensions=info(told.extensions)))
    case.welcome(made, welcome(case.forge, made, state.client, BOB, welcoming))


def in_a_group_context(case: Case, extensions: Extended) -> None:
    welcomed(case, context=extensions)


def in_a_group_info(case: Case, extensions: Extended) -> None:
    welcomed(case, info=lambda told: (*told, *extensions))


@dataclass(frozen=True, slots=True)
class Place:
    """A list of extensions, and one that may stand there."""

    group: Group
    fill: Callable[[Case, Extended], None]
    extension: Extension


PLACES = {
    "in-a-key-package": Place(process, in_a_key_package, OWN),
    "in-a-key-package-that-is-fetched": Place(adding, in_a_key_package_that_is_fetched, OWN),
    "in-a-leaf": Place(process, in_a_leaf, APPLICATION_ID),
    "in-the-leaf-of-a-path": Place(process, in_the_leaf_of_a_path, APPLICATION_ID),
    "in-new-extensions": Place(process, in_new_extensions, BASIC_REQUIRED),
    "in-a-reinit": Place(process, in_a_reinit, BASIC_REQUIRED),
    "in-a-group-context": Place(joining, in_a_group_context, BASIC_REQUIRED),
    "in-a-group-info": Place(joining, in_a_group_info, UNKNOWN),
}

for name, place in PLACES.items():
    place.group.add(
        f"extension-{name}",
        ("RFC9420-13.4",),
        place.fill,
        (place.extension,),
        comment="A list of one extension, of a type that may stand there.",
    )
    place.group.add(
        f"extension-twice-{name}",
        ("RFC9420-13.4",),
        place.fill,
        twice(place.extension),
        reason=Rule.DUPLICATE_EXTENSION,
        like=f"extension-{name}",
        comment="The list has two extensions of one type, with different data.",
    )


# ------------------------------------------------------------------------------------------------------------ GREASE


for name in ("in-a-key-package", "in-a-key-package-that-is-fetched"):
    PLACES[name].group.add(
        f"unknown-extension-{name}",
        ("RFC9420-13.4",),
        PLACES[name].fill,
        (UNKNOWN,),
        comment="An extension of type 0x0a0a, which has to be ignored.",
    )


@process.vector("RFC9420-13.5")
def greased_client(case: Case) -> None:
    """Dave's capabilities have GREASE values, and his leaf an extension of one of these types."""

    def changed(leaf: LeafNode) -> LeafNode:
        return replace(greased(leaf), extensions=(UNKNOWN,))

    committed(case, Add(make_client(case.forge, "dave", leaf=changed).key_package))


@joining.vector("RFC9420-13.5")
def greased_member(case: Case) -> None:
    """Alice's capabilities have GREASE values, and her leaf an extension of one of these types."""
    welcomed(case, leaf=lambda leaf: replace(greased(leaf), extensions=(UNKNOWN,)))


REQUIRING: dict[str, RequiredCapabilities] = {
    "an-extension": RequiredCapabilities((GREASE,), (), ()),
    "a-proposal": RequiredCapabilities((), (GREASE,), ()),
    "a-credential": RequiredCapabilities((), (), (GREASE,)),
}


def requirement(required: RequiredCapabilities) -> Extension:
    return Extension(ExtensionType.REQUIRED_CAPABILITIES, required.encode())


@process.vector("RFC9420-13.5")
def extension_in_a_greased_group(case: Case) -> None:
    """A new GroupContext extension, which everybody supports, among members with GREASE values."""
    extensions = GroupContextExtensions((BASIC_REQUIRED,))
    committed(case, extensions, path=Path(), state=bob_of_a_greased_group)


@process.vector(
    "RFC9420-13.5",
    reason=Rule.OWN_CLIENT_LACKS_GROUP_EXTENSION,
    like="extension-in-a-greased-group",
)
def grease_as_an_extension_of_the_group(case: Case) -> None:
    """A GroupContext extension of type 0x0a0a, which all members list and, as GREASE, none supports."""
    committed(case, GroupContextExtensions((UNKNOWN,)), path=Path(), state=bob_of_a_greased_group)


@process.vector(
    "RFC9420-13.5",
    reason=Rule.OWN_CLIENT_LACKS_REQUIRED_CAPABILITY,
    like="extension-in-a-greased-group",
    each=REQUIRING,
    flags=(Flag.STRICTER,),
)
def grease_as_a_requirement_of(case: Case, required: RequiredCapabilities) -> None:
    """required_capabilities with a type 0x0a0a, which all members list and, as GREASE, none supports."""
    extensions = GroupContextExtensions((requirement(required),))
    committed(case, extensions, path=Path(), state=bob_of_a_greased_group)


@joining.vector("RFC9420-13.5", reason=Rule.OWN_CLIENT_LACKS_GROUP_EXTENSION, like="greased-member")
def grease_as_an_extension_of_a_group_to_join(case: Case) -> None:
    """The GroupContext has an extension of type 0x0a0a, which Alice and Dave list as GREASE."""
    welcomed(case, context=(UNKNOWN,), leaf=greased)


@joining.vector(
    "RFC9420-13.5",
    reason=Rule.OWN_CLIENT_LACKS_REQUIRED_CAPABILITY,
    like="greased-member",
    each=REQUIRING,
    flags=(Flag.STRICTER,),
)
def grease_as_a_requirement_to_join_of(case: Case, required: RequiredCapabilities) -> None:
    """The GroupContext requires a type 0x0a0a, which Alice and Dave list as GREASE."""
    welcomed(case, context=(requirement(required),), leaf=greased)


FILE = File(
    "extensions",
    "Extensions: RFC 9420, Sections 13.4 and 13.5. No type twice in any list, and values that nobody knows.",
    (process, joining, adding),
)
