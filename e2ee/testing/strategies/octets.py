"""What everything else is made of: bytes, names, and randomness that is drawn once."""

from __future__ import annotations

from hypothesis import strategies as st
from kyber_py.ml_kem import ML_KEM_768

from e2ee.account_id import flaw
from e2ee.crypto.seeded_entropy import SeededEntropy

__all__ = ["account_ids", "entropies", "octets", "unsigned"]

_LONGEST = 70
"""Bytes: lengths of vectors then take one byte, or two (RFC 9420 Section 2.1.2)."""


def octets(length: int | None = None) -> st.SearchStrategy[bytes]:
    """Bytes: ``length`` of them, or few.

    ``octets(16)`` draws call ids, ``octets()`` opaque fields of 0 to 70 bytes.
    """
    if length is None:
        return st.binary(max_size=_LONGEST)
    return st.binary(min_size=length, max_size=length)


def unsigned(bits: int) -> st.SearchStrategy[int]:
    """Numbers of as many bits at most: those of every length alike, so the small ones are not rare.

    ``unsigned(64)`` draws epochs.
    """
    return st.integers(0, bits).flatmap(lambda length: st.integers(0, (1 << length) - 1))


def account_ids() -> st.SearchStrategy[str]:
    """Account ids (IDENT-1): 1 to 64 bytes of UTF-8 in Normalization Form C that play no tricks on a screen.

    ``account_ids()`` draws ``"0"``, ``"alice"``, ``"漢"``.
    """
    texts = st.sampled_from(["alice", "bob", "carol"]) | st.text(min_size=1, max_size=16)
    return texts.filter(lambda text: flaw(text) is None)


def entropies() -> st.SearchStrategy[SeededEntropy]:
    """Seeded entropy: the keys of an example are the same when it is run again.

    ``entropies()`` draws ``SeededEntropy(b"...")``, which encapsulates for the hybrid suite too.
    """
    return st.integers(0, 255).map(
        lambda seed: SeededEntropy(b"strategies %d" % seed, ML_KEM_768._encaps_internal)
    )
