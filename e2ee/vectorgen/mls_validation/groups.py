"""Groups and clients that states and cases begin with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from e2ee.crypto.secret import Secret
from e2ee.mls.extension import Extension
from e2ee.mls.leaf_node import LeafNode
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add
from e2ee.mls.psk import PskName
from e2ee.testing.mls_forge.clients import Client, make_client
from e2ee.testing.mls_forge.commits import Committed, Committing, commit
from e2ee.testing.mls_forge.epochs import Epoch, create_group
from e2ee.testing.mls_forge.forge import Change, Forge, same
from e2ee.testing.mls_forge.messages import PRIVATE, Framing, say
from e2ee.testing.mls_forge.paths import Path
from e2ee.testing.mls_forge.welcomes import welcome
from e2ee.vectorgen.mls_validation.scenes import State

__all__ = [
    "ALICE",
    "BOB",
    "CAROL",
    "DAVE",
    "GROUP_ID",
    "Assembled",
    "assemble",
    "follow_up",
    "founded",
    "joiner",
    "keys_of",
    "member",
    "people",
    "stranger",
]

ALICE, BOB, CAROL, DAVE = range(4)
"""Leaf indices, in the order in which the members came."""

GROUP_ID = b"the group"

Psks = Mapping[PskName, Secret]
Then = list[dict[str, Any]]


def people(
    forge: Forge, *names: str, leaf: Change[LeafNode] = same, **own: Change[LeafNode]
) -> dict[str, Client]:
    """Clients by name; ``leaf`` changes all of their leaves, ``own`` that of the named one besides."""

    def changed(name: str) -> Change[LeafNode]:
        return lambda unsigned: own.get(name, same)(leaf(unsigned))

    return {name: make_client(forge, name, leaf=changed(name)) for name in names}


@dataclass(frozen=True, slots=True)
class Assembled:
    """A group whose first member has added all others by one commit."""

    clients: Mapping[str, Client]
    committed: Committed

    @property
    def epoch(self) -> Epoch:
        """Epoch 1."""
        return self.committed.epoch

    def leaf_index(self, name: str) -> int:
        """Where the member was put."""
        return [*self.clients].index(name)


def assemble(
    forge: Forge,
    clients: Mapping[str, Client],
    *,
    group_id: bytes = GROUP_ID,
    extensions: tuple[Extension, ...] = (),
    path: Path | None = None,
) -> Assembled:
    """The first of ``clients`` creates the group and adds the others by a commit with a path."""
    creator, *others = clients.values()
    created = create_group(forge, creator, group_id, extensions)
    adds = (Add(other.key_package) for other in others)
    committing = Committing(path=path or Path())
    return Assembled(clients, commit(forge, created, ALICE, *adds, committing=committing))


def founded(
    forge: Forge,
    creator: Client,
    newcomer: Client,
    *,
    group_id: bytes = GROUP_ID,
    extensions: tuple[Extension, ...] = (),
    committing: Committing | None = None,
) -> Committed:
    """``creator`` creates a group and adds ``newcomer``, without a path if nothing else is said."""
    created = create_group(forge, creator, group_id, extensions)
    how = committing or Committing(path=None)
    return commit(forge, created, ALICE, Add(newcomer.key_package), committing=how)


def keys_of(client: Client) -> dict[str, Any]:
    """A KeyPackage and its private keys, under the names of the passive-client vectors."""
    return {
        "key_package": MLSMessage.of(client.key_package).encode(),
        "init_priv": client.init.private,
        "encryption_priv": client.encryption.private,
        "signature_priv": client.signing_key.private,
    }


def member(
    forge: Forge,
    assembled: Assembled,
    name: str,
    *later: Committed | MLSMessage,
    psks: Psks | None = None,
    then: Then | None = None,
) -> State:
    """The member whom the first commit added, after it has received ``later``, in the epoch of the last of these."""
    client, leaf_index = assembled.clients[name], assembled.leaf_index(name)
    epochs = [assembled.epoch, *(one.epoch for one in later if isinstance(one, Committed))]
    messages = (one.message if isinstance(one, Committed) else one for one in later)
    if then is None:
        then = follow_up(forge, epochs[-1], _speaker(epochs[-1], leaf_index))
    document = {
        **keys_of(client),
        "external_psks": _external_psks(psks),
        "welcome": welcome(forge, assembled.committed, client, leaf_index).encode(),
        "ratchet_tree": None,
        "messages": [message.encode() for message in messages],
        "epoch_authenticator": epochs[-1].secrets.epoch_authenticator,
        "then": then,
    }
    return State(client, epochs[-1], assembled.epoch, assembled.clients, document)


def joiner(forge: Forge, client: Client, committed: Committed, psks: Psks | None = None) -> State:
    """A client in no group, which afterwards joins as leaf 1 of the group that Alice founded."""
    then = {
        "welcome": welcome(forge, committed, client, BOB).encode(),
        "ratchet_tree": None,
        "epoch_authenticator": committed.epoch.secrets.epoch_authenticator,
    }
    return stranger(client, committed.epoch, then, psks)


def stranger(client: Client, epoch: Epoch, then: dict[str, Any], psks: Psks | None = None) -> State:
    """Dave, in no group, who afterwards joins the one of ``epoch``, by what ``then`` says."""
    document = {
        **keys_of(client),
        "external_psks": _external_psks(psks),
        "welcome": None,
        "ratchet_tree": None,
        "messages": [],
        "epoch_authenticator": None,
        "then": [then],
    }
    return State(client, epoch, epoch, {"dave": client}, document)


def follow_up(forge: Forge, epoch: Epoch, sender: int, generation: int = 0) -> Then:
    """What must still be accepted: application data with the next unused key, then a commit in a PrivateMessage."""
    data, framing = b"still here", Framing(PRIVATE, generation=generation)
    told = say(forge, epoch, sender, data, framing)
    committed = commit(forge, epoch, sender, committing=Committing(framing))
    return [
        {"message": told.encode(), "application_data": data},
        {
            "message": committed.message.encode(),
            "epoch_authenticator": committed.epoch.secrets.epoch_authenticator,
        },
    ]


def _speaker(epoch: Epoch, listener: int) -> int:
    """The rightmost member beside the listener: its path is the shortest."""
    return max(leaf_index for leaf_index, _ in epoch.tree.members() if leaf_index != listener)


def _external_psks(psks: Psks | None) -> list[dict[str, bytes]]:
    return [
        {"psk_id": name, "psk": psk}
        for name, psk in (psks or {}).items()
        if isinstance(name, bytes)
    ]
