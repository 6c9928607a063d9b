"""The demo's second part: three members in a group call through a forwarding unit; one comes late, one is removed.

This process is the platform's again: service, forwarding unit, directory. When the group call is over it helps the one who
was removed, and hands over every frame that the others sent. Times are Unix milliseconds of one machine's clock.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from e2ee.cli.demo.group_report import GroupReport, JoinReport, MemberReport, RemovedReport
from e2ee.cli.demo.process import Heard, PeerProcess
from e2ee.cli.demo.settings import MEMBERS, MemberSettings

__all__ = ["Members", "members_online", "tell_group"]

Members = dict[str, PeerProcess]
"""By role."""

FLOWS = 1.5
"""Seconds in which media flow after the removal."""

_STAY = ("host", "latecomer")


@contextlib.asynccontextmanager
async def members_online(
    sides: Mapping[str, MemberSettings], heard: Heard
) -> AsyncIterator[Members]:
    """The members' processes, as long as the context lasts."""
    async with contextlib.AsyncExitStack() as stack:
        yield {
            role: await stack.enter_async_context(PeerProcess.start(side, heard))
            for role, side in sides.items()
        }


async def tell_group(members: Members, sides: Mapping[str, MemberSettings]) -> GroupReport:
    """Run the group's part. Raises PeerFailed if a member does not come through it."""
    await asyncio.gather(*(member.said("ready") for member in members.values()))
    joined = await _meet(members)
    removal = await _remove(members)
    await asyncio.sleep(FLOWS)
    for role in _STAY:
        members[role].do("leave")
    said = [await member.said("report") for member in members.values()]
    reports = [MemberReport.decode(each["report"]) for each in said]
    removed = await _try(members, sides, removal)
    return GroupReport({each.role: each for each in reports}, joined, removed)


async def _meet(members: Members) -> JoinReport:
    """The host makes the group, the guest joins by its link, and when they see each other the latecomer does."""
    members["host"].do("meet")
    link = (await members["host"].said("opened"))["link"]
    members["guest"].do("join", link=link)
    await _see_each_other(members, "host", "guest")
    members["latecomer"].do("join", link=link)
    await _see_each_other(members, "host", "guest", "latecomer")
    joined, first = await asyncio.gather(
        members["latecomer"].said("joined"), members["latecomer"].said("first-frame")
    )
    return JoinReport(MEMBERS["latecomer"], joined["after"], first["after"])


async def _see_each_other(members: Members, *roles: str) -> None:
    await asyncio.gather(
        *(
            members[role].said(f"sees {MEMBERS[other]}")
            for role in roles
            for other in roles
            if role != other
        )
    )


@dataclass(frozen=True)
class _Removal:
    """When the host removed the guest, until when that one can open what is sent, when all the others knew it."""

    at: int
    until: int
    known_at: int


async def _remove(members: Members) -> _Removal:
    members["host"].do("remove", account=MEMBERS["guest"])
    removing = await members["host"].said("removing")
    complete = [await members[role].said("complete") for role in _STAY]
    await members["guest"].said("ended")
    until = min(each["until"] for each in complete)
    return _Removal(removing["at"], until, max(each["at"] for each in complete))


async def _try(
    members: Members, sides: Mapping[str, MemberSettings], removal: _Removal
) -> RemovedReport:
    """Hand everything that the others sent to the one who was removed."""
    frames = [sides[role].frames for role in _STAY]
    members["guest"].do("try", frames=frames, until=removal.until)
    tried = await members["guest"].said("tried")
    return RemovedReport(
        account=MEMBERS["guest"],
        everybody_on_after=removal.known_at - removal.at,
        can_open_until=removal.until - removal.at,
        tried=tried["tried"],
        opened_before=tried["opened_before"],
        opened_after=tried["opened_after"],
    )
