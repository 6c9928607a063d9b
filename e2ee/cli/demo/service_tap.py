"""What the delivery service saw of a call: the messages that it handled, searched for what they must not hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from e2ee.rtc.tap import count_leaking
from e2ee.signalling import wire
from e2ee.signalling.messages import ServiceMessage

__all__ = ["ServiceTap", "ServiceTapReport"]

_DESCRIPTION_MARKS = (b"v=0\r\n", b"a=fingerprint", b"a=candidate", b"a=ice-ufrag")


@dataclass(frozen=True)
class ServiceTapReport:
    """``leaking`` messages held 16 bytes of an encoder's output, or a part of a session description."""

    messages: int
    bytes: int
    leaking: int


class ServiceTap:
    """Is handed to the service as its observer, and keeps every message in memory."""

    def __init__(self) -> None:
        self._messages: list[bytes] = []

    def __call__(self, _connection_id: int, message: ServiceMessage) -> None:
        self._messages.append(wire.encode(message))

    def report(self, encoded: Sequence[bytes]) -> ServiceTapReport:
        """``encoded`` is what the encoders of both sides made, beyond what stays clear."""
        described = [m for m in self._messages if any(mark in m for mark in _DESCRIPTION_MARKS)]
        others = [m for m in self._messages if m not in described]
        return ServiceTapReport(
            messages=len(self._messages),
            bytes=sum(map(len, self._messages)),
            leaking=len(described) + count_leaking(encoded, others),
        )
