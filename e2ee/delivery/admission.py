"""Admission: whose account key the directory attests (DS-8).

An ``Admission`` looks at an ``Applicant`` inside of the request's transaction and raises DeliveryError, or lets the key be
registered: a new account's, or in the place of the key that the account has lost. It says whether somebody vouches for the
applicant; other new accounts count for the rate of their address (DS-7). It is not asked about the key that is registered
already. Four of them are here; an application may write its own.

An invitation is a token of 16 random bytes, of which the store knows a digest: who reads the store lets nobody in.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.transaction import Invitation, Transaction
from e2ee.identity.labels import label

__all__ = [
    "Admission",
    "Applicant",
    "anybody",
    "invite",
    "nobody",
    "users_of_the_application",
    "whoever_is_invited",
]


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who asks for an attestation of ``account_key`` and has proved to hold it (IDENT-15).

    ``registered_key`` is the other key that the account has now, None for a new account. ``token`` is what the device sent;
    ``user`` is the user of the application whom the shell found by it, None if there is none.
    """

    account_id: str
    account_key: bytes
    registered_key: bytes | None
    token: str = field(repr=False)
    user: str | None


Admission = Callable[[Transaction, Applicant, int], bool]
"""Raises DeliveryError unless the applicant is let in; gives whether somebody vouches for it, by an invitation or a user's
token. The last argument is Unix milliseconds."""


def anybody(tx: Transaction, applicant: Applicant, now: int) -> bool:
    """Open registration, for closed networks or behind the platform's own checks. A lost key is replaced by an invitation
    for this account."""
    if applicant.registered_key is None:
        return False
    _require_invitation(tx, applicant, now, DeliveryReason.ACCOUNT_TAKEN)
    return True


def nobody(tx: Transaction, applicant: Applicant, now: int) -> bool:
    """Closed registration. A lost key is replaced by an invitation for this account."""
    if applicant.registered_key is None:
        raise DeliveryError(DeliveryReason.REGISTRATION_CLOSED)
    return anybody(tx, applicant, now)


def whoever_is_invited(tx: Transaction, applicant: Applicant, now: int) -> bool:
    """Registration by invitation. A lost key is replaced by one for this account."""
    if applicant.registered_key is None:
        _require_invitation(tx, applicant, now, DeliveryReason.INVITATION_NEEDED)
        return True
    return anybody(tx, applicant, now)


def users_of_the_application(_tx: Transaction, applicant: Applicant, _now: int) -> bool:
    """Accounts are an application's users, who also replace their own keys."""
    if applicant.user is None:
        raise DeliveryError(DeliveryReason.NOT_AUTHENTICATED, "no user has this token")
    # DS-8: "for the account whose id is the user's"
    if applicant.user != applicant.account_id:
        raise DeliveryError(DeliveryReason.NOT_THIS_USER, "the token is another user's")
    return True


def invite(
    tx: Transaction, entropy: Entropy, expires_at: int, account_id: str | None = None
) -> str:
    """A new invitation, for one account id if it is named. Gives its token; it is not to be had again."""
    token = base64.urlsafe_b64encode(entropy.random(16)).decode().rstrip("=")
    tx.put_invitation(Invitation(_digest(token), account_id, expires_at))
    return token


def _require_invitation(
    tx: Transaction, applicant: Applicant, now: int, without: DeliveryReason
) -> None:
    """Uses up the applicant's invitation. Raises DeliveryError, and ``without`` if there is no token."""
    if not applicant.token:
        raise DeliveryError(without)
    invitation = tx.take_invitation(_digest(applicant.token), now)
    if invitation is None:
        raise DeliveryError(DeliveryReason.BAD_INVITATION, "unknown, used or expired")
    bound = invitation.account_id
    # DS-8: "one that names no account lets in new accounts only"
    if bound != applicant.account_id and (bound or applicant.registered_key is not None):
        raise DeliveryError(DeliveryReason.BAD_INVITATION, "not for this account")


def _digest(token: str) -> bytes:
    return HKDF_SHA256.hash(label("Invitation") + token.encode())
