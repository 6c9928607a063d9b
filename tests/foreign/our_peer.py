"""``e2ee mls-peer``, with one cipher suite more than is shipped: ts-mls's X-Wing suite.

Its KEM is the shipped hybrid suite's but for DeriveKeyPair, for which ts-mls follows X-Wing's own draft
(draft-connolly-cfrg-xwing-kem): "DeriveKeyPair(ikm)" expands SHAKE256(ikm, 32).
"""

from __future__ import annotations

import hashlib
import sys

from e2ee.cli.main import main
from e2ee.crypto.aead import AES_256_GCM
from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.hpke import Hpke
from e2ee.crypto.hybrid_kem import Mlkem768X25519
from e2ee.crypto.kdf import HKDF_SHA512
from e2ee.crypto.secret import Secret
from e2ee.crypto.signature import ED25519
from e2ee.testing.cipher_suites import added_cipher_suite


def seed_of_xwing_draft(ikm: bytes) -> Secret:
    return Secret(hashlib.shake_256(ikm).digest(32))


X_WING_SUITE = CipherSuite(
    code_point=0x0053,
    name="MLS_256_XWING_AES256GCM_SHA512_Ed25519",
    hpke=Hpke(Mlkem768X25519("X-Wing", seed_of_xwing_draft), HKDF_SHA512, AES_256_GCM),
    kdf=HKDF_SHA512,
    aead=AES_256_GCM,
    signature=ED25519,
)

if __name__ == "__main__":
    sys.argv[1:] = ["mls-peer"]
    with added_cipher_suite(X_WING_SUITE):
        main()
