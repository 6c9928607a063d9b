"""The published vectors of draft-ietf-hpke-pq, those of the KEMs that MLS suites here have.

Beside the hybrid KEM they hold one encapsulation of each of four KEMs of RFC 9180, and for P-384 and X448 there are
no others. Most come with one-stage KDFs, which no MLS suite here uses: where hashlib has the hash, the one-stage key
schedule of draft-ietf-hpke-hpke is put together below, and the vector runs whole; TurboSHAKE it has not, and of those
two vectors the KEM is checked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto import kem as kems
from e2ee.crypto.aead import AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, Aead
from e2ee.crypto.hpke import Hpke, MessageKey
from e2ee.crypto.hybrid_kem import MLKEM768_X25519
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.crypto.kem import Kem
from e2ee.crypto.secret import Secret

Case = dict[str, Any]
unhex = bytes.fromhex


class Replay:
    """The randomness of an encapsulation as the vectors hold it: ML-KEM's 32 bytes, if any, then the group's."""

    def __init__(self, randomness: bytes) -> None:
        self._randomness = randomness

    def random(self, length: int) -> bytes:
        drawn, self._randomness = self._randomness[:length], self._randomness[length:]
        assert len(drawn) == length
        return drawn

    def mlkem768_encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        shared_secret, ciphertext = ML_KEM_768._encaps_internal(public_key, self.random(32))
        return shared_secret, ciphertext


class OneStageHpke(Hpke):
    """Hpke with SHAKE for its KDF: CombineSecrets_OneStage and LabeledDerive of draft-ietf-hpke-hpke."""

    def __init__(
        self, kem: Kem, kdf_id: int, derive: Callable[[bytes, int], bytes], Nh: int, aead: Aead
    ) -> None:
        super().__init__(kem, HKDF_SHA256, aead)
        ids = (kem.kem_id, kdf_id, aead.hpke_id)
        self._suite_id = b"HPKE" + b"".join(n.to_bytes(2, "big") for n in ids)
        self._shake = derive
        self._Nh = Nh

    def key_schedule_context(self, info: bytes) -> bytes:
        return b"\x00" + prefixed(b"") + prefixed(info)

    def message_key(self, shared_secret: bytes, context: bytes) -> MessageKey:
        key, base_nonce, _ = self._outputs(shared_secret, context)
        return MessageKey(key, base_nonce)

    def exporter_secret(self, shared_secret: bytes, context: bytes) -> Secret:
        return self._outputs(shared_secret, context)[2]

    def _outputs(self, shared_secret: bytes, context: bytes) -> tuple[Secret, Secret, Secret]:
        secrets = prefixed(b"") + prefixed(shared_secret)
        Nk, Nn = self.aead.Nk, self.aead.Nn
        secret = self._derive(secrets, b"secret", context, Nk + Nn + self._Nh)
        return Secret(secret[:Nk]), Secret(secret[Nk : Nk + Nn]), Secret(secret[Nk + Nn :])

    def _export(
        self, shared_secret: bytes, info: bytes, exporter_context: bytes, length: int
    ) -> Secret:
        exporter_secret = self.exporter_secret(shared_secret, self.key_schedule_context(info))
        return Secret(self._derive(exporter_secret, b"sec", exporter_context, length))

    def _derive(self, ikm: bytes, label: bytes, context: bytes, length: int) -> bytes:
        labeled = (
            ikm
            + b"HPKE-v1"
            + self._suite_id
            + prefixed(label)
            + length.to_bytes(2, "big")
            + context
        )
        return self._shake(labeled, length)


def prefixed(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def shake128(data: bytes, length: int) -> bytes:
    return hashlib.shake_128(data).digest(length)


def shake256(data: bytes, length: int) -> bytes:
    return hashlib.shake_256(data).digest(length)


KEMS = {
    0x0010: kems.DHKEM_P256_HKDF_SHA256,
    0x0011: kems.DHKEM_P384_HKDF_SHA384,
    0x0020: kems.DHKEM_X25519_HKDF_SHA256,
    0x0021: kems.DHKEM_X448_HKDF_SHA512,
    0x647A: MLKEM768_X25519,
}
HPKE = {
    (0x0010, 0x0010): OneStageHpke(KEMS[0x0010], 0x0010, shake128, 32, AES_128_GCM),
    (0x0011, 0x0011): OneStageHpke(KEMS[0x0011], 0x0011, shake256, 64, AES_256_GCM),
    (0x647A, 0x0001): Hpke(MLKEM768_X25519, HKDF_SHA256, CHACHA20_POLY1305),
    (0x647A, 0x0011): OneStageHpke(MLKEM768_X25519, 0x0011, shake256, 64, CHACHA20_POLY1305),
}
"""(KEM, KDF) of the vectors that run whole."""

KEM_ALONE = [(0x0020, 0x0012), (0x0021, 0x0013)]
"""Those with TurboSHAKE."""


def name(ids: tuple[int, int]) -> str:
    return f"{ids[0]:#06x}-{ids[1]:#06x}"


each_kem = pytest.mark.parametrize("ids", [*HPKE, *KEM_ALONE], ids=name)
each_whole = pytest.mark.parametrize("ids", HPKE, ids=name)


@pytest.fixture
def cases(official_vectors: Path) -> dict[tuple[int, int], Case]:
    """The vectors of the KEMs above, by KEM and KDF; all are of base mode."""
    cases: list[Case] = json.loads((official_vectors / "hpke" / "hpke-pq.json").read_text())
    ours = [case for case in cases if case["kem_id"] in KEMS]
    assert {case["mode"] for case in ours} == {0}
    return {(case["kem_id"], case["kdf_id"]): case for case in ours}


@pytest.fixture
def case(ids: tuple[int, int], cases: dict[tuple[int, int], Case]) -> Case:
    return cases[ids]


@pytest.fixture
def kem(ids: tuple[int, int]) -> Kem:
    return KEMS[ids[0]]


@pytest.fixture
def hpke(ids: tuple[int, int], case: Case) -> Hpke:
    assert HPKE[ids].aead.hpke_id == case["aead_id"]
    return HPKE[ids]


def test_no_vector_of_these_kems_is_left_out(cases: dict[tuple[int, int], Case]) -> None:
    assert set(cases) == {*HPKE, *KEM_ALONE}


@pytest.mark.requirement("KEYS-3")
@each_kem
def test_key_pairs_are_derived(case: Case, kem: Kem) -> None:
    """But for X448, whose private key is written down clamped: there the public keys are compared."""
    keys = kem.derive_key_pair(unhex(case["ikmR"]))
    assert keys.public == kem.public_key(unhex(case["skRm"])) == unhex(case["pkRm"])
    if kem is not KEMS[0x0021]:
        assert keys.private == unhex(case["skRm"])


@each_kem
def test_encapsulation(case: Case, kem: Kem) -> None:
    kem.check_public_key(unhex(case["pkRm"]))
    shared_secret, enc = kem.encap(unhex(case["pkRm"]), Replay(unhex(case["ikmE"])))
    assert (shared_secret, enc) == (unhex(case["shared_secret"]), unhex(case["enc"]))


@each_kem
def test_decapsulation(case: Case, kem: Kem) -> None:
    shared_secret = kem.decap(unhex(case["enc"]), unhex(case["skRm"]))
    assert shared_secret == unhex(case["shared_secret"])


@each_whole
def test_key_schedule(case: Case, hpke: Hpke) -> None:
    shared_secret, info = unhex(case["shared_secret"]), unhex(case["info"])
    context = hpke.key_schedule_context(info)
    by = hpke.message_key(shared_secret, context)
    assert (by.key, by.base_nonce) == (unhex(case["key"]), unhex(case["base_nonce"]))
    assert hpke.exporter_secret(shared_secret, context) == unhex(case["exporter_secret"])


@each_whole
def test_sealing_and_opening_the_first_message(case: Case, hpke: Hpke) -> None:
    first = case["encryptions"][0]
    info, aad, text = unhex(case["info"]), unhex(first["aad"]), unhex(first["pt"])
    sealed = hpke.seal(unhex(case["pkRm"]), info, aad, text, Replay(unhex(case["ikmE"])))
    assert sealed == (unhex(case["enc"]), unhex(first["ct"]))
    assert hpke.open(unhex(case["enc"]), unhex(case["skRm"]), info, aad, sealed[1]) == text


@each_whole
def test_opening_the_later_messages(case: Case, hpke: Hpke) -> None:
    """A single-shot HPKE makes the first message only; the others' nonces are in the vectors."""
    key = hpke.aead.key(unhex(case["key"]))
    assert len(case["encryptions"]) == 10
    for message in case["encryptions"]:
        nonce, aad = unhex(message["nonce"]), unhex(message["aad"])
        assert key.open(nonce, aad, unhex(message["ct"])) == unhex(message["pt"])
        assert key.seal(nonce, aad, unhex(message["pt"])) == unhex(message["ct"])


@each_whole
def test_exports(case: Case, hpke: Hpke) -> None:
    public, private, info = unhex(case["pkRm"]), unhex(case["skRm"]), unhex(case["info"])
    assert len(case["exports"]) == 5
    for export in case["exports"]:
        context, length = unhex(export["exporter_context"]), export["L"]
        enc, sent = hpke.send_export(public, info, context, length, Replay(unhex(case["ikmE"])))
        received = hpke.receive_export(unhex(case["enc"]), private, info, context, length)
        assert enc == unhex(case["enc"])
        assert sent == received == unhex(export["exported_value"])
