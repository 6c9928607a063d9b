"""Decoders of MLS structures, and of all other declared structures."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.errors import DecodeError
from e2ee.mls.commit import Commit
from e2ee.mls.errors import ValidationError
from e2ee.mls.extension import ExternalSender
from e2ee.mls.group_context import GroupContext, ProtocolVersion
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.message import MLSMessage
from e2ee.mls.private_message import PrivateMessage
from e2ee.mls.proposal import Proposal
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_hash import tree_hash
from e2ee.mls.tree_validation import check_joined_tree
from e2ee.mls.welcome import Welcome
from e2ee.testing.mls_members import receiving
from e2ee.tls_syntax import Struct
from tests.fuzz.corpus import all_of, from_vectors
from tests.fuzz.structure_mutation import mutation_of
from tests.fuzz.target import reads_back, refused, target

MLS = "mls-validation/*/*"
SUITE = cipher_suite(0x0001)
ENOUGH = 1 << 20
"""What a message of the service may have: more than any input."""

messages = from_vectors(
    MLS, "message", "messages", "welcome", "group_info", "key_package", "proposals"
)


def bodies(kind: type[Struct]) -> Iterator[bytes]:
    """What is inside of the vectors' messages of a kind."""
    for data in messages():
        try:
            body = MLSMessage.decode(data).body
        except DecodeError:
            continue
        if isinstance(body, kind):
            yield body.encode()


def structure(name: str, declared: type[Struct]) -> None:
    """Enter the decoder of a structure that is the body of messages."""

    def judge(data: bytes) -> bool:
        return reads_back(data, declared.decode, lambda value: value.encode(), DecodeError)

    judge.__doc__ = f"The decoder of {declared.__name__}."
    target(name, seeds=lambda: bodies(declared), mutate=mutation_of(declared))(judge)


for each_name, each_declared in {
    "public-message": PublicMessage,
    "private-message": PrivateMessage,
    "welcome": Welcome,
    "group-info": GroupInfo,
    "key-package": KeyPackage,
}.items():
    structure(each_name, each_declared)


@target("mls-message", seeds=messages, mutate=mutation_of(MLSMessage))
def mls_message(data: bytes) -> bool:
    """The decoder of MLSMessage, in every wire format."""
    return reads_back(data, MLSMessage.decode, MLSMessage.encode, DecodeError)


def _trees() -> Iterator[bytes]:
    yield from from_vectors(MLS, "ratchet_tree")()
    for data in from_vectors(MLS, "group_info", "welcome")():
        try:
            body = MLSMessage.decode(data).body
        except DecodeError:
            continue
        if isinstance(body, GroupInfo):
            yield from (each.extension_data for each in body.extensions if each.extension_type == 2)


@target("ratchet-tree", seeds=_trees)
def ratchet_tree(data: bytes) -> bool:
    """The tree that a joiner is given: decoded, hashed, and validated as if its hash were the right one."""
    try:
        tree = RatchetTree.decode(SUITE, data, maximum_leaves=1 << 10)
    except (DecodeError, ValidationError) as error:
        return refused(error)
    assert tree.encode() == data
    context = GroupContext(
        ProtocolVersion.MLS10, SUITE.code_point, b"group", 1, tree_hash(tree), b"", ()
    )
    try:
        check_joined_tree(tree, context, receiving())
    except ValidationError as error:
        refused(error)
    return True


# All that have no target of their own


PACKAGES = ("mls", "identity", "profile", "call", "delivery")
STORED = "e2ee.client.stored_values"
OF_PACKAGES = (*(f"e2ee.{package}." for package in PACKAGES), STORED)


def _import_all() -> None:
    """Also those that no target needs: stored values, logs, snapshots."""
    for package in PACKAGES:
        found = importlib.import_module(f"e2ee.{package}")
        for module in pkgutil.walk_packages(found.__path__, f"{found.__name__}."):
            importlib.import_module(module.name)
    importlib.import_module(STORED)


def _declared(base: type[Struct] = Struct) -> Iterator[type[Struct]]:
    """Of these packages, whatever else somebody has imported: the numbers of structures stay the same."""
    for child in base.__subclasses__():
        if hasattr(child, "_codec") and child.__module__.startswith(OF_PACKAGES):
            yield child
        yield from _declared(child)


_import_all()
STRUCTURES = sorted(set(_declared()), key=lambda one: (one.__module__, one.__qualname__))


def _structure_seeds() -> Iterator[bytes]:
    """A structure's number, and an encoding that it takes: whatever in the vectors it takes."""
    vectors = [*dict.fromkeys(all_of(from_vectors("*", *NAMES), messages)())]
    small = [data for data in vectors if len(data) < 700]
    for number, declared in enumerate(STRUCTURES):
        yield bytes([number])
        taken = 0
        for data in small:
            try:
                declared.decode(data)
            except DecodeError:
                continue
            yield bytes([number]) + data
            taken += 1
            if taken == 3:
                break
    for declared in (Commit, Proposal, LeafNode, ExternalSender):
        yield bytes([STRUCTURES.index(declared)])


NAMES = (
    "identity",
    "statement",
    "call_profile",
    "content",
    "key",
    "commit",
    "padded",
    "key_package",
)


@target("structures", seeds=_structure_seeds)
def structures(data: bytes) -> bool:
    """The decoder of any declared structure: the first byte says which."""
    declared = STRUCTURES[data[0] % len(STRUCTURES)] if data else STRUCTURES[0]
    return reads_back(data[1:], declared.decode, lambda value: value.encode(), DecodeError)
