"""``e2ee serve``: options in, a service until it is told to stop."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import typer

from e2ee.cli import serve_options as options
from e2ee.cli.main import refuse
from e2ee.cli.serve_options import SFU_SECRET, TURN_SECRET, LogLevel
from e2ee.cli.server_process import refusing, run_until_told, shared_secret, tls_files
from e2ee.cli.store_path import StorePath
from e2ee.delivery.limits import REGISTRATIONS
from e2ee.server.authentication import JwtKeys
from e2ee.server.control.connecting import UnitElsewhere
from e2ee.server.limits import PER_ADDRESS
from e2ee.server.logs import configure
from e2ee.server.standalone import Listening, Registration, Settings, run
from e2ee.server.tls import is_loopback
from e2ee.server.turn import TurnServers
from e2ee.server.units import UnitInside, unit_beside

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("serve")(serve)


def serve(
    store: StorePath,
    host: options.Host = "127.0.0.1",
    port: options.Port = 8443,
    name: options.Name = None,
    url: options.Url = None,
    per_address: options.PerAddress = PER_ADDRESS,
    tls_cert: options.TlsCert = None,
    tls_key: options.TlsKey = None,
    behind_proxy: options.BehindProxy = False,
    insecure_without_tls: options.InsecureWithoutTls = False,
    registration: options.Registering = None,
    new_accounts: options.NewAccounts = REGISTRATIONS.amount,
    jwt_keys: options.JwtKeySet = None,
    jwt_issuer: options.JwtIssuer = "",
    jwt_audience: options.JwtAudience = "",
    turn_url: options.TurnUrls = None,
    turn_secret_file: options.TurnSecretFile = None,
    no_sfu: options.NoSfu = False,
    sfu: options.Sfu = None,
    sfu_secret_file: options.SfuSecretFile = None,
    media_address: options.MediaAddress = None,
    metrics_port: options.MetricsPort = None,
    log_level: options.Level = LogLevel.INFO,
    json_logs: options.JsonLogs = False,
    as_json: options.AsJson = False,
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

    Media of group calls pass through a forwarding unit, which has no key of
    them. It is inside of this process; media come to UDP ports of the system's
    choice. For more than a few calls at a time it is a process of its own, here
    or elsewhere (see e2ee sfu):

        e2ee serve --sfu wss://sfu.example:8444/control
                   --sfu-secret-file secret …

    The store holds the service's keys and who calls whom: keep copies of it (made by
    sqlite3's .backup) as secret. From an old copy KeyPackages would be handed out twice.

    Exit status 0: stopped as told; 1: it failed; 2: it does not run like this.
    """
    local = is_loopback(host)
    if name is None and not local:
        refuse("off loopback --name says what devices connect to and sign for")
    with refusing():
        settings = Settings(
            store=store,
            server_name=name or host,
            host=host,
            port=port,
            url=url,
            per_address=per_address,
            tls=tls_files(tls_cert, tls_key),
            behind_proxy=behind_proxy,
            insecure_without_tls=insecure_without_tls,
            authenticate=_keys(jwt_keys, jwt_issuer, jwt_audience),
            registration=_registration(registration, jwt_keys, local=local and not behind_proxy),
            new_accounts=new_accounts,
            turn=_turn(turn_url or [], turn_secret_file),
            forwarding=_UnitOptions(no_sfu, sfu, sfu_secret_file, media_address or []).unit(
                host, behind_proxy=behind_proxy, insecure=insecure_without_tls
            ),
            metrics_port=metrics_port,
        )
    configure(log_level.value, as_json=json_logs)
    run_until_told("serve", run(settings, _print_json if as_json else _print))


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
    secret = shared_secret(secret_file, TURN_SECRET)
    return TurnServers(tuple(urls), secret) if urls or secret else None


@dataclass(frozen=True, slots=True)
class _UnitOptions:
    """What is said of the forwarding unit."""

    without: bool
    url: str | None
    secret_file: Path | None
    addresses: list[str]

    def unit(
        self, host: str, *, behind_proxy: bool, insecure: bool
    ) -> UnitInside | UnitElsewhere | None:
        """Where it is, if there is one. Raises ServerConfigurationError, OSError."""
        self._require_sense()
        if self.url is not None:
            secret = shared_secret(self.secret_file, SFU_SECRET)
            return UnitElsewhere(self.url, secret, insecure=insecure)
        if self.without:
            return None
        if find_spec("aiortc") is None:
            typer.echo(
                "e2ee serve: group calls have no media without e2ee-calling[rtc]; --no-sfu says so",
                err=True,
            )
            return None
        return unit_beside(host, self.addresses, behind_proxy=behind_proxy)

    def _require_sense(self) -> None:
        if self.without and self.url is not None:
            refuse("--no-sfu and --sfu exclude each other")
        if self.secret_file is not None and self.url is None:
            refuse(
                "--sfu-secret-file is shared with a forwarding unit of its own: --sfu says where"
            )
        if self.addresses and (self.without or self.url is not None):
            refuse("--media-address is for the forwarding unit inside of this process")


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
