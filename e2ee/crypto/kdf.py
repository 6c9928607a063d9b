"""Hash, HMAC and HKDF (RFC 5869) over one hash function, and RFC 9180's labelled use of them.

A ``Kdf`` is a row of data. What is extracted or expanded is a ``Secret``; a hash or an HMAC is plain bytes.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from e2ee.crypto.errors import BadLength
from e2ee.crypto.secret import Secret

__all__ = ["HKDF_SHA256", "HKDF_SHA384", "HKDF_SHA512", "Kdf", "LabeledKdf"]


@dataclass(frozen=True, slots=True)
class Kdf:
    """HKDF over one hash function; ``Nh`` is the hash's length in bytes, ``hpke_id`` RFC 9180 Section 7.2's value."""

    name: str
    hpke_id: int
    Nh: int
    algorithm: HashAlgorithm
    new: Callable[[bytes], hashlib._Hash]

    def hash(self, data: bytes) -> bytes:
        """The hash of ``data``, ``Nh`` bytes."""
        return self.new(data).digest()

    def hmac(self, key: bytes, data: bytes) -> bytes:
        """HMAC (RFC 2104), ``Nh`` bytes. Tags are compared with ``secret.equal``."""
        return hmac.digest(key, data, self.algorithm.name)

    def extract(self, salt: bytes, ikm: bytes) -> Secret:
        """HKDF-Extract, ``Nh`` bytes. An empty salt stands for ``Nh`` zero bytes (RFC 5869 Section 2.2)."""
        return Secret(HKDF.extract(self.algorithm, salt, ikm))

    def expand(self, prk: bytes, info: bytes, length: int) -> Secret:
        """HKDF-Expand, ``length`` bytes; ``BadLength`` above 255 * ``Nh``."""
        self.check_length(length)
        return Secret(HKDFExpand(self.algorithm, length, info).derive(prk))

    def check_length(self, length: int) -> None:
        """``BadLength`` unless HKDF-Expand can give ``length`` bytes."""
        if not 0 <= length <= 255 * self.Nh:
            raise BadLength(f"{self.name} expands to 0 to {255 * self.Nh} bytes, not {length}")


class LabeledKdf:
    """LabeledExtract and LabeledExpand of RFC 9180 Section 4, for one ``suite_id``."""

    __slots__ = ("_kdf", "_prefix")

    def __init__(self, kdf: Kdf, suite_id: bytes) -> None:
        self._kdf = kdf
        self._prefix = b"HPKE-v1" + suite_id

    def extract(self, salt: bytes, label: bytes, ikm: bytes) -> Secret:
        """LabeledExtract(salt, label, ikm)."""
        return self._kdf.extract(salt, self._prefix + label + ikm)

    def expand(self, prk: bytes, label: bytes, info: bytes, length: int) -> Secret:
        """LabeledExpand(prk, label, info, L)."""
        self._kdf.check_length(length)  # first: a length has 2 bytes below
        labeled_info = length.to_bytes(2, "big") + self._prefix + label + info
        return self._kdf.expand(prk, labeled_info, length)


HKDF_SHA256 = Kdf("HKDF-SHA256", 0x0001, 32, SHA256(), hashlib.sha256)
HKDF_SHA384 = Kdf("HKDF-SHA384", 0x0002, 48, SHA384(), hashlib.sha384)
HKDF_SHA512 = Kdf("HKDF-SHA512", 0x0003, 64, SHA512(), hashlib.sha512)
