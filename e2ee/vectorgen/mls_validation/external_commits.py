"""Vectors of RFC 9420, Sections 8.3, 12.2 and 12.4.3.2: members receive the commit of a client who joins by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule
from e2ee.mls.framing import Sender
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, Lifetime
from e2ee.mls.proposal import Add, ExternalInit, GroupContextExtensions, ReInit, Remove
from e2ee.testing.mls_forge.clients import NOW, Client, make_client, sign_leaf
from e2ee.testing.mls_forge.commits import Committing, Item
from e2ee.testing.mls_forge.messages import Framing, Sent, propose
from e2ee.testing.mls_forge.outsiders import external_commit, external_init, say_from_outside
from e2ee.testing.mls_forge.paths import Path
from e2ee.testing.mls_forge.spoiling import flipped
from e2ee.vectorgen.mls_validation.groups import ALICE, CAROL, DAVE, GROUP_ID
from e2ee.vectorgen.mls_validation.registry import Case, File, Flag, Judgement, operation
from e2ee.vectorgen.mls_validation.scenes import Build
from e2ee.vectorgen.mls_validation.states import (
    KEYS,
    NEXT,
    NO_SUCCESSOR,
    REFUSED,
    bob_of_three,
    bob_with_keys,
    psk,
)

__all__ = ["FILE"]

process = operation("process")


def committed(
    case: Case,
    *items: Item,
    build: Build = bob_of_three,
    joiner: Client | None = None,
    kem: tuple[ExternalInit | None, Secret] | None = None,
    framing: Framing | None = None,
    path: Path | None = None,
    **changes: Any,
) -> None:
    """Dave, or another client, joins by a commit of ``items``; ``kem`` is his ExternalInit and what follows from it."""
    state = case.at(build)
    joiner = joiner or make_client(case.forge, "dave")
    first, secret = kem or external_init(case.forge, state.epoch)
    committing = Committing(framing=framing or Framing(), path=path or Path(), psks=KEYS, **changes)
    items = items if first is None else (first, *items)
    made = external_commit(
        case.forge, state.epoch, joiner, *items, init_secret=secret, committing=committing
    )
    case.judge(made, *(item for item in items if isinstance(item, Sent)))


@process.vector("RFC9420-12.4.3.2")
def join(case: Case) -> None:
    """Dave joins, at leaf 3, with an ExternalInit alone."""
    committed(case)


@process.vector("RFC9420-12.2")
def join_with_a_key(case: Case) -> None:
    """Dave joins with a PreSharedKey proposal besides."""
    committed(case, psk(case.forge, b"first"), build=bob_with_keys)


def old_carol(case: Case, **options: Any) -> Client:
    """Carol's client with a new leaf, and the same signature key and credential."""
    key = case.at(bob_of_three).clients["carol"].signing_key
    return make_client(case.forge, "carol", signing_key=key, **options)


@process.vector("RFC9420-12.4.3.2")
def resync(case: Case) -> None:
    """Carol comes back: she removes her old leaf and takes it anew."""
    committed(case, Remove(CAROL), joiner=old_carol(case))


@process.vector(
    "RFC9420-6.1", reason=Rule.NEW_MEMBER_COMMIT_NOT_A_COMMIT, like="join", each={"proposal": True}
)
def sender_of_a(case: Case, _: bool) -> None:
    """The sender is new_member_commit, and the content is a proposal of Dave's KeyPackage, signed by him."""
    dave, epoch = make_client(case.forge, "dave"), case.at(bob_of_three).epoch
    signer, sender = dave.signing_key.public, Sender.new_member_commit()
    case.judge(say_from_outside(case.forge, epoch, sender, signer, Add(dave.key_package)))


@process.vector("RFC9420-12.4.3.2", reason=Rule.EXTERNAL_COMMIT_PATH_MISSING, like="join")
def no_path(case: Case) -> None:
    """The commit has no path, and so no leaf whose key could verify Dave's signature."""
    committed(case, commit=lambda content: replace(content, path=None))


@process.vector("RFC9420-12.4.3.2", reason=Rule.CONTENT_SIGNATURE, like="join")
def signed_by_another_key(case: Case) -> None:
    """A member's key has signed, not the one in the leaf of the path."""
    carol = case.at(bob_of_three).clients["carol"].signing_key.public
    committed(case, framing=Framing(signer=carol))


@process.vector("RFC9420-12.4.2", reason=Rule.WRONG_EPOCH, like="join")
def of_the_epoch_before(case: Case) -> None:
    """epoch is one less, as that of a GroupInfo which is not the newest."""
    committed(case, framing=Framing(content=lambda framed: replace(framed, epoch=framed.epoch - 1)))


@process.vector("RFC9420-6.1", reason=Rule.CONFIRMATION_TAG, like="join")
def confirmation_tag_of_another_epoch(case: Case) -> None:
    """The confirmation tag is that of the present epoch."""
    tag = case.at(bob_of_three).epoch.confirmation_tag
    committed(case, framing=Framing(confirmation_tag=lambda _: tag))


# ------------------------------------------------------------------------------------------------ the list of proposals


@process.vector(
    "RFC9420-12.4.3.2", reason=Rule.EXTERNAL_COMMIT_WITH_REFERENCE, like="join-with-a-key"
)
def key_by_reference(case: Case) -> None:
    """A PreSharedKey that Alice has proposed is committed by reference."""
    epoch = case.at(bob_with_keys).epoch
    sent = propose(case.forge, epoch, ALICE, psk(case.forge, b"first"))
    committed(case, sent, build=bob_with_keys)


@process.vector("RFC9420-12.2", reason=Rule.EXTERNAL_INIT_NOT_ONCE, like="join")
def no_external_init(case: Case) -> None:
    """There is no ExternalInit; somebody who knows the group's init_secret has used that."""
    epoch = case.at(bob_of_three).epoch
    committed(case, Remove(ALICE), kem=(None, epoch.secrets.init_secret))


@process.vector("RFC9420-12.2", reason=Rule.EXTERNAL_INIT_NOT_ONCE, like="join")
def two_external_inits(case: Case) -> None:
    """There are two ExternalInits; the secret of the first is used."""
    second, _ = external_init(case.forge.fork(b"second"), case.at(bob_of_three).epoch)
    committed(case, second)


@process.vector("RFC9420-12.2", reason=Rule.EXTERNAL_COMMIT_REMOVES_SEVERAL, like="resync")
def two_removes(case: Case) -> None:
    """Carol removes her old leaf and Alice's."""
    committed(case, Remove(CAROL), Remove(ALICE), joiner=old_carol(case))


@process.vector("RFC9420-12.1.3", reason=Rule.REMOVE_OF_BLANK_LEAF, like="resync")
def remove_of_nobody(case: Case) -> None:
    """Dave removes the blank leaf 3, and takes it."""
    committed(case, Remove(DAVE))


OTHERS: dict[str, Callable[[Case], Item]] = {
    "add": lambda case: Add(make_client(case.forge.fork(b"erin"), "erin").key_package),
    "new-extensions": lambda _: GroupContextExtensions(()),
    "reinit": lambda _: ReInit(NEXT, 1, 1, ()),
}


@process.vector("RFC9420-12.2", reason=Rule.EXTERNAL_COMMIT_PROPOSAL_TYPE, like="join", each=OTHERS)
def join_with(case: Case, make: Callable[[Case], Item]) -> None:
    """A proposal of a type that external commits do not have."""
    committed(case, make(case))


@process.vector("RFC9420-12.1.4", reason=Rule.PSK_NONCE_LENGTH, like="join-with-a-key")
def key_with_an_empty_nonce(case: Case) -> None:
    """psk_nonce is empty."""
    committed(case, psk(case.forge, b"first", 0), build=bob_with_keys)


@process.vector("RFC9420-12.2", reason=Rule.PSK_TWICE, like="join-with-a-key")
def key_twice(case: Case) -> None:
    """The same PreSharedKeyID twice."""
    one = psk(case.forge, b"first")
    committed(case, one, one, build=bob_with_keys)


@process.vector("RFC9420-12.4.2", reason=Rule.PSK_UNKNOWN, like="join-with-a-key")
def key_that_members_do_not_have(case: Case) -> None:
    """A PreSharedKey of an unknown psk_id."""
    committed(case, psk(case.forge, b"unknown"), build=bob_with_keys)


@process.vector("RFC9420-8.3", reason=Rule.EXTERNAL_INIT_MALFORMED, like="join")
def kem_output_cut(case: Case) -> None:
    """kem_output lacks its last byte."""
    made, secret = external_init(case.forge, case.at(bob_of_three).epoch)
    committed(case, kem=(ExternalInit(made.kem_output[:-1]), secret))


@process.vector("RFC9420-8.3", reason=Rule.CONFIRMATION_TAG, like="join")
def kem_output_for_another_key(case: Case) -> None:
    """kem_output is encapsulated to another key than the epoch's external_pub."""
    epoch = case.at(bob_of_three).epoch
    other = replace(
        epoch, secrets=replace(epoch.secrets, external_secret=epoch.secrets.exporter_secret)
    )
    committed(case, kem=external_init(case.forge, other))


# ---------------------------------------------------------------------------------------------------- leaf and path


@process.vector("RFC9420-7.3", reason=Rule.LEAF_SOURCE_NOT_COMMIT, like="join")
def leaf_of_the_key_package(case: Case) -> None:
    """The leaf in the path is laid out and signed as one of a KeyPackage."""

    def changed(leaf: LeafNode) -> LeafNode:
        lifetime = Lifetime(NOW - 3_600, NOW + 86_400)
        return replace(leaf, leaf_node_source=LeafNodeSource.KEY_PACKAGE, details=lifetime)

    committed(case, path=Path(leaf=changed))


@process.vector("RFC9420-7.2", reason=Rule.LEAF_SIGNATURE, like="join")
def leaf_signed_for_another_place(case: Case) -> None:
    """The leaf is signed for leaf 4; Dave is put at the leftmost blank leaf, which is 3."""
    forge = case.forge
    committed(case, path=Path(signed_leaf=lambda leaf: sign_leaf(forge, leaf, GROUP_ID, 4)))


@process.vector("RFC9420-11.1", reason=Rule.LEAF_CIPHER_SUITE_NOT_LISTED, like="join")
def leaf_without_the_cipher_suite(case: Case) -> None:
    """The leaf's capabilities do not list the group's cipher suite."""

    def changed(leaf: LeafNode) -> LeafNode:
        return replace(leaf, capabilities=replace(leaf.capabilities, cipher_suites=(0xF0FF,)))

    committed(case, path=Path(leaf=changed))


@process.vector("RFC9420-12.4.2", reason=Rule.LEAF_KEY_NOT_REPLACED, like="resync")
def resync_with_the_old_key(case: Case) -> None:
    """Carol's new leaf has the encryption key of the old one that she removes: "the same criteria as [...] an Update"."""
    carol = case.at(bob_of_three).clients["carol"]
    path = Path(leaf_key=carol.encryption)
    committed(case, Remove(CAROL), joiner=old_carol(case), path=path)


@process.vector("RFC9420-7.3", reason=Rule.SIGNATURE_KEY_NOT_UNIQUE, like="resync")
def signature_key_of_a_member(case: Case) -> None:
    """Carol's client joins a second time, and her old leaf stays."""
    committed(case, joiner=old_carol(case))


@process.vector(
    "RFC9420-5.3.1",
    reason=Judgement.CREDENTIAL_REFUSED,
    like="join",
    flags=(Flag.APPLICATION_POLICY,),
)
def joiner_whom_the_application_refuses(case: Case) -> None:
    """The joiner's identity is "mallory"."""
    committed(case, path=Path(leaf=lambda leaf: replace(leaf, credential=REFUSED)))


@process.vector(
    "RFC9420-12.2",
    reason=Judgement.SUCCESSOR_REFUSED,
    like="resync",
    flags=(Flag.APPLICATION_POLICY,),
)
def resync_of_another_person(case: Case) -> None:
    """The identity of who removes Carol's old leaf is "another person": not "acceptable [...] for the removed participant"."""
    path = Path(leaf=lambda leaf: replace(leaf, credential=NO_SUCCESSOR))
    committed(case, Remove(CAROL), joiner=old_carol(case), path=path)


@process.vector("RFC9420-12.4.2", reason=Rule.PATH_KEY_NOT_NEW, like="join")
def encryption_key_of_a_member(case: Case) -> None:
    """Dave's leaf has Carol's encryption key."""
    committed(case, path=Path(leaf_key=case.at(bob_of_three).clients["carol"].encryption))


@process.vector("RFC9420-7.5", reason=Rule.PATH_LENGTH, like="join")
def path_without_its_root(case: Case) -> None:
    """The path lacks the root."""
    committed(case, path=Path(nodes=lambda nodes: nodes[:-1]))


@process.vector("RFC9420-7.9.2", reason=Rule.PATH_PARENT_HASH, like="join")
def parent_hash_of_another_path(case: Case) -> None:
    """The parent hash in Dave's leaf is not that of his path."""
    path = Path(leaf=lambda leaf: replace(leaf, details=flipped(leaf.parent_hash or b"", 0)))
    committed(case, path=path)


FILE = File(
    "external-commits",
    "External commits: RFC 9420, Sections 8.3, 12.2 and 12.4.3.2. A member receives the commit of a client who joins by it.",
    (process,),
)
