"""Playing scenarios: one after the other with one client, a verdict for each.

PASS if the scenario came to its end; FAIL if the client did what it must not, LEAK if it opened what it must refuse; HANG
if something that the client has to do did not happen in time; CRASH if its driver ended or said what is no message;
UNSUPPORTED if the driver does not declare what the scenario needs. After HANG and CRASH the driver is started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass

from e2ee.conformance.adapter_protocol import NotTheProtocol
from e2ee.conformance.channel import Gone, NotStarted
from e2ee.conformance.expectations import Expectations
from e2ee.conformance.peer.driver_protocol import DriverHello
from e2ee.conformance.peer.findings import ClientFault, ClientLeak, Journal, NotSupported
from e2ee.conformance.peer.scenario import Scenario, Stage
from e2ee.conformance.peer.service import Service
from e2ee.conformance.peer.subject import Subject
from e2ee.conformance.runner import Outcome
from e2ee.conformance.session import Exchange
from e2ee.conformance.shown import shown
from e2ee.conformance.verdict import Judgement, Verdict
from e2ee.errors import E2EEError

__all__ = ["Playing"]

SLOW = 15
"""How much more time a slow scenario has."""

FOR_THE_END = 30.0
"""Seconds in which a client may end what a scenario has left behind."""

_LAST = 12
"""Lines of the journal that are shown."""

OpenService = Callable[[Scenario], AbstractAsyncContextManager[Service]]


@dataclass
class Playing:
    """A run. ``start`` makes a connection to the client, or raises NotStarted; a scenario has so many ``seconds``."""

    start: Callable[[], Awaitable[Subject]]
    service: OpenService
    own: bool
    """Whether the service is the peer's own."""
    scenarios: Sequence[Scenario]
    seconds: float
    expectations: Expectations
    hello: DriverHello | None = None
    _subject: Subject | None = None

    async def outcomes(self) -> AsyncIterator[Outcome]:
        """One of each scenario. Raises NotStarted."""
        try:
            for number, scenario in enumerate(self.scenarios, 1):
                began = time.monotonic()
                judgement, exchange = await self._play(scenario)
                judgement, expected = self.expectations.applied(scenario.case, judgement)
                took = time.monotonic() - began
                yield Outcome(number, scenario.case, judgement, took, exchange, expected)
        finally:
            if self._subject is not None:
                self._subject.close()

    async def _play(self, scenario: Scenario) -> tuple[Judgement, Exchange | None]:
        subject = await self._client()
        if why := self._lacking(scenario, subject.hello):
            return Judgement(Verdict.UNSUPPORTED, why), None
        journal = Journal()
        subject.begin(journal)
        judgement = Judgement(Verdict.HANG, "the peer could not end what was begun")
        with contextlib.suppress(TimeoutError):
            async with (
                asyncio.timeout(self._seconds(scenario) + 2 * FOR_THE_END),
                self.service(scenario) as service,
                AsyncExitStack() as stack,
            ):
                stage = Stage(stack, subject, service, journal)
                judged = await self._judged(scenario, stage, journal)
                judgement = await self._ended(subject, judged)
        if judgement.verdict not in {Verdict.HANG, Verdict.CRASH}:
            return judgement, None
        self._subject = None
        subject.kill()
        words = tuple(subject.last_words())
        return judgement, Exchange("", None, None, judgement, words)

    async def _client(self) -> Subject:
        if self._subject is None:
            self._subject = await self.start()
            if self.hello is not None and self._subject.hello != self.hello:
                raise NotStarted("the driver said another hello than the first time")
            self.hello = self._subject.hello
        return self._subject

    def _lacking(self, scenario: Scenario, hello: DriverHello) -> str:
        missing = [each for each in scenario.case.features if each not in hello.features]
        if missing:
            return f"the driver does not declare {', '.join(missing)}"
        return "needs a service of the peer's own" if scenario.wire and not self.own else ""

    async def _judged(self, scenario: Scenario, stage: Stage, journal: Journal) -> Judgement:
        seconds = self._seconds(scenario)
        try:
            async with asyncio.timeout(seconds):
                await scenario.play(stage)
        except TimeoutError:
            why = f"waited {seconds:g} s for {journal.waiting}"
            return Judgement(Verdict.HANG, shown(why), hints=(*stage.refused(), *_told(journal)))
        except NotSupported as unsupported:
            return Judgement(Verdict.UNSUPPORTED, shown(str(unsupported)))
        except ClientLeak as leak:
            return Judgement(Verdict.LEAK, f"the client {shown(str(leak))}", hints=_told(journal))
        except ClientFault as fault:
            return Judgement(Verdict.FAIL, f"the client {shown(str(fault))}", hints=_told(journal))
        except (Gone, NotTheProtocol) as gone:
            return Judgement(Verdict.CRASH, f"the driver {shown(str(gone))}", hints=_told(journal))
        except E2EEError as error:  # what a probe was to do did not go
            why = f"the peer could not go on while it waited for {journal.waiting}: {error}"
            return Judgement(Verdict.FAIL, shown(why), hints=_told(journal))
        return Judgement(Verdict.PASS)

    def _seconds(self, scenario: Scenario) -> float:
        return self.seconds * (SLOW if scenario.slow else 1)

    async def _ended(self, subject: Subject, judgement: Judgement) -> Judgement:
        """The client is in no call any more, and forgets its account; what that has to say."""
        if judgement.verdict in {Verdict.HANG, Verdict.CRASH}:
            return judgement
        try:
            async with asyncio.timeout(FOR_THE_END):
                await subject.do("reset")
        except TimeoutError:
            return Judgement(Verdict.HANG, "the client did not reset, after: " + judgement.why)
        except (Gone, NotTheProtocol, ClientFault, NotSupported) as error:
            return Judgement(Verdict.CRASH, f"the driver {shown(str(error))}, at the end")
        return judgement


def _told(journal: Journal) -> tuple[str, ...]:
    return tuple(f"  {line}" for line in journal.lines[-_LAST:])
