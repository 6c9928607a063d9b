"""What the service holds at most (DS-7), and how long."""

from __future__ import annotations

__all__ = [
    "CALL_IDLE",
    "CALL_ID_REMEMBERED",
    "MAX_DEVICES",
    "MAX_KEY_PACKAGES",
    "MAX_OPEN_CALLS",
    "MAX_RELAYED_BYTES",
    "MAX_REMEMBERED_KEY_PACKAGES",
    "MAX_WAITING_BYTES",
    "MAX_WAITING_MESSAGES",
]

MAX_DEVICES = 64
"""Devices of an account, each with its own ``device_id``."""

MAX_RELAYED_BYTES = (1 << 20) - 1024
"""What a request may bring for others, so that what is sent on is a service message as well (SIG-3)."""

MAX_KEY_PACKAGES = 100
"""KeyPackages held of a device."""

MAX_REMEMBERED_KEY_PACKAGES = 10_000
"""KeyPackages of a device that were handed out and are remembered until they expire (DS-2)."""

MAX_OPEN_CALLS = 64
"""Calls that a device has opened and that are not over."""

MAX_WAITING_MESSAGES = 1_000
"""Messages that wait for a connection to take them; the shell that has the connections enforces it."""

MAX_WAITING_BYTES = 16 << 20
"""All of these together, in bytes."""

CALL_IDLE = 11 * 60 * 1000
"""A call whose log does not grow for so long is over, in milliseconds (an epoch lasts at most 10 minutes, KEYS-15)."""

CALL_ID_REMEMBERED = 24 * 3600 * 1000
"""How long the id of a call that is over cannot be opened again, in milliseconds (DS-3)."""
