"""``e2ee verify``: the safety number with a contact, compared by eye or by a code that the other device shows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from e2ee.cli.calls.options import AsJson, new_output
from e2ee.cli.calls.output import Output
from e2ee.cli.calls.profile import PassphraseFile, ProfilePath, opened
from e2ee.cli.calls.running import fail
from e2ee.cli.calls.shown import (
    STATES,
    account_name,
    halves,
    isolated,
    qr,
    read_argument,
    save_qr,
    visible,
)
from e2ee.cli.main import refuse
from e2ee.client.profile import Profile
from e2ee.errors import DecodeError
from e2ee.identity.safety_number import (
    Account,
    Compared,
    compare_safety_code,
    safety_code,
    safety_number,
)
from e2ee.identity.trust import ContactState

__all__ = ["register"]

_DIFFERS = {
    Compared.CONTACT_DIFFERS: "{who} has another key than the one that this device has for {who}",
    Compared.OWN_DIFFERS: "{who} has another key for you than your own",
    Compared.BOTH_DIFFER: "both keys differ from those that {who} has",
    Compared.OTHER_ACCOUNTS: "this code is not of {who} for you, and says nothing about either",
}
_BETWEEN = frozenset({Compared.CONTACT_DIFFERS, Compared.OWN_DIFFERS, Compared.BOTH_DIFFER})


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("verify")(verify)


def verify(
    name: Annotated[str, typer.Argument(help="The contact's name.")],
    path: ProfilePath,
    passphrase_file: PassphraseFile = None,
    scan: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Compare the code that the other device shows, e2ee-safety:...; - reads it from standard input.",
        ),
    ] = None,
    matches: Annotated[
        bool, typer.Option("--matches", help="The 60 digits are the same on the other's device.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --matches: do not ask.")] = False,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the QR code to a file, .svg or .png."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the safety number with a contact, and mark the contact as verified if it was compared.

    Both see the same 60 digits, or somebody is between them. Compare them face to face, or
    where you know the voice; or scan the other's code. It needs no service.

        e2ee verify bob                              the digits and the code
        e2ee verify bob --matches                    after comparing them by eye
        e2ee verify bob --scan e2ee-safety:AQVh...   the text of the code that bob's device shows

    In a call the spoken code (key c) does the same.

    Exit status 0: shown, or verified; 1: it does not match, or no key is known; 2: it does not run like this.
    """
    if scan is not None and matches:
        refuse("--scan and --matches: one of them")
    account_id = account_name(name)
    with (
        opened(path, passphrase_file) as profile,
        new_output(as_json=as_json, terminal=False) as output,
    ):
        own, contact = _accounts(profile, account_id)
        _warn_of_change(profile, account_id, output)
        if scan is not None:
            _compare(profile, output, read_argument(scan), (own, contact))
            return
        _show(profile, output, own, contact, picture)
        if matches:
            question = f"All 60 digits are the same on {visible(account_id)}'s device?"
            if not yes and not typer.confirm(question, err=True):
                fail("verify", "not verified")
            _mark(profile, output, contact)


def _accounts(profile: Profile, account_id: str) -> tuple[Account, Account]:
    own = profile.keys.certificate
    known = profile.trust().contact(account_id).account_key
    if known is None:
        fail("verify", f"no key of {visible(account_id)} is known yet: call once, or be called")
    return (own.account_id, own.account_key), (account_id, known)


def _warn_of_change(profile: Profile, account_id: str, output: Output) -> None:
    if profile.changed_keys.find(profile.trust(), account_id) is not None:
        who = visible(account_id)
        text = f"{who} was seen with ANOTHER KEY; this is about the old one. e2ee contacts accept {who}"
        output.tell("changed_key_seen", text, "bold red", account=account_id)


def _show(
    profile: Profile, output: Output, own: Account, contact: Account, picture: Path | None
) -> None:
    number, code = safety_number(own, contact), safety_code(own, contact)
    state = profile.trust().contact(contact[0]).state or ContactState.UNVERIFIED
    lines = [
        f"safety number with {isolated(contact[0])}",
        *(f"  {half}" for half in halves(number)),
        code,
        STATES[state],
    ]
    fields = {"account": contact[0], "number": number, "code": code, "state": state}
    output.picture(qr(code))
    output.tell("safety_number", "\n".join(lines), **fields)
    if picture is not None:
        save_qr(code, picture)


def _compare(
    profile: Profile, output: Output, text: str, accounts: tuple[Account, Account]
) -> None:
    own, contact = accounts
    try:
        compared = compare_safety_code(text, own, contact)
    except DecodeError as error:
        fail("verify", f"this is no code of a safety number: {error.detail or error.reason}")
    if compared is Compared.SAME:
        _mark(profile, output, contact)
        return
    why = _DIFFERS[compared].format(who=isolated(contact[0]))
    danger = "\nSOMEBODY MAY BE BETWEEN YOU: do not trust calls with them"
    output.tell(
        "differs",
        f"NOT VERIFIED: {why}{danger if compared in _BETWEEN else ''}",
        "bold red",
        account=contact[0],
        compared=compared,
    )
    raise typer.Exit(1)


def _mark(profile: Profile, output: Output, contact: Account) -> None:
    profile.trust().mark_verified(*contact)
    output.tell("verified", f"{isolated(contact[0])} is verified", "green", account=contact[0])
