"""How a letter is sealed and signed: bytes and keys, and no judgement of anybody (LETTER-1 to LETTER-4).

    statement --signed--> SignedLetter --padded, AEAD under K--> SealedContent, one for all devices
    K --EncryptWithLabel to init_key, bound to the content--> LetterKey, one for each device

K is committed to beside the ciphertext: AES-GCM alone lets somebody make one ciphertext that two keys open to two texts, and
then two devices of one account would read different letters.
"""

from __future__ import annotations

from typing import Annotated

from e2ee.call.letter_errors import LetterReason, LetterRefused
from e2ee.crypto.aead import AES_256_GCM
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import BadSignature
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.crypto.secret import Secret, equal
from e2ee.crypto.signature import SigningKey
from e2ee.identity.device_certificate import MAX_CERTIFICATE
from e2ee.identity.labels import SignatureLabel, label, sign_labelled, verify_labelled
from e2ee.mls.key_package import KeyPackage, make_key_package_ref
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.labels import HPKECiphertext, decrypt_with_label, encrypt_with_label
from e2ee.signalling.messages import LETTER
from e2ee.tls_syntax import Opaque, Struct, fixed, struct

__all__ = [
    "MAX_CONTENT",
    "MAX_LETTER_KEY",
    "LetterKey",
    "LetterStatement",
    "SignedLetter",
    "new_content_key",
    "open_content",
    "open_key",
    "seal_content",
    "seal_key",
    "sign_letter",
    "verify_letter",
]

PADDED_TO = 1024
"""LETTER-3: a missed call and a short note have one length."""

MAX_CONTENT = LETTER.max_size + MAX_CERTIFICATE + 2 * PADDED_TO
"""The longest ``content``, in bytes."""

MAX_LETTER_KEY = 1 << 11
"""The longest LetterKey, in bytes: a hybrid KEM output has 1,120."""

_LENGTH = 4

_KEY_LABEL = label("Letter").decode()


@struct
class LetterStatement(Struct):
    """Who writes what to whom: what the sender's leaf signature key signs (LETTER-4)."""

    certificate: Opaque
    signature_key: Annotated[bytes, fixed(32)]
    recipient_id: Opaque
    recipient_key: Annotated[bytes, fixed(32)]
    message: Opaque

    def __repr__(self) -> str:
        return "LetterStatement(...)"  # what people say is in no log


@struct
class SignedLetter(Struct):
    """What is sealed (LETTER-3, LETTER-4)."""

    statement: LetterStatement
    signature: Annotated[bytes, fixed(64)]


@struct
class LetterKey(Struct):
    """K for one device (LETTER-1). ``key_package_ref`` (RFC 9420 Section 5.2) comes first, for the service to see whose it is."""

    key_package_ref: Opaque
    key: HPKECiphertext


@struct
class SealedContent(Struct):
    """``content`` of ``post`` and ``letter`` (LETTER-2)."""

    commitment: Annotated[bytes, fixed(32)]
    ciphertext: Opaque


# The content


def new_content_key(entropy: Entropy) -> Secret:
    """K: 32 random bytes for one letter (LETTER-1)."""
    return Secret(entropy.random(32))


def commitment(content_key: Secret) -> bytes:
    """LETTER-2: HMAC-SHA256 with keys of one length, so nobody finds two keys that have one commitment."""
    return bytes(HKDF_SHA256.expand(content_key, label("Letter commitment"), 32))


def seal_content(content_key: Secret, letter: SignedLetter) -> bytes:
    """The ``content`` that all devices get."""
    encoded = letter.encode()
    framed = len(encoded).to_bytes(_LENGTH, "big") + encoded
    padded = framed + bytes(-len(framed) % PADDED_TO)
    key, nonce = _key_and_nonce(content_key)
    ciphertext = AES_256_GCM.key(key).seal(nonce, b"", padded)
    return SealedContent(commitment(content_key), ciphertext).encode()


def open_content(content_key: Secret, content: bytes) -> SignedLetter:
    """What ``seal_content`` sealed. Raises LetterRefused, OpenError, DecodeError."""
    sealed = SealedContent.decode(content, max_size=MAX_CONTENT)
    # LETTER-2: "A receiver MUST refuse a letter whose `K` has another commitment than the content."
    if not equal(commitment(content_key), sealed.commitment):
        raise LetterRefused(LetterReason.WRONG_COMMITMENT)
    key, nonce = _key_and_nonce(content_key)
    padded = AES_256_GCM.key(key).open(nonce, b"", sealed.ciphertext)
    end = _LENGTH + int.from_bytes(padded[:_LENGTH], "big")
    # LETTER-3: "followed by as few zeros as make the length a multiple of 1,024"
    if len(padded) != end + -end % PADDED_TO or any(padded[end:]):
        raise LetterRefused(LetterReason.BAD_PADDING)
    return SignedLetter.decode(padded[_LENGTH:end], max_size=MAX_CONTENT)


def _key_and_nonce(content_key: Secret) -> tuple[Secret, Secret]:
    # One message under each key, so the nonce may come with it.
    key = HKDF_SHA256.expand(content_key, label("Letter key"), AES_256_GCM.Nk)
    return key, HKDF_SHA256.expand(content_key, label("Letter nonce"), AES_256_GCM.Nn)


# The key


def seal_key(
    content_key: Secret, content: bytes, key_package: KeyPackage, entropy: Entropy
) -> LetterKey:
    """K for the holder of a KeyPackage, by its own cipher suite, good for this ``content`` only."""
    suite = cipher_suite(key_package.cipher_suite)
    sealed = encrypt_with_label(
        suite, key_package.init_key, _KEY_LABEL, _context(content), content_key, entropy
    )
    return LetterKey(make_key_package_ref(suite, key_package), sealed)


def open_key(letter_key: LetterKey, content: bytes, bundle: KeyPackageBundle) -> Secret:
    """K. Raises OpenError, BadEncapsulation; LetterRefused if it is no key."""
    opened = decrypt_with_label(
        bundle.suite, bundle.init_private_key, _KEY_LABEL, _context(content), letter_key.key
    )
    if len(opened) != 32:
        raise LetterRefused(LetterReason.BAD_KEY, f"{len(opened)} bytes")
    return Secret(opened)


def _context(content: bytes) -> bytes:
    return HKDF_SHA256.hash(content)


# The signature


def sign_letter(key: SigningKey, statement: LetterStatement, content_key: Secret) -> SignedLetter:
    """LETTER-4: ``statement``, signed for this one sealing."""
    signed = commitment(content_key) + statement.encode()
    return SignedLetter(statement, sign_labelled(key, SignatureLabel.LETTER, signed))


def verify_letter(letter: SignedLetter, content_key: Secret) -> bytes:
    """The letter's id, 32 bytes, if the holder of its ``signature_key`` wrote it so. Raises LetterRefused.

    The id is over what is signed, so the same words sealed or signed otherwise are the same letter.
    """
    signed = commitment(content_key) + letter.statement.encode()
    key = letter.statement.signature_key
    try:
        verify_labelled(key, SignatureLabel.LETTER, signed, letter.signature)
    except BadSignature:
        raise LetterRefused(LetterReason.BAD_SIGNATURE) from None
    return HKDF_SHA256.hash(label("Letter id") + signed)
