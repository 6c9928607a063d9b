"""People at command lines of calls: a real service, real processes, driven through pipes or a pseudo-terminal.

Everything waits for what the other side says; a process that says nothing for too long is killed, and its test fails with
all that it said.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import pty
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from e2ee.cli.commands import application
from e2ee.client.profile import Profile
from e2ee.system_clock import system_clock

ENTRY = [sys.executable, "-c", "from e2ee.cli.main import main; main()"]
LOOPBACK = ["--address", "127.0.0.1"]
PATIENCE = 120.0
"""Seconds for a whole process: it is for what hangs, and not a measure."""

SERVICE_PATIENCE = 900.0
"""The same for a service, which outlives all tests of a module."""


def run(*arguments: str, says: str = "", **environment: str) -> Result:
    """A command in this process, and how it ended."""
    return CliRunner().invoke(
        application(arguments[:1]), list(arguments), input=says, env=environment
    )


def objects(result: Result) -> list[dict[str, Any]]:
    """What a command with --json said."""
    return [json.loads(line) for line in result.stdout.splitlines()]


@dataclass
class Process:
    """A command that runs; ``said`` is all that it said so far."""

    popen: subprocess.Popen[str]
    said: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, line: str) -> None:
        """A line of its standard input."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()

    def until(self, event: str, **fields: object) -> dict[str, Any]:
        """The next event of this name with these fields."""
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            said = json.loads(line)
            self.said.append(said)
            if said["event"] == event and fields.items() <= said.items():
                return dict(said)
        pytest.fail(f"ended without {event} {fields}: {self.said}, {self.errors()}")

    def events(self) -> list[str]:
        """The names of all that was said."""
        return [each["event"] for each in self.said]

    def errors(self) -> str:
        assert self.popen.stderr is not None
        return self.popen.stderr.read()

    def end(self) -> int:
        """Its exit status, after all that it has left to say."""
        assert self.popen.stdout is not None
        if self.popen.stdin is not None and not self.popen.stdin.closed:
            self.popen.stdin.close()
        self.said += map(json.loads, self.popen.stdout)
        return self.popen.wait()


@contextlib.contextmanager
def process(*arguments: str, patience: float = PATIENCE, **environment: str) -> Iterator[Process]:
    """A command as a process of its own."""
    popen = subprocess.Popen(  # noqa: S603 - our own command
        [*ENTRY, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    with watched(popen, patience):
        yield Process(popen)


@contextlib.contextmanager
def watched(popen: subprocess.Popen[str], patience: float = PATIENCE) -> Iterator[None]:
    watchdog = threading.Timer(patience, popen.kill)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()
        if popen.poll() is None:
            popen.kill()
        popen.wait()
        for pipe in (popen.stdin, popen.stdout, popen.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


class Screen:
    """A command on a terminal, which shows what it writes whether anybody looks or not."""

    def __init__(self, popen: subprocess.Popen[str], ours: int, its: int) -> None:
        self._popen = popen
        self._terminal = ours
        self._before = termios.tcgetattr(its)
        self._shown = ""
        self._over = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._show),
            threading.Thread(target=self._close, args=(its,)),
        ]
        for thread in self._threads:
            thread.start()

    def until(self, text: str) -> None:
        """Wait until this is shown, after what was waited for before."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or text in self._shown)
            if text not in self._shown:
                pytest.fail(f"ended without {text!r}: {self._shown}")
            self._shown = self._shown.partition(text)[2]

    def after(self, text: str) -> str:
        """The rest of the line on which this is shown."""
        self.until(text)
        with self._changed:
            self._changed.wait_for(lambda: self._over or "\n" in self._shown)
            return self._shown.partition("\n")[0]

    def press(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def end(self) -> tuple[int, str]:
        """Its exit status, and what it had left to show. The terminal has to be as it was."""
        for thread in self._threads:
            thread.join()
        assert self.is_as_before
        return self._popen.wait(), self._shown

    def _close(self, its: int) -> None:
        self._popen.wait()
        self.is_as_before = termios.tcgetattr(its) == self._before
        os.close(its)

    def _show(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")()
        with contextlib.suppress(OSError):  # its other side is closed
            while data := os.read(self._terminal, 4096):
                with self._changed:
                    self._shown += decoder.decode(data)
                    self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()


@contextlib.contextmanager
def screen(*arguments: str) -> Iterator[Screen]:
    """A command on a pseudo-terminal, which is as it was when the command ends."""
    ours, its = pty.openpty()
    popen = subprocess.Popen(  # noqa: S603 - our own command
        [*ENTRY, *arguments],
        stdin=its,
        stdout=its,
        stderr=its,
        text=True,
        start_new_session=True,
        preexec_fn=_control_terminal,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    with watched(popen):
        yield Screen(popen, ours, its)
    os.close(ours)


def _control_terminal() -> None:
    """Ctrl-C on it reaches the process."""
    import fcntl  # noqa: PLC0415 - in the child

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@dataclass
class Service:
    """A delivery service that runs, and the profiles of people at it."""

    store: Path
    folder: Path
    listening: dict[str, Any]

    @property
    def options(self) -> list[str]:
        """What e2ee register needs to know."""
        keys = self.listening["directory_keys"].items()
        given = (f"--directory-key={key_id}:{key}" for key_id, key in keys)
        return ["--server", self.listening["url"], *given]

    def profile(self, name: str) -> list[str]:
        """The option that names the profile of somebody, who is registered if need be."""
        path = self.folder / f"{name}.db"
        profile = ["--profile", str(path)]
        if not path.exists():
            registered = run("register", name, *profile, *self.options)
            assert registered.exit_code == 0, registered.output
        return profile


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[Service]:
    store = folder / "service.sqlite3"
    arguments = ["serve", "--json", "--port", "0", "--store", str(store), "--log-level", "error"]
    with process(*arguments, *options, patience=SERVICE_PATIENCE) as server:
        yield Service(store, folder, server.until("listening"))


def meet(one: list[str], other: list[str]) -> None:
    """Two profiles know each other, as after a call."""
    with Profile.open(Path(one[1])) as first, Profile.open(Path(other[1])) as second:
        for who, whom in ((first, second), (second, first)):
            who.trust().accept(whom.keys.certificate, system_clock()())
