"""What the delivery service saw: the messages that it handled, searched for what they must not hold.

Session descriptions of a call of two go from device to device, sealed. Those that members exchange with the forwarding unit
are the service's to pass on, and nothing depends on them (SFU-2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from e2ee.rtc.tap import count_leaking
from e2ee.signalling import wire
from e2ee.signalling.messages import (
    MediaAnswer,
    MediaOffer,
    MediaPublished,
    PublishMedia,
    ServiceMessage,
)

__all__ = ["ServiceTap", "ServiceTapReport"]

_ITS_OWN = (PublishMedia, MediaPublished, MediaOffer, MediaAnswer)

_DESCRIPTION_MARKS = (b"v=0\r\n", b"a=fingerprint", b"a=candidate", b"a=ice-ufrag")


@dataclass(frozen=True)
class ServiceTapReport:
    """``leaking`` messages held 16 bytes of an encoder's output, or a part of a session description that is not its own."""

    messages: int
    bytes: int
    leaking: int


class ServiceTap:
    """Is handed to the service as its observer, and keeps every message in memory."""

    def __init__(self) -> None:
        self._messages: list[bytes] = []
        self._describing = 0

    def __call__(self, _connection_id: int, message: ServiceMessage) -> None:
        encoded = wire.encode(message)
        self._messages.append(encoded)
        if not isinstance(message, _ITS_OWN):
            self._describing += any(mark in encoded for mark in _DESCRIPTION_MARKS)

    def report(self, encoded: Sequence[bytes]) -> ServiceTapReport:
        """``encoded`` is what the encoders of all devices made, beyond what stays clear."""
        return ServiceTapReport(
            messages=len(self._messages),
            bytes=sum(map(len, self._messages)),
            leaking=self._describing + count_leaking(encoded, self._messages),
        )
