"""The unit's side of a control connection: an ASGI endpoint that has a forwarding unit for each service that proves itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import astuple

from starlette.websockets import WebSocket, WebSocketDisconnect

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.secret import Secret, equal
from e2ee.server.control.messages import (
    CONTROL,
    Answer,
    CloseMember,
    ClosePublisher,
    ControlMessage,
    Done,
    Failed,
    FromUnit,
    Lost,
    Offered,
    Passed,
    Publish,
    Refused,
    Subscribe,
    ToUnit,
    Want,
)
from e2ee.server.control.proof import NONCE, PROOF, service_proof, unit_proof
from e2ee.server.errors import CloseReason
from e2ee.server.forwarding import MakeUnit
from e2ee.server.frames import Close, read, watch, why_disconnected, write
from e2ee.server.limits import ControlLimits
from e2ee.server.lines import Lines
from e2ee.server.logs import ServerLog
from e2ee.server.outbox import Outbox
from e2ee.server.watching import UnitWatcher, nobody_watches
from e2ee.sfu.errors import SfuError
from e2ee.sfu.statistics import Totals, UnitStatistics
from e2ee.sfu.unit import ForwardingUnit, Offer, Participant
from e2ee.signalling import wire
from e2ee.signalling.errors import MessageError, WireError

__all__ = ["ControlledUnits"]

_CLOSING = 10.0
"""Seconds in which a unit ends."""

_Member = tuple[bytes, bytes]
"""Call id, and signature key."""


class ControlledUnits:
    """All units of one process, each for as long as its service is connected."""

    def __init__(
        self,
        make_unit: MakeUnit,
        secret: Secret,
        entropy: Entropy,
        *,
        limits: ControlLimits | None = None,
        watcher: UnitWatcher = nobody_watches,
        log: ServerLog | None = None,
    ) -> None:
        self._make_unit = make_unit
        self._secret = secret
        self._entropy = entropy
        self._limits = limits or ControlLimits()
        self._watcher = watcher
        self._log = log or ServerLog()
        self._units: list[ForwardingUnit] = []
        self._ended = Totals()

    def statistics(self) -> Sequence[UnitStatistics]:
        """Of each unit that there is, and what passed through those that have ended."""
        units = [unit.statistics() for unit in self._units]
        return [*units, UnitStatistics({}, self._ended, 0)]

    async def connection(self, websocket: WebSocket) -> None:
        """Serve one connection until its end."""
        await websocket.accept()
        try:
            await self._until_proved(websocket)
            await self._serve(websocket)
        except* WebSocketDisconnect:
            pass
        except* Close as group:
            await _close(group).tell(websocket)

    async def _until_proved(self, websocket: WebSocket) -> None:
        """Raises Close unless the other side has the secret: nothing else of it is looked at before."""
        nonce = self._entropy.random(NONCE)
        await websocket.send_bytes(nonce)
        try:
            async with asyncio.timeout(self._limits.proved_within):
                said = await read(websocket, NONCE + PROOF)
        except TimeoutError:
            raise Close(CloseReason.NOT_PROVED) from None
        theirs, proof = said[:NONCE], said[NONCE:]
        if not equal(proof, service_proof(self._secret, nonce, theirs)):
            raise Close(CloseReason.NOT_PROVED)
        await websocket.send_bytes(unit_proof(self._secret, nonce, theirs))

    async def _serve(self, websocket: WebSocket) -> None:
        if len(self._units) >= self._limits.services:
            raise Close(CloseReason.TOO_MANY_CONNECTIONS)
        controlled = _Controlled(self._make_unit, self._limits, self._watcher)
        self._units.append(controlled.unit)
        self._log.service_connected()
        ended: str = CloseReason.FAULT
        try:
            await _talk(controlled, websocket)
        except* WebSocketDisconnect as group:
            ended = why_disconnected(group)
        except* Close as group:
            ended = _close(group).reason
            raise
        finally:
            self._units.remove(controlled.unit)
            self._ended += controlled.unit.statistics().totals
            self._log.service_left(ended)
            await controlled.close()


def _close(group: BaseExceptionGroup[Close]) -> Close:
    return next(error for error in group.exceptions if isinstance(error, Close))


async def _talk(controlled: _Controlled, websocket: WebSocket) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_obey(controlled, websocket))
        tasks.create_task(write(websocket, controlled.outbox))
        tasks.create_task(watch(controlled.outbox))
        tasks.create_task(controlled.tell_what_passed())


async def _obey(controlled: _Controlled, websocket: WebSocket) -> None:
    while True:
        data = await read(websocket, CONTROL.max_size)
        try:
            message = wire.decode(CONTROL, data)
        except WireError as error:
            raise Close(error.reason) from None
        controlled.take(message)


class _Controlled:
    """A unit, and what waits for its service."""

    def __init__(self, make_unit: MakeUnit, limits: ControlLimits, watcher: UnitWatcher) -> None:
        self.outbox = Outbox(limits.waiting_messages, limits.waiting_bytes)
        self._every = limits.passed_every
        self._watcher = watcher
        self._lines: Lines[_Member] = Lines(limits.waiting_of_member)
        self.unit = make_unit(self._offered, self._lost)

    def take(self, message: ControlMessage) -> None:
        """Do what the service asks when it is this member's turn. Raises Close for what it may not say."""
        if not isinstance(message, ToUnit):
            raise Close(CloseReason.UNEXPECTED_MESSAGE)
        member = message.call_id, message.member
        if isinstance(message, CloseMember):
            self._lines.put_alone(member, lambda: self._do(message))
        elif not self._lines.put(member, lambda: self._do(message)):
            raise Close(CloseReason.TOO_MANY_REQUESTS)

    async def tell_what_passed(self) -> None:
        """Say so now and then."""
        while True:
            await asyncio.sleep(self._every)
            passed = self.unit.statistics()
            self.outbox.put(Passed(*(*astuple(passed.totals), passed.held_back)))

    async def close(self) -> None:
        """End the unit. Raises nothing."""
        await self._lines.close()
        try:
            async with asyncio.timeout(_CLOSING):
                await self.unit.close()
        except Exception as fault:  # noqa: BLE001 - its service is gone, and others' are not
            self._watcher.unit_failed(fault)

    async def _do(self, message: ToUnit) -> None:
        try:
            answer: FromUnit = Done(message.request, await _done(self.unit, message))
        except SfuError as error:
            answer = Refused(message.request, error.reason.value, error.detail)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is this member's misfortune alone
            self._watcher.unit_failed(fault)
            answer = Failed(message.request)
        self._say(answer, Failed(message.request))

    def _offered(self, call_id: bytes, member: bytes, offer: Offer) -> None:
        lists = offer.mids, offer.leaves, offer.source_mids
        offered = Offered(call_id, member, offer.number, offer.description, *lists)
        if not self._say(offered, Lost(call_id, member)):
            self._lines.put_alone(
                (call_id, member), lambda: self.unit.close_member(call_id, member)
            )

    def _lost(self, call_id: bytes, member: bytes) -> None:
        self.outbox.put(Lost(call_id, member))

    def _say(self, message: FromUnit, otherwise: FromUnit) -> bool:
        """Whether it could be said. What is beyond a message's bounds must not end the connection, which others need."""
        try:
            wire.encode(message)
        except MessageError as error:
            self._watcher.unit_failed(error)
            self.outbox.put(otherwise)
            return False
        self.outbox.put(message)
        return True


async def _done(unit: ForwardingUnit, message: ToUnit) -> str:
    """The description to answer with, if any."""
    match message:
        case Publish(call_id=call_id, member=member, leaf=leaf, description=description):
            return await unit.publish(call_id, Participant(member, leaf), description)
        case Subscribe(call_id=call_id, member=member, leaf=leaf):
            await unit.subscribe(call_id, Participant(member, leaf))
        case Answer(call_id=call_id, member=member, number=number, description=description):
            await unit.answer(call_id, member, number, description)
        case Want(call_id=call_id, member=member, mids=mids):
            await unit.want(call_id, member, mids)
        case ClosePublisher(call_id=call_id, member=member):
            await unit.close_publisher(call_id, member)
        case CloseMember(call_id=call_id, member=member):
            await unit.close_member(call_id, member)
    return ""
