"""Between the service and the forwarding unit: what members ask of it, in each one's order, and what it says to them.

    router = ForwardingRouter(lambda on_offer, on_lost: AiortcForwardingUnit(on_offer, on_lost, clock))
    app = create_app(service, forwarding=router)       the service was made with ``forwarding=True``
    await router.close()                               when the application has ended

The service says who asks (``service.take_forwarding``), so whom the unit is told of is a member (SFU-3). The unit is waited
for by nobody but its members: each has a line of its own, of bounded length, and a member that left goes before whatever it
had asked; one that may not speak any more publishes nothing from its turn on. What the unit refuses, and that it failed, the member is told; who has lost its connections to it may ask anew. What
it offers to a member that is not connected for a moment waits, the newest of it, until that has logged in again (GROUP-22).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from e2ee.delivery.forwarding import ForwardEnd, ForwardRequest
from e2ee.delivery.service import refusal
from e2ee.errors import RemoteProtocolError
from e2ee.server.errors import ForwardingError, ForwardingReason
from e2ee.server.limits import ForwardingLimits
from e2ee.server.lines import Lines
from e2ee.server.watching import UnitWatcher, nobody_watches
from e2ee.sfu.statistics import UnitStatistics
from e2ee.sfu.unit import ForwardingUnit, Offer, OnLost, OnOffer, Participant
from e2ee.signalling import messages, wire
from e2ee.signalling.errors import MessageError
from e2ee.signalling.messages import FromService

__all__ = ["ForwardingRouter", "MakeUnit", "Send"]

MakeUnit = Callable[[OnOffer, OnLost], ForwardingUnit]

Send = Callable[[bytes, bytes, FromService], None]
"""(call_id, signature key, message): to the connection of this device, if it has one."""


class ForwardingRouter:
    """See the module. Belongs to the event loop in which it is made."""

    def __init__(
        self,
        make_unit: MakeUnit,
        *,
        limits: ForwardingLimits | None = None,
        watcher: UnitWatcher = nobody_watches,
    ) -> None:
        self._limits = limits or ForwardingLimits()
        self._watcher = watcher
        self._lines: Lines[tuple[bytes, bytes]] = Lines(self._limits.waiting)
        self._members: set[tuple[bytes, bytes]] = set()
        self._missed: dict[tuple[bytes, bytes], FromService] = {}
        self._send: Send = _to_nobody
        self._unit = make_unit(self._offered, self._lost)

    def answers_to(self, send: Send) -> None:
        """Where what is for members goes."""
        self._send = send

    def take(self, forwarding: Iterable[ForwardRequest | ForwardEnd]) -> None:
        """What the service has for the unit. Returns at once."""
        for each in forwarding:
            if isinstance(each, ForwardRequest):
                self._take_request(each)
            elif each.publishing_only:
                self._end_publishing(each)
            else:
                self._end(each)

    def missed(self, call_id: bytes, signature_key: bytes, message: FromService) -> None:
        """What a device was sent and did not get. An answer to what it asked over another connection it waits for no more."""
        if isinstance(message, messages.MediaOffer | messages.MediaLost):
            self._missed[call_id, signature_key] = message

    def came(self, signature_key: bytes) -> None:
        """Somebody says to be this device; if that is so, what it missed is sent again."""
        for member in [each for each in self._missed if each[1] == signature_key]:
            self._send(*member, self._missed.pop(member))

    def service_forgot(self) -> None:
        """The service does not know any more who is where: nobody's media go on (DS-23), and who comes back asks anew."""
        for member in list(self._members):
            self._lost(*member)
            self._lines.put_alone(member, partial(self._close, *member))

    def statistics(self) -> UnitStatistics:
        """What passed through the unit."""
        return self._unit.statistics()

    async def close(self) -> None:
        """End the unit with all of its connections. Raises nothing, and takes no longer than an answer may."""
        await self._lines.close()
        self._members.clear()
        self._missed.clear()
        try:
            async with asyncio.timeout(self._limits.answer_within):
                await self._unit.close()
        except Exception as fault:  # noqa: BLE001 - whatever it is, who stops goes on stopping
            self._watcher.unit_failed(fault)

    # To the unit

    def _take_request(self, request: ForwardRequest) -> None:
        member = request.call_id, request.signature_key
        self._members.add(member)
        if not self._lines.put(member, lambda: self._forward(request)):
            self._refuse(request, ForwardingError(ForwardingReason.TOO_MANY_WAITING))

    def _end(self, end: ForwardEnd) -> None:
        member = end.call_id, end.signature_key
        self._missed.pop(member, None)
        if member in self._members:
            self._members.discard(member)
            self._lines.put_alone(member, lambda: self._close(*member))

    def _end_publishing(self, end: ForwardEnd) -> None:
        """After what it had asked, which goes on but for what it publishes. Who has asked too much makes all of it anew."""
        member = end.call_id, end.signature_key
        if member not in self._members:
            return
        if not self._lines.put(member, lambda: self._close_publisher(*member)):
            self._lost(*member)
            self._lines.put_alone(member, lambda: self._close(*member))

    async def _forward(self, request: ForwardRequest) -> None:
        try:
            async with asyncio.timeout(self._limits.answer_within):
                answer = await _asked(self._unit, request)
        except RemoteProtocolError as error:
            self._refuse(request, error)
        except TimeoutError:
            self._refuse(request, ForwardingError(ForwardingReason.NO_ANSWER_IN_TIME))
        except Exception as fault:  # noqa: BLE001 - whatever it is, the unit's fault is nobody else's
            self._watcher.unit_failed(fault)
            self._refuse(request, ForwardingError(ForwardingReason.UNIT_FAILED))
            await self._close(request.call_id, request.signature_key)
            self._lost(request.call_id, request.signature_key)
        else:
            if answer is not None:
                self._tell(request.call_id, request.signature_key, answer)

    async def _close_publisher(self, call_id: bytes, member_id: bytes) -> None:
        try:
            async with asyncio.timeout(self._limits.answer_within):
                await self._unit.close_publisher(call_id, member_id)
        except Exception as fault:  # noqa: BLE001 - then all of it is closed: what it publishes must not go on
            self._watcher.unit_failed(fault)
            await self._close(call_id, member_id)
            self._lost(call_id, member_id)

    async def _close(self, call_id: bytes, member_id: bytes) -> None:
        try:
            async with asyncio.timeout(self._limits.answer_within):
                await self._unit.close_member(call_id, member_id)
        except Exception as fault:  # noqa: BLE001 - the same
            self._watcher.unit_failed(fault)

    # To members

    def _offered(self, call_id: bytes, member_id: bytes, offer: Offer) -> None:
        if (call_id, member_id) in self._members:
            lists = offer.mids, offer.leaves, offer.source_mids
            said = messages.MediaOffer(call_id, offer.number, offer.description, *lists)
            self._tell(call_id, member_id, said)

    def _lost(self, call_id: bytes, member_id: bytes) -> None:
        if (call_id, member_id) in self._members:
            self._members.discard((call_id, member_id))
            self._send(call_id, member_id, messages.MediaLost(call_id))

    def _tell(self, call_id: bytes, member_id: bytes, message: FromService) -> None:
        try:
            wire.encode(message)
        except MessageError as error:  # beyond a message's bounds: no other member's concern
            self._watcher.unit_failed(error)
            self._end(ForwardEnd(call_id, member_id))
            self._send(call_id, member_id, messages.MediaLost(call_id))
        else:
            self._send(call_id, member_id, message)

    def _refuse(self, request: ForwardRequest, error: RemoteProtocolError) -> None:
        self._send(request.call_id, request.signature_key, refusal(error, request.message))


def _to_nobody(_call_id: bytes, _member_id: bytes, _message: FromService) -> None:
    """Before the application is made."""


async def _asked(unit: ForwardingUnit, request: ForwardRequest) -> FromService | None:
    """The unit's answer, if one is for the member."""
    call_id, member_id = request.call_id, request.signature_key
    match request.message:
        case messages.PublishMedia(description=offered):
            answer = await unit.publish(call_id, Participant(member_id, request.leaf), offered)
            return messages.MediaPublished(call_id, answer)
        case messages.SubscribeMedia():
            await unit.subscribe(call_id, Participant(member_id, request.leaf))
        case messages.MediaAnswer(number=number, description=answer):
            await unit.answer(call_id, member_id, number, answer)
        case messages.WantMedia(mids=mids):
            await unit.want(call_id, member_id, mids)
    return None
