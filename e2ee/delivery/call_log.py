"""The log of one call: the first publicly valid commit of an epoch is the epoch's commit (DS-3 to DS-5).

A ``Call`` is what the service knows at one epoch and never changes; ``open_call`` and ``commit`` either give the next one
or raise and have done nothing. Every check needs public bytes only: the service has no key to anything that it passes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.limits import MAX_DEVICES
from e2ee.delivery.mls_messages import body, check_application_message
from e2ee.identity.device_certificate import Dates, VerifiedCertificate, check_dates
from e2ee.mls.commit import Commit
from e2ee.mls.content_authentication import VerifiedContent, check_group_and_epoch
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.key_package import make_key_package_ref
from e2ee.mls.public_group import PublicGroup, StagedPublicCommit
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import CallProfile, call_profile, check_one_to_one
from e2ee.profile.leaves import receiver_policy
from e2ee.profile.legal_commits import added_certificates, judge, member_leaf_index
from e2ee.profile.roster import Roster, roster
from e2ee.profile.suites import sframe_suite
from e2ee.signalling import messages

__all__ = ["Call", "Entry", "commit", "open_call"]


_OPENED_LEAVES = 2
"""Leaves of an opened call's tree that are looked at. One is allowed (DS-3), and each costs three signatures to verify."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call in one epoch."""

    group: PublicGroup
    profile: CallProfile
    members: Roster

    @property
    def epoch(self) -> int:
        """The epoch whose commit is due next."""
        return self.group.context.epoch

    @property
    def entries(self) -> int:
        """How many entries its log has: one for epoch 0, and the commit that ended each epoch before this one."""
        return self.epoch + 1

    def devices(self) -> list[bytes]:
        """The signature keys of the members, in the order of their leaves."""
        return [certificate.signature_key for certificate in self.members.values()]

    def leaf_of(self, signature_key: bytes) -> int:
        """The leaf index of a member."""
        return next(leaf for leaf, c in self.members.items() if c.signature_key == signature_key)

    def require_member(self, device: VerifiedCertificate) -> None:
        """Raises DeliveryError unless ``device`` is in the group."""
        if device.signature_key not in self.devices():
            raise DeliveryError(DeliveryReason.NOT_A_MEMBER, f"in epoch {self.epoch}")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a commit made: the call after it, and the signature keys of the devices that it added."""

    call: Call
    added: tuple[bytes, ...]


def open_call(
    request: messages.Open, device: VerifiedCertificate, delivery_key: bytes, now: int
) -> Call:
    """The call in epoch 0, as its caller describes it. Raises DeliveryError, or what is wrong with the GroupInfo."""
    group_info = body(GroupInfo, request.group_info)
    context = group_info.group_context
    # DS-3: "a GroupInfo of epoch 0 for this `call_id` whose only leaf is the device that sends it"
    if context.group_id != request.call_id:
        raise DeliveryError(DeliveryReason.WRONG_GROUP)
    if context.epoch != 0:
        raise DeliveryError(DeliveryReason.NOT_EPOCH_0, f"epoch {context.epoch}")
    sframe_suite(context.cipher_suite)  # KEYS-1
    profile = call_profile(context.extensions)
    check_one_to_one(profile, context.group_id)
    if profile.delivery_key != delivery_key:
        raise DeliveryError(DeliveryReason.WRONG_DELIVERY_KEY, "not this service's")
    policy = replace(receiver_policy(now), maximum_leaves=_OPENED_LEAVES)
    group = PublicGroup.from_group_info(group_info, policy)
    call = Call(group, profile, roster(group.tree))
    if call.devices() != [device.signature_key]:
        raise DeliveryError(DeliveryReason.NOT_THE_ONLY_LEAF)
    # KEYS-10: "`accounts` the caller's account key followed by the callee's"
    if profile.caller != device.account_key:
        raise DeliveryError(DeliveryReason.NOT_THE_CALLER, "by the call's profile")
    return call


def commit(call: Call, request: messages.Commit, device: VerifiedCertificate, now: int) -> Entry:
    """The call after this request, whose commit, Welcome and offer are found to belong together (DS-4, DS-5).

    Raises DeliveryError, ProfileError, ValidationError, or whatever else is wrong with a part.
    """
    verified = _verified_commit(call, request.commit, device)
    staged = _staged(call, verified, now)
    added = _added_devices(staged)
    _check_invitation(call, request, staged)
    after = Call(call.group.merge(staged), call.profile, roster(staged.tree))
    return Entry(after, added)


def _verified_commit(call: Call, data: bytes, device: VerifiedCertificate) -> VerifiedContent:
    """DS-4: for this group and epoch, over a connection of the device whose leaf signed it."""
    message = body(PublicMessage, data)
    check_group_and_epoch(call.group.context, message.content.group_id, message.content.epoch)
    call.require_member(device)
    committer = member_leaf_index(message.content.sender)
    verified = call.group.verify(message)
    if call.members[committer].signature_key != device.signature_key:
        raise DeliveryError(DeliveryReason.NOT_THE_COMMITTER, "another member's commit")
    return verified


def _staged(call: Call, verified: VerifiedContent, now: int) -> StagedPublicCommit:
    """DS-4: "passes every check that needs no secret"."""
    policy = receiver_policy(now)
    if isinstance(verified.content, Commit):
        _require_few(verified.content)
        judge(
            call.profile,
            call.group.context.group_id,
            call.epoch,
            call.members,
            verified.sender,
            verified.content,
            verified.authenticated_data,
        )
        for certificate in added_certificates(verified.content):
            check_dates(certificate, now, Dates.RECEIVER)
    return call.group.stage(verified, policy)


def _require_few(commit: Commit) -> None:
    """Raises DeliveryError for more work than a call of two accounts takes."""
    # DS-7: "64 proposals"
    if len(commit.proposals) > MAX_DEVICES:
        detail = f"at most {MAX_DEVICES} proposals in a commit"
        raise DeliveryError(DeliveryReason.TOO_MANY_DEVICES, detail)


def _added_devices(staged: StagedPublicCommit) -> tuple[bytes, ...]:
    return tuple(member.key_package.leaf_node.signature_key for member in staged.applied.added)


def _check_invitation(call: Call, request: messages.Commit, staged: StagedPublicCommit) -> None:
    """Whom a commit adds it invites, with one Welcome for exactly these and one offer; others it does not."""
    if not staged.applied.added:
        if request.welcome is not None or request.offer is not None:
            raise DeliveryError(DeliveryReason.WELCOME_UNEXPECTED, "nobody is added")
        return
    if request.welcome is None or request.offer is None:
        raise DeliveryError(DeliveryReason.WELCOME_MISSING, "who is added gets welcome and offer")
    welcome, suite = body(Welcome, request.welcome), call.group.suite
    due = sorted(make_key_package_ref(suite, m.key_package) for m in staged.applied.added)
    sealed_to = sorted(secrets.new_member for secrets in welcome.secrets)
    if welcome.cipher_suite != suite.code_point or sealed_to != due:
        raise DeliveryError(DeliveryReason.WELCOME_MISMATCH, "not for exactly those who are added")
    epoch = staged.context.epoch
    check_application_message(request.offer, request.call_id, range(epoch, epoch + 1))
