"""The numbers of the chapters Frame keys and Frame format, each with the requirement that fixes it.

Times are in milliseconds and lengths in bytes.
"""

from __future__ import annotations

from e2ee.sframe.mls import Kind

__all__ = [
    "COUNTER_LIMIT",
    "EARLIER_EPOCHS",
    "EARLIER_EPOCHS_AFTER_REMOVAL",
    "EARLIER_EPOCHS_OF_A_HEARD_SENDER",
    "EPOCHS_KEPT",
    "HELD_BYTES",
    "HELD_BYTES_OF_A_STREAM",
    "HELD_FRAMES_OF_A_STREAM",
    "HELD_TIME",
    "PAYLOADS_OF_A_FRAME",
    "PLAUSIBLE_EPOCHS",
    "REPLAY_WINDOW",
    "SEND_DEADLINE",
    "SEND_DEADLINE_AFTER_REMOVAL",
    "SUITES",
]

# Sending
SUITES = frozenset({0x0004, 0x0005})  # FRAME-2: 16-byte tags only
COUNTER_LIMIT = 1 << 24  # FKEY-4
SEND_DEADLINE = 1_000  # FKEY-7, FKEY-9
SEND_DEADLINE_AFTER_REMOVAL = 250  # FKEY-9

# Receiving
EARLIER_EPOCHS = 10_000  # FKEY-10
EARLIER_EPOCHS_AFTER_REMOVAL = 2_000  # FKEY-12
EARLIER_EPOCHS_OF_A_HEARD_SENDER = 1_000  # FKEY-13
EPOCHS_KEPT = 16  # FKEY-14
REPLAY_WINDOW = {  # FRAME-9, in counters
    Kind.MICROPHONE: 128,
    Kind.SCREEN_AUDIO: 128,
    Kind.CAMERA: 1_024,
    Kind.SCREEN_VIDEO: 1_024,
}

PAYLOADS_OF_A_FRAME = 512  # FRAME-19

# Frames before their key: FRAME-13
PLAUSIBLE_EPOCHS = 4
HELD_TIME = 1_000
HELD_FRAMES_OF_A_STREAM = 64
HELD_BYTES_OF_A_STREAM = 512 * 1_024
HELD_BYTES = 4 * 1_024 * 1_024
