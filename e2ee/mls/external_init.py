"""External initialization (RFC 9420 Section 8.3): an ``init_secret`` that a joiner gives to the group.

    external_pub of a GroupInfo --HPKE export--> kem_output (goes into ExternalInit), init_secret
                 kem_output, external_secret --> init_secret

Only who has the ``external_secret`` of the epoch, its members, has the private key. So the joiner's commit is secret
from everybody else; and nothing shows who the joiner is but its signature.
"""

from __future__ import annotations

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.entropy import Entropy
from e2ee.crypto.errors import BadEncapsulation
from e2ee.crypto.secret import Secret
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.key_schedule import external_key_pair

__all__ = ["receive_external_init", "send_external_init"]

_EXPORTER_CONTEXT = b"MLS 1.0 external init secret"


def send_external_init(
    suite: CipherSuite, external_pub: bytes, entropy: Entropy
) -> tuple[bytes, Secret]:
    """``kem_output`` and ``init_secret`` (``Nh`` bytes)."""
    return suite.hpke.send_export(external_pub, b"", _EXPORTER_CONTEXT, suite.kdf.Nh, entropy)


def receive_external_init(suite: CipherSuite, external_secret: Secret, kem_output: bytes) -> Secret:
    """The joiner's ``init_secret``. Raises ValidationError(EXTERNAL_INIT_MALFORMED)."""
    private_key = external_key_pair(suite, external_secret).private
    try:
        return suite.hpke.receive_export(
            kem_output, private_key, b"", _EXPORTER_CONTEXT, suite.kdf.Nh
        )
    except BadEncapsulation as error:
        raise ValidationError(Rule.EXTERNAL_INIT_MALFORMED, error.detail) from None
