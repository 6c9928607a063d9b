"""``e2ee sfu``: a forwarding unit that is a process of its own, until it is told to stop."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from e2ee.cli import serve_options as options
from e2ee.cli.main import refuse
from e2ee.cli.serve_options import SFU_SECRET, LogLevel
from e2ee.cli.server_process import refusing, run_until_told, shared_secret, tls_files
from e2ee.server.logs import configure
from e2ee.server.sfu_process import SfuListening, SfuSettings, run
from e2ee.server.units import unit_beside

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("sfu")(sfu)


def sfu(
    listen: options.ListenOn = "127.0.0.1:8444",
    secret_file: options.SecretFile = None,
    tls_cert: options.TlsCert = None,
    tls_key: options.TlsKey = None,
    insecure_without_tls: options.InsecureWithoutTls = False,
    media_address: options.MediaAddress = None,
    metrics_port: options.MetricsPort = None,
    log_level: options.Level = LogLevel.INFO,
    json_logs: options.JsonLogs = False,
    as_json: options.AsJson = False,
) -> None:
    """Run a forwarding unit of group calls, until SIGTERM or SIGINT.

    It gives what each member sends to the others and has no key of any call:
    what it carries is encrypted between the members' devices. Who is in which
    call a service tells it that proves to have the secret they share; nobody
    else is listened to:

        head -c 32 /dev/urandom | base64 > secret && chmod 600 secret
        e2ee sfu --listen 10.0.0.2:8444 --secret-file secret
                 --tls-cert fullchain.pem --tls-key privkey.pem
        e2ee serve --sfu wss://sfu.example:8444/control
                   --sfu-secret-file secret …

    Members' media come to UDP ports of the system's choice, on all addresses
    of this machine or on those that --media-address names. When the service
    goes, its members' media end; they begin anew when it is back.

    Exit status 0: stopped as told; 1: it failed; 2: it does not run like this.
    """
    host, port = _address(listen)
    with refusing():
        settings = SfuSettings(
            secret=shared_secret(secret_file, SFU_SECRET),
            media=unit_beside(host, media_address or [], behind_proxy=False),
            host=host,
            port=port,
            tls=tls_files(tls_cert, tls_key),
            insecure_without_tls=insecure_without_tls,
            metrics_port=metrics_port,
        )
    configure(log_level.value, as_json=json_logs)
    run_until_told("sfu", run(settings, _print_json if as_json else _print))


def _address(listen: str) -> tuple[str, int]:
    """Of ``ADDRESS:PORT``, an IPv6 address in brackets. Ends the process for anything else."""
    host, separator, port = listen.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        separator = ""
    if not (separator and host and port.isascii() and port.isdigit() and int(port) <= 65535):
        refuse(f"--listen {listen!r} is no ADDRESS:PORT")
    return host, int(port)


def _print(listening: SfuListening) -> None:
    typer.echo(f"the forwarding unit listens: {listening.url}")
    if listening.metrics_url:
        typer.echo(f"metrics: {listening.metrics_url}")


def _print_json(listening: SfuListening) -> None:
    typer.echo(json.dumps({"event": "listening", **asdict(listening)}))
