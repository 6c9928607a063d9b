"""Attacks of a delivery service between real clients and the real server, over real WebSockets, on the machine's clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from e2ee.call import epochs
from e2ee.call.chat.events import TextReceived
from e2ee.call.chat.in_order import InOrder
from e2ee.call.events import CallEvent, Ended
from e2ee.call.key_packages import KeyPackages
from e2ee.call.medium import Medium
from e2ee.call.spoken_code import CodeReady
from e2ee.call.unconfirmed import Unconfirmed
from e2ee.client.call import Call, Connected
from e2ee.client.client import Client
from e2ee.client.key_store import StoredSeenCalls
from e2ee.client.media import Media
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.identity.account import AccountKey
from e2ee.identity.trust import Trust
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.sources import TestPicture, Tone
from e2ee.signalling import messages
from e2ee.signalling.messages import ServiceMessage
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, always, no, nothing, replaced
from e2ee.testing.hostile.disturbing import Disturbing
from e2ee.testing.hostile.forged_devices import Forger, encoded_key_package
from e2ee.testing.hostile.messages_on_their_way import forgets_no_key
from e2ee.testing.hostile.patience import until
from e2ee.testing.hostile.proxy import HostileProxy, honest, hostile_platform
from e2ee.testing.hostile.trial import Trial

COMES_BACK = 5.0
"""Seconds in which a client that lost its connection has one again."""

E = TypeVar("E", bound=CallEvent)


@dataclass
class Side:
    """A call at one client, and what its application was told."""

    call: Call
    events: list[CallEvent] = field(default_factory=list)
    _watching: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        async for event in self.call:
            self.events.append(event)

    def told(self, kind: type[E]) -> list[E]:
        """The events of one class."""
        return [each for each in self.events if isinstance(each, kind)]

    @property
    def texts(self) -> list[str]:
        """The texts that were shown."""
        return [each.text for each in self.told(TextReceived)]

    async def connected(self) -> None:
        """Wait until something can be said."""
        await until(lambda: bool(self.told(Connected) or self.told(Ended)))

    async def ended(self) -> str:
        """Wait for the end; gives why."""
        await until(lambda: bool(self.told(Ended)))
        return str(self.told(Ended)[0].reason)

    async def hang_up(self) -> None:
        """End the call, if it is not over."""
        if not self.told(Ended):
            self.call.hang_up()
        await self.call.ended()


@contextlib.asynccontextmanager
async def _talk(
    alice: Client, bob: Client, *, medium: Medium = Medium.TEXT, media: bool = False
) -> AsyncIterator[tuple[Side, Side]]:
    """A call between two clients, with test sources on both sides if there are ``media``."""
    placed = Side(alice.call(bob.account_id, _media(media), medium=medium))
    answered = Side((await bob.invitation()).answer(_media(media)))
    await asyncio.gather(placed.connected(), answered.connected())
    try:
        yield placed, answered
    finally:
        await asyncio.gather(placed.hang_up(), answered.ended())
        await answered.call.ended()


def _media(wanted: bool) -> Media:
    return Media(TestPicture(), Tone(440.0)) if wanted else Media()


@attack(
    by=Adversary.SERVICE,
    counters=("IDENT-9", "CALL-2", "IDENT-3"),
    without=replaced(Trust, _require_attestation=nothing),
    on_sockets=True,
)
def swap_key_packages_between_clients(trial: Trial) -> None:
    """Answers a client's claim with a KeyPackage of the adversary's own, over a WebSocket."""
    asyncio.run(_swap(trial))


async def _swap(trial: Trial) -> None:
    async with (
        hostile_platform() as platform,
        platform.client("alice") as alice,
        platform.client("bob"),
    ):
        forger = _forger(platform, "bob")
        forged = encoded_key_package(forger.device(), platform.clock())

        def swap(_: str, message: ServiceMessage) -> Iterable[ServiceMessage]:
            if isinstance(message, messages.KeyPackages):
                return (messages.KeyPackages(message.account_id, (forged,)),)
            return (message,)

        platform.down = swap
        side = Side(alice.call("bob", Media(), medium=Medium.TEXT))
        await until(lambda: bool(side.events))
        ended = side.told(Ended)
        outcome = ended[0].detail.split(":")[1].strip() if ended else "it rings"
        trial.tried("a forged Bob", held=bool(ended), outcome=outcome)
        await side.hang_up()


def _forger(platform: HostileProxy, name: str) -> Forger:
    entropy = SystemEntropy()
    account = AccountKey.create(name, entropy)
    return Forger(account, entropy, platform.clock(), platform.identity.delivery_key.public)


@attack(
    by=Adversary.SERVICE,
    counters=("THREAT-3", "IDENT-12", "CALL-14", "VERIFY-5"),
    without=all_of(
        replaced(epochs, call_code=always("0" * 60)),
        replaced(epochs, export_sas_key=always(bytes(32))),
    ),
    on_sockets=True,
)
def machine_between_clients(trial: Trial) -> None:
    """Runs two faces of one directory, and stands between two clients who never met."""
    asyncio.run(_stand_between(trial))


async def _stand_between(trial: Trial) -> None:
    async with (
        hostile_platform() as front,
        hostile_platform(front.identity) as behind,
        front.client("alice") as alice,
        front.client("bob") as false_bob,
        behind.client("alice") as false_alice,
        behind.client("bob") as bob,
        _talk(alice, false_bob) as (at_alice, at_false_bob),
        _talk(false_alice, bob) as (at_false_alice, at_bob),
    ):
        sides = (at_alice, at_false_bob, at_false_alice, at_bob)
        for side in sides:
            side.call.begin_code()
        await until(lambda: all(side.told(CodeReady) for side in sides))
        seen, heard = (side.told(CodeReady)[0].code for side in (at_alice, at_bob))
        for what, one, other in (
            ("safety number", at_alice.call.safety_number, at_bob.call.safety_number),
            ("call code", at_alice.call.call_code, at_bob.call.call_code),
            ("spoken code", seen, heard),
        ):
            trial.tried(what, held=one != other, outcome="differs" if one != other else "the same")


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-15", "DS-9", "CHAT-1", "CALL-32", "THREAT-1"),
    without=all_of(forgets_no_key, replaced(InOrder, check=nothing)),
    on_sockets=True,
)
def disturb_a_call_between_clients(trial: Trial) -> None:
    """Delivers everything changed first, then as it is, then twice more, in a call with sound and picture.

    Invitation, commits and messages alike, once more under the number of the mailbox that they had, and once under none.
    """
    asyncio.run(_disturb(trial))


async def _disturb(trial: Trial) -> None:
    disturb = Disturbing()
    async with hostile_platform() as platform:
        platform.down = disturb
        async with (
            platform.client("alice") as alice,
            platform.client("bob") as bob,
            _talk(alice, bob, medium=Medium.VIDEO, media=True) as (placed, answered),
        ):
            for number in range(20):
                placed.call.say(f"to Bob, {number}")
                answered.call.say(f"to Alice, {number}")
                await asyncio.sleep(0.01)
            await until(lambda: min(len(placed.texts), len(answered.texts)) >= 20)
            await until(lambda: all(_pictures(side) > 10 for side in (placed, answered)))
            for side, name in ((placed, "Alice"), (answered, "Bob")):
                expected = [f"to {name}, {number}" for number in range(20)]
                trial.claim(f"{name} is shown each text once, in order", side.texts == expected)
                received = side.call.statistics.received.values()
                trial.claim("no frame was refused", not any(each.rejected for each in received))
            same = placed.call.call_code == answered.call.call_code
            trial.claim("both are in one group", same)
    disturb.report(trial)


def _pictures(side: Side) -> int:
    received = side.call.statistics.received
    return received[Kind.CAMERA].opened if Kind.CAMERA in received else 0


@attack(
    by=Adversary.SERVICE,
    counters=("DS-9", "SIG-2", "CHAT-2"),
    without=replaced(Unconfirmed, again=always([])),
    on_sockets=True,
)
def cut_clients_off_with_junk(trial: Trial) -> None:
    """Swallows what a client says and sends it bytes that are no message, so that it loses its connection."""
    asyncio.run(_cut_off(trial))


async def _cut_off(trial: Trial) -> None:
    async with (
        hostile_platform() as platform,
        platform.client("alice") as alice,
        platform.client("bob") as bob,
        _talk(alice, bob) as (placed, answered),
    ):
        junk = (b"\x91\xa3yes", bytes(1 << 16), b"\x92\xa4sent\xc4")  # each is a longer pause
        for number, data in enumerate(junk):
            platform.up = _swallowing
            placed.call.say(f"text {number}")
            await asyncio.sleep(0.05)
            platform.up = honest
            await platform.inject("alice", data)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(COMES_BACK):
                    await _texts(answered, number + 1)
            arrived = answered.texts == [f"text {n}" for n in range(number + 1)]
            outcome = "comes back, and the text arrives" if arrived else "the text is lost"
            trial.tried(f"{len(data)} bytes of junk", held=arrived, outcome=outcome)
            if not arrived:
                return


async def _texts(side: Side, count: int) -> None:
    await until(lambda: len(side.texts) >= count)


def _swallowing(_: str, message: ServiceMessage) -> Iterable[ServiceMessage]:
    return () if isinstance(message, messages.Send) else (message,)


@attack(
    by=Adversary.SERVICE,
    counters=("CALL-3", "CALL-5"),
    without=all_of(replaced(StoredSeenCalls, seen=no), replaced(KeyPackages, drop=nothing)),
    on_sockets=True,
)
def replay_a_ring_to_a_client(trial: Trial) -> None:
    """Sends a client an invitation again, after the call, over a WebSocket."""
    asyncio.run(_replay_ring(trial))


async def _replay_ring(trial: Trial) -> None:
    kept: list[messages.Invited] = []

    def keep(_: str, message: ServiceMessage) -> Iterable[ServiceMessage]:
        kept.extend([message] if isinstance(message, messages.Invited) else [])
        return (message,)

    async with hostile_platform() as platform:
        platform.down = keep
        async with platform.client("alice") as alice, platform.client("bob") as bob:
            async with _talk(alice, bob):
                pass
            for number in (0, 1 << 40):
                await platform.inject("bob", replace(kept[0], number=number))
            rang = False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await bob.invitation()
                    rang = True
            outcome = "it rings" if rang else "no effect"
            trial.tried("last call's invitation", held=not rang, outcome=outcome)
