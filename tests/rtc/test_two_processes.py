"""Caller and callee as two operating system processes; descriptions pass through pipes, media through UDP."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import e2ee

CALLEE = Path(__file__).with_name("callee_process.py")
PICTURES = 45


def test_two_processes_see_and_hear_each_other(
    make_device: Callable[[int], Any], until: Callable[[Callable[[], bool]], Awaitable[None]]
) -> None:
    async def story() -> dict[str, Any]:
        import_path = os.pathsep.join([str(Path(e2ee.__file__).parents[1]), *sys.path])
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(CALLEE), str(PICTURES)),
            stdin=PIPE,
            stdout=PIPE,
            env={**os.environ, "PYTHONPATH": import_path},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        caller = make_device(0)
        try:
            process.stdin.write(json.dumps(await caller.peer.offer()).encode() + b"\n")
            await caller.peer.accept(json.loads(await process.stdout.readline()))
            await caller.peer.connected()
            caller.watch()
            caller.apply(2)
            await until(lambda: len(caller.pictures.numbers) >= PICTURES)
            report: dict[str, Any] = json.loads(await process.stdout.readline())
        finally:
            process.stdin.close()
            await caller.peer.close()
            await asyncio.gather(*caller.tasks)
            assert await process.wait() == 0
        assert caller.pictures.psnr >= 30
        assert caller.pictures.largest_gap == 0
        assert caller.sound.peak().frequency == pytest.approx(700, abs=5)
        return report

    report = asyncio.run(story())
    assert report["psnr"] >= 30
    assert report["gap"] == 0
    assert report["tone"] == pytest.approx(1000, abs=5)
    assert report["opened"] >= PICTURES
    assert report["rejected"] == {}
