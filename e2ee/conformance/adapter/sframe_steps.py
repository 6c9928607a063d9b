"""The steps of SFrame on the way of a frame, as far as ``e2ee.sframe`` shows them."""

from __future__ import annotations

from typing import Any

from e2ee.media import h264
from e2ee.media.codecs import ClearLength
from e2ee.sframe.cipher_suite import CipherSuite
from e2ee.sframe.header import decode_header
from e2ee.sframe.key_derivation import derive_key_salt, key_label, salt_label

__all__ = ["key_steps", "part", "protected_steps"]

TAG_LENGTH = 16  # FRAME-2


def key_steps(suite: CipherSuite, KID: int, base_key: bytes) -> dict[str, str]:
    """Labels, key and salt of a KID. The ``sframe_secret`` before them never leaves ``derive_key_salt``."""
    key, salt = derive_key_salt(suite, KID, base_key)
    return {
        "sframe_key_label": key_label(suite, KID).hex(),
        "sframe_key": key.hex(),
        "sframe_salt_label": salt_label(suite, KID).hex(),
        "sframe_salt": salt.hex(),
    }


def part(clear_lengths: ClearLength, protected: bytes) -> tuple[bytes, int]:
    """Clear bytes || what SFrame made, and how many are clear. Raises BadFrame."""
    if clear_lengths:
        return protected, clear_lengths[protected[0]]
    clear, sframe = h264.parted(protected)
    return clear + sframe, len(clear)


def protected_steps(protected: bytes, clear_length: int, rest: bytes) -> dict[str, Any]:
    """The parts of what ``part`` gives, and ``rest``, which is encrypted in it. The nonce is made inside."""
    KID, CTR, end = decode_header(protected, clear_length)
    clear, header = protected[:clear_length], protected[clear_length:end]
    return {
        "kid": KID,
        "ctr": CTR,
        "clear": clear.hex(),
        "rest": rest.hex(),
        "header": header.hex(),
        "aad": (header + clear).hex(),
        "ciphertext": protected[end:-TAG_LENGTH].hex(),
        "tag": protected[-TAG_LENGTH:].hex(),
    }
