"""What a demo is asked for, and what its processes are told: plain values that travel as one line of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from e2ee.client.key_store import Service
from e2ee.identity.attestation import DirectoryKeys
from e2ee.profile.suites import HYBRID, X25519

__all__ = [
    "MEMBERS",
    "MEMBERS_TONES",
    "PEER_OF",
    "SUITES",
    "TONES",
    "DemoSettings",
    "MemberSettings",
    "PeerSettings",
    "ProcessSettings",
    "Sabotage",
    "suite_name",
]

PEER_OF = {"caller": "callee", "callee": "caller"}

TONES = {"caller": 440.0, "callee": 660.0}
"""What each side plays, in Hz; the other side hears it."""

MEMBERS = {"host": "harriet", "guest": "gustav", "latecomer": "lea"}
"""The group's roles, and their accounts: who makes it, who is removed, who joins late."""

MEMBERS_TONES = {"host": 330.0, "guest": 550.0, "latecomer": 770.0}

SUITES = {"classical": X25519.mls, "hybrid": HYBRID.mls}
"""The MLS suites of KEYS-1's table, from lower to higher, under names that fit a command line."""


def suite_name(mls_suite: int) -> str:
    """The name of an MLS suite."""
    return next(name for name, suite in SUITES.items() if suite == mls_suite)


class Sabotage(StrEnum):
    """What may be broken on purpose, to see the demo notice it."""

    WRONG_KEY = "wrong-key"
    """A side of the call has keys from nowhere: nobody opens what it sends."""
    OLD_KEY = "old-key"
    """In the group, nobody sends with another key when somebody was removed."""


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
class ProcessSettings:
    """What a device's process needs to know; no secret among it: each process makes its own keys."""

    role: str
    url: str
    server_name: str
    directory_keys: dict[str, str]
    """Key id -> public key, in hexadecimal: what a client is shipped with (IDENT-4)."""
    suite: int
    sabotage: str | None

    @property
    def service(self) -> Service:
        """The delivery service, as a client is told of it."""
        keys = {int(key_id): bytes.fromhex(key) for key_id, key in self.directory_keys.items()}
        return Service(self.url, self.server_name, DirectoryKeys(keys))

    @property
    def suites(self) -> list[int]:
        """The device's suites."""
        suites = list(SUITES.values())
        return suites[: suites.index(self.suite) + 1]

    def encode(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, line: str) -> Self:
        """The settings of a line that ``encode`` wrote."""
        return cls(**json.loads(line))


@dataclass(frozen=True)
class PeerSettings(ProcessSettings):
    """A side of the call."""

    epoch_lifetime: int
    media: str | None
    recording: str
    tap_log: str


@dataclass(frozen=True)
class MemberSettings(ProcessSettings):
    """A member of the group. ``frames`` is where it writes what it sent and when, ``tap_log`` what its tap saw."""

    frames: str
    tap_log: str
