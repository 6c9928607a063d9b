"""GoneStatements: the service's signed word that a member is gone, so that others may remove it (DS-19, KEYS-24)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from e2ee.delivery.attendance import Attendance
from e2ee.delivery.handling import Handling
from e2ee.delivery.limits import CALL_IDLE, MAX_GONE_STATEMENTS, MAX_RANKS
from e2ee.delivery.sessions import ConnectionId
from e2ee.profile import gone
from e2ee.signalling import messages

__all__ = ["end_media", "give_to", "ranked", "state_all_due", "state_due"]


def ranked(
    at: Handling, attendance: Attendance, *, but: Iterable[bytes] = ()
) -> list[ConnectionId]:
    """The connections of the members with the lowest leaves that are there, which act by their rank (GROUP-8)."""
    kept_out = {*but, *attendance.gone}
    connections = (
        at.service.sessions.connection_of(key) for key in attendance.leaves if key not in kept_out
    )
    return list(islice((each for each in connections if each is not None), MAX_RANKS))


def state_all_due(at: Handling) -> None:
    """Time has passed: state what is due in every call."""
    for attendance in at.service.attendances.due(at.now):
        record = at.tx.call(attendance.call_id)
        if record is None or at.now - record.grown_at > CALL_IDLE:
            at.service.attendances.drop(attendance.call_id)
            end_media(at, attendance)
        elif not attendance.is_of(record.entries, record.grown_at):
            at.service.attendances.drop(attendance.call_id)  # another service goes on with it
        else:
            state_due(at, attendance.call_id, attendance)


def end_media(at: Handling, attendance: Attendance) -> None:
    """A call is over, and nobody's media go on (SFU-7)."""
    for signature_key in attendance.leaves:
        at.service.forwarding.end(attendance.call_id, signature_key)


def state_due(at: Handling, call_id: bytes, attendance: Attendance) -> None:
    """Say of who is gone, and has not been said to be in this epoch, that it is."""
    due = attendance.due(at.now)
    for signature_key in attendance.newly_ended(key for key, _ in due):
        at.service.forwarding.end(call_id, signature_key)  # SFU-7
    # DS-19: "to the 8 connected devices with the lowest leaves"
    receivers = list(enumerate(ranked(at, attendance)))
    _give(at, call_id, attendance, due, receivers)
    attendance.stated_now([key for key, _ in due], at.now)


def give_to(at: Handling, call_id: bytes, attendance: Attendance, signature_key: bytes) -> None:
    """A member has come back: if it is one of those with a rank, it is told who was said to be gone."""
    connection_id = at.service.sessions.connection_of(signature_key)
    receivers = [
        (rank, receiver)
        for rank, receiver in enumerate(ranked(at, attendance))
        if receiver == connection_id
    ]
    since = attendance.away | attendance.gone
    stated = [(key, since[key]) for key in attendance.leaves if key in attendance.stated]
    _give(at, call_id, attendance, stated, receivers)


def _give(
    at: Handling,
    call_id: bytes,
    attendance: Attendance,
    missing: Sequence[tuple[bytes, int]],
    receivers: Sequence[tuple[int, ConnectionId]],
) -> None:
    epoch = attendance.entries - 1
    # DS-19: "of more than 256 members that are gone the others follow"
    for signature_key, since in missing[:MAX_GONE_STATEMENTS] if receivers else ():
        leaf = attendance.leaves[signature_key]
        statement = gone.signed(at.service.identity.delivery_key, call_id, epoch, leaf, since)
        encoded = statement.encode()
        for rank, connection_id in receivers:
            at.send(connection_id, messages.Gone(call_id, encoded, rank))
