"""Vectors of RFC 9420, Section 6: who says what in which group and epoch, and the proofs of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule
from e2ee.mls.framing import ContentType, FramedContent, Sender
from e2ee.mls.private_message import PrivateMessage, SenderData
from e2ee.mls.proposal import Remove
from e2ee.testing.mls_forge.commits import Committing, commit
from e2ee.testing.mls_forge.messages import PRIVATE, PUBLIC, Framing, propose, say
from e2ee.testing.mls_forge.spoiling import flipped, in_another_form
from e2ee.vectorgen.mls_validation.groups import ALICE, BOB, CAROL
from e2ee.vectorgen.mls_validation.registry import Case, File, Flag, operation
from e2ee.vectorgen.mls_validation.states import bob_of_three, bob_who_has_heard

__all__ = ["FILE"]

process = operation("process")

DATA = b"hello"


# ------------------------------------------------------------------------------------------------ kinds of messages

Fill = Callable[[Case, int, Framing], None]


def a_proposal(case: Case, sender: int, framing: Framing) -> None:
    case.judge(propose(case.forge, case.at(bob_of_three).epoch, sender, Remove(ALICE), framing))


def a_commit(case: Case, sender: int, framing: Framing) -> None:
    epoch = case.at(bob_of_three).epoch
    case.judge(commit(case.forge, epoch, sender, committing=Committing(framing)))


def application_data(case: Case, sender: int, framing: Framing) -> None:
    case.judge(say(case.forge, case.at(bob_of_three).epoch, sender, DATA, framing))
    case.answer(application_data=DATA)


FILLS: dict[str, tuple[Fill, Framing]] = {
    "proposal": (a_proposal, Framing(PUBLIC)),
    "commit": (a_commit, Framing(PUBLIC)),
    "private-proposal": (a_proposal, Framing(PRIVATE)),
    "private-commit": (a_commit, Framing(PRIVATE)),
    "application": (application_data, Framing(PRIVATE)),
}


def kinds(*names: str) -> dict[str, str]:
    return dict(zip(names, names, strict=True))


ALL = kinds(*FILLS)
IN_PUBLIC = kinds("proposal", "commit")
IN_PRIVATE = kinds("private-proposal", "private-commit", "application")
COMMITS = kinds("commit", "private-commit")


def sent(case: Case, kind: str, sender: int = CAROL, **changes: Any) -> None:
    """The message of this kind that Carol, or another member, sends, with these changes of its framing."""
    fill, framing = FILLS[kind]
    fill(case, sender, replace(framing, **changes))


@process.vector("RFC9420-6", each=ALL)
def well_made(case: Case, kind: str) -> None:
    """Carol proposes to remove Alice, commits no proposal, or says hello."""
    sent(case, kind)


@process.vector("RFC9420-6.3.1", each=IN_PRIVATE)
def padded(case: Case, kind: str) -> None:
    """33 bytes of padding."""
    sent(case, kind, padding=bytes(33))


# --------------------------------------------------------------------------------------------- group, epoch, sender


@process.vector("RFC9420-6", reason=Rule.WRONG_GROUP, like="well-made-{}", each=ALL)
def of_another_group(case: Case, kind: str) -> None:
    """group_id names a group that this client is not in; signature, tags and encryption are of this group."""
    sent(case, kind, content=lambda framed: replace(framed, group_id=b"another group"))


@process.vector(
    "RFC9420-12.1", "RFC9420-12.4.2", reason=Rule.WRONG_EPOCH, like="well-made-{}", each=ALL
)
def of_the_epoch_before(case: Case, kind: str) -> None:
    """epoch is one less, under signature, tags and encryption of the present epoch."""
    sent(case, kind, content=lambda framed: replace(framed, epoch=framed.epoch - 1))


@process.vector(
    "RFC9420-12.1", "RFC9420-12.4.2", reason=Rule.WRONG_EPOCH, like="well-made-{}", each=ALL
)
def of_the_epoch_after(case: Case, kind: str) -> None:
    """epoch is one more, under signature, tags and encryption of the present epoch."""
    sent(case, kind, content=lambda framed: replace(framed, epoch=framed.epoch + 1))


def from_leaf(leaf_index: int) -> Callable[[FramedContent], FramedContent]:
    return lambda framed: replace(framed, sender=Sender.member(leaf_index))


@process.vector(
    "RFC9420-6.1",
    "RFC9420-6.3.2",
    reason=Rule.SENDER_NOT_A_MEMBER,
    like="well-made-{}",
    each=kinds("proposal", "private-proposal", "application"),
)
def from_a_blank_leaf(case: Case, kind: str) -> None:
    """Carol names the blank leaf 3 as the sender, and encrypts with the keys of that leaf."""
    sent(case, kind, content=from_leaf(3))


@process.vector(
    "RFC9420-6.1",
    "RFC9420-6.3.2",
    reason=Rule.SENDER_NOT_A_MEMBER,
    like="well-made-{}",
    each=kinds("proposal", "application"),
)
def from_outside_of_the_tree(case: Case, kind: str) -> None:
    """Carol names leaf 4 as the sender, which the tree of four leaves does not have."""
    sent(case, kind, content=from_leaf(4), ratchet=CAROL)


@process.vector(
    "RFC9420-6.1",
    "RFC9420-6.3.2",
    reason=Rule.SENDER_NOT_A_MEMBER,
    like="well-made-{}",
    each=kinds("proposal", "application"),
)
def from_the_largest_leaf_index(case: Case, kind: str) -> None:
    """Carol names leaf 2^32 - 1 as the sender: twice that overflows 32 bits."""
    sent(case, kind, content=from_leaf(2**32 - 1), ratchet=CAROL)


@process.vector(
    "RFC9420-6.2",
    "RFC9420-6.3",
    reason=Rule.OWN_MESSAGE,
    like="well-made-{}",
    each=kinds("proposal", "application"),
    flags=(Flag.STRICTER,),
)
def from_ourselves(case: Case, kind: str) -> None:
    """The sender is this member, who has not sent it: who has its keys has."""
    sent(case, kind, sender=BOB)


@process.vector(
    "RFC9420-6", reason=Rule.APPLICATION_DATA_IN_PUBLIC_MESSAGE, like="well-made-application"
)
def application_data_in_public(case: Case) -> None:
    """Application data in a PublicMessage, with signature and membership tag."""
    sent(case, "application", wire_format=PUBLIC)


# -------------------------------------------------------------------------------------------------------- signature


@process.vector("RFC9420-6.1", reason=Rule.CONTENT_SIGNATURE, like="well-made-{}", each=ALL)
def signed_by_another_member(case: Case, kind: str) -> None:
    """Alice, who has all keys but Carol's signature key, speaks as Carol."""
    alice = case.at(bob_of_three).clients["alice"]
    sent(case, kind, signer=alice.signing_key.public)


@process.vector("RFC9420-6.1", reason=Rule.CONTENT_SIGNATURE, like="well-made-{}", each=ALL)
def without_a_signature(case: Case, kind: str) -> None:
    """The signature is empty."""
    sent(case, kind, signature=lambda _: b"")


@process.vector(
    "RFC9420-6.1",
    reason=Rule.CONTENT_SIGNATURE,
    like="well-made-{}",
    each=kinds("commit", "application"),
)
def with_a_signature_of_zeros(case: Case, kind: str) -> None:
    """The signature has its length and is zero."""
    sent(case, kind, signature=lambda signature: bytes(len(signature)))


@process.vector("RFC9420-6.1", reason=Rule.CONTENT_SIGNATURE, like="well-made-{}", each=ALL)
def signed_for_the_other_wire_format(case: Case, kind: str) -> None:
    """The signature covers mls_private_message in a PublicMessage, mls_public_message in a PrivateMessage."""
    _, framing = FILLS[kind]
    sent(case, kind, signed_as=PUBLIC if framing.wire_format == PRIVATE else PRIVATE)


@process.vector("RFC9420-6.1", reason=Rule.CONTENT_SIGNATURE, like="well-made-{}", each=ALL)
def signed_in_another_context(case: Case, kind: str) -> None:
    """The GroupContext under the signature has another confirmed transcript hash."""
    context = case.at(bob_of_three).epoch.context
    other = bytes(len(context.confirmed_transcript_hash))
    sent(case, kind, signed_in=replace(context, confirmed_transcript_hash=other))


@process.vector("RFC9420-6.1", reason=Rule.CONTENT_SIGNATURE, like="well-made-{}", each=ALL)
def changed_after_signing(case: Case, kind: str) -> None:
    """authenticated_data is not what was signed; tags and encryption cover what is sent."""
    sent(case, kind, moved=lambda framed: replace(framed, authenticated_data=b"changed"))


@process.vector(
    "RFC9420-5.1.2",
    reason=Rule.CONTENT_SIGNATURE,
    like="well-made-{}",
    each=kinds("commit", "application"),
)
def signature_in_another_form(case: Case, kind: str) -> None:
    """EdDSA: S is not below the order L, so RFC 8032 refuses it. ECDSA: the integer r is not in DER's one form."""
    suite = case.forge.suite
    sent(case, kind, signature=lambda signature: in_another_form(suite, signature))


# ------------------------------------------------------------------------------------------------------------- tags


@process.vector("RFC9420-6.2", reason=Rule.MEMBERSHIP_TAG, like="well-made-{}", each=IN_PUBLIC)
def membership_tag_empty(case: Case, kind: str) -> None:
    """The membership tag is empty."""
    sent(case, kind, membership_tag=lambda _: b"")


@process.vector("RFC9420-6.2", reason=Rule.MEMBERSHIP_TAG, like="well-made-{}", each=IN_PUBLIC)
def membership_tag_cut(case: Case, kind: str) -> None:
    """The membership tag lacks its last byte."""
    sent(case, kind, membership_tag=lambda tag: tag[:-1])


@process.vector("RFC9420-6.2", reason=Rule.MEMBERSHIP_TAG, like="well-made-{}", each=IN_PUBLIC)
def membership_tag_of_another_key(case: Case, kind: str) -> None:
    """Somebody who has Carol's signature key and no key of the group."""
    sent(case, kind, membership_key=lambda key: Secret(bytes(len(key))))


@process.vector("RFC9420-6.1", reason=Rule.CONFIRMATION_TAG, like="well-made-{}", each=COMMITS)
def confirmation_tag_empty(case: Case, kind: str) -> None:
    """The confirmation tag is empty; the membership tag covers what is sent."""
    sent(case, kind, confirmation_tag=lambda _: b"")


@process.vector("RFC9420-6.1", reason=Rule.CONFIRMATION_TAG, like="well-made-{}", each=COMMITS)
def confirmation_tag_cut(case: Case, kind: str) -> None:
    """The confirmation tag lacks its last byte."""
    sent(case, kind, confirmation_tag=lambda tag: tag[:-1])


@process.vector(
    "RFC9420-6.1",
    "RFC9420-12.4.2",
    reason=Rule.CONFIRMATION_TAG,
    like="well-made-{}",
    each=COMMITS,
)
def confirmation_tag_of_the_epoch_before(case: Case, kind: str) -> None:
    """The confirmation tag is that of the commit which began the present epoch."""
    tag = case.at(bob_of_three).epoch.confirmation_tag
    sent(case, kind, confirmation_tag=lambda _: tag)


# ------------------------------------------------------------------------------------------------ private messages


@process.vector("RFC9420-6.3.1", reason=Rule.NON_ZERO_PADDING, like="padded-{}", each=IN_PRIVATE)
def padding_that_ends_with_a_one(case: Case, kind: str) -> None:
    """The last of 33 bytes of padding is 1."""
    sent(case, kind, padding=bytes(32) + b"\x01")


@process.vector("RFC9420-6.3.1", reason=Rule.NON_ZERO_PADDING, like="padded-{}", each=IN_PRIVATE)
def padding_that_begins_with_a_one(case: Case, kind: str) -> None:
    """The first of 33 bytes of padding is 1."""
    sent(case, kind, padding=b"\x01" + bytes(32))


def altered(case: Case, kind: str, change: Callable[[PrivateMessage], PrivateMessage]) -> None:
    """What a server can do to a PrivateMessage."""
    sent(case, kind, private_message=change)


@process.vector(
    "RFC9420-6.3.2",
    reason=Rule.SENDER_DATA_NOT_AUTHENTIC,
    like="well-made-{}",
    each=kinds("private-commit", "application"),
)
def sender_data_with_a_flipped_bit(case: Case, kind: str) -> None:
    """One bit of encrypted_sender_data is flipped."""
    altered(
        case,
        kind,
        lambda m: replace(m, encrypted_sender_data=flipped(m.encrypted_sender_data, 0)),
    )


@process.vector(
    "RFC9420-6.3.2", reason=Rule.SENDER_DATA_NOT_AUTHENTIC, like="well-made-application"
)
def content_type_of_a_proposal_on_application_data(case: Case) -> None:
    """content_type was changed on the way: it is in the AAD of the sender data."""
    altered(case, "application", lambda m: replace(m, content_type=ContentType.PROPOSAL))


@process.vector(
    "RFC9420-6.3.1",
    reason=Rule.PRIVATE_MESSAGE_NOT_AUTHENTIC,
    like="well-made-{}",
    each=kinds("private-commit", "application"),
)
def ciphertext_with_a_flipped_bit(case: Case, kind: str) -> None:
    """The last bit of the ciphertext is flipped, beyond the sample that the sender data's key depends on."""
    altered(case, kind, lambda m: replace(m, ciphertext=flipped(m.ciphertext, -1)))


@process.vector(
    "RFC9420-6.3.1",
    reason=Rule.PRIVATE_MESSAGE_NOT_AUTHENTIC,
    like="well-made-{}",
    each=kinds("private-commit", "application"),
)
def authenticated_data_changed_on_the_way(case: Case, kind: str) -> None:
    """authenticated_data is in the AAD of the content, not in that of the sender data."""
    altered(case, kind, lambda m: replace(m, authenticated_data=b"changed"))


OTHER_SENDER_DATA: dict[str, Callable[[SenderData], SenderData]] = {
    "another-member": lambda sender: replace(sender, leaf_index=ALICE),
    "another-generation": lambda sender: replace(sender, generation=1),
    "another-reuse-guard": lambda sender: replace(
        sender, reuse_guard=flipped(sender.reuse_guard, 3)
    ),
}


@process.vector(
    "RFC9420-6.3.2",
    reason=Rule.PRIVATE_MESSAGE_NOT_AUTHENTIC,
    like="well-made-application",
    each=OTHER_SENDER_DATA,
)
def sender_data_of(case: Case, change: Callable[[SenderData], SenderData]) -> None:
    """A member seals sender data that does not lead to the key of the content."""
    sent(case, "application", sender_data=change)


@process.vector("RFC9420-15.3", reason=Rule.GENERATION_TOO_FAR_AHEAD, like="well-made-application")
def generation_far_ahead(case: Case) -> None:
    """generation = 0xffffffff, "forcing recipients to perform billions of key derivations unless they apply limits"."""
    sent(case, "application", sender_data=lambda sender: replace(sender, generation=2**32 - 1))


@process.vector("RFC9420-9.1")
def next_generation(case: Case) -> None:
    """The second application message of Carol, to who has received the first."""
    epoch = case.at(bob_who_has_heard).epoch
    case.judge(say(case.forge, epoch, CAROL, DATA, Framing(PRIVATE, generation=1)))
    case.answer(application_data=DATA)


@process.vector(
    "RFC9420-9.2",
    reason=Rule.GENERATION_CONSUMED,
    like="next-generation",
    each={"application": 0, "proposal": 1},
)
def message_again(case: Case, position: int) -> None:
    """The very same bytes again: their key was deleted when it was used."""
    case.judge(case.at(bob_who_has_heard).document["messages"][position])


FILE = File(
    "framing",
    "Message framing: RFC 9420, Section 6. Group, epoch and sender; signature, tags, padding and encryption.",
    (process,),
)
