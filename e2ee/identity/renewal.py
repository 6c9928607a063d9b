"""Renewal: which certificate a device takes in the place of its own (IDENT-16).

It comes by the service, which could send any: an older one, another device's, or one of another account. The signature
decides whose it is, and the dates and the generation decide that it is newer; so the service can only withhold it.
"""

from __future__ import annotations

from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate
from e2ee.identity.errors import CertificateError, IdentityReason

__all__ = ["newer_certificate"]


def newer_certificate(current: VerifiedCertificate, encoded: bytes) -> VerifiedCertificate:
    """What ``encoded`` certifies, if the device that has ``current`` takes it instead.

    Raises DecodeError or CertificateError: the reasons of ``verify_certificate``, ANOTHER_DEVICE, REVOKED (of a lower
    generation), NOT_NEWER.
    """
    # IDENT-16: "only if it verifies for the device's own signature key"
    offered = verify_certificate(encoded, current.signature_key)
    # "names its own `account_id`, `account_key` and `device_id`"
    if _whose(offered) != _whose(current):
        raise CertificateError(IdentityReason.ANOTHER_DEVICE, "of another account or device")
    # "has no lower `generation` than its own"
    if offered.generation < current.generation:
        raise CertificateError(IdentityReason.REVOKED, f"generation {offered.generation}")
    # "and has a higher `generation` or a later `not_after`"
    if _age(offered) <= _age(current):
        raise CertificateError(IdentityReason.NOT_NEWER, "no later `not_after`")
    return offered


def _whose(certificate: VerifiedCertificate) -> tuple[str, bytes, int]:
    return certificate.account_id, certificate.account_key, certificate.device_id


def _age(certificate: VerifiedCertificate) -> tuple[int, int]:
    return certificate.generation, certificate.certificate.statement.not_after
