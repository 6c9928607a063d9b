"""A whole service in one process: what ``e2ee serve`` runs.

    one SQLite file    accounts, KeyPackages, mailboxes, call logs, and who the service is: a restart is the same service
    one public port    the WebSocket, ``/meet/…`` and ``/health``, with TLS of its own or behind a proxy that has it
    many UDP ports     media of group calls, if the forwarding unit is inside; or a connection to one that is elsewhere
    one local port     ``/health`` and ``/metrics``, on 127.0.0.1, if wanted

``Settings`` is checked when it is made; ``run`` returns when the process is told to stop. SIGTERM and SIGINT stop it, a
second one at once; SIGHUP has it read a renewed certificate.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from e2ee.crypto.entropy import Entropy
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery import admission
from e2ee.delivery.admission import Admission
from e2ee.delivery.limits import REGISTRATIONS
from e2ee.delivery.service import DeliveryService, no_relays
from e2ee.delivery.service_identity import ServiceIdentity
from e2ee.delivery.transaction import Store
from e2ee.server.app import PATH, create_app, create_operations_app
from e2ee.server.authentication import Authenticate
from e2ee.server.control.connecting import UnitElsewhere
from e2ee.server.forwarding import ForwardingRouter
from e2ee.server.forwarding_figures import ForwardingFigures, TotalsOnly
from e2ee.server.limits import PER_ADDRESS, ConnectionLimits
from e2ee.server.logs import ServerLog
from e2ee.server.metrics import Metrics, TimedStore
from e2ee.server.process import reloading, served_locally
from e2ee.server.serve import allow_many_files, serve, told_to_stop
from e2ee.server.stores.errors import StoreError, StoreReason
from e2ee.server.stores.sqlite import SqliteStore
from e2ee.server.tls import TlsFiles, require_tls
from e2ee.server.turn import TurnServers
from e2ee.server.units import UnitInside, make_unit
from e2ee.server.watching import UnitWatchers
from e2ee.system_clock import Clock, system_clock

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["Listening", "Registration", "Settings", "run"]

CLOSING = 10
"""Seconds that connections have to end when the server stops."""


class Registration(StrEnum):
    """Whose accounts the directory attests (DS-8)."""

    OPEN = "open"
    CLOSED = "closed"
    INVITATION = "invitation"
    USERS = "users"


_ADMISSION: Mapping[Registration, Admission] = {
    Registration.OPEN: admission.anybody,
    Registration.CLOSED: admission.nobody,
    Registration.INVITATION: admission.whoever_is_invited,
    Registration.USERS: admission.users_of_the_application,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Raises ServerConfigurationError if the network would carry what TLS should.

    ``server_name`` is what devices sign for and connect to; ``url`` is where they do, if it is not that name and this port.
    ``port`` 0 is one that the system chooses. An address has ``per_address`` connections at a time, and registers
    ``new_accounts`` in an hour under open registration, unless a proxy is in front, which then has to limit them. ``forwarding`` None: group calls have no media.
    ``metrics_port`` None: no metrics.
    """

    store: Path
    server_name: str
    host: str = "127.0.0.1"
    port: int = 0
    url: str | None = None
    per_address: int = PER_ADDRESS
    tls: TlsFiles | None = None
    behind_proxy: bool = False
    insecure_without_tls: bool = False
    registration: Registration = Registration.OPEN
    new_accounts: int = REGISTRATIONS.amount
    authenticate: Authenticate | None = None
    turn: TurnServers | None = None
    forwarding: UnitInside | UnitElsewhere | None = None
    metrics_port: int | None = None

    def __post_init__(self) -> None:
        require_tls(
            self.host, self.tls, behind_proxy=self.behind_proxy, insecure=self.insecure_without_tls
        )


@dataclass(frozen=True, slots=True)
class Listening:
    """What a server that has started tells: where, and the keys that a device must be told by somebody it trusts.

    ``forwarding`` is ``inside``, the URL of the unit that is elsewhere, or None.
    """

    url: str
    server_name: str
    directory_keys: Mapping[int, bytes]
    metrics_url: str | None
    forwarding: str | None


async def run(settings: Settings, listening: Callable[[Listening], None]) -> None:
    """Serve until told to stop. ``listening`` is called when devices can connect.

    Raises ServerConfigurationError, StoreError, ServiceUsageError (the store is of another service), and OSError if a
    port cannot be had.
    """
    allow_many_files()
    entropy, now, metrics, log = SystemEntropy(), system_clock(), Metrics(), ServerLog()
    with _opened(settings.store) as file:
        store: Store = TimedStore(file, metrics)
        identity = ServiceIdentity.of(store, settings.server_name, entropy)
        service = _service(settings, identity, store, entropy)
        async with _forwarding(settings.forwarding, now, entropy, metrics, log) as forwarding:
            app = create_app(
                service,
                authenticate=settings.authenticate,
                limits=ConnectionLimits(
                    per_address=None if settings.behind_proxy else settings.per_address
                ),
                metrics=metrics,
                log=log,
                now=now,
                forwarding=forwarding,
            )
            operations = create_operations_app(service, metrics, now)
            await _until_told(settings, identity, app, operations, log, listening)
    log.stopped()


async def _until_told(
    settings: Settings,
    identity: ServiceIdentity,
    app: ASGIApp,
    operations: ASGIApp,
    log: ServerLog,
    listening: Callable[[Listening], None],
) -> None:
    tls = settings.tls.context() if settings.tls else None
    with reloading(settings.tls, tls, log):
        async with (
            served_locally(operations, settings.metrics_port) as metrics_url,
            serve(app, settings.host, settings.port, tls=tls, closing=CLOSING) as port,
        ):
            forwarding = _where(settings.forwarding)
            log.started(
                tls=tls is not None,
                registration=settings.registration.value,
                forwarding=forwarding is not None,
            )
            keys = identity.directory_keys().keys
            url = settings.url or _url(settings, port)
            told = told_to_stop()  # before anybody knows that there is something to stop
            listening(Listening(url, settings.server_name, keys, metrics_url, forwarding))
            log.stopping((await told).name)


@contextlib.asynccontextmanager
async def _forwarding(
    where: UnitInside | UnitElsewhere | None,
    now: Clock,
    entropy: Entropy,
    metrics: Metrics,
    log: ServerLog,
) -> AsyncIterator[ForwardingRouter | None]:
    if where is None:
        yield None
        return
    watcher = UnitWatchers([log, metrics])
    router = ForwardingRouter(make_unit(where, now, entropy, watcher), watcher=watcher)
    figures = ForwardingFigures if isinstance(where, UnitInside) else TotalsOnly
    metrics.forwards(figures(lambda: [router.statistics()]))
    try:
        yield router
    finally:
        await router.close()


def _where(unit: UnitInside | UnitElsewhere | None) -> str | None:
    if isinstance(unit, UnitElsewhere):
        return unit.url
    return None if unit is None else "inside"


def _service(
    settings: Settings, identity: ServiceIdentity, store: Store, entropy: Entropy
) -> DeliveryService:
    return DeliveryService(
        identity,
        store,
        entropy,
        admission=_ADMISSION[settings.registration],
        registrations=replace(REGISTRATIONS, amount=settings.new_accounts),
        relays=no_relays if settings.turn is None else settings.turn.credentials,
        forwarding=settings.forwarding is not None,
    )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[SqliteStore]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.closing(SqliteStore(path)) as store, _alone(path):
        yield store


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process serves one store: who is logged in is in its memory. Commands may use the store meanwhile.

    The lock ends with the process, however that ends. Raises StoreError, OSError.
    """
    if fcntl is None:
        yield
        return
    beside = path.with_name(f"{path.name}.lock")
    with open(os.open(beside, os.O_RDWR | os.O_CREAT, 0o600)) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(StoreReason.IN_USE, f"another process serves {path}") from None
        yield


def _url(settings: Settings, port: int) -> str:
    """Behind a proxy devices come to its port, which is TLS's own."""
    if settings.behind_proxy:
        return f"wss://{settings.server_name}{PATH}"
    scheme, usual = ("wss", 443) if settings.tls else ("ws", 80)
    name = f"[{settings.server_name}]" if ":" in settings.server_name else settings.server_name
    return f"{scheme}://{name}{'' if port == usual else f':{port}'}{PATH}"
