"""Vectors of RFC 9420, Sections 10 and 10.1: KeyPackages in an Add, and fetched in order to add their clients.

The leaves in them have a file of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from e2ee.errors import Reason
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.proposal import Add
from e2ee.testing.mls_forge.clients import (
    Client,
    fields_above_signature,
    make_client,
    sign_key_package,
)
from e2ee.testing.mls_forge.commits import Committing, commit
from e2ee.testing.mls_forge.forge import Forge
from e2ee.testing.mls_forge.spoiling import malformed
from e2ee.vectorgen.mls_validation.groups import ALICE
from e2ee.vectorgen.mls_validation.registry import Case, File, operation
from e2ee.vectorgen.mls_validation.states import bob_of_two, other_suite

__all__ = ["FILE"]

process, adding = operation("process"), operation("key-package")


Make = Callable[[Forge], Client]


def in_an_add(case: Case, make: Make) -> None:
    """Alice adds the client."""
    epoch = case.at(bob_of_two).epoch
    proposal, committing = Add(make(case.forge).key_package), Committing(path=None)
    case.judge(commit(case.forge, epoch, ALICE, proposal, committing=committing))


def fetched(case: Case, make: Make) -> None:
    """Bob is to add the client."""
    case.at(bob_of_two)
    case.fetch(make(case.forge).key_package)


PLACES = {"in-an-add": (process, in_an_add), "fetched": (adding, fetched)}


def key_package(
    section: str, reason: Reason | None = None, *, places: tuple[str, ...] = tuple(PLACES)
) -> Callable[[Make], Make]:
    """Make the KeyPackage of a client a case in each of these places."""

    def register(make: Make) -> Make:
        for place in places:
            group, fill = PLACES[place]
            group.add(
                f"{make.__name__.replace('_', '-')}-{place}",
                (section,),
                fill,
                make,
                reason=reason,
                like=f"well-made-{place}" if reason else None,
                comment=make.__doc__,
            )
        return make

    return register


def changed(forge: Forge, **changes: Any) -> Client:
    """A KeyPackage with other fields, signed."""
    return make_client(forge, "dave", key_package=lambda unsigned: replace(unsigned, **changes))


@key_package("RFC9420-10.1")
def well_made(forge: Forge) -> Client:
    """Dave's KeyPackage, as it should be."""
    return make_client(forge, "dave")


@key_package("RFC9420-10")
def extension_that_nobody_knows(forge: Forge) -> Client:
    """The KeyPackage has an extension of type 0x0a0a: "unknown extensions in KeyPackage.extensions MUST be ignored"."""
    return changed(forge, extensions=(Extension(0x0A0A, b"grease"),))


@key_package("RFC9420-10.1", Rule.KEY_PACKAGE_VERSION, places=("in-an-add",))
def version_2(forge: Forge) -> Client:
    """version is 2, in a group of version mls10."""
    return changed(forge, version=2)


@key_package("RFC9420-10", Rule.KEY_PACKAGE_VERSION_OF_MESSAGE, places=("fetched",))
def version_of_another_message(forge: Forge) -> Client:
    """version is 2, and that of the MLSMessage around it is mls10."""
    return changed(forge, version=2)


@key_package("RFC9420-10.1", Rule.KEY_PACKAGE_CIPHER_SUITE)
def cipher_suite_of_another_group(forge: Forge) -> Client:
    """cipher_suite is 0x0003, in a group of suite 0x0001, or 0x0001 in all others; the keys are of the group's."""
    return changed(forge, cipher_suite=other_suite(forge.suite.code_point))


@key_package("RFC9420-10.1", Rule.KEY_PACKAGE_INIT_KEY_REUSED)
def init_key_of_the_leaf(forge: Forge) -> Client:
    """init_key is leaf_node.encryption_key."""
    key = forge.key_pair()
    return make_client(forge, "dave", init=key, encryption=key)


@key_package("RFC9420-10", Rule.KEY_PACKAGE_INIT_KEY_MALFORMED)
def init_key_malformed(forge: Forge) -> Client:
    """init_key is no public key: on NIST's curves not a point of the curve, elsewhere a byte too short."""
    return make_client(
        forge,
        "dave",
        key_package=lambda unsigned: replace(
            unsigned, init_key=malformed(forge.suite, unsigned.init_key)
        ),
    )


def signed(forge: Forge, sign: Callable[[KeyPackage], KeyPackage]) -> Client:
    return make_client(forge, "dave", signed=sign)


@key_package("RFC9420-10", Rule.KEY_PACKAGE_SIGNATURE)
def signature_of_zeros(forge: Forge) -> Client:
    """The signature has its length and is zero; that of the leaf is good."""
    return signed(forge, lambda made: replace(made, signature=bytes(len(made.signature))))


@key_package("RFC9420-10", Rule.KEY_PACKAGE_SIGNATURE)
def signature_by_another_key(forge: Forge) -> Client:
    """Another key than the leaf's has signed it."""
    another = forge.fork(b"another").signing_key().public
    return signed(forge, lambda made: sign_key_package(forge, made, another))


@key_package("RFC9420-5.1.2", Rule.KEY_PACKAGE_SIGNATURE)
def signature_with_another_label(forge: Forge) -> Client:
    """The label under the signature is LeafNodeTBS."""

    def sign(made: KeyPackage) -> KeyPackage:
        key = made.leaf_node.signature_key
        signature = forge.sign(key, "LeafNodeTBS", fields_above_signature(made))
        return replace(made, signature=signature)

    return signed(forge, sign)


@key_package("RFC9420-10", Rule.KEY_PACKAGE_SIGNATURE)
def changed_after_signing(forge: Forge) -> Client:
    """init_key was exchanged by somebody who has no signature key: all Welcomes would be for them."""
    intruder = forge.fork(b"another").key_pair().public
    return signed(forge, lambda made: replace(made, init_key=intruder))


FILE = File(
    "key-packages",
    "KeyPackages: RFC 9420, Sections 10 and 10.1. In an Add, and fetched in order to add their clients.",
    (process, adding),
)
