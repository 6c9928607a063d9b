"""X.509 credentials: a chain of one self-signed certificate for a signature key, in as little DER as that takes."""

from __future__ import annotations

from collections.abc import Mapping

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.signature import ECDSA_P256, ECDSA_P384, ECDSA_P521, ED448, ED25519, SigningKey
from e2ee.mls.credential import Certificate, Credential, CredentialType

__all__ = ["x509_credential"]

_INTEGER, _BIT_STRING, _OID, _UTF8, _UTC_TIME, _SEQUENCE, _SET = 2, 3, 6, 12, 23, 0x30, 0x31

_EC_PUBLIC_KEY = "2a8648ce3d0201"

_ALGORITHMS: Mapping[str, tuple[tuple[str, ...], str]] = {
    ED25519.name: (("2b6570",), "2b6570"),
    ED448.name: (("2b6571",), "2b6571"),
    ECDSA_P256.name: ((_EC_PUBLIC_KEY, "2a8648ce3d030107"), "2a8648ce3d040302"),
    ECDSA_P384.name: ((_EC_PUBLIC_KEY, "2b81040022"), "2a8648ce3d040303"),
    ECDSA_P521.name: ((_EC_PUBLIC_KEY, "2b81040023"), "2a8648ce3d040304"),
}
"""Signature scheme -> the object identifiers of its keys (RFC 5480, RFC 8410), and that of its signatures (RFC 5758)."""

_VALIDITY = (b"231101000000Z", b"331101000000Z")


def x509_credential(suite: CipherSuite, name: str, key: SigningKey) -> Credential:
    """A credential that says that ``name`` owns ``key``, by the word of ``key``."""
    key_algorithm, signature_algorithm = _ALGORITHMS[suite.signature.name]
    algorithm = _sequence(_der(_OID, bytes.fromhex(signature_algorithm)))
    common_name = _sequence(_der(_OID, bytes.fromhex("550403")), _der(_UTF8, name.encode()))
    subject = _sequence(_der(_SET, common_name))
    certified = _sequence(
        _der(_INTEGER, b"\x01"),
        algorithm,
        subject,
        _sequence(*(_der(_UTC_TIME, time) for time in _VALIDITY)),
        subject,
        _sequence(
            _sequence(*(_der(_OID, bytes.fromhex(oid)) for oid in key_algorithm)),
            _der(_BIT_STRING, b"\x00" + key.public),
        ),
    )
    signature = suite.signature.sign(key.private, certified)
    certificate = _sequence(certified, algorithm, _der(_BIT_STRING, b"\x00" + signature))
    return Credential(CredentialType.X509, (Certificate(certificate),))


def _sequence(*items: bytes) -> bytes:
    return _der(_SEQUENCE, b"".join(items))


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    encoded = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 | len(encoded)]) + encoded + content
