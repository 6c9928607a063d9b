"""Cipher suites that are not shipped, for tests against implementations that have suites of their own.

The table of ``e2ee.crypto.cipher_suite`` cannot be changed through its interface. This module, which no shipped code
imports, adds a row to it for the length of a ``with`` block.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from e2ee.crypto import cipher_suite as shipped
from e2ee.crypto.cipher_suite import CipherSuite

__all__ = ["added_cipher_suite"]


@contextmanager
def added_cipher_suite(suite: CipherSuite) -> Iterator[None]:
    """``cipher_suite()`` knows ``suite`` inside of the block. ``ValueError`` if its code point is taken."""
    if suite.code_point in shipped.CIPHER_SUITES:
        raise ValueError(f"0x{suite.code_point:04X} is taken")
    shipped._TABLE[suite.code_point] = suite
    try:
        yield
    finally:
        del shipped._TABLE[suite.code_point]
