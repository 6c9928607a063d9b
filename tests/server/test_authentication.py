"""An application's own users: which tokens count, and which keys are taken to verify them."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from e2ee.server.authentication import JwtKeys, authenticated
from e2ee.server.errors import ConfigurationReason, ServerConfigurationError

ISSUER, AUDIENCE = "https://people.example", "calls.example"
LONG_AGO, FAR_AHEAD = 1_000_000_000, 32_500_000_000

ED25519_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
P256_KEY = generate_ec(SECP256R1())
RSA_KEY = generate_rsa(65537, 2048)

KINDS: dict[type, Any] = {
    type(ED25519_KEY): jwt.algorithms.OKPAlgorithm,
    type(P256_KEY): jwt.algorithms.ECAlgorithm,
    type(RSA_KEY): jwt.algorithms.RSAAlgorithm,
}

CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": FAR_AHEAD}


def public(key: Any, **members: str) -> dict[str, Any]:
    """The JWK of the public half."""
    made: dict[str, Any] = KINDS[type(key)].to_jwk(key.public_key(), as_dict=True)
    return made | members


KEY_SET = {
    "keys": [
        public(ED25519_KEY, kid="a"),
        public(P256_KEY, kid="b"),
        public(RSA_KEY, kid="c"),
    ]
}


def keys(*jwks: dict[str, Any]) -> JwtKeys:
    return JwtKeys({"keys": list(jwks)}, issuer=ISSUER, audience=AUDIENCE)


@pytest.mark.parametrize(
    ("key", "key_id", "algorithm"),
    [(ED25519_KEY, "a", "EdDSA"), (P256_KEY, "b", "ES256"), (RSA_KEY, "c", "RS256")],
    ids=["EdDSA", "ES256", "RS256"],
)
def test_a_token_is_its_subject_s(key: Any, key_id: str, algorithm: str) -> None:
    find = JwtKeys(KEY_SET, issuer=ISSUER, audience=AUDIENCE)
    assert find(jwt.encode(CLAIMS, key, algorithm, headers={"kid": key_id})) == "alice"


def test_a_token_need_not_name_the_only_key() -> None:
    token = jwt.encode(CLAIMS, ED25519_KEY, "EdDSA")
    assert keys(public(ED25519_KEY))(token) == "alice"
    assert keys(public(ED25519_KEY), public(P256_KEY))(token) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another service"},
        {"exp": LONG_AGO},
        {"nbf": FAR_AHEAD},
        {"sub": 7},
        {"iss": None},
        {"aud": None},
        {"exp": None},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_of_others_for_others_or_from_another_time_is_nobody_s(wrong: Any) -> None:
    claims = {name: value for name, value in (CLAIMS | wrong).items() if value is not None}
    assert keys(public(ED25519_KEY))(jwt.encode(claims, ED25519_KEY, "EdDSA")) is None


def test_what_is_signed_by_no_key_of_the_set_is_nobody_s() -> None:
    find = keys(public(ED25519_KEY, kid="a"))
    for token in (
        jwt.encode(CLAIMS, OTHER_KEY, "EdDSA", headers={"kid": "a"}),
        jwt.encode(CLAIMS, ED25519_KEY, "EdDSA", headers={"kid": "b"}),
        "",
        "a.b.c",
        "no token",
    ):
        assert find(token) is None


def test_the_token_does_not_choose_how_it_is_verified() -> None:
    """RFC 8725 Section 2.1: no algorithm at all, and the public key taken as a secret that both sides have."""
    published = ED25519_KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    find = keys(public(ED25519_KEY))
    assert find(jwt.encode(CLAIMS, "", "none")) is None
    assert find(jwt.encode(CLAIMS, published, "HS256")) is None


@pytest.mark.parametrize(
    ("key_set", "says"),
    [
        ({}, "no keys"),
        ({"keys": []}, "no keys"),
        ({"keys": ["key"]}, "no JSON object"),
        ({"keys": [{"kty": "oct", "k": "c2VjcmV0" * 8}]}, "HS256"),
        ({"keys": [public(ED25519_KEY) | {"d": "AAAA"}]}, "private"),
        ({"keys": [{"kty": "OKP", "crv": "X25519", "x": "AAAA"}]}, "cannot be used"),
        ({"keys": [{"kty": "EC", "crv": "P-256", "x": "AAAA"}]}, "cannot be used"),
    ],
    ids=["nothing", "empty", "text", "symmetric", "private", "other curve", "half"],
)
def test_a_set_with_a_key_that_cannot_be_is_refused(key_set: Any, says: str) -> None:
    with pytest.raises(ServerConfigurationError, match=says) as refused:
        JwtKeys(key_set, issuer=ISSUER, audience=AUDIENCE)
    assert refused.value.reason is ConfigurationReason.BAD_KEY_SET


def test_keys_of_other_algorithms_and_short_ones_are_refused() -> None:
    p384 = jwt.algorithms.ECAlgorithm.to_jwk(generate_ec(SECP384R1()).public_key(), as_dict=True)
    short = public(RSA_KEY, n=base64.urlsafe_b64encode(bytes([0x81]) * 128).decode())
    refused = (
        (p384, "ES384"),
        (p384 | {"alg": "ES256"}, "curve 'P-384'"),
        (public(ED25519_KEY, alg="none"), "cannot be used"),
        (short, "1024 bits"),
    )
    for jwk, says in refused:
        with pytest.raises(ServerConfigurationError, match=says):
            keys(jwk)


@pytest.mark.parametrize(("issuer", "audience"), [("", AUDIENCE), (ISSUER, "")])
def test_issuer_and_audience_must_be_named(issuer: str, audience: str) -> None:
    with pytest.raises(ServerConfigurationError, match="any token counts"):
        JwtKeys(KEY_SET, issuer=issuer, audience=audience)


def test_keys_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(KEY_SET))
    token = jwt.encode(CLAIMS, ED25519_KEY, "EdDSA", headers={"kid": "a"})
    assert JwtKeys.load(path, issuer=ISSUER, audience=AUDIENCE)(token) == "alice"
    for content in ("no JSON", "[]"):
        path.write_text(content)
        with pytest.raises(ServerConfigurationError):
            JwtKeys.load(path, issuer=ISSUER, audience=AUDIENCE)


def test_an_application_answers_at_once_or_later_and_is_not_asked_about_nothing() -> None:
    async def look_up(token: str) -> str | None:
        return {"t0ken": "bob"}.get(token)

    def at_once(token: str) -> str | None:
        return {"t0ken": "bob"}[token]

    async def run() -> list[str | None]:
        return [
            await authenticated(look_up, "t0ken"),
            await authenticated(look_up, "other"),
            await authenticated(at_once, "t0ken"),
            await authenticated(at_once, ""),
        ]

    assert asyncio.run(run()) == ["bob", None, "bob", None]
