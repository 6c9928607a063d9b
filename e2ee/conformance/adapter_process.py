"""An adapter as a process: lines to its standard input, lines from its standard output.

Three threads for each process, so that nothing that it does, or leaves undone, can hold up the runner: one writes what
is sent, one reads what is said, one keeps the end of its standard error. They end when the pipes do, which ``kill``
brings about: the process has a group of its own, which is killed with all that it started. Who has left that group
outlives it, and holds up nobody.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from e2ee.conformance.adapter_protocol import MAXIMUM_LINE, NotTheProtocol
from e2ee.conformance.channel import Gone, NotStarted, Silent
from e2ee.conformance.shown import shown, shown_lines

__all__ = ["AdapterProcess", "kill_with_children"]

KEPT_OF_STDERR = 16_384
LAST_LINES = 20

AT_THE_END = 5.0
"""Seconds that a process has to end when its standard input does."""

A_MOMENT = 2.0
"""Seconds to wait for a process whose standard output has ended, so that its exit status can be told; or for what is still in the
pipes of one that has ended: what it started may hold them open for ever."""

AT_TIMES = 0.1
"""Seconds after which it is looked whether a process that says nothing is still there."""

_Heard = bytes | Exception


class AdapterProcess:
    """A running adapter. ``environment`` comes on top of the runner's. Raises NotStarted if it cannot be run."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - running it is what was asked for
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )
        except (OSError, ValueError) as error:
            raise NotStarted(f"cannot run {shown(command[0])}: {error}") from error
        self._to_send = queue.SimpleQueue[bytes | None]()
        self._heard = queue.Queue[_Heard](maxsize=1)  # so that a flood waits in the pipe
        self._deaf = False
        self._stderr = b""
        self._threads = [
            threading.Thread(target=each, daemon=True)
            for each in (self._write, self._read, self._keep_stderr)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, line: str) -> None:
        """See Channel."""
        self._to_send.put(line.encode() + b"\n")

    def receive(self, seconds: float) -> bytes:
        """See Channel."""
        heard = self._next(seconds)
        if isinstance(heard, EOFError):
            raise Gone(self._how_it_ended(str(heard)))
        if isinstance(heard, Exception):
            raise heard
        return heard

    def _next(self, seconds: float) -> _Heard:
        """What is heard next; EOFError also of a process that has ended, whoever holds its standard output. Raises Silent."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                return self._heard.get(timeout=min(left, AT_TIMES))
            if self._process.poll() is not None:
                return self._rest()
        raise Silent

    def _rest(self) -> _Heard:
        """What an ended process said last."""
        with contextlib.suppress(queue.Empty):
            return self._heard.get(timeout=A_MOMENT)
        return EOFError("")

    def close(self) -> str | None:
        """See Channel."""
        self._to_send.put(None)
        try:
            status = self._process.wait(AT_THE_END)
        except subprocess.TimeoutExpired:
            self.kill()
            return "did not end with its standard input, and was killed"
        said_more = self._said_more()
        self.kill()  # whatever it started
        if status:
            return f"ended with {_status(status)} after its last case"
        return "said something after its last answer" if said_more else None

    def kill(self) -> None:
        """See Channel."""
        self._deaf = True
        kill_with_children(self._process)
        with contextlib.suppress(queue.Empty):
            self._heard.get_nowait()  # lets the reading thread go on, and end
        self._to_send.put(None)

    def last_words(self) -> list[str]:
        """See Channel."""
        self._threads[-1].join(A_MOMENT)
        return shown_lines(self._stderr, LAST_LINES)

    def _said_more(self) -> bool:
        """Whether there is a line that nobody waited for (CONF-3). Of a process that has ended."""
        return not isinstance(self._rest(), EOFError)

    def _how_it_ended(self, rest: str) -> str:
        try:
            status = _status(self._process.wait(A_MOMENT))
        except subprocess.TimeoutExpired:
            return f"closed its standard output and went on running{rest}"
        return f"ended with {status}{rest}"

    def _write(self) -> None:
        stdin = _pipe(self._process.stdin)
        with contextlib.suppress(OSError, ValueError):
            while (data := self._to_send.get()) is not None:
                stdin.write(data)
                stdin.flush()
        with contextlib.suppress(OSError, ValueError):
            stdin.close()

    def _read(self) -> None:
        with _pipe(self._process.stdout) as stdout:
            while not self._deaf:
                heard = _line(stdout)
                self._heard.put(heard)
                if isinstance(heard, Exception):
                    return

    def _keep_stderr(self) -> None:
        with _pipe(self._process.stderr) as stderr:
            while some := os.read(stderr.fileno(), 65_536):
                self._stderr = (self._stderr + some)[-KEPT_OF_STDERR:]


def kill_with_children(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a session of its own, at once and with all that is in it."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()


def _line(stdout: BinaryIO) -> _Heard:
    """The next line, or EOFError, or what is wrong with it."""
    line = stdout.readline(MAXIMUM_LINE + 1)
    if line.endswith(b"\n"):
        return line.rstrip(b"\r\n")
    if len(line) > MAXIMUM_LINE:
        return NotTheProtocol(f"said a line of more than {MAXIMUM_LINE} bytes: {shown(line)}")
    return EOFError(f", in the middle of a line: {shown(line)}" if line else "")


def _pipe(pipe: object) -> BinaryIO:
    return pipe  # type: ignore[return-value]


def _status(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
