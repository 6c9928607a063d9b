"""Proofs towards a server: Register by an account (IDENT-15), Login by a device (IDENT-14).

A device signs the server's name as it knows it, never as the server says, and a nonce of its own beside the
server's: so a server cannot have its own bytes signed, nor pass a login on to another server.
"""

from __future__ import annotations

from e2ee.crypto.errors import BadSignature
from e2ee.crypto.signature import SigningKey
from e2ee.identity.account import AccountKey
from e2ee.identity.errors import IdentityReason, ProofError
from e2ee.identity.labels import SignatureLabel, opaque16, sign_labelled, verify_labelled

__all__ = [
    "check_server_name",
    "login_signature",
    "register_signature",
    "verify_login",
    "verify_register",
]


def check_server_name(connected_to: str, announced: str) -> None:
    """IDENT-14: "it MUST refuse to sign for a server name other than the one that it connected to"."""
    if announced != connected_to:
        raise ProofError(IdentityReason.WRONG_SERVER, "the server announces another name")


def register_signature(account: AccountKey, server_name: str) -> bytes:
    """The account's consent that this server's directory attests its key."""
    content = _register_content(server_name, account.account_id)
    return sign_labelled(account.key, SignatureLabel.REGISTER, content)


def verify_register(
    server_name: str, account_id: str, account_key: bytes, signature: bytes
) -> None:
    """Return if the holder of ``account_key`` asked this server to attest ``account_id``. Raises ProofError."""
    content = _register_content(server_name, account_id)
    try:
        verify_labelled(account_key, SignatureLabel.REGISTER, content, signature)
    except BadSignature:
        raise ProofError(IdentityReason.BAD_REGISTER_SIGNATURE) from None


def login_signature(
    key: SigningKey, server_name: str, server_nonce: bytes, client_nonce: bytes
) -> bytes:
    """The device's proof; ``server_name`` is the one that it connected to, the nonces are 32 bytes each."""
    content = _login_content(server_name, server_nonce, client_nonce)
    return sign_labelled(key, SignatureLabel.LOGIN, content)


def verify_login(
    server_name: str,
    signature_key: bytes,
    server_nonce: bytes,
    client_nonce: bytes,
    signature: bytes,
) -> None:
    """Return if the holder of ``signature_key`` answered this challenge of this server. Raises ProofError."""
    content = _login_content(server_name, server_nonce, client_nonce)
    try:
        verify_labelled(signature_key, SignatureLabel.LOGIN, content, signature)
    except BadSignature:
        raise ProofError(IdentityReason.BAD_LOGIN_SIGNATURE) from None


def _register_content(server_name: str, account_id: str) -> bytes:
    return opaque16(server_name.encode()) + opaque16(account_id.encode())


def _login_content(server_name: str, server_nonce: bytes, client_nonce: bytes) -> bytes:
    return opaque16(server_name.encode()) + server_nonce + client_nonce
