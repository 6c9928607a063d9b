"""The chapters' formulas, a step a line, under the names that the chapters give them.

What is shared with the code under test is the primitives (``e2ee.crypto``), nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from e2ee.crypto.aead import AES_128_GCM, AES_256_GCM, Aead
from e2ee.crypto.kdf import HKDF_SHA256, HKDF_SHA384, HKDF_SHA512, Kdf
from e2ee.vectorgen import h264_model

__all__ = [
    "MLS_KDF",
    "SUITES",
    "FrameKey",
    "Protected",
    "clear_length",
    "compose_kid",
    "digits",
    "mls_export",
    "protect",
    "split",
    "u16",
    "u32",
    "u64",
]

SUITES: Mapping[int, tuple[Kdf, Aead]] = {
    0x0004: (HKDF_SHA256, AES_128_GCM),
    0x0005: (HKDF_SHA512, AES_256_GCM),
}
"""SFrame suites of calls (RFC 9605, Section 4.5)."""

MLS_KDF: Mapping[int, tuple[Kdf, int]] = {
    0x0001: (HKDF_SHA256, 0x0004),
    0xF0E2: (HKDF_SHA384, 0x0005),
}
"""MLS suite -> its KDF and the SFrame suite that goes with it (KEYS-1)."""


def u16(value: int) -> bytes:
    return value.to_bytes(2, "big")


def u32(value: int) -> bytes:
    return value.to_bytes(4, "big")


def u64(value: int) -> bytes:
    return value.to_bytes(8, "big")


def digits(hashed: bytes) -> str:
    """Each 5 bytes, as a number mod 10^5, as 5 digits (IDENT-12, CALL-14)."""
    groups = (int.from_bytes(hashed[i : i + 5], "big") % 10**5 for i in range(0, len(hashed), 5))
    return "".join(f"{group:05}" for group in groups)


def short_vector(content: bytes) -> bytes:
    """``opaque x<V>`` of less than 64 bytes."""
    return bytes([len(content)]) + content


def expand_with_label(kdf: Kdf, secret: bytes, label: str, context: bytes, length: int) -> bytes:
    """RFC 9420, Section 8: ExpandWithLabel."""
    kdf_label = u16(length) + short_vector(b"MLS 1.0 " + label.encode()) + short_vector(context)
    return kdf.expand(secret, kdf_label, length)


def mls_export(kdf: Kdf, exporter_secret: bytes, label: str, length: int) -> dict[str, bytes]:
    """RFC 9420, Section 8.5, with an empty context."""
    derived_secret = expand_with_label(kdf, exporter_secret, label, b"", kdf.Nh)
    context_hash = kdf.hash(b"")
    exported = expand_with_label(kdf, derived_secret, "exported", context_hash, length)
    return {"derived_secret": derived_secret, "context_hash": context_hash, "exported": exported}


def compose_kid(kind: int, instance: int, leaf_index: int, epoch: int, live: int = 0) -> int:
    """FKEY-2."""
    context = kind | live << 3 | instance << 4
    return context << 14 | leaf_index << 4 | epoch % 16


@dataclass(frozen=True, slots=True)
class FrameKey:
    """The key of one KID: RFC 9605, Section 4.4.2."""

    sframe_secret: bytes
    sframe_key_label: bytes
    sframe_key: bytes
    sframe_salt_label: bytes
    sframe_salt: bytes

    @classmethod
    def derive(cls, suite: int, base_key: bytes, kid: int) -> FrameKey:
        """The key of ``kid`` from an epoch's ``base_key``."""
        kdf, aead = SUITES[suite]
        secret = kdf.extract(b"", base_key)
        key_label = b"SFrame 1.0 Secret key " + u64(kid) + u16(suite)
        salt_label = b"SFrame 1.0 Secret salt " + u64(kid) + u16(suite)
        key = kdf.expand(secret, key_label, aead.Nk)
        salt = kdf.expand(secret, salt_label, aead.Nn)
        return cls(secret, key_label, key, salt_label, salt)


def header(kid: int, ctr: int) -> bytes:
    """RFC 9605, Section 4.3."""
    kid_field, kid_bytes = _value(kid)
    ctr_field, ctr_bytes = _value(ctr)
    return bytes([kid_field << 4 | ctr_field]) + kid_bytes + ctr_bytes


def _value(value: int) -> tuple[int, bytes]:
    """Four bits of the first byte, and the bytes that follow it: none for 0 to 7."""
    if value < 8:
        return value, b""
    length = (value.bit_length() + 7) // 8
    return 0b1000 | length - 1, value.to_bytes(length, "big")


def clear_length(codec: str, frame: bytes) -> int:
    """CODEC-1, CODEC-2, CODEC-15. Of H.264 it is no beginning of the frame: see ``split``."""
    return {"opus": 0, "VP8": 1 if frame[0] & 1 else 10, "VP9": 0}[codec]


def split(codec: str, frame: bytes) -> tuple[bytes, bytes]:
    """(clear, rest) of a frame."""
    if codec == "H264":
        return h264_model.split(frame)
    length = clear_length(codec, frame)
    return frame[:length], frame[length:]


@dataclass(frozen=True, slots=True)
class Protected:
    """One protected frame and every step on the way (chapter Frame format)."""

    kid: int
    ctr: int
    clear: bytes
    rest: bytes
    key: FrameKey
    header: bytes
    nonce: bytes
    aad: bytes
    ciphertext: bytes
    tag: bytes

    @property
    def sframe(self) -> bytes:
        """What SFrame makes of the rest."""
        return self.header + self.ciphertext + self.tag

    @property
    def frame(self) -> bytes:
        """What goes to the packetiser, but for H.264."""
        return self.clear + self.sframe

    def sent(self, codec: str) -> bytes:
        """What goes to the packetiser of this codec."""
        return h264_model.sent(self.clear, self.sframe) if codec == "H264" else self.frame

    def steps(self) -> dict[str, Any]:
        """All of it, for ``intermediate``."""
        steps = asdict(self)
        return {**steps.pop("key"), **steps}


def protect(
    suite: int,
    base_key: bytes,
    kid: int,
    ctr: int,
    clear: bytes,
    rest: bytes,
    encoded: bytes | None = None,
) -> Protected:
    """The protected frame of ``clear || rest``; its header is written in the one way, unless it is ``encoded`` in another."""
    _, aead = SUITES[suite]
    key = FrameKey.derive(suite, base_key, kid)
    encoded = header(kid, ctr) if encoded is None else encoded
    nonce = (int.from_bytes(key.sframe_salt, "big") ^ ctr).to_bytes(aead.Nn, "big")
    aad = encoded + clear
    sealed = aead.key(key.sframe_key).seal(nonce, aad, rest)
    ciphertext, tag = sealed[: -aead.Nt], sealed[-aead.Nt :]
    return Protected(kid, ctr, clear, rest, key, encoded, nonce, aad, ciphertext, tag)
