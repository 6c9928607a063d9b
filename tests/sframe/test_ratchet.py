"""RFC 9605 Section 5.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.sframe.cipher_suite import CIPHER_SUITES, cipher_suite
from e2ee.sframe.errors import OutOfRange
from e2ee.sframe.ratchet import SenderKeyId, ratchet, steps_ahead


def test_a_step_is_extract_and_expand() -> None:
    suite = cipher_suite(0x0004)
    secret = HKDF_SHA256.extract(b"", b"base key")
    assert ratchet(suite, b"base key") == HKDF_SHA256.expand(secret, b"SFrame 1.0 Ratchet", 32)


@pytest.mark.parametrize("code_point", CIPHER_SUITES)
def test_base_keys_have_the_hash_s_length(code_point: int) -> None:
    suite = cipher_suite(code_point)
    assert len(ratchet(suite, b"base key")) == suite.kdf.Nh


@given(first=st.integers(0, 10), second=st.integers(0, 10))
def test_steps_add_up(first: int, second: int) -> None:
    suite = cipher_suite(0x0004)
    halfway = ratchet(suite, bytes(16), first)
    assert ratchet(suite, halfway, second) == ratchet(suite, bytes(16), first + second)


@given(R=st.integers(0, 20), generation=st.integers(0, 1 << 40), step=st.integers(0, 1 << 30))
def test_a_kid_holds_the_generation_and_the_low_bits_of_the_step(
    R: int,  # noqa: N803 - the RFC's name
    generation: int,
    step: int,
) -> None:
    KID = SenderKeyId(generation, step).encode(R)
    assert KID == (generation << R) + step % (1 << R)
    assert SenderKeyId.decode(KID, R) == SenderKeyId(generation, step % (1 << R))


@given(R=st.integers(0, 20), at=st.integers(0, 1 << 30), data=st.data())
def test_a_receiver_knows_how_far_to_go(R: int, at: int, data: st.DataObject) -> None:  # noqa: N803
    ahead = data.draw(st.integers(0, (1 << R) - 1))
    received = SenderKeyId.decode(SenderKeyId(0, at + ahead).encode(R), R)
    assert steps_ahead(at, received.ratchet_step, R) == ahead


@pytest.mark.parametrize(
    "key_id", [SenderKeyId(-1, 0), SenderKeyId(0, -1), SenderKeyId(1 << 61, 0)]
)
def test_numbers_that_no_kid_can_hold_are_refused(key_id: SenderKeyId) -> None:
    with pytest.raises(OutOfRange):
        key_id.encode(3)
