"""Vectors of RFC 9420, Sections 12.1 to 12.3: what one commit may propose together.

Each list is committed by another member, and most of them are also what this member itself is asked to commit.
"""

from __future__ import annotations

from collections.abc import Sequence

from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.proposal import Add, GroupContextExtensions, ReInit, Remove
from e2ee.testing.mls_forge.commits import Item
from e2ee.testing.mls_forge.outsiders import external_init
from e2ee.testing.mls_forge.proposals import custom_proposal
from e2ee.vectorgen.mls_validation.groups import ALICE, CAROL
from e2ee.vectorgen.mls_validation.listed import Lists, Setting
from e2ee.vectorgen.mls_validation.registry import File, operation
from e2ee.vectorgen.mls_validation.states import (
    CREDENTIAL,
    EXTENSION,
    NEXT,
    PROPOSAL,
    bob_of_a_mixed_group,
    capable,
)

__all__ = ["FILE"]

LISTS = Lists(operation("process"), operation("commit"))
proposals = LISTS.proposals


# ----------------------------------------------------------------------------------------------- what a list may do


@proposals("RFC9420-12.4")
def nothing(_: Setting) -> Sequence[Item]:
    """No proposal, and so a path."""
    return ()


@proposals("RFC9420-12.1.1")
def add(setting: Setting) -> Sequence[Item]:
    """Dave is added."""
    return (Add(setting.client().key_package),)


@proposals("RFC9420-12.1.2")
def update(setting: Setting) -> Sequence[Item]:
    """Alice's Update, by reference."""
    return (setting.update(ALICE),)


@proposals("RFC9420-12.1.3")
def remove(_: Setting) -> Sequence[Item]:
    """Alice is removed."""
    return (Remove(ALICE),)


@proposals("RFC9420-12.1.3", by=ALICE, asked_too=False)
def remove_of_the_last_member(_: Setting) -> Sequence[Item]:
    """Carol is removed, and with her the right half of the tree."""
    return (Remove(CAROL),)


@proposals("RFC9420-12.3")
def remove_and_add(setting: Setting) -> Sequence[Item]:
    """Dave is added and Alice removed, in this order: Dave gets her leaf, since Removes are applied first."""
    return (Add(setting.client().key_package), Remove(ALICE))


@proposals("RFC9420-12.3")
def two_adds(setting: Setting) -> Sequence[Item]:
    """Dave and Erin, who get leaves 3 and 4 in this order."""
    return tuple(Add(setting.client(name).key_package) for name in ("dave", "erin"))


@proposals("RFC9420-12.2")
def client_again(setting: Setting) -> Sequence[Item]:
    """Alice is removed, and her client with the same signature key is added."""
    return (Remove(ALICE), setting.again("alice"))


def extended(*extensions: Extension) -> GroupContextExtensions:
    return GroupContextExtensions(extensions)


def required(
    extensions: tuple[int, ...] = (),
    proposals: tuple[int, ...] = (),
    credentials: tuple[int, ...] = (),
) -> Extension:
    data = RequiredCapabilities(extensions, proposals, credentials).encode()
    return Extension(ExtensionType.REQUIRED_CAPABILITIES, data)


@proposals("RFC9420-12.1.7")
def new_extensions(_: Setting) -> Sequence[Item]:
    """GroupContextExtensions with required_capabilities that all meet."""
    return (extended(required(credentials=(1,))),)


# ------------------------------------------------------------------------------------------- what a list must not do


@proposals("RFC9420-12.2", reason=Rule.UPDATE_BY_COMMITTER, like="update", asked_too=False)
def update_by_the_committer(setting: Setting) -> Sequence[Item]:
    """Carol commits an Update of her own that she proposed before."""
    return (setting.update(CAROL),)


@proposals("RFC9420-12.2", reason=Rule.UPDATE_BY_COMMITTER, like="update")
def update_by_value(setting: Setting) -> Sequence[Item]:
    """The committer's Update stands in the commit itself."""
    return (setting.update(setting.committer).proposal,)


@proposals("RFC9420-12.2", reason=Rule.REMOVE_OF_COMMITTER, like="remove", by=ALICE)
def remove_of_the_committer(setting: Setting) -> Sequence[Item]:
    """The committer removes itself."""
    return (Remove(setting.committer),)


@proposals("RFC9420-12.2", reason=Rule.REMOVE_OF_COMMITTER, like="remove", by=ALICE)
def remove_of_the_committer_by_reference(setting: Setting) -> Sequence[Item]:
    """Carol has proposed to remove the committer."""
    return (setting.propose(CAROL, Remove(setting.committer)),)


NOBODY = {"at-a-blank-leaf": 3, "outside-of-the-tree": 4, "at-the-largest-leaf-index": 2**32 - 1}


@proposals("RFC9420-12.1.3", reason=Rule.REMOVE_OF_BLANK_LEAF, like="remove", each=NOBODY)
def remove_of_nobody(leaf_index: int, _: Setting) -> Sequence[Item]:
    """Nobody is where a member is to be removed."""
    return (Remove(leaf_index),)


@proposals("RFC9420-12.2", reason=Rule.LEAF_CHANGED_TWICE, like="update")
def two_updates_of_a_leaf(setting: Setting) -> Sequence[Item]:
    """Two Updates of Alice, by reference."""
    return (setting.update(ALICE), setting.update(ALICE))


@proposals("RFC9420-12.2", reason=Rule.LEAF_CHANGED_TWICE, like="update")
def update_and_remove_of_a_leaf(setting: Setting) -> Sequence[Item]:
    """Alice's Update, and a Remove of her."""
    return (setting.update(ALICE), Remove(ALICE))


@proposals("RFC9420-12.2", reason=Rule.LEAF_CHANGED_TWICE, like="remove")
def two_removes_of_a_leaf(_: Setting) -> Sequence[Item]:
    """Alice is removed twice."""
    return (Remove(ALICE), Remove(ALICE))


@proposals("RFC9420-12.2", reason=Rule.CLIENT_ADDED_TWICE, like="two-adds")
def client_twice(setting: Setting) -> Sequence[Item]:
    """Two KeyPackages with one signature key."""
    first = setting.client()
    second = setting.client(signing_key=first.signing_key)
    return (Add(first.key_package), Add(second.key_package))


@proposals("RFC9420-12.2", reason=Rule.CLIENT_ADDED_TWICE, like="two-adds")
def key_package_twice(setting: Setting) -> Sequence[Item]:
    """One KeyPackage in two Adds."""
    one = Add(setting.client().key_package)
    return (one, one)


@proposals("RFC9420-7.3", reason=Rule.ENCRYPTION_KEY_NOT_UNIQUE, like="two-adds")
def encryption_key_twice(setting: Setting) -> Sequence[Item]:
    """Two clients, whose leaves have one encryption key."""
    first = setting.client()
    second = setting.client("erin", encryption=first.encryption)
    return (Add(first.key_package), Add(second.key_package))


@proposals("RFC9420-12.2", reason=Rule.CLIENT_ALREADY_IN_GROUP, like="client-again")
def client_who_is_in_the_group(setting: Setting) -> Sequence[Item]:
    """A KeyPackage with Alice's signature key is added, and she is not removed."""
    return (setting.again("alice"),)


@proposals(
    "RFC9420-12.2", reason=Rule.CLIENT_ALREADY_IN_GROUP, like="client-again", asked_too=False
)
def client_who_is_in_the_group_beside_a_remove(setting: Setting) -> Sequence[Item]:
    """A KeyPackage with Bob's signature key is added, and it is Alice who is removed."""
    return (Remove(ALICE), setting.again("bob"))


@proposals("RFC9420-12.2", reason=Rule.SEVERAL_GROUP_CONTEXT_EXTENSIONS, like="new-extensions")
def new_extensions_twice(_: Setting) -> Sequence[Item]:
    """The same GroupContextExtensions twice."""
    return (extended(required(credentials=(1,))),) * 2


@proposals("RFC9420-12.2", reason=Rule.EXTERNAL_INIT_BY_MEMBER, like="nothing")
def external_init_by_value(setting: Setting) -> Sequence[Item]:
    """An ExternalInit of a member, whose KEM output is good."""
    return (external_init(setting.forge, setting.state.epoch)[0],)


@proposals("RFC9420-12.2", reason=Rule.EXTERNAL_INIT_BY_MEMBER, like="nothing")
def external_init_by_reference(setting: Setting) -> Sequence[Item]:
    """An ExternalInit that Alice has proposed."""
    return (setting.propose(ALICE, external_init(setting.forge, setting.state.epoch)[0]),)


# ----------------------------------------------------------------------------------- extensions, and who has them not


EXTENDED = extended(Extension(EXTENSION, b"in use"))


@proposals("RFC9420-12.1.7", build=bob_of_a_mixed_group)
def new_extension_without_who_lacks_it(_: Setting) -> Sequence[Item]:
    """A new GroupContext extension, which all support but Alice, who is removed."""
    return (EXTENDED, Remove(ALICE))


@proposals(
    "RFC9420-13.4",
    reason=Rule.MEMBER_LACKS_GROUP_EXTENSION,
    like="new-extension-without-who-lacks-it",
    build=bob_of_a_mixed_group,
)
def new_extension_that_a_member_lacks(_: Setting) -> Sequence[Item]:
    """A new GroupContext extension, which Alice does not support."""
    return (EXTENDED,)


DEMANDS = {
    "extension": required(extensions=(EXTENSION,)),
    "proposal": required(proposals=(PROPOSAL,)),
    "credential": required(credentials=(CREDENTIAL,)),
}


@proposals("RFC9420-12.1.7", build=bob_of_a_mixed_group, each=DEMANDS)
def requirement_without_who_lacks_it(demand: Extension, _: Setting) -> Sequence[Item]:
    """New required_capabilities, which all meet but Alice, who is removed."""
    return (extended(demand), Remove(ALICE))


@proposals(
    "RFC9420-12.1.7",
    reason=Rule.MEMBER_LACKS_REQUIRED_CAPABILITY,
    like="requirement-without-who-lacks-it-{}",
    build=bob_of_a_mixed_group,
    each=DEMANDS,
)
def requirement_that_a_member_lacks(demand: Extension, _: Setting) -> Sequence[Item]:
    """New required_capabilities, with a type that Alice does not support."""
    return (extended(demand),)


@proposals("RFC9420-12.3", build=bob_of_a_mixed_group)
def new_extension_and_who_supports_it(setting: Setting) -> Sequence[Item]:
    """Dave is added, who supports the extension that the same commit brings; Alice is removed."""
    dave = setting.client(leaf=capable)
    return (Add(dave.key_package), Remove(ALICE), EXTENDED)


@proposals(
    "RFC9420-12.3",
    reason=Rule.LEAF_LACKS_GROUP_EXTENSION,
    like="new-extension-and-who-supports-it",
    build=bob_of_a_mixed_group,
)
def new_extension_and_who_lacks_it(setting: Setting) -> Sequence[Item]:
    """Dave is added, who does not support the extension that the same commit brings: it is used for his Add."""
    return (Add(setting.client().key_package), Remove(ALICE), EXTENDED)


@proposals(
    "RFC9420-12.1.7",
    reason=Rule.LEAF_LACKS_REQUIRED_CAPABILITY,
    like="new-extension-and-who-supports-it",
    build=bob_of_a_mixed_group,
)
def new_requirement_and_who_lacks_it(setting: Setting) -> Sequence[Item]:
    """Dave is added, who does not support a type that the same commit begins to require."""
    demand = extended(required(extensions=(EXTENSION,)))
    return (Add(setting.client().key_package), Remove(ALICE), demand)


# ---------------------------------------------------------------------------------------- ReInit, and other types


def reinit(version: int = ProtocolVersion.MLS10) -> ReInit:
    return ReInit(NEXT, version, 0x0001, ())


@proposals("RFC9420-12.1.5")
def reinitialization(_: Setting) -> Sequence[Item]:
    """ReInit alone; its suite is 0x0001."""
    return (reinit(),)


@proposals("RFC9420-12.1.5", reason=Rule.REINIT_VERSION_LOWER, like="reinitialization")
def reinitialization_in_a_lower_version(_: Setting) -> Sequence[Item]:
    """ReInit with version 0, in a group of version mls10."""
    return (reinit(0),)


@proposals("RFC9420-12.2", reason=Rule.REINIT_NOT_ALONE, like="reinitialization")
def reinitialization_and_an_add(setting: Setting) -> Sequence[Item]:
    """ReInit and an Add."""
    return (reinit(), Add(setting.client().key_package))


@proposals("RFC9420-12.2", reason=Rule.REINIT_NOT_ALONE, like="reinitialization")
def reinitialization_twice(_: Setting) -> Sequence[Item]:
    """The same ReInit twice."""
    return (reinit(), reinit())


@proposals("RFC9420-12.2", reason=Rule.REINIT_NOT_ALONE, like="reinitialization")
def reinitialization_and_a_proposal_by_reference(setting: Setting) -> Sequence[Item]:
    """ReInit, and a Remove that Carol has proposed."""
    return (setting.propose(CAROL, Remove(ALICE)), reinit())


@proposals("RFC9420-12.2", reason=Rule.PROPOSAL_TYPE_NOT_SUPPORTED, like="nothing")
def proposal_for_private_use_that_members_do_not_list(_: Setting) -> Sequence[Item]:
    """A proposal of type 0xf0c3, with data as opaque<V>; no member's capabilities list that type."""
    return (custom_proposal(PROPOSAL, b"data"),)


@proposals(
    "RFC9420-13.2",
    "RFC9420-13.5",
    reason=Rule.PROPOSAL_TYPE_UNKNOWN,
    like="nothing",
)
def proposal_of_a_type_that_nobody_knows(_: Setting) -> Sequence[Item]:
    """A proposal of type 0x0a0a, reserved for GREASE, with data as opaque<V>."""
    return (custom_proposal(0x0A0A, b"data"),)


FILE = File(
    "proposal-lists",
    "Proposals and lists of them: RFC 9420, Sections 12.1 to 12.3. Committed by another member, or to be committed by this"
    " one.",
    (LISTS.process, LISTS.commit),
)
