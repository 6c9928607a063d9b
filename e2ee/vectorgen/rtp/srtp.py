"""SRTP for vectors, by the letter of RFC 3711: the profile SRTP_AES128_CM_HMAC_SHA1_80, no key derivation rate, no MKI."""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.crypto.aead import AesCtrKey
from e2ee.crypto.hmac_sha1 import hmac_sha1
from e2ee.vectorgen.models import u32
from e2ee.vectorgen.rtp.packets import Packet

__all__ = ["SrtpKeys"]

ENCRYPTION, AUTHENTICATION, SALT = 0x00, 0x01, 0x02
"""Labels, Section 4.3.1."""

TAG = 10
"""Bytes of the tag: 80 bits (Section 4.2.1)."""


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """A master key of 16 bytes, and a master salt of 14."""

    master_key: bytes
    master_salt: bytes

    def derived(self, label: int, length: int) -> bytes:
        """Section 4.3: PRF(k_master, x) with x = (label || 0) XOR master_salt, label above the 48 bits of an index."""
        x = int.from_bytes(self.master_salt, "big") ^ label << 48
        return AesCtrKey(self.master_key).apply((x << 16).to_bytes(16, "big"), bytes(length))

    def protected(self, packet: Packet, rollover: int = 0) -> bytes:
        """The SRTP packet: header, encrypted payload and padding, and the tag. ``rollover`` counts wraps (ROC)."""
        index = rollover << 16 | packet.sequence_number % 2**16
        salt = int.from_bytes(self.derived(SALT, 14), "big")
        # Section 4.1.1: IV = (k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16)
        iv = (salt << 16 ^ packet.ssrc << 64 ^ index << 16).to_bytes(16, "big")
        body = packet.payload + packet.padding
        header = packet.data[: len(packet.data) - len(body)]
        encrypted = header + AesCtrKey(self.derived(ENCRYPTION, 16)).apply(iv, body)
        tag = hmac_sha1(self.derived(AUTHENTICATION, 20), encrypted + u32(rollover))[:TAG]
        return encrypted + tag
