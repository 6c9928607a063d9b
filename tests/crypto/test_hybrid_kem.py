"""MLKEM768-X25519 needs both of its parts, and derives its keys as draft-ietf-hpke-pq does."""

from __future__ import annotations

import hashlib

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.dh_group import X25519
from e2ee.crypto.errors import BadLength, BadPublicKey, CryptoReason
from e2ee.crypto.hybrid_kem import MLKEM768_X25519 as KEM
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.system_entropy import SystemEntropy

IKM = bytes(range(32))


def test_the_row_of_draft_ietf_hpke_pq() -> None:
    assert KEM.name == "MLKEM768-X25519"
    assert (KEM.kem_id, KEM.Nsecret, KEM.Nenc, KEM.Npk, KEM.Nsk) == (0x647A, 32, 1120, 1216, 32)


@pytest.mark.requirement("KEYS-3")
def test_keys_are_expanded_from_the_seed() -> None:
    """kyber-py computes the ML-KEM half a second time."""
    keys = KEM.derive_key_pair(IKM)
    x = hashlib.shake_256(keys.private).digest(96)
    ek_pq, _ = ML_KEM_768.key_derive(x[:64])
    assert keys.public == ek_pq + X25519.private_key(x[64:]).public


@pytest.mark.requirement("KEYS-3")
def test_derivation_labels_its_input() -> None:
    labeled = IKM + b"HPKE-v1KEM\x64\x7a" + b"\x00\x0dDeriveKeyPair" + b"\x00\x20"
    keys = KEM.derive_key_pair(IKM)
    assert keys.private == hashlib.shake_256(labeled).digest(32)
    # X-Wing's own draft takes SHAKE256(ikm, 32), and so derives other keys.
    assert keys.private != hashlib.shake_256(IKM).digest(32)


def test_the_combiner_hashes_both_secrets_and_x25519s_ciphertext_and_key() -> None:
    keys = KEM.derive_key_pair(IKM)
    x = hashlib.shake_256(keys.private).digest(96)
    shared_secret, enc = KEM.encap(keys.public, SystemEntropy())
    _, dk_pq = ML_KEM_768.key_derive(x[:64])
    ss_pq = ML_KEM_768.decaps(dk_pq, enc[:1088])
    ss_t = X25519.private_key(x[64:]).exchange(enc[1088:])
    transcript = ss_pq + ss_t + enc[1088:] + keys.public[1184:] + rb"\.//^" + b"\\"
    assert shared_secret == hashlib.sha3_256(transcript).digest()


@pytest.mark.parametrize("part", [slice(0, 1088), slice(1088, 1120)], ids=["ML-KEM", "X25519"])
def test_the_secret_depends_on_each_part_of_the_encapsulated_key(
    part: slice, entropy: SeededEntropy
) -> None:
    keys = KEM.derive_key_pair(IKM)
    shared_secret, enc = KEM.encap(keys.public, entropy)
    _, other = KEM.encap(keys.public, entropy)
    mixed = bytearray(enc)
    mixed[part] = other[part]
    assert KEM.decap(bytes(mixed), keys.private) != shared_secret


def test_a_changed_ml_kem_ciphertext_gives_another_secret_and_no_error(
    entropy: SeededEntropy,
) -> None:
    """FIPS 203's implicit rejection: what was changed shows when HPKE's AEAD does not open."""
    keys = KEM.derive_key_pair(IKM)
    shared_secret, enc = KEM.encap(keys.public, entropy)
    for at in (0, 543, 1087):
        changed = enc[:at] + bytes([enc[at] ^ 1]) + enc[at + 1 :]
        secret = KEM.decap(changed, keys.private)
        assert secret != shared_secret
        assert secret == KEM.decap(changed, keys.private)


@pytest.mark.parametrize("at", [0, 573, 1149])
def test_an_ml_kem_key_with_a_coefficient_not_below_q_is_refused(
    at: int, entropy: SeededEntropy
) -> None:
    """FIPS 203 Section 7.2's modulus check, by OpenSSL and, seeded, by the encapsulation handed in."""
    public = KEM.derive_key_pair(IKM).public
    bad = public[:at] + b"\xff\xff\xff" + public[at + 3 :]
    for use in (
        KEM.check_public_key,
        lambda key: KEM.encap(key, SystemEntropy()),
        lambda key: KEM.encap(key, entropy),
    ):
        with pytest.raises(BadPublicKey) as refused:
            use(bad)
        assert refused.value.reason is CryptoReason.BAD_PUBLIC_KEY
        assert refused.value.detail == "not an ML-KEM-768 encapsulation key"


def test_both_sources_of_randomness_encapsulate_to_the_same_holder(entropy: SeededEntropy) -> None:
    keys = KEM.generate_key_pair(entropy)
    for source in (entropy, SystemEntropy()):
        shared_secret, enc = KEM.encap(keys.public, source)
        assert KEM.decap(enc, keys.private) == shared_secret


def test_a_private_key_is_not_padded() -> None:
    for use in (KEM.public_key, lambda key: KEM.decap(bytes(KEM.Nenc), key)):
        with pytest.raises(BadLength):
            use(bytes(31))
