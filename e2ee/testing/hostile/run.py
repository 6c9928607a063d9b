"""Running attacks: one, with its defence or without."""

from __future__ import annotations

import time
from contextlib import nullcontext

from e2ee.testing.hostile.attack import Attack
from e2ee.testing.hostile.trial import Trial, Verdict

__all__ = ["run"]


def run(attack: Attack, *, undefended: bool = False) -> Verdict:
    """Play an attack. Never raises: an exception that nobody foresaw is a defence that did not hold."""
    trial, began = Trial(), time.monotonic()
    with attack.without() if undefended else nullcontext():
        try:
            attack.play(trial)
        except Exception as error:  # noqa: BLE001 - see above
            trial.failed(error)
    return trial.verdict(attack.id, round((time.monotonic() - began) * 1000))
