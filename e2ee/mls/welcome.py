"""Welcome (RFC 9420 Section 12.4.3.1): the sealed invitation to those whom a commit added.

Structures only. GroupSecrets, which the ciphertexts hold, belongs to the secret half.
"""

from __future__ import annotations

from typing import Annotated

from e2ee.mls.labels import HPKECiphertext
from e2ee.tls_syntax import Opaque, Struct, Uint16, struct, vector

__all__ = ["EncryptedGroupSecrets", "Welcome"]


@struct
class EncryptedGroupSecrets(Struct):
    """RFC 9420 Section 12.4.3.1. ``new_member`` is a KeyPackageRef."""

    new_member: Opaque
    encrypted_group_secrets: HPKECiphertext


@struct
class Welcome(Struct):
    """RFC 9420 Section 12.4.3.1."""

    cipher_suite: Uint16
    secrets: Annotated[
        tuple[EncryptedGroupSecrets, ...], vector(EncryptedGroupSecrets.codec(), shortest=32)
    ]
    encrypted_group_info: Opaque
