"""The chapter Key agreement: what a call's profile asks of MLS."""

from __future__ import annotations

from typing import Any

from e2ee.conformance.adapter.judging import expect, refusing
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.signature import ED25519
from e2ee.identity.device_certificate import verify_certificate
from e2ee.mls.commit import Commit
from e2ee.mls.extension import Extension
from e2ee.mls.framing import Sender
from e2ee.mls.key_package import KeyPackage, check_key_package, make_key_package_ref
from e2ee.profile import gone, legal_commits
from e2ee.profile.call_profile import (
    CALL_PROFILE,
    CallProfile,
    check_profile,
    group_extensions,
    one_to_one,
)
from e2ee.profile.call_profile import call_profile as profile_among
from e2ee.profile.gone import GoneStatement
from e2ee.profile.join import check_join, check_no_join
from e2ee.profile.leaves import committer_policy, receiver_policy
from e2ee.profile.roster import leaf_certificate
from e2ee.profile.suites import choose_suite, sframe_suite

NOW = 1_800_000_000_000
"""Unix milliseconds at which the KeyPackages of the cases are valid."""


@operation("key-agreement/suite")
@refusing
def suite(given: Given) -> Answer:
    """KEYS-1: the SFrame suite that goes with an MLS suite."""
    return Accepted({"sframe_suite": sframe_suite(given["mls_suite"])})


@operation("key-agreement/choice")
@refusing
def choice(given: Given) -> Answer:
    """KEYS-2: the suite of a new call."""
    return Accepted({"mls_suite": choose_suite(given["own"], given["certificates"])})


@operation("key-agreement/call-profile")
@refusing
def call_profile(given: Given) -> Answer:
    """KEYS-19: what a profile says, which must be encoded again as it came."""
    data = bytes.fromhex(given["call_profile"])
    required, _ = group_extensions(one_to_one(bytes(32), b"\x01" * 32, bytes(32)))
    profile = profile_among((required, Extension(CALL_PROFILE, data)))
    check_profile(profile, bytes.fromhex(given["group_id"]))
    expect(profile.encode(), data, "the profile, encoded again")
    return Accepted(_said(profile))


def _said(profile: CallProfile) -> dict[str, Any]:
    said = {name: getattr(profile, name) for name in CallProfile.__dataclass_fields__}
    for name in ("link_id", "delivery_key"):
        said[name] = said[name].hex()
    for name in ("hosts", "accounts", "banned", "speakers"):
        said[name] = [key.hex() for key in said[name]]
    return said


@operation("key-agreement/signature")
@refusing
def signature(given: Given) -> Answer:
    """Ed25519 as everybody must judge it."""
    public_key, message, signed = (
        bytes.fromhex(given[name]) for name in ("public_key", "message", "signature")
    )
    ED25519.verify(public_key, message, signed)
    return Accepted()


@operation("key-agreement/join")
@refusing
def join(given: Given) -> Answer:
    """KEYS-22: what a KeyPackage may be used for. Else there is nothing wrong with it."""
    key_package = KeyPackage.decode(bytes.fromhex(given["key_package"]))
    of = cipher_suite(key_package.cipher_suite)
    check_key_package(of, key_package, receiver_policy(NOW))
    if given["call_id"] is None:
        check_no_join(key_package)
        return Accepted()
    found = check_join(key_package, bytes.fromhex(given["call_id"]), given["join_policy"])
    return Accepted(
        {
            "call_id": found.call_id.hex(),
            "created_at": found.created_at,
            "link_proof": found.link_proof.hex(),
        }
    )


JUDGED_BY = {"committer": committer_policy, "receiver": receiver_policy}


@operation("key-agreement/key-package")
@refusing
def key_package(given: Given) -> Answer:
    """KEYS-6, KEYS-8, KEYS-26: a KeyPackage that is added."""
    found = KeyPackage.decode(bytes.fromhex(given["key_package"]))
    suite = cipher_suite(given["mls_suite"])
    check_key_package(suite, found, JUDGED_BY[given["by"]](given["now"]))
    whose = leaf_certificate(found.leaf_node)
    return Accepted(
        {
            "key_package_ref": make_key_package_ref(suite, found).hex(),
            "account_id": whose.account_id,
            "account_key": whose.account_key.hex(),
            "device_id": whose.device_id,
        }
    )


@operation("key-agreement/gone-statement")
@refusing
def gone_statement(given: Given) -> Answer:
    """KEYS-24: the delivery service's word that a device is gone."""
    statement = GoneStatement.decode(bytes.fromhex(given["statement"]))
    delivery_key, group_id = (bytes.fromhex(given[name]) for name in ("delivery_key", "group_id"))
    gone.check(statement, delivery_key, group_id, given["epoch"])
    return Accepted({"leaf": statement.leaf, "gone_since": statement.gone_since})


@operation("key-agreement/legal-commit")
@refusing
def legal_commit(given: Given) -> Answer:
    """KEYS-14 and after it: what a member may commit, and the profile that is then in force."""
    profile = CallProfile.decode(bytes.fromhex(given["call_profile"]))
    commit = Commit.decode(bytes.fromhex(given["commit"]))
    members = {
        leaf: verify_certificate(
            bytes.fromhex(member["identity"]), bytes.fromhex(member["signature_key"])
        )
        for leaf, member in enumerate(given["members"])
    }
    found = legal_commits.judge(
        profile,
        bytes.fromhex(given["group_id"]),
        given["epoch"],
        members,
        Sender.member(given["sender"]),
        commit,
        bytes.fromhex(given["authenticated_data"]),
    )
    after = legal_commits.profile_after(profile, commit)
    return Accepted({"commit": found, "call_profile": after.encode().hex()})
