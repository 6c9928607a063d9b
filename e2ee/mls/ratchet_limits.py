"""How far a sender's ratchet is followed (RFC 9420 Section 15.3): the application's policy, in numbers.

"Applications SHOULD define a policy on how long to keep unused nonce and key pairs for a sender, and the maximum number
to keep." How long is decided by dropping the Group of an epoch that is over, and by committing before one lasts too
long. How many, and how far a message may be ahead, is said here; both bound what a malicious member can cost the
others, since nobody else's messages reach a ratchet (Section 6.3.2: their sender data does not open).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "RatchetLimits"]


@dataclass(frozen=True, slots=True)
class RatchetLimits:
    """For each sender and content type, in generations.

    ``out_of_order``: a message that was overtaken by others opens as long as its generation is at most this far behind
    the newest that was opened: so many keys are kept at most, about 300 bytes each. ``jump``: a message that skips more
    than this is refused before anything is derived; a skip of 1,024 takes 5 to 10 ms.
    """

    out_of_order: int = 64
    jump: int = 1_024


DEFAULT_LIMITS = RatchetLimits()
"""Of an application that says nothing else."""
