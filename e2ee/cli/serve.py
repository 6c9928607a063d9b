"""``e2ee serve``: options in, a service until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from e2ee.cli.main import refuse
from e2ee.cli.store_path import StorePath
from e2ee.crypto.secret import Secret
from e2ee.delivery.limits import REGISTRATIONS
from e2ee.errors import LocalProtocolError
from e2ee.server.authentication import JwtKeys
from e2ee.server.errors import ServerConfigurationError
from e2ee.server.logs import configure
from e2ee.server.standalone import Listening, Registration, Settings, run
from e2ee.server.tls import TlsFiles, is_loopback
from e2ee.server.turn import TurnServers

__all__ = ["register"]

TURN_SECRET = "E2EE_TURN_SECRET"
"""The environment variable that has the secret, if no file does."""


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("serve", rich_help_panel=None)(serve)


Listen, Secure, Accounts, Relays, Watch = "Listening", "TLS", "Accounts", "Relays", "Operating"
"""Panels of the help."""


def serve(
    store: StorePath,
    host: Annotated[
        str, typer.Option(help="Address to listen on.", rich_help_panel=Listen)
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="0: any that is free.", rich_help_panel=Listen),
    ] = 8443,
    name: Annotated[
        str | None,
        typer.Option(
            help="The name that devices connect to and sign for. Must be given off loopback; else it is the host.",
            rich_help_panel=Listen,
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            help="Where devices connect, if it is not the name and the port.",
            rich_help_panel=Listen,
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(help="Certificate with its chain, PEM.", rich_help_panel=Secure),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(help="Its key, PEM.", rich_help_panel=Secure)
    ] = None,
    behind_proxy: Annotated[
        bool,
        typer.Option(
            "--behind-proxy",
            help="A reverse proxy has the TLS, and limits addresses.",
            rich_help_panel=Secure,
        ),
    ] = False,
    insecure_without_tls: Annotated[
        bool,
        typer.Option(
            "--insecure-without-tls",
            help="Off loopback without TLS: whoever is on the way sees who calls whom.",
            rich_help_panel=Secure,
        ),
    ] = False,
    registration: Annotated[
        Registration | None,
        typer.Option(
            help="Who gets an account: anybody, nobody more, whoever is invited (e2ee invite), or the users of"
            " --jwt-keys. On loopback open, else by invitation. Open is for closed networks, or behind the"
            " platform's own checks.",
            rich_help_panel=Accounts,
        ),
    ] = None,
    new_accounts: Annotated[
        int,
        typer.Option(
            min=1,
            help="Of one address in an hour, if registration is open; behind a proxy that is the proxy's to limit.",
            rich_help_panel=Accounts,
        ),
    ] = REGISTRATIONS.amount,
    jwt_keys: Annotated[
        Path | None,
        typer.Option(
            help="JWK set: your application's users are the accounts, by its JSON Web Tokens.",
            rich_help_panel=Accounts,
        ),
    ] = None,
    jwt_issuer: Annotated[
        str, typer.Option(help="Who issues them.", rich_help_panel=Accounts)
    ] = "",
    jwt_audience: Annotated[
        str, typer.Option(help="For whom; what else is refused.", rich_help_panel=Accounts)
    ] = "",
    turn_url: Annotated[
        list[str] | None,
        typer.Option(
            help="A TURN server, as turn:HOST:PORT?transport=udp; more than once.",
            rich_help_panel=Relays,
        ),
    ] = None,
    turn_secret_file: Annotated[
        Path | None,
        typer.Option(
            help=f"The secret shared with it (coturn: static-auth-secret); or in {TURN_SECRET}.",
            rich_help_panel=Relays,
        ),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="/metrics and /health on 127.0.0.1; else there are no metrics.",
            rich_help_panel=Watch,
        ),
    ] = None,
    log_level: Annotated[
        LogLevel, typer.Option(help="What goes to standard error.", rich_help_panel=Watch)
    ] = LogLevel.INFO,
    json_logs: Annotated[
        bool,
        typer.Option("--json-logs", help="A JSON object a line.", rich_help_panel=Watch),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="On standard output JSON objects, one a line.", rich_help_panel=Watch
        ),
    ] = False,
) -> None:
    """Run a delivery service on this machine, until SIGTERM or SIGINT.

    It is untrusted by design: it orders and stores what devices cannot do for themselves.
    It can neither hear nor see a call. What devices must be told by somebody they trust,
    the service's name and its directory's key, is printed at the start.

    One process serves one store, on a disk that keeps what it was told to keep.
    A certificate is read again at SIGHUP, so that renewing it ends no call:

        e2ee serve --host 0.0.0.0 --port 443 --name calls.example
                   --tls-cert fullchain.pem --tls-key privkey.pem

    Or a proxy has it, which must pass WebSockets on and wait for a minute of silence:

        e2ee serve --behind-proxy --name calls.example

    The store holds the service's keys and who calls whom: keep copies of it (made by
    sqlite3's .backup) as secret. From an old copy KeyPackages would be handed out twice.

    Exit status 0: stopped as told; 1: it failed; 2: it does not run like this.
    """
    local = is_loopback(host)
    if name is None and not local:
        refuse("off loopback --name says what devices connect to and sign for")
    if (tls_cert is None) != (tls_key is None):
        refuse("--tls-cert and --tls-key go together")
    try:
        settings = Settings(
            store=store,
            server_name=name or host,
            host=host,
            port=port,
            url=url,
            tls=TlsFiles(tls_cert, tls_key) if tls_cert and tls_key else None,
            behind_proxy=behind_proxy,
            insecure_without_tls=insecure_without_tls,
            authenticate=_keys(jwt_keys, jwt_issuer, jwt_audience),
            registration=_registration(registration, jwt_keys, local=local and not behind_proxy),
            new_accounts=new_accounts,
            turn=_turn(turn_url or [], turn_secret_file),
            metrics_port=metrics_port,
        )
    except (ServerConfigurationError, OSError) as error:
        refuse(_said(error))
    configure(log_level.value, as_json=json_logs)
    _run(settings, _print_json if as_json else _print)


def _run(settings: Settings, listening: Callable[[Listening], None]) -> None:
    try:
        asyncio.run(run(settings, listening))
    except ServerConfigurationError as error:
        refuse(_said(error))
    except (LocalProtocolError, OSError) as error:
        typer.echo(f"e2ee serve: {_said(error)}", err=True)
        raise typer.Exit(1) from None


def _said(error: LocalProtocolError | OSError) -> str:
    return (error.detail or error.reason) if isinstance(error, LocalProtocolError) else str(error)


def _registration(
    chosen: Registration | None, jwt_keys: Path | None, *, local: bool
) -> Registration:
    if chosen is Registration.USERS and jwt_keys is None:
        refuse("--registration users needs --jwt-keys")
    if chosen is not None:
        return chosen
    if jwt_keys is not None:
        return Registration.USERS
    return Registration.OPEN if local else Registration.INVITATION


def _keys(path: Path | None, issuer: str, audience: str) -> JwtKeys | None:
    if path is None:
        return None
    return JwtKeys.load(path, issuer=issuer, audience=audience)


def _turn(urls: list[str], secret_file: Path | None) -> TurnServers | None:
    secret = secret_file.read_bytes() if secret_file else os.environb.get(TURN_SECRET.encode(), b"")
    if not urls and not secret:
        return None
    return TurnServers(tuple(urls), Secret(secret.strip()))


# What it says at the start


def _key_options(listening: Listening) -> str:
    keys = listening.directory_keys.items()
    return " ".join(f"--directory-key {key_id}:{key.hex()}" for key_id, key in keys)


def _print(listening: Listening) -> None:
    typer.echo(f"{listening.server_name} listens: {listening.url}")
    if listening.metrics_url:
        typer.echo(f"metrics: {listening.metrics_url}")
    typer.echo("a device gets an account by:")
    typer.echo(f"  e2ee register NAME --server {listening.url} {_key_options(listening)}")


def _print_json(listening: Listening) -> None:
    keys = {str(key_id): key.hex() for key_id, key in listening.directory_keys.items()}
    typer.echo(json.dumps({"event": "listening", **asdict(listening), "directory_keys": keys}))
