"""``vectors/key-agreement.json`` against the implementation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.signature import ED25519
from e2ee.errors import E2EEError
from e2ee.identity.device_certificate import verify_certificate
from e2ee.mls.commit import Commit
from e2ee.mls.extension import Extension
from e2ee.mls.framing import Sender
from e2ee.mls.key_package import KeyPackage, check_key_package
from e2ee.profile import gone, legal_commits
from e2ee.profile.call_profile import (
    CALL_PROFILE,
    CallProfile,
    call_profile,
    check_profile,
    group_extensions,
    one_to_one,
)
from e2ee.profile.gone import GoneStatement
from e2ee.profile.join import check_join, check_no_join
from e2ee.profile.leaves import receiver_policy
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
    for name in ("hosts", "accounts", "banned", "speakers"):
        values[name] = [key.hex() for key in values[name]]
    return values


@pytest.mark.vectors("key-agreement", "call-profile")
def test_call_profile(vector: Vector) -> None:
    data = bytes.fromhex(vector["input"]["call_profile"])
    required, _ = group_extensions(one_to_one(bytes(32), b"\x01" * 32, bytes(32)))

    def judgement() -> CallProfile:
        profile = call_profile((required, Extension(CALL_PROFILE, data)))
        check_profile(profile, bytes.fromhex(vector["input"]["group_id"]))
        return profile

    found = judge(vector, judgement)
    assert found is None or (plain(found), found.encode()) == (vector["output"], data)


@pytest.mark.vectors("key-agreement", "join")
def test_join(vector: Vector) -> None:
    given = vector["input"]
    key_package = KeyPackage.decode(bytes.fromhex(given["key_package"]))
    suite = cipher_suite(key_package.cipher_suite)
    check_key_package(suite, key_package, receiver_policy(1_800_000_000_000))
    if given["call_id"] is None:
        judge(vector, lambda: check_no_join(key_package))
        return
    call_id = bytes.fromhex(given["call_id"])
    found = judge(vector, lambda: check_join(key_package, call_id, given["join_policy"]))
    assert found is None or vector["output"] == {
        "call_id": found.call_id.hex(),
        "created_at": found.created_at,
        "link_proof": found.link_proof.hex(),
    }


@pytest.mark.vectors("key-agreement", "gone-statement")
def test_gone_statement(vector: Vector) -> None:
    given = vector["input"]
    statement = GoneStatement.decode(bytes.fromhex(given["statement"]))
    delivery_key, group_id = (bytes.fromhex(given[name]) for name in ("delivery_key", "group_id"))
    judge(vector, lambda: gone.check(statement, delivery_key, group_id, given["epoch"]))
    if vector["result"] == "valid":
        said = {"leaf": statement.leaf, "gone_since": statement.gone_since}
        assert vector["output"] == said


@pytest.mark.vectors("key-agreement", "legal-commit")
def test_legal_commit(vector: Vector) -> None:
    given = vector["input"]
    profile = CallProfile.decode(bytes.fromhex(given["call_profile"]))
    commit = Commit.decode(bytes.fromhex(given["commit"]))
    members = {
        leaf: verify_certificate(
            bytes.fromhex(member["identity"]), bytes.fromhex(member["signature_key"])
        )
        for leaf, member in enumerate(given["members"])
    }
    found = judge(
        vector,
        lambda: legal_commits.judge(
            profile,
            bytes.fromhex(given["group_id"]),
            given["epoch"],
            members,
            Sender.member(given["sender"]),
            commit,
            bytes.fromhex(given["authenticated_data"]),
        ),
    )
    assert found is None or vector["output"] == {
        "commit": found,
        "call_profile": legal_commits.profile_after(profile, commit).encode().hex(),
    }


@pytest.mark.vectors("key-agreement", "signature")
def test_signature(vector: Vector) -> None:
    public_key, message, signature = (
        bytes.fromhex(vector["input"][name]) for name in ("public_key", "message", "signature")
    )
    judge(vector, lambda: ED25519.verify(public_key, message, signature))
