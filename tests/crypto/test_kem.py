"""What every KEM of a cipher suite keeps, and DHKEM's refusals."""

from __future__ import annotations

import pytest

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.errors import BadEncapsulation, BadLength, BadPublicKey, CryptoReason
from e2ee.crypto.kem import DHKEM_X25519_HKDF_SHA256, Kem
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy


@pytest.fixture
def kem(suite: CipherSuite) -> Kem:
    return suite.hpke.kem


def test_dhkem_has_the_row_of_rfc_9180_section_7_1() -> None:
    kem = DHKEM_X25519_HKDF_SHA256
    assert kem.name == "DHKEM(X25519, HKDF-SHA256)"
    assert (kem.kem_id, kem.Nsecret, kem.Nenc, kem.Npk, kem.Nsk) == (0x0020, 32, 32, 32, 32)


def test_the_holder_of_the_private_key_decapsulates(kem: Kem, entropy: SeededEntropy) -> None:
    for keys in (kem.generate_key_pair(entropy), kem.derive_key_pair(bytes(32))):
        shared_secret, enc = kem.encap(keys.public, entropy)
        assert type(shared_secret) is Secret
        assert kem.decap(enc, keys.private) == shared_secret


def test_lengths_are_those_of_the_table(kem: Kem, entropy: SeededEntropy) -> None:
    keys = kem.generate_key_pair(entropy)
    shared_secret, enc = kem.encap(keys.public, entropy)
    lengths = (len(shared_secret), len(enc), len(keys.public), len(keys.private))
    assert lengths == (kem.Nsecret, kem.Nenc, kem.Npk, kem.Nsk)


def test_key_pairs_are_whole_and_hide_their_private_key(kem: Kem, entropy: SeededEntropy) -> None:
    for keys in (kem.generate_key_pair(entropy), kem.derive_key_pair(b"ikm" * 20)):
        assert type(keys.private) is Secret
        assert kem.public_key(keys.private) == keys.public
        assert repr(keys).startswith("KeyPair(private=Secret(32 bytes), public=")
        kem.check_public_key(keys.public)


def test_generated_key_pairs_and_encapsulations_differ(kem: Kem, entropy: SeededEntropy) -> None:
    keys = kem.generate_key_pair(entropy)
    assert kem.generate_key_pair(entropy).public != keys.public
    (one, enc_one), (two, enc_two) = (kem.encap(keys.public, entropy) for _ in range(2))
    assert one != two
    assert enc_one != enc_two


def test_derivation_is_deterministic_and_takes_all_of_its_input(kem: Kem) -> None:
    for ikm in (bytes(32), bytes(33), b"\x01" + bytes(31), bytes(100)):
        assert kem.derive_key_pair(ikm) == kem.derive_key_pair(ikm)
    inputs = (bytes(32), bytes(33), b"\x01" + bytes(31), bytes(31) + b"\x01")
    assert len({kem.derive_key_pair(ikm).public for ikm in inputs}) == len(inputs)


def test_another_private_key_gives_another_secret(kem: Kem, entropy: SeededEntropy) -> None:
    keys, other = kem.generate_key_pair(entropy), kem.generate_key_pair(entropy)
    shared_secret, enc = kem.encap(keys.public, entropy)
    assert kem.decap(enc, other.private) != shared_secret


def test_a_public_key_of_the_wrong_length_is_refused(kem: Kem, entropy: SeededEntropy) -> None:
    public = kem.derive_key_pair(bytes(32)).public
    for wrong in (b"", public[:-1], public + b"\x00"):
        for use in (kem.check_public_key, lambda key: kem.encap(key, entropy)):
            with pytest.raises(BadPublicKey) as refused:
                use(wrong)
            assert refused.value.reason is CryptoReason.BAD_PUBLIC_KEY
            assert f"has {kem.Npk} bytes, not {len(wrong)}" in refused.value.detail


def test_an_encapsulated_key_of_the_wrong_length_is_refused(
    kem: Kem, entropy: SeededEntropy
) -> None:
    keys = kem.derive_key_pair(bytes(32))
    _, enc = kem.encap(keys.public, entropy)
    for wrong in (b"", enc[:-1], enc + b"\x00"):
        with pytest.raises(BadEncapsulation) as refused:
            kem.decap(wrong, keys.private)
        assert refused.value.reason is CryptoReason.BAD_ENCAPSULATION
        assert f"in {kem.Nenc} bytes, not {len(wrong)}" in refused.value.detail


def test_a_private_key_of_the_wrong_length_is_the_callers_fault(
    kem: Kem, entropy: SeededEntropy
) -> None:
    keys = kem.derive_key_pair(bytes(32))
    _, enc = kem.encap(keys.public, entropy)
    for wrong in (b"", keys.private[:-1], keys.private + b"\x00"):
        for use in (kem.public_key, lambda key: kem.decap(enc, key)):
            with pytest.raises(BadLength) as refused:
                use(wrong)
            assert refused.value.reason is CryptoReason.BAD_LENGTH


def test_an_x25519_part_that_agrees_no_secret_is_refused(kem: Kem, entropy: SeededEntropy) -> None:
    """DHKEM's key is X25519's; the hybrid's ends with it."""
    keys = kem.derive_key_pair(bytes(32))
    _, enc = kem.encap(keys.public, entropy)
    for low in (bytes(32), b"\x01" + bytes(31)):
        for use in (kem.check_public_key, lambda key: kem.encap(key, entropy)):
            with pytest.raises(BadPublicKey):
                use(keys.public[:-32] + low)
        with pytest.raises(BadEncapsulation):
            kem.decap(enc[:-32] + low, keys.private)
