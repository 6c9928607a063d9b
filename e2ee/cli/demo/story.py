"""The demo's story: an untrusted service, two processes that call each other through it, the taps; then the group.

This process is the platform's: it has the service and the directory's signing key, it carries all messages, and it
reads what both taps wrote. It never has a key of the call. The taps' logs hold what the encoders made, which is
plaintext: they lie in a directory that only this user can read, and are removed with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from e2ee.cli.demo.group_report import ForwardedReport, GroupReport
from e2ee.cli.demo.group_story import members_online, tell_group
from e2ee.cli.demo.process import Heard, PeerProcess
from e2ee.cli.demo.report import PeerReport
from e2ee.cli.demo.service_tap import ServiceTap
from e2ee.cli.demo.settings import (
    MEMBERS,
    PEER_OF,
    DemoSettings,
    MemberSettings,
    PeerSettings,
    Sabotage,
)
from e2ee.cli.demo.verdict import Findings
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.service import DeliveryService, ServiceIdentity
from e2ee.delivery.store import MemoryStore
from e2ee.rtc.tap import TapLog, beyond_clear, count_leaking, examine
from e2ee.server.app import PATH, create_app
from e2ee.server.forwarding import ForwardingRouter
from e2ee.server.serve import serve
from e2ee.sfu.aiortc_unit import AiortcForwardingUnit
from e2ee.system_clock import system_clock

__all__ = ["Stage", "tell"]

SERVER_NAME = "calls.example"

Stage = Callable[[str], None]
"""Told of what the demo does itself."""


async def tell(settings: DemoSettings, stage: Stage, heard: Heard) -> Findings:
    """Run the whole story. Raises PeerFailed if a side does not come through it."""
    tap = ServiceTap()
    settings.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="e2ee-demo-") as directory:
        private = Path(directory)
        async with _platform(settings, tap) as platform:
            stage(f"an untrusted delivery service listens: {platform['url']}")
            sides = {role: _side(settings, platform, role, private) for role in PEER_OF}
            members = {role: _member(settings, platform, role, private) for role in MEMBERS}
            reports, group = await _tell(settings, sides, members, stage, heard)
        stage("the taps are read, and decoders are tried on them without keys")
        return _found(settings, sides, members, reports, tap, group)


@contextlib.asynccontextmanager
async def _platform(settings: DemoSettings, tap: ServiceTap) -> AsyncIterator[dict[str, Any]]:
    """Service and forwarding unit; gives what every device is told."""
    entropy = SystemEntropy()
    identity = ServiceIdentity.create(SERVER_NAME, entropy)
    service = DeliveryService(identity, MemoryStore(), entropy, forwarding=True)
    clock = system_clock()
    router = ForwardingRouter(
        lambda offer, lost: AiortcForwardingUnit(offer, lost, clock, host_addresses=["127.0.0.1"])
    )
    keys = identity.directory_keys().keys.items()
    try:
        async with serve(create_app(service, observer=tap, forwarding=router, now=clock)) as port:
            yield {
                "url": f"ws://127.0.0.1:{port}{PATH}",
                "server_name": SERVER_NAME,
                "directory_keys": {str(key_id): key.hex() for key_id, key in keys},
                "suite": settings.suite,
            }
    finally:
        await router.close()


def _found(
    settings: DemoSettings,
    sides: dict[str, PeerSettings],
    members: dict[str, MemberSettings],
    reports: dict[str, dict[str, Any]],
    tap: ServiceTap,
    group: GroupReport,
) -> Findings:
    """What all devices reported and all taps wrote, put together."""
    logs = {
        role: TapLog.read(Path(side.tap_log).read_bytes())
        for role, side in (sides | members).items()
    }
    encoded = [beyond_clear(frame) for log in logs.values() for frame in log.sent]
    return Findings(
        peers={role: PeerReport.decode(report) for role, report in reports.items()},
        taps={
            role: examine(sent=logs[peer], captured=logs[role]) for role, peer in PEER_OF.items()
        },
        service=tap.report(encoded),
        test_media=settings.media is None,
        group=group,
        forwarded=_forwarded(encoded, [logs[role] for role in members]),
    )


def _forwarded(encoded: Sequence[bytes], logs: Sequence[TapLog]) -> ForwardedReport:
    frames = [frame.data for log in logs for frame in log.captured]
    return ForwardedReport(len(frames), count_leaking(encoded, frames))


def _side(
    settings: DemoSettings, platform: dict[str, Any], role: str, private: Path
) -> PeerSettings:
    return PeerSettings(
        **platform,
        role=role,
        sabotage=_only(Sabotage.WRONG_KEY, settings),
        epoch_lifetime=settings.epoch_lifetime,
        media=str(settings.media) if settings.media else None,
        recording=str(settings.out / f"{role}-received.webm"),
        tap_log=str(private / role),
    )


def _member(
    settings: DemoSettings, platform: dict[str, Any], role: str, private: Path
) -> MemberSettings:
    return MemberSettings(
        **platform,
        role=role,
        sabotage=_only(Sabotage.OLD_KEY, settings),
        frames=str(private / f"{role}-frames"),
        tap_log=str(private / role),
    )


def _only(sabotage: Sabotage, settings: DemoSettings) -> Sabotage | None:
    return sabotage if settings.sabotage is sabotage else None


async def _tell(
    settings: DemoSettings,
    sides: dict[str, PeerSettings],
    members: dict[str, MemberSettings],
    stage: Stage,
    heard: Heard,
) -> tuple[dict[str, dict[str, Any]], GroupReport]:
    """All processes, from their start to their reports."""
    async with AsyncExitStack() as stack:
        async with (
            PeerProcess.start(sides["callee"], heard) as callee,
            PeerProcess.start(sides["caller"], heard) as caller,
        ):
            await asyncio.gather(callee.said("ready"), caller.said("ready"))
            caller.do("call")
            await asyncio.gather(callee.said("connected"), caller.said("connected"))
            stage(f"media flow for {settings.seconds:g} s, device to device")
            online = await stack.enter_async_context(members_online(members, heard))
            await asyncio.sleep(settings.seconds)
            caller.do("hang-up")
            said = await asyncio.gather(caller.said("report"), callee.said("report"))
        stage("three others meet, through a forwarding unit that has no keys either")
        group = await tell_group(online, members)
    caller_report, callee_report = (each["report"] for each in said)
    return {"caller": caller_report, "callee": callee_report}, group
