"""Attacks of a delivery service on a meeting between real clients and the real server, with a real forwarding unit."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeVar

from e2ee.call.chat.events import TextReceived
from e2ee.call.chat.in_order import InOrder
from e2ee.call.events import CallEvent, RemovalComplete, RequestRefused
from e2ee.call.group.events import GroupCallOpened, Joined, JoinsAnew, Stranded
from e2ee.client.group_call import GroupCall
from e2ee.client.media import Media
from e2ee.errors import Reason
from e2ee.media.encoded_frame import Kind
from e2ee.media.reasons import RejectReason
from e2ee.rtc.sources import Tone
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, nothing, replaced
from e2ee.testing.hostile.disturbing import Disturbing
from e2ee.testing.hostile.messages_on_their_way import forgets_no_key
from e2ee.testing.hostile.patience import until
from e2ee.testing.hostile.proxy import HostileProxy, hostile_platform
from e2ee.testing.hostile.trial import Trial

E = TypeVar("E", bound=CallEvent)

TEXTS = 10


@dataclass
class Seat:
    """A meeting at one client, and what its application was told."""

    name: str
    call: GroupCall
    events: list[CallEvent | RequestRefused] = field(default_factory=list)
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

    def heard(self) -> dict[str, int]:
        """How many frames of each other one's microphone were opened."""
        names = {member.leaf_index: member.account_id for member in self.call.members}
        received = self.call.statistics.received
        return {
            names[stream.leaf]: each.opened
            for stream, each in received.items()
            if stream.kind is Kind.MICROPHONE and stream.leaf in names
        }

    def rejected(self) -> int:
        """How many frames were refused, but those of who was removed while they were on their way."""
        rejected = Counter[Reason]()
        for each in self.call.statistics.received.values():
            rejected.update(each.rejected)
        return rejected.total() - rejected[RejectReason.REMOVED]


@contextlib.asynccontextmanager
async def meeting(platform: HostileProxy, *names: str) -> AsyncIterator[list[Seat]]:
    """A meeting of these, of whom the first one is the host, and all speak; it ends with the block."""
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(platform.client(name)) for name in names]
        seats = [Seat(names[0], clients[0].meet(Media(None, Tone(440.0))))]
        await until(lambda: bool(seats[0].told(GroupCallOpened)))
        link = seats[0].call.link or ""
        for name, client in zip(names[1:], clients[1:], strict=True):
            seats.append(Seat(name, client.join(link, Media(None, Tone(660.0)))))
        await until(lambda: all(seat.told(Joined) for seat in seats[1:]))
        try:
            yield seats
        finally:
            there = [seat.call for seat in seats if not seat.call.is_over]
            for call in there:
                call.leave()
            await asyncio.gather(*(call.ended() for call in there))


@attack(
    by=Adversary.SERVICE,
    counters=("GROUP-20", "GROUP-24", "CALL-15", "CHAT-1", "DS-9", "THREAT-1"),
    without=all_of(forgets_no_key, replaced(InOrder, check=nothing)),
    on_sockets=True,
)
def disturb_a_meeting_between_clients(trial: Trial) -> None:
    """Delivers everything of a meeting changed first, then as it is, then twice more; and a member is removed.

    Welcomes, commits and messages alike, once more under the number of the mailbox that they had, and once under none.
    """
    asyncio.run(_disturb(trial))


async def _disturb(trial: Trial) -> None:
    disturb = Disturbing()
    async with hostile_platform(forwarding=True) as platform:
        platform.down = disturb
        async with meeting(platform, "alice", "bob", "carol") as seats:
            alice, bob, carol = seats
            for number in range(TEXTS):
                alice.call.say(f"{number}")
                await asyncio.sleep(0.01)
            await until(lambda: min(len(bob.texts), len(carol.texts)) >= TEXTS)
            await until(lambda: all(_hears_all(seat, 2) for seat in seats))
            for seat in (bob, carol):
                expected = [f"{number}" for number in range(TEXTS)]
                trial.claim(f"{seat.name} is shown each text once", seat.texts == expected)
            codes = {seat.call.call_code for seat in seats}
            trial.claim("all are one group", len(codes) == 1)
            (target,) = (each for each in alice.call.members if each.account_id == "carol")
            alice.call.remove(target)
            await until(lambda: carol.call.is_over and bool(bob.told(RemovalComplete)))
            trial.claim("who stays is one group", alice.call.call_code == bob.call.call_code)
            refused = sum(seat.rejected() for seat in (alice, bob))
            trial.claim("of who stays no frame was refused", refused == 0)
            lost = [
                each for seat in seats for each in (*seat.told(Stranded), *seat.told(JoinsAnew))
            ]
            trial.claim("nobody lost the log", not lost)
    disturb.report(trial)


def _hears_all(seat: Seat, others: int) -> bool:
    heard = seat.heard()
    return len(heard) == others and min(heard.values()) > 10
