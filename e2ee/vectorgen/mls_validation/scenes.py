"""States in which cases are judged: members of a group and clients in none, with all that led there.

A state is made by a function that ``state`` has registered: its name is the function's and its comment the docstring.
All files of one cipher suite share the states; each case begins in its state anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.testing.mls_forge.clients import Client
from e2ee.testing.mls_forge.epochs import Epoch
from e2ee.testing.mls_forge.forge import Forge

__all__ = ["STATES", "Build", "Scene", "State", "comment_on", "name_of", "state"]

_LONG_KEY = 1_000
"""Bytes of a public key."""


@dataclass(frozen=True, slots=True)
class State:
    """A client in a state; ``epoch`` is that of its group, or of the one that it is to join, ``first`` its first one.

    ``clients`` are all who matter here, by name; ``document`` is the state as it is written.
    """

    client: Client
    epoch: Epoch
    first: Epoch
    clients: Mapping[str, Client]
    document: dict[str, Any]


class Scene:
    """One cipher suite; what is made in it is made once, and is the same whoever asks first."""

    def __init__(self, suite: CipherSuite) -> None:
        self.suite = suite
        seed = f"E2EE MLS validation vectors {suite.code_point:#06x}".encode()
        self._forge = Forge(suite, SeededEntropy(seed, ML_KEM_768._encaps_internal))
        self._states: dict[str, State] = {}

    def forge(self, label: str) -> Forge:
        """A forge that makes the same for everybody who names this label."""
        return self._forge.fork(label.encode())

    def state(self, build: Build) -> State:
        """The state that ``build`` makes."""
        name = name_of(build)
        if name not in self._states:
            self._states[name] = build(self, self.forge(f"state {name}"))
        return self._states[name]

    @property
    def abridged(self) -> bool:
        """Whether there is only one case of each reason: keys of a kilobyte make each message ten times as long."""
        return self.suite.hpke.kem.Npk > _LONG_KEY


Build = Callable[[Scene, Forge], State]

STATES: dict[str, Build] = {}
"""All states, by name."""


def state(build: Build) -> Build:
    """Register a state."""
    STATES[name_of(build)] = build
    return build


def name_of(build: Build) -> str:
    """As cases name it."""
    return build.__name__.replace("_", "-")


def comment_on(build: Build) -> str:
    """What the state is."""
    return " ".join((build.__doc__ or "").split())
