"""What a passphrase seals opens with that passphrase, at its place, unchanged, and no otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_pwhash_alg
from nacl.bindings.crypto_pwhash import crypto_pwhash_ALG_ARGON2ID13

from e2ee.crypto.errors import BadLength, OpenError
from e2ee.crypto.passphrase import Cost, SealingKey
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy

SALT = bytes(range(16))
KEY = SealingKey(Secret(b"k" * 32))
ENTROPY = SeededEntropy(b"tests of passphrases")
PLACE = b"table and name"


def test_the_key_is_argon2ids_of_rfc_9106s_second_recommended_option() -> None:
    """Against libsodium's Argon2id, which knows one lane; the other costs are the RFC's."""
    assert Cost() == Cost(memory=65_536, passes=3, lanes=4)
    theirs = crypto_pwhash_alg(
        32, b"open sesame", SALT, 3, 65_536 * 1024, crypto_pwhash_ALG_ARGON2ID13
    )
    ours = SealingKey.of("open sesame", SALT, Cost(lanes=1))
    sealed = SealingKey(Secret(theirs)).seal(PLACE, b"treasure", ENTROPY)
    assert ours.open(PLACE, sealed) == b"treasure"


def test_passphrase_salt_and_cost_make_the_key() -> None:
    sealed = SealingKey.of("open sesame", SALT, Cost()).seal(PLACE, b"treasure", ENTROPY)
    assert SealingKey.of("open sesame", SALT, Cost()).open(PLACE, sealed) == b"treasure"
    for passphrase, salt, cost in (
        ("open barley", SALT, Cost()),
        ("open sesame", bytes(16), Cost()),
        ("open sesame", SALT, Cost(lanes=1)),
    ):
        with pytest.raises(OpenError):
            SealingKey.of(passphrase, salt, cost).open(PLACE, sealed)


def test_accents_may_be_typed_in_either_way() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    one, other = (SealingKey.of(text, SALT, Cost()) for text in (composed, decomposed))
    assert other.name(PLACE) == one.name(PLACE)


def test_any_text_is_a_passphrase() -> None:
    """Also one that a terminal could not decode, and the empty one."""
    for passphrase in ("", "\udcff", "pass\0phrase", "\N{GRINNING FACE}"):
        key = SealingKey.of(passphrase, SALT, Cost())
        assert key.name(PLACE) != KEY.name(PLACE)


@pytest.mark.parametrize(
    "changed",
    [
        {"memory": 65_535},
        {"memory": (1 << 20) + 1},
        {"passes": 2},
        {"passes": 17},
        {"lanes": 0},
        {"lanes": 17},
    ],
)
def test_a_cheaper_guess_and_one_that_stops_the_machine_are_refused(changed: Any) -> None:
    with pytest.raises(BadLength):
        Cost(**changed)


def test_a_salt_has_16_bytes() -> None:
    assert len(SealingKey.new_salt(ENTROPY)) == 16
    with pytest.raises(BadLength):
        SealingKey.of("open sesame", b"salt", Cost())


@given(place=st.binary(), value=st.binary(max_size=300))
def test_what_is_sealed_opens_at_its_place(place: bytes, value: bytes) -> None:
    sealed = KEY.seal(place, value, ENTROPY)
    assert len(sealed) == len(value) + 40
    opened = KEY.open(place, sealed)
    assert opened == value
    assert isinstance(opened, Secret)
    with pytest.raises(OpenError):
        KEY.open(place + b"x", sealed)


def test_each_sealing_has_a_nonce_of_its_own() -> None:
    sealed = {KEY.seal(PLACE, b"the same", ENTROPY)[:24] for _ in range(100)}
    assert len(sealed) == 100


def test_no_changed_byte_is_opened() -> None:
    sealed = KEY.seal(PLACE, b"treasure", ENTROPY)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(OpenError):
            KEY.open(PLACE, bytes(changed))
    for length in range(len(sealed)):
        with pytest.raises(OpenError):
            KEY.open(PLACE, sealed[:length])


def test_names_tell_nothing_and_stay_the_same() -> None:
    other = SealingKey(Secret(b"K" * 32))
    assert KEY.name(b"alice") == KEY.name(b"alice") != KEY.name(b"bob")
    assert KEY.name(b"alice") != other.name(b"alice")
    assert len(KEY.name(b"alice")) == 32


def test_a_key_does_not_show_itself() -> None:
    assert "b'" not in repr(KEY)
    assert repr(KEY._values) == "Secret(32 bytes)"
