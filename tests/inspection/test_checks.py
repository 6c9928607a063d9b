"""Signatures are verified where the blob has all that it takes, and otherwise it is said what is missing."""

from __future__ import annotations

import json

import pytest

from e2ee.inspection import Inspection, inspect, inspect_text
from e2ee.shipped import shipped
from e2ee.signalling import wire
from e2ee.signalling.messages import (
    Certificate,
    GroupOffer,
    Login,
    NewLink,
    Publish,
    Register,
    Relays,
)


def vector(chapter: str, case_id: str) -> dict[str, dict[str, str]]:
    document = json.loads((shipped("vectors") / f"{chapter}.json").read_text())
    (case,) = [c for group in document["groups"] for c in group["cases"] if c["id"] == case_id]
    return dict(case)


CERTIFICATE = vector("identity", "certificate-plain")["input"]
KEY_PACKAGE = bytes.fromhex(
    vector("key-agreement", "join-of-a-call-by-link")["input"]["key_package"]
)


def said(found: Inspection) -> dict[str, bool | None]:
    return {check.what: check.holds for check in found.checks}


@pytest.mark.requirement("IDENT-3")
def test_a_key_package_verifies_itself() -> None:
    assert said(inspect(KEY_PACKAGE)) == {
        "KeyPackage signature": True,
        "LeafNode signature": True,
        "account signature": True,
        "attestation": None,
    }


@pytest.mark.parametrize(
    ("offset", "broken"),
    [
        (5, {"KeyPackage signature"}),
        (120, {"KeyPackage signature", "LeafNode signature", "account signature"}),
        (400, {"KeyPackage signature", "LeafNode signature"}),
        (540, {"KeyPackage signature"}),
    ],
)
def test_a_changed_byte_breaks_the_signatures_over_it(offset: int, broken: set[str]) -> None:
    changed = bytearray(KEY_PACKAGE)
    changed[offset] ^= 1
    found = said(inspect(bytes(changed), "key-package"))
    assert {what for what, holds in found.items() if holds is False} == broken


@pytest.mark.requirement("IDENT-3")
def test_a_certificate_is_verified_with_the_key_beside_it() -> None:
    encoded, key = (bytes.fromhex(CERTIFICATE[name]) for name in ("identity", "leaf_signature_key"))
    alone = wire.encode(Certificate(encoded))
    beside = wire.encode(Login(encoded, key, bytes(32), bytes(64)))
    another = wire.encode(Login(encoded, bytes(32), bytes(32), bytes(64)))
    results = [
        said(inspect(data))["account signature"] for data in (encoded, alone, beside, another)
    ]
    assert results == [None, None, True, False]


@pytest.mark.requirement("IDENT-1", "IDENT-2")
def test_of_a_certificate_without_its_key_the_fields_are_judged() -> None:
    encoded = bytes.fromhex(CERTIFICATE["identity"])
    renamed = encoded.replace(b"alice", b"a\x1b[2J")
    fields = [said(inspect(each))["certificate fields"] for each in (encoded, renamed)]
    assert fields == [True, False]


def test_what_a_message_carries_is_checked_in_it() -> None:
    found = inspect(wire.encode(Publish((b"\0\1\0\5" + KEY_PACKAGE,) * 2)))
    assert [check.holds for check in found.checks] == [True, True, True, None] * 2


@pytest.mark.requirement("IDENT-20")
def test_the_text_of_a_new_device_is_verified_and_its_secret_not_shown() -> None:
    case = vector("identity", "link-of-a-recorder")
    found = inspect_text(case["input"]["text"])
    assert found is not None
    assert said(found) == {"device link signature": True}
    secret = found.part.child("secret")
    assert (secret.value, secret.size) == (None, 32)
    assert found.data[secret.offset : secret.offset + 32].hex() not in json.dumps(found.as_json())
    changed = vector("identity", "link-changed-in-roles")["input"]["text"]
    assert (refused := inspect_text(changed)) is not None
    assert said(refused) == {"device link signature": False}


def test_no_secret_of_a_message_or_a_link_is_shown() -> None:
    secret = b"0123456789abcdef0123456789abcdef"
    blobs = [
        inspect(wire.encode(message))
        for message in (
            Register("alice", bytes(32), bytes(64), secret.decode()),
            Relays((), "alice", secret.decode(), 0),
            NewLink(secret),
            GroupOffer(0, "video", bytes(16), (), secret, ()),
        )
    ]
    link = inspect_text(
        "https://calls.example/meet/AAAAAAAAAAAAAAAAAAAAAA#MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
    )
    assert link is not None
    assert (link.stopped, link.part.child("call_id").value) == (None, "00" * 16)
    for found in (*blobs, link):
        shown = json.dumps(found.as_json())
        assert not any(form in shown for form in (secret.decode(), secret.hex(), "MDEyMzQ1"))


@pytest.mark.parametrize("length", [31, 33])
def test_a_secret_of_another_length_than_it_must_have_is_not_shown(length: int) -> None:
    secret = b"0123456789abcdef" * 3
    begin = wire.encode(NewLink(bytes(32)))[:-33]
    found = inspect(begin + bytes([length]) + secret[:length])
    assert found.stopped is not None
    assert found.stopped.reason == "BEYOND_LIMIT"
    assert secret[:16].hex() not in json.dumps(found.as_json())


def test_a_link_without_a_secret_shows_its_host() -> None:
    host = "A" * 42 + "A"
    found = inspect_text(f"https://calls.example/v1/meet/AAAAAAAAAAAAAAAAAAAAAA#host.{host}")
    assert found is not None
    assert (found.stopped, found.part.child("host_key").value) == (None, "00" * 32)


@pytest.mark.parametrize(
    ("link", "offset"),
    [
        ("https://calls.example/AAAAAAAAAAAAAAAAAAAAAA#AAAA", 0),
        ("https://x/meet/AAAA#AAAA", 15),
        ("https://x/meet/AAAAAAAAAAAAAAAAAAAAAA", 38),
        ("https://x/meet/AAAAAAAAAAAAAAAAAAAAAA#host.AAAA", 43),
    ],
)
def test_a_link_that_is_none_says_where(link: str, offset: int) -> None:
    found = inspect_text(link)
    assert found is not None
    assert found.stopped is not None
    assert found.stopped.offset == offset
