"""How much one server does: 1,000 devices connected over WebSockets, 200 calls between them, SQLite flushed at each commit.

    python -m tests.bench.bench_delivery [--devices 1000] [--calls 200] [--seconds 10]

Every call has a device that sends messages of 200 bytes, 10 ahead of the answers, and one that acknowledges every 20. The
server is a process of its own, so its use of processor and memory is read from the system: what it does a second of its one
core does not depend on what else the machine does, what it does a second on the clock does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from e2ee.signalling import messages, wire
from e2ee.signalling.messages import SERVICE, ServiceMessage
from tests.delivery.conftest import Device
from tests.server.remote_town import RemoteTown
from tests.server.test_kill import in_call, number_of

AHEAD = 10
ACKNOWLEDGED_EACH = 20
MESSAGE = bytes(200)


class Usage:
    """What a process has used until now."""

    def __init__(self, pid: int) -> None:
        self.at = time.perf_counter()
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        self.processor = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        self.memory = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")


class Count:
    stored = 0
    taken = 0


async def online(town: RemoteTown, device: Device) -> ClientConnection:
    socket = await connect(town.url, compression=None, max_size=SERVICE.max_size)
    await socket.send(wire.encode(messages.Hello((0x0100,))))
    welcome = await hear(socket)
    assert isinstance(welcome, messages.Welcome)
    await socket.send(wire.encode(device.proof(welcome.server_nonce)))
    assert await hear(socket) == messages.LoggedIn()
    return socket


async def hear(socket: ClientConnection) -> ServiceMessage:
    return wire.decode(SERVICE, await socket.recv(decode=False))


async def send(socket: ClientConnection, request: bytes, count: Count) -> None:
    for _ in range(AHEAD):
        await socket.send(request)
    while True:
        if isinstance(await hear(socket), messages.Stored):
            count.stored += 1
            await socket.send(request)


async def take(socket: ClientConnection, count: Count) -> None:
    while True:
        number = number_of(await hear(socket))
        count.taken += bool(number)
        if number % ACKNOWLEDGED_EACH == 0:
            await socket.send(wire.encode(messages.Acknowledge(number)))


async def load(
    town: RemoteTown, calls: list[tuple[Device, Device, bytes]], idle: list[Device], seconds: float
) -> None:
    assert town.process is not None
    pid, count = town.process.pid, Count()
    sockets = [await online(town, device) for device in idle]
    async with asyncio.TaskGroup() as tasks:
        running = []
        for caller, callee, call_id in calls:
            assert caller.group is not None
            sealed = caller.group.protect(MESSAGE, entropy=caller.entropy).encode()
            request = wire.encode(messages.Send(call_id, sealed))
            sending, taking = await online(town, caller), await online(town, callee)
            sockets += [sending, taking]
            running.append(tasks.create_task(take(taking, count)))
            running.append(tasks.create_task(send(sending, request, count)))
        await asyncio.sleep(1)
        stored, taken, before = count.stored, count.taken, Usage(pid)
        await asyncio.sleep(seconds)
        after = Usage(pid)
        report(count.stored - stored, count.taken - taken, before, after, len(sockets))
        for task in running:
            task.cancel()


def report(stored: int, taken: int, before: Usage, after: Usage, connected: int) -> None:
    elapsed, used = after.at - before.at, after.processor - before.processor
    sys.stdout.write(
        f"{connected} devices connected: {stored / elapsed:,.0f} messages stored and"
        f" {taken / elapsed:,.0f} delivered a second, with {used / elapsed:.0%} of one core"
        f" ({stored / used:,.0f} a second of processor time); {after.memory / 2**20:.0f} MiB\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of one delivery service.")
    parser.add_argument("--devices", type=int, default=1_000)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        town = RemoteTown(Path(directory))
        with town.served():
            calls = [in_call(town, n) for n in range(options.calls)]
            idle = [town.member(f"idle {n}") for n in range(options.devices - 2 * options.calls)]
            asyncio.run(load(town, calls, idle, options.seconds))


if __name__ == "__main__":
    main()
