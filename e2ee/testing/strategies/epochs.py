"""Base keys and epochs, as a device's frame keys get them, and how epochs follow each other."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from e2ee.crypto.secret import Secret
from e2ee.media import limits
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.sframe.cipher_suite import CipherSuite, cipher_suite
from e2ee.testing.strategies.octets import octets, unsigned

__all__ = ["base_keys", "frame_epochs", "frame_suites", "successions"]

_LEAVES = range(5)
"""Who there may be; few, so that leaves are given again."""


def frame_suites() -> st.SearchStrategy[CipherSuite]:
    """SFrame cipher suites that calls use (FRAME-2).

    ``frame_suites()`` draws AES_128_GCM_SHA256_128 and AES_256_GCM_SHA512_128.
    """
    return st.sampled_from(sorted(limits.SUITES)).map(cipher_suite)


def base_keys(suite: CipherSuite) -> st.SearchStrategy[Secret]:
    """What an epoch's exporter gives for a suite (FKEY-1): ``suite.aead.Nk`` bytes.

    ``base_keys(cipher_suite(0x0004))`` draws ``Secret(...)`` of 16 bytes.
    """
    return octets(suite.aead.Nk).map(Secret)


@st.composite
def frame_epochs(
    draw: st.DrawFn,
    *,
    number: int | None = None,
    own_leaf: int = 1,
    before: FrameEpoch | None = None,
) -> FrameEpoch:
    """An epoch of a call: its roster, who may speak, and whom its commit added and removed since ``before``.

    ``frame_epochs(own_leaf=0)`` draws ``FrameEpoch(number=5, ..., roster={0, 2}, speakers={0, 2}, added={2})``.
    """
    suite = before.suite if before else draw(frame_suites())
    roster = frozenset({own_leaf, *draw(st.sets(st.sampled_from(_LEAVES)))})
    was_there = before.roster if before else frozenset()
    replaced = draw(st.frozensets(st.sampled_from(sorted(roster)), max_size=1))
    replaced &= was_there - {own_leaf}
    silent = draw(st.frozensets(st.sampled_from(_LEAVES), max_size=2))
    return FrameEpoch(
        number=draw(unsigned(16)) if number is None else number,
        suite=suite,
        base_key=draw(base_keys(suite)),
        own_leaf=own_leaf,
        roster=roster,
        speakers=roster - silent,
        added=(roster - was_there) | replaced,
        removed=(was_there - roster) | replaced,
    )


@st.composite
def successions(draw: st.DrawFn, *, own_leaf: int = 1, most: int = 6) -> tuple[FrameEpoch, ...]:
    """Epochs that follow each other: each says whom it added and removed since the one before.

    Numbers mostly rise by one; a device that came back after a while leaves some out, up to more than a KID's low bits tell
    apart. ``successions()`` draws epochs 7, 8, 9 and 25.
    """
    number = draw(unsigned(8))
    epochs = [draw(frame_epochs(number=number, own_leaf=own_leaf))]
    steps: Iterable[int] = draw(st.lists(st.sampled_from([1, 1, 1, 2, 5, 16]), max_size=most - 1))
    for step in steps:
        number += step
        epochs.append(draw(frame_epochs(number=number, own_leaf=own_leaf, before=epochs[-1])))
    return tuple(epochs)
