"""The callee of ``test_two_processes.py``: takes an offer from standard input, answers on standard output.

After so many pictures as its first argument says it prints what it measured, and ends when its input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys

from conftest import make_device, until  # type: ignore[import-not-found]

from e2ee.media.encoded_frame import Kind


async def main(pictures: int) -> None:
    callee = make_device(1)
    read = asyncio.get_running_loop().run_in_executor
    offer = json.loads(await read(None, sys.stdin.readline))
    print(json.dumps(await callee.peer.answer(offer)), flush=True)  # noqa: T201
    await callee.peer.connected()
    callee.watch()
    callee.apply(2)
    await until(lambda: len(callee.pictures.numbers) >= pictures)
    received = callee.peer.statistics().received[Kind.CAMERA]
    report = {
        "psnr": callee.pictures.psnr,
        "gap": callee.pictures.largest_gap,
        "tone": callee.sound.peak().frequency,
        "opened": received.opened,
        "rejected": received.rejected,
    }
    print(json.dumps(report), flush=True)  # noqa: T201
    await read(None, sys.stdin.read)
    await callee.peer.close()
    await asyncio.gather(*callee.tasks)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
