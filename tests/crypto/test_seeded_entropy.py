"""Seeded randomness repeats itself between runs and never within one."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.errors import CryptoReason, NoEncapsulation
from e2ee.crypto.seeded_entropy import SeededEntropy

LENGTHS = st.lists(st.integers(min_value=16, max_value=200), min_size=1, max_size=20)


@given(st.binary(), LENGTHS)
def test_the_same_seed_and_requests_give_the_same_bytes(seed: bytes, lengths: list[int]) -> None:
    one, two = SeededEntropy(seed), SeededEntropy(seed)
    drawn = [one.random(length) for length in lengths]
    assert drawn == [two.random(length) for length in lengths]
    assert [len(value) for value in drawn] == lengths


@given(st.binary(), LENGTHS)
def test_no_two_requests_share_bytes(seed: bytes, lengths: list[int]) -> None:
    entropy = SeededEntropy(seed)
    assert len({entropy.random(length)[:16] for length in lengths}) == len(lengths)


@given(st.binary(), st.binary())
def test_other_seeds_give_other_bytes(a: bytes, b: bytes) -> None:
    assert (SeededEntropy(a).random(16) == SeededEntropy(b).random(16)) is (a == b)


def test_a_shorter_request_is_no_prefix_of_a_longer_one() -> None:
    assert not SeededEntropy(b"s").random(32).startswith(SeededEntropy(b"s").random(16))


def test_the_stream_is_pinned_because_vectors_are_made_from_it() -> None:
    entropy = SeededEntropy(b"pinned")
    assert entropy.random(16).hex() == "da1b4371ed6109c7cd234d6554275250"
    assert entropy.random(16).hex() == "bf9d06b5778856ae7305ac6663cbf802"
    assert entropy.fork(b"case").random(16).hex() == "fca078a74f52c54d16522fe44cb09e44"


@given(st.binary(), st.lists(st.integers(min_value=0, max_value=64)))
def test_a_fork_does_not_depend_on_what_was_drawn(label: bytes, lengths: list[int]) -> None:
    fresh, used = SeededEntropy(b"s"), SeededEntropy(b"s")
    for length in lengths:
        used.random(length)
    assert fresh.fork(label).random(32) == used.fork(label).random(32)


@given(st.binary(), st.binary())
def test_forks_are_independent(a: bytes, b: bytes) -> None:
    root = SeededEntropy(b"s")
    first, second = root.fork(a).random(32), root.fork(b).random(32)
    assert (first == second) is (a == b)
    assert root.random(32) not in (first, second)


def test_drawing_from_a_fork_does_not_move_its_root() -> None:
    root = SeededEntropy(b"s")
    root.fork(b"case").random(32)
    assert root.random(32) == SeededEntropy(b"s").random(32)


def test_without_an_encapsulation_it_refuses_to_encapsulate() -> None:
    with pytest.raises(NoEncapsulation) as refused:
        SeededEntropy(b"s").mlkem768_encapsulate(bytes(1184))
    assert refused.value.reason is CryptoReason.NO_ENCAPSULATION


def test_openssl_opens_what_a_seeded_encapsulation_made() -> None:
    private = MLKEM768PrivateKey.from_seed_bytes(bytes(range(64)))
    public = private.public_key().public_bytes_raw()
    entropy = SeededEntropy(b"s", ML_KEM_768._encaps_internal)
    shared_secret, ciphertext = entropy.mlkem768_encapsulate(public)
    assert private.decapsulate(ciphertext) == shared_secret
    assert entropy.mlkem768_encapsulate(public) != (shared_secret, ciphertext)
    again = SeededEntropy(b"s", ML_KEM_768._encaps_internal)
    assert again.mlkem768_encapsulate(public) == (shared_secret, ciphertext)


def test_a_fork_can_encapsulate_too() -> None:
    public = MLKEM768PrivateKey.from_seed_bytes(bytes(64)).public_key().public_bytes_raw()
    fork = SeededEntropy(b"s", ML_KEM_768._encaps_internal).fork(b"case")
    assert len(fork.mlkem768_encapsulate(public)[1]) == 1088
