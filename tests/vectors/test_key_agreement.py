"""``vectors/key-agreement.json`` against the implementation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.crypto.signature import ED25519
from e2ee.errors import E2EEError
from e2ee.mls.extension import Extension
from e2ee.profile.call_profile import (
    CALL_PROFILE,
    CallProfile,
    call_profile,
    check_one_to_one,
    group_extensions,
    one_to_one,
)
from e2ee.profile.suites import choose_suite, sframe_suite

Vector = dict[str, Any]


def judge(vector: Vector, judgement: Callable[[], Any]) -> Any:
    """What ``judgement`` gives, or None if it refuses for the reason that the case names."""
    if vector["result"] == "valid":
        return judgement()
    with pytest.raises(E2EEError) as refused:
        judgement()
    assert refused.value.reason == vector["reason"]
    return None


@pytest.mark.vectors("key-agreement", "suite")
def test_suite(vector: Vector) -> None:
    found = judge(vector, lambda: sframe_suite(vector["input"]["mls_suite"]))
    assert found is None or found == vector["output"]["sframe_suite"]


@pytest.mark.vectors("key-agreement", "choice")
def test_choice(vector: Vector) -> None:
    given = vector["input"]
    found = judge(vector, lambda: choose_suite(given["own"], given["certificates"]))
    assert found is None or found == vector["output"]["mls_suite"]


def plain(profile: CallProfile) -> dict[str, Any]:
    values = {name: getattr(profile, name) for name in CallProfile.__dataclass_fields__}
    for name in ("link_id", "delivery_key"):
        values[name] = values[name].hex()
    for name in ("hosts", "accounts", "banned"):
        values[name] = [key.hex() for key in values[name]]
    return {**values, "speakers": [*profile.speakers]}


@pytest.mark.vectors("key-agreement", "call-profile")
def test_call_profile(vector: Vector) -> None:
    data = bytes.fromhex(vector["input"]["call_profile"])
    required, _ = group_extensions(one_to_one(bytes(32), b"\x01" * 32, bytes(32)))

    def judgement() -> CallProfile:
        profile = call_profile((required, Extension(CALL_PROFILE, data)))
        check_one_to_one(profile, bytes.fromhex(vector["input"]["group_id"]))
        return profile

    found = judge(vector, judgement)
    assert found is None or (plain(found), found.encode()) == (vector["output"], data)


@pytest.mark.vectors("key-agreement", "signature")
def test_signature(vector: Vector) -> None:
    public_key, message, signature = (
        bytes.fromhex(vector["input"][name]) for name in ("public_key", "message", "signature")
    )
    judge(vector, lambda: ED25519.verify(public_key, message, signature))
