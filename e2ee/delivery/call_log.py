"""The log of one call: the first publicly valid commit of an epoch is the epoch's commit (DS-3 to DS-5, DS-16).

``open_call`` and ``commit`` either give the next ``Call`` or raise and have done nothing. Every check needs public bytes
only: the service has no key to anything that it passes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from e2ee.delivery.call import Call
from e2ee.delivery.commit_work import check_size, check_welcomes, check_work, number_of_adds
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.limits import MAX_GROUP, MAX_HYBRID_GROUP
from e2ee.delivery.mls_messages import body, check_application_message
from e2ee.delivery.pace import check_pace
from e2ee.identity.device_certificate import Dates, VerifiedCertificate, check_dates
from e2ee.mls.commit import Commit
from e2ee.mls.content_authentication import VerifiedContent, check_group_and_epoch
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.key_package import make_key_package_ref
from e2ee.mls.public_group import PublicGroup, StagedPublicCommit
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import CallKind, CallProfile, call_profile, check_profile
from e2ee.profile.leaves import receiver_policy
from e2ee.profile.legal_commits import added_certificates, judge, member_leaf_index
from e2ee.profile.roster import roster
from e2ee.profile.suites import sframe_suite
from e2ee.signalling import messages

__all__ = ["Call", "Entry", "commit", "most_members", "open_call"]


_OPENED_LEAVES = 2
"""Leaves of an opened call's tree that are looked at. One is allowed (DS-3), and each costs three signatures to verify."""

_HYBRID = 0xF0E2


@dataclass(frozen=True, slots=True)
class Entry:
    """What a commit made: the call after it, and the signature keys of the devices that it added and removed; who came
    back as a new leaf is among both. In a group call ``welcomes`` are what each of the added needs of the Welcome."""

    call: Call
    added: tuple[bytes, ...]
    removed: tuple[bytes, ...]
    welcomes: Mapping[bytes, Welcome]


def open_call(
    request: messages.Open, device: VerifiedCertificate, delivery_key: bytes, now: int
) -> Call:
    """The call in epoch 0, as who opens it describes it. Raises DeliveryError, or what is wrong with the GroupInfo."""
    group_info = body(GroupInfo, request.group_info)
    context = group_info.group_context
    # DS-3: "a GroupInfo of epoch 0 for this `call_id` whose only leaf is the device that sends it"
    if context.group_id != request.call_id:
        raise DeliveryError(DeliveryReason.WRONG_GROUP)
    if context.epoch != 0:
        raise DeliveryError(DeliveryReason.NOT_EPOCH_0, f"epoch {context.epoch}")
    sframe_suite(context.cipher_suite)  # KEYS-1
    profile = call_profile(context.extensions)
    check_profile(profile, context.group_id)
    if profile.delivery_key != delivery_key:
        raise DeliveryError(DeliveryReason.WRONG_DELIVERY_KEY, "not this service's")
    policy = replace(receiver_policy(now), maximum_leaves=_OPENED_LEAVES)
    group = PublicGroup.from_group_info(group_info, policy)
    call = Call.of(group, profile, roster(group.tree), now)
    if call.devices() != [device.signature_key]:
        raise DeliveryError(DeliveryReason.NOT_THE_ONLY_LEAF)
    _check_opener(profile, device)
    return call


def commit(
    call: Call,
    request: messages.Commit,
    device: VerifiedCertificate,
    now: int,
    afford: Callable[[int], None] = lambda _: None,
) -> Entry:
    """The call after this request, whose commit, Welcome and offer are found to belong together (DS-4, DS-5).

    ``afford`` is asked with the number of Adds before these are looked at. Raises what it raises, DeliveryError, ProfileError, ValidationError, or whatever else is wrong with a part.
    """
    verified = _verified_commit(call, request.commit, device)
    staged = _staged(call, verified, len(request.commit), now, afford)
    added = tuple(member.key_package.leaf_node.signature_key for member in staged.applied.added)
    removed = tuple(call.members[leaf].signature_key for leaf in staged.applied.removed)
    welcomes = _checked_invitation(call, request, staged)
    profile = call_profile(staged.context.extensions)
    group, members = call.group.merge(staged), roster(staged.tree, call.members)
    after = Call.of(group, profile, members, now)
    if call.is_group:
        _check_room(after, added)
        after = call.followed_by(after, device.signature_key, added, removed)
    return Entry(after, added, removed, welcomes)


def most_members(suite: int) -> int:
    """How many members a group call may have in this suite (DS-7)."""
    return MAX_HYBRID_GROUP if suite == _HYBRID else MAX_GROUP


def _check_opener(profile: CallProfile, device: VerifiedCertificate) -> None:
    if profile.kind == CallKind.GROUP:
        # DS-16: "with the sender's account among the hosts"
        if not profile.is_host(device.account_key):
            raise DeliveryError(DeliveryReason.NOT_A_HOST, "by the call's profile")
    # KEYS-10: "`accounts` the caller's account key followed by the callee's"
    elif profile.caller != device.account_key:
        raise DeliveryError(DeliveryReason.NOT_THE_CALLER, "by the call's profile")


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


def _staged(
    call: Call, verified: VerifiedContent, size: int, now: int, afford: Callable[[int], None]
) -> StagedPublicCommit:
    """DS-4: "passes every check that needs no secret"."""
    policy = receiver_policy(now)
    if isinstance(verified.content, Commit):
        check_work(call, verified.content)
        committer = call.members[member_leaf_index(verified.sender)]
        if call.is_group:
            check_size(call, verified.content, size)
            check_pace(call, verified.content, committer, now)
        afford(number_of_adds(verified.content))
        judge(
            *(call.profile, call.group.context.group_id, call.epoch, call.members),
            *(verified.sender, verified.content, verified.authenticated_data),
        )
        for certificate in added_certificates(verified.content):
            check_dates(certificate, now, Dates.RECEIVER)
    return call.group.stage(verified, policy)


def _check_room(after: Call, added: tuple[bytes, ...]) -> None:
    """DS-7. Raises DeliveryError."""
    most = most_members(after.group.suite.code_point)
    if added and len(after.members) > most:
        raise DeliveryError(DeliveryReason.CALL_FULL, f"at most {most} members in this suite")


def _checked_invitation(
    call: Call, request: messages.Commit, staged: StagedPublicCommit
) -> Mapping[bytes, Welcome]:
    """Whom a commit adds it invites, with one Welcome for exactly these, in a call between two with one offer; others it
    does not. Gives each one's part of the Welcome."""
    added = bool(staged.applied.added)
    if not added and (request.welcome is not None or request.offer is not None):
        raise DeliveryError(DeliveryReason.WELCOME_UNEXPECTED, "nobody is added")
    # DS-16: "A commit comes without an offer"
    if call.is_group and request.offer is not None:
        raise DeliveryError(DeliveryReason.WELCOME_UNEXPECTED, "an offer in a group call")
    if not added:
        return {}
    if request.welcome is None:
        raise DeliveryError(DeliveryReason.WELCOME_MISSING, "who is added gets a Welcome")
    welcomes = _welcomes(call, request.welcome, staged)
    if not call.is_group:
        _check_offer(request, staged.context.epoch)
    return welcomes


def _welcomes(call: Call, data: bytes, staged: StagedPublicCommit) -> Mapping[bytes, Welcome]:
    welcome, suite = body(Welcome, data), call.group.suite
    added = (member.key_package for member in staged.applied.added)
    due = {make_key_package_ref(suite, each): each.leaf_node.signature_key for each in added}
    sealed_to = sorted(secrets.new_member for secrets in welcome.secrets)
    if welcome.cipher_suite != suite.code_point or sealed_to != sorted(due):
        raise DeliveryError(DeliveryReason.WELCOME_MISMATCH, "not for exactly those who are added")
    if call.is_group:
        check_welcomes(welcome)
    # DS-16: "with the Welcome and of its secrets only its own": else a thousand who come together get a thousand times a thousand
    return {due[each.new_member]: replace(welcome, secrets=(each,)) for each in welcome.secrets}


def _check_offer(request: messages.Commit, epoch: int) -> None:
    if request.offer is None:
        raise DeliveryError(DeliveryReason.WELCOME_MISSING, "who is added gets welcome and offer")
    check_application_message(request.offer, request.call_id, range(epoch, epoch + 1))
