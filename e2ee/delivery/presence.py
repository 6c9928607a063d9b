"""Devices come and go: who is in a call with them is told, and whoever stays away from a group call is gone (DS-11, DS-19)."""

from __future__ import annotations

from collections.abc import Iterator

from e2ee.delivery import limits
from e2ee.delivery.call import Call
from e2ee.delivery.gone_statements import give_to
from e2ee.delivery.group_members import gone_notice
from e2ee.delivery.handling import Handling
from e2ee.signalling import messages

__all__ = ["CALL_EPOCH", "came", "returned", "went"]

CALL_EPOCH = 2
"""CALL-7: "Epoch 2 is the call.\""""


def came(at: Handling, signature_key: bytes) -> None:
    """A device that was not connected is: those who are connected and in a call with it are told."""
    _tell_presence(at, signature_key, connected=True)


def returned(at: Handling, signature_key: bytes) -> None:
    """A device has logged in where the request came from. It is told who of its calls is not connected, or gone."""
    for call_id in at.tx.calls_of(signature_key, at.now - limits.CALL_IDLE):
        attendance = at.service.attendances.of(call_id)
        if attendance is not None and signature_key in attendance.leaves:
            attendance.came(signature_key)
            give_to(at, call_id, attendance, signature_key)
        if signature_key in at.tx.gone(call_id):
            at.answer(gone_notice(call_id))
    for call_id, call in _calls_of(at, signature_key):
        for other in call.devices():
            if at.service.sessions.connection_of(other) is None:
                at.answer(messages.Presence(call_id, call.leaf_of(other), connected=False))


def went(at: Handling, signature_key: bytes) -> None:
    """A device's connection, or its session there, is gone."""
    for call_id in at.tx.calls_of(signature_key, at.now - limits.CALL_IDLE):
        attendance = at.service.attendances.of(call_id)
        if attendance is not None:
            attendance.went(signature_key, at.now)
    _tell_presence(at, signature_key, connected=False)


def _tell_presence(at: Handling, signature_key: bytes, *, connected: bool) -> None:
    for call_id, call in _calls_of(at, signature_key):
        presence = messages.Presence(call_id, call.leaf_of(signature_key), connected)
        for other in call.devices():
            connection_id = at.service.sessions.connection_of(other)
            if connection_id is not None and other != signature_key:
                at.send(connection_id, presence)


def _calls_of(at: Handling, signature_key: bytes) -> Iterator[tuple[bytes, Call]]:
    """Those of which presence is sent."""
    for call_id in at.tx.calls_of(signature_key, at.now - limits.CALL_IDLE):
        # Coming and going has to be cheap: after a restart, what a call says first has its log read.
        call = at.service.calls.at_hand(at.tx, call_id)
        if call is not None and _is_told_of(call):
            yield call_id, call


def _is_told_of(call: Call) -> bool:
    if call.is_group:
        # DS-22: "Of a group call of more than 64 members no `presence` is sent."
        return len(call.members) <= limits.MAX_PRESENCE_GROUP
    # DS-11: "It MUST send none of a call that nobody has answered"
    return call.epoch >= CALL_EPOCH
