"""One run of an attack: what it draws on, what it tried, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.errors import E2EEError

__all__ = ["Trial", "Verdict", "outcome_of"]

TAKEN = "taken"
"""What became of something that was not refused."""

_MOST_BROKEN = 20
"""After so many failures of one attack their number says enough."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of an attack. It ``held`` if something was tried and nothing of what is claimed turned out false."""

    attack: str
    tried: int
    outcomes: Mapping[str, int]
    """How often each try ended how: reasons as in errors, or a word."""
    broken: tuple[str, ...]
    """What did not hold, one line each."""
    log: tuple[str, ...]
    """What happened, for who wants to follow it."""
    milliseconds: int

    @property
    def held(self) -> bool:
        """Whether the defence held. An attack that tried nothing has shown nothing."""
        return self.tried > 0 and not self.broken

    @property
    def result(self) -> str:
        """In a word."""
        return "held" if self.held else "broken"


class Trial:
    """Is handed to an attack. Everything that it makes is drawn from ``entropy``, so that a run repeats itself.

    (But for ML-KEM's ciphertexts, which OpenSSL draws, and for what goes over sockets.)
    """

    def __init__(self) -> None:
        self.entropy = SeededEntropy(b"hostile", _encapsulate)
        self._outcomes: Counter[str] = Counter()
        self._broken: list[str] = []
        self._failures = 0
        self._log: list[str] = []

    def note(self, line: str) -> None:
        """Something that happened, for the log."""
        self._log.append(line)

    def tried(self, what: str, *, held: bool, outcome: object = TAKEN) -> None:
        """The adversary tried ``what``; the outcome, and whether that is what the protocol promises."""
        self._outcomes[str(outcome)] += 1
        if not held:
            self._fail(f"{what}: {outcome}")

    def claim(self, what: str, holds: bool) -> None:
        """Something that has to be true at this moment, whatever was tried."""
        self.note(f"{'so' if holds else 'NOT so'}: {what}")
        if not holds:
            self._fail(what)

    def failed(self, error: BaseException) -> None:
        """Something was raised that nobody foresaw: no input of an adversary may do that."""
        self._fail(f"raised {type(error).__name__}: {error}")

    def verdict(self, attack: str, milliseconds: int) -> Verdict:
        """What came of it."""
        hidden = self._failures - len(self._broken)
        more = (f"and {hidden} more",) if hidden else ()
        return Verdict(
            attack,
            self._outcomes.total(),
            dict(self._outcomes.most_common()),
            (*self._broken, *more),
            tuple(self._log),
            milliseconds,
        )

    def _fail(self, what: str) -> None:
        self._failures += 1
        if len(self._broken) < _MOST_BROKEN:
            self._broken.append(what)


def outcome_of(error: E2EEError | None) -> str:
    """The word for a refusal, or for none."""
    return TAKEN if error is None else str(error.reason)


def _encapsulate(public_key: bytes, _seed: bytes) -> tuple[bytes, bytes]:
    return SystemEntropy().mlkem768_encapsulate(public_key)
