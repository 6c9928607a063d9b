"""The calls that are going on: their logs are in the store, their states at hand (DS-3, DS-7, DS-10).

The log is the state: a call that is not at hand, after a restart for one, is what its log makes of it, by the checks that
each entry passed. A state at hand is used only if it is that of the whole log. The log of a group call, which may go on for
days, begins with a snapshot: so neither it nor a restart grows with the call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from e2ee.delivery import call_log
from e2ee.delivery.call import Call
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.limits import (
    CALL_IDLE,
    MAX_ACCOUNT_CALLS,
    MAX_CALLS_IN_MEMORY,
    MAX_OPEN_CALLS,
    SNAPSHOT_EVERY,
)
from e2ee.delivery.snapshot import of_snapshot, snapshot
from e2ee.delivery.transaction import CallRecord, LogEntry, Transaction
from e2ee.errors import RemoteProtocolError
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE

__all__ = ["CallTable", "require_room"]

R = TypeVar("R", messages.Open, messages.Commit)


class CallTable:
    """States of calls by id, the least recently used first."""

    def __init__(self, delivery_key: bytes) -> None:
        self._delivery_key = delivery_key
        self._calls: dict[bytes, Call] = {}

    def get(self, tx: Transaction, call_id: bytes, now: int) -> Call:
        """The call as it is now. Raises DeliveryError if there is none, or it is over."""
        record = tx.call(call_id)
        # DS-3: "A call whose log has not grown for 11 minutes is over"
        if record is None or now - record.grown_at > CALL_IDLE:
            raise DeliveryError(DeliveryReason.UNKNOWN_CALL)
        call = self._calls.pop(call_id, None)
        if call is None or not _is_of(call, record):
            call = _replayed(tx, call_id, self._delivery_key)
            call = replace(call, begun_at=record.grown_at)
        self.put(call_id, call)
        return call

    def at_hand(self, tx: Transaction, call_id: bytes) -> Call | None:
        """The call as it is now, if that is known without its log: for what is not worth reading one."""
        call, record = self._calls.get(call_id), tx.call(call_id)
        known = call is not None and record is not None and _is_of(call, record)
        return call if known else None

    def grown(self, tx: Transaction, call_id: bytes, call: Call) -> None:
        """The call's new state. If its log has become long, it begins with the oldest epoch that is remembered."""
        self.put(call_id, call)
        record, oldest = tx.call(call_id), call.past[0].call if call.past else None
        if record is None or oldest is None:
            return
        if oldest.entries - record.begins >= SNAPSHOT_EVERY:
            tx.put_snapshot(call_id, oldest.entries, snapshot(oldest))

    def put(self, call_id: bytes, call: Call) -> None:
        """The call's new state; its log has grown."""
        self._calls.pop(call_id, None)
        self._calls[call_id] = call
        if len(self._calls) > MAX_CALLS_IN_MEMORY:
            del self._calls[next(iter(self._calls))]

    def forget(self) -> None:
        """A transaction was undone, and what is at hand may never have been."""
        self._calls.clear()


def require_room(tx: Transaction, call_id: bytes, device: VerifiedCertificate, now: int) -> None:
    """Raises DeliveryError if this id was used, or this device or its account has too many calls."""
    # DS-3: "A `call_id` MUST NOT be opened twice."
    if tx.call(call_id) is not None:
        raise DeliveryError(DeliveryReason.CALL_ID_USED)
    since = now - CALL_IDLE
    of_device, of_account = tx.count_calls(device.signature_key, device.account_id, since)
    # DS-7: "64 open calls a device and 256 an account"
    if of_device >= MAX_OPEN_CALLS:
        raise DeliveryError(DeliveryReason.TOO_MANY_CALLS, f"at most {MAX_OPEN_CALLS} a device")
    if of_account >= MAX_ACCOUNT_CALLS:
        detail = f"at most {MAX_ACCOUNT_CALLS} an account"
        raise DeliveryError(DeliveryReason.TOO_MANY_CALLS, detail)


def _is_of(call: Call, record: CallRecord) -> bool:
    """Whether a state is that of the whole log: an entry that was taken out may have made place for another one."""
    return (call.entries, call.begun_at) == (record.entries, record.grown_at)


def _replayed(tx: Transaction, call_id: bytes, delivery_key: bytes) -> Call:
    """What a log makes of a call. Raises DeliveryError (LOG_UNREADABLE) if these rules would not have taken it."""
    log, begins_with = tx.log(call_id), tx.snapshot(call_id)
    if not log and begins_with is None:
        raise DeliveryError(DeliveryReason.LOG_UNREADABLE, "no entries")
    try:
        if begins_with is None:
            return _followed(_opened(log[0], delivery_key), log[1:])
        # none but the snapshot, if all that came after it was void
        return _followed(of_snapshot(begins_with), log)
    except RemoteProtocolError as error:
        raise DeliveryError(DeliveryReason.LOG_UNREADABLE, str(error)) from None


def _opened(entry: LogEntry, delivery_key: bytes) -> Call:
    request = _request(entry, messages.Open)
    return call_log.open_call(request, entry.device, delivery_key, entry.received_at)


def _followed(call: Call, commits: Sequence[LogEntry]) -> Call:
    for entry in commits:
        request = _request(entry, messages.Commit)
        call = call_log.commit(call, request, entry.device, entry.received_at).call
    return call


def _request(entry: LogEntry, due: type[R]) -> R:
    request = wire.decode(SERVICE, entry.request)
    if not isinstance(request, due):
        raise DeliveryError(
            DeliveryReason.LOG_UNREADABLE, f"{request.name} in the place of {due.name}"
        )
    return request
