"""The signature schemes, under RFC 9420 Section 5.1's names, as rows: EdDSA in ``eddsa``, ECDSA in ``ecdsa``.

Each verifies in one strict form, so that no two members differ about a signature; those modules say which. The
equations of EdDSA are the libraries' and could change with them, so each is tried once, when this module is imported.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from e2ee.crypto.ecdsa import Ecdsa
from e2ee.crypto.eddsa import Ed448, Ed25519
from e2ee.crypto.errors import BadSignature
from e2ee.crypto.nist_curve import P_256, P_384, P_521
from e2ee.crypto.signature_scheme import SignatureScheme, SigningKey

__all__ = [
    "ECDSA_P256",
    "ECDSA_P384",
    "ECDSA_P521",
    "ED448",
    "ED25519",
    "SignatureScheme",
    "SigningKey",
]

ED25519 = Ed25519()
ED448 = Ed448()
ECDSA_P256 = Ecdsa("P256", P_256, SHA256())  # RFC 8446: ecdsa_secp256r1_sha256
ECDSA_P384 = Ecdsa("P384", P_384, SHA384())  # ecdsa_secp384r1_sha384
ECDSA_P521 = Ecdsa("P521", P_521, SHA512())  # ecdsa_secp521r1_sha512

_ONLY_COFACTORED_25519: Final = (
    bytes.fromhex("3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"),
    b"",
    bytes.fromhex(
        "13661d745ad63221ca5da0456fa618713511dc60668aa464e55b09a20ff7fc1d"
        "c071648bf4715199065f0594bed9aaf76a949ab3569f9345a70db2910ef55200"
    ),
)
"""(A, message, R || S), where R carries a point of order 8: 8*S*B = 8*R + 8*k*A holds, S*B = R + k*A does not."""

_ONLY_COFACTORED_448: Final = (
    bytes.fromhex(
        "5b3afe03878a49b28232d4f1a442aebde109f807acef7dfd9a7f65b962fe52d6"
        "547312cacecff04337508f9d2529a8f1669169b21c32c48000"
    ),
    b"",
    bytes.fromhex(
        "a13ff338d457d9d9716cff741e7fc4bcee9a49d508e551ed9b5b2c5cda1c9215"
        "98e8f0b88f9aeb6125c940dd59eae2dd12f21294398fe6b000"
        "44572f28b29619f819ab6d0309da2bed9df5528775d318c22a7490eb569804b1"
        "f56f43e97c7d81bfce136f6cf79ebed943c5e9852595723600"
    ),
)
"""The same with a point of order 4, of which 4*S*B = 4*R + 4*k*A holds and S*B = R + k*A does not."""


def _require_equation(
    scheme: SignatureScheme, only_cofactored: tuple[bytes, bytes, bytes], *, cofactored: bool
) -> None:
    """``ImportError`` unless ``scheme`` verifies by the equation that ``eddsa`` says."""
    try:
        scheme.verify(*only_cofactored)
    except BadSignature:
        accepted = False
    else:
        accepted = True
    if accepted is not cofactored:
        has = "cofactored" if accepted else "cofactorless"
        raise ImportError(f"this library's {scheme.name} is {has}; see e2ee.crypto.eddsa")


_require_equation(ED25519, _ONLY_COFACTORED_25519, cofactored=False)
_require_equation(ED448, _ONLY_COFACTORED_448, cofactored=True)
