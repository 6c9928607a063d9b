"""Vectors of RFC 9420, Section 7.3: what must hold of a leaf, wherever it stands.

Each fault is one change of a leaf, and is made in every place where it can stand.
"""

from __future__ import annotations

from dataclasses import replace

from e2ee.mls.credential import Credential, CredentialType
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, Lifetime
from e2ee.testing.mls_forge.clients import NOW, fields_above_signature, sign_leaf
from e2ee.testing.mls_forge.spoiling import malformed
from e2ee.vectorgen.mls_validation.groups import GROUP_ID
from e2ee.vectorgen.mls_validation.leaf_places import (
    ADD,
    CERTIFIED,
    DEMANDING,
    EVERYWHERE,
    KEY_PACKAGE,
    PLAIN,
    TREE,
    UPDATE,
    UPDATE_PATH,
    Place,
    add_case,
    adding,
    fault,
    joining,
    process,
    unchanged,
    well_made,
)
from e2ee.vectorgen.mls_validation.registry import File, Flag, Judgement
from e2ee.vectorgen.mls_validation.states import (
    EXTENSION,
    NO_SUCCESSOR,
    REFUSED,
    REQUIRED,
    certified,
    with_capabilities,
)

__all__ = ["FILE"]

DAY = 86_400


well_made(PLAIN, unchanged, "well-made", "A leaf as it should be.")
well_made(
    DEMANDING,
    unchanged,
    "well-made",
    "A leaf whose capabilities list what the group has and requires.",
)
well_made(
    CERTIFIED,
    unchanged,
    "well-made",
    "A leaf with an x509 credential among others, which the application accepts.",
)


# ------------------------------------------------------------------------------------------------ signature and keys


@fault("RFC9420-7.3", Rule.LEAF_SIGNATURE, *EVERYWHERE, after_signing=True)
def signature_of_zeros(leaf: LeafNode, _: Place) -> LeafNode:
    """The leaf's signature has its length and is zero; all that covers the leaf is well signed."""
    return replace(leaf, signature=bytes(len(leaf.signature)))


@fault("RFC9420-7.3", Rule.LEAF_SIGNATURE, *EVERYWHERE, after_signing=True)
def signature_by_another_key(leaf: LeafNode, place: Place) -> LeafNode:
    """Another member's key has signed the leaf."""
    key = place.victim.signing_key.public
    return sign_leaf(place.forge, leaf, GROUP_ID, place.leaf_index, signing_key=key)


@fault("RFC9420-7.2", Rule.LEAF_SIGNATURE, UPDATE, UPDATE_PATH, after_signing=True)
def signature_for_another_group(leaf: LeafNode, place: Place) -> LeafNode:
    """The group_id under the leaf's signature is that of another group."""
    return sign_leaf(place.forge, leaf, b"another group", place.leaf_index)


@fault("RFC9420-7.2", Rule.LEAF_SIGNATURE, UPDATE, UPDATE_PATH, after_signing=True)
def signature_for_another_leaf(leaf: LeafNode, place: Place) -> LeafNode:
    """The leaf_index under the leaf's signature is another one."""
    return sign_leaf(place.forge, leaf, GROUP_ID, place.leaf_index + 1)


@fault("RFC9420-7.2", Rule.LEAF_SIGNATURE, UPDATE, UPDATE_PATH, after_signing=True)
def signature_as_in_a_key_package(leaf: LeafNode, place: Place) -> LeafNode:
    """Neither group_id nor leaf_index is under the leaf's signature."""
    tbs = fields_above_signature(leaf)
    return replace(leaf, signature=place.forge.sign(leaf.signature_key, "LeafNodeTBS", tbs))


@fault("RFC9420-10", Rule.LEAF_ENCRYPTION_KEY_MALFORMED, *EVERYWHERE)
def encryption_key_malformed(leaf: LeafNode, place: Place) -> LeafNode:
    """encryption_key is no public key: on NIST's curves not a point of the curve, elsewhere a byte too short."""
    return replace(leaf, encryption_key=malformed(place.forge.suite, leaf.encryption_key))


@fault("RFC9420-7.3", Rule.LEAF_KEY_NOT_REPLACED, UPDATE, UPDATE_PATH)
def encryption_key_of_the_replaced_leaf(leaf: LeafNode, place: Place) -> LeafNode:
    """encryption_key is the one that the leaf had before."""
    return replace(leaf, encryption_key=place.old.encryption_key)


@fault("RFC9420-7.3", Rule.ENCRYPTION_KEY_NOT_UNIQUE, UPDATE, ADD, KEY_PACKAGE, TREE)
def encryption_key_of_another_member(leaf: LeafNode, place: Place) -> LeafNode:
    """encryption_key is also another member's."""
    return replace(leaf, encryption_key=place.victim.encryption.public)


@fault("RFC9420-7.3", Rule.SIGNATURE_KEY_NOT_UNIQUE, UPDATE, UPDATE_PATH, TREE)
def signature_key_of_another_member(leaf: LeafNode, place: Place) -> LeafNode:
    """signature_key is also another member's, who has signed the leaf."""
    return replace(leaf, signature_key=place.victim.signing_key.public)


# ----------------------------------------------------------------------------------------------------- capabilities


@fault("RFC9420-11.1", Rule.LEAF_VERSION_NOT_LISTED, *EVERYWHERE)
def version_not_listed(leaf: LeafNode, _: Place) -> LeafNode:
    """capabilities.versions lists only version 2."""
    return with_capabilities(leaf, versions=(2,))


@fault("RFC9420-11.1", Rule.LEAF_CIPHER_SUITE_NOT_LISTED, *EVERYWHERE)
def cipher_suite_not_listed(leaf: LeafNode, _: Place) -> LeafNode:
    """capabilities.cipher_suites lists only suite 0xf0ff."""
    return with_capabilities(leaf, cipher_suites=(0xF0FF,))


@fault("RFC9420-7.3", Rule.LEAF_LACKS_REQUIRED_CAPABILITY, *EVERYWHERE, setting=DEMANDING)
def required_extension_not_listed(leaf: LeafNode, _: Place) -> LeafNode:
    """capabilities.extensions lacks a type that required_capabilities has."""
    return with_capabilities(leaf, extensions=(EXTENSION,))


@fault("RFC9420-7.3", Rule.LEAF_LACKS_REQUIRED_CAPABILITY, *EVERYWHERE, setting=DEMANDING)
def required_proposal_not_listed(leaf: LeafNode, _: Place) -> LeafNode:
    """capabilities.proposals lacks a type that required_capabilities has."""
    return with_capabilities(leaf, proposals=())


@fault("RFC9420-7.3", Rule.LEAF_LACKS_REQUIRED_CAPABILITY, *EVERYWHERE, setting=DEMANDING)
def required_credential_not_listed(leaf: LeafNode, _: Place) -> LeafNode:
    """capabilities.credentials lacks a type that required_capabilities has."""
    return with_capabilities(leaf, credentials=(CredentialType.BASIC,))


@fault("RFC9420-13.4", Rule.LEAF_LACKS_GROUP_EXTENSION, *EVERYWHERE, setting=DEMANDING)
def extension_of_the_group_not_listed(leaf: LeafNode, _: Place) -> LeafNode:
    """capabilities.extensions lacks the type of an extension in the GroupContext."""
    return with_capabilities(leaf, extensions=(REQUIRED,))


@fault("RFC9420-7.3", Rule.LEAF_EXTENSION_NOT_LISTED, *EVERYWHERE)
def own_extension_not_listed(leaf: LeafNode, _: Place) -> LeafNode:
    """The leaf has an extension of a type that its capabilities.extensions lacks."""
    return replace(leaf, extensions=(Extension(EXTENSION, b"of this leaf"),))


@fault("RFC9420-7.3", Rule.CREDENTIAL_TYPE_NOT_SUPPORTED, *EVERYWHERE)
def credential_that_others_do_not_support(leaf: LeafNode, place: Place) -> LeafNode:
    """The leaf presents an x509 credential and lists both types; the others list only basic."""
    return certified(place.forge)(leaf)


def basic(leaf: LeafNode) -> LeafNode:
    return replace(leaf, credential=Credential.basic(b"somebody"))


well_made(
    CERTIFIED,
    lambda leaf, _: basic(leaf),
    "basic-credential",
    "A leaf with a basic credential among x509 ones; all support both.",
)


@fault(
    "RFC9420-7.2",
    Rule.LEAF_CREDENTIAL_NOT_LISTED,
    UPDATE,
    UPDATE_PATH,
    ADD,
    KEY_PACKAGE,
    setting=CERTIFIED,
    like="basic-credential",
)
def own_credential_not_listed(leaf: LeafNode, _: Place) -> LeafNode:
    """The credential is basic, which all others list, and capabilities.credentials lists only x509, as the others have."""
    return with_capabilities(basic(leaf), credentials=(CredentialType.X509,))


@fault(
    "RFC9420-7.2",
    Rule.CREDENTIAL_TYPE_NOT_SUPPORTED,
    TREE,
    setting=CERTIFIED,
    like="basic-credential",
)
def basic_credential_that_its_owner_does_not_list(leaf: LeafNode, _: Place) -> LeafNode:
    """The credential is basic, and all but its owner list that type: a type in use that not all members support."""
    return with_capabilities(basic(leaf), credentials=(CredentialType.X509,))


@fault(
    "RFC9420-7.3",
    Rule.CREDENTIAL_TYPE_NOT_SUPPORTED,
    *EVERYWHERE,
    setting=CERTIFIED,
    like="basic-credential",
)
def credentials_of_others_not_listed(leaf: LeafNode, _: Place) -> LeafNode:
    """The credential is basic and listed; the x509 ones that the others have are not."""
    return with_capabilities(basic(leaf), credentials=(CredentialType.BASIC,))


# --------------------------------------------------------------------------------------------- source and lifetime


def source_not(
    rule: Rule, place: str, others: dict[str, tuple[LeafNodeSource, Lifetime | bytes | None]]
) -> None:
    for name, (source, details) in others.items():

        def change(
            leaf: LeafNode,
            _: Place,
            source: LeafNodeSource = source,
            details: Lifetime | bytes | None = details,
        ) -> LeafNode:
            return replace(leaf, leaf_node_source=source, details=details)

        add_case(
            place,
            f"source-{name}",
            "RFC9420-7.3",
            PLAIN,
            change,
            unchanged,
            reason=rule,
            like=f"well-made-{place}",
            comment=f"leaf_node_source is {name.replace('-', '_')}, and the leaf is laid out and signed accordingly.",
        )


LIFETIME = Lifetime(NOW - 3_600, NOW + DAY)
SOURCES: dict[str, tuple[LeafNodeSource, Lifetime | bytes | None]] = {
    "key-package": (LeafNodeSource.KEY_PACKAGE, LIFETIME),
    "update": (LeafNodeSource.UPDATE, None),
    "commit": (LeafNodeSource.COMMIT, b""),
}
for rule, place, right in (
    (Rule.LEAF_SOURCE_NOT_UPDATE, UPDATE, "update"),
    (Rule.LEAF_SOURCE_NOT_COMMIT, UPDATE_PATH, "commit"),
    (Rule.LEAF_SOURCE_NOT_KEY_PACKAGE, ADD, "key-package"),
    (Rule.LEAF_SOURCE_NOT_KEY_PACKAGE, KEY_PACKAGE, "key-package"),
):
    source_not(rule, place, {name: SOURCES[name] for name in SOURCES if name != right})


@fault("RFC9420-7.3", Rule.LEAF_EXPIRED, ADD, KEY_PACKAGE, TREE, flags=(Flag.RECOMMENDED,))
def lifetime_that_ended_a_week_ago(leaf: LeafNode, _: Place) -> LeafNode:
    """not_after was a week ago."""
    return replace(leaf, details=Lifetime(NOW - 8 * DAY, NOW - 7 * DAY))


@fault("RFC9420-7.3", Rule.LEAF_NOT_YET_VALID, ADD, KEY_PACKAGE, TREE, flags=(Flag.RECOMMENDED,))
def lifetime_that_begins_in_a_week(leaf: LeafNode, _: Place) -> LeafNode:
    """not_before will be in a week."""
    return replace(leaf, details=Lifetime(NOW + 7 * DAY, NOW + 8 * DAY))


@fault(
    "RFC9420-7.2",
    Rule.LEAF_LIFETIME_TOO_LONG,
    ADD,
    KEY_PACKAGE,
    TREE,
    flags=(Flag.APPLICATION_POLICY,),
)
def lifetime_without_end(leaf: LeafNode, _: Place) -> LeafNode:
    """From 0 to 2^64 - 1: longer than any maximum that an application can have meant."""
    return replace(leaf, details=Lifetime(0, 2**64 - 1))


# ------------------------------------------------------------------------------------------------ credentials


@fault(
    "RFC9420-5.3.1",
    Judgement.CREDENTIAL_REFUSED,
    *EVERYWHERE,
    flags=(Flag.APPLICATION_POLICY,),
)
def credential_that_the_application_refuses(leaf: LeafNode, _: Place) -> LeafNode:
    """The identity is "mallory"."""
    return replace(leaf, credential=REFUSED)


@fault(
    "RFC9420-5.3.1",
    Judgement.SUCCESSOR_REFUSED,
    UPDATE,
    UPDATE_PATH,
    flags=(Flag.APPLICATION_POLICY,),
)
def credential_that_is_no_successor(leaf: LeafNode, _: Place) -> LeafNode:
    """The identity is "another person", which is nobody's successor."""
    return replace(leaf, credential=NO_SUCCESSOR)


FILE = File(
    "leaf-nodes",
    "Leaf nodes: RFC 9420, Section 7.3. Each fault in an Update, in an UpdatePath, in an Add, in a KeyPackage that is"
    " fetched and in the tree of a group that is joined.",
    (process, joining, adding),
)
