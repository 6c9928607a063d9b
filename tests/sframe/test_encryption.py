"""RFC 9605 Sections 4.4.3 and 4.4.4."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.errors import CryptoReason, OpenError
from e2ee.sframe.cipher_suite import CIPHER_SUITES, CipherSuite, cipher_suite
from e2ee.sframe.counter import Counter
from e2ee.sframe.encryption import decrypt, encrypt
from e2ee.sframe.errors import CounterExhausted
from e2ee.sframe.header import decode_header, encode_header
from e2ee.sframe.key_store import ReceiveKey, SendKey
from e2ee.sframe.replay import ReplayWindow

BASE_KEY = bytes(range(32))
suites = st.sampled_from(list(CIPHER_SUITES.values()))
KIDS = st.integers(0, (1 << 64) - 1)


def send_key(suite: CipherSuite, KID: int, limit: int = 1 << 24) -> SendKey:
    return SendKey.derive(suite, KID, BASE_KEY, Counter(limit))


def opened(suite: CipherSuite, KID: int, metadata: bytes, ciphertext: bytes) -> bytes:
    """Decrypt with the key of ``KID``, whatever the header says."""
    key = ReceiveKey(suite, KID, BASE_KEY, epoch=0, window=ReplayWindow(1))
    _, CTR, end = decode_header(ciphertext)
    return decrypt(key, CTR, ciphertext[:end] + metadata, ciphertext[end:])


@given(suites, KIDS, st.binary(max_size=40), st.lists(st.binary(max_size=200), max_size=12))
def test_every_frame_comes_back(
    suite: CipherSuite, KID: int, metadata: bytes, frames: list[bytes]
) -> None:
    key = send_key(suite, KID)
    for CTR, frame in enumerate(frames):
        ciphertext = encrypt(key, metadata, frame)
        assert ciphertext.startswith(encode_header(KID, CTR))
        assert len(ciphertext) == len(encode_header(KID, CTR)) + len(frame) + suite.aead.Nt
        assert opened(suite, KID, metadata, ciphertext) == frame


@given(KID=KIDS)
def test_headers_are_right_on_both_sides_of_every_length(KID: int) -> None:
    key = send_key(cipher_suite(0x0004), KID)
    at = {CTR: encrypt(key, b"", b"") for CTR in range(258)}
    for CTR in (0, 7, 8, 255, 256, 257):
        assert at[CTR].startswith(encode_header(KID, CTR))


@given(suite=suites, data=st.data())
def test_a_bit_changed_anywhere_is_refused(suite: CipherSuite, data: st.DataObject) -> None:
    key = send_key(suite, 0x4051)
    ciphertext = encrypt(key, b"metadata", b"a frame")
    bit = data.draw(
        st.integers(24, 8 * len(ciphertext) - 1)
    )  # after KID and CTR, which say how to open it
    changed = int.from_bytes(ciphertext, "big") ^ 1 << 8 * len(ciphertext) - 1 - bit
    with pytest.raises(OpenError) as refused:
        opened(suite, 0x4051, b"metadata", changed.to_bytes(len(ciphertext), "big"))
    assert refused.value.reason == CryptoReason.NOT_AUTHENTIC


@given(metadata=st.binary(max_size=9))
def test_metadata_are_authenticated(metadata: bytes) -> None:
    suite = cipher_suite(0x0004)
    ciphertext = encrypt(send_key(suite, 1), b"metadata", b"a frame")
    if metadata == b"metadata":
        return
    with pytest.raises(OpenError):
        opened(suite, 1, metadata, ciphertext)


def test_another_kid_s_key_does_not_open_it() -> None:
    suite = cipher_suite(0x0004)
    ciphertext = encrypt(send_key(suite, 0x51), b"", b"a frame")
    with pytest.raises(OpenError):
        opened(suite, 0x61, b"", ciphertext)


def test_another_counter_does_not_open_it() -> None:
    suite = cipher_suite(0x0004)
    ciphertext = encrypt(send_key(suite, 1), b"", b"a frame")
    with pytest.raises(OpenError):
        opened(suite, 1, b"", encode_header(1, 1) + ciphertext[1:])


@pytest.mark.requirement("FKEY-4")
@given(limit=st.integers(1, 20))
def test_a_key_ends_with_its_counter(limit: int) -> None:
    key = send_key(cipher_suite(0x0004), 0x4051, limit)
    for _ in range(limit):
        encrypt(key, b"", b"a frame")
    for _ in range(3):
        with pytest.raises(CounterExhausted) as ended:
            encrypt(key, b"", b"a frame")
        assert "0x4051" in str(ended.value)
