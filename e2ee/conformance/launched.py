"""An adapter that comes by WebSocket and is started by a command all the same: a browser without a window, an emulator.

The command finds the URL to open in its environment, as ``E2EE_CONFORMANCE_URL``. What it writes goes to the runner's
standard error. It is killed with all that it started when the connection ends.

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from e2ee.conformance.adapter_process import kill_with_children
from e2ee.conformance.channel import NotStarted
from e2ee.conformance.shown import shown
from e2ee.conformance.websocket_listener import Listener

__all__ = ["URL", "LaunchedAdapter"]

URL = "E2EE_CONFORMANCE_URL"
STANDARD_ERROR = 2


class LaunchedAdapter:
    """A Channel. Raises NotStarted if the command cannot be run, or nobody comes within so many seconds."""

    def __init__(self, command: Sequence[str], listener: Listener, seconds: float) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - running it is what was asked for
                command,
                stdin=subprocess.DEVNULL,
                stdout=STANDARD_ERROR,
                start_new_session=True,
                env={**os.environ, URL: listener.url},
            )
        except (OSError, ValueError) as error:
            raise NotStarted(f"cannot run {shown(command[0])}: {error}") from error
        try:
            self._adapter = listener.next(seconds)
        except NotStarted:
            kill_with_children(self._process)
            raise

    def send(self, line: str) -> None:
        """See Channel."""
        self._adapter.send(line)

    def receive(self, seconds: float) -> bytes:
        """See Channel."""
        return self._adapter.receive(seconds)

    def close(self) -> str | None:
        """See Channel."""
        complaint = self._adapter.close()
        kill_with_children(self._process)
        return complaint

    def kill(self) -> None:
        """See Channel."""
        self._adapter.kill()
        kill_with_children(self._process)

    def last_words(self) -> list[str]:
        """See Channel: they were on standard error as they were said."""
        return []
