"""Vectors of RFC 9420, Sections 6.1 and 12.1.8: proposals of those who are no members."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension, ExtensionType, ExternalSender, external_senders
from e2ee.mls.framing import Sender, WireFormat
from e2ee.mls.leaf_node import LeafNodeSource
from e2ee.mls.proposal import Add, GroupContextExtensions, ProposalContent, Remove, Update
from e2ee.testing.mls_forge.clients import Client, make_client, next_leaf, sign_leaf
from e2ee.testing.mls_forge.commits import Committing, commit
from e2ee.testing.mls_forge.messages import Framing, Sent, tbs
from e2ee.testing.mls_forge.outsiders import external_commit, external_init, say_from_outside
from e2ee.testing.mls_forge.spoiling import flipped
from e2ee.vectorgen.mls_validation.groups import ALICE, CAROL, GROUP_ID
from e2ee.vectorgen.mls_validation.registry import Case, File, Flag, Judgement, operation
from e2ee.vectorgen.mls_validation.scenes import Build
from e2ee.vectorgen.mls_validation.states import (
    EXTENSION,
    REFUSED,
    bob_of_a_served_group,
    bob_of_three,
    service_key,
)

__all__ = ["FILE"]

process = operation("process")

SERVICE = Sender.external(0)


def served(
    case: Case,
    proposal: ProposalContent,
    sender: Sender = SERVICE,
    build: Build = bob_of_a_served_group,
    **framing: Any,
) -> Sent:
    """What the service sends."""
    epoch, key = case.at(build).epoch, service_key(case.scene)
    return say_from_outside(case.forge, epoch, sender, key, proposal, Framing(**framing))


def asked(case: Case, proposal: ProposalContent, signer: bytes, **framing: Any) -> Sent:
    """What a newcomer sends; ``signer`` is a public signature key."""
    epoch, sender = case.at(bob_of_three).epoch, Sender.new_member_proposal()
    return say_from_outside(case.forge, epoch, sender, signer, proposal, Framing(**framing))


def newcomer(case: Case, **options: Any) -> Client:
    return make_client(case.forge, "dave", **options)


REMOVE = Remove(ALICE)


@process.vector("RFC9420-12.1.8")
def proposal_of_the_service(case: Case) -> None:
    """The service proposes to remove Alice."""
    case.judge(served(case, REMOVE))


@process.vector("RFC9420-12.1.8")
def proposal_of_the_service_committed(case: Case) -> None:
    """Carol commits what the service has proposed."""
    proposed = served(case, REMOVE)
    case.judge(commit(case.forge, case.at(bob_of_a_served_group).epoch, CAROL, proposed), proposed)


@process.vector("RFC9420-12.1.8")
def proposal_of_a_newcomer(case: Case) -> None:
    """Dave proposes to add himself."""
    dave = newcomer(case)
    case.judge(asked(case, Add(dave.key_package), dave.signing_key.public))


@process.vector("RFC9420-12.1.8")
def proposal_of_a_newcomer_committed(case: Case) -> None:
    """Carol commits what Dave has proposed."""
    added(case, newcomer(case))


def added(case: Case, dave: Client) -> None:
    proposed = asked(case, Add(dave.key_package), dave.signing_key.public)
    epoch, how = case.at(bob_of_three).epoch, Committing(path=None)
    case.judge(commit(case.forge, epoch, CAROL, proposed, committing=how), proposed)


# ------------------------------------------------------------------------------------------------------- the service


@process.vector(
    "RFC9420-12.1.8", reason=Rule.EXTERNAL_SENDERS_MISSING, like="proposal-of-the-service"
)
def service_in_a_group_without_services(case: Case) -> None:
    """The group has no external_senders extension."""
    case.judge(served(case, REMOVE, build=bob_of_three))


@process.vector(
    "RFC9420-6.1",
    reason=Rule.EXTERNAL_SENDER_UNKNOWN,
    like="proposal-of-the-service",
    each={"one": 1, "the-largest": 2**32 - 1},
)
def sender_index_of(case: Case, sender_index: int) -> None:
    """sender_index is beyond the end of external_senders, which has one entry."""
    case.judge(served(case, REMOVE, Sender.external(sender_index)))


@process.vector("RFC9420-6.1", reason=Rule.CONTENT_SIGNATURE, like="proposal-of-the-service")
def service_signed_by_a_member(case: Case) -> None:
    """Carol's key has signed."""
    carol = case.at(bob_of_a_served_group).clients["carol"]
    case.judge(served(case, REMOVE, signer=carol.signing_key.public))


@process.vector("RFC9420-6.1", reason=Rule.CONTENT_SIGNATURE, like="proposal-of-the-service")
def service_signed_by_nobody(case: Case) -> None:
    """The signature is empty; there is no membership tag either."""
    case.judge(served(case, REMOVE, signature=lambda _: b""))


@process.vector("RFC9420-6.1", reason=Rule.CONTENT_SIGNATURE, like="proposal-of-the-service")
def service_signed_with_the_group_context(case: Case) -> None:
    """The GroupContext is under the signature, as under a member's."""
    context, key = case.at(bob_of_a_served_group).epoch.context, service_key(case.scene)
    sent = served(case, REMOVE)
    content = sent.message.body.content  # type: ignore[union-attr]  # a PublicMessage
    covered = tbs(WireFormat.PUBLIC_MESSAGE, content, context) + context.encode()
    signature = case.forge.sign(key, "FramedContentTBS", covered)
    case.judge(served(case, REMOVE, signature=lambda _: signature))


@process.vector("RFC9420-12.1", reason=Rule.WRONG_EPOCH, like="proposal-of-the-service")
def service_in_the_epoch_before(case: Case) -> None:
    """epoch is one less."""
    case.judge(served(case, REMOVE, content=lambda framed: replace(framed, epoch=framed.epoch - 1)))


@process.vector("RFC9420-6", reason=Rule.WRONG_GROUP, like="proposal-of-the-service")
def service_in_another_group(case: Case) -> None:
    """group_id is another one."""
    case.judge(
        served(case, REMOVE, content=lambda framed: replace(framed, group_id=b"another group"))
    )


@process.vector(
    "RFC9420-12.1.8",
    reason=Rule.PROPOSAL_TYPE_NOT_FOR_EXTERNAL_SENDERS,
    like="proposal-of-the-service",
)
def update_of_the_service(case: Case) -> None:
    """The service proposes an Update, of Alice's leaf and well signed by her."""
    epoch, key = case.at(bob_of_a_served_group).epoch, case.forge.key_pair().public
    unsigned = next_leaf(epoch.leaf(ALICE), key, LeafNodeSource.UPDATE)
    case.judge(served(case, Update(sign_leaf(case.forge, unsigned, GROUP_ID, ALICE))))


@process.vector(
    "RFC9420-12.1.8",
    reason=Rule.PROPOSAL_TYPE_NOT_FOR_EXTERNAL_SENDERS,
    like="proposal-of-the-service",
)
def external_init_of_the_service(case: Case) -> None:
    """The service proposes an ExternalInit."""
    content, _ = external_init(case.forge, case.at(bob_of_a_served_group).epoch)
    case.judge(served(case, content))


@process.vector(
    "RFC9420-6.1", reason=Rule.EXTERNAL_SENDER_NOT_PROPOSING, like="proposal-of-the-service"
)
def commit_of_the_service(case: Case) -> None:
    """The service sends a commit, as that of somebody who joins."""
    epoch, key = case.at(bob_of_a_served_group).epoch, service_key(case.scene)
    committing = Committing(Framing(signer=key))
    made = external_commit(case.forge, epoch, newcomer(case), sender=SERVICE, committing=committing)
    case.judge(made)


@process.vector(
    "RFC9420-12.2", reason=Rule.REMOVE_OF_COMMITTER, like="proposal-of-the-service-committed"
)
def service_removes_the_committer(case: Case) -> None:
    """Alice commits the service's proposal to remove her."""
    proposed = served(case, REMOVE)
    case.judge(commit(case.forge, case.at(bob_of_a_served_group).epoch, ALICE, proposed), proposed)


@process.vector(
    "RFC9420-12.1.7",
    reason=Rule.MEMBER_LACKS_GROUP_EXTENSION,
    like="proposal-of-the-service-committed",
)
def service_extends_the_group(case: Case) -> None:
    """Carol commits the service's proposal of a GroupContext extension that nobody supports."""
    extensions = (Extension(EXTENSION, b"in use"),)
    proposed = served(case, GroupContextExtensions(extensions))
    case.judge(commit(case.forge, case.at(bob_of_a_served_group).epoch, CAROL, proposed), proposed)


@process.vector("RFC9420-5.3.1")
def new_service(case: Case) -> None:
    """Carol commits external_senders with a credential that the application accepts."""
    new_senders(case, Credential.basic(b"service"))


@process.vector(
    "RFC9420-5.3.1",
    reason=Judgement.CREDENTIAL_REFUSED,
    like="new-service",
    flags=(Flag.APPLICATION_POLICY,),
)
def new_service_that_the_application_refuses(case: Case) -> None:
    """Carol commits external_senders in which the identity of the one sender is "mallory"."""
    new_senders(case, REFUSED)


def new_senders(case: Case, credential: Credential) -> None:
    senders = (ExternalSender(service_key(case.scene), credential),)
    extension = Extension(ExtensionType.EXTERNAL_SENDERS, external_senders.encode(senders))
    epoch = case.at(bob_of_three).epoch
    case.judge(commit(case.forge, epoch, CAROL, GroupContextExtensions((extension,))))


# ---------------------------------------------------------------------------------------------------------- newcomers


@process.vector(
    "RFC9420-6.1", reason=Rule.NEW_MEMBER_PROPOSAL_NOT_AN_ADD, like="proposal-of-a-newcomer"
)
def remove_of_a_newcomer(case: Case) -> None:
    """Dave proposes to remove Alice."""
    case.judge(asked(case, REMOVE, newcomer(case).signing_key.public))


@process.vector(
    "RFC9420-6.1", reason=Rule.NEW_MEMBER_PROPOSAL_NOT_AN_ADD, like="proposal-of-a-newcomer"
)
def commit_of_a_proposing_newcomer(case: Case) -> None:
    """Dave commits as new_member_proposal what he should commit as new_member_commit."""
    epoch, sender = case.at(bob_of_three).epoch, Sender.new_member_proposal()
    case.judge(external_commit(case.forge, epoch, newcomer(case), sender=sender))


@process.vector("RFC9420-6.1", reason=Rule.CONTENT_SIGNATURE, like="proposal-of-a-newcomer")
def newcomer_signed_by_another(case: Case) -> None:
    """The proposal to add Dave is signed by another newcomer's key."""
    other = case.forge.fork(b"other").signing_key().public
    case.judge(asked(case, Add(newcomer(case).key_package), other))


@process.vector("RFC9420-12.1", reason=Rule.WRONG_EPOCH, like="proposal-of-a-newcomer")
def newcomer_in_the_epoch_before(case: Case) -> None:
    """epoch is one less."""
    dave = newcomer(case)
    case.judge(
        asked(
            case,
            Add(dave.key_package),
            dave.signing_key.public,
            content=lambda framed: replace(framed, epoch=framed.epoch - 1),
        )
    )


@process.vector(
    "RFC9420-10.1", reason=Rule.KEY_PACKAGE_SIGNATURE, like="proposal-of-a-newcomer-committed"
)
def newcomer_with_a_bad_key_package(case: Case) -> None:
    """The KeyPackage of the Add that Carol commits has a flipped bit in its signature."""
    added(
        case,
        newcomer(case, signed=lambda made: replace(made, signature=flipped(made.signature, -1))),
    )


@process.vector(
    "RFC9420-12.2", reason=Rule.CLIENT_ALREADY_IN_GROUP, like="proposal-of-a-newcomer-committed"
)
def newcomer_who_is_a_member(case: Case) -> None:
    """Alice's client proposes to add itself, and Carol commits that."""
    alice = case.at(bob_of_three).clients["alice"]
    added(case, newcomer(case, signing_key=alice.signing_key))


FILE = File(
    "external-proposals",
    "External proposals: RFC 9420, Sections 6.1 and 12.1.8. Of external senders and of newcomers.",
    (process,),
)
