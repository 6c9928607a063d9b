"""Being invited: an invitation becomes a ringing call, or is refused without any answer (CALL-3 to CALL-5).

Nothing is remembered of an invitation that is refused, but the generations of certificates in it (IDENT-7); who sent it
learns nothing. The order is: open the Welcome, judge the group, judge the members, open the offer, judge the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from e2ee.call.configuration import OFFER_TOLERANCE
from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.key_packages import KeyPackages
from e2ee.call.medium import Medium
from e2ee.call.mls_messages import application_message, body
from e2ee.call.offered_group import fault
from e2ee.call.owner import Owner
from e2ee.call.policy import RINGING_EPOCH
from e2ee.call.roster import CALLER_LEAF, Member
from e2ee.identity.device_certificate import Dates, VerifiedCertificate, check_dates
from e2ee.identity.trust import ContactState
from e2ee.mls.group import ApplicationMessage, Group
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import (
    CallKind,
    CallProfile,
    call_profile,
    check_one_to_one,
    check_ring,
)
from e2ee.profile.leaves import receiver_policy
from e2ee.profile.roster import Roster, roster
from e2ee.profile.suites import check_group_suite
from e2ee.profile.versions import check_group_version
from e2ee.sframe.mls import MAX_LEAF_INDEX
from e2ee.signalling.messages import CALL, GroupOffer, Invited, Offer
from e2ee.signalling.wire import decode

__all__ = ["Invitation", "open_invitation"]


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that may ring: the group in epoch 1, who calls, and what this device knows of the caller."""

    bundle: KeyPackageBundle
    group: Group
    caller: Member
    contact: ContactState
    medium: Medium
    group_offer: GroupOffer | None
    """Of a ring group: the group call to which it invites (GROUP-4)."""


def open_invitation(
    owner: Owner, key_packages: KeyPackages, invited: Invited, now: int
) -> Invitation:
    """What an invitation holds, if it may ring. Changes nothing. Raises RemoteProtocolError."""
    welcome = body(Welcome, invited.welcome)
    bundle = key_packages.find(welcome)
    group = join(welcome, bundle, policy=receiver_policy(now))
    members = _check_group(owner, group, invited.call_id)
    for certificate in members.values():
        check_dates(certificate, now, Dates.RECEIVER)  # IDENT-5
    owner.trust.observe(members.values(), now)
    caller = Member(CALLER_LEAF, members[CALLER_LEAF])
    contact = owner.trust.judge(caller.certificate, now)  # IDENT-7, IDENT-9
    offer = _open_offer(group, invited.offer, now)
    _check_time(offer, now)
    medium = _medium(offer)
    group_offer = offer if isinstance(offer, GroupOffer) else None
    if group_offer is not None and (wrong := fault(group_offer)) is not None:
        raise CallRefused(CallReason.BAD_GROUP_OFFER, wrong)
    # CALL-22: "only when it has verified who calls"
    if owner.trust.is_blocked(caller.account_id) or not owner.may_ring(caller.certificate):
        raise CallRefused(CallReason.MAY_NOT_RING, caller.account_id)
    return Invitation(bundle, group, caller, contact, medium, group_offer)


def _check_group(owner: Owner, group: Group, call_id: bytes) -> Roster:
    """CALL-4, KEYS-2; gives the members."""
    if group.group_id != call_id:  # CALL-1
        raise CallRefused(CallReason.WRONG_CALL_ID)
    if group.epoch != RINGING_EPOCH:
        raise CallRefused(CallReason.NOT_IN_EPOCH_1, f"epoch {group.epoch}")
    profile = call_profile(group.extensions)
    _KINDS.get(profile.kind, _ONE_TO_ONE).check_profile(profile, group.group_id)
    members = roster(group.tree)
    _check_members(owner.certificate, members)
    if profile.accounts != (members[CALLER_LEAF].account_key, owner.certificate.account_key):
        raise CallRefused(CallReason.WRONG_MEMBERS, "not the accounts of the call's profile")
    check_group_suite(
        group.cipher_suite.code_point,
        owner.suites,
        [certificate.suites for certificate in members.values()],
        owner.configuration.minimum_suite,
    )
    check_group_version(
        profile.version,
        owner.versions,
        [certificate.versions for certificate in members.values()],
        owner.configuration.minimum_version,
    )
    return members


def _check_members(own: VerifiedCertificate, members: Roster) -> None:
    # CALL-4: "exactly one leaf of another account, which is leaf 0 ..., otherwise only leaves of its own account"
    others = [leaf for leaf, each in members.items() if each.account_id != own.account_id]
    if others != [CALLER_LEAF]:
        raise CallRefused(CallReason.WRONG_MEMBERS, f"leaves {others} are of other accounts")
    if max(members) > MAX_LEAF_INDEX:  # FKEY-2: a KID has no room for more
        raise CallRefused(CallReason.WRONG_MEMBERS, f"leaf {max(members)}")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an invitation of a kind of call is like."""

    check_profile: Callable[[CallProfile, bytes], None]
    offer: type[Offer | GroupOffer]


_ONE_TO_ONE = _Kind(check_one_to_one, Offer)

_KINDS: Mapping[int, _Kind] = {
    CallKind.ONE_TO_ONE: _ONE_TO_ONE,
    CallKind.RING: _Kind(check_ring, GroupOffer),
}


def _open_offer(group: Group, data: bytes, now: int) -> Offer | GroupOffer:
    sealed = MLSMessage.of(application_message(data))
    opened = group.receive(sealed, policy=receiver_policy(now))
    if not isinstance(opened, ApplicationMessage):
        raise CallRefused(CallReason.NOT_APPLICATION_DATA)
    # CALL-3: "as the first application message of epoch 1 by the caller, `offer`"
    if opened.sender != CALLER_LEAF or opened.generation != 0:
        detail = f"message {opened.generation} of leaf {opened.sender}"
        raise CallRefused(CallReason.NOT_FROM_THE_CALLER, detail)
    offer = decode(CALL, opened.data)
    # CALL-3: "and a `group_offer` ... in a call that is no ring group, and an `offer` in one that is"
    if not isinstance(offer, _KINDS[call_profile(group.extensions).kind].offer):
        raise CallRefused(CallReason.NOT_AN_OFFER, offer.name)
    return offer


def _medium(offer: Offer | GroupOffer) -> Medium:
    # CALL-3: "one whose `medium` is none of `text`, `voice` and `video`"
    try:
        return Medium(offer.medium)
    except ValueError:
        raise CallRefused(CallReason.UNKNOWN_MEDIUM) from None


def _check_time(offer: Offer | GroupOffer, now: int) -> None:
    # CALL-3: "MUST refuse an invitation whose `created_at` is more than 90 s before its clock or more than 90 s after it"
    age = now - offer.created_at
    if age > OFFER_TOLERANCE:
        raise CallRefused(CallReason.OFFER_TOO_OLD, f"{age} ms old")
    if age < -OFFER_TOLERANCE:
        raise CallRefused(CallReason.OFFER_FROM_THE_FUTURE, f"{-age} ms ahead")
