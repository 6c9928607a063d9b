"""What a test peer draws on and judges by: randomness, time, and a leniency that no real client may have.

* Every credential is accepted. There is nobody here whom an identity could be shown to.
* A lifetime may have any length, and what is received may have expired or not have begun: vectors and other
  implementations' tests carry leaves of any day, and libraries' defaults last for ever. What this peer itself sends is
  judged by its clock as RFC 9420 Section 7.3 demands: it adds nobody whose KeyPackage has expired.

Everything else is as strict as it is anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from e2ee.crypto.entropy import Entropy
from e2ee.mls.credential import Credential
from e2ee.mls.leaf_node import Lifetime
from e2ee.mls.leaf_node_validation import ValidationPolicy

__all__ = ["Surroundings"]

_HOUR, _DAY = 3_600, 86_400

_FOR_EVER = 1 << 64
"""Longer than any lifetime, in seconds."""


class _AcceptsEverybody:
    """The ``AuthenticationService`` of a peer that knows nobody."""

    def check(self, credential: Credential, signature_key: bytes) -> None:
        """Accepted."""

    def check_successor(self, old: Credential, new: Credential) -> None:
        """Accepted."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``clock`` gives Unix milliseconds."""

    entropy: Entropy
    clock: Callable[[], int]

    def sending(self) -> ValidationPolicy:
        """What this peer's own messages are judged by."""
        return ValidationPolicy(_AcceptsEverybody(), self.clock(), maximum_lifetime=_FOR_EVER)

    def receiving(self) -> ValidationPolicy:
        """What others' messages are judged by."""
        return ValidationPolicy(
            _AcceptsEverybody(),
            self.clock(),
            tolerance=1000 * _FOR_EVER,
            maximum_lifetime=_FOR_EVER,
        )

    def lifetime(self) -> Lifetime:
        """That of a KeyPackage made now: from an hour ago, since clocks differ, for four weeks."""
        now = self.clock() // 1000
        return Lifetime(max(0, now - _HOUR), now + 28 * _DAY)
