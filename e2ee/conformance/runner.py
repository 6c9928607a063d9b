"""Cases to adapters, verdicts back: several adapters at once, each with one case at a time.

An adapter that crashed or hangs is killed, and another one started for the next case. Adapters are started when there
is work for them. What one worker thread finds out goes to the caller's thread by a queue; an exception too.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from e2ee.conformance.adapter_protocol import Hello
from e2ee.conformance.cases import Case
from e2ee.conformance.channel import Channel, NotStarted
from e2ee.conformance.expectations import Expectations, Reasons
from e2ee.conformance.session import Exchange, Session
from e2ee.conformance.verdict import FAILING, Judgement, Verdict, judge

__all__ = ["Outcome", "Runner", "Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run is done. Times in seconds."""

    specification: str
    case_seconds: float = 10.0
    start_seconds: float = 60.0
    jobs: int = 1
    fail_fast: bool = False
    lenient: bool = False
    reasons: Reasons = field(default_factory=Reasons)
    expectations: Expectations = field(default_factory=Expectations)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one case. ``expected`` is why it was expected to fail, if it was."""

    number: int
    case: Case
    judgement: Judgement
    seconds: float = 0.0
    exchange: Exchange | None = None
    expected: str | None = None

    def without_lines(self) -> Outcome:
        """The same without what was asked and answered, which may be long."""
        if not self.exchange:
            return self
        short = replace(self.exchange, asked="", answered=None, answer=None)
        return replace(self, exchange=short)

    @property
    def verdict(self) -> Verdict:
        """The judgement's."""
        return self.judgement.verdict


class Runner:
    """One run. ``start`` makes a connection to another adapter, or raises NotStarted."""

    def __init__(
        self, start: Callable[[], Channel], cases: Sequence[Case], settings: Settings
    ) -> None:
        self.hello: Hello | None = None
        self.complaints = list[str]()
        self._start, self._settings = start, settings
        self._cases = list(enumerate(cases, 1))
        self._to_ask = queue.SimpleQueue[tuple[int, Case]]()
        self._found = queue.SimpleQueue[Outcome | Exception | None]()
        self._over = threading.Event()
        self._channels = set[Channel]()

    def outcomes(self) -> Iterator[Outcome]:
        """One of each case, in the order in which they are known. Raises NotStarted, also in the middle."""
        try:
            first = self._begin()
            self.hello = first.hello
            for number, case in self._cases:
                if why := lacking(case, first.hello):
                    yield Outcome(number, case, Judgement(Verdict.UNSUPPORTED, why))
                else:
                    self._to_ask.put((number, case))
            yield from self._asked(first)
        finally:
            self._over.set()
            for channel in [*self._channels]:
                channel.kill()

    def _asked(self, first: Session) -> Iterator[Outcome]:
        workers = max(1, min(self._settings.jobs, self._to_ask.qsize()))
        for session in [first, *[None] * (workers - 1)]:
            threading.Thread(target=self._work, args=[session], daemon=True).start()
        while workers:
            match self._found.get():
                case None:
                    workers -= 1
                case Exception() as error:
                    raise error
                case Outcome() as outcome:
                    yield outcome
                    if self._settings.fail_fast and self.fails(outcome.verdict):
                        return

    def fails(self, verdict: Verdict) -> bool:
        """Whether a run with this verdict has failed."""
        strict = verdict is Verdict.UNEXPECTED_PASS and not self._settings.lenient
        return verdict in FAILING or strict

    def _work(self, session: Session | None) -> None:
        try:
            while not self._over.is_set():
                try:
                    number, case = self._to_ask.get_nowait()
                except queue.Empty:
                    break
                session = session or self._begin()
                outcome = self._ask(session, number, case)
                if outcome.exchange and outcome.exchange.trouble:
                    self._channels.discard(session.channel)
                    session = None
                self._found.put(outcome)
            if session and not self._over.is_set():
                self._end(session)
        except Exception as error:  # noqa: BLE001 - raised again where it is handled
            self._found.put(error)
        finally:
            self._found.put(None)

    def _ask(self, session: Session, number: int, case: Case) -> Outcome:
        began = time.monotonic()
        exchange = session.ask(number, case, self._settings.case_seconds)
        took = time.monotonic() - began
        judgement = exchange.trouble
        if judgement is None and exchange.answer:
            judgement = judge(case, exchange.answer, self._settings.reasons)
        assert judgement is not None  # noqa: S101 - one of the two is there
        judgement, expected = self._settings.expectations.applied(case, judgement)
        return Outcome(number, case, judgement, took, exchange, expected)

    def _begin(self) -> Session:
        channel = self._start()
        self._channels.add(channel)
        if self._over.is_set():
            channel.kill()
        session = Session(channel, self._settings.specification, self._settings.start_seconds)
        if self.hello and session.hello != self.hello:
            raise NotStarted("the adapter said another hello than the first time")
        return session

    def _end(self, session: Session) -> None:
        if complaint := session.close():
            self.complaints.append(f"the adapter {complaint}")
        self._channels.discard(session.channel)


def lacking(case: Case, hello: Hello) -> str:
    """Why a case is not sent (CONF-7); empty if it is."""
    if case.group not in hello.groups:
        return "the adapter does not list this group"
    missing = [feature for feature in case.features if feature not in hello.features]
    return f"the adapter lacks {', '.join(missing)}" if missing else ""
