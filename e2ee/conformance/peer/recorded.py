"""A channel whose lines are written down as they pass: what is sent after ``>``, what comes after ``<``."""

from __future__ import annotations

from typing import BinaryIO

from e2ee.conformance.channel import Channel

__all__ = ["Recorded"]


class Recorded:
    """A ``Channel`` around another one."""

    def __init__(self, channel: Channel, transcript: BinaryIO) -> None:
        self._channel, self._transcript = channel, transcript
        self.close, self.kill, self.last_words = channel.close, channel.kill, channel.last_words

    def send(self, line: str) -> None:
        """See Channel."""
        self._write(b"> %s\n" % line.encode())
        self._channel.send(line)

    def receive(self, seconds: float) -> bytes:
        """See Channel."""
        line = self._channel.receive(seconds)
        self._write(b"< %s\n" % line)
        return line

    def _write(self, line: bytes) -> None:
        if not self._transcript.closed:
            self._transcript.write(line)
            self._transcript.flush()
