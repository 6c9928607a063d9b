"""What a demo is asked for, and what its processes are told: plain values that travel as one line of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from e2ee.profile.suites import HYBRID, X25519

__all__ = ["PEER_OF", "SUITES", "TONES", "DemoSettings", "PeerSettings", "Sabotage", "suite_name"]

PEER_OF = {"caller": "callee", "callee": "caller"}

TONES = {"caller": 440.0, "callee": 660.0}
"""What each side plays, in Hz; the other side hears it."""

SUITES = {"classical": X25519.mls, "hybrid": HYBRID.mls}
"""The MLS suites of KEYS-1's table, from lower to higher, under names that fit a command line."""


def suite_name(mls_suite: int) -> str:
    """The name of an MLS suite."""
    return next(name for name, suite in SUITES.items() if suite == mls_suite)


class Sabotage(StrEnum):
    """What may be broken on purpose, to see the demo notice it."""

    WRONG_KEY = "wrong-key"


@dataclass(frozen=True)
class DemoSettings:
    """One run. ``suite`` is the highest MLS suite that both sides have; ``seconds`` how long media flow."""

    seconds: float
    suite: int
    media: Path | None
    out: Path
    sabotage: Sabotage | None

    @property
    def epoch_lifetime(self) -> int:
        """In milliseconds: the epoch changes once, soon after the middle of the call."""
        return int(self.seconds * 600)


@dataclass(frozen=True)
class PeerSettings:
    """What one side's process needs to know; no secret among it: each process makes its own keys."""

    role: str
    url: str
    server_name: str
    directory_keys: dict[str, str]
    """Key id -> public key, in hexadecimal: what a client is shipped with (IDENT-4)."""
    suite: int
    epoch_lifetime: int
    media: str | None
    recording: str
    tap_log: str
    sabotage: str | None

    def encode(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, line: str) -> PeerSettings:
        """The settings of a line that ``encode`` wrote."""
        return cls(**json.loads(line))
