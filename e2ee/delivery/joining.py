"""Requests to join group calls, and hosts' answers to them: join, turn_away (DS-17)."""

from __future__ import annotations

from e2ee.delivery.call import Call
from e2ee.delivery.call_log import most_members
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.gone_statements import ranked
from e2ee.delivery.group_members import group_call, member_call
from e2ee.delivery.handling import Handling
from e2ee.delivery.limits import MAX_KEY_PACKAGE
from e2ee.delivery.mls_messages import body
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.mls.key_package import KeyPackage, check_key_package
from e2ee.profile.call_profile import JoinPolicy
from e2ee.profile.join import check_join
from e2ee.profile.leaves import committer_policy
from e2ee.profile.roster import leaf_certificate
from e2ee.signalling import messages

__all__ = ["join", "turn_away"]


def join(at: Handling, device: VerifiedCertificate, request: messages.Join) -> None:
    """Pass on that a device asks to be added. Nothing is kept of it."""
    _spend(at, device, request.call_id)
    call, attendance = group_call(at, request.call_id)
    lobby = _in_lobby(call, device)
    _check_room(call, device)
    _check_key_package(call, device, request, at.now)
    receivers = ranked(at, attendance, but=_not_asked(call, device, lobby=lobby))
    attendance.ask(device.signature_key, at.now)
    at.answer(messages.Joining(request.call_id, lobby))
    for rank, connection_id in enumerate(receivers):
        requested = messages.JoinRequested(request.call_id, request.key_package, rank, lobby)
        at.send(connection_id, requested)


def turn_away(at: Handling, device: VerifiedCertificate, request: messages.TurnAway) -> None:
    """A host does not admit somebody who has asked."""
    call, attendance = member_call(at, request.call_id, device)
    # DS-17: "`turn_away` it takes from hosts only"
    if not call.profile.is_host(device.account_key):
        raise DeliveryError(DeliveryReason.NOT_A_HOST)
    if not attendance.has_asked(request.signature_key, at.now):
        raise DeliveryError(DeliveryReason.NOT_ASKED, "this device has not asked to join")
    connection_id = at.service.sessions.connection_of(request.signature_key)
    if connection_id is not None:
        at.send(connection_id, messages.TurnedAway(request.call_id))


def _spend(at: Handling, device: VerifiedCertificate, call_id: bytes) -> None:
    """DS-7. Raises DeliveryError."""
    spending = at.service.spending
    spending.joins_of_account.spend(device.account_id, at.now)
    spending.joins.spend((device.account_id, call_id), at.now)
    spending.joins_of_call.spend(call_id, at.now)


def _in_lobby(call: Call, device: VerifiedCertificate) -> bool:
    """Whether only hosts are asked. Raises DeliveryError for whom the call is closed to."""
    profile = call.profile
    # DS-17: "from a device that is not banned"
    if device.account_key in profile.banned:
        raise DeliveryError(DeliveryReason.BANNED)
    if profile.admits(device.account_key):
        return False
    # DS-17: "with the policy closed to nobody: it is refused"
    if profile.join_policy != JoinPolicy.ADMITTED:
        raise DeliveryError(DeliveryReason.NOT_ADMITTED, "the call is closed")
    return True


def _check_room(call: Call, device: VerifiedCertificate) -> None:
    """Raises DeliveryError if the call is full, unless the device takes its own place."""
    most = most_members(call.group.suite.code_point)
    same = (c for c in call.members.values() if c.account_id == device.account_id)
    if len(call.members) >= most and device.device_id not in {each.device_id for each in same}:
        raise DeliveryError(DeliveryReason.CALL_FULL, f"{most} members")


def _check_key_package(
    call: Call, device: VerifiedCertificate, request: messages.Join, now: int
) -> None:
    """DS-17: "with a KeyPackage of that device that carries `join` for this call". Raises RemoteProtocolError."""
    if len(request.key_package) > MAX_KEY_PACKAGE:
        raise DeliveryError(DeliveryReason.TOO_MANY_BYTES, f"at most {MAX_KEY_PACKAGE}")
    key_package, suite = body(KeyPackage, request.key_package), call.group.suite
    check_join(key_package, request.call_id, call.profile.join_policy)
    if leaf_certificate(key_package.leaf_node) != device:
        raise DeliveryError(DeliveryReason.NOT_THIS_DEVICE, "of another device or certificate")
    check_key_package(suite, key_package, committer_policy(now))


def _not_asked(call: Call, device: VerifiedCertificate, *, lobby: bool) -> set[bytes]:
    """The members who are not asked: the device itself, and for the lobby all but hosts."""
    others = (
        each.signature_key
        for each in call.members.values()
        if lobby and not call.profile.is_host(each.account_key)
    )
    return {device.signature_key, *others}
