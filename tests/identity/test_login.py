"""A device proves itself to one server, once; an account consents to one directory."""

from __future__ import annotations

import pytest

from e2ee.crypto.signature import ED25519, SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.errors import IdentityReason, ProofError
from e2ee.identity.login import (
    check_server_name,
    login_signature,
    register_signature,
    verify_login,
    verify_register,
)

SERVER = "calls.example"
SERVER_NONCE = bytes(range(32))
CLIENT_NONCE = bytes(range(32, 64))


@pytest.mark.requirement("IDENT-13", "IDENT-14")
def test_the_login_signature_is_what_the_chapter_says(device: SigningKey) -> None:
    signature = login_signature(device, SERVER, SERVER_NONCE, CLIENT_NONCE)
    signed = b"E2EE Call 1.0 Login\x00\x0dcalls.example" + SERVER_NONCE + CLIENT_NONCE
    ED25519.verify(device.public, signed, signature)
    verify_login(SERVER, device.public, SERVER_NONCE, CLIENT_NONCE, signature)


@pytest.mark.requirement("IDENT-14")
def test_a_login_is_for_one_server_and_one_challenge(device: SigningKey, alice: AccountKey) -> None:
    signature = login_signature(device, SERVER, SERVER_NONCE, CLIENT_NONCE)
    for server, key, server_nonce, client_nonce in (
        ("other.example", device.public, SERVER_NONCE, CLIENT_NONCE),
        (SERVER, alice.public, SERVER_NONCE, CLIENT_NONCE),
        (SERVER, device.public, bytes(32), CLIENT_NONCE),
        (SERVER, device.public, SERVER_NONCE, bytes(32)),
        (SERVER, device.public, CLIENT_NONCE, SERVER_NONCE),
    ):
        with pytest.raises(ProofError) as refused:
            verify_login(server, key, server_nonce, client_nonce, signature)
        assert refused.value.reason is IdentityReason.BAD_LOGIN_SIGNATURE


@pytest.mark.requirement("IDENT-14")
def test_a_device_signs_for_no_other_server_than_it_connected_to() -> None:
    check_server_name(connected_to=SERVER, announced=SERVER)
    with pytest.raises(ProofError) as refused:
        check_server_name(connected_to=SERVER, announced="other.example")
    assert refused.value.reason is IdentityReason.WRONG_SERVER


@pytest.mark.requirement("IDENT-13", "IDENT-15")
def test_the_register_signature_is_what_the_chapter_says(alice: AccountKey) -> None:
    signature = register_signature(alice, SERVER)
    signed = b"E2EE Call 1.0 Register\x00\x0dcalls.example\x00\x05alice"
    ED25519.verify(alice.public, signed, signature)
    verify_register(SERVER, "alice", alice.public, signature)


@pytest.mark.requirement("IDENT-15")
def test_a_registration_is_for_one_server_and_one_account(
    alice: AccountKey, device: SigningKey
) -> None:
    signature = register_signature(alice, SERVER)
    for server, account_id, account_key in (
        ("other.example", "alice", alice.public),
        (SERVER, "bob", alice.public),
        (SERVER, "alice", device.public),
    ):
        with pytest.raises(ProofError) as refused:
            verify_register(server, account_id, account_key, signature)
        assert refused.value.reason is IdentityReason.BAD_REGISTER_SIGNATURE
