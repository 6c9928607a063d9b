"""The states of all files, from the plain ones to those of one rule; after a ReInit: ``ended_groups``."""

from __future__ import annotations

from dataclasses import replace

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.secret import Secret
from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.credential import Credential, CredentialType
from e2ee.mls.extension import Extension, ExtensionType, ExternalSender, external_senders
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, PreSharedKey, ReInit, Remove
from e2ee.mls.psk import PreSharedKeyID, PskName, PSKType
from e2ee.testing.mls_forge.clients import make_client
from e2ee.testing.mls_forge.commits import Committing, commit
from e2ee.testing.mls_forge.epochs import create_group
from e2ee.testing.mls_forge.forge import Change, Forge
from e2ee.testing.mls_forge.messages import PRIVATE, Framing, propose, say
from e2ee.testing.mls_forge.paths import Path, node_key_pair
from e2ee.testing.mls_forge.welcomes import Welcoming, describe
from e2ee.vectorgen.mls_validation.groups import (
    ALICE,
    CAROL,
    GROUP_ID,
    assemble,
    follow_up,
    founded,
    joiner,
    member,
    people,
    stranger,
)
from e2ee.vectorgen.mls_validation.scenes import Scene, State, state
from e2ee.vectorgen.mls_validation.x509 import x509_credential

__all__ = [
    "CREDENTIAL",
    "DEMANDS",
    "EXTENSION",
    "GREASE",
    "KEYS",
    "NEXT",
    "NO_SUCCESSOR",
    "PROPOSAL",
    "REFUSED",
    "REQUIRED",
    "THREE",
    "TWO",
    "bob_after_a_known_path",
    "bob_among_colluders",
    "bob_in_the_next_epoch",
    "bob_of_a_certified_group",
    "bob_of_a_demanding_group",
    "bob_of_a_greased_group",
    "bob_of_a_group_that_ended",
    "bob_of_a_mixed_group",
    "bob_of_a_served_group",
    "bob_of_four",
    "bob_of_three",
    "bob_of_two",
    "bob_who_has_heard",
    "bob_with_keys",
    "capable",
    "capable_dave",
    "carol_of_three",
    "certified",
    "certified_dave",
    "dave",
    "dave_with_a_group_info",
    "dave_with_keys",
    "greased",
    "greased_dave",
    "of_two_suites",
    "other_suite",
    "psk",
    "service_key",
    "with_capabilities",
]

TWO, THREE = ("alice", "bob"), ("alice", "bob", "carol")

NEXT = b"the next group"
"""The group_id of a successor."""

GREASE, EXTENSION, REQUIRED, PROPOSAL, CREDENTIAL = 0x0A0A, 0xF0C1, 0xF0C2, 0xF0C3, 0xF0C4
"""A code point reserved for GREASE, and some for private use."""


REFUSED, NO_SUCCESSOR = Credential.basic(b"mallory"), Credential.basic(b"another person")
"""A credential that the application accepts of nobody, and one that it accepts of who has had no other."""


def with_capabilities(leaf: LeafNode, **changes: tuple[int, ...]) -> LeafNode:
    """``leaf`` with other lists of capabilities."""
    return replace(leaf, capabilities=replace(leaf.capabilities, **changes))


def of_two_suites(suite: CipherSuite) -> Change[LeafNode]:
    """A leaf whose client supports another cipher suite besides."""
    suites = (suite.code_point, other_suite(suite.code_point))
    return lambda leaf: with_capabilities(leaf, cipher_suites=suites)


def other_suite(suite: int) -> int:
    """Another cipher suite: 0x0001, which everybody implements, or 0x0003."""
    return 0x0003 if suite == 0x0001 else 0x0001


# ------------------------------------------------------------------------------------------------------------ plain


@state
def bob_of_two(_: Scene, forge: Forge) -> State:
    """Alice created the group and added this member, Bob."""
    return member(forge, assemble(forge, people(forge, *TWO)), "bob")


@state
def bob_of_three(_: Scene, forge: Forge) -> State:
    """Alice created the group and added this member, Bob, and Carol. Leaf 3 is blank; Alice's path is nodes 1 and 3."""
    return member(forge, assemble(forge, people(forge, *THREE)), "bob")


@state
def carol_of_three(_: Scene, forge: Forge) -> State:
    """Alice created the group and added Bob and this member, Carol, who knows of Alice's path the secret of node 3 alone."""
    return member(forge, assemble(forge, people(forge, *THREE)), "carol")


@state
def bob_of_four(_: Scene, forge: Forge) -> State:
    """Alice added Bob, Carol and Dave; then Carol committed, so that no parent node is blank."""
    group = assemble(forge, people(forge, *THREE, "dave"))
    return member(forge, group, "bob", commit(forge, group.epoch, CAROL))


@state
def dave(_: Scene, forge: Forge) -> State:
    """Dave, who supports two cipher suites, is in no group."""
    return newcomer(forge, of_two_suites(forge.suite))


def newcomer(forge: Forge, leaf: Change[LeafNode], *extensions: Extension) -> State:
    """Dave, who afterwards joins a group that Alice founded with these extensions."""
    clients = people(forge, "alice", "dave", leaf=leaf)
    made = founded(forge, clients["alice"], clients["dave"], extensions=extensions)
    return joiner(forge, clients["dave"], made)


@state
def dave_with_a_group_info(_: Scene, forge: Forge) -> State:
    """Dave, who supports two cipher suites, is in no group, and afterwards joins one by an external commit."""
    client = make_client(forge, "dave", leaf=of_two_suites(forge.suite))
    epoch = assemble(forge, people(forge, *TWO)).epoch
    info = MLSMessage.of(describe(forge, epoch, ALICE, Welcoming(external_pub=True)))
    return stranger(client, epoch, {"group_info": info.encode(), "ratchet_tree": None})


# ----------------------------------------------------------------------------------------------- what has happened


@state
def bob_who_has_heard(_: Scene, forge: Forge) -> State:
    """Bob of three has received application data and a proposal of Carol, each with the first key of its ratchet."""
    group = assemble(forge, people(forge, *THREE))
    told = say(forge, group.epoch, CAROL, b"hello")
    proposed = propose(forge, group.epoch, CAROL, Remove(ALICE), Framing(PRIVATE))
    then = follow_up(forge, group.epoch, CAROL, generation=1)
    return member(forge, group, "bob", told, proposed.message, then=then)


@state
def bob_in_the_next_epoch(scene: Scene, forge: Forge) -> State:
    """Carol proposed to remove Alice; then Carol committed nothing, and an epoch went by."""
    group = assemble(forge, people(forge, *THREE))
    proposed = propose(scene.forge("proposal"), group.epoch, CAROL, Remove(ALICE))
    return member(forge, group, "bob", proposed.message, commit(forge, group.epoch, CAROL))


@state
def bob_of_a_group_that_ended(_: Scene, forge: Forge) -> State:
    """Carol committed a ReInit: the group awaits its successor, and nothing follows in this one."""
    group = assemble(forge, people(forge, *THREE))
    reinit = ReInit(NEXT, ProtocolVersion.MLS10, forge.suite.code_point, ())
    ended = commit(forge, group.epoch, CAROL, reinit, committing=Committing(path=None))
    return member(forge, group, "bob", ended, then=[])


@state
def bob_among_colluders(scene: Scene, forge: Forge) -> State:
    """Carol's KeyPackage has the encryption key of a node on a path that Alice is going to take."""
    chosen = node_key_pair(forge, scene.forge("path").secret())
    carol = make_client(forge, "carol", encryption=chosen)
    return member(forge, assemble(forge, {**people(forge, *TWO), "carol": carol}), "bob")


@state
def bob_after_a_known_path(scene: Scene, forge: Forge) -> State:
    """Alice created the group and added Bob and Carol, with a path that she is going to take again."""
    path = Path(first_secret=scene.forge("path").secret())
    return member(forge, assemble(forge, people(forge, *THREE), path=path), "bob")


# ------------------------------------------------------------------------------------------ capabilities, credentials


DEMANDS = (
    Extension(
        ExtensionType.REQUIRED_CAPABILITIES,
        RequiredCapabilities((REQUIRED,), (PROPOSAL,), (CredentialType.BASIC, CREDENTIAL)).encode(),
    ),
    Extension(EXTENSION, b"in use"),
)
"""GroupContext extensions of types for private use, and required_capabilities of such."""


def capable(leaf: LeafNode) -> LeafNode:
    """A leaf whose client supports all that ``DEMANDS`` asks for."""
    return with_capabilities(
        leaf,
        extensions=(EXTENSION, REQUIRED),
        proposals=(PROPOSAL,),
        credentials=(CredentialType.BASIC, CREDENTIAL),
    )


@state
def bob_of_a_demanding_group(_: Scene, forge: Forge) -> State:
    """Bob of three, in a group that has an extension and required_capabilities of types for private use."""
    clients = people(forge, *THREE, leaf=capable)
    return member(forge, assemble(forge, clients, extensions=DEMANDS), "bob")


@state
def capable_dave(_: Scene, forge: Forge) -> State:
    """Dave, who supports the types for private use that such a group requires, is in no group."""
    return newcomer(forge, capable, *DEMANDS)


@state
def bob_of_a_mixed_group(_: Scene, forge: Forge) -> State:
    """Bob of three; he and Carol support types for private use, and Alice does not."""
    return member(forge, assemble(forge, people(forge, *THREE, bob=capable, carol=capable)), "bob")


def certified(forge: Forge) -> Change[LeafNode]:
    """A leaf that presents a certificate, and whose client supports both types of credentials."""

    def change(leaf: LeafNode) -> LeafNode:
        both = with_capabilities(leaf, credentials=(CredentialType.BASIC, CredentialType.X509))
        key = forge.key_of(leaf.signature_key)
        return replace(both, credential=x509_credential(forge.suite, "somebody", key))

    return change


@state
def bob_of_a_certified_group(_: Scene, forge: Forge) -> State:
    """Bob of three; all present x509 credentials, self-signed certificates, and support basic ones too."""
    return member(forge, assemble(forge, people(forge, *THREE, leaf=certified(forge))), "bob")


@state
def certified_dave(_: Scene, forge: Forge) -> State:
    """Dave, who presents an x509 credential and supports basic ones too, is in no group."""
    return newcomer(forge, certified(forge))


def greased(leaf: LeafNode) -> LeafNode:
    """Every list of capabilities has a GREASE value besides what the client supports."""
    names = ("cipher_suites", "extensions", "proposals", "credentials")
    lists = {name: (*getattr(leaf.capabilities, name), GREASE) for name in names}
    return with_capabilities(leaf, **lists)


@state
def bob_of_a_greased_group(_: Scene, forge: Forge) -> State:
    """Bob of two; both have GREASE values in all lists of their capabilities."""
    return member(forge, assemble(forge, people(forge, *TWO, leaf=greased)), "bob")


@state
def greased_dave(_: Scene, forge: Forge) -> State:
    """Dave, with GREASE values in all lists of his capabilities, is in no group."""
    return newcomer(forge, greased)


# ------------------------------------------------------------------------------------------------------- keys, services


KEYS: dict[PskName, Secret] = {
    b"first": Secret(b"the first pre-shared key"),
    b"second": Secret(b"the second pre-shared key"),
}
"""External PSKs that everybody has who has any."""


def psk(forge: Forge, name: PskName, length: int | None = None) -> PreSharedKey:
    """A PreSharedKey proposal with a new nonce, of ``Nh`` bytes if nothing else is said."""
    nonce = forge.entropy.random(forge.suite.kdf.Nh if length is None else length)
    psk_type = PSKType.EXTERNAL if isinstance(name, bytes) else PSKType.RESUMPTION
    return PreSharedKey(PreSharedKeyID(psk_type, name, nonce))


@state
def bob_with_keys(_: Scene, forge: Forge) -> State:
    """Bob of two has two external PSKs; after he was added, Alice committed nothing."""
    group = assemble(forge, people(forge, *TWO))
    return member(forge, group, "bob", commit(forge, group.epoch, ALICE), psks=KEYS)


@state
def dave_with_keys(_: Scene, forge: Forge) -> State:
    """Dave is in no group and has two external PSKs, which he needs afterwards."""
    clients = people(forge, "alice", "dave")
    created = create_group(forge, clients["alice"], GROUP_ID)
    add, keys = Add(clients["dave"].key_package), [psk(forge, name) for name in KEYS]
    how = Committing(path=None, psks=KEYS)
    made = commit(forge, created, ALICE, add, *keys, committing=how)
    return joiner(forge, clients["dave"], made, KEYS)


def service_key(scene: Scene) -> bytes:
    """The public signature key of a group's one external sender."""
    return scene.forge("service").signing_key().public


@state
def bob_of_a_served_group(scene: Scene, forge: Forge) -> State:
    """Bob of three, in a group whose external_senders name one service."""
    senders = (ExternalSender(service_key(scene), Credential.basic(b"service")),)
    extension = Extension(ExtensionType.EXTERNAL_SENDERS, external_senders.encode(senders))
    group = assemble(forge, people(forge, *THREE), extensions=(extension,))
    return member(forge, group, "bob")
