"""Void entries: a commit of a group call that most members cannot follow is taken out of the log again (DS-20, GROUP-20).

The service cannot tell: what is sealed in a commit only members open. So it believes more than half of those who were connected
and stay in the group, other than the committer. Who an entry removes has no say: it could veto its own removal.
"""

from __future__ import annotations

from dataclasses import replace

from e2ee.delivery.attendance import Attendance
from e2ee.delivery.call import Call, PastEpoch
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.gone_statements import state_due
from e2ee.delivery.group_members import (
    attend,
    end_publishing,
    group_call,
    leave_out,
    require_not_gone,
)
from e2ee.delivery.handling import Handling
from e2ee.delivery.limits import VOID_WITHIN
from e2ee.delivery.mailboxes import deliver
from e2ee.delivery.presence import went
from e2ee.delivery.reports import Disputed
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.signalling import messages

__all__ = ["report_invalid"]


def report_invalid(
    at: Handling, device: VerifiedCertificate, request: messages.ReportInvalid
) -> None:
    """A member says of an entry that it cannot be followed."""
    call, attendance = group_call(at, request.call_id)
    require_not_gone(attendance, device)
    ended = _entry(call, request.epoch, at.now)
    _require_say(ended, device)
    disputed = Disputed(request.call_id, request.epoch, ended.ended_at)
    reporters = at.service.reports.with_one_more(disputed, device.signature_key, at.now)
    having_say = _having_say(at, ended, attendance)
    # DS-20: "more than half of the other connected members of its epoch, without those whom it removes"
    if 2 * len(reporters & having_say) > len(having_say):
        _take_back(at, request, call, ended)


def _entry(call: Call, epoch: int, now: int) -> PastEpoch:
    """The epoch that the reported entry ended. Raises DeliveryError."""
    if epoch >= call.epoch:
        raise DeliveryError(DeliveryReason.WRONG_EPOCH, f"epoch {call.epoch} goes on")
    for ended in call.past:
        # DS-20: "within 5 s"
        if ended.call.epoch == epoch and now - ended.ended_at <= VOID_WITHIN:
            return ended
    raise DeliveryError(DeliveryReason.TOO_LATE, f"more than {VOID_WITHIN // 1000} s ago")


def _require_say(ended: PastEpoch, device: VerifiedCertificate) -> None:
    """Raises DeliveryError unless a device is one of those who are asked about an entry."""
    ended.call.require_member(device)
    if device.signature_key == ended.committer:
        raise DeliveryError(DeliveryReason.OWN_COMMIT)
    if device.signature_key in ended.removed:
        raise DeliveryError(DeliveryReason.NOT_A_MEMBER, "removed by it")


def _having_say(at: Handling, ended: PastEpoch, attendance: Attendance) -> set[bytes]:
    connection_of = at.service.sessions.connection_of
    others = set(ended.call.leaves).difference(ended.removed, attendance.gone, [ended.committer])
    return {key for key in others if connection_of(key) is not None}


def _take_back(at: Handling, request: messages.ReportInvalid, call: Call, ended: PastEpoch) -> None:
    """The log ends before this entry again, and all whom it and the later ones concern are told."""
    void = [past for past in call.past if past.call.epoch >= request.epoch]
    before = call.before(request.epoch)
    if before is None:
        return
    members = before.devices()
    at.tx.take_back(request.call_id, before.entries, at.now, members)
    came = [key for past in void for key in past.added]
    voided = messages.Voided(request.call_id, request.epoch)
    left_out = deliver(at, (), unasked=[(key, voided) for key in dict.fromkeys(members + came)])
    at.service.calls.put(request.call_id, replace(before, begun_at=at.now))
    attendance = attend(at, request.call_id, replace(before, begun_at=at.now))
    for key in came:
        at.service.forwarding.end(request.call_id, key)
    end_publishing(at, request.call_id, call.profile, before)
    # GROUP-17, GROUP-20: who was removed has ended, who came back as a new leaf and who committed go on no more.
    removed = [key for past in void for key in past.removed]
    for key in dict.fromkeys([*removed, ended.committer, *left_out]):
        if key in before.leaves and key not in attendance.gone:
            leave_out(at, request.call_id, attendance, key)
    _close_connection(at, ended.committer, request)
    state_due(at, request.call_id, attendance)


def _close_connection(at: Handling, signature_key: bytes, request: messages.ReportInvalid) -> None:
    """DS-20: "and close the committer's connection"."""
    connection_id = at.service.sessions.connection_of(signature_key)
    if connection_id is None:
        return
    reason, detail = DeliveryReason.COMMIT_VOIDED, f"of epoch {request.epoch}"
    at.send(connection_id, messages.Refused("commit", request.call_id, reason.value, detail))
    at.service.sessions.log_out(connection_id)
    at.service.closing.append((connection_id, reason))
    went(at, signature_key)
