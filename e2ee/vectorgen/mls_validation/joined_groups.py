"""Vectors of RFC 9420, Sections 5.3.1, 12.4.3 and 13.4: groups that a client is welcomed into, and must not join."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension, ExtensionType, ExternalSender, external_senders
from e2ee.mls.group_context import GroupContext
from e2ee.testing.mls_forge.clients import make_client
from e2ee.testing.mls_forge.commits import Committing
from e2ee.testing.mls_forge.welcomes import welcome
from e2ee.vectorgen.mls_validation.groups import BOB, GROUP_ID, founded
from e2ee.vectorgen.mls_validation.registry import Case, File, Flag, Judgement
from e2ee.vectorgen.mls_validation.states import (
    EXTENSION,
    REFUSED,
    bob_of_two,
    capable,
    dave,
    of_two_suites,
    other_suite,
    service_key,
)
from e2ee.vectorgen.mls_validation.welcomes import adding, joining

__all__ = ["FILE"]


# -------------------------------------------------------------------------------------------- whole groups that lie


def in_context(case: Case, **changes: Any) -> None:
    """A group whose committer puts another GroupContext under everything: secrets, tags and signature."""

    def changed(provisional: GroupContext) -> GroupContext:
        return replace(provisional, **changes)

    client, leaf = case.at(dave).client, of_two_suites(case.forge.suite)
    alice, how = make_client(case.forge, "alice", leaf=leaf), Committing(context=changed)
    made = founded(case.forge, alice, client, committing=how)
    case.welcome(made, welcome(case.forge, made, client, BOB))


@joining.vector("RFC9420-12.4.3.1")
def group_of_this_cipher_suite(case: Case) -> None:
    """Alice and Dave support two cipher suites."""
    in_context(case)


@joining.vector(
    "RFC9420-12.4.3.1", reason=Rule.GROUP_INFO_CIPHER_SUITE, like="group-of-this-cipher-suite"
)
def group_of_another_cipher_suite(case: Case) -> None:
    """cipher_suite of the GroupContext is the other one that both support; all keys are of the KeyPackage's."""
    in_context(case, cipher_suite=other_suite(case.forge.suite.code_point))


@joining.vector(
    "RFC9420-12.4.3.1", reason=Rule.OWN_LEAF_NOT_IN_TREE, like="of-a-commit-without-a-path"
)
def group_without_this_client(case: Case) -> None:
    """Alice adds Erin, and welcomes Dave."""
    client = case.at(dave).client
    made = adding(case.forge, make_client(case.forge, "erin"))
    case.welcome(made, welcome(case.forge, made, client, BOB))


@joining.vector(
    "RFC9420-12.4.3.1", reason=Rule.OWN_LEAF_NOT_IN_TREE, like="of-a-commit-without-a-path"
)
def group_with_another_leaf_of_this_client(case: Case) -> None:
    """Alice adds another KeyPackage of Dave's client, with the same signature key, and welcomes by this one."""
    client = case.at(dave).client
    other = make_client(case.forge, "dave", signing_key=client.signing_key)
    made = adding(case.forge, other)
    case.welcome(made, welcome(case.forge, made, client, BOB))


# --------------------------------------------------------------------------------------- what a client can be asked


@joining.vector("RFC9420-12.4.3.1")
def group_beside_another(case: Case) -> None:
    """Bob is welcomed into a group with another group_id."""
    second_group(case, b"another group")


@joining.vector("RFC9420-12.4.3", reason=Rule.GROUP_ID_IN_USE, like="group-beside-another")
def group_id_of_a_group_that_this_client_is_in(case: Case) -> None:
    """Bob is welcomed into another group with the group_id of the one that he is in."""
    second_group(case, GROUP_ID)


def second_group(case: Case, group_id: bytes) -> None:
    case.at(bob_of_two)
    client = make_client(case.forge, "bob")
    made = adding(case.forge, client, group_id=group_id)
    case.welcome(made, welcome(case.forge, made, client, BOB), client=client)


def extended(case: Case, *extensions: Extension) -> None:
    """A group with these extensions, which Alice supports."""
    client = case.at(dave).client
    alice = make_client(case.forge, "alice", leaf=capable)
    made = founded(case.forge, alice, client, extensions=extensions)
    case.welcome(made, welcome(case.forge, made, client, BOB))


@joining.vector("RFC9420-13.4")
def group_without_extensions(case: Case) -> None:
    """Alice supports an extension that Dave does not, and the group has none."""
    extended(case)


@joining.vector(
    "RFC9420-13.4", reason=Rule.LEAF_LACKS_GROUP_EXTENSION, like="group-without-extensions"
)
def group_with_an_extension_that_this_client_lacks(case: Case) -> None:
    """The GroupContext has an extension that Dave's capabilities do not list: "it MUST [...] not join the group"."""
    extended(case, Extension(EXTENSION, b"in use"))


def served(case: Case, credential: Credential) -> None:
    """A group with an external sender of this credential."""
    senders = (ExternalSender(service_key(case.scene), credential),)
    extension = Extension(ExtensionType.EXTERNAL_SENDERS, external_senders.encode(senders))
    client, alice = case.at(dave).client, make_client(case.forge, "alice")
    made = founded(case.forge, alice, client, extensions=(extension,))
    case.welcome(made, welcome(case.forge, made, client, BOB))


@joining.vector("RFC9420-5.3.1")
def group_with_a_service(case: Case) -> None:
    """external_senders of the GroupContext name one whom the application accepts."""
    served(case, Credential.basic(b"service"))


@joining.vector(
    "RFC9420-5.3.1",
    reason=Judgement.CREDENTIAL_REFUSED,
    like="group-with-a-service",
    flags=(Flag.APPLICATION_POLICY,),
)
def group_with_a_service_that_the_application_refuses(case: Case) -> None:
    """The identity of the one in external_senders is "mallory"."""
    served(case, REFUSED)


FILE = File(
    "welcomes",
    "Welcomes: RFC 9420, Sections 12.4.3 and 12.4.3.1. The Welcome, its GroupSecrets and its GroupInfo.",
    (joining,),
)
