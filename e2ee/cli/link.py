"""``e2ee link``: a new device shows a text; the account's primary device takes it in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from e2ee.cli.calls.options import AsJson, InsecureWithoutTls, ServerName, checked_url, new_output
from e2ee.cli.calls.output import Output
from e2ee.cli.calls.profile import PassphraseFile, ProfilePath, new_passphrase, opened, refusing
from e2ee.cli.calls.running import fail, run
from e2ee.cli.calls.shown import digits, isolated, qr, read_argument, save_qr, visible
from e2ee.cli.main import refuse
from e2ee.client.key_store import Service
from e2ee.client.profile import Profile
from e2ee.errors import E2EEError
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.device_link import DeviceLink, OpenedLink, read_link
from e2ee.identity.safety_number import account_digits

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("link")(link)


def link(
    path: ProfilePath,
    text: Annotated[
        str | None,
        typer.Argument(
            help="On the primary device: what the new one shows; - asks for it, and keeps it out of the shell's history."
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", help="On the new device: the account's delivery service."),
    ] = None,
    server_name: ServerName = None,
    seal: Annotated[
        bool,
        typer.Option("--seal", help="On the new device: ask for a passphrase for its profile."),
    ] = False,
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="On the new device: also write the QR code, .svg or .png."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="On the primary: what the new device is to be called.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    insecure_without_tls: InsecureWithoutTls = False,
    as_json: AsJson = False,
) -> None:
    """Make another device part of an account. Both have to be at hand: the person compares.

    On the new device, which then waits, ten minutes at most:

        e2ee link --server wss://calls.example/v1

    On the account's primary device, which gives it a certificate and the contacts:

        e2ee link - --name laptop

    The new device shows the account and 30 digits; they must be those that the primary shows.
    The text is a secret until it is used: show it to your own devices only.

    Exit status 0: linked; 1: it did not come about; 2: it does not run like this.
    """
    if text is None:
        _be_linked(
            path,
            _service(server, server_name, insecure=insecure_without_tls),
            (new_passphrase(passphrase_file, seal=seal), picture),
            yes=yes,
            as_json=as_json,
        )
    else:
        with opened(path, passphrase_file) as profile:
            _take_in(profile, path, read_argument(text), name, yes=yes, as_json=as_json)


def _service(server: str | None, server_name: str | None, *, insecure: bool) -> Service:
    if server is None:
        refuse("on a new device --server says where the account is; on the primary give the text")
    url, host = checked_url(server, insecure=insecure)
    return Service(url, server_name or host, DirectoryKeys({}))


# The new device


def _be_linked(
    path: Path,
    service: Service,
    keeping: tuple[str | None, Path | None],
    *,
    yes: bool,
    as_json: bool,
) -> None:
    passphrase, picture = keeping
    with refusing(), Profile.open(path, passphrase) as profile:
        if not profile.is_new:
            refuse(f"there is a device at {path} already; --profile names another file")
        with new_output(as_json=as_json, terminal=False) as output:
            run("link", _linked(profile, service, output, picture, yes=yes))


async def _linked(
    profile: Profile, service: Service, output: Output, picture: Path | None, *, yes: bool
) -> bool:
    from e2ee.client.linking import Linking  # noqa: PLC0415 - media are loaded when they are needed
    from e2ee.client.online import online  # noqa: PLC0415

    linking = Linking.create()
    shown = linking.text()
    output.picture(qr(shown))
    lines = [
        shown,
        "a secret until it is used, for your own primary device only:",
        "on the primary device: e2ee link -    (waits ten minutes)",
    ]
    output.tell("link", "\n".join(lines), link=shown, expires_at=linking.expires_at)
    if picture is not None:
        save_qr(shown, picture)
    opened_link = await linking.opened(service)
    _tell_account(output, opened_link.account_id, opened_link.account_digits)
    if not yes and not _confirmed(opened_link):
        output.tell("not_linked", "nothing was kept")
        return False
    profile.take(opened_link.confirmed(), service)
    async with online(profile, may_ring=lambda _: False) as client:
        await client.published()
        text = f"this is device {client.device_id} of {isolated(client.account_id)}"
        output.tell("linked", text, account=client.account_id, device=client.device_id)
    return True


def _confirmed(opened_link: OpenedLink) -> bool:
    """IDENT-23: nothing is used "before a person has confirmed that the primary shows the same"."""
    question = (
        f"Does the primary device show {visible(opened_link.account_id)} and the same digits?"
    )
    return typer.confirm(question, err=True)


def _tell_account(output: Output, account_id: str, number: str) -> None:
    text = f"account  {isolated(account_id)}\ndigits   {digits(number)}"
    output.tell("account", text, account=account_id, digits=number)


# The primary


def _take_in(
    profile: Profile, path: Path, text: str, name: str | None, *, yes: bool, as_json: bool
) -> None:
    if not profile.is_primary:
        fail("link", "the account's primary device links; this is another one")
    try:
        device_link = read_link(text)
    except E2EEError as error:
        fail("link", f"this is not what a new device shows: {error.detail or error.reason}")
    if name is None:
        name = typer.prompt("What is the new device called?", err=True) if _asks() else "device"
    with new_output(as_json=as_json, terminal=False) as output:
        _tell_risk(output, profile)
        own = profile.keys.certificate
        _tell_account(output, own.account_id, account_digits(own.account_id, own.account_key))
        question = (
            f"Is {visible(name)} your own device, in your hands, and are its digits to be these?"
        )
        if not yes and not typer.confirm(question, err=True):
            fail("link", "nothing was linked")
        run("link", _taken_in(profile, path, device_link, name, output))


def _asks() -> bool:
    return sys.stdin.isatty()


def _tell_risk(output: Output, profile: Profile) -> None:
    active = profile.keys.devices.active
    names = ", ".join(f"{each.device_id} {isolated(each.name)}" for each in active)
    text = (
        "The new device will call and be called in your name, until you revoke it (e2ee devices revoke).\n"
        f"Your devices so far: {names}"
    )
    output.tell("devices", text, devices=[each.device_id for each in active])


async def _taken_in(
    profile: Profile, path: Path, device_link: DeviceLink, name: str, output: Output
) -> bool:
    from e2ee.cli.calls.outside import watching  # noqa: PLC0415
    from e2ee.client.online import online  # noqa: PLC0415

    async with (
        online(profile, may_ring=lambda _: False) as client,
        watching(client, output, path.parent / "voice-messages"),
    ):
        await client.link(device_link, name)
    device = profile.keys.devices.devices[-1]
    text = (
        f"{isolated(name)} is device {device.device_id}, as soon as it has fetched its certificate"
    )
    output.tell("linked", text, device=device.device_id, name=name)
    return True
