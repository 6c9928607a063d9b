"""The published vectors of HPKE's post-quantum KEMs (draft-ietf-hpke-pq), those of KEM 0x647a.

There are two: one with HKDF-SHA256, and one with SHAKE256, a one-stage KDF that no MLS suite here uses. The second
is run too, with the one-stage key schedule of draft-ietf-hpke-hpke put together below, because it is the KEM that is
being checked.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.aead import CHACHA20_POLY1305, Aead
from e2ee.crypto.hpke import Hpke, KeySchedule
from e2ee.crypto.hybrid_kem import MLKEM768_X25519
from e2ee.crypto.kdf import HKDF_SHA256, Kdf
from e2ee.crypto.kem import Kem
from e2ee.crypto.secret import Secret

Case = dict[str, Any]
unhex = bytes.fromhex


class Replay:
    """The randomness of an encapsulation as the vectors hold it: ML-KEM's 32 bytes, then X25519's."""

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
    """Hpke with SHAKE256 for its KDF: CombineSecrets_OneStage and LabeledDerive of draft-ietf-hpke-hpke."""

    kdf_id = 0x0011

    def __init__(self, kem: Kem, aead: Aead) -> None:
        super().__init__(kem, Kdf("SHAKE256", self.kdf_id, 64, HKDF_SHA256.algorithm), aead)
        ids = (kem.kem_id, self.kdf_id, aead.hpke_id)
        self._suite_id = b"HPKE" + b"".join(n.to_bytes(2, "big") for n in ids)

    def key_schedule(self, shared_secret: bytes, info: bytes) -> KeySchedule:
        secrets = prefixed(b"") + prefixed(shared_secret)
        context = b"\x00" + prefixed(b"") + prefixed(info)
        Nk, Nn = self.aead.Nk, self.aead.Nn
        secret = self._derive(secrets, b"secret", context, Nk + Nn + 64)
        return KeySchedule(
            Secret(secret[:Nk]), Secret(secret[Nk : Nk + Nn]), Secret(secret[Nk + Nn :])
        )

    def _export(
        self, shared_secret: bytes, info: bytes, exporter_context: bytes, length: int
    ) -> Secret:
        exporter_secret = self.key_schedule(shared_secret, info).exporter_secret
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
        return hashlib.shake_256(labeled).digest(length)


def prefixed(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


HPKE = {
    0x0001: Hpke(MLKEM768_X25519, HKDF_SHA256, CHACHA20_POLY1305),
    0x0011: OneStageHpke(MLKEM768_X25519, CHACHA20_POLY1305),
}


@pytest.fixture(params=HPKE.keys(), ids=["HKDF-SHA256", "SHAKE256"])
def case(request: pytest.FixtureRequest, official_vectors: Path) -> Case:
    """The one vector of KEM 0x647a with this KDF."""
    cases: list[Case] = json.loads((official_vectors / "hpke" / "hpke-pq.json").read_text())
    (only,) = (c for c in cases if c["kem_id"] == 0x647A and c["kdf_id"] == request.param)
    assert (only["mode"], only["aead_id"]) == (0, CHACHA20_POLY1305.hpke_id)
    return only


@pytest.fixture
def hpke(case: Case) -> Hpke:
    return HPKE[case["kdf_id"]]


@pytest.mark.requirement("KEYS-3")
def test_key_pairs_are_derived(case: Case) -> None:
    keys = MLKEM768_X25519.derive_key_pair(unhex(case["ikmR"]))
    assert (keys.private, keys.public) == (unhex(case["skRm"]), unhex(case["pkRm"]))
    assert MLKEM768_X25519.public_key(unhex(case["skRm"])) == unhex(case["pkRm"])


def test_encapsulation(case: Case) -> None:
    MLKEM768_X25519.check_public_key(unhex(case["pkRm"]))
    shared_secret, enc = MLKEM768_X25519.encap(unhex(case["pkRm"]), Replay(unhex(case["ikmE"])))
    assert (shared_secret, enc) == (unhex(case["shared_secret"]), unhex(case["enc"]))


def test_decapsulation(case: Case) -> None:
    shared_secret = MLKEM768_X25519.decap(unhex(case["enc"]), unhex(case["skRm"]))
    assert shared_secret == unhex(case["shared_secret"])


def test_key_schedule(case: Case, hpke: Hpke) -> None:
    schedule = hpke.key_schedule(unhex(case["shared_secret"]), unhex(case["info"]))
    assert schedule == KeySchedule(
        Secret(unhex(case["key"])),
        Secret(unhex(case["base_nonce"])),
        Secret(unhex(case["exporter_secret"])),
    )


def test_sealing_and_opening_the_first_message(case: Case, hpke: Hpke) -> None:
    first = case["encryptions"][0]
    info, aad, text = unhex(case["info"]), unhex(first["aad"]), unhex(first["pt"])
    sealed = hpke.seal(unhex(case["pkRm"]), info, aad, text, Replay(unhex(case["ikmE"])))
    assert sealed == (unhex(case["enc"]), unhex(first["ct"]))
    assert hpke.open(unhex(case["enc"]), unhex(case["skRm"]), info, aad, sealed[1]) == text


def test_opening_the_later_messages(case: Case, hpke: Hpke) -> None:
    """A single-shot HPKE makes the first message only; the others' nonces are in the vectors."""
    key = hpke.aead.key(unhex(case["key"]))
    assert len(case["encryptions"]) == 10
    for message in case["encryptions"]:
        nonce, aad = unhex(message["nonce"]), unhex(message["aad"])
        assert key.open(nonce, aad, unhex(message["ct"])) == unhex(message["pt"])
        assert key.seal(nonce, aad, unhex(message["pt"])) == unhex(message["ct"])


def test_exports(case: Case, hpke: Hpke) -> None:
    public, private, info = unhex(case["pkRm"]), unhex(case["skRm"]), unhex(case["info"])
    assert len(case["exports"]) == 5
    for export in case["exports"]:
        context, length = unhex(export["exporter_context"]), export["L"]
        enc, sent = hpke.send_export(public, info, context, length, Replay(unhex(case["ikmE"])))
        received = hpke.receive_export(unhex(case["enc"]), private, info, context, length)
        assert enc == unhex(case["enc"])
        assert sent == received == unhex(export["exported_value"])
