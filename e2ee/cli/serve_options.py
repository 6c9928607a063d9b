"""The options of ``e2ee serve`` and ``e2ee sfu``: each with its help, in the panel of the help that it belongs to."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from e2ee.server.standalone import Registration

__all__ = [
    "SFU_SECRET",
    "TURN_SECRET",
    "AsJson",
    "BehindProxy",
    "Host",
    "InsecureWithoutTls",
    "JsonLogs",
    "JwtAudience",
    "JwtIssuer",
    "JwtKeySet",
    "Level",
    "ListenOn",
    "LogLevel",
    "MediaAddress",
    "MetricsPort",
    "Name",
    "NewAccounts",
    "NoSfu",
    "PerAddress",
    "Port",
    "Registering",
    "SecretFile",
    "Sfu",
    "SfuSecretFile",
    "TlsCert",
    "TlsKey",
    "TurnSecretFile",
    "TurnUrls",
    "Url",
]

TURN_SECRET = "E2EE_TURN_SECRET"
"""The environment variable that has the secret shared with TURN servers, if no file does."""


SFU_SECRET = "E2EE_SFU_SECRET"
"""The one that has the secret shared by a service and a forwarding unit."""


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_LISTENING, _TLS, _ACCOUNTS, _RELAYS, _GROUPS, _OPERATING = (
    *("Listening", "TLS", "Accounts", "Relays", "Media of group calls", "Operating"),
)
"""Panels."""

Host = Annotated[str, typer.Option(help="Address to listen on.", rich_help_panel=_LISTENING)]

Port = Annotated[
    int,
    typer.Option(min=0, max=65535, help="0: any that is free.", rich_help_panel=_LISTENING),
]

Name = Annotated[
    str | None,
    typer.Option(
        help="The name that devices connect to and sign for. Must be given off loopback; else it is the host.",
        rich_help_panel=_LISTENING,
    ),
]

Url = Annotated[
    str | None,
    typer.Option(
        help="Where devices connect, if it is not the name and the port.",
        rich_help_panel=_LISTENING,
    ),
]

PerAddress = Annotated[
    int,
    typer.Option(
        min=1,
        help="Connections that one address has at a time: as many as sit in one office. Behind a proxy that is the proxy's"
        " to limit.",
        rich_help_panel=_LISTENING,
    ),
]

TlsCert = Annotated[
    Path | None, typer.Option(help="Certificate with its chain, PEM.", rich_help_panel=_TLS)
]

TlsKey = Annotated[Path | None, typer.Option(help="Its key, PEM.", rich_help_panel=_TLS)]

BehindProxy = Annotated[
    bool,
    typer.Option(
        "--behind-proxy",
        help="A reverse proxy has the TLS, and limits addresses.",
        rich_help_panel=_TLS,
    ),
]

InsecureWithoutTls = Annotated[
    bool,
    typer.Option(
        "--insecure-without-tls",
        help="Off loopback without TLS: whoever is on the way sees who calls whom.",
        rich_help_panel=_TLS,
    ),
]

Registering = Annotated[
    Registration | None,
    typer.Option(
        help="Who gets an account: anybody, nobody more, whoever is invited (e2ee invite), or the users of"
        " --jwt-keys. On loopback open, else by invitation. Open is for closed networks, or behind the"
        " platform's own checks.",
        rich_help_panel=_ACCOUNTS,
    ),
]

NewAccounts = Annotated[
    int,
    typer.Option(
        min=1,
        help="Of one address in an hour, if registration is open; behind a proxy that is the proxy's to limit.",
        rich_help_panel=_ACCOUNTS,
    ),
]

JwtKeySet = Annotated[
    Path | None,
    typer.Option(
        help="JWK set: your application's users are the accounts, by its JSON Web Tokens.",
        rich_help_panel=_ACCOUNTS,
    ),
]

JwtIssuer = Annotated[str, typer.Option(help="Who issues them.", rich_help_panel=_ACCOUNTS)]

JwtAudience = Annotated[
    str, typer.Option(help="For whom; what else is refused.", rich_help_panel=_ACCOUNTS)
]

TurnUrls = Annotated[
    list[str] | None,
    typer.Option(
        help="A TURN server, as turn:HOST:PORT?transport=udp; more than once.",
        rich_help_panel=_RELAYS,
    ),
]

TurnSecretFile = Annotated[
    Path | None,
    typer.Option(
        help=f"The secret shared with it (coturn: static-auth-secret); or in {TURN_SECRET}.",
        rich_help_panel=_RELAYS,
    ),
]

NoSfu = Annotated[
    bool,
    typer.Option("--no-sfu", help="No forwarding unit: no media in them.", rich_help_panel=_GROUPS),
]

Sfu = Annotated[
    str | None,
    typer.Option(
        help="A forwarding unit of its own, as e2ee sfu prints it; else it is inside of this process.",
        metavar="URL",
        rich_help_panel=_GROUPS,
    ),
]

SfuSecretFile = Annotated[
    Path | None,
    typer.Option(help=f"The secret shared with it; or in {SFU_SECRET}.", rich_help_panel=_GROUPS),
]

MediaAddress = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ADDRESS",
        help="Of this machine, where media come to by UDP, on ports of the system's choice; ADDRESS=PUBLIC if members"
        " know it as another one; more than once. Else all that it has.",
        rich_help_panel=_GROUPS,
    ),
]

SecretFile = Annotated[
    Path | None,
    typer.Option(
        "--secret-file",
        help=f"The secret shared with the services, 16 bytes or more; or in {SFU_SECRET}.",
        rich_help_panel=_LISTENING,
    ),
]

ListenOn = Annotated[
    str,
    typer.Option(
        "--listen",
        metavar="ADDRESS:PORT",
        help="Where services connect. Port 0: any that is free.",
        rich_help_panel=_LISTENING,
    ),
]

MetricsPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        help="/metrics and /health on 127.0.0.1; else there are no metrics.",
        rich_help_panel=_OPERATING,
    ),
]

Level = Annotated[
    LogLevel,
    typer.Option("--log-level", help="What goes to standard error.", rich_help_panel=_OPERATING),
]

JsonLogs = Annotated[
    bool, typer.Option("--json-logs", help="A JSON object a line.", rich_help_panel=_OPERATING)
]

AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        help="On standard output JSON objects, one a line.",
        rich_help_panel=_OPERATING,
    ),
]
