"""The labelled functions that all of MLS is built from (RFC 9420 Sections 5.1, 5.2, 8 and 9).

Each takes the primitives of a cipher suite from ``e2ee.crypto`` and binds the label "MLS 1.0 " + Label and a context,
so that an output made for one purpose means nothing for another. This module holds no state and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import BadSignature
from e2ee.crypto.kdf import Kdf
from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule, ValidationError
from e2ee.tls_syntax import Opaque, Struct, opaque, struct, uint16, uint32

__all__ = [
    "Encryption",
    "HPKECiphertext",
    "decrypt_with_label",
    "derive_secret",
    "derive_tree_secret",
    "encrypt_with_label",
    "encryption_with_label",
    "expand_with_label",
    "ref_hash",
    "sign_with_label",
    "verify_with_label",
]

PREFIX = b"MLS 1.0 "


@struct
class HPKECiphertext(Struct):
    """RFC 9420 Section 7.6: what EncryptWithLabel gives."""

    kem_output: Opaque
    ciphertext: Opaque


Encryption = Callable[[bytes, bytes, Entropy], HPKECiphertext]
"""(public key, plaintext, entropy) -> what the holder of the private key can open."""


def ref_hash(kdf: Kdf, label: str, value: bytes) -> bytes:
    """RefHash (RFC 9420 Section 5.2): ``Nh`` bytes that stand for ``value``; ``label`` is the whole label."""
    return kdf.hash(opaque.encode(label.encode()) + opaque.encode(value))


def expand_with_label(kdf: Kdf, secret: bytes, label: str, context: bytes, length: int) -> Secret:
    """ExpandWithLabel (RFC 9420 Section 8): ``length`` bytes."""
    kdf_label = bytearray()
    uint16.write(length, kdf_label)
    opaque.write(PREFIX + label.encode(), kdf_label)
    opaque.write(context, kdf_label)
    return kdf.expand(secret, bytes(kdf_label), length)


def derive_secret(kdf: Kdf, secret: bytes, label: str) -> Secret:
    """DeriveSecret (RFC 9420 Section 8): ``Nh`` bytes."""
    return expand_with_label(kdf, secret, label, b"", kdf.Nh)


def derive_tree_secret(kdf: Kdf, secret: bytes, label: str, generation: int, length: int) -> Secret:
    """DeriveTreeSecret (RFC 9420 Section 9): ``length`` bytes of one generation of a ratchet."""
    return expand_with_label(kdf, secret, label, uint32.encode(generation), length)


def _labelled(label: str, content: bytes) -> bytes:
    """SignContent and EncryptContext (RFC 9420 Sections 5.1.2 and 5.1.3)."""
    labelled = bytearray()
    opaque.write(PREFIX + label.encode(), labelled)
    opaque.write(content, labelled)
    return bytes(labelled)


def sign_with_label(suite: CipherSuite, private: bytes, label: str, content: bytes) -> bytes:
    """SignWithLabel (RFC 9420 Section 5.1.2): a signature over label and content."""
    return suite.signature.sign(private, _labelled(label, content))


def verify_with_label(
    suite: CipherSuite, public: bytes, label: str, content: bytes, signature: bytes, rule: Rule
) -> None:
    """VerifyWithLabel (RFC 9420 Section 5.1.2). Raises ValidationError(rule) if the signature is not valid."""
    message = _labelled(label, content)
    try:
        suite.signature.verify(public, message, signature)
    except BadSignature as error:
        raise ValidationError(rule, error.detail) from None


def encrypt_with_label(
    suite: CipherSuite,
    public_key: bytes,
    label: str,
    context: bytes,
    plaintext: bytes,
    entropy: Entropy,
) -> HPKECiphertext:
    """EncryptWithLabel (RFC 9420 Section 5.1.3): HPKE to ``public_key``, bound to label and context."""
    return encryption_with_label(suite, label, context)(public_key, plaintext, entropy)


def encryption_with_label(suite: CipherSuite, label: str, context: bytes) -> Encryption:
    """EncryptWithLabel for many recipients: label and context, which they have in common, are hashed once."""
    in_common = suite.hpke.key_schedule_context(_labelled(label, context))

    def encrypt(public_key: bytes, plaintext: bytes, entropy: Entropy) -> HPKECiphertext:
        return HPKECiphertext(*suite.hpke.seal_in(in_common, public_key, b"", plaintext, entropy))

    return encrypt


def decrypt_with_label(
    suite: CipherSuite, private_key: bytes, label: str, context: bytes, sealed: HPKECiphertext
) -> bytes:
    """DecryptWithLabel (RFC 9420 Section 5.1.3). Raises OpenError if it was not sealed for this."""
    info = _labelled(label, context)
    return suite.hpke.open(sealed.kem_output, private_key, info, b"", sealed.ciphertext)
