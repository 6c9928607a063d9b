"""DeliveryService: what an untrusted server does between the devices of a call (DS-1 to DS-24).

    connected(connection_id, origin)             a connection was opened; its first message is hello
    receive(connection_id, message, now)         gives the messages to send, and to which connections, in order
    disconnected(connection_id, now)             a connection is gone; gives what there is to tell others
    get_timer(), handle_timer(now)               when there is something to do although nobody asks; gives what to send
    forwarded(call_id, signature_key, message, now)  what the forwarding unit says to a member
    with together(now) as requests:              several of these in one transaction of the store:
        requests.receive(connection_id, message)     what they give is to be sent after the block has ended
    take_closing()                               connections to close, when what was given has been sent
    take_forwarding()                            what there is for the forwarding unit

Two tables say what is answered before a device has proved itself, and what after. Each request is done as a whole or
refused with a reason, and then has changed nothing that is kept. (One thing a refused login does change: its nonce is used
up, IDENT-14; and a request that is refused counts for the rates.) Bytes, sockets, clocks and queues are the shell's.

If the store fails, what was handled together is undone together, but sessions may be ahead of it: the shell then closes all
connections, and who comes back finds what was kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from e2ee.crypto.entropy import Entropy
from e2ee.delivery import (
    accounts,
    calls,
    group_calls,
    joining,
    key_packages,
    letters,
    links,
    mailboxes,
    media_requests,
    void_entries,
)
from e2ee.delivery.admission import Admission, anybody
from e2ee.delivery.call_table import CallTable
from e2ee.delivery.distribution import sweep
from e2ee.delivery.errors import DeliveryError, DeliveryReason, StoreConflict
from e2ee.delivery.forwarding import ForwardEnd, Forwarding, ForwardRequest
from e2ee.delivery.gone_statements import end_media, state_all_due
from e2ee.delivery.handling import (
    Handling,
    Outgoing,
    RelaysFor,
    Spending,
    Surroundings,
    refusal,
)
from e2ee.delivery.limits import CALL_IDLE, REGISTRATIONS, SWEEP_INTERVAL
from e2ee.delivery.presence import went
from e2ee.delivery.rates import Rate, Rates
from e2ee.delivery.service_identity import ServiceIdentity
from e2ee.delivery.sessions import ConnectionId
from e2ee.delivery.transaction import Store, Totals, Transaction
from e2ee.errors import RemoteProtocolError
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService, ServiceMessage

__all__ = [
    "ConnectionId",
    "DeliveryService",
    "Figures",
    "ForwardEnd",
    "ForwardRequest",
    "Outgoing",
    "Requests",
    "ServiceIdentity",
    "no_relays",
    "refusal",
]


def no_relays(_now: int, _entropy: Entropy) -> messages.Relays:
    """The answer of a service without relays."""
    return messages.Relays((), "", "", 0)


@dataclass(frozen=True, slots=True)
class Figures:
    """For who watches the service: how many devices are logged in, and what the store holds."""

    devices: int
    totals: Totals


class DeliveryService:
    """One delivery service with its directory. Not for use by several threads at a time."""

    def __init__(
        self,
        identity: ServiceIdentity,
        store: Store,
        entropy: Entropy,
        *,
        admission: Admission = anybody,
        registrations: Rate = REGISTRATIONS,
        relays: RelaysFor = no_relays,
        forwarding: bool = False,
    ) -> None:
        """``admission`` says who may register (DS-8), ``registrations`` how often somebody of one origin may for whom nobody
        vouches (DS-7); ``relays`` answers ``ask_relays``; ``forwarding`` is whether there is a forwarding unit."""
        self._store = store
        table = CallTable(identity.delivery_key.public)
        spending = Spending(Rates("new accounts of one address", registrations))
        self._service = Surroundings(
            identity, entropy, admission, relays, table, spending, Forwarding(forwarding)
        )
        self._swept_at: int | None = None

    def connected(self, connection_id: ConnectionId, origin: str = "") -> None:
        """A connection was opened; ids are not used twice. ``origin`` is the address that it comes from, an IPv6 one as its
        /64; "" if the shell does not know, or does not want addresses to count."""
        self._service.sessions.connected(connection_id, origin)

    def disconnected(self, connection_id: ConnectionId, now: int) -> Outgoing:
        """A connection is gone. What comes for its device waits in the mailbox until it logs in again."""
        with self.together(now) as requests:
            return requests.disconnected(connection_id)

    def forget(self, connection_id: ConnectionId) -> None:
        """A connection is gone, whether or not the store could be asked whom that concerns. Twice is as once."""
        self._service.sessions.disconnected(connection_id)

    def receive(
        self,
        connection_id: ConnectionId,
        message: ServiceMessage,
        now: int,
        *,
        user: str | None = None,
    ) -> Outgoing:
        """Do what a device asks. ``now`` is Unix milliseconds; ``user`` is the application's user whom the shell found by
        the token of a ``register``. Raises ServiceUsageError for a connection unknown, or what the store raises."""
        with self.together(now) as requests:
            return requests.receive(connection_id, message, user=user)

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due, in Unix milliseconds; None if nothing is."""
        return self._service.attendances.due_at()

    def handle_timer(self, now: int) -> Outgoing:
        """Do what is due (DS-19)."""
        with self.together(now) as requests:
            return requests.handle_timer()

    def forwarded(
        self, call_id: bytes, signature_key: bytes, message: FromService, now: int
    ) -> Outgoing:
        """The forwarding unit says something to a member of a call."""
        with self.together(now) as requests:
            return requests.forwarded(call_id, signature_key, message)

    def take_closing(self) -> list[tuple[ConnectionId, DeliveryReason]]:
        """The connections that are to be closed, and why; nobody is logged in there any more (DS-20)."""
        taken = list(self._service.closing)
        self._service.closing.clear()
        return taken

    def take_forwarding(self) -> list[ForwardRequest | ForwardEnd]:
        """What there is for the forwarding unit, in order (SFU-3, SFU-7)."""
        return self._service.forwarding.take()

    def figures(self, now: int) -> Figures:
        """How much the service holds. Raises what the store raises."""
        with self._store.transaction() as tx:
            totals = tx.totals(since=now - CALL_IDLE)
        return Figures(self._service.sessions.count(), totals)

    def require_store(self) -> None:
        """Raises what the store raises if it does not answer."""
        with self._store.transaction() as tx:
            tx.identity()

    @contextlib.contextmanager
    def together(self, now: int) -> Iterator[Requests]:
        """Several requests in one transaction. Raises what the store raises; see the module."""
        try:
            with self._store.transaction() as tx:
                requests = Requests(self._service, tx, now)
                if self._swept_at is None or now - self._swept_at >= SWEEP_INTERVAL:
                    requests.sweep()
                    self._swept_at = now
                yield requests
        except BaseException:
            self._service.calls.forget()
            self._service.attendances.forget()
            self._service.forwarding.forget()
            raise


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests that are handled in one transaction, each for itself: one that is refused leaves the others alone."""

    _service: Surroundings
    _tx: Transaction
    _now: int

    def receive(
        self, connection_id: ConnectionId, message: ServiceMessage, *, user: str | None = None
    ) -> Outgoing:
        """See ``DeliveryService.receive``. What it raises has undone this request alone."""
        at = Handling(self._service, self._tx, connection_id, self._now, user)
        try:
            with self._tx.savepoint():
                _handle(at, message)
        except RemoteProtocolError as error:
            return [(connection_id, refusal(error, message))]
        except StoreConflict as error:
            refused = DeliveryError(DeliveryReason.CONFLICT, f"ask again: {error.detail}")
            return [(connection_id, refusal(refused, message))]
        return at.outgoing

    def disconnected(self, connection_id: ConnectionId) -> Outgoing:
        """See ``DeliveryService.disconnected``."""
        at = Handling(self._service, self._tx, connection_id, self._now)
        device = self._service.sessions.disconnected(connection_id)
        if device is not None:
            went(at, device.signature_key)
        return at.outgoing

    def handle_timer(self) -> Outgoing:
        """See ``DeliveryService.handle_timer``."""
        at = Handling(self._service, self._tx, 0, self._now)
        state_all_due(at)
        return at.outgoing

    def forwarded(self, _call_id: bytes, signature_key: bytes, message: FromService) -> Outgoing:
        """See ``DeliveryService.forwarded``."""
        connection_id = self._service.sessions.connection_of(signature_key)
        return [] if connection_id is None else [(connection_id, message)]

    def sweep(self) -> None:
        """Remove what has expired."""
        at = Handling(self._service, self._tx, 0, self._now)
        sweep(at)
        for over in self._service.attendances.take_over(self._now):
            end_media(at, over)


def _handle(at: Handling, message: ServiceMessage) -> None:
    if handle_opening := _BEFORE_LOGIN.get(type(message)):
        handle_opening(at, message)
    elif handle := _AFTER_LOGIN.get(type(message)):
        # DS-1: "MUST NOT act for a device before that device has proved itself"
        handle(at, at.service.sessions.device(at.connection_id), message)
    else:
        # SIG-6: "A message that only the other side sends ... MUST be refused"
        raise DeliveryError(DeliveryReason.UNEXPECTED_MESSAGE, "not for a device to send")


def _ask_relays(at: Handling, _device: VerifiedCertificate, _request: messages.AskRelays) -> None:
    at.answer(at.service.relays(at.now, at.service.entropy))


_BEFORE_LOGIN: Mapping[type[ServiceMessage], Callable[[Handling, Any], None]] = {
    messages.Hello: accounts.hello,
    messages.Register: accounts.register,
    messages.Login: accounts.login,
    messages.AwaitLink: links.await_link,
}

_AFTER_LOGIN: Mapping[
    type[ServiceMessage], Callable[[Handling, VerifiedCertificate, Any], None]
] = {
    messages.Renew: accounts.renew,
    messages.Link: links.link,
    messages.Publish: key_packages.publish,
    messages.Find: key_packages.find,
    messages.Claim: key_packages.claim,
    messages.Open: calls.open_call,
    messages.Commit: calls.commit,
    messages.Send: calls.send,
    messages.Join: joining.join,
    messages.TurnAway: joining.turn_away,
    messages.Leave: group_calls.leave,
    messages.AskTree: group_calls.ask_tree,
    messages.ReportInvalid: void_entries.report_invalid,
    messages.PublishMedia: media_requests.ask,
    messages.SubscribeMedia: media_requests.ask,
    messages.MediaAnswer: media_requests.ask,
    messages.WantMedia: media_requests.ask,
    messages.Post: letters.post,
    messages.Acknowledge: mailboxes.acknowledge,
    messages.AskRelays: _ask_relays,
}
