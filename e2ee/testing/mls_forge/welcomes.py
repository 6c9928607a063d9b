"""GroupInfos and Welcomes (RFC 9420 Section 12.4.3), with any content."""

from __future__ import annotations

from dataclasses import dataclass, replace

from e2ee.crypto.secret import Secret
from e2ee.mls.extension import Extension, ExtensionType, ExternalPub
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.group_secrets import GroupSecrets, PathSecret
from e2ee.mls.key_schedule import derive_welcome_secret, external_key_pair
from e2ee.mls.labels import encrypt_with_label, expand_with_label, ref_hash
from e2ee.mls.message import MLSMessage
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_math import common_ancestor, leaf_to_node
from e2ee.mls.welcome import EncryptedGroupSecrets, Welcome
from e2ee.testing.mls_forge.clients import Client
from e2ee.testing.mls_forge.commits import Committed
from e2ee.testing.mls_forge.epochs import Epoch
from e2ee.testing.mls_forge.forge import Change, Forge, same
from e2ee.tls_syntax import opaque

__all__ = ["Welcoming", "describe", "sign_group_info", "welcome"]


@dataclass(frozen=True, slots=True)
class Welcoming:
    """What who welcomes changes.

    ``ratchet_tree`` and ``external_pub`` say what is in the GroupInfo. ``group_info`` is changed before it is signed,
    ``signed_group_info`` afterwards; ``signer`` is a public signature key, if it is not the one of the GroupInfo's signer.
    ``encrypted_group_info`` is changed before the GroupSecrets are sealed, ``welcome`` last. ``sealed_to`` is the client to
    whose ``init_key`` the GroupSecrets are sealed, if it is not the one whom they name.
    """

    ratchet_tree: bool = True
    external_pub: bool = False
    group_info: Change[GroupInfo] = same
    signed_group_info: Change[GroupInfo] = same
    signer: bytes | None = None
    group_secrets: Change[GroupSecrets] = same
    sealed_to: Client | None = None
    encrypted_group_info: Change[bytes] = same
    welcome: Change[Welcome] = same


def sign_group_info(forge: Forge, unsigned: GroupInfo, signer: bytes) -> GroupInfo:
    """GroupInfoTBS, signed by the private key of this public one."""
    tbs = unsigned.encode().removesuffix(opaque.encode(unsigned.signature))
    return replace(unsigned, signature=forge.sign(signer, "GroupInfoTBS", tbs))


def describe(
    forge: Forge, epoch: Epoch, signer: int, welcoming: Welcoming | None = None
) -> GroupInfo:
    """The epoch's GroupInfo, signed by the member at leaf ``signer``."""
    welcoming = welcoming or Welcoming()
    unsigned = welcoming.group_info(
        GroupInfo(
            group_context=epoch.context,
            extensions=(*_tree(epoch.tree, welcoming), *_external_pub(epoch, welcoming)),
            confirmation_tag=epoch.confirmation_tag,
            signer=signer,
            signature=b"",
        )
    )
    key = welcoming.signer or epoch.leaf(signer).signature_key
    return welcoming.signed_group_info(sign_group_info(forge, unsigned, key))


def _tree(tree: RatchetTree, welcoming: Welcoming) -> tuple[Extension, ...]:
    if not welcoming.ratchet_tree:
        return ()
    return (Extension(ExtensionType.RATCHET_TREE, tree.encode()),)


def _external_pub(epoch: Epoch, welcoming: Welcoming) -> tuple[Extension, ...]:
    if not welcoming.external_pub:
        return ()
    public_key = external_key_pair(epoch.suite, epoch.secrets.external_secret).public
    return (Extension(ExtensionType.EXTERNAL_PUB, ExternalPub(public_key).encode()),)


def welcome(
    forge: Forge,
    committed: Committed,
    newcomer: Client,
    leaf_index: int,
    welcoming: Welcoming | None = None,
) -> MLSMessage:
    """The Welcome for ``newcomer``, whom the commit put at ``leaf_index``."""
    welcoming = welcoming or Welcoming()
    kdf = forge.suite.kdf
    secret = derive_welcome_secret(kdf, committed.joiner_secret, committed.psk_secret)
    group_info = describe(forge, committed.epoch, committed.committer, welcoming)
    sealed_info = welcoming.encrypted_group_info(
        seal_group_info(forge, secret, group_info.encode())
    )
    path_secret = _path_secret(committed, leaf_index)
    secrets = welcoming.group_secrets(
        GroupSecrets(committed.joiner_secret, path_secret, committed.psks)
    )
    init_key = (welcoming.sealed_to or newcomer).init.public
    sealed = encrypt_with_label(
        forge.suite, init_key, "Welcome", sealed_info, secrets.encode(), forge.entropy
    )
    reference = ref_hash(kdf, "MLS 1.0 KeyPackage Reference", newcomer.key_package.encode())
    entry = EncryptedGroupSecrets(reference, sealed)
    made = Welcome(forge.suite.code_point, (entry,), sealed_info)
    return MLSMessage.of(welcoming.welcome(made))


def seal_group_info(forge: Forge, welcome_secret: Secret, group_info: bytes) -> bytes:
    """``encrypted_group_info`` (RFC 9420 Section 12.4.3.1)."""
    kdf, aead = forge.suite.kdf, forge.suite.aead
    key = expand_with_label(kdf, welcome_secret, "key", b"", aead.Nk)
    nonce = expand_with_label(kdf, welcome_secret, "nonce", b"", aead.Nn)
    return aead.key(key).seal(nonce, b"", group_info)


def _path_secret(committed: Committed, leaf_index: int) -> PathSecret | None:
    """Of the lowest common ancestor, if the commit had a path."""
    common = common_ancestor(leaf_to_node(leaf_index), leaf_to_node(committed.committer))
    secret = committed.path_secrets.get(common)
    return None if secret is None else PathSecret(secret)
