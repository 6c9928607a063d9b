"""HPKE is RFC 9180's, opens only what was sealed, and agrees with another implementation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

import pytest
from cryptography.hazmat.primitives import hpke as other_hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.aead import AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305
from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite
from e2ee.crypto.errors import BadEncapsulation, BadLength, BadPublicKey, CryptoReason, OpenError
from e2ee.crypto.hpke import Hpke
from e2ee.crypto.kdf import HKDF_SHA256, HKDF_SHA512
from e2ee.crypto.kem import (
    DHKEM_P256_HKDF_SHA256,
    DHKEM_P521_HKDF_SHA512,
    DHKEM_X25519_HKDF_SHA256,
    KeyPair,
)
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy

INFO, AAD, TEXT = b"UpdatePathNode", b"associated data", b"path secret"
IKM = b"a receiver's input keying material"
unhex = bytes.fromhex
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


# --- RFC 9180 Appendix A, base mode: those of its suites that MLS has ---


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


@dataclass(frozen=True)
class Setup:
    """A section's values: ``ciphertext`` is that of sequence number 0, ``exports`` those of the contexts below."""

    section: str
    hpke: Hpke
    ikm_e: str
    enc: str
    ikm_r: str
    private: str
    public: str
    shared_secret: bytes
    key: str
    base_nonce: str
    exporter_secret: bytes
    ciphertext: str
    exports: tuple[str, str, str]


RFC_INFO = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
RFC_AAD = b"Count-0"
RFC_TEXT = bytes.fromhex("4265617574792069732074727574682c20747275746820626561757479")
RFC_EXPORTER_CONTEXTS = (b"", b"\x00", b"TestContext")
SETUPS = [
    Setup(
        "A.1.1",
        Hpke(DHKEM_X25519_HKDF_SHA256, HKDF_SHA256, AES_128_GCM),
        ikm_e="7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234",
        enc="37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
        ikm_r="6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037",
        private="4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
        public="3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
        shared_secret=unhex("fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc"),
        key="4531685d41d65f03dc48f6b8302c05b0",
        base_nonce="56d890e5accaaf011cff4b7d",
        exporter_secret=unhex("45ff1c2e220db587171952c0592d5f5ebe103f1561a2614e38f2ffd47e99e3f8"),
        ciphertext="f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
        exports=(
            "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee",
            "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5",
            "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931",
        ),
    ),
    Setup(
        "A.2.1",
        Hpke(DHKEM_X25519_HKDF_SHA256, HKDF_SHA256, CHACHA20_POLY1305),
        ikm_e="909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b",
        enc="1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
        ikm_r="1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df",
        private="8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
        public="4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a",
        shared_secret=unhex("0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7"),
        key="ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91",
        base_nonce="5c4d98150661b848853b547f",
        exporter_secret=unhex("a3b010d4994890e2c6968a36f64470d3c824c8f5029942feb11e7a74b2921922"),
        ciphertext="1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
        exports=(
            "4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e",
            "8c1df14732580e5501b00f82b10a1647b40713191b7c1240ac80e2b68808ba69",
            "5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53",
        ),
    ),
    Setup(
        "A.3.1",
        Hpke(DHKEM_P256_HKDF_SHA256, HKDF_SHA256, AES_128_GCM),
        ikm_e="4270e54ffd08d79d5928020af4686d8f6b7d35dbe470265f1f5aa22816ce860e",
        enc="04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4",
        ikm_r="668b37171f1072f3cf12ea8a236a45df23fc13b82af3609ad1e354f6ef817550",
        private="f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2",
        public="04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0",
        shared_secret=unhex("c0d26aeab536609a572b07695d933b589dcf363ff9d93c93adea537aeabb8cb8"),
        key="868c066ef58aae6dc589b6cfdd18f97e",
        base_nonce="4e0bc5018beba4bf004cca59",
        exporter_secret=unhex("14ad94af484a7ad3ef40e9f3be99ecc6fa9036df9d4920548424df127ee0d99f"),
        ciphertext="5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434",
        exports=(
            "5e9bc3d236e1911d95e65b576a8a86d478fb827e8bdfe77b741b289890490d4d",
            "6cff87658931bda83dc857e6353efe4987a201b849658d9b047aab4cf216e796",
            "d8f1ea7942adbba7412c6d431c62d01371ea476b823eb697e1f6e6cae1dab85a",
        ),
    ),
    Setup(
        "A.6.1",
        Hpke(DHKEM_P521_HKDF_SHA512, HKDF_SHA512, AES_256_GCM),
        ikm_e="7f06ab8215105fc46aceeb2e3dc5028b44364f960426eb0d8e4026c2f8b5d7e7a986688f1591abf5ab753c357a5d6f0440414b4ed4ede71317772ac98d9239f70904",
        enc="040138b385ca16bb0d5fa0c0665fbbd7e69e3ee29f63991d3e9b5fa740aab8900aaeed46ed73a49055758425a0ce36507c54b29cc5b85a5cee6bae0cf1c21f2731ece2013dc3fb7c8d21654bb161b463962ca19e8c654ff24c94dd2898de12051f1ed0692237fb02b2f8d1dc1c73e9b366b529eb436e98a996ee522aef863dd5739d2f29b0",
        ikm_r="2ad954bbe39b7122529f7dde780bff626cd97f850d0784a432784e69d86eccaade43b6c10a8ffdb94bf943c6da479db137914ec835a7e715e36e45e29b587bab3bf1",
        private="01462680369ae375e4b3791070a7458ed527842f6a98a79ff5e0d4cbde83c27196a3916956655523a6a2556a7af62c5cadabe2ef9da3760bb21e005202f7b2462847",
        public="0401b45498c1714e2dce167d3caf162e45e0642afc7ed435df7902ccae0e84ba0f7d373f646b7738bbbdca11ed91bdeae3cdcba3301f2457be452f271fa6837580e661012af49583a62e48d44bed350c7118c0d8dc861c238c72a2bda17f64704f464b57338e7f40b60959480c0e58e6559b190d81663ed816e523b6b6a418f66d2451ec64",
        shared_secret=unhex(
            "776ab421302f6eff7d7cb5cb1adaea0cd50872c71c2d63c30c4f1d5e43653336fef33b103c67e7a98add2d3b66e2fda95b5b2a667aa9dac7e59cc1d46d30e818"
        ),
        key="751e346ce8f0ddb2305c8a2a85c70d5cf559c53093656be636b9406d4d7d1b70",
        base_nonce="55ff7a7d739c69f44b25447b",
        exporter_secret=unhex(
            "e4ff9dfbc732a2b9c75823763c5ccc954a2c0648fc6de80a58581252d0ee3215388a4455e69086b50b87eb28c169a52f42e71de4ca61c920e7bd24c95cc3f992"
        ),
        ciphertext="170f8beddfe949b75ef9c387e201baf4132fa7374593dfafa90768788b7b2b200aafcc6d80ea4c795a7c5b841a",
        exports=(
            "05e2e5bd9f0c30832b80a279ff211cc65eceb0d97001524085d609ead60d0412",
            "fca69744bb537f5b7a1596dbf34eaa8d84bf2e3ee7f1a155d41bd3624aa92b63",
            "f389beaac6fcf6c0d9376e20f97e364f0609a88f1bc76d7328e9104df8477013",
        ),
    ),
]
of_rfc_9180 = pytest.mark.parametrize("of", SETUPS, ids=lambda of: of.section)


@of_rfc_9180
def test_keys_are_derived(of: Setup) -> None:
    keys = of.hpke.kem.derive_key_pair(unhex(of.ikm_r))
    assert (keys.private.hex(), keys.public.hex()) == (of.private, of.public)
    assert of.hpke.kem.derive_key_pair(unhex(of.ikm_e)).public.hex() == of.enc


@of_rfc_9180
def test_encapsulation(of: Setup) -> None:
    kem = of.hpke.kem
    assert kem.encap(unhex(of.public), Replay(unhex(of.ikm_e))) == (
        of.shared_secret,
        unhex(of.enc),
    )
    assert kem.decap(unhex(of.enc), unhex(of.private)) == of.shared_secret


@of_rfc_9180
def test_key_schedule(of: Setup) -> None:
    context = of.hpke.key_schedule_context(RFC_INFO)
    by = of.hpke.message_key(of.shared_secret, context)
    assert (by.key.hex(), by.base_nonce.hex()) == (of.key, of.base_nonce)
    assert of.hpke.exporter_secret(of.shared_secret, context) == of.exporter_secret
    assert of.key[:4] not in repr(by)


@of_rfc_9180
def test_sealing_and_opening(of: Setup) -> None:
    enc, ciphertext = unhex(of.enc), unhex(of.ciphertext)
    ephemeral = Replay(unhex(of.ikm_e))
    sealed = of.hpke.seal(unhex(of.public), RFC_INFO, RFC_AAD, RFC_TEXT, ephemeral)
    assert sealed == (enc, ciphertext)
    assert of.hpke.open(enc, unhex(of.private), RFC_INFO, RFC_AAD, ciphertext) == RFC_TEXT


@of_rfc_9180
def test_exports(of: Setup) -> None:
    for context, exported in zip(RFC_EXPORTER_CONTEXTS, of.exports, strict=True):
        ephemeral = Replay(unhex(of.ikm_e))
        enc, sent = of.hpke.send_export(unhex(of.public), RFC_INFO, context, 32, ephemeral)
        received = of.hpke.receive_export(enc, unhex(of.private), RFC_INFO, context, 32)
        assert enc.hex() == of.enc
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
        (enc, keys.private, changed(INFO, bit), AAD, ciphertext),
        (enc, keys.private, INFO, changed(AAD, bit), ciphertext),
        (enc, keys.private, INFO, AAD, changed(ciphertext, bit)),
    ):
        with pytest.raises(OpenError) as refused:
            hpke.open(*attempt)
        assert refused.value.reason is CryptoReason.NOT_AUTHENTIC
    with pytest.raises((OpenError, BadEncapsulation)):  # another key, or, of a NIST curve, none
        hpke.open(changed(enc, bit), keys.private, INFO, AAD, ciphertext)


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


OTHER_KEMS = {
    0x0010: other_hpke.KEM.P256,
    0x0011: other_hpke.KEM.P384,
    0x0012: other_hpke.KEM.P521,
    0x0020: other_hpke.KEM.X25519,
    0x647A: other_hpke.KEM.MLKEM768_X25519,
}
OTHER_KDFS = {
    0x0001: other_hpke.KDF.HKDF_SHA256,
    0x0002: other_hpke.KDF.HKDF_SHA384,
    0x0003: other_hpke.KDF.HKDF_SHA512,
}
OTHER_AEADS = {
    0x0001: other_hpke.AEAD.AES_128_GCM,
    0x0002: other_hpke.AEAD.AES_256_GCM,
    0x0003: other_hpke.AEAD.CHACHA20_POLY1305,
}
BOTH_HAVE = [suite for suite in CIPHER_SUITES.values() if suite.hpke.kem.kem_id in OTHER_KEMS]
"""All suites but those of X448."""

on_each_common_suite = pytest.mark.parametrize("suite", BOTH_HAVE, ids=str)


def other_suite(suite: CipherSuite) -> other_hpke.Suite:
    hpke = suite.hpke
    return other_hpke.Suite(
        OTHER_KEMS[hpke.kem.kem_id], OTHER_KDFS[hpke.kdf.hpke_id], OTHER_AEADS[hpke.aead.hpke_id]
    )


def other_private_key(
    suite: CipherSuite, private: bytes
) -> ec.EllipticCurvePrivateKey | X25519PrivateKey | other_hpke.MLKEM768X25519PrivateKey:
    curves = {0x0010: ec.SECP256R1(), 0x0011: ec.SECP384R1(), 0x0012: ec.SECP521R1()}
    if suite.hpke.kem.kem_id in curves:
        curve = curves[suite.hpke.kem.kem_id]
        return ec.derive_private_key(int.from_bytes(private, "big"), curve)
    if suite.hpke.kem.kem_id == 0x0020:
        return X25519PrivateKey.from_private_bytes(private)
    x = hashlib.shake_256(private).digest(96)
    return other_hpke.MLKEM768X25519PrivateKey(
        MLKEM768PrivateKey.from_seed_bytes(x[:64]), X25519PrivateKey.from_private_bytes(x[64:])
    )


def test_the_other_implementation_has_all_suites_but_those_of_x448() -> None:
    assert {suite.code_point for suite in BOTH_HAVE} == set(CIPHER_SUITES) - {0x0004, 0x0006}


@on_each_common_suite
def test_another_implementation_opens_what_we_seal(
    suite: CipherSuite, entropy: SeededEntropy
) -> None:
    keys = suite.hpke.kem.generate_key_pair(entropy)
    enc, ciphertext = suite.hpke.seal(keys.public, INFO, b"", TEXT, entropy)
    other_key = other_private_key(suite, keys.private)
    assert other_suite(suite).decrypt(enc + ciphertext, other_key, INFO) == TEXT


@on_each_common_suite
def test_we_open_what_another_implementation_seals(
    suite: CipherSuite, entropy: SeededEntropy
) -> None:
    keys = suite.hpke.kem.generate_key_pair(entropy)
    other_public = other_private_key(suite, keys.private).public_key()
    sealed = other_suite(suite).encrypt(TEXT, other_public, INFO)
    enc, ciphertext = sealed[: suite.hpke.kem.Nenc], sealed[suite.hpke.kem.Nenc :]
    assert suite.hpke.open(enc, keys.private, INFO, b"", ciphertext) == TEXT
