"""What an attack is, and the table in which every attack stands.

    @attack(by=Adversary.NETWORK, counters=("FRAME-9",), without=replaced(ReplayWindow, is_new=anything))
    def replay_frames(trial: Trial) -> None:
        \"\"\"Sends protected frames a second time: at once, later, and after the keys have changed.\"\"\"

An attack is a function that plays the adversary against real objects and tells its ``Trial`` what it tried and whether the
defence held. Its id is its name, its description its docstring. ``counters`` are the requirements that defeat it. ``without``
switches the defence off: then the same attack must be seen to succeed, or it proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from inspect import cleandoc

from e2ee.testing.hostile.trial import Trial

__all__ = ["Adversary", "Attack", "Undefended", "attack", "attacks"]

Undefended = Callable[[], AbstractContextManager[object]]
"""Makes a context in which a defence is switched off."""

Play = Callable[[Trial], None]


class Adversary(StrEnum):
    """Who attacks."""

    SERVICE = "service"
    """The delivery service and the directory: everything that the platform runs."""
    NETWORK = "network"
    """Whoever carries media: a relay, a forwarding unit, a router."""
    MEMBER = "other party"
    """A member of the call."""
    FORMER = "former device"
    """A device that was a member, with every key that it had."""
    STRANGER = "stranger"
    """An account of the same platform."""


@dataclass(frozen=True, slots=True)
class Attack:
    """A row of the table."""

    id: str
    family: str
    """The module that plays it."""
    by: Adversary
    counters: tuple[str, ...]
    """Ids of the requirements that defeat it."""
    on_sockets: bool
    """Whether it runs over real sockets, on the machine's clock; all others run on simulated time."""
    description: str
    without: Undefended
    play: Play

    @property
    def line(self) -> str:
        """What the adversary does, in a sentence."""
        return " ".join(self.description.split("\n\n")[0].split())


_ATTACKS: dict[str, Attack] = {}


def attack(
    *,
    by: Adversary,
    counters: Sequence[str],
    without: Undefended,
    on_sockets: bool = False,
) -> Callable[[Play], Play]:
    """Enter a function into the table. Raises ValueError for an id that is taken, and an attack without a description."""

    def enter(play: Play) -> Play:
        name, family = play.__name__.replace("_", "-"), play.__module__.rpartition(".")[2]
        if name in _ATTACKS or not play.__doc__:
            raise ValueError(f"{name}: twice, or without a word")
        description = cleandoc(play.__doc__)
        _ATTACKS[name] = Attack(
            name, family, by, tuple(counters), on_sockets, description, without, play
        )
        return play

    return enter


def attacks() -> Mapping[str, Attack]:
    """Those that were entered so far, by id."""
    return dict(_ATTACKS)
