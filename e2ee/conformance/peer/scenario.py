"""What a scenario is, the table of all of them, and the stage on which one is played.

    @scenario("ringing", "CALL-13", "CALL-20")
    async def the_client_declines_with_a_text(stage: Stage) -> None:
        \"""The peer calls; the client declines, and says why.\"""
        client, probe = await stage.client(), await stage.probe()
        call = await probe.call(client.name, Medium.TEXT)
        ...

A scenario ends well if it returns. It waits for what must happen and for nothing else: what must *not* happen is looked
at when something that was said later has arrived.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from e2ee.call.configuration import Configuration
from e2ee.call.medium import Medium
from e2ee.client.call import Connected
from e2ee.client.linking import Linking
from e2ee.client.online import online
from e2ee.client.profile import Profile
from e2ee.conformance.cases import Case
from e2ee.conformance.peer.findings import ClientFault, Journal, NotSupported
from e2ee.conformance.peer.probe import Probe, ProbeCall, ProbeClock
from e2ee.conformance.peer.service import Service
from e2ee.conformance.peer.subject import Members, Subject
from e2ee.conformance.peer.tampering import TamperingKeys
from e2ee.identity.device_link import read_link
from e2ee.media.frame_keys import FrameKeys
from e2ee.testing.hostile.proxy import HostileProxy

__all__ = ["LEVEL", "PAUSE", "SCENARIOS", "ClientOnStage", "Scenario", "Stage", "scenario"]

LEVEL = "P"

PAUSE = 0.1
"""Seconds between two looks at what has no event."""


@dataclass(frozen=True)
class Scenario:
    """One of the table. ``case`` is how reports see it; ``wire``: only at a service of the peer's own."""

    case: Case
    play: Callable[[Stage], Awaitable[None]]
    slow: bool
    wire: bool
    forwarding: bool


SCENARIOS: list[Scenario] = []
"""All, in the order in which they are played."""

Play = Callable[["Stage"], Awaitable[None]]


def scenario(
    group: str,
    *requirements: str,
    features: Iterable[str] = (),
    slow: bool = False,
    wire: bool = False,
    forwarding: bool = False,
) -> Callable[[Play], Play]:
    """Enter a function into the table; its docstring is the story."""

    def enter(play: Play) -> Play:
        case = Case(
            level=LEVEL,
            group=f"peer/{group}",
            id=play.__name__.replace("_", "-"),
            comment=" ".join((play.__doc__ or "").split()),
            requirements=requirements,
            features=tuple(features),
            input={},
            intermediate={},
            result="valid",
            output={},
            reason=None,
        )
        SCENARIOS.append(Scenario(case, play, slow, wire, forwarding))
        return play

    return enter


class ClientOnStage:
    """The client under test in one scenario: a ``Subject`` with an account."""

    def __init__(self, subject: Subject, name: str) -> None:
        self.name = name
        self.do, self.told = subject.do, subject.told
        self._subject = subject

    def has(self, feature: str) -> bool:
        """Whether the driver declares it."""
        return feature in self._subject.hello.features

    def count(self, event: str, **fields: Any) -> int:
        """How many events of a name, with these members, the client told so far."""
        return sum(each.has(event, fields) for each in self._subject.events)

    async def state(self) -> Members:
        """What the client says of itself."""
        return await self.do("state")

    async def opened(self, kind: str) -> int:
        """How many frames of a kind the client says that it has opened."""
        received = (await self.state()).get("received", {})
        opened = received.get(kind, {}).get("opened", 0) if isinstance(received, dict) else 0
        return opened if isinstance(opened, int) else 0

    async def opens(self, kind: str, frames: int) -> None:
        """Until it says that it has opened so many, of which it tells no events."""
        while await self.opened(kind) < frames:  # noqa: ASYNC110 - each look asks the driver
            await asyncio.sleep(PAUSE)

    async def answers(self, account_id: str, medium: Medium) -> None:
        """It rings, and the client takes the call."""
        await self.told("rings", account_id=account_id, medium=medium.value)
        await self.do("answer")


class Stage:
    """Who takes part in one scenario, and the service at which."""

    def __init__(
        self, stack: AsyncExitStack, subject: Subject, service: Service, journal: Journal
    ) -> None:
        self._stack, self._subject, self.service, self.journal = stack, subject, service, journal
        self._probes = list[Probe]()

    @property
    def wire(self) -> HostileProxy:
        """What is between devices and the service."""
        if self.service.wire is None:
            raise NotSupported("needs a service of the peer's own")
        return self.service.wire

    async def client(self) -> ClientOnStage:
        """The client under test, registered as an account that can be called."""
        name, known = self.service.name("client"), self.service.known
        await self._subject.do(
            "register",
            url=known.url,
            server_name=known.server_name,
            directory_keys={
                str(key): value.hex() for key, value in known.directory_keys.keys.items()
            },
            account=name,
            token=await self.service.token(name),
        )
        return ClientOnStage(self._subject, name)

    async def probe(
        self, name: str = "probe", *, epoch_lifetime: int = 600_000, ahead: int = 0
    ) -> Probe:
        """A device of the peer; its epochs last so many milliseconds, and its clock is so many ahead."""
        account_id, profile = self.service.name(name), Profile.in_memory()
        profile.create(account_id, self.service.known)
        token = await self.service.token(account_id)
        return await self._online(
            profile, account_id, token, Configuration(epoch_lifetime=epoch_lifetime), ahead
        )

    async def second_device(self, probe: Probe) -> Probe:
        """Another device of a probe's account, which that one has linked (IDENT-17)."""
        linking, profile = Linking.create(), Profile.in_memory()
        waiting = asyncio.ensure_future(linking.opened(self.service.known))
        self.journal.awaits(f"{probe.name} to link a device")
        await probe.client.link(read_link(linking.text()), "second")
        profile.take((await waiting).confirmed(), self.service.known)
        return await self._online(profile, probe.name, "", Configuration(), 0)

    async def _online(
        self,
        profile: Profile,
        account_id: str,
        token: str,
        configuration: Configuration,
        ahead: int,
    ) -> Probe:
        clock, keys = ProbeClock(ahead), list[TamperingKeys]()

        def frame_keys() -> FrameKeys:
            keys.append(TamperingKeys())
            return keys[-1]

        going_online = online(
            profile,
            token=token,
            configuration=configuration,
            network=self.service.network,
            clock=clock,
            frame_keys=frame_keys,
        )
        self.journal.awaits(f"{account_id} to be online")
        client = await self._stack.enter_async_context(going_online)
        await client.published()
        probe = Probe(account_id, client, clock, self.journal, keys)
        self._probes.append(probe)
        self._stack.callback(probe.close)
        return probe

    async def in_call(
        self, client: ClientOnStage, probe: Probe, medium: Medium = Medium.TEXT
    ) -> ProbeCall:
        """The peer calls, the client answers, and both can say something."""
        call = await probe.call(client.name, medium)
        await client.answers(probe.name, medium)
        await call.until(Connected)
        await client.told("connected")
        return call

    async def still_there(
        self, client: ClientOnStage, call: ProbeCall, text: str = "still there?"
    ) -> None:
        """The call goes on: what the peer says now is shown, and nothing ended before."""
        call.call.say(text)
        await client.told("chat", unless="ended", text=text)

    def refused(self) -> tuple[str, ...]:
        """What the probes refused of the client's frames, for who looks for a fault."""
        return tuple(
            f"{probe.name} refused frames: {reasons}"
            for probe in self._probes
            for call in probe.calls
            if (reasons := call.refused())
        )

    def expect(self, condition: bool, otherwise: str) -> None:
        """What must be so. Raises ClientFault."""
        if not condition:
            raise ClientFault(otherwise)
