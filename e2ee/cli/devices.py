"""``e2ee devices``: the account's devices, and taking one out that was lost."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from e2ee.cli.calls.options import AsJson, new_output
from e2ee.cli.calls.output import Output
from e2ee.cli.calls.profile import PassphraseFile, ProfilePath, opened
from e2ee.cli.calls.running import fail, run
from e2ee.cli.calls.shown import isolated, visible
from e2ee.client.profile import Profile
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.device_list import CertifiedDevice

__all__ = ["register"]

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Give the commands to ``app``."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(devices)
    group.command("revoke")(revoke)
    app.add_typer(group, name="devices")


def devices(
    context: typer.Context,
    path: ProfilePath,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """The account's devices, as its primary device knows them: number, name, certificate, revoked or not.

    On another device there is its own certificate, and no more to know.

        e2ee devices
        e2ee devices revoke 2

    Exit status 0: done; 1: the service refused or is not there; 2: it does not run like this.
    """
    if context.invoked_subcommand is not None:
        return
    with (
        opened(path, passphrase_file) as profile,
        new_output(as_json=as_json, terminal=False) as output,
    ):
        own = profile.keys.certificate
        if profile.is_primary:
            for each in profile.keys.devices.devices:
                _tell(output, each, own)
        else:
            _tell(output, CertifiedDevice("", own), own)
            output.tell(
                "not_primary",
                "the others are known to the account's primary device, which links and revokes",
                "dim",
            )


def _tell(output: Output, device: CertifiedDevice, own: VerifiedCertificate) -> None:
    statement = device.certificate.certificate.statement
    is_this = device.device_id == own.device_id
    state = "REVOKED" if device.revoked else f"certificate until {_day(statement.not_after)}"
    marks = "   this one" if is_this else ""
    name = f"  {isolated(device.name)}" if device.name else ""
    output.tell(
        "device",
        f"{device.device_id:>3}{name}   certified {_day(statement.not_before)}   {state}{marks}",
        "dim" if device.revoked else "",
        account=own.account_id,
        device=device.device_id,
        name=device.name,
        certified=statement.not_before,
        certified_until=statement.not_after,
        revoked=device.revoked,
        this=is_this,
    )


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def revoke(
    device_id: Annotated[int, typer.Argument(metavar="ID", help="Its number in the list.")],
    path: ProfilePath,
    passphrase_file: PassphraseFile = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Take a device out of the account, for good: nobody calls it, and it is in no new call.

    All others get new certificates. Whoever saw one of these refuses the revoked device; at
    the latest it ends with its certificate.
    """
    with opened(path, passphrase_file) as profile:
        if not profile.is_primary:
            fail("devices revoke", "the account's primary device revokes; this is another one")
        name = _revocable(profile, device_id)
        question = f"Revoke device {device_id} ({name}), for good?"
        if not yes and not typer.confirm(question, err=True):
            fail("devices revoke", "nothing was revoked")
        run("devices revoke", _revoked(profile, path, device_id, as_json=as_json))


def _revocable(profile: Profile, device_id: int) -> str:
    """Its name, as it may be shown."""
    found = [each for each in profile.keys.devices.devices if each.device_id == device_id]
    if not found:
        fail("devices revoke", f"there is no device {device_id}: e2ee devices lists them")
    if found[0].revoked:
        fail("devices revoke", f"device {device_id} is revoked already")
    if device_id == profile.keys.certificate.device_id:
        fail("devices revoke", "this is the device itself, which holds the account's key")
    return visible(found[0].name)


async def _revoked(profile: Profile, path: Path, device_id: int, *, as_json: bool) -> bool:
    from e2ee.cli.calls.outside import watching  # noqa: PLC0415 - the list needs no client
    from e2ee.client.online import online  # noqa: PLC0415

    with new_output(as_json=as_json, terminal=False) as output:
        async with (
            online(profile, may_ring=lambda _: False) as client,
            watching(client, output, path.parent / "voice-messages") as outside,
        ):
            client.revoke(device_id)
            own = profile.keys.signing_key.public
            expected = len(profile.keys.devices.active)
            renewed: list[bytes] = []
            while len(renewed) < expected:  # its own first; what came before was of an older list
                key = await outside.renewed.get()
                if key is None:
                    return False
                if renewed or key == own:
                    renewed.append(key)
            output.tell("revoked", f"device {device_id} is revoked", device=device_id)
    return True
