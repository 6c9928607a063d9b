"""Who is in the call: the leaves of the MLS group, each with the certificate that it carries (THREAT-2).

The list that people see is this list. A ``Member`` holds a ``VerifiedCertificate``, so a name on the screen is one that an
account signed for the signature key of that very leaf.
"""

from __future__ import annotations

from dataclasses import dataclass

from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.profile.roster import Roster

__all__ = ["CALLER_LEAF", "Member", "members"]

CALLER_LEAF = 0
"""The caller creates the group, so its leaf is the first; a leaf never moves."""


@dataclass(frozen=True, slots=True)
class Member:
    """A device in the call."""

    leaf_index: int
    certificate: VerifiedCertificate

    @property
    def account_id(self) -> str:
        """The account's name in the directory."""
        return self.certificate.account_id

    @property
    def account_key(self) -> bytes:
        """The account's Ed25519 public key, 32 bytes."""
        return self.certificate.account_key

    @property
    def device_id(self) -> int:
        """Which device of the account."""
        return self.certificate.device_id


def members(roster: Roster) -> tuple[Member, ...]:
    """The members by ascending leaf index."""
    return tuple(Member(leaf_index, roster[leaf_index]) for leaf_index in sorted(roster))
