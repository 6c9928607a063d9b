"""The delivery service: whatever several connections say, in any order, is done or refused, and the service stays whole."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import count
from random import Random
from typing import Any

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.delivery.journal import Table
from e2ee.delivery.service import DeliveryService, Outgoing, ServiceIdentity
from e2ee.delivery.store import MemoryStore
from e2ee.signalling import messages, wire
from e2ee.signalling.errors import MessageError, WireError
from e2ee.signalling.messages import SERVICE, FromDevice, FromService
from e2ee.testing.simulated_calls import SERVER_NAME, START, SimulatedCalls
from tests.fuzz.choices import Choices
from tests.fuzz.target import Faulty, target
from tests.fuzz.targets.signalling import changed_message

SESSIONS = 4
MOST_STEPS = 60
ENTROPY = b"fuzz delivery"

Said = tuple[int, FromDevice]


class Recorded(SimulatedCalls):
    """A simulation that writes down what each connection said."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        super().__init__(SeededEntropy(ENTROPY), forwarding=True)
        receive = self.service.receive

        def noted(connection_id: int, message: Any, now: int, **options: Any) -> Outgoing:
            self.said.append((connection_id, message))
            return receive(connection_id, message, now, **options)

        self.service.receive = noted  # type: ignore[method-assign]


@cache
def recorded() -> tuple[Said, ...]:
    """Two people call each other, and then meet two others: all requests, in their order, by connection."""
    calls = Recorded()
    alice, bob, carol = (calls.device(name) for name in ("alice", "bob", "carol"))
    calls.go_live(alice, bob)
    call = alice.core.create_group_call(calls.now)
    calls.settle()
    if call.link is not None:
        for guest in (bob, carol):
            guest.core.join_group_call(call.link, calls.now)
    calls.settle()
    calls.advance(2_000)
    alice.core.post_letter("carol", messages.Note(calls.now, "words"))
    calls.settle()
    return tuple(calls.said)


class World:
    """A service that has answered the recorded requests up to some place, and its connections."""

    def __init__(self, place: int) -> None:
        self.now = START
        self.store = MemoryStore()
        entropy = SeededEntropy(ENTROPY)
        self.identity = ServiceIdentity.create(SERVER_NAME, entropy.fork(b"service identity"))
        self._entropy = entropy.fork(b"service")
        self.service = self._new_service()
        self.connections: dict[int, int] = {}
        self._ids = count(1)
        for _ in range(SESSIONS - 1):
            self.connect()
        for session, message in recorded()[:place]:
            if session in self.connections:
                self.take(self.service.receive(self.connections[session], message, self.now))

    def _new_service(self) -> DeliveryService:
        return DeliveryService(self.identity, self.store, self._entropy, forwarding=True)

    def connect(self) -> None:
        """One more, up to so many at a time."""
        free = [session for session in range(1, SESSIONS + 1) if session not in self.connections]
        if free:
            self.connections[free[0]] = next(self._ids)
            self.service.connected(self.connections[free[0]], "192.0.2.1")

    def disconnect(self, session: int) -> None:
        """One is gone."""
        if session in self.connections:
            self.take(self.service.disconnected(self.connections.pop(session), self.now))

    def take(self, outgoing: Outgoing) -> list[tuple[int, FromService]]:
        """What goes out can be encoded, and goes to connections that there are."""
        sent = list(outgoing)
        for connection, message in sent:
            if connection not in self.connections.values():
                raise Faulty(f"{message.name} for connection {connection}, which is gone")
            try:
                wire.decode(SERVICE, wire.encode(message))
            except (MessageError, WireError) as error:
                raise Faulty(f"{message.name} that no wire carries") from error
        self.service.take_forwarding()
        for connection, _ in self.service.take_closing():
            for session in [each for each, its in self.connections.items() if its == connection]:
                self.disconnect(session)
        return sent

    def ask(self, session: int, message: FromDevice) -> bool:
        """Whether it was done. What was refused has changed nothing that is kept, beside what had expired anyway."""
        if session not in self.connections:
            return False
        self.take(self.service.handle_timer(self.now))
        connection, before = self.connections[session], self.kept()
        sent = self.take(self.service.receive(connection, message, self.now))
        answers = [
            each for to, each in sent if to == connection and isinstance(each, messages.Refused)
        ]
        if any(answer.request == message.name for answer in answers) and self.kept() != before:
            raise Faulty(f"{message.name} was refused and changed something")
        return not answers

    def kept(self) -> Any:
        """All that is in the store."""
        tables = self.store._tables
        boxes = {key: dict(table.rows) for key, table in tables.mail_rows.items() if table.rows}
        return boxes, [dict(each.rows) for each in vars(tables).values() if isinstance(each, Table)]

    def wait(self, milliseconds: int) -> None:
        """Time passes, and what is due is done."""
        self.now += milliseconds
        for _ in range(10):
            timer = self.service.get_timer()
            if timer is None or timer > self.now:
                return
            self.take(self.service.handle_timer(self.now))
        raise Faulty("it is still due after it was done ten times")

    def restart(self) -> None:
        """Another process takes over the store; nobody is connected."""
        self.connections.clear()
        self.service = self._new_service()
        self.service.figures(self.now)
        for _ in range(SESSIONS - 1):
            self.connect()


def _script(place: int, *steps: bytes) -> bytes:
    return bytes([place]) + b"".join(steps)


def _seeds() -> Iterator[bytes]:
    """As recorded from some place on, and each request once more from somebody else."""
    whole = len(recorded())
    for place in range(0, whole, 7):
        rest = [
            bytes([1, session, (place + number) % 256])
            for number, (session, _) in enumerate(recorded()[place:])
        ]
        yield _script(place, *rest[:MOST_STEPS])
    for number, (_, message) in enumerate(recorded()):
        encoded = wire.encode(message)
        piece = len(encoded).to_bytes(2, "big") + encoded
        yield _script(number, bytes([0, 2]) + piece, bytes([0, 4]) + piece, bytes([4, 0, 9]))
    yield _script(
        whole, bytes([2, 0]), bytes([3, 1]), bytes([4, 255, 255]), bytes([5]), bytes([1, 1, 0])
    )


def _mutated(data: bytes, chance: Random) -> bytes | None:
    """A script of one request, which is changed as its type allows."""
    session, message = chance.choice(recorded())
    changed = changed_message(SERVICE, wire.encode(message), chance)
    if changed is None:
        return None
    place = chance.choice(
        [recorded().index((session, message)), len(recorded()), data[0] if data else 0]
    )
    step = bytes([0, chance.choice([session, 1 + chance.randrange(SESSIONS)])])
    return _script(min(place, 255), step + len(changed).to_bytes(2, "big") + changed) + data[1:64]


@target("delivery-service", seeds=_seeds, mutate=_mutated, longest=1 << 14, refuses=False)
def delivery_service(data: bytes) -> bool:
    """Requests of several connections, changed, repeated and mixed, while time passes and the service is restarted."""
    choices = Choices(data)
    world = World(choices.number() % (len(recorded()) + 1))
    done = 0
    for _ in range(MOST_STEPS):
        if not choices.left:
            break
        what = choices.number() % 6
        session = 0 if what in (4, 5) else choices.number() % (SESSIONS + 1)
        match what:
            case 0:
                try:
                    message = wire.decode(SERVICE, choices.piece())
                except WireError:
                    continue
                if isinstance(message, FromDevice):
                    done += world.ask(session, message)
            case 1:
                done += world.ask(session, recorded()[choices.number() % len(recorded())][1])
            case 2:
                world.connect()
            case 3:
                world.disconnect(session)
            case 4:
                world.wait(choices.number(2) * 100)
            case 5:
                world.restart()
    world.wait(3_600_000)
    world.restart()
    return done > 0
