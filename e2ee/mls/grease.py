"""GREASE (RFC 9420 Section 13.5): values that mean nothing, sent so that receivers keep ignoring what they do not know.

    with_grease(capabilities, entropy)           what a client lists in its leaf
    grease_extensions(listed, entropy)           extensions for its leaf or its KeyPackage, of the types that it listed
    grease_extension(entropy)                    an extension for a GroupInfo, which lists nothing

A receiver has no rule about these values: "Clients MUST NOT implement any special processing rules for how to handle
these values when receiving them". Only of the own list are they taken away again, ``without_grease``, before it is
compared with what a group asks for.

They belong nowhere else: no proposal, no credential and no GroupContext extension has such a type.
"""

from __future__ import annotations

from dataclasses import replace

from e2ee.crypto.entropy import Entropy
from e2ee.mls.capabilities import Capabilities
from e2ee.mls.extension import Extension

__all__ = [
    "GREASE",
    "grease_extension",
    "grease_extensions",
    "with_grease",
    "without_grease",
]

GREASE = tuple(range(0x0A0A, 0xEAEB, 0x1010))
"""The fifteen values, 0x0A0A to 0xEAEA: the same for cipher suites, extensions, proposals and credentials."""

_GREASED = ("cipher_suites", "extensions", "proposals", "credentials")
"""The lists of ``LeafNode.capabilities`` that the section names: all but the versions."""

_LONGEST_DATA = 32


def with_grease(capabilities: Capabilities, entropy: Entropy) -> Capabilities:
    """``capabilities`` with one to three GREASE values in each list, each in a random place."""
    greased = {name: _scattered(getattr(capabilities, name), entropy) for name in _GREASED}
    return replace(capabilities, **greased)


def without_grease(capabilities: Capabilities) -> Capabilities:
    """What the client that lists ``capabilities`` supports."""
    supported = {
        name: tuple(value for value in getattr(capabilities, name) if value not in GREASE)
        for name in _GREASED
    }
    return replace(capabilities, **supported)


def grease_extensions(listed: Capabilities, entropy: Entropy) -> tuple[Extension, ...]:
    """One extension with random data for each GREASE value that is listed under ``extensions``."""
    return tuple(_extension(value, entropy) for value in listed.extensions if value in GREASE)


def grease_extension(entropy: Entropy) -> Extension:
    """One extension of a random GREASE type with random data."""
    return _extension(GREASE[_below(len(GREASE), entropy)], entropy)


def _extension(value: int, entropy: Entropy) -> Extension:
    return Extension(value, entropy.random(_below(_LONGEST_DATA + 1, entropy)))


def _scattered(values: tuple[int, ...], entropy: Entropy) -> tuple[int, ...]:
    scattered, unused = list(values), [value for value in GREASE if value not in values]
    for _ in range(min(len(unused), 1 + _below(3, entropy))):
        value = unused.pop(_below(len(unused), entropy))
        scattered.insert(_below(len(scattered) + 1, entropy), value)
    return tuple(scattered)


def _below(limit: int, entropy: Entropy) -> int:
    """A number from 0 to ``limit`` - 1; nearly uniform, which is enough for values that mean nothing."""
    return entropy.random(1)[0] % limit
