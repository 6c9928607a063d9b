"""Vectors of the chapter Group calls: what is derived from a link, how it is written, and scripts (``call_scripts``)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from enum import StrEnum

import e2ee.vectorgen.call_scripts.unfit  # noqa: F401 - adds its cases to two groups
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.vectorgen.call_scripts import group_attacks, group_following, hosting, joining
from e2ee.vectorgen.call_scripts.group_states import STATES
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


texts = Group(
    "link-text",
    "The text of a link to a call at the service whose links begin with https://calls.example/meet/ -> the call_id, and the secret or"
    " the account key of a host.",
)

PLACE = "https://calls.example/meet/"


class Refusal(StrEnum):
    """Why a text is no link to follow here."""

    BAD_LINK = "BAD_LINK"
    OTHER_SERVICE = "OTHER_SERVICE"


@texts.vector("GROUP-3")
def text_with_a_secret(case: Case) -> None:
    """Call and secret, in base64url without padding."""
    call_id, secret = case.entropy.random(16), case.entropy.random(32)
    case.input["text"] = f"{PLACE}{text(call_id)}#{text(secret)}"
    case.output |= {"call_id": call_id, "secret": secret, "host": None}


@texts.vector("GROUP-3")
def text_with_a_host(case: Case) -> None:
    """It names an account instead of a secret."""
    call_id, key = case.entropy.random(16), case.entropy.random(32)
    case.input["text"] = f"{PLACE}{text(call_id)}#host.{text(key)}"
    case.output |= {"call_id": call_id, "secret": None, "host": key}


SPOILT = {
    "without-a-fragment": lambda call_id, _: f"{PLACE}{call_id}",
    "with-an-empty-fragment": lambda call_id, _: f"{PLACE}{call_id}#",
    "with-a-secret-of-31-bytes": lambda call_id, _: f"{PLACE}{call_id}#{text(bytes(31))}",
    "with-a-secret-of-33-bytes": lambda call_id, _: f"{PLACE}{call_id}#{text(bytes(33))}",
    "with-padding": lambda call_id, secret: f"{PLACE}{call_id}#{secret}=",
    "with-a-call-of-15-bytes": lambda _, secret: f"{PLACE}{text(bytes(15))}#{secret}",
    "with-a-host-of-31-bytes": lambda call_id, _: f"{PLACE}{call_id}#host.{text(bytes(31))}",
    "in-ordinary-base64": lambda call_id, _: f"{PLACE}{call_id}#{'+/' * 21}8",
    "without-a-path": lambda _, secret: f"https://calls.example/#{secret}",
    "with-a-scheme-of-no-browser": lambda call_id, secret: (
        f"ftp://calls.example/meet/{call_id}#{secret}"
    ),
}


@texts.vector("GROUP-3", reason=Refusal.BAD_LINK, each=SPOILT)
def text_spoilt(case: Case, spoil: Callable[[str, str], str]) -> None:
    """Something was cut off, or added: nobody asks to be let in with less than all of it."""
    case.input["text"] = spoil(text(case.entropy.random(16)), text(case.entropy.random(32)))


ELSEWHERE = {
    "host": "https://other.example/meet/",
    "scheme": "http://calls.example/meet/",
    "port": "https://calls.example:8443/meet/",
    "path": "https://calls.example/other/meet/",
}


@texts.vector("GROUP-3", reason=Refusal.OTHER_SERVICE, each=ELSEWHERE)
def text_with_another(case: Case, place: str) -> None:
    """The call is somewhere else."""
    call_id, secret = case.entropy.random(16), case.entropy.random(32)
    case.input["text"] = f"{place}{text(call_id)}#{text(secret)}"


@texts.vector("GROUP-3", reason=Refusal.BAD_LINK)
def text_below_another_folder(case: Case) -> None:
    """On the same host, and no link."""
    call_id, secret = case.entropy.random(16), case.entropy.random(32)
    case.input["text"] = f"https://calls.example/{text(call_id)}#{text(secret)}"


CHAPTER = Chapter(
    "group-calls",
    "L4",
    "Links to group calls, and scripts of group calls.",
    (
        links,
        texts,
        joining.GROUP,
        group_following.GROUP,
        hosting.GROUP,
        group_attacks.GROUP,
    ),
    STATES,
)
