"""A group call as it is now, its attendance, and whether a device may ask something of it (DS-16, DS-24)."""

from __future__ import annotations

from e2ee.delivery.attendance import Attendance
from e2ee.delivery.call import Call
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.handling import Handling
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.profile.call_profile import CallProfile
from e2ee.signalling import messages

__all__ = [
    "attend",
    "end_publishing",
    "gone_notice",
    "group_call",
    "leave_out",
    "member_call",
    "require_not_gone",
]


def group_call(at: Handling, call_id: bytes) -> tuple[Call, Attendance]:
    """The call and who is there. Raises DeliveryError if there is none, or it is between two accounts."""
    call = at.service.calls.get(at.tx, call_id, at.now)
    if not call.is_group:
        raise DeliveryError(DeliveryReason.NOT_A_GROUP_CALL)
    return call, attend(at, call_id, call)


def member_call(
    at: Handling, call_id: bytes, device: VerifiedCertificate
) -> tuple[Call, Attendance]:
    """The same, for a member that follows the log. Raises DeliveryError (NOT_A_MEMBER, GONE)."""
    call, attendance = group_call(at, call_id)
    call.require_member(device)
    require_not_gone(attendance, device)
    return call, attendance


def require_not_gone(attendance: Attendance, device: VerifiedCertificate) -> None:
    """Raises DeliveryError for a member that has left, or was not given all of the log."""
    # DS-24: "MUST refuse with `GONE` what it asks of the call, but `join` and `leave`"
    if device.signature_key in attendance.gone:
        raise DeliveryError(DeliveryReason.GONE, "join anew")


def attend(at: Handling, call_id: bytes, call: Call) -> Attendance:
    """Who is there in a group call as it is now."""
    attendance = at.service.attendances.begin(call_id)
    if not attendance.is_of(call.entries, call.begun_at):
        connection_of = at.service.sessions.connection_of
        connected = {key for key in call.leaves if connection_of(key) is not None}
        attendance.follow(call, connected, at.tx.gone(call_id), at.now)
    return attendance


def leave_out(at: Handling, call_id: bytes, attendance: Attendance, signature_key: bytes) -> None:
    """A member cannot follow the log any more: it has no room for an entry, or has ended with one that is void."""
    at.tx.put_gone(call_id, signature_key, gone=True)
    attendance.left(signature_key, at.now)
    connection_id = at.service.sessions.connection_of(signature_key)
    if connection_id is not None:
        at.send(connection_id, gone_notice(call_id))


def end_publishing(at: Handling, call_id: bytes, before: CallProfile, call: Call) -> None:
    """The profile may have changed: who might send media before and may not now publishes nothing more (DS-23)."""
    if call.profile == before:
        return
    for member in call.members.values():
        account_key = member.account_key
        if before.may_speak(account_key) and not call.profile.may_speak(account_key):
            at.service.forwarding.end_publishing(call_id, member.signature_key)


def gone_notice(call_id: bytes) -> messages.Refused:
    """What a member is told that has to join anew."""
    error = DeliveryError(DeliveryReason.GONE, "join anew")
    return messages.Refused("", call_id, error.reason.value, error.detail)
