"""What every KEM of a cipher suite keeps, and DHKEM's refusals."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from e2ee.crypto import kem as kems
from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.errors import BadEncapsulation, BadLength, BadPublicKey, CryptoReason
from e2ee.crypto.kem import Kem
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy


class Recorded:
    """Randomness that was written down."""

    def __init__(self, drawn: bytes) -> None:
        self._drawn = drawn

    def random(self, length: int) -> bytes:
        assert length == len(self._drawn)
        return self._drawn

    def mlkem768_encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        raise NotImplementedError


@pytest.fixture
def kem(suite: CipherSuite) -> Kem:
    return suite.hpke.kem


@pytest.mark.parametrize(
    ("kem", "row"),
    [
        (kems.DHKEM_P256_HKDF_SHA256, ("DHKEM(P-256, HKDF-SHA256)", 0x0010, 32, 65, 65, 32)),
        (kems.DHKEM_P384_HKDF_SHA384, ("DHKEM(P-384, HKDF-SHA384)", 0x0011, 48, 97, 97, 48)),
        (kems.DHKEM_P521_HKDF_SHA512, ("DHKEM(P-521, HKDF-SHA512)", 0x0012, 64, 133, 133, 66)),
        (kems.DHKEM_X25519_HKDF_SHA256, ("DHKEM(X25519, HKDF-SHA256)", 0x0020, 32, 32, 32, 32)),
        (kems.DHKEM_X448_HKDF_SHA512, ("DHKEM(X448, HKDF-SHA512)", 0x0021, 64, 56, 56, 56)),
    ],
    ids=lambda given: given[0] if isinstance(given, tuple) else "",
)
def test_dhkem_has_the_rows_of_rfc_9180_section_7_1(
    kem: Kem, row: tuple[str, int, int, int, int, int]
) -> None:
    assert (kem.name, kem.kem_id, kem.Nsecret, kem.Nenc, kem.Npk, kem.Nsk) == row


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
        assert repr(keys).startswith(f"KeyPair(private=Secret({kem.Nsk} bytes), public=")
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
    for wrong in (b"", keys.private + b"\x00"):
        for use in (kem.public_key, lambda key: kem.decap(enc, key)):
            with pytest.raises(BadLength) as refused:
                use(wrong)
            assert refused.value.reason is CryptoReason.BAD_LENGTH


BAD_POINTS = {
    "X25519": (bytes(32), b"\x01" + bytes(31)),
    "X448": (bytes(56), b"\x01" + bytes(55)),
    "P-256": (b"\x04" + bytes(64), b"\x02" + bytes(64)),
    "P-384": (b"\x04" + bytes(96), b"\x02" + bytes(96)),
    "P-521": (b"\x04" + bytes(132), b"\x02" + bytes(132)),
}
"""Of the right length, and of small order, or not on the curve, or not of the uncompressed form."""


def test_a_point_that_agrees_no_secret_is_refused(kem: Kem, entropy: SeededEntropy) -> None:
    """DHKEM's keys are the group's; the hybrid's end with X25519's."""
    keys = kem.derive_key_pair(bytes(32))
    _, enc = kem.encap(keys.public, entropy)
    (group,) = (name for name in BAD_POINTS if name in kem.name)
    for bad in BAD_POINTS[group]:
        for use in (kem.check_public_key, lambda key: kem.encap(key, entropy)):
            with pytest.raises(BadPublicKey):
                use(keys.public[: -len(bad)] + bad)
        with pytest.raises(BadEncapsulation):
            kem.decap(enc[: -len(bad)] + bad, keys.private)


# --- known answers: RFC 9180 has none for X448 and P-384, draft-ietf-hpke-pq has one each ---


@dataclass(frozen=True)
class Known:
    """A base-mode encapsulation; ``ikm_e`` and ``ikm_r`` are the input keying material of both key pairs."""

    kem: Kem
    ikm_e: str
    enc: str
    ikm_r: str
    private: str
    public: str
    shared_secret: bytes


KNOWN = [
    Known(
        kems.DHKEM_P384_HKDF_SHA384,
        ikm_e="df490f3d80254f2485bc8abd4225c0834ab1982ce844a6b4a3390bbe9f348b0a82ca464297bfccfa8b2ceaac6b43e6bc",
        enc="0427d6d80a6394078f3b8f8cb86b0c38e1996895672415b313a8ebbfe9adff897d8eec659efe200b5608a43140059fdb3f6ab0179c5cd110adcf2e5caad5a027a7eb86b18d2ade59de94bab544f06222f49ab09d8d68debac3cb67ecce8bbcad9e",
        ikm_r="1569d065e398456987a4a76e7117d97767cc8aecef8efebaa3ad5aee78d44f5fab347ee19307e6804ff32d8b15a3fbe1",
        private="8871021324f8190e50abe26cff62404778585a56d8712ff28afd99605e898d08b580b7c8f18fb166b28b1a6584662b96",
        public="0412c5d064adef237657fa743d1722d505af30635b96b977887eb3d1a821190f3d425109dd2e452aa795421301622fe12abdb92e934778be5fc86cbe07c657624d9844f16e51cc1745b74d0fdfffeff23289340a812f002b2527e607133074d218",
        shared_secret=bytes.fromhex(
            "8207f0a43f67bf912e327f0893e5a3b14314c38eaa8604229de4c033c6589e3bbe28b513aac127e85b4830c63daf572f"
        ),
    ),
    Known(
        kems.DHKEM_X448_HKDF_SHA512,
        ikm_e="d967d4102fabf6108bae6474d9ffb0f8fd63e87721fc0e67eebd79e4d6e3d28a8c179c6b2febcf9568595075df86a4ed736be8b5ff80da79",
        enc="3e201b8e44d713687fa3f765ed454edb77bd1b28b5567e313a4eed994ef47a01bb8bfee283ebaacb38c34af69b0643c9ffd225dd2ff6074c",
        ikm_r="4d93c28aef376727c67c68a1404b8399d046c612619d45468ed2ee12b35f5de1f1d2afe8684a38262ba1327490c7299ecfa151ac949266d9",
        private="c0fbcb8b2960a8e4a16fe190baf53790e513498bbe508dec614e5e4bb28cf41c780b20aa83afa3e4aac57202682934c75b8a977000d441aa",
        public="b0e5983da0fb66a0a9040d34c8487901040984f883562cf6ed6f694b821b7a0ea672947ec72c6e6893aeffa1a9f824e82a4908483101ebc1",
        shared_secret=bytes.fromhex(
            "7835f33012c6964b7dbd420c296be335a4e2b854347495137fdc2466faea4694ebd09bcbdcdf5afa640591ab68a1901bf83beabeffd13845644022e6de31f672"
        ),
    ),
]


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.kem.name)
def test_the_known_answers_of_draft_ietf_hpke_pq(known: Known) -> None:
    """The private key of X448 is written down with its bits clamped, which those of RFC 9180 itself are not."""
    kem, enc, private = known.kem, bytes.fromhex(known.enc), bytes.fromhex(known.private)
    keys = kem.derive_key_pair(bytes.fromhex(known.ikm_r))
    assert keys.public.hex() == kem.public_key(private).hex() == known.public
    encapsulated = kem.encap(keys.public, Recorded(bytes.fromhex(known.ikm_e)))
    assert encapsulated == (known.shared_secret, enc)
    for same in (keys.private, private):
        assert kem.decap(enc, same) == known.shared_secret
