"""``e2ee register``: a new account, of which this is the primary device."""

from __future__ import annotations

import contextlib
import platform
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from e2ee.cli.calls.options import AsJson, InsecureWithoutTls, ServerName, checked_url, new_output
from e2ee.cli.calls.profile import (
    PassphraseFile,
    ProfilePath,
    is_registered,
    new_passphrase,
    refusing,
    secret_of,
)
from e2ee.cli.calls.running import fail, run
from e2ee.cli.calls.shown import account_name, digits, isolated, visible
from e2ee.cli.main import refuse
from e2ee.client.errors import ServiceRefused
from e2ee.client.key_store import Service
from e2ee.client.profile import Profile
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.safety_number import account_digits

__all__ = ["register"]

TOKEN = "E2EE_TOKEN"


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("register")(register_account)


def register_account(
    name: Annotated[str, typer.Argument(help="The account's name.")],
    server: Annotated[
        str, typer.Option(metavar="URL", help="The delivery service, as wss://calls.example/v1.")
    ],
    directory_key: Annotated[
        list[str],
        typer.Option(
            metavar="ID:HEX",
            help="Key of the directory that says whose key is whose; more than once. e2ee serve prints them.",
        ),
    ],
    path: ProfilePath,
    passphrase_file: PassphraseFile = None,
    seal: Annotated[
        bool, typer.Option("--seal", help="Ask for a passphrase, and seal the profile with it.")
    ] = False,
    server_name: ServerName = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help=f"The invitation, or the application's token, if the service asks for one; or ${TOKEN}.",
        ),
    ] = None,
    ask_token: Annotated[bool, typer.Option("--token", help="Ask for it on the terminal.")] = False,
    device_name: Annotated[
        str | None, typer.Option(help="What this device is called; else the machine's name.")
    ] = None,
    insecure_without_tls: InsecureWithoutTls = False,
    as_json: AsJson = False,
) -> None:
    """Make an account with keys of its own, and register this device as its primary.

    The keys are made here and stay in the profile; the service gets their public halves. What
    e2ee serve prints is the rest of this line:

        e2ee register alice --server wss://calls.example/v1 --directory-key 1:5f0a...

    With $E2EE_PROFILE, or --profile, one person can have several:

        e2ee register bob --profile bob.db --server ...

    A registration that broke off goes on when this is run again.

    Exit status 0: registered; 1: the service refused or is not there; 2: it does not run like this.
    """
    account_id = account_name(name)
    url, host = checked_url(server, insecure=insecure_without_tls)
    service = Service(url, server_name or host, DirectoryKeys(_directory_keys(directory_key)))
    token = _token(token_file, ask=ask_token)
    is_fresh = not path.exists()
    passphrase = new_passphrase(passphrase_file, seal=seal and is_fresh)
    with _forgetting(path), refusing(), Profile.open(path, passphrase) as profile:
        _begin(profile, path, account_id, service)
        name_of_device = device_name or platform.node()
        run("register", _registered(profile, token, name_of_device, as_json=as_json))


class _NotRegistered(Exception):
    """The service refused, so nobody knows these keys."""


@contextlib.contextmanager
def _forgetting(path: Path) -> Iterator[None]:
    """What nobody knows is not kept: another name can be tried."""
    try:
        yield
    except _NotRegistered as refused:
        path.unlink()
        fail("register", str(refused))


def _said(refused: ServiceRefused) -> str:
    why = _REFUSALS.get(refused.service_reason, refused.detail)
    return f"the service refused: {visible(why)}"


_REFUSALS = {
    "ACCOUNT_TAKEN": "this name is taken, by another key",
    "REGISTRATION_CLOSED": "it takes no more accounts",
    "INVITATION_NEEDED": "it lets in who is invited: give --token-file, or --token to be asked",
    "BAD_INVITATION": "this token lets nobody in, or not under this name, or not any more",
}


def _begin(profile: Profile, path: Path, account_id: str, service: Service) -> None:
    """Make the keys, or go on with those that were never registered."""
    if profile.is_new:
        profile.create(account_id, service)
        return
    if is_registered(profile):
        own = profile.keys.certificate
        _there_is(path, own.account_id, f"device {own.device_id}", profile.keys.service.server_name)
    account = profile.require_primary()
    if account.account_id != account_id:
        _there_is(path, account.account_id, "not yet registered", profile.keys.service.server_name)
    profile.keys.put_service(service)


def _there_is(path: Path, account_id: str, what: str, server_name: str) -> NoReturn:
    refuse(f"{path} is {account_id}'s already, {what}, at {server_name}; --profile names another")


async def _registered(profile: Profile, token: str, device_name: str, *, as_json: bool) -> bool:
    from e2ee.client.online import online  # noqa: PLC0415 - media are loaded when all else is right

    going_online = online(profile, token=token, device_name=device_name, may_ring=lambda _: False)
    try:
        async with going_online as client:
            await client.published()
    except ServiceRefused as refused:
        if not is_registered(profile):
            raise _NotRegistered(_said(refused)) from None
        raise
    own = profile.keys.certificate
    number = account_digits(own.account_id, own.account_key)
    text = (
        f"registered {isolated(own.account_id)} at {profile.keys.service.server_name}, device {own.device_id}\n"
        f"  its half of every safety number: {digits(number)}"
    )
    with new_output(as_json=as_json, terminal=False) as output:
        output.tell("registered", text, account=own.account_id, device=own.device_id, digits=number)
    return True


def _directory_keys(given: Sequence[str]) -> dict[int, bytes]:
    keys = {}
    for each in given:
        key_id, _, key = each.partition(":")
        try:
            number, decoded = int(key_id), bytes.fromhex(key)
        except ValueError:
            refuse(f"--directory-key takes ID:HEX, not {each!r}")
        if not 0 <= number <= 255 or len(decoded) != 32:
            refuse(f"--directory-key takes a number up to 255 and 32 bytes, not {each!r}")
        keys[number] = decoded
    return keys


def _token(file: Path | None, *, ask: bool) -> str:
    if not ask or file is not None:
        return secret_of(file, TOKEN) or ""
    if not sys.stdin.isatty():
        refuse(f"--token asks on a terminal; else give --token-file or {TOKEN}")
    asked: str = typer.prompt("Token", hide_input=True, err=True)
    return asked
