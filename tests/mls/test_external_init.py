"""RFC 9420 Section 8.3: the joiner and the members come to the same init_secret, and nobody else does."""

from __future__ import annotations

import pytest

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.external_init import receive_external_init, send_external_init
from e2ee.mls.key_schedule import external_key_pair

pytestmark = pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=lambda suite: suite.name)


@pytest.fixture
def external_secret(suite: CipherSuite) -> Secret:
    return Secret(bytes(range(suite.kdf.Nh)))


def test_both_sides_agree(
    suite: CipherSuite, external_secret: Secret, hybrid_entropy: Entropy
) -> None:
    key_pair = external_key_pair(suite, external_secret)

    kem_output, init_secret = send_external_init(suite, key_pair.public, hybrid_entropy)

    assert receive_external_init(suite, external_secret, kem_output) == init_secret
    assert len(init_secret) == suite.kdf.Nh
    # "init_secret = context.export("MLS 1.0 external init secret", KDF.Nh)", of "SetupBaseR(kem_output, external_priv, "")"
    label = b"MLS 1.0 external init secret"
    exported = suite.hpke.receive_export(kem_output, key_pair.private, b"", label, suite.kdf.Nh)
    assert exported == init_secret


def test_it_is_another_each_time(
    suite: CipherSuite, external_secret: Secret, hybrid_entropy: Entropy
) -> None:
    public_key = external_key_pair(suite, external_secret).public
    first = send_external_init(suite, public_key, hybrid_entropy)
    second = send_external_init(suite, public_key, hybrid_entropy)

    assert first[0] != second[0]
    assert first[1] != second[1]


def test_members_of_another_epoch_come_to_another(
    suite: CipherSuite, external_secret: Secret, hybrid_entropy: Entropy
) -> None:
    public_key = external_key_pair(suite, external_secret).public
    kem_output, init_secret = send_external_init(suite, public_key, hybrid_entropy)

    other = Secret(bytes(suite.kdf.Nh))
    assert receive_external_init(suite, other, kem_output) != init_secret


@pytest.mark.parametrize("kem_output", [b"", b"short", bytes(2_000)])
def test_what_is_no_kem_output_is_refused(
    suite: CipherSuite, external_secret: Secret, kem_output: bytes
) -> None:
    with pytest.raises(ValidationError) as refused:
        receive_external_init(suite, external_secret, kem_output)
    assert refused.value.reason is Rule.EXTERNAL_INIT_MALFORMED
