"""States after a ReInit (RFC 9420, Section 11.2), and the groups that can follow an old one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from e2ee.crypto.cipher_suite import CIPHER_SUITES
from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.credential import CredentialType
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.group_context import ProtocolVersion
from e2ee.mls.proposal import Add, PreSharedKey, ReInit
from e2ee.mls.psk import ResumptionPSK, ResumptionPSKUsage
from e2ee.testing.mls_forge.clients import Client
from e2ee.testing.mls_forge.commits import Committed, Committing, commit
from e2ee.testing.mls_forge.epochs import Epoch, create_group
from e2ee.testing.mls_forge.forge import Forge
from e2ee.testing.mls_forge.welcomes import welcome
from e2ee.vectorgen.mls_validation.groups import (
    ALICE,
    BOB,
    GROUP_ID,
    assemble,
    keys_of,
    member,
    people,
)
from e2ee.vectorgen.mls_validation.scenes import Scene, State, state
from e2ee.vectorgen.mls_validation.states import NEXT, THREE, TWO, other_suite, psk

__all__ = [
    "BASIC_REQUIRED",
    "bob_after_a_reinit",
    "bob_after_a_reinit_of_another_suite",
    "bob_of_three_after_a_reinit",
    "elsewhere",
    "successor",
]

BASIC_REQUIRED = Extension(
    ExtensionType.REQUIRED_CAPABILITIES,
    RequiredCapabilities((), (), (CredentialType.BASIC,)).encode(),
)
"""A GroupContext extension that everybody supports, and that asks for what everybody has."""


def elsewhere(forge: Forge) -> Forge:
    """The same randomness in the other cipher suite."""
    return Forge(CIPHER_SUITES[other_suite(forge.suite.code_point)], forge.entropy)


def successor(
    forge: Forge,
    old: Epoch,
    usage: ResumptionPSKUsage,
    *,
    group_id: bytes,
    members: Sequence[str] = TWO,
    extensions: tuple[Extension, ...] = (),
    psks: Sequence[PreSharedKey] | None = None,
    later: bool = False,
) -> tuple[Client, Committed]:
    """Alice creates a group and adds the others by a commit with these PSKs; if none are given, with ``old``'s.

    ``later``: in epoch 1, so that the group's epoch 2 is their first. The client is Bob's.
    """
    clients = people(forge, *members)
    epoch = create_group(forge, clients["alice"], group_id, extensions)
    if later:
        epoch = commit(forge, epoch, ALICE).epoch
    if psks is None:
        psks = (psk(forge, ResumptionPSK(usage, GROUP_ID, old.context.epoch)),)
    known = {one.psk.psk: old.secrets.resumption_psk for one in psks}
    adds = (Add(client.key_package) for name, client in clients.items() if name != "alice")
    how = Committing(path=None, psks=known)
    return clients["bob"], commit(forge, epoch, ALICE, *psks, *adds, committing=how)


def ended(forge: Forge, suite: int, members: Sequence[str] = TWO) -> State:
    """Alice commits a ReInit of this suite; afterwards Bob joins the good successor."""
    group = assemble(forge, people(forge, *members))
    reinit = ReInit(NEXT, ProtocolVersion.MLS10, suite, (BASIC_REQUIRED,))
    last = commit(forge, group.epoch, ALICE, reinit, committing=Committing(path=None))
    there = forge if suite == forge.suite.code_point else elsewhere(forge)
    how: dict[str, Any] = {"extensions": (BASIC_REQUIRED,), "members": members}
    bob, made = successor(there, last.epoch, ResumptionPSKUsage.REINIT, group_id=NEXT, **how)
    then = {
        **keys_of(bob),
        "welcome": welcome(there, made, bob, BOB).encode(),
        "ratchet_tree": None,
        "epoch_authenticator": made.epoch.secrets.epoch_authenticator,
    }
    return member(forge, group, "bob", last, then=[then])


@state
def bob_after_a_reinit(_: Scene, forge: Forge) -> State:
    """The group of the two has ended with a ReInit of the same cipher suite, another group_id and an extension."""
    return ended(forge, forge.suite.code_point)


@state
def bob_of_three_after_a_reinit(_: Scene, forge: Forge) -> State:
    """The group of the three has ended in the same way."""
    return ended(forge, forge.suite.code_point, THREE)


@state
def bob_after_a_reinit_of_another_suite(_: Scene, forge: Forge) -> State:
    """The group of the two has ended with a ReInit of cipher suite 0x0001, or 0x0003 where that is the old one's."""
    return ended(forge, other_suite(forge.suite.code_point))
