"""Inviting: from what the directory says of an account to a group and a commit that adds its devices (CALL-2).

Two steps, and the first one believes nobody. The certificates that ``find`` gave come without signature keys: they say
in which suite to ask for KeyPackages, no more. Each KeyPackage that comes is then judged for itself, and who is refused
is left out: a device whose certificate does not verify, is out of date, revoked, of another account, or of an account key
that this device does not take for the account's (IDENT-3, IDENT-5, IDENT-7, IDENT-9, IDENT-10).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.mls_messages import body
from e2ee.call.owner import Owner
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.errors import DecodeError, RemoteProtocolError
from e2ee.identity.device_certificate import (
    MAX_CERTIFICATE,
    Dates,
    DeviceCertificate,
    DeviceStatement,
    VerifiedCertificate,
    check_dates,
)
from e2ee.identity.trust import ContactState
from e2ee.mls.group import Group, PendingCommit
from e2ee.mls.key_package import KeyPackage, check_key_package
from e2ee.mls.leaf_node_validation import check_compatible
from e2ee.mls.proposal import Add
from e2ee.profile.call_profile import (
    CallKind,
    CallProfile,
    group_extensions,
    one_to_one,
    ring,
)
from e2ee.profile.join import check_no_join
from e2ee.profile.leaves import committer_policy
from e2ee.profile.roster import leaf_certificate
from e2ee.profile.suites import check_group_suite, choose_suite
from e2ee.profile.versions import choose_group_version

__all__ = ["Invite", "Judged", "choose_suite_to_claim", "judge_key_packages", "make_invite"]

MAX_CALLEE_DEVICES = 63
"""As many as one commit adds with a Welcome that holds the tree (KEYS-7): the caller's own leaf is the 64th."""


def choose_suite_to_claim(
    owner: Owner, account_id: str, certificates: Sequence[bytes], now: int
) -> int:
    """The MLS suite to claim KeyPackages of, by the certificates of devices that look callable.

    Raises ProfileError (NO_COMMON_SUITE), CallRefused (NO_DEVICE).
    """
    statements = [_statement(encoded) for encoded in certificates]
    callable_now = [s for s in statements if s is not None and _looks_callable(s, account_id, now)]
    if not callable_now:
        raise CallRefused(CallReason.NO_DEVICE, f"of {len(certificates)} certificates")
    return choose_suite(owner.suites, [statement.suites for statement in callable_now])


def _statement(encoded: bytes) -> DeviceStatement | None:
    try:
        return DeviceCertificate.decode(encoded, max_size=MAX_CERTIFICATE).statement
    except DecodeError:
        return None


def _looks_callable(statement: DeviceStatement, account_id: str, now: int) -> bool:
    in_time = statement.not_before <= now // 1000 <= statement.not_after
    return in_time and statement.account_id == account_id.encode()


@dataclass(slots=True)
class Judged:
    """KeyPackages of an account's devices: those to add, and what is wrong with the others."""

    accepted: list[KeyPackage] = field(default_factory=list)
    certificates: list[VerifiedCertificate] = field(default_factory=list)
    changed: list[VerifiedCertificate] = field(default_factory=list)
    refused: list[RemoteProtocolError] = field(default_factory=list)


def judge_key_packages(
    owner: Owner, account_id: str, suite: int, encoded: Sequence[bytes], now: int
) -> Judged:
    """Which of these KeyPackages, answers to a claim, are devices of the account to call."""
    judged, verified = Judged(), []
    for data in encoded[:MAX_CALLEE_DEVICES]:
        try:
            key_package = body(KeyPackage, data)
            certificate = _certificate_of(key_package, account_id, suite, now)
        except RemoteProtocolError as error:
            judged.refused.append(error)
        else:
            verified.append((key_package, certificate))
    owner.trust.observe((certificate for _, certificate in verified), now)  # IDENT-7
    for key_package, certificate in verified:
        _judge(owner, judged, key_package, certificate, now)
    return judged


def _judge(
    owner: Owner,
    judged: Judged,
    key_package: KeyPackage,
    certificate: VerifiedCertificate,
    now: int,
) -> None:
    try:
        # IDENT-10: "MUST be reported", also if a device with the known key was found before
        if owner.trust.judge(certificate, now) is ContactState.CHANGED:
            judged.changed.append(certificate)
            return
        _check_distinct(certificate, [owner.certificate, *judged.certificates])
        _check_fits(owner, key_package, certificate, judged.accepted)
    except RemoteProtocolError as error:
        judged.refused.append(error)
        return
    judged.accepted.append(key_package)
    judged.certificates.append(certificate)


def _certificate_of(
    key_package: KeyPackage, account_id: str, suite: int, now: int
) -> VerifiedCertificate:
    check_no_join(key_package)  # KEYS-21
    check_key_package(cipher_suite(suite), key_package, committer_policy(now))
    certificate = leaf_certificate(key_package.leaf_node)
    # CALL-2: "The caller MUST refuse a KeyPackage whose certificate is not of the account that it calls."
    if certificate.account_id != account_id:
        raise CallRefused(CallReason.WRONG_ACCOUNT, f"of {certificate.account_id}")
    check_dates(certificate, now, Dates.COMMITTER)  # IDENT-5
    return certificate


def _check_distinct(
    certificate: VerifiedCertificate, others: Sequence[VerifiedCertificate]
) -> None:
    """IDENT-11, before a commit is made that everybody would refuse."""
    for other in others:
        same_account = other.account_id == certificate.account_id
        if other.signature_key == certificate.signature_key or (
            same_account and other.device_id == certificate.device_id
        ):
            raise CallRefused(CallReason.DEVICE_TWICE, f"device {certificate.device_id}")
        if same_account and other.account_key != certificate.account_key:
            raise CallRefused(CallReason.WRONG_ACCOUNT, "two account keys for one account")


def _check_fits(
    owner: Owner,
    key_package: KeyPackage,
    certificate: VerifiedCertificate,
    others: Sequence[KeyPackage],
) -> None:
    """What a commit of all of them would be refused for: one odd device must not keep the others from ringing."""
    leaf_node = key_package.leaf_node
    profile = one_to_one(owner.certificate.account_key, certificate.account_key, owner.delivery_key)
    check_compatible(cipher_suite(key_package.cipher_suite), leaf_node, group_extensions(profile))
    if any(leaf_node.encryption_key == other.leaf_node.encryption_key for other in others):
        raise CallRefused(CallReason.DEVICE_TWICE, "an encryption key of another device")


@dataclass(frozen=True, slots=True)
class Invite:
    """A group in epoch 0, and the commit that adds the callee's devices; nothing of it is applied."""

    group: Group
    pending: PendingCommit


_PROFILES: Mapping[CallKind, Callable[[bytes, bytes, bytes, int], CallProfile]] = {
    CallKind.ONE_TO_ONE: one_to_one,
    CallKind.RING: ring,
}


def make_invite(
    owner: Owner, kind: CallKind, call_id: bytes, suite: int, judged: Judged, now: int
) -> Invite:
    """The group of a one-to-one call, or a ring group, with those devices to be added.

    Raises CallRefused (NO_DEVICE), ProfileError (KEYS-2, KEYS-18), ValidationError.
    """
    if not judged.certificates:
        raise CallRefused(CallReason.NO_DEVICE, "; ".join(map(str, judged.refused)))
    listed = [certificate.suites for certificate in judged.certificates]
    check_group_suite(suite, owner.suites, listed, owner.configuration.minimum_suite)
    callee = judged.certificates[0]
    version = choose_group_version(
        owner.versions, [certificate.versions for certificate in judged.certificates]
    )  # KEYS-18
    accounts = owner.certificate.account_key, callee.account_key
    profile = _PROFILES[kind](*accounts, owner.delivery_key, version)
    group = Group.create(
        owner.new_key_package(suite, now),
        group_id=call_id,  # CALL-1
        extensions=group_extensions(profile),
        policy=committer_policy(now),
        entropy=owner.entropy,
    )
    pending = group.commit(
        proposals=[Add(key_package) for key_package in judged.accepted],
        policy=committer_policy(now),
        entropy=owner.entropy,
    )
    for certificate in judged.certificates:
        owner.trust.accept(certificate, now)  # IDENT-8
    return Invite(group, pending)
