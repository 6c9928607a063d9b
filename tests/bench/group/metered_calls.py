"""Simulated calls of which each device's processor time is known, and the service's, and the bytes that it sends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.delivery.service import DeliveryService, Outgoing, ServiceIdentity
from e2ee.delivery.transaction import Store
from e2ee.errors import RemoteProtocolError
from e2ee.server.batch import MOST
from e2ee.signalling import wire
from e2ee.signalling.messages import SERVICE, FromService, ServiceMessage
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice, over_the_wire
from tests.bench.group.crowd import Crowd
from tests.bench.group.meter import Meter

__all__ = ["MeteredCalls"]


class MeteredCalls(SimulatedCalls):
    """See the module. The service's store is the one given; ``crowd`` hears what is sent to it, and acknowledges that."""

    def __init__(self, entropy: SeededEntropy, store: Store, meter: Meter) -> None:
        super().__init__(entropy)
        self.meter = meter
        self.crowd = Crowd()
        self.service = _MeteredService(self.identity, store, entropy.fork(b"metered"), self)
        self.sorts: dict[int, str] = {}
        """What sort of member the device of a connection is."""

    def give(self, device: SimulatedDevice, message: FromService) -> RemoteProtocolError | None:
        """From bytes to bytes, as a client does it."""
        data = wire.encode(message)
        try:
            with self._spending(device, message.name):
                try:
                    device.core.receive(wire.decode(SERVICE, data), self.now)  # type: ignore[arg-type]
                finally:
                    self._collect(device)
        except RemoteProtocolError as error:
            device.refused.append(error)
            return error
        return None

    def handle_timers(self) -> None:
        self._pass_on(self.service.handle_timer(self.now))
        for device in self.devices:
            due = device.core.get_timer()
            if due is None or due > self.now:
                continue
            with self._spending(device, "timer"):
                device.core.handle_timer(self.now)
                self._collect(device)

    def _spending(self, device: SimulatedDevice, what: str) -> AbstractContextManager[None]:
        sort = self.sorts.get(device.connection_id, "newcomer")
        return self.meter.spending(sort, what, device.connection_id)

    def _collect(self, device: SimulatedDevice) -> None:
        device.outbox.extend(device.core.messages_to_send())
        while (event := device.core.next_event()) is not None:
            device.events.append(event)

    def bring(self, connection_id: int, message: ServiceMessage) -> Outgoing:
        """The service gets a message over any connection; what comes of it is on its way, and given, too."""
        outgoing = self.service.receive(connection_id, over_the_wire(message), self.now)
        self._pass_on(outgoing)
        return outgoing

    def do(self, device: SimulatedDevice, what: str, action: Callable[[], object]) -> None:
        """A person does something at a device; what comes of it is on its way."""
        with self._spending(device, what):
            action()
            self._collect(device)

    def acknowledge(self) -> None:
        """The crowd has taken what it was sent: in batches, as the server's shell hands them on."""
        due = self.crowd.acknowledgements()
        if not due:
            return
        with self.meter.spending("service", "acknowledge"):
            for start in range(0, len(due), MOST):
                with self.service.together(self.now) as requests:
                    for connection_id, acknowledged in due[start : start + MOST]:
                        requests.receive(connection_id, acknowledged)


class _MeteredService(DeliveryService):
    """What it takes to do what is asked, and then to encode what comes of it for each connection."""

    def __init__(
        self, identity: ServiceIdentity, store: Store, entropy: SeededEntropy, calls: MeteredCalls
    ) -> None:
        super().__init__(identity, store, entropy)
        self._calls = calls

    def receive(
        self, connection_id: int, message: ServiceMessage, now: int, *, user: str | None = None
    ) -> Outgoing:
        meter = self._calls.meter
        with meter.spending("service", message.name):
            outgoing = super().receive(connection_id, message, now, user=user)
        with meter.spending("encoding", message.name):
            sizes = [len(wire.encode(each)) for _, each in outgoing]
        meter.carried(message.name, sizes)
        self._calls.crowd.hear(outgoing, now)
        return outgoing
