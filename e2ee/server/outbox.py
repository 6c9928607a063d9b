"""Messages that wait for one connection to take them: bounded, so that who does not read costs little (DS-7).

They are encoded when they go out: of a commit that waits for a thousand members, the bytes are there once.
"""

from __future__ import annotations

import asyncio
from collections import deque

from e2ee.delivery.errors import DeliveryReason
from e2ee.delivery.limits import MAX_WAITING_BYTES, MAX_WAITING_MESSAGES
from e2ee.errors import Reason
from e2ee.signalling import wire
from e2ee.signalling.messages import Message

__all__ = ["Outbox"]


class Outbox:
    """Messages in the order in which they go out."""

    def __init__(
        self, max_messages: int = MAX_WAITING_MESSAGES, max_bytes: int = MAX_WAITING_BYTES
    ) -> None:
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        self._reason: Reason | None = None

    def put(self, message: Message) -> None:
        """Let ``message`` wait; beyond a bound the outbox closes."""
        size = _size(message)
        # DS-7: "1,000 messages and 16 MiB waiting for a connection"
        if len(self._waiting) >= self._max_messages or self._bytes + size > self._max_bytes:
            self.close(DeliveryReason.TOO_MANY_WAITING_MESSAGES)
        if self._reason is None:
            self._waiting.append(message)
            self._bytes += size
            self._changed.set()

    async def get(self) -> bytes:
        """The next message, when there is one, encoded. Raises MessageError if it is none that can be."""
        while not self._waiting:
            self._changed.clear()
            await self._changed.wait()
        message = self._waiting.popleft()
        self._bytes -= _size(message)
        return wire.encode(message)

    def close(self, reason: Reason) -> None:
        """Nothing more comes to wait. The first reason counts."""
        self._reason = self._reason or reason
        self._closing.set()

    async def closed(self) -> Reason:
        """Returns when the outbox has closed, with the reason."""
        while self._reason is None:
            await self._closing.wait()
        return self._reason


def _size(value: object) -> int:
    """At least as many bytes as it takes encoded: what its fields hold, and a few for each."""
    if isinstance(value, Message):
        return 32 + sum(_size(getattr(value, name)) for name, _ in value.checks)
    if isinstance(value, tuple):
        return 4 + sum(map(_size, value))
    return 8 + len(value) if isinstance(value, bytes | str) else 8
