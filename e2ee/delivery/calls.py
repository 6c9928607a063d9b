"""Requests of calls: open, commit, send; and who of a call is connected (DS-3 to DS-6, DS-11)."""

from __future__ import annotations

from collections.abc import Iterator

from e2ee.delivery import call_log, limits
from e2ee.delivery.call_log import Call
from e2ee.delivery.call_table import require_room
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.handling import Handling
from e2ee.delivery.mailboxes import Kept, deliver
from e2ee.delivery.mls_messages import check_application_message
from e2ee.delivery.transaction import LogEntry
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.signalling import messages, wire

__all__ = ["commit", "open_call", "send", "tell_presence", "tell_who_is_away"]

_CALL_EPOCH = 2
"""CALL-7: "Epoch 2 is the call.\""""


def open_call(at: Handling, device: VerifiedCertificate, request: messages.Open) -> None:
    """Begin a call's log (DS-3)."""
    require_room(at.tx, request.call_id, device, at.now)
    delivery_key = at.service.identity.delivery_key.public
    call = call_log.open_call(request, device, delivery_key, at.now)
    at.tx.add_call(request.call_id, LogEntry(device, at.now, wire.encode(request)))
    at.service.calls.put(request.call_id, call)


def commit(at: Handling, device: VerifiedCertificate, request: messages.Commit) -> None:
    """Take an epoch's commit into the log, and tell all whom it concerns (DS-4, DS-5)."""
    call = at.service.calls.get(at.tx, request.call_id, at.now)
    _require_sendable(request.commit, request.welcome or b"", request.offer or b"")
    _require_short(request.offer or b"")
    _require_room_in_log(call, request)
    entry = call_log.commit(call, request, device, at.now)
    logged = LogEntry(device, at.now, wire.encode(request))
    at.tx.add_entry(request.call_id, call.entries, logged, entry.call.devices())
    # Who is removed learns so from the entry (CALL-10), so it goes to the members of the epoch that it ends.
    committed = messages.Committed(request.call_id, request.commit)
    stay = set(entry.call.devices())
    removed = [member for member in call.devices() if member not in stay]
    outgoing: list[tuple[bytes, Kept]] = [(m, committed) for m in call.devices() if m in stay]
    unasked: list[tuple[bytes, Kept]] = [(member, committed) for member in removed]
    if request.welcome is not None and request.offer is not None:
        invited = messages.Invited(request.call_id, request.welcome, request.offer)
        unasked += [(newcomer, invited) for newcomer in entry.added]
    least = 1 if entry.added else 0
    deliver(at, outgoing, unasked=unasked, sender=device.account_id, least=least)
    at.service.calls.put(request.call_id, entry.call)


def send(at: Handling, device: VerifiedCertificate, request: messages.Send) -> None:
    """Relay application data (DS-6)."""
    call = at.service.calls.get(at.tx, request.call_id, at.now)
    # DS-6: "only from devices that are members of the call's group to the other members"
    call.require_member(device)
    _require_sendable(request.message)
    epochs = range(max(0, call.epoch - 1), call.epoch + 1)
    check_application_message(request.message, request.call_id, epochs)
    sent = messages.Sent(request.call_id, request.message)
    others: list[tuple[bytes, Kept]] = [
        (key, sent) for key in call.devices() if key != device.signature_key
    ]
    if call.epoch >= _CALL_EPOCH:
        deliver(at, others)
    else:
        _require_short(request.message)
        deliver(at, (), unasked=others, sender=device.account_id, least=1)
    at.answer(messages.Stored(request.name, request.call_id))


def tell_presence(at: Handling, signature_key: bytes, *, connected: bool) -> None:
    """A device's connection has come back, or gone: those who are connected and in a call with it are told (DS-11)."""
    for call_id, call in _calls_of(at, signature_key):
        presence = messages.Presence(call_id, call.leaf_of(signature_key), connected)
        for other in call.devices():
            connection_id = at.service.sessions.connection_of(other)
            if connection_id is not None and other != signature_key:
                at.send(connection_id, presence)


def tell_who_is_away(at: Handling, signature_key: bytes) -> None:
    """A device that has come back is told which other members of its calls are not connected (DS-11)."""
    for call_id, call in _calls_of(at, signature_key):
        for other in call.devices():
            if at.service.sessions.connection_of(other) is None:
                at.answer(messages.Presence(call_id, call.leaf_of(other), connected=False))


def _calls_of(at: Handling, signature_key: bytes) -> Iterator[tuple[bytes, Call]]:
    for call_id in at.tx.calls_of(signature_key, at.now - limits.CALL_IDLE):
        # Coming and going has to be cheap: after a restart, what a call says first has its log read.
        call = at.service.calls.at_hand(at.tx, call_id)
        # DS-11: "It MUST send none of a call that nobody has answered"
        if call is not None and call.epoch >= _CALL_EPOCH:
            yield call_id, call


def _require_room_in_log(call: Call, request: messages.Commit) -> None:
    """DS-7. Raises DeliveryError."""
    if call.entries >= limits.MAX_LOG_ENTRIES:
        detail = f"at most {limits.MAX_LOG_ENTRIES} entries"
        raise DeliveryError(DeliveryReason.TOO_MANY_COMMITS, detail)
    if request.welcome is None and len(request.commit) > limits.MAX_COMMIT:
        detail = f"at most {limits.MAX_COMMIT} in a commit that adds nobody"
        raise DeliveryError(DeliveryReason.TOO_MANY_BYTES, detail)


def _require_short(message: bytes) -> None:
    """DS-7: "a message of epochs 0 and 1, an offer". Raises DeliveryError."""
    if len(message) > limits.MAX_RELAYED_BYTES_RINGING:
        detail = f"at most {limits.MAX_RELAYED_BYTES_RINGING} before somebody answers"
        raise DeliveryError(DeliveryReason.TOO_MANY_BYTES, detail)


def _require_sendable(*relayed: bytes) -> None:
    """Raises DeliveryError if what is to be sent on would be longer than a service message may be (DS-7)."""
    if sum(map(len, relayed)) > limits.MAX_RELAYED_BYTES:
        raise DeliveryError(DeliveryReason.TOO_MANY_BYTES, f"at most {limits.MAX_RELAYED_BYTES}")
