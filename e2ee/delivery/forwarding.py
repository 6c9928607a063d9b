"""What is on its way to the forwarding unit: requests of members, and whose media end (SFU-3, SFU-7).

Who runs the service takes these to the forwarding unit, in their order, and brings its messages back
(``DeliveryService.forwarded``).
"""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.delivery.media_calls import MediaCalls
from e2ee.signalling import messages

__all__ = ["ForwardEnd", "ForwardRequest", "Forwarding", "MediaRequest"]

MediaRequest = (
    messages.PublishMedia | messages.SubscribeMedia | messages.MediaAnswer | messages.WantMedia
)
"""What a member asks of the forwarding unit."""


@dataclass(frozen=True, slots=True)
class ForwardRequest:
    """The device with this signature key, a member of the call at ``leaf``, asks for something."""

    call_id: bytes
    signature_key: bytes
    leaf: int
    message: MediaRequest


@dataclass(frozen=True, slots=True)
class ForwardEnd:
    """A device is no member any more, or gone: its connections are to be closed. It may never have had any.

    With ``publishing_only`` it is still a member, which may not send media any more.
    """

    call_id: bytes
    signature_key: bytes
    publishing_only: bool = False


class Forwarding:
    """What waits to be taken to the forwarding unit, if there is one."""

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled
        self.calls = MediaCalls()
        self._waiting: list[ForwardRequest | ForwardEnd] = []

    def request(self, request: ForwardRequest) -> None:
        """A member asks for something."""
        self._waiting.append(request)

    def end(self, call_id: bytes, signature_key: bytes) -> None:
        """A device has no part in this call any more."""
        if self.enabled:
            self.calls.end(call_id, signature_key)
            self._waiting.append(ForwardEnd(call_id, signature_key))

    def end_publishing(self, call_id: bytes, signature_key: bytes) -> None:
        """A device may not send media in this call any more; it goes on getting the others'."""
        if self.enabled:
            self._waiting.append(ForwardEnd(call_id, signature_key, publishing_only=True))

    def forget(self) -> None:
        """A transaction was undone: what waits was never so, and all connections end (DS-23)."""
        self.calls, self._waiting = MediaCalls(), []

    def take(self) -> list[ForwardRequest | ForwardEnd]:
        """All that waits."""
        taken, self._waiting = self._waiting, []
        return taken
