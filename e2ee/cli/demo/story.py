"""The demo's story: an untrusted service, two processes that call each other through it, and the taps.

This process is the platform's: it has the service and the directory's signing key, it carries all messages, and it
reads what both taps wrote. It never has a key of the call. The taps' logs hold what the encoders made, which is
plaintext: they lie in a directory that only this user can read, and are removed with it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from e2ee.cli.demo.process import Heard, PeerProcess
from e2ee.cli.demo.report import PeerReport
from e2ee.cli.demo.service_tap import ServiceTap
from e2ee.cli.demo.settings import PEER_OF, DemoSettings, PeerSettings
from e2ee.cli.demo.verdict import Findings
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.service import DeliveryService, ServiceIdentity
from e2ee.delivery.store import MemoryStore
from e2ee.rtc.tap import TapLog, beyond_clear, examine
from e2ee.server.app import PATH, create_app
from e2ee.server.serve import serve

__all__ = ["Stage", "tell"]

SERVER_NAME = "calls.example"

Stage = Callable[[str], None]
"""Told of what the demo does itself."""


async def tell(settings: DemoSettings, stage: Stage, heard: Heard) -> Findings:
    """Run the whole story. Raises PeerFailed if a side does not come through it."""
    entropy, tap = SystemEntropy(), ServiceTap()
    identity = ServiceIdentity.create(SERVER_NAME, entropy)
    app = create_app(DeliveryService(identity, MemoryStore(), entropy), observer=tap)
    settings.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="e2ee-demo-") as private:
        async with serve(app) as port:
            stage(f"an untrusted delivery service listens on 127.0.0.1:{port}")
            sides = {
                role: _side(settings, identity, role, f"ws://127.0.0.1:{port}{PATH}", Path(private))
                for role in PEER_OF
            }
            reports = await _call(settings, sides, stage, heard)
        stage("the taps are read, and decoders are tried on them without keys")
        return _found(settings, sides, reports, tap)


def _found(
    settings: DemoSettings,
    sides: dict[str, PeerSettings],
    reports: dict[str, dict[str, Any]],
    tap: ServiceTap,
) -> Findings:
    """What both sides reported and both taps wrote, put together."""
    logs = {role: TapLog.read(Path(side.tap_log).read_bytes()) for role, side in sides.items()}
    encoded = [beyond_clear(frame) for log in logs.values() for frame in log.sent]
    return Findings(
        peers={role: PeerReport.decode(report) for role, report in reports.items()},
        taps={
            role: examine(sent=logs[peer], captured=logs[role]) for role, peer in PEER_OF.items()
        },
        service=tap.report(encoded),
        test_media=settings.media is None,
    )


def _side(
    settings: DemoSettings, identity: ServiceIdentity, role: str, url: str, private: Path
) -> PeerSettings:
    return PeerSettings(
        role=role,
        url=url,
        server_name=SERVER_NAME,
        directory_keys={
            str(key_id): key.hex() for key_id, key in identity.directory_keys().keys.items()
        },
        suite=settings.suite,
        epoch_lifetime=settings.epoch_lifetime,
        media=str(settings.media) if settings.media else None,
        recording=str(settings.out / f"{role}-received.webm"),
        tap_log=str(private / role),
        sabotage=settings.sabotage,
    )


async def _call(
    settings: DemoSettings, sides: dict[str, PeerSettings], stage: Stage, heard: Heard
) -> dict[str, dict[str, Any]]:
    """Both processes, from their start to their reports."""
    async with (
        PeerProcess.start(sides["callee"], heard) as callee,
        PeerProcess.start(sides["caller"], heard) as caller,
    ):
        await asyncio.gather(callee.said("ready"), caller.said("ready"))
        caller.do("call")
        await asyncio.gather(callee.said("connected"), caller.said("connected"))
        stage(f"media flow for {settings.seconds:g} s, device to device")
        await asyncio.sleep(settings.seconds)
        caller.do("hang-up")
        caller_report, callee_report = await asyncio.gather(
            caller.said("report"), callee.said("report")
        )
        return {"caller": caller_report["report"], "callee": callee_report["report"]}
