"""The certificates of x509 credentials are ones that others read, and sign themselves."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.credential import CredentialType
from e2ee.vectorgen.mls_validation.x509 import x509_credential


@pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=lambda suite: suite.name)
def test_a_credential_has_one_certificate_of_its_key(suite: CipherSuite) -> None:
    key = suite.signature.generate(SeededEntropy(b"x509"))
    credential = x509_credential(suite, "somebody", key)
    assert credential.credential_type is CredentialType.X509
    assert isinstance(credential.value, tuple)
    (entry,) = credential.value

    certificate = load_der_x509_certificate(entry.cert_data)

    certificate.verify_directly_issued_by(certificate)
    assert certificate.subject.rfc4514_string() == "CN=somebody"
    public = certificate.public_key()
    nist = isinstance(public, ec.EllipticCurvePublicKey)
    form = (
        (Encoding.X962, PublicFormat.UncompressedPoint)
        if nist
        else (Encoding.Raw, PublicFormat.Raw)
    )
    assert public.public_bytes(*form) == key.public
