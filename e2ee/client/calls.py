"""The calls of a client: those that it is in, those that ring here and there, and which of them an event is for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from e2ee.call.call import Call as CallCore
from e2ee.call.device import Device
from e2ee.call.events import CallEvent, Ended, Replaced, RequestRefused, Ringing
from e2ee.call.group.events import GroupCallEntered
from e2ee.call.group.group_call import GroupCall as GroupCallCore
from e2ee.call.medium import Medium
from e2ee.client.call import Call
from e2ee.client.group_call import GroupCall
from e2ee.client.invitation import GroupInvitation, Invitation
from e2ee.client.media import Media, Network
from e2ee.client.media_route import MediaRoute
from e2ee.client.ring import Ring
from e2ee.rtc.peer import RTCIceServer
from e2ee.system_clock import Clock

__all__ = ["Calls"]


class Calls:
    """See the module. ``changed`` is called when the device's core may have something to say."""

    def __init__(
        self,
        device: Device,
        network: Network,
        service_url: str,
        clock: Clock,
        changed: Callable[[], None],
    ) -> None:
        self.clock = clock
        self.changed = changed
        self._device = device
        self._network = network
        self._service_url = service_url
        self._relays: tuple[RTCIceServer, ...] = ()
        self._calls: dict[bytes, Call | GroupCall] = {}
        self._ringing: dict[bytes, Invitation | GroupInvitation] = {}
        """By the id of the call that rings here."""
        self._rings: dict[bytes, Ring] = {}
        """By the id of the call that rings there."""
        self.invitations: asyncio.Queue[Invitation | GroupInvitation] = asyncio.Queue()
        """What rang here, over or not."""

    # Calls that begin

    def take(self, core: CallCore, media: Media) -> Call:
        """Give a call of the device its media."""
        call = Call(core, media, self._network, self.clock, self.changed, self._relays)
        self._ringing.pop(core.call_id, None)
        self._keep(call)
        return call

    def take_group(self, core: GroupCallCore, media: Media) -> GroupCall:
        """The same for a group call."""
        route = MediaRoute(self._network, self._relays)
        call = GroupCall(
            core,
            media,
            route,
            self._device.trust,
            self.clock,
            self.changed,
            self._service_url,
            self._invite,
        )
        self._keep(call)
        return call

    def _keep(self, call: Call | GroupCall) -> None:
        """And forget what is over."""
        self._calls = {key: each for key, each in self._calls.items() if not each.is_over}
        self._rings = {key: each for key, each in self._rings.items() if not each.is_over}
        self._calls[call.call_id] = call
        self.changed()

    def _invite(self, call: GroupCall, account_id: str, medium: Medium) -> Ring:
        core = self._device.invite(call.call_id, account_id, self.clock(), medium)
        ring = self._rings[core.call_id] = Ring(core, self.clock, self.changed, call.ring_happened)
        self.changed()
        return ring

    # What happens

    def happened(self, event: CallEvent) -> None:
        """Take an event of a call of the core."""
        if isinstance(event, Ringing):
            self._ring(event)
            return
        call = self._calls.get(event.call_id) or self._rings.get(event.call_id)
        invitation = self._ringing.get(event.call_id)
        if call is not None:
            if isinstance(event, Replaced) and isinstance(call, Call):
                call.adopt(self._device.calls[event.by])
                self._calls[event.by] = self._calls.pop(event.call_id)
            call.happened(event)
        elif isinstance(event, GroupCallEntered) and isinstance(invitation, GroupInvitation):
            invitation.enter(self._device.group_calls[event.group_call_id])
        elif isinstance(event, Ended) and invitation is not None:
            self._ringing.pop(event.call_id).end(event)

    def _ring(self, ringing: Ringing) -> None:
        core = self._device.calls.get(ringing.call_id)
        if core is None:
            return
        offer = core.group_offer
        invitation = (
            Invitation(ringing, self, core)
            if offer is None
            else GroupInvitation(ringing, self, core, offer)
        )
        self._ringing[ringing.call_id] = invitation
        self.invitations.put_nowait(invitation)

    def refused(self, event: RequestRefused) -> bool:
        """The service refused what was asked for a call; tells whether a group call has heard of it."""
        call = self._calls.get(event.call_id or b"")
        if isinstance(call, GroupCall):
            call.happened(event)
        return isinstance(call, GroupCall)

    def service_regained(self) -> None:
        """The connection to the service is there again."""
        for call in self._calls.values():
            if isinstance(call, GroupCall):
                call.service_regained()

    def use_relays(self, relays: Sequence[RTCIceServer]) -> None:
        """The service's relays, for connections that are made from now on."""
        self._relays = tuple(relays)
        for call in self._calls.values():
            call.use_relays(relays)

    # The end

    def abandon(self) -> list[Call | GroupCall]:
        """End all of them, and give them: each is over soon."""
        calls = list(self._calls.values())
        for call in calls:
            call.abandon()
        return calls
