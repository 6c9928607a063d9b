"""No secret in what commands log: two people register with sealed profiles and chat, everything with debug logging on."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.service import DeliveryService, ServiceIdentity
from e2ee.delivery.store import MemoryStore
from e2ee.server.app import PATH, create_app
from e2ee.server.serve import serve
from e2ee.shipped import checkout
from tests.hostile.secrets_made import SecretsMade

TEXT = "the password of the cellar is under the third flowerpot"
PASSPHRASES = {"alice": "correct horse battery staple", "bob": "seven lean years, seven fat"}


@dataclass
class Commands:
    """Commands of two people, each a process, and what they wrote."""

    folder: Path
    made: SecretsMade
    errors: str = ""
    output: str = ""

    async def start(self, who: str, *arguments: str) -> asyncio.subprocess.Process:
        """Begin a command of this person."""
        passphrase = self.folder / f"{who}.passphrase"
        passphrase.write_text(PASSPHRASES[who])
        options = [
            "--profile",
            str(self.folder / f"{who}.db"),
            "--passphrase-file",
            str(passphrase),
        ]
        command = ("-m", "tests.hostile.recorded_command", str(self.folder / f"{who}.made"))
        with (self.folder / f"{who}.errors").open("ab") as errors:  # a pipe that nobody reads fills
            return await asyncio.create_subprocess_exec(
                sys.executable,
                *(*command, *arguments, *options),
                cwd=checkout(),
                env={**os.environ, "PYTHONASYNCIODEBUG": "1"},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )

    async def finish(
        self, who: str, process: asyncio.subprocess.Process, said: Sequence[str] = ()
    ) -> None:
        """Say this, and wait for the end."""
        output, _ = await process.communicate("".join(f"{line}\n" for line in said).encode())
        self.output += output.decode()
        errors = (self.folder / f"{who}.errors").read_text()
        self.errors += errors
        assert process.returncode == 0, errors[-2_000:]
        self.made.load((self.folder / f"{who}.made").read_text().splitlines())


async def _story(commands: Commands) -> None:
    entropy = SystemEntropy()
    identity = ServiceIdentity.create("calls.example", entropy)
    (number, key), *_ = identity.authority.directory_keys().keys.items()
    app = create_app(DeliveryService(identity, MemoryStore(), entropy))
    async with serve(app) as port, asyncio.timeout(60):
        url = f"ws://127.0.0.1:{port}{PATH}"
        service = ["--server", url, "--server-name", "calls.example"]
        for who in PASSPHRASES:
            directory_key = ["--directory-key", f"{number}:{key.hex()}"]
            registering = await commands.start(who, "register", who, *service, *directory_key)
            await commands.finish(who, registering)
        waiting = await commands.start("bob", "chat", "--auto", "--json")
        await _until_said(waiting, b"waiting")
        calling = await commands.start("alice", "chat", "bob", "--json")
        await commands.finish("alice", calling, [TEXT])
        await commands.finish("bob", waiting, ["/quit"])


async def _until_said(process: asyncio.subprocess.Process, word: bytes) -> None:
    assert process.stdout is not None
    while word not in (line := await process.stdout.readline()):
        assert line, "it ended"


def test_commands_log_no_secret(tmp_path: Path) -> None:
    commands = Commands(tmp_path, SecretsMade())
    asyncio.run(_story(commands))
    assert len(commands.made) > 100
    assert TEXT in commands.output  # shown to whom it was said
    assert commands.made.leaked_in(commands.output.replace(TEXT, "")) == []
    for secret in (TEXT, *PASSPHRASES.values()):
        commands.made.note(secret)
    assert len(commands.errors) > 2_000  # there was much to be logged
    assert commands.made.leaked_in(commands.errors) == []
