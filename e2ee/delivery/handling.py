"""What a handler of a request has at hand: the service, the request's transaction, and where its answers go.

A handler looks and judges first; then it writes; what it does to sessions and counts as sent it does last, where nothing can
be refused any more. What it raises becomes ``refused`` with the reason: the transaction's writes are undone and none of its
messages goes out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from e2ee.crypto.entropy import Entropy
from e2ee.delivery import limits
from e2ee.delivery.admission import Admission
from e2ee.delivery.attendance import Attendances
from e2ee.delivery.call_table import CallTable
from e2ee.delivery.errors import DeliveryReason
from e2ee.delivery.forwarding import Forwarding
from e2ee.delivery.rates import Rates
from e2ee.delivery.reports import Reports
from e2ee.delivery.service_identity import ServiceIdentity
from e2ee.delivery.sessions import ConnectionId, Sessions
from e2ee.delivery.transaction import Transaction
from e2ee.errors import RemoteProtocolError
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService, ServiceMessage

__all__ = ["Handling", "Outgoing", "RelaysFor", "Spending", "Surroundings", "refusal"]

MAX_DETAIL = 200
"""Longest detail of a refusal, in characters; what is quoted in it may be longer."""

Outgoing = list[tuple[ConnectionId, FromService]]
"""Messages to send, in order."""

RelaysFor = Callable[[int, Entropy], messages.Relays]
"""The relays that a device may use from now (Unix milliseconds) on."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What addresses, accounts, and one account towards another, have spent of their rates (DS-7, DS-12)."""

    registrations: Rates[str]
    claims: Rates[str] = field(default_factory=lambda: Rates("claims", limits.CLAIMS))
    claims_of_one: Rates[tuple[str, str]] = field(
        default_factory=lambda: Rates("claims of one account", limits.CLAIMS_OF_ONE)
    )
    letters: Rates[str] = field(default_factory=lambda: Rates("letters", limits.LETTERS))
    letters_to_one: Rates[tuple[str, str]] = field(
        default_factory=lambda: Rates("letters to one account", limits.LETTERS_TO_ONE)
    )
    letter_bytes: Rates[str] = field(
        default_factory=lambda: Rates("bytes of letters", limits.LETTER_BYTES)
    )
    joins: Rates[tuple[str, bytes]] = field(
        default_factory=lambda: Rates("requests to join a call", limits.JOINS)
    )
    joins_of_account: Rates[str] = field(
        default_factory=lambda: Rates("requests to join calls", limits.JOINS_OF_ACCOUNT)
    )
    joins_of_call: Rates[bytes] = field(
        default_factory=lambda: Rates("requests to join one call", limits.JOINS_OF_CALL)
    )
    commits: Rates[str] = field(default_factory=lambda: Rates("commits", limits.COMMITS))
    committed_bytes: Rates[str] = field(
        default_factory=lambda: Rates("bytes of commits", limits.COMMITTED_BYTES)
    )
    adds: Rates[str] = field(default_factory=lambda: Rates("devices added by commits", limits.ADDS))
    copies: Rates[str] = field(
        default_factory=lambda: Rates("copies of messages in group calls", limits.COPIES)
    )
    media_connections: Rates[str] = field(
        default_factory=lambda: Rates("connections for media", limits.MEDIA_CONNECTIONS)
    )
    tree_parts: Rates[str] = field(
        default_factory=lambda: Rates("parts of trees", limits.TREE_PARTS)
    )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A service, as long as its process lives."""

    identity: ServiceIdentity
    entropy: Entropy
    admission: Admission
    relays: RelaysFor
    calls: CallTable
    spending: Spending
    forwarding: Forwarding
    sessions: Sessions = field(default_factory=Sessions)
    attendances: Attendances = field(default_factory=Attendances)
    reports: Reports = field(default_factory=Reports)
    closing: list[tuple[ConnectionId, DeliveryReason]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Handling:
    """One request, the end of a connection, or time that passes. ``now`` is Unix milliseconds; ``user`` is the application's, if any."""

    service: Surroundings
    tx: Transaction
    connection_id: ConnectionId
    now: int
    user: str | None = None
    outgoing: Outgoing = field(default_factory=list)

    def answer(self, message: FromService) -> None:
        """Send to where the request came from."""
        self.send(self.connection_id, message)

    def send(self, connection_id: ConnectionId, message: FromService) -> None:
        """Send, when the transaction has ended."""
        self.outgoing.append((connection_id, message))


def refusal(error: RemoteProtocolError, message: ServiceMessage | None = None) -> messages.Refused:
    """What the sender is told; without ``message`` if its bytes did not decode."""
    return messages.Refused(
        request="" if message is None else message.name,
        call_id=getattr(message, "call_id", None),
        reason=error.reason.value,
        detail=error.detail[:MAX_DETAIL],
    )
