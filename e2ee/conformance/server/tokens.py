"""Where the accounts of a run come from (DS-8): names that nobody has, and what the service asks of who registers one.

nothing          accounts with random names and no token: for a service that is open
--tokens         a file; a line is a token, which is good for any account, or an account and its token
--token-command  a command that prints a token for ``{account}``: also for an account that is there already
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from e2ee.conformance.arguments import BadUsage
from e2ee.conformance.server.faults import Unsupported
from e2ee.conformance.shown import shown
from e2ee.crypto.system_entropy import SystemEntropy

__all__ = ["Tokens"]

PLACE = "{account}"


@dataclass(slots=True)
class Tokens:
    """``kept``: (account or "", token), each taken once."""

    kept: list[tuple[str, str]] | None = None
    command: Sequence[str] = ()

    @classmethod
    def of(cls, file: Path | None, command: str | None) -> Tokens:
        """As the options say. Raises BadUsage."""
        if file and command:
            raise BadUsage("--tokens and --token-command exclude each other")
        if command and PLACE not in command:
            raise BadUsage(f"--token-command needs {PLACE} where the account's name goes")
        try:
            return cls(_read(file) if file else None, shlex.split(command or ""))
        except (OSError, ValueError) as error:
            raise BadUsage(f"{file or command}: {error}") from None

    @property
    def needed(self) -> bool:
        """Whether this service lets nobody in without one."""
        return self.kept is not None or bool(self.command)

    async def account(self) -> tuple[str, str]:
        """A new account's name, and its token. Raises Unsupported if there are no more."""
        name = f"conformance-{SystemEntropy().random(8).hex()}"
        if self.kept is None:
            return name, await self.token(name) if self.command else ""
        if not self.kept:
            raise Unsupported("--tokens has no more accounts")
        account_id, token = self.kept.pop()
        return account_id or name, token

    async def token(self, account_id: str) -> str:
        """One for an account that may be there already. Raises Unsupported."""
        if not self.command:
            raise Unsupported("no --token-command makes a token for an account that is there")
        command = [each.replace(PLACE, account_id) for each in self.command]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        printed, said = await process.communicate()
        if process.returncode or not printed.strip():
            last = shown((said.splitlines() or [b"nothing"])[-1])
            raise Unsupported(f"--token-command printed no token, and said: {last}")
        return printed.decode().strip()


def _read(file: Path) -> list[tuple[str, str]]:
    kept = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            account_id, _, token = line.strip().rpartition(" ")
            kept.append((account_id.strip(), token))
    return kept[::-1]
