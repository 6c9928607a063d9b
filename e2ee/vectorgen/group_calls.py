"""Vectors of the chapter Group calls: what is derived from a link."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.vectorgen.certificates import label
from e2ee.vectorgen.models import MLS_KDF
from e2ee.vectorgen.registry import Case, Chapter, Group

__all__ = ["CHAPTER"]

links = Group(
    "link",
    "A link's secret and call_id -> what is derived for a call in this MLS suite, and for a KeyPackage with this init_key and leaf"
    " signature_key; and how a URL ends that has the link.",
)


def text(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


@links.vector("GROUP-3", each={"0x0001": 0x0001, "0xf0e2": 0xF0E2})
def link(case: Case, mls_suite: int) -> None:
    """HKDF-SHA256 whatever the suite; the PSK has the length of the suite's hash."""
    secret, call_id = case.entropy.random(32), case.entropy.random(16)
    init_key, signature_key = (case.entropy.random(length) for length in (1_216, 32))
    if mls_suite == 0x0001:
        init_key = init_key[:32]
    _derived(case, mls_suite, secret, call_id, init_key, signature_key)


@links.vector("GROUP-3")
def link_of_zeros(case: Case) -> None:
    """The same steps."""
    _derived(case, 0x0001, bytes(32), bytes(16), bytes(32), bytes(32))


def _derived(
    case: Case,
    mls_suite: int,
    secret: bytes,
    call_id: bytes,
    init_key: bytes,
    signature_key: bytes,
) -> None:
    prk = HKDF_SHA256.extract(b"", secret)
    proof_key = HKDF_SHA256.expand(prk, label("Link proof"), 32)
    proven = label("Link proof") + call_id + init_key + signature_key
    case.input |= {
        "mls_suite": mls_suite,
        "secret": secret,
        "call_id": call_id,
        "init_key": init_key,
        "signature_key": signature_key,
    }
    case.intermediate |= {"prk": prk, "proof_key": proof_key, "proven": proven}
    case.output |= {
        "psk": HKDF_SHA256.expand(prk, label("Link PSK"), MLS_KDF[mls_suite][0].Nh),
        "psk_id": label("Link") + HKDF_SHA256.expand(prk, label("Link id"), 16),
        "link_proof": HKDF_SHA256.hmac(proof_key, proven),
        "url_ends": f"/{text(call_id)}#{text(secret)}",
    }


CHAPTER = Chapter("group-calls", "L4", "Links to group calls.", (links,))
