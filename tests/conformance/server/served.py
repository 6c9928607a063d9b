"""``e2ee serve`` as a process: started, ended by force and started again on the same store and port.

    python -m tests.conformance.server.served FOLDER            starts it, or starts it again
    python -m tests.conformance.server.served FOLDER token ID   prints a token for an account

The process outlives the first of these: its number is in the folder, and who began ends it (``Served``).
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.admission import invite
from e2ee.server.stores.sqlite import SqliteStore
from e2ee.system_clock import system_clock

__all__ = ["Served"]

ENTRY = [sys.executable, "-c", "from e2ee.cli.main import main; main()"]
DAY = 24 * 3600 * 1000


class Served:
    """The service of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, folder / "service.db"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def _own_command(self) -> list[str]:
        return [sys.executable, "-m", __spec__.name, str(self.folder)]

    @property
    def restart_command(self) -> str:
        """For ``--restart-command``."""
        return shlex.join(self._own_command)

    @property
    def token_command(self) -> str:
        """For ``--token-command``."""
        return shlex.join([*self._own_command, "token", "{account}"])

    def start(self) -> str:
        """Begin, at the port of the last time if there was one; gives the URL."""
        self.end()
        options = self.folder / "options.json"
        port, more = json.loads(options.read_text()) if options.is_file() else (0, [])
        command = [*ENTRY, "serve", "--store", str(self.store), "--port", str(port), "--json"]
        command += ["--per-address", "1000", "--new-accounts", "100000", *more]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)  # noqa: S603 - ours
        (self.folder / "pid").write_text(str(self._process.pid))
        assert self._process.stdout
        with self._process.stdout as out:
            url = str(json.loads(out.readline())["url"])
        options.write_text(json.dumps((int(url.rpartition(":")[2].partition("/")[0]), more)))
        return url

    def asks_for_tokens(self) -> Served:
        """Registration is by invitation."""
        (self.folder / "options.json").write_text(json.dumps((0, ["--registration", "invitation"])))
        return self

    def end(self) -> None:
        """By force, if it runs."""
        number = self.folder / "pid"
        if number.is_file():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(number.read_text()), signal.SIGKILL)
            number.unlink()
        if self._process:
            self._process.wait()

    def tokens(self, *account_ids: str | None) -> list[str]:
        """Invitations, for these accounts or for any."""
        with contextlib.closing(SqliteStore(self.store)) as store, store.transaction() as tx:
            until, entropy = system_clock()() + DAY, SystemEntropy()
            return [invite(tx, entropy, until, account_id) for account_id in account_ids]


def main(folder: str, *rest: str) -> None:
    served = Served(Path(folder))
    if rest:
        sys.stdout.write(served.tokens(rest[1])[0] + "\n")
    else:
        served.start()


if __name__ == "__main__":
    main(*sys.argv[1:])
