"""SFrame encryption and decryption (RFC 9605 Sections 4.4.3 and 4.4.4).

    nonce = sframe_salt XOR CTR, as a number of Nn bytes        aad = header || metadata

The two take types that cannot be exchanged. ``decrypt`` neither looks a key up nor knows replays: the caller
decodes the header, chooses the key that the KID names, asks its window, decrypts, and only then notes the CTR.
"""

from __future__ import annotations

from e2ee.crypto.aead import InvalidTag
from e2ee.crypto.errors import OpenError
from e2ee.sframe.cipher_suite import Nn
from e2ee.sframe.errors import CounterExhausted
from e2ee.sframe.key_store import ReceiveKey, SendKey

__all__ = ["decrypt", "encrypt"]


def encrypt(key: SendKey, metadata: bytes, plaintext: bytes) -> bytes:
    """The SFrame ciphertext: header || encrypted data || tag. Raises CounterExhausted.

    ``metadata`` is authenticated and not part of the result.
    """
    draw, aead_encrypt = key.counter.draw, key.encrypt
    try:
        CTR = draw()
    except StopIteration:
        raise CounterExhausted(f"KID {key.KID:#x}") from None
    # what encode_header does, in place, because a call would double its time
    if CTR < 8:
        header = key.header_prefixes[CTR]
    else:
        length = CTR.bit_length() + 7 >> 3
        header = key.header_prefixes[7 + length] + CTR.to_bytes(length, "big")
    nonce = (key.salt ^ CTR).to_bytes(Nn, "big")
    return header + aead_encrypt(nonce, plaintext, header + metadata)


def decrypt(key: ReceiveKey, CTR: int, aad: bytes, ciphertext: bytes) -> bytes:
    """The plaintext of ``ciphertext`` (encrypted data || tag). Raises OpenError.

    ``CTR`` is the one of the header with which ``aad`` begins; the metadata follow the header.
    """
    aead_decrypt = key.decrypt
    nonce = (key.salt ^ CTR).to_bytes(Nn, "big")
    try:
        return aead_decrypt(nonce, ciphertext, aad)
    except InvalidTag:
        raise OpenError from None
