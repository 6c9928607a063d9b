"""Requests to join, at those who may grant them: a KeyPackage that a committer would add, or is refused (GROUP-9).

The service passes requests on and has read none; who asks may be anybody. What is judged here is what a commit of it would
be refused for, and what only a committer is asked to look at: how old it is, and whether the directory attests the account.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from e2ee.call.configuration import RANK_DELAY
from e2ee.call.epochs import Epochs
from e2ee.call.errors import CallRefused
from e2ee.call.group.configuration import JOIN_AGE
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import Knock
from e2ee.call.mls_messages import body
from e2ee.call.owner import Owner
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.identity.device_certificate import Dates, VerifiedCertificate, check_dates
from e2ee.mls.key_package import KeyPackage, check_key_package
from e2ee.mls.leaf_node_validation import check_compatible
from e2ee.profile.call_profile import CallProfile, JoinPolicy, group_extensions
from e2ee.profile.join import check_join
from e2ee.profile.leaves import committer_policy
from e2ee.profile.roster import leaf_certificate
from e2ee.signalling import messages

__all__ = ["JoinRequest", "check_age", "judge_request", "waits_in_lobby"]


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A request of a device that may be added: it came at ``asked_at``, and is this member's to commit at ``due_at``."""

    key_package: KeyPackage
    knock: Knock
    created_at: int
    """By the clock of who asks."""
    due_at: int

    @property
    def certificate(self) -> VerifiedCertificate:
        """Of who asks."""
        return self.knock.certificate

    def due(self, due_at: int) -> JoinRequest:
        """The same, to be committed at another time."""
        return replace(self, due_at=due_at)


def judge_request(
    owner: Owner, epochs: Epochs, requested: messages.JoinRequested, now: int
) -> JoinRequest:
    """What was passed on, if it may be added, or admitted. Changes nothing but generations seen. Raises RemoteProtocolError."""
    suite, policy = cipher_suite(epochs.suite), committer_policy(now)
    key_package = body(KeyPackage, requested.key_package)
    join = check_join(key_package, requested.call_id, epochs.profile.join_policy)
    check_age(join.created_at, now)
    check_key_package(suite, key_package, policy)
    check_compatible(suite, key_package.leaf_node, group_extensions(epochs.profile))
    certificate = leaf_certificate(key_package.leaf_node)
    check_dates(certificate, now, Dates.COMMITTER)  # IDENT-5
    owner.trust.observe([certificate], now)
    # GROUP-9: "whose certificate is not attested, or of a lower generation than it knows"
    if not owner.trust.attests(certificate, now):
        raise CallRefused(GroupReason.NOT_ATTESTED, certificate.account_id)
    contact = owner.trust.judge(certificate, now)
    _check_account(epochs.profile, certificate)
    _check_link(epochs, key_package)
    # GROUP-8: "MUST commit it k times 1.5 s after it came"
    due_at = now + requested.rank * RANK_DELAY
    return JoinRequest(key_package, Knock(certificate, contact, now), join.created_at, due_at)


def check_age(created_at: int, now: int) -> None:
    """GROUP-9: "whose `join` is older than 60 s or more than 60 s ahead of its clock". Raises CallRefused."""
    age = now - created_at
    if age > JOIN_AGE:
        raise CallRefused(GroupReason.JOIN_TOO_OLD, f"{age} ms")
    if age < -JOIN_AGE:
        raise CallRefused(GroupReason.JOIN_FROM_THE_FUTURE, f"{-age} ms")


def waits_in_lobby(profile: CallProfile, certificate: VerifiedCertificate) -> bool:
    """GROUP-10: whether a host has to admit the account."""
    admitted = profile.admits(certificate.account_key)
    return profile.join_policy == JoinPolicy.ADMITTED and not admitted


def _check_account(profile: CallProfile, certificate: VerifiedCertificate) -> None:
    if certificate.account_key in profile.banned:
        raise CallRefused(GroupReason.BANNED, certificate.account_id)
    # GROUP-9: "or of an account that the join policy does not admit"
    if not profile.admits(certificate.account_key) and not waits_in_lobby(profile, certificate):
        raise CallRefused(GroupReason.NOT_ADMITTED, certificate.account_id)


def _check_link(epochs: Epochs, key_package: KeyPackage) -> None:
    if epochs.profile.join_policy != JoinPolicy.LINK:
        return
    if epochs.link is None:  # then no commit that adds can be made here
        raise CallRefused(GroupReason.LINK_UNKNOWN)
    # GROUP-9: "if the policy is `link`, one whose `link_proof` is not that of the link"
    if not epochs.link.is_proven_by(key_package):
        raise CallRefused(GroupReason.WRONG_LINK_PROOF)
