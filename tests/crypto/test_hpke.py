"""HPKE is RFC 9180's, opens only what was sealed, and agrees with another implementation."""

from __future__ import annotations

import hashlib
from functools import cache

import pytest
from cryptography.hazmat.primitives import hpke as other_hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.aead import AES_128_GCM
from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite
from e2ee.crypto.errors import BadEncapsulation, BadLength, BadPublicKey, CryptoReason, OpenError
from e2ee.crypto.hpke import Hpke
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.crypto.kem import DHKEM_X25519_HKDF_SHA256, KeyPair
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy

INFO, AAD, TEXT = b"UpdatePathNode", b"associated data", b"path secret"
IKM = b"a receiver's input keying material"
on_each_suite = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def seeded(*parts: object) -> SeededEntropy:
    return SeededEntropy(repr(parts).encode(), ML_KEM_768._encaps_internal)


@cache
def sealed(code_point: int) -> tuple[KeyPair, bytes, bytes]:
    """(receiver's keys, encapsulated key, ciphertext): one sealed message of each suite."""
    hpke = CIPHER_SUITES[code_point].hpke
    keys = hpke.kem.derive_key_pair(IKM)
    return keys, *hpke.seal(keys.public, INFO, AAD, TEXT, seeded(code_point))


def changed(data: bytes, bit: int) -> bytes:
    number = int.from_bytes(data, "little") ^ 1 << bit % (8 * len(data))
    return number.to_bytes(len(data), "little")


# --- RFC 9180 Appendix A.1.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode ---


class Replay:
    """Randomness that was written down: the input keying material of the ephemeral key pair."""

    def __init__(self, ikm: bytes) -> None:
        self._ikm = ikm

    def random(self, length: int) -> bytes:
        drawn, self._ikm = self._ikm[:length], self._ikm[length:]
        assert len(drawn) == length
        return drawn

    def mlkem768_encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        raise NotImplementedError


A_1 = Hpke(DHKEM_X25519_HKDF_SHA256, HKDF_SHA256, AES_128_GCM)
A_1_INFO = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
A_1_IKM_E = bytes.fromhex("7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234")
A_1_IKM_R = bytes.fromhex("6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037")
A_1_PK_R = bytes.fromhex("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d")
A_1_SK_R = bytes.fromhex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8")
A_1_ENC = bytes.fromhex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431")
A_1_SHARED_SECRET = bytes.fromhex(
    "fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc"
)
A_1_TEXT = bytes.fromhex("4265617574792069732074727574682c20747275746820626561757479")
A_1_CIPHERTEXT = bytes.fromhex(
    "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"
)


def test_a_1_keys_are_derived() -> None:
    keys = A_1.kem.derive_key_pair(A_1_IKM_R)
    assert (keys.private, keys.public) == (A_1_SK_R, A_1_PK_R)
    assert A_1.kem.derive_key_pair(A_1_IKM_E).public == A_1_ENC


def test_a_1_encapsulation() -> None:
    assert A_1.kem.encap(A_1_PK_R, Replay(A_1_IKM_E)) == (A_1_SHARED_SECRET, A_1_ENC)
    assert A_1.kem.decap(A_1_ENC, A_1_SK_R) == A_1_SHARED_SECRET


def test_a_1_key_schedule() -> None:
    schedule = A_1.key_schedule(A_1_SHARED_SECRET, A_1_INFO)
    assert schedule.key.hex() == "4531685d41d65f03dc48f6b8302c05b0"
    assert schedule.base_nonce.hex() == "56d890e5accaaf011cff4b7d"
    assert schedule.exporter_secret.hex() == (
        "45ff1c2e220db587171952c0592d5f5ebe103f1561a2614e38f2ffd47e99e3f8"
    )
    assert "4531" not in repr(schedule)


def test_a_1_sealing_and_opening() -> None:
    sealed = A_1.seal(A_1_PK_R, A_1_INFO, b"Count-0", A_1_TEXT, Replay(A_1_IKM_E))
    assert sealed == (A_1_ENC, A_1_CIPHERTEXT)
    assert A_1.open(A_1_ENC, A_1_SK_R, A_1_INFO, b"Count-0", A_1_CIPHERTEXT) == A_1_TEXT


@pytest.mark.parametrize(
    ("exporter_context", "exported"),
    [
        (b"", "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee"),
        (b"\x00", "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5"),
        (b"TestContext", "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931"),
    ],
)
def test_a_1_exports(exporter_context: bytes, exported: str) -> None:
    enc, sent = A_1.send_export(A_1_PK_R, A_1_INFO, exporter_context, 32, Replay(A_1_IKM_E))
    received = A_1.receive_export(A_1_ENC, A_1_SK_R, A_1_INFO, exporter_context, 32)
    assert enc == A_1_ENC
    assert sent.hex() == received.hex() == exported


# --- properties of each suite ---


@given(st.binary(max_size=100), st.binary(max_size=100), st.binary(max_size=500))
@on_each_suite
def test_what_was_sealed_opens(suite: CipherSuite, info: bytes, aad: bytes, text: bytes) -> None:
    keys = suite.hpke.kem.derive_key_pair(IKM)
    enc, ciphertext = suite.hpke.seal(keys.public, info, aad, text, seeded(info, aad, text))
    assert suite.hpke.open(enc, keys.private, info, aad, ciphertext) == text


@given(st.integers(min_value=0))
@on_each_suite
def test_no_bit_can_be_flipped(suite: CipherSuite, bit: int) -> None:
    hpke, keys, enc, ciphertext = suite.hpke, *sealed(suite.code_point)
    for attempt in (
        (changed(enc, bit), keys.private, INFO, AAD, ciphertext),
        (enc, keys.private, changed(INFO, bit), AAD, ciphertext),
        (enc, keys.private, INFO, changed(AAD, bit), ciphertext),
        (enc, keys.private, INFO, AAD, changed(ciphertext, bit)),
    ):
        with pytest.raises(OpenError) as refused:
            hpke.open(*attempt)
        assert refused.value.reason is CryptoReason.NOT_AUTHENTIC


def test_nobody_else_opens(suite: CipherSuite, entropy: SeededEntropy) -> None:
    hpke = suite.hpke
    keys, other = hpke.kem.generate_key_pair(entropy), hpke.kem.generate_key_pair(entropy)
    enc, ciphertext = hpke.seal(keys.public, INFO, AAD, TEXT, entropy)
    with pytest.raises(OpenError):
        hpke.open(enc, other.private, INFO, AAD, ciphertext)


def test_info_and_aad_are_not_exchangeable(suite: CipherSuite, entropy: SeededEntropy) -> None:
    keys = suite.hpke.kem.derive_key_pair(IKM)
    enc, ciphertext = suite.hpke.seal(keys.public, b"one", b"two", TEXT, entropy)
    with pytest.raises(OpenError):
        suite.hpke.open(enc, keys.private, b"two", b"one", ciphertext)


def test_a_truncated_ciphertext_is_refused(suite: CipherSuite, entropy: SeededEntropy) -> None:
    keys = suite.hpke.kem.derive_key_pair(IKM)
    enc, ciphertext = suite.hpke.seal(keys.public, INFO, AAD, TEXT, entropy)
    for length in range(len(ciphertext)):
        with pytest.raises(OpenError):
            suite.hpke.open(enc, keys.private, INFO, AAD, ciphertext[:length])


def test_bad_keys_are_refused_with_the_kems_reason(
    suite: CipherSuite, entropy: SeededEntropy
) -> None:
    keys = suite.hpke.kem.derive_key_pair(IKM)
    with pytest.raises(BadPublicKey):
        suite.hpke.seal(keys.public[1:], INFO, AAD, TEXT, entropy)
    with pytest.raises(BadPublicKey):
        suite.hpke.send_export(keys.public[1:], INFO, b"", 32, entropy)
    with pytest.raises(BadEncapsulation):
        suite.hpke.open(b"", keys.private, INFO, AAD, bytes(16))
    with pytest.raises(BadEncapsulation):
        suite.hpke.receive_export(b"", keys.private, INFO, b"", 32)


def test_the_same_seed_seals_the_same_bytes(suite: CipherSuite, entropy: SeededEntropy) -> None:
    public = suite.hpke.kem.derive_key_pair(IKM).public
    one, two = (suite.hpke.seal(public, INFO, AAD, TEXT, entropy.fork(b"seal")) for _ in range(2))
    assert one == two
    assert suite.hpke.seal(public, INFO, AAD, TEXT, entropy) != one


@given(st.binary(max_size=50), st.binary(max_size=50), st.integers(min_value=1, max_value=200))
@on_each_suite
def test_both_sides_export_the_same_secret(
    suite: CipherSuite, info: bytes, context: bytes, length: int
) -> None:
    hpke, keys = suite.hpke, suite.hpke.kem.derive_key_pair(IKM)
    enc, sent = hpke.send_export(keys.public, info, context, length, seeded(info, context))
    assert type(sent) is Secret
    assert len(sent) == length
    assert hpke.receive_export(enc, keys.private, info, context, length) == sent


def test_an_export_depends_on_all_of_its_inputs(suite: CipherSuite, entropy: SeededEntropy) -> None:
    hpke, keys = suite.hpke, suite.hpke.kem.derive_key_pair(IKM)
    enc, sent = hpke.send_export(keys.public, INFO, b"context", 32, entropy)
    for info, context, length in ((b"", b"context", 32), (INFO, b"", 32), (INFO, b"context", 33)):
        assert hpke.receive_export(enc, keys.private, info, context, length)[:32] != sent


def test_an_export_has_at_most_255_blocks(suite: CipherSuite, entropy: SeededEntropy) -> None:
    hpke, keys = suite.hpke, suite.hpke.kem.derive_key_pair(IKM)
    with pytest.raises(BadLength):
        hpke.send_export(keys.public, INFO, b"", 255 * hpke.kdf.Nh + 1, entropy)


# --- another implementation: cryptography's one-shot HPKE, which binds no AAD and draws its own randomness ---


OTHER_SUITES = {
    0x0001: other_hpke.Suite(
        other_hpke.KEM.X25519, other_hpke.KDF.HKDF_SHA256, other_hpke.AEAD.AES_128_GCM
    ),
    0xF0E2: other_hpke.Suite(
        other_hpke.KEM.MLKEM768_X25519, other_hpke.KDF.HKDF_SHA384, other_hpke.AEAD.AES_256_GCM
    ),
}


def other_private_key(
    suite: CipherSuite, private: bytes
) -> X25519PrivateKey | other_hpke.MLKEM768X25519PrivateKey:
    if suite.code_point == 0x0001:
        return X25519PrivateKey.from_private_bytes(private)
    x = hashlib.shake_256(private).digest(96)
    return other_hpke.MLKEM768X25519PrivateKey(
        MLKEM768PrivateKey.from_seed_bytes(x[:64]), X25519PrivateKey.from_private_bytes(x[64:])
    )


def test_another_implementation_opens_what_we_seal(
    suite: CipherSuite, entropy: SeededEntropy
) -> None:
    keys = suite.hpke.kem.generate_key_pair(entropy)
    enc, ciphertext = suite.hpke.seal(keys.public, INFO, b"", TEXT, entropy)
    other_key = other_private_key(suite, keys.private)
    assert OTHER_SUITES[suite.code_point].decrypt(enc + ciphertext, other_key, INFO) == TEXT


def test_we_open_what_another_implementation_seals(
    suite: CipherSuite, entropy: SeededEntropy
) -> None:
    keys = suite.hpke.kem.generate_key_pair(entropy)
    other_public = other_private_key(suite, keys.private).public_key()
    sealed = OTHER_SUITES[suite.code_point].encrypt(TEXT, other_public, INFO)
    enc, ciphertext = sealed[: suite.hpke.kem.Nenc], sealed[suite.hpke.kem.Nenc :]
    assert suite.hpke.open(enc, keys.private, INFO, b"", ciphertext) == TEXT
