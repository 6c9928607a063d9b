"""Why a call ended, in the words of the chapter Calls where it has a word (CALL-20)."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["EndReason"]


class EndReason(StrEnum):
    """What both sides are told; those that ``hangup`` never carries are for one device's own people."""

    DONE = "done"
    CANCELLED = "cancelled"  # by the caller, before anybody answered
    TIMEOUT = "timeout"  # nobody answered
    DECLINED = "declined"  # by the callee
    REPLACED = "replaced"  # both called, and the other call goes on (CALL-21)
    ANSWER_FAILED = "answer-failed"  # CALL-9
    PROTOCOL_ERROR = "protocol-error"
    REVOKED = "revoked"  # the other side's device, by its account

    BUSY = "busy"  # all devices of the callee are in other calls; at one of these: it was
    ANSWERED_ELSEWHERE = "answered-elsewhere"
    UNREACHABLE = "unreachable"  # no device of the callee that can be called
    LOST = "lost"  # the service, before anybody could be rung
    REFUSED = "refused"  # by the delivery service

    LEFT = "left"  # a group call, by this device's own people
    REMOVED = "removed"  # from a group call
    TURNED_AWAY = "turned-away"  # by a host, who did not admit this device to a group call
