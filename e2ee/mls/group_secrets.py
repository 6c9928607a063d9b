"""What a Welcome carries sealed (RFC 9420 Section 12.4.3.1): GroupSecrets for each newcomer, GroupInfo for all.

    init_key of a KeyPackage --HPKE--> GroupSecrets --joiner_secret--> welcome_secret --AEAD--> GroupInfo

GroupSecrets is bound to the sealed GroupInfo (it is the HPKE context), so neither can be exchanged. This module seals
and opens; whether what comes out is true is checked in ``joining``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import BadEncapsulation, OpenError
from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.labels import (
    HPKECiphertext,
    decrypt_with_label,
    encryption_with_label,
    expand_with_label,
)
from e2ee.mls.psk import PreSharedKeyID
from e2ee.tls_syntax import Codec, Struct, opaque, optional, struct, vector
from e2ee.tls_syntax.form import Converted, Octets

__all__ = [
    "GroupSecrets",
    "PathSecret",
    "SecretOpaque",
    "open_group_info",
    "open_group_secrets",
    "seal_group_info",
    "seal_group_secrets",
    "secret_opaque",
]

secret_opaque: Codec[Secret] = Codec(
    lambda reader: Secret(opaque.read(reader)),
    opaque.write,
    1,
    form=Converted(Octets(None), Secret),
)
SecretOpaque = Annotated[Secret, secret_opaque]
"""``opaque x<V>`` that is hidden when printed."""


@struct
class PathSecret(Struct):
    """RFC 9420 Section 12.4.3.1: of the lowest node that is above both the committer and the newcomer."""

    path_secret: SecretOpaque


@struct
class GroupSecrets(Struct):
    """RFC 9420 Section 12.4.3.1."""

    joiner_secret: SecretOpaque
    path_secret: Annotated[PathSecret | None, optional(PathSecret.codec())]
    psks: Annotated[tuple[PreSharedKeyID, ...], vector(PreSharedKeyID.codec())]


def seal_group_secrets(
    suite: CipherSuite,
    encrypted_group_info: bytes,
    newcomers: Iterable[tuple[bytes, GroupSecrets]],
    entropy: Entropy,
) -> list[HPKECiphertext]:
    """For each pair (init_key, GroupSecrets) what the holder of this ``init_key`` can open."""
    encrypt = encryption_with_label(suite, "Welcome", encrypted_group_info)
    return [encrypt(init_key, secrets.encode(), entropy) for init_key, secrets in newcomers]


def open_group_secrets(
    suite: CipherSuite,
    init_private_key: Secret,
    encrypted_group_info: bytes,
    sealed: HPKECiphertext,
) -> GroupSecrets:
    """What the committer sealed for us. Raises ValidationError(WELCOME_NOT_AUTHENTIC) or DecodeError."""
    try:
        plaintext = decrypt_with_label(
            suite, init_private_key, "Welcome", encrypted_group_info, sealed
        )
    except (OpenError, BadEncapsulation) as error:
        raise ValidationError(Rule.WELCOME_NOT_AUTHENTIC, error.detail) from None
    return GroupSecrets.decode(plaintext)


def seal_group_info(suite: CipherSuite, welcome_secret: Secret, group_info: GroupInfo) -> bytes:
    """``encrypted_group_info``; a ``welcome_secret`` seals once."""
    key, nonce = _welcome_key_and_nonce(suite, welcome_secret)
    return suite.aead.key(key).seal(nonce, b"", group_info.encode())


def open_group_info(
    suite: CipherSuite, welcome_secret: Secret, encrypted_group_info: bytes
) -> GroupInfo:
    """The GroupInfo, as received: its signature is not checked here.

    Raises ValidationError(GROUP_INFO_NOT_AUTHENTIC), also if a PSK is not the committer's, or DecodeError.
    """
    key, nonce = _welcome_key_and_nonce(suite, welcome_secret)
    try:
        plaintext = suite.aead.key(key).open(nonce, b"", encrypted_group_info)
    except OpenError as error:
        raise ValidationError(Rule.GROUP_INFO_NOT_AUTHENTIC, error.detail) from None
    return GroupInfo.decode(plaintext)


def _welcome_key_and_nonce(suite: CipherSuite, welcome_secret: Secret) -> tuple[Secret, Secret]:
    key = expand_with_label(suite.kdf, welcome_secret, "key", b"", suite.aead.Nk)
    return key, expand_with_label(suite.kdf, welcome_secret, "nonce", b"", suite.aead.Nn)
