"""Vectors of RFC 9420, Sections 12.4.3 and 12.4.3.2: GroupInfos by which a client is to join."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from e2ee.errors import DecodeReason
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension, ExtensionType, ExternalPub
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.message import MLSMessage
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.testing.mls_forge.clients import NOW, make_client
from e2ee.testing.mls_forge.epochs import Epoch
from e2ee.testing.mls_forge.forge import Change, same
from e2ee.testing.mls_forge.spoiling import malformed
from e2ee.testing.mls_forge.trees import encode_nodes, nodes_of
from e2ee.testing.mls_forge.welcomes import Welcoming, describe
from e2ee.vectorgen.mls_validation.groups import ALICE, CAROL, assemble, founded, people
from e2ee.vectorgen.mls_validation.registry import Case, File, Flag, Judgement, operation
from e2ee.vectorgen.mls_validation.scenes import Build
from e2ee.vectorgen.mls_validation.states import (
    EXTENSION,
    REFUSED,
    TWO,
    bob_of_three,
    capable,
    dave_with_a_group_info,
    of_two_suites,
    other_suite,
)

__all__ = ["FILE"]

joining = operation("external-join")


def informed(
    case: Case,
    *,
    state: Build = dave_with_a_group_info,
    epoch: Epoch | None = None,
    ratchet_tree: Change[bytes] | None = None,
    ratchet_tree_extension: bool = True,
    **changes: Any,
) -> None:
    """Alice's GroupInfo of a new group, or of ``epoch``; ``ratchet_tree`` is the tree out of band."""
    case.at(state)
    epoch = epoch or assemble(case.forge, people(case.forge, *TWO)).epoch
    welcoming = Welcoming(ratchet_tree=ratchet_tree_extension, **{"external_pub": True, **changes})
    case.input |= {
        "group_info": MLSMessage.of(describe(case.forge, epoch, ALICE, welcoming)).encode(),
        "ratchet_tree": ratchet_tree(epoch.tree.encode()) if ratchet_tree else None,
    }


@joining.vector("RFC9420-12.4.3.2")
def group_info(case: Case) -> None:
    """A GroupInfo with external_pub and ratchet_tree."""
    informed(case)


@joining.vector("RFC9420-12.4.3.2")
def group_info_and_tree(case: Case) -> None:
    """A GroupInfo with external_pub; the tree comes out of band."""
    informed(case, ratchet_tree=same, ratchet_tree_extension=False)


def extensions(change: Callable[[Extension], Extension | None]) -> Change[GroupInfo]:
    """A change of the external_pub extension, signed."""

    def changed(info: GroupInfo) -> GroupInfo:
        kept = (
            change(extension)
            if extension.extension_type == ExtensionType.EXTERNAL_PUB
            else extension
            for extension in info.extensions
        )
        return replace(info, extensions=tuple(extension for extension in kept if extension))

    return changed


@joining.vector("RFC9420-12.4.3.2", reason=Rule.EXTERNAL_PUB_MISSING, like="group-info")
def external_pub_missing(case: Case) -> None:
    """The GroupInfo has no external_pub."""
    informed(case, external_pub=False)


@joining.vector("RFC9420-12.4.3.2", reason=Rule.EXTERNAL_PUB_MALFORMED, like="group-info")
def external_pub_malformed(case: Case) -> None:
    """external_pub is no public key: on NIST's curves not a point of the curve, elsewhere a byte too short."""
    suite = case.forge.suite

    def spoilt(extension: Extension) -> Extension:
        key = ExternalPub.decode(extension.extension_data).external_pub
        return replace(extension, extension_data=ExternalPub(malformed(suite, key)).encode())

    informed(case, group_info=extensions(spoilt))


@joining.vector("RFC9420-12.4.3.2", reason=DecodeReason.TRAILING_BYTES, like="group-info")
def external_pub_with_a_byte_after_its_end(case: Case) -> None:
    """The extension's data is longer than the structure that it holds."""

    def longer(extension: Extension) -> Extension:
        return replace(extension, extension_data=extension.extension_data + b"\x00")

    informed(case, group_info=extensions(longer))


@joining.vector("RFC9420-12.4.3", reason=Rule.GROUP_INFO_SIGNATURE, like="group-info")
def signature_of_zeros(case: Case) -> None:
    """The signature has its length and is zero."""
    informed(
        case, signed_group_info=lambda info: replace(info, signature=bytes(len(info.signature)))
    )


@joining.vector("RFC9420-12.4.3", reason=Rule.GROUP_INFO_SIGNATURE, like="group-info")
def external_pub_exchanged(case: Case) -> None:
    """A server has put its own key into external_pub: it would read all that the joiner says."""
    other = ExternalPub(case.forge.key_pair().public).encode()
    change = extensions(lambda extension: replace(extension, extension_data=other))
    informed(case, signed_group_info=change)


@joining.vector("RFC9420-12.4.3", reason=Rule.GROUP_INFO_SIGNER_BLANK, like="group-info")
def signer_who_is_nobody(case: Case) -> None:
    """signer is leaf 2, outside of the tree."""
    informed(case, group_info=lambda info: replace(info, signer=CAROL))


@joining.vector("RFC9420-12.4.3.2")
def of_this_cipher_suite(case: Case) -> None:
    """All support two cipher suites."""
    in_suite(case, case.forge.suite.code_point)


@joining.vector(
    "RFC9420-12.4.3.1", reason=Rule.GROUP_INFO_CIPHER_SUITE, like="of-this-cipher-suite"
)
def of_another_cipher_suite(case: Case) -> None:
    """cipher_suite of the GroupContext is the other one that all support; all keys are of the KeyPackage's."""
    in_suite(case, other_suite(case.forge.suite.code_point))


def in_suite(case: Case, cipher_suite: int) -> None:
    def changed(info: GroupInfo) -> GroupInfo:
        return replace(info, group_context=replace(info.group_context, cipher_suite=cipher_suite))

    clients = people(case.forge, *TWO, leaf=of_two_suites(case.forge.suite))
    informed(case, epoch=assemble(case.forge, clients).epoch, group_info=changed)


@joining.vector("RFC9420-12.4.3.3", reason=Rule.RATCHET_TREE_MISSING, like="group-info")
def no_tree(case: Case) -> None:
    """The tree is neither in the GroupInfo nor comes with it."""
    informed(case, ratchet_tree_extension=False)


@joining.vector("RFC9420-12.4.3.3", reason=Rule.TREE_HASH, like="group-info-and-tree")
def another_tree(case: Case) -> None:
    """In the tree, which comes out of band and has no parent node, Bob's leaf is another client's."""
    other = make_client(case.forge.fork(b"other"), "bob").leaf_node

    def changed(data: bytes) -> bytes:
        nodes = nodes_of(RatchetTree.decode(case.forge.suite, data))
        return encode_nodes([*nodes[:2], other])

    alice, bob = people(case.forge, *TWO).values()
    epoch = founded(case.forge, alice, bob).epoch
    informed(case, epoch=epoch, ratchet_tree=changed, ratchet_tree_extension=False)


@joining.vector("RFC9420-7.3", reason=Rule.LEAF_SIGNATURE, like="group-info")
def member_whose_leaf_is_not_signed(case: Case) -> None:
    """Bob's leaf in the tree, which is the one that the GroupContext names, has a signature of zeros."""
    forge = case.forge
    unsigned = make_client(
        forge, "bob", signed_leaf=lambda leaf: replace(leaf, signature=bytes(len(leaf.signature)))
    )
    clients = {**people(forge, "alice"), "bob": unsigned}
    informed(case, epoch=assemble(forge, clients).epoch)


@joining.vector(
    "RFC9420-7.3", reason=Rule.LEAF_EXPIRED, like="group-info", flags=(Flag.RECOMMENDED,)
)
def member_whose_leaf_expired_a_week_ago(case: Case) -> None:
    """not_after of Bob's leaf was a week ago."""
    ended = Lifetime(NOW - 8 * 86_400, NOW - 7 * 86_400)
    clients = people(case.forge, *TWO, bob=lambda leaf: replace(leaf, details=ended))
    informed(case, epoch=assemble(case.forge, clients).epoch)


@joining.vector(
    "RFC9420-5.3.1",
    reason=Judgement.CREDENTIAL_REFUSED,
    like="group-info",
    flags=(Flag.APPLICATION_POLICY,),
)
def member_whom_the_application_refuses(case: Case) -> None:
    """Bob's identity is "mallory"."""
    clients = people(case.forge, *TWO, bob=lambda leaf: replace(leaf, credential=REFUSED))
    informed(case, epoch=assemble(case.forge, clients).epoch)


@joining.vector("RFC9420-13.4", reason=Rule.LEAF_LACKS_GROUP_EXTENSION, like="group-info")
def extension_of_the_group_that_this_client_lacks(case: Case) -> None:
    """The GroupContext has an extension that Dave's capabilities do not list: "it MUST [...] not join the group"."""
    clients, extension = people(case.forge, *TWO, leaf=capable), Extension(EXTENSION, b"in use")
    informed(case, epoch=assemble(case.forge, clients, extensions=(extension,)).epoch)


@joining.vector("RFC9420-12.4.3.2")
def group_beside_another(case: Case) -> None:
    """Bob joins a group with another group_id than the one that he is in."""
    clients = people(case.forge, "alice", "carol")
    epoch = assemble(case.forge, clients, group_id=b"another group").epoch
    informed(case, state=bob_of_three, epoch=epoch)


@joining.vector("RFC9420-12.4.3", reason=Rule.GROUP_ID_IN_USE, like="group-beside-another")
def group_id_of_a_group_that_this_client_is_in(case: Case) -> None:
    """Bob joins another group with the group_id of the one that he is in."""
    epoch = assemble(case.forge, people(case.forge, "alice", "carol")).epoch
    informed(case, state=bob_of_three, epoch=epoch)


FILE = File(
    "external-joins",
    "GroupInfos: RFC 9420, Sections 12.4.3 and 12.4.3.2. A client is to join by an external commit.",
    (joining,),
)
