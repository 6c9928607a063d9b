"""The operating system's randomness does not repeat and encapsulates to whoever holds the key."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey

from e2ee.crypto.system_entropy import SystemEntropy


def test_it_gives_the_length_that_was_asked_for() -> None:
    assert [len(SystemEntropy().random(length)) for length in (0, 1, 32, 1000)] == [0, 1, 32, 1000]


def test_it_does_not_repeat() -> None:
    assert len({SystemEntropy().random(16) for _ in range(100)}) == 100


def test_the_holder_of_the_key_decapsulates() -> None:
    private = MLKEM768PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    shared_secret, ciphertext = SystemEntropy().mlkem768_encapsulate(public)
    assert private.decapsulate(ciphertext) == shared_secret
    assert SystemEntropy().mlkem768_encapsulate(public)[0] != shared_secret


@pytest.mark.parametrize("public", [bytes(1183), bytes(1185), b"\xff" * 1184])
def test_a_key_that_fails_the_check_of_fips_203_is_refused(public: bytes) -> None:
    with pytest.raises(ValueError, match="ML-KEM"):
        SystemEntropy().mlkem768_encapsulate(public)
