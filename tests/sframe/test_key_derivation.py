"""RFC 9605 Section 4.4.2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.sframe.cipher_suite import CIPHER_SUITES, Nn, cipher_suite
from e2ee.sframe.key_derivation import derive_key_salt, key_label, salt_label

KIDS = st.integers(0, (1 << 64) - 1)


def test_the_labels_hold_the_whole_kid_and_the_suite() -> None:
    suite = cipher_suite(0x0004)
    tail = bytes.fromhex("00000000000001230004")
    assert key_label(suite, 0x123) == b"SFrame 1.0 Secret key " + tail
    assert salt_label(suite, 0x123) == b"SFrame 1.0 Secret salt " + tail


@pytest.mark.parametrize("code_point", CIPHER_SUITES)
def test_key_and_salt_have_the_suite_s_lengths(code_point: int) -> None:
    suite = cipher_suite(code_point)
    key, salt = derive_key_salt(suite, 1, bytes(16))
    assert (len(key), len(salt)) == (suite.aead.Nk, Nn)


@given(first=KIDS, second=KIDS)
def test_every_kid_has_a_key_and_a_salt_of_its_own(first: int, second: int) -> None:
    suite = cipher_suite(0x0004)
    one, other = (derive_key_salt(suite, KID, bytes(16)) for KID in (first, second))
    assert (one.key == other.key) == (one.salt == other.salt) == (first == second)


def test_suites_with_the_same_lengths_do_not_share_keys() -> None:
    (one, _), (other, _) = (derive_key_salt(cipher_suite(n), 1, bytes(16)) for n in (1, 2))
    assert one != other


def test_neither_shows_itself() -> None:
    derived = derive_key_salt(cipher_suite(0x0004), 1, bytes(16))
    assert derived.key.hex() not in repr(derived)
    assert repr(bytes(derived.salt)) not in repr(derived)
