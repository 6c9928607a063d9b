"""What the official vectors of the key schedule do not show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite
from e2ee.crypto.secret import Secret
from e2ee.mls.key_schedule import (
    EPOCH_SECRET_LABELS,
    EpochSecrets,
    derive_epoch_secret,
    derive_psk_secret,
    export,
    zero_secret,
)
from e2ee.mls.labels import derive_secret, expand_with_label
from e2ee.mls.psk import PreSharedKeyID

suites = st.sampled_from(list(CIPHER_SUITES.values()))


def some_secret(suite: CipherSuite, fill: int = 7) -> Secret:
    return Secret(bytes([fill]) * suite.kdf.Nh)


@given(suites)
def test_the_secrets_of_an_epoch_are_all_different(suite: CipherSuite) -> None:
    secrets = EpochSecrets.derive(suite.kdf, some_secret(suite))

    values = {bytes(getattr(secrets, name)) for name in EPOCH_SECRET_LABELS}

    assert len(values) == len(EPOCH_SECRET_LABELS) == 9
    assert all(len(value) == suite.kdf.Nh for value in values)


@given(suites)
def test_no_secret_of_an_epoch_is_printed(suite: CipherSuite) -> None:
    secrets = EpochSecrets.derive(suite.kdf, some_secret(suite))

    for name in EPOCH_SECRET_LABELS:
        assert getattr(secrets, name).hex() not in repr(secrets)
        assert repr(bytes(getattr(secrets, name))) not in repr(secrets)


@given(suites, st.binary(max_size=40), st.binary(max_size=40))
def test_the_exporter_depends_on_its_context(suite: CipherSuite, one: bytes, other: bytes) -> None:
    first = export(suite.kdf, some_secret(suite), "label", one, 32)
    second = export(suite.kdf, some_secret(suite), "label", other, 32)

    assert (first == second) is (one == other)


@given(suites, st.binary(max_size=40))
def test_the_exporter_expands_with_the_hash_of_its_context(
    suite: CipherSuite, context: bytes
) -> None:
    derived = derive_secret(suite.kdf, some_secret(suite), "label")
    of_hash = expand_with_label(suite.kdf, derived, "exported", suite.kdf.hash(context), 16)
    of_context = expand_with_label(suite.kdf, derived, "exported", context, 16)

    exported = export(suite.kdf, some_secret(suite), "label", context, 16)

    assert exported == of_hash
    assert exported != of_context


@pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=lambda suite: suite.name)
def test_without_psks_the_psk_secret_is_zero(suite: CipherSuite) -> None:
    assert derive_psk_secret(suite.kdf, ()) == bytes(suite.kdf.Nh) == zero_secret(suite.kdf)


@given(suites, st.lists(st.binary(min_size=1, max_size=8), min_size=2, max_size=4, unique=True))
def test_the_order_of_psks_matters(suite: CipherSuite, keys: list[bytes]) -> None:
    psks = [(PreSharedKeyID.external(key, bytes(suite.kdf.Nh)), key) for key in keys]

    assert derive_psk_secret(suite.kdf, psks) != derive_psk_secret(suite.kdf, psks[::-1])


@given(suites, st.binary(min_size=1, max_size=8))
def test_the_same_psk_with_another_nonce_is_another_input(suite: CipherSuite, key: bytes) -> None:
    once = PreSharedKeyID.external(b"link", bytes(suite.kdf.Nh))
    again = PreSharedKeyID.external(b"link", bytes(suite.kdf.Nh - 1) + b"\x01")

    assert derive_psk_secret(suite.kdf, [(once, key)]) != derive_psk_secret(
        suite.kdf, [(again, key)]
    )


@given(suites, st.binary(max_size=40), st.binary(max_size=40))
def test_the_epoch_secret_is_bound_to_the_group_context(
    suite: CipherSuite, one: bytes, other: bytes
) -> None:
    joiner_secret, psk_secret = some_secret(suite), zero_secret(suite.kdf)
    first = derive_epoch_secret(suite.kdf, joiner_secret, psk_secret, one)
    second = derive_epoch_secret(suite.kdf, joiner_secret, psk_secret, other)

    assert (first == second) is (one == other)
