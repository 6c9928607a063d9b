"""A forwarding unit that is a process of its own: what ``e2ee sfu`` runs.

    one port for services     the control connection and ``/health``; who has the secret is a service
    many UDP ports            media
    one local port            ``/health`` and ``/metrics``, on 127.0.0.1, if wanted

``SfuSettings`` is checked when it is made; ``run`` returns when the process is told to stop. SIGTERM and SIGINT stop it, a
second one at once; SIGHUP has it read a renewed certificate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from e2ee.crypto.secret import Secret
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.server.control.app import CONTROL_PATH, create_control_app
from e2ee.server.control.controlled import ControlledUnits
from e2ee.server.control.proof import require_strong
from e2ee.server.forwarding_figures import ForwardingFigures
from e2ee.server.logs import ServerLog
from e2ee.server.metrics import Metrics
from e2ee.server.operations import operations_app
from e2ee.server.process import reloading, served_locally
from e2ee.server.serve import allow_many_files, serve, told_to_stop
from e2ee.server.tls import TlsFiles, require_tls
from e2ee.server.units import UnitInside, aiortc_unit
from e2ee.server.watching import UnitWatchers
from e2ee.system_clock import system_clock

__all__ = ["SfuListening", "SfuSettings", "run"]

CLOSING = 10
"""Seconds that connections have to end when the process stops."""


@dataclass(frozen=True, slots=True)
class SfuSettings:
    """``secret`` is shared with the services; ``media`` says where members reach it. ``port`` 0 is one that the system
    chooses.

    Raises ServerConfigurationError for a short secret, and if the network would carry what TLS should.
    """

    secret: Secret = field(repr=False)
    media: UnitInside
    host: str = "127.0.0.1"
    port: int = 0
    tls: TlsFiles | None = None
    insecure_without_tls: bool = False
    metrics_port: int | None = None

    def __post_init__(self) -> None:
        require_strong(self.secret)
        require_tls(self.host, self.tls, behind_proxy=False, insecure=self.insecure_without_tls)


@dataclass(frozen=True, slots=True)
class SfuListening:
    """Where services connect, once they can."""

    url: str
    metrics_url: str | None


async def run(settings: SfuSettings, listening: Callable[[SfuListening], None]) -> None:
    """Serve until told to stop. ``listening`` is called when services can connect.

    Raises ServerConfigurationError, ModuleNotFoundError without the extra ``rtc``, OSError if a port cannot be had.
    """
    allow_many_files()
    tls = settings.tls.context() if settings.tls else None
    metrics, log = Metrics(), ServerLog()
    units = ControlledUnits(
        aiortc_unit(settings.media, system_clock()),
        settings.secret,
        SystemEntropy(),
        watcher=UnitWatchers([log, metrics]),
        log=log,
    )
    metrics.forwards(ForwardingFigures(units.statistics))
    with reloading(settings.tls, tls, log):
        async with (
            served_locally(
                operations_app(lambda: None, metrics), settings.metrics_port
            ) as metrics_url,
            serve(
                *(create_control_app(units, log), settings.host, settings.port),
                tls=tls,
                closing=CLOSING,
            ) as port,
        ):
            log.started(tls=tls is not None)
            told = told_to_stop()  # before anybody knows that there is something to stop
            listening(SfuListening(_url(settings, port), metrics_url))
            log.stopping((await told).name)
    log.stopped()


def _url(settings: SfuSettings, port: int) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{'wss' if settings.tls else 'ws'}://{host}:{port}{CONTROL_PATH}"
