"""What comes from outside of the group: proposals of external senders and of newcomers, and external commits."""

from __future__ import annotations

from e2ee.crypto.secret import Secret
from e2ee.mls.commit import Commit
from e2ee.mls.framing import Sender
from e2ee.mls.key_schedule import external_key_pair
from e2ee.mls.proposal import ExternalInit, Proposal, ProposalContent, Remove, make_proposal_ref
from e2ee.testing.mls_forge.clients import Client
from e2ee.testing.mls_forge.commits import (
    EXTERNAL_INIT_LABEL,
    Committed,
    Committer,
    Committing,
    Item,
    apply,
    commit_as,
)
from e2ee.testing.mls_forge.epochs import Epoch
from e2ee.testing.mls_forge.forge import Forge
from e2ee.testing.mls_forge.messages import Framing, Sent, frame, wrap

__all__ = ["external_commit", "external_init", "say_from_outside"]


def external_init(forge: Forge, epoch: Epoch) -> tuple[ExternalInit, Secret]:
    """RFC 9420 Section 8.3: the proposal, and the init_secret that it stands for."""
    suite = epoch.suite
    external_pub = external_key_pair(suite, epoch.secrets.external_secret).public
    kem_output, secret = suite.hpke.send_export(
        external_pub, b"", EXTERNAL_INIT_LABEL, suite.kdf.Nh, forge.entropy
    )
    return ExternalInit(kem_output), Secret(secret)


def external_commit(
    forge: Forge,
    epoch: Epoch,
    joiner: Client,
    *items: Item,
    init_secret: Secret | None = None,
    sender: Sender | None = None,
    committing: Committing | None = None,
) -> Committed:
    """RFC 9420 Section 12.4.3.2: the joiner takes the leftmost leaf that is free after the proposals.

    An ExternalInit comes first, unless ``items`` have their own, with its ``init_secret``.
    """
    if init_secret is None:
        own, init_secret = external_init(forge, epoch)
        items = (own, *items)
    leaf_node = joiner.leaf_node
    _, leaf_index = apply(epoch, epoch.tree.leaf_count, items).tree.add(leaf_node)
    who = Committer(
        sender or Sender.new_member_commit(),
        leaf_index,
        leaf_node,
        leaf_node.signature_key,
        init_secret,
        joins=True,
    )
    return commit_as(forge, epoch, who, items, committing or Committing())


def say_from_outside(
    forge: Forge,
    epoch: Epoch,
    sender: Sender,
    signer: bytes,
    content: ProposalContent | Proposal | Commit | bytes,
    framing: Framing | None = None,
) -> Sent:
    """What somebody who is no member sends; ``signer`` is its public signature key."""
    framing = framing or Framing()
    said = content if isinstance(content, bytes | Proposal | Commit) else Proposal(content)
    signed = frame(forge, epoch, sender, said, signer, framing)
    reference = make_proposal_ref(epoch.suite, signed.encode())
    message = wrap(forge, epoch, signed, framing)
    proposal = said if isinstance(said, Proposal) else Proposal(Remove(0))
    return Sent(proposal, None, reference, message)
