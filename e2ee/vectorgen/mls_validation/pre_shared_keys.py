"""Vectors of RFC 9420, Sections 8.4 and 12.1.4: pre-shared keys in commits and in Welcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule
from e2ee.mls.group_secrets import GroupSecrets
from e2ee.mls.proposal import Add, PreSharedKey
from e2ee.mls.psk import PskName, ResumptionPSK, ResumptionPSKUsage
from e2ee.testing.mls_forge.clients import make_client
from e2ee.testing.mls_forge.commits import Committing, commit
from e2ee.testing.mls_forge.epochs import create_group
from e2ee.testing.mls_forge.forge import Forge
from e2ee.testing.mls_forge.welcomes import Welcoming, welcome
from e2ee.vectorgen.mls_validation.groups import ALICE, BOB, GROUP_ID
from e2ee.vectorgen.mls_validation.registry import Case, File, Flag, operation
from e2ee.vectorgen.mls_validation.states import KEYS, bob_with_keys, dave_with_keys, psk

__all__ = ["FILE"]

process, joining, committing = operation("process"), operation("join"), operation("commit")


def resumption(
    epoch: int,
    usage: ResumptionPSKUsage = ResumptionPSKUsage.APPLICATION,
    group_id: bytes = GROUP_ID,
) -> ResumptionPSK:
    return ResumptionPSK(usage, group_id, epoch)


Proposals = Callable[..., Sequence[PreSharedKey]]
"""A forge, and with ``each`` a value, become what is proposed."""


def received(case: Case, make: Proposals, psks: Mapping[PskName, Secret] = KEYS) -> None:
    """Alice commits, who knows ``psks`` and the resumption PSKs of the group."""
    state = case.at(bob_with_keys)
    epochs = {1: state.first.secrets.resumption_psk, 2: state.epoch.secrets.resumption_psk}
    known: dict[PskName, Secret] = {
        resumption(epoch, usage): key
        for epoch, key in epochs.items()
        for usage in ResumptionPSKUsage
    }
    how = Committing(path=None, psks={**psks, **known})
    case.judge(commit(case.forge, state.epoch, ALICE, *make(case.forge), committing=how))


def asked(case: Case, make: Proposals) -> None:
    """Bob is to commit them."""
    case.at(bob_with_keys)
    case.ask(*make(case.forge))


def proposals(
    *sections: str,
    reason: Rule | None = None,
    like: str | None = None,
    each: Mapping[str, Any] | None = None,
) -> Callable[[Proposals], Proposals]:
    """Make PreSharedKey proposals a case of a commit that is received, and of one that Bob is asked for."""

    def register(make: Proposals) -> Proposals:
        stem = make.__name__.replace("_", "-")
        kind: dict[str, Any] = {"reason": reason, "comment": make.__doc__}
        for key, value in ({"": None} if each is None else each).items():
            name, keys = (f"{stem}-{key}", partial(make, value)) if key else (stem, make)
            process.add(name, sections, received, keys, like=like, **kind)
            alike = like and f"asked-{like}"
            committing.add(f"asked-{name}", sections, asked, keys, like=alike, **kind)
        return make

    return register


@proposals("RFC9420-8.4")
def one_key(forge: Forge) -> Sequence[PreSharedKey]:
    """An external PSK that both have."""
    return (psk(forge, b"first"),)


@proposals("RFC9420-8.4")
def two_keys(forge: Forge) -> Sequence[PreSharedKey]:
    """Two external PSKs that both have."""
    return (psk(forge, b"first"), psk(forge, b"second"))


@proposals("RFC9420-8.4")
def one_key_with_two_nonces(forge: Forge) -> Sequence[PreSharedKey]:
    """One external PSK under two nonces: not the same PreSharedKeyID."""
    return (psk(forge, b"first"), psk(forge, b"first"))


@proposals("RFC9420-8.6")
def resumption_key_of_this_epoch(forge: Forge) -> Sequence[PreSharedKey]:
    """The resumption PSK of the present epoch, for usage application."""
    return (psk(forge, resumption(2)),)


@proposals("RFC9420-8.6")
def resumption_key_of_the_epoch_before(forge: Forge) -> Sequence[PreSharedKey]:
    """The resumption PSK of the epoch before, in which Bob was, too."""
    return (psk(forge, resumption(1)),)


@proposals("RFC9420-12.4.2", reason=Rule.PSK_UNKNOWN, like="one-key")
def key_that_bob_does_not_have(forge: Forge) -> Sequence[PreSharedKey]:
    """An external PSK of an unknown psk_id; Alice has computed as if it were empty."""
    return (psk(forge, b"third"),)


@proposals("RFC9420-12.4.2", reason=Rule.PSK_UNKNOWN, like="two-keys")
def one_key_and_one_that_bob_does_not_have(forge: Forge) -> Sequence[PreSharedKey]:
    """The second of two PSKs is unknown."""
    return (psk(forge, b"first"), psk(forge, b"third"))


@proposals("RFC9420-12.4.2", reason=Rule.PSK_UNKNOWN, like="resumption-key-of-the-epoch-before")
def resumption_key_from_before_bob_came(forge: Forge) -> Sequence[PreSharedKey]:
    """The resumption PSK of epoch 0, in which Alice was alone."""
    return (psk(forge, resumption(0)),)


@proposals("RFC9420-12.4.2", reason=Rule.PSK_UNKNOWN, like="resumption-key-of-this-epoch")
def resumption_key_of_another_group(forge: Forge) -> Sequence[PreSharedKey]:
    """The resumption PSK of an epoch of a group that Bob is not in."""
    return (psk(forge, resumption(2, group_id=b"another group")),)


@proposals(
    "RFC9420-12.1.4",
    reason=Rule.PSK_NONCE_LENGTH,
    like="one-key",
    each={"a-byte-less": -1, "a-byte-more": 1},
)
def nonce_of(difference: int, forge: Forge) -> Sequence[PreSharedKey]:
    """psk_nonce has not the length Nh."""
    return (psk(forge, b"first", forge.suite.kdf.Nh + difference),)


@proposals("RFC9420-12.1.4", reason=Rule.PSK_NONCE_LENGTH, like="one-key")
def nonce_of_nothing(forge: Forge) -> Sequence[PreSharedKey]:
    """psk_nonce is empty."""
    return (psk(forge, b"first", 0),)


@proposals("RFC9420-12.2", reason=Rule.PSK_TWICE, like="one-key-with-two-nonces")
def key_twice(forge: Forge) -> Sequence[PreSharedKey]:
    """The same PreSharedKeyID, nonce and all, twice."""
    return (psk(forge, b"first"),) * 2


@proposals(
    "RFC9420-11.2", "RFC9420-12.1.4", reason=Rule.PSK_USAGE, like="resumption-key-of-this-epoch"
)
def resumption_key_for_reinit(forge: Forge) -> Sequence[PreSharedKey]:
    """The resumption PSK of the present epoch, for usage reinit, in a commit that reinitializes nothing."""
    return (psk(forge, resumption(2, ResumptionPSKUsage.REINIT)),)


@proposals(
    "RFC9420-11.3", "RFC9420-12.1.4", reason=Rule.PSK_USAGE, like="resumption-key-of-this-epoch"
)
def resumption_key_for_branch(forge: Forge) -> Sequence[PreSharedKey]:
    """The resumption PSK of the present epoch, for usage branch, in a commit that does not begin a subgroup."""
    return (psk(forge, resumption(2, ResumptionPSKUsage.BRANCH)),)


@process.vector("RFC9420-8.4", reason=Rule.CONFIRMATION_TAG, like="one-key")
def key_that_is_another_for_alice(case: Case) -> None:
    """Alice has another key under this psk_id."""
    received(case, one_key, {b"first": Secret(b"another key")})


@process.vector("RFC9420-8.4", reason=Rule.CONFIRMATION_TAG, like="two-keys")
def keys_in_another_order(case: Case) -> None:
    """Alice has computed with the two keys exchanged."""
    received(case, two_keys, dict(zip(KEYS, reversed(KEYS.values()), strict=True)))


# -------------------------------------------------------------------------------------------------------- Welcomes


def invited(case: Case, make: Proposals, welcoming: Welcoming | None = None) -> None:
    """Alice creates a group and adds Dave with these PSKs."""
    forge, dave = case.forge, case.at(dave_with_keys).client
    created = create_group(forge, make_client(forge, "alice"), GROUP_ID)
    how = Committing(path=None, psks=KEYS)
    made = commit(forge, created, ALICE, Add(dave.key_package), *make(forge), committing=how)
    case.welcome(made, welcome(forge, made, dave, BOB, welcoming))


@joining.vector("RFC9420-8.4", each={"no": lambda _: (), "one": one_key, "two": two_keys})
def welcome_with(case: Case, make: Proposals) -> None:
    """No PSK, one or two, which Dave has."""
    invited(case, make)


@joining.vector(
    "RFC9420-12.4.3.1",
    reason=Rule.PSK_UNKNOWN,
    like="welcome-with-one",
    each={
        "does-not-have": key_that_bob_does_not_have,
        "cannot-have": resumption_key_of_another_group,
    },
)
def welcome_with_a_key_that_dave(case: Case, make: Proposals) -> None:
    """A PSK that Dave has not; Alice has computed as if it were empty."""
    invited(case, make)


@joining.vector(
    "RFC9420-8.4",
    reason=Rule.PSK_NONCE_LENGTH,
    like="welcome-with-one",
    flags=(Flag.STRICTER,),
)
def welcome_with_a_nonce_of_nothing(case: Case) -> None:
    """psk_nonce is empty."""
    invited(case, nonce_of_nothing)


def told(change: Callable[[GroupSecrets], GroupSecrets]) -> Welcoming:
    return Welcoming(group_secrets=change)


@joining.vector("RFC9420-8.4", reason=Rule.GROUP_INFO_NOT_AUTHENTIC, like="welcome-with-two")
def welcome_with_keys_in_another_order(case: Case) -> None:
    """GroupSecrets name the keys in another order than the commit."""
    invited(case, two_keys, told(lambda secrets: replace(secrets, psks=secrets.psks[::-1])))


@joining.vector("RFC9420-8.4", reason=Rule.GROUP_INFO_NOT_AUTHENTIC, like="welcome-with-two")
def welcome_with_a_key_that_is_not_named(case: Case) -> None:
    """GroupSecrets name only the first key of the commit."""
    invited(case, two_keys, told(lambda secrets: replace(secrets, psks=secrets.psks[:1])))


FILE = File(
    "pre-shared-keys",
    "Pre-shared keys: RFC 9420, Sections 8.4, 8.6 and 12.1.4. In commits of others and of this member, and in Welcomes.",
    (process, committing, joining),
)
