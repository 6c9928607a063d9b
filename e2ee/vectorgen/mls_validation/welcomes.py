"""Vectors of RFC 9420, Sections 12.4.3 and 12.4.3.1: Welcomes, and the GroupSecrets and GroupInfos in them.

``joined_groups`` goes on with the groups that they lead to; the trees have a file of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.group_secrets import GroupSecrets, PathSecret
from e2ee.mls.welcome import EncryptedGroupSecrets, Welcome
from e2ee.testing.mls_forge.clients import Client, make_client
from e2ee.testing.mls_forge.commits import Committed, Committing
from e2ee.testing.mls_forge.forge import Forge
from e2ee.testing.mls_forge.spoiling import flipped
from e2ee.testing.mls_forge.welcomes import Welcoming, welcome
from e2ee.vectorgen.mls_validation.groups import BOB, founded
from e2ee.vectorgen.mls_validation.registry import Case, Flag, operation
from e2ee.vectorgen.mls_validation.states import (
    dave,
    other_suite,
)

__all__ = ["adding", "joining"]

joining = operation("join")


def adding(forge: Forge, newcomer: Client, *, path: bool = False, **how: Any) -> Committed:
    """Alice creates a group and adds the newcomer."""
    committing = Committing() if path else None
    return founded(forge, make_client(forge, "alice"), newcomer, committing=committing, **how)


def invited(case: Case, *, path: bool = True, **changes: Any) -> None:
    """Alice adds Dave to a new group, and welcomes him with these changes."""
    client = case.at(dave).client
    made = adding(case.forge, client, path=path)
    case.welcome(made, welcome(case.forge, made, client, BOB, Welcoming(**changes)))


@joining.vector("RFC9420-12.4.3.1")
def well_made(case: Case) -> None:
    """The Welcome of a commit with a path."""
    invited(case)


@joining.vector("RFC9420-12.4.3.1")
def of_a_commit_without_a_path(case: Case) -> None:
    """The Welcome of a commit without a path, and so without a path secret."""
    invited(case, path=False)


# ------------------------------------------------------------------------------------------------------ the Welcome


def welcoming(change: Callable[[Welcome], Welcome]) -> dict[str, Any]:
    return {"welcome": change}


@joining.vector("RFC9420-12.4.3.1")
def for_another_client_too(case: Case) -> None:
    """The first entry of secrets is for another client: its reference and ciphertext are random."""
    other = case.forge.fork(b"other").entropy

    def changed(made: Welcome) -> Welcome:
        (entry,) = made.secrets
        sealed = entry.encrypted_group_secrets
        random = EncryptedGroupSecrets(
            other.random(len(entry.new_member)),
            replace(sealed, ciphertext=other.random(len(sealed.ciphertext))),
        )
        return replace(made, secrets=(random, entry))

    invited(case, **welcoming(changed))


@joining.vector("RFC9420-12.4.3.1", reason=Rule.WELCOME_NOT_FOR_THIS_KEY_PACKAGE, like="well-made")
def for_nobody(case: Case) -> None:
    """secrets has no entry."""
    invited(case, **welcoming(lambda made: replace(made, secrets=())))


@joining.vector("RFC9420-12.4.3.1", reason=Rule.WELCOME_NOT_FOR_THIS_KEY_PACKAGE, like="well-made")
def for_another_key_package(case: Case) -> None:
    """new_member of the only entry is another KeyPackageRef; what is sealed is for Dave."""

    def changed(made: Welcome) -> Welcome:
        (entry,) = made.secrets
        return replace(made, secrets=(replace(entry, new_member=flipped(entry.new_member, 0)),))

    invited(case, **welcoming(changed))


@joining.vector("RFC9420-12.4.3.1", reason=Rule.WELCOME_CIPHER_SUITE, like="well-made")
def of_another_cipher_suite(case: Case) -> None:
    """cipher_suite of the Welcome is 0x0001, or 0x0003 where that is the KeyPackage's; all else is of the KeyPackage's."""
    other = other_suite(case.forge.suite.code_point)
    invited(case, **welcoming(lambda made: replace(made, cipher_suite=other)))


@joining.vector("RFC9420-12.4.3.1", reason=Rule.WELCOME_NOT_AUTHENTIC, like="well-made")
def sealed_to_another_key(case: Case) -> None:
    """The GroupSecrets under Dave's KeyPackageRef are sealed to somebody else's init_key."""
    other = make_client(case.forge.fork(b"other"), "other")
    invited(case, sealed_to=other)


@joining.vector("RFC9420-12.4.3.1", reason=Rule.WELCOME_NOT_AUTHENTIC, like="well-made")
def with_a_changed_group_info(case: Case) -> None:
    """A bit of encrypted_group_info was flipped on the way: it is the context of the sealed GroupSecrets."""

    def changed(made: Welcome) -> Welcome:
        return replace(made, encrypted_group_info=flipped(made.encrypted_group_info, 0))

    invited(case, **welcoming(changed))


@joining.vector("RFC9420-12.4.3.1", reason=Rule.WELCOME_NOT_AUTHENTIC, like="well-made")
def with_changed_group_secrets(case: Case) -> None:
    """A bit of the sealed GroupSecrets was flipped on the way."""

    def changed(made: Welcome) -> Welcome:
        (entry,) = made.secrets
        sealed = entry.encrypted_group_secrets
        spoilt = replace(sealed, ciphertext=flipped(sealed.ciphertext, -1))
        return replace(made, secrets=(replace(entry, encrypted_group_secrets=spoilt),))

    invited(case, **welcoming(changed))


@joining.vector("RFC9420-12.4.3.1", reason=Rule.GROUP_INFO_NOT_AUTHENTIC, like="well-made")
def with_a_group_info_that_does_not_open(case: Case) -> None:
    """The committer flipped a bit of encrypted_group_info before it sealed the GroupSecrets."""
    invited(case, encrypted_group_info=lambda sealed: flipped(sealed, -1))


# ---------------------------------------------------------------------------------------------------- GroupSecrets


def secrets(case: Case, change: Callable[[GroupSecrets], GroupSecrets]) -> None:
    invited(case, group_secrets=change)


@joining.vector("RFC9420-12.4.3.1", reason=Rule.GROUP_INFO_NOT_AUTHENTIC, like="well-made")
def with_another_joiner_secret(case: Case) -> None:
    """joiner_secret is not the one of the epoch."""
    secrets(
        case, lambda sealed: replace(sealed, joiner_secret=Secret(bytes(len(sealed.joiner_secret))))
    )


PATH_SECRETS: dict[str, Callable[[Secret], Secret]] = {
    "another": lambda secret: Secret(bytes(len(secret))),
    "cut": lambda secret: Secret(secret[:-1]),
    "empty": lambda _: Secret(b""),
}


@joining.vector(
    "RFC9420-12.4.3.1", reason=Rule.PATH_SECRET_WRONG_KEY, like="well-made", each=PATH_SECRETS
)
def with_a_path_secret_that_is(case: Case, change: Callable[[Secret], Secret]) -> None:
    """path_secret does not give the key of the lowest common ancestor."""

    def changed(sealed: GroupSecrets) -> GroupSecrets:
        known = sealed.path_secret.path_secret if sealed.path_secret else Secret(b"")
        return replace(sealed, path_secret=PathSecret(change(known)))

    secrets(case, changed)


@joining.vector(
    "RFC9420-12.4.3.1",
    reason=Rule.PATH_SECRET_WRONG_KEY,
    like="of-a-commit-without-a-path",
)
def with_a_path_secret_of_no_path(case: Case) -> None:
    """There is a path_secret, and the lowest common ancestor is blank, since the commit had no path."""
    secret = PathSecret(Secret(bytes(case.forge.suite.kdf.Nh)))
    invited(case, path=False, group_secrets=lambda sealed: replace(sealed, path_secret=secret))


@joining.vector(
    "RFC9420-12.4.3.1",
    reason=Rule.PATH_SECRET_MISSING,
    like="well-made",
    flags=(Flag.STRICTER,),
)
def without_a_path_secret(case: Case) -> None:
    """There is no path_secret, though the commit had a path: Dave would never learn the key of the root."""
    secrets(case, lambda sealed: replace(sealed, path_secret=None))


# ------------------------------------------------------------------------------------------------------- GroupInfo


def info(case: Case, change: Callable[[GroupInfo], GroupInfo]) -> None:
    """The GroupInfo is changed, and signed."""
    invited(case, group_info=change)


@joining.vector("RFC9420-12.4.3")
def extension_that_nobody_knows(case: Case) -> None:
    """GroupInfo.extensions has one of type 0x0a0a: "unknown extensions in GroupInfo.extensions MUST be ignored"."""
    grease = Extension(0x0A0A, b"grease")
    info(case, lambda made: replace(made, extensions=(grease, *made.extensions)))


@joining.vector(
    "RFC9420-12.4.3",
    reason=Rule.GROUP_INFO_SIGNATURE,
    like="well-made",
    each={"empty": 0, "zero": 1},
)
def signature_that_is(case: Case, length: int) -> None:
    """The GroupInfo's signature."""
    invited(
        case,
        signed_group_info=lambda made: replace(made, signature=bytes(length * len(made.signature))),
    )


@joining.vector("RFC9420-12.4.3", reason=Rule.GROUP_INFO_SIGNATURE, like="well-made")
def signature_by_another_member(case: Case) -> None:
    """signer is Alice, and Dave's own key has signed."""
    invited(case, signer=case.at(dave).client.signing_key.public)


@joining.vector("RFC9420-12.4.3", reason=Rule.GROUP_INFO_SIGNATURE, like="well-made")
def signer_who_is_another_member(case: Case) -> None:
    """signer is leaf 1, Dave, and Alice has signed."""
    info(case, lambda made: replace(made, signer=1))


@joining.vector("RFC9420-12.4.3", reason=Rule.GROUP_INFO_SIGNATURE, like="well-made")
def changed_after_signing(case: Case) -> None:
    """An extension was added after the signature."""
    grease = Extension(0x0A0A, b"grease")
    invited(
        case,
        signed_group_info=lambda made: replace(made, extensions=(grease, *made.extensions)),
    )


@joining.vector(
    "RFC9420-12.4.3.1",
    reason=Rule.GROUP_INFO_SIGNER_BLANK,
    like="well-made",
    each={"outside-of-the-tree": 2, "the-largest": 2**32 - 1},
)
def signer_that_is(case: Case, leaf_index: int) -> None:
    """signer names nobody; Alice has signed."""
    info(case, lambda made: replace(made, signer=leaf_index))


@joining.vector("RFC9420-12.4.3.3", reason=Rule.RATCHET_TREE_MISSING, like="well-made")
def no_tree(case: Case) -> None:
    """The tree is neither in the GroupInfo nor comes with it."""
    invited(case, ratchet_tree=False)


TAGS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda tag: tag[:-1],
    "another": lambda tag: flipped(tag, 0),
}


@joining.vector("RFC9420-12.4.3.1", reason=Rule.CONFIRMATION_TAG, like="well-made", each=TAGS)
def confirmation_tag(case: Case, change: Callable[[bytes], bytes]) -> None:
    """confirmation_tag of the GroupInfo, which is signed, is not that of the epoch."""
    info(case, lambda made: replace(made, confirmation_tag=change(made.confirmation_tag)))


def context(case: Case, **changes: Any) -> None:
    """Another GroupContext, signed; the confirmation tag is that of the epoch without the change."""

    def changed(made: GroupInfo) -> GroupInfo:
        return replace(made, group_context=replace(made.group_context, **changes))

    info(case, changed)


@joining.vector("RFC9420-12.4.3.1", reason=Rule.CONFIRMATION_TAG, like="well-made")
def another_epoch(case: Case) -> None:
    """epoch of the GroupContext is 7, that of the epoch's secrets 1."""
    context(case, epoch=7)


@joining.vector("RFC9420-12.4.3.1", reason=Rule.CONFIRMATION_TAG, like="well-made")
def another_transcript_hash(case: Case) -> None:
    """confirmed_transcript_hash of the GroupContext is not the one that the secrets were derived with."""
    context(case, confirmed_transcript_hash=bytes(case.forge.suite.kdf.Nh))
