"""Group calls with real media, through the forwarding unit of ``e2ee serve``, by real clients, all over 127.0.0.1.

The server is a process; so is everybody who speaks; those who only open what comes are some in a process. One more comes,
is removed, and comes again: it keeps its keys and its connection when it is removed. In between epochs end by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.bench.call.usage import Usage
from tests.bench.group.member import Settings
from tests.bench.group.processes import Talker, running

__all__ = [
    "AROUND",
    "PICTURES",
    "QUIET",
    "SOUND",
    "STEPS",
    "TOGETHER",
    "Gathered",
    "Gathering",
    "Removal",
    "measure",
]

MAIN = "from e2ee.cli.main import main; main()"

LATECOMER, HOST = "latecomer", "member 0"

EPOCH_LIFETIME = 7_000
"""Milliseconds: in place of ten minutes."""

TOGETHER = 6
"""Of those who only open, so many in a process."""

AROUND = (150.0, 1_500.0)
"""Milliseconds before and after an epoch is applied in which a gap that begins counts as its."""

SETTLED, HELD = 3.5, 3.5
"""Seconds after somebody came and before it is removed; after that, and before its keys are tried."""

STEPS = JOIN, REMOVAL, TIMED, QUIET = ("a join", "a removal", "a timed commit", "no new epoch")
SOUND, PICTURES = "MICROPHONE", "CAMERA"


@dataclass(frozen=True)
class Gathering:
    """So many members beside the latecomer, of whom so many show themselves, so many say something, and so many decode what
    they get, the first ones each; the others only open it. All is done ``repeats`` times. ``apart``: the forwarding unit is a
    process of its own (``e2ee sfu``)."""

    members: int
    show: int
    say: int
    decode: int
    repeats: int
    apart: bool = False

    @property
    def everybody_speaks(self) -> bool:
        return self.show == self.members

    def streams(self, number: int) -> int:
        """How many the member of this number gets."""
        return self.show - (number < self.show) + self.say - (number < self.say)

    @property
    def parties(self) -> list[list[str]]:
        """The accounts of each process, the host's first."""
        accounts = [f"member {number}" for number in range(self.members)]
        listening = accounts[self.show :]
        apart = [
            listening[start : start + TOGETHER] for start in range(0, len(listening), TOGETHER)
        ]
        return [[each] for each in accounts[: self.show]] + apart


@dataclass(frozen=True)
class Removal:
    """Milliseconds after the host removed the latecomer: until when it can open frames, as the members were ``told``, and when
    all ``known`` that; when the others sent the frames, of ``sent``, that its keys ``opened``; and of its own connection."""

    told: float
    known: float
    sent: int
    opened: Sequence[float]
    came: Sequence[float]
    opened_of_these: Sequence[float]


Gaps = dict[str, dict[str, list[float]]]
"""By step and kind of stream: the longest gap, in milliseconds, of each stream at each who gets it, each time."""


@dataclass
class Gathered:
    """Of one gathering. ``joins`` are marks, in milliseconds since the latecomer asked. While no epoch began: ``rates`` are frames
    opened a second of each stream at each who gets it, ``cores`` what processes took of a core, on average of those alike."""

    gathering: Gathering
    joins: list[dict[str, float]] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    gaps: Gaps = field(default_factory=dict)
    rates: dict[str, list[float]] = field(default_factory=dict)
    cores: dict[str, float] = field(default_factory=dict)


class Meeting:
    """The processes, and what they are told."""

    def __init__(
        self, gathering: Gathering, place: Path, server: Talker, unit: Talker | None
    ) -> None:
        self.gathering = gathering
        self._place = place
        self._server = server
        self._unit = unit
        self._by_account: dict[str, Talker] = {}

    async def start(self, stack: contextlib.AsyncExitStack) -> None:
        listening = await self._server.said("listening")
        gathering = self.gathering
        for number, accounts in enumerate([*gathering.parties, [LATECOMER]]):
            late = accounts == [LATECOMER]
            shows = gathering.everybody_speaks if late else number < gathering.show
            talker = await stack.enter_async_context(running("-m", "tests.bench.group.member"))
            talker.write(
                asdict(
                    Settings(
                        accounts,
                        listening["url"],
                        listening["server_name"],
                        listening["directory_keys"],
                        EPOCH_LIFETIME,
                        shows=shows,
                        says=shows and number < gathering.say,
                        opens=number >= gathering.decode,
                        keeps=late,
                    )
                )
            )
            for account in accounts:
                await talker.said("ready")
                self._by_account[account] = talker

    @property
    def members(self) -> list[str]:
        """All but the latecomer."""
        return [account for account in self._by_account if account != LATECOMER]

    @property
    def pids(self) -> dict[str, list[int]]:
        """The processes, by what they are."""
        speaking = set(self.members[: self.gathering.show])
        listening = {self._by_account[each].pid for each in self.members if each not in speaking}
        return {
            "the server": [self._server.pid],
            "the forwarding unit": [] if self._unit is None else [self._unit.pid],
            "who has a camera, each": [self._by_account[each].pid for each in sorted(speaking)],
            f"who opens, {TOGETHER} together": sorted(listening),
        }

    def do(self, who: str, what: str, /, **how: Any) -> None:
        self._by_account[who].do(what, who=who, **how)

    async def said(self, account: str, event: str) -> dict[str, Any]:
        return await self._by_account[account].said(event)

    async def gather(self) -> None:
        """Everybody comes, who speaks before the others, and hears and sees all who speak."""
        gathering = self.gathering
        self.do(HOST, "meet", speakers_only=not gathering.everybody_speaks)
        self.link = (await self.said(HOST, "opened"))["link"]
        for number in range(1, gathering.members):
            account = self.members[number]
            self.do(account, "join", link=self.link, streams=gathering.streams(number))
            if number < gathering.show and not gathering.everybody_speaks:
                await self._is_in(account)
                self.do(HOST, "stage", account=account)
        self.do(HOST, "expect", streams=gathering.streams(0))
        for account in self.members:
            await self.said(account, "flows")

    async def _is_in(self, account: str) -> None:
        """The host knows that it is in."""
        while (await self.said(HOST, "members"))["members"] <= int(account.split()[1]):
            pass

    async def join(self) -> dict[str, float]:
        """The latecomer comes; when what happened, in milliseconds after it asked."""
        streams = self.gathering.streams(self.gathering.members)
        self.do(LATECOMER, "join", link=self.link, streams=streams)
        marks: dict[str, float] = (await self.said(LATECOMER, "flows"))["marks"]
        return {name: at - marks["asks"] for name, at in marks.items()}

    async def remove(self) -> Removal:
        """The host removes the latecomer, which then tries its keys."""
        for account in self.members:
            self._by_account[account].forget("complete")
        self.do(HOST, "remove", account=LATECOMER)
        began = (await self.said(HOST, "removing"))["at"]
        complete = [await self.said(account, "complete") for account in self.members]
        await self.said(LATECOMER, "ended")
        await asyncio.sleep(HELD)
        files = []
        for number, account in enumerate(self.members[: self.gathering.show]):
            files.append(str(self._place / f"{number}.sent"))
            self.do(account, "send_log", file=files[-1])
            await self.said(account, "sent")
        self.do(LATECOMER, "try_keys", files=files, since=began)
        sent, came = [await self.said(LATECOMER, f"tried what {what}") for what in ("sent", "came")]
        until = min(each["until"] for each in complete)
        return Removal(
            told=until - began,
            known=max(each["at"] for each in complete) - began,
            sent=len(sent["at"]),
            opened=[at - began for at in sent["opened"]],
            came=[at - began for at in came["at"]],
            opened_of_these=[at - began for at in came["opened"]],
        )

    async def reports(self) -> list[dict[str, Any]]:
        """What each member but the latecomer noted."""
        found = []
        for account in self.members:
            file = self._place / "report.json"
            self.do(account, "report", file=str(file))
            await self.said(account, "reported")
            found.append(json.loads(file.read_text()))
        return found


@contextlib.asynccontextmanager
async def _meeting(gathering: Gathering) -> AsyncIterator[Meeting]:
    async with contextlib.AsyncExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        serve = ("serve", "--json", "--port", "0", "--store", str(place / "service.db"))
        limits = ("--new-accounts", "1000", "--per-address", "1000", "--log-level", "warning")
        unit, where = await _unit(stack, place) if gathering.apart else (None, ())
        server = await stack.enter_async_context(running("-c", MAIN, *serve, *limits, *where))
        meeting = Meeting(gathering, place, server, unit)
        await meeting.start(stack)
        yield meeting


async def _unit(stack: contextlib.AsyncExitStack, place: Path) -> tuple[Talker, tuple[str, ...]]:
    """A forwarding unit, and how a service is told of it."""
    secret = place / "secret"
    secret.touch(mode=0o600)
    secret.write_text("the secret that a service and its unit share")
    knows = ("--secret-file", str(secret), "--log-level", "warning")
    arguments = ("-c", MAIN, "sfu", "--json", "--listen", "127.0.0.1:0", *knows)
    unit = await stack.enter_async_context(running(*arguments))
    url = (await unit.said("listening"))["url"]
    return unit, ("--sfu", url, "--sfu-secret-file", str(secret))


async def measure(gathering: Gathering) -> Gathered:
    found = Gathered(gathering)
    async with _meeting(gathering) as meeting:
        await meeting.gather()
        await asyncio.sleep(SETTLED)
        for number in range(gathering.repeats):
            found.joins.append(await meeting.join())
            await asyncio.sleep(SETTLED)
            if not number:
                found.cores = await _cores(meeting)
            found.removals.append(await meeting.remove())
            await asyncio.sleep(EPOCH_LIFETIME / 1e3)
        reports = await meeting.reports()
        found.gaps, found.rates = _gaps(reports), _rates(reports)
    return found


async def _cores(meeting: Meeting) -> dict[str, float]:
    """Over a second, of a core, on average of those who are alike."""
    before = {pid: Usage.of(pid) for pids in meeting.pids.values() for pid in pids}
    await asyncio.sleep(1.0)
    after = {pid: Usage.of(pid) for pid in before}
    share = {
        pid: (after[pid].cpu - each.cpu) / (after[pid].at - each.at) for pid, each in before.items()
    }
    return {
        what: sum(share[pid] for pid in pids) / len(pids)
        for what, pids in meeting.pids.items()
        if pids
    }


# Gaps


def _gaps(reports: Sequence[dict[str, Any]]) -> Gaps:
    found: Gaps = {name: {SOUND: [], PICTURES: []} for name in STEPS}
    for kind, times, step, (start, end) in _watched(reports):
        if (gap := longest_gap(times, start, end)) is not None:
            found[step][kind].append(gap)
    return found


def _rates(reports: Sequence[dict[str, Any]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {SOUND: [], PICTURES: []}
    for kind, times, step, (start, end) in _watched(reports):
        if step == QUIET and times[0] <= start:
            found[kind].append(sum(start <= at < end for at in times) * 1e3 / (end - start))
    return found


def _watched(
    reports: Sequence[dict[str, Any]],
) -> Iterator[tuple[str, list[float], str, tuple[float, float]]]:
    """Each stream of the others, when its frames were opened at one of them, and each window there."""
    leaves = {each["leaf"] for each in reports}
    for report in reports:
        windows = list(_windows(report["epochs"]))
        for stream in report["frames"]:
            if stream["leaf"] in leaves:
                for step, window in windows:
                    yield stream["kind"], stream["times"], step, window


def _windows(epochs: Sequence[dict[str, Any]]) -> Iterator[tuple[str, tuple[float, float]]]:
    """When the latecomer had come, been removed, an epoch ended by itself; and, as long, in between.

    After a removal there is no quiet: who was removed tries its keys.
    """
    before, after = AROUND
    for epoch, following in pairwise([*epochs, None]):
        assert epoch is not None
        at = epoch["at"]
        if (step := _step(epoch)) is None:
            continue
        yield step, (at - before, at + after)
        quiet_until = at + 2 * after + before
        if step != REMOVAL and following is not None and quiet_until < following["at"] - before:
            yield QUIET, (at + after, quiet_until)


def _step(epoch: dict[str, Any]) -> str | None:
    added, removed = epoch.get("added", []), epoch.get("removed", [])
    if not added and not removed:
        return TIMED
    if added == [LATECOMER]:
        return JOIN
    return REMOVAL if removed == [LATECOMER] else None


def longest_gap(times: Sequence[float], start: float, end: float) -> float | None:
    """From a frame in the window to the next one. None if the stream was not there before."""
    if not times or times[0] > start:
        return None
    gaps = [late - early for early, late in pairwise([*times, end]) if start <= early < end]
    return max(gaps, default=end - start)
