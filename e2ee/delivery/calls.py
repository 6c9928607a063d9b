"""Requests of calls: open, commit, send (DS-3 to DS-6, DS-16, DS-24)."""

from __future__ import annotations

from collections.abc import Sequence

from e2ee.delivery import call_log, limits
from e2ee.delivery.call import Call
from e2ee.delivery.call_log import Entry
from e2ee.delivery.call_table import require_room
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.gone_statements import state_due
from e2ee.delivery.group_members import attend, end_publishing, leave_out, require_not_gone
from e2ee.delivery.handling import Handling
from e2ee.delivery.mailboxes import Kept, deliver
from e2ee.delivery.mls_messages import check_application_message
from e2ee.delivery.presence import CALL_EPOCH
from e2ee.delivery.transaction import LogEntry
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.mls.message import MLSMessage
from e2ee.signalling import messages, wire

__all__ = ["commit", "open_call", "send"]


def open_call(at: Handling, device: VerifiedCertificate, request: messages.Open) -> None:
    """Begin a call's log (DS-3, DS-16)."""
    require_room(at.tx, request.call_id, device, at.now)
    delivery_key = at.service.identity.delivery_key.public
    call = call_log.open_call(request, device, delivery_key, at.now)
    at.tx.add_call(request.call_id, LogEntry(device, at.now, wire.encode(request)))
    at.service.calls.put(request.call_id, call)
    if call.is_group:
        attend(at, request.call_id, call)
        # DS-16: "it is answered with `stored`"
        at.answer(messages.Stored(request.name, request.call_id))


def commit(at: Handling, device: VerifiedCertificate, request: messages.Commit) -> None:
    """Take an epoch's commit into the log, and tell all whom it concerns (DS-4, DS-5)."""
    # DS-7: "an account's commits, taken or not"
    at.service.spending.commits.spend(device.account_id, at.now)
    at.service.spending.committed_bytes.spend(device.account_id, at.now, len(request.commit))
    call = at.service.calls.get(at.tx, request.call_id, at.now)
    _require_sendable(request.commit, request.welcome or b"", request.offer or b"")
    if call.is_group:
        require_not_gone(attend(at, request.call_id, call), device)
    else:
        _require_short(request.offer or b"")
        _require_room_in_log(call, request)

    def afford(adds: int) -> None:
        at.service.spending.adds.spend(device.account_id, at.now, adds)

    entry = call_log.commit(call, request, device, at.now, afford)
    if call.is_group:
        _require_known(at, entry.added)
    logged = LogEntry(device, at.now, wire.encode(request))
    at.tx.add_entry(request.call_id, call.entries, logged, entry.call.devices())
    tell = _tell_group if call.is_group else _tell_two
    tell(at, device, request, call, entry)
    at.service.calls.grown(at.tx, request.call_id, entry.call)


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
    if call.is_group:
        _send_to_group(at, device, request, call, others)
    elif call.epoch >= CALL_EPOCH:
        deliver(at, others)
    else:
        _require_short(request.message)
        deliver(at, (), unasked=others, sender=device.account_id, least=1)
    at.answer(messages.Stored(request.name, request.call_id))


def _tell_two(
    at: Handling,
    device: VerifiedCertificate,
    request: messages.Commit,
    call: Call,
    entry: Entry,
) -> None:
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


def _tell_group(
    at: Handling,
    device: VerifiedCertificate,
    request: messages.Commit,
    call: Call,
    entry: Entry,
) -> None:
    """DS-16: "Who is added gets `added`". DS-24: "nobody's full mailbox MUST be in the others' way"."""
    call_id = request.call_id
    before = attend(at, call_id, call)
    committed: Kept = messages.Committed(call_id, request.commit)
    told = [m for m in call.devices() if m not in before.gone and m != device.signature_key]
    others: list[tuple[bytes, Kept]] = [(member, committed) for member in told]
    others += [
        (newcomer, messages.Added(call_id, MLSMessage.of(welcome).encode()))
        for newcomer, welcome in entry.welcomes.items()
    ]
    left_out = deliver(at, [(device.signature_key, committed)], unasked=others)
    _attend_next(at, call_id, entry, left_out)
    end_publishing(at, call_id, call.profile, entry.call)


def _attend_next(at: Handling, call_id: bytes, entry: Entry, left_out: Sequence[bytes]) -> None:
    """The next epoch has begun: who was removed is no member any more, who was left out cannot go on, who came anew can."""
    for removed in entry.removed:
        at.service.forwarding.end(call_id, removed)  # SFU-7
    for newcomer in entry.added:
        at.tx.put_gone(call_id, newcomer, gone=False)
    attendance = attend(at, call_id, entry.call)
    for member in dict.fromkeys(left_out):
        if member in entry.call.leaves:
            leave_out(at, call_id, attendance, member)
    state_due(at, call_id, attendance)


def _send_to_group(
    at: Handling,
    device: VerifiedCertificate,
    request: messages.Send,
    call: Call,
    others: Sequence[tuple[bytes, Kept]],
) -> None:
    """DS-24: whoever's mailbox is full is left out."""
    attendance = attend(at, request.call_id, call)
    require_not_gone(attendance, device)
    # DS-7: "a message in it | 68 KiB"
    if len(request.message) > limits.MAX_GROUP_MESSAGE:
        detail = f"at most {limits.MAX_GROUP_MESSAGE}"
        raise DeliveryError(DeliveryReason.TOO_MANY_BYTES, detail)
    at.service.spending.copies.spend(device.account_id, at.now, len(others))
    deliver(at, (), unasked=[each for each in others if each[0] not in attendance.gone])


def _require_known(at: Handling, added: Sequence[bytes]) -> None:
    """Raises DeliveryError for a device that could not be given its `added`: it would only take a place in the group."""
    known = at.tx.mailboxes(added)
    for position, signature_key in enumerate(added):
        # DS-16: "A commit that adds a device which the service does not know"
        if signature_key not in known:
            raise DeliveryError(DeliveryReason.UNKNOWN_DEVICE, f"Add {position} of the commit")


def _require_room_in_log(call: Call, request: messages.Commit) -> None:
    """DS-7. Raises DeliveryError."""
    if call.entries >= limits.MAX_LOG_ENTRIES:
        detail = f"at most {limits.MAX_LOG_ENTRIES} entries"
        raise DeliveryError(DeliveryReason.TOO_MANY_COMMITS, detail)
    if request.welcome is None and len(request.commit) > limits.MAX_COMMIT:
        detail = f"at most {limits.MAX_COMMIT} in a commit that adds nobody"
        raise DeliveryError(DeliveryReason.TOO_MANY_BYTES, detail)


def _require_short(message: bytes) -> None:
    """DS-7: "a message of epochs 0 and 1 of a call between two, an offer". Raises DeliveryError."""
    if len(message) > limits.MAX_RELAYED_BYTES_RINGING:
        detail = f"at most {limits.MAX_RELAYED_BYTES_RINGING} before somebody answers"
        raise DeliveryError(DeliveryReason.TOO_MANY_BYTES, detail)


def _require_sendable(*relayed: bytes) -> None:
    """Raises DeliveryError if what is to be sent on would be longer than a service message may be (DS-7)."""
    if sum(map(len, relayed)) > limits.MAX_RELAYED_BYTES:
        raise DeliveryError(DeliveryReason.TOO_MANY_BYTES, f"at most {limits.MAX_RELAYED_BYTES}")
