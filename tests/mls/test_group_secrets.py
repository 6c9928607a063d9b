"""What a Welcome carries: nobody else opens it, nothing in it can be exchanged, nothing of it is printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.group_context import GroupContext, ProtocolVersion
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.group_secrets import (
    GroupSecrets,
    PathSecret,
    open_group_info,
    open_group_secrets,
    seal_group_info,
    seal_group_secrets,
)
from e2ee.mls.labels import HPKECiphertext
from e2ee.mls.psk import PreSharedKeyID

SUITE = cipher_suite(0x0001)
ENTROPY = SeededEntropy(b"group secrets")
NEWCOMER = SUITE.hpke.kem.generate_key_pair(ENTROPY)
WELCOME_SECRET = Secret(bytes(range(32)))

secrets = st.binary(max_size=40).map(Secret)
psk_ids = st.builds(PreSharedKeyID.external, st.binary(max_size=8), st.binary(max_size=32))
group_secrets = st.builds(
    GroupSecrets,
    secrets,
    st.none() | st.builds(PathSecret, secrets),
    st.lists(psk_ids, max_size=3).map(tuple),
)
GROUP_INFO = GroupInfo(
    GroupContext(ProtocolVersion.MLS10, 1, b"group", 1, bytes(32), bytes(32), ()),
    (),
    bytes(32),
    0,
    bytes(64),
)


@given(group_secrets)
def test_the_newcomer_opens_what_was_sealed(sent: GroupSecrets) -> None:
    (sealed,) = seal_group_secrets(SUITE, b"info", [(NEWCOMER.public, sent)], ENTROPY)

    assert open_group_secrets(SUITE, NEWCOMER.private, b"info", sealed) == sent


@given(st.binary(min_size=32, max_size=32))
def test_no_secret_is_printed(value: bytes) -> None:
    printed = repr(GroupSecrets(Secret(value), PathSecret(Secret(value)), ()))

    assert repr(value) not in printed
    assert value.hex() not in printed


def test_secrets_that_were_opened_are_hidden_too() -> None:
    sent = GroupSecrets(Secret(bytes(32)), PathSecret(Secret(bytes(32))), ())
    opened = GroupSecrets.decode(sent.encode())

    assert isinstance(opened.joiner_secret, Secret)
    assert opened.path_secret is not None
    assert isinstance(opened.path_secret.path_secret, Secret)


@given(st.data())
def test_a_changed_bit_is_noticed(data: st.DataObject) -> None:
    (sealed,) = seal_group_secrets(
        SUITE, b"info", [(NEWCOMER.public, GroupSecrets(WELCOME_SECRET, None, ()))], ENTROPY
    )
    encoded = bytearray(sealed.ciphertext)
    bit = data.draw(st.integers(0, 8 * len(encoded) - 1))
    encoded[bit // 8] ^= 1 << bit % 8

    changed = HPKECiphertext(sealed.kem_output, bytes(encoded))
    with pytest.raises(ValidationError) as refused:
        open_group_secrets(SUITE, NEWCOMER.private, b"info", changed)
    assert refused.value.reason is Rule.WELCOME_NOT_AUTHENTIC


@pytest.mark.parametrize("kem_output", [b"", bytes(31), bytes(32), bytes(33)])
def test_what_is_no_encapsulation_is_refused(kem_output: bytes) -> None:
    with pytest.raises(ValidationError) as refused:
        open_group_secrets(SUITE, NEWCOMER.private, b"info", HPKECiphertext(kem_output, bytes(64)))
    assert refused.value.reason is Rule.WELCOME_NOT_AUTHENTIC


def test_group_secrets_are_bound_to_their_group_info() -> None:
    (sealed,) = seal_group_secrets(
        SUITE, b"info", [(NEWCOMER.public, GroupSecrets(WELCOME_SECRET, None, ()))], ENTROPY
    )

    with pytest.raises(ValidationError) as refused:
        open_group_secrets(SUITE, NEWCOMER.private, b"other info", sealed)
    assert refused.value.reason is Rule.WELCOME_NOT_AUTHENTIC


def test_group_info_opens_with_its_welcome_secret_only() -> None:
    sealed = seal_group_info(SUITE, WELCOME_SECRET, GROUP_INFO)

    assert open_group_info(SUITE, WELCOME_SECRET, sealed) == GROUP_INFO
    with pytest.raises(ValidationError) as refused:
        open_group_info(SUITE, Secret(bytes(32)), sealed)
    assert refused.value.reason is Rule.GROUP_INFO_NOT_AUTHENTIC
