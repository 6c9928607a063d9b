"""``e2ee contacts``: whom this device knows, and what the person decided about them."""

from __future__ import annotations

from typing import Annotated

import typer

from e2ee.cli.calls.options import AsJson, new_output
from e2ee.cli.calls.output import Output
from e2ee.cli.calls.profile import PassphraseFile, ProfilePath, opened
from e2ee.cli.calls.running import fail
from e2ee.cli.calls.shown import STATES, account_name, digits, isolated, visible
from e2ee.client.profile import Profile
from e2ee.errors import RemoteProtocolError
from e2ee.identity.safety_number import account_digits
from e2ee.identity.trust import Contact, ContactState, Trust
from e2ee.system_clock import system_clock

__all__ = ["register"]

Name = Annotated[str, typer.Argument(help="The account's name.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Give the commands to ``app``."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(contacts)
    for command in (accept, block, unblock):
        group.command()(command)
    app.add_typer(group, name="contacts")


def contacts(
    context: typer.Context,
    path: ProfilePath,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Whom this device knows, with the state of each: unverified, verified, changed, blocked.

    A name is the server's word until the safety number was compared (e2ee verify NAME).

        e2ee contacts
        e2ee contacts block mallory
        e2ee contacts accept bob       (after bob told you, by another way, that he has a new key)

    Exit status 0: done; 1: it was not to be done; 2: it does not run like this.
    """
    if context.invoked_subcommand is not None:
        return
    with (
        opened(path, passphrase_file) as profile,
        new_output(as_json=as_json, terminal=False) as output,
    ):
        trust = profile.trust()
        for each in trust.contacts():
            _tell(output, profile, trust, each)


def _tell(output: Output, profile: Profile, trust: Trust, contact: Contact) -> None:
    changed = profile.changed_keys.find(trust, contact.account_id) is not None
    state = ContactState.CHANGED if changed else contact.state
    words = STATES[state] if state else "no key known yet"
    blocked = "blocked; " if contact.blocked else ""
    output.tell(
        "contact",
        f"{isolated(contact.account_id)}   {blocked}{words}",
        "bold red" if changed else "",
        account=contact.account_id,
        state=state,
        blocked=contact.blocked,
    )


def accept(
    name: Name,
    path: ProfilePath,
    passphrase_file: PassphraseFile = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Take the other key that an account was seen with, in the last call or letter, for the account's.

    Do it when the person behind it told you by another way that they have a new account key.
    Otherwise it may be somebody between you. The account is unverified afterwards.
    """
    account_id = account_name(name)
    with (
        opened(path, passphrase_file) as profile,
        new_output(as_json=as_json, terminal=False) as output,
    ):
        trust = profile.trust()
        contact, changed = trust.contact(account_id), profile.changed_keys.find(trust, account_id)
        if changed is None or contact.account_key is None:
            fail("contacts accept", f"no other key of {visible(account_id)} was seen")
        old = account_digits(account_id, contact.account_key)
        new = account_digits(account_id, changed.account_key)
        text = (
            f"{isolated(account_id)}'s half of your safety number\n"
            f"  was     {digits(old)}\n  is now  {digits(new)}"
        )
        output.tell("changed_key", text, account=account_id, old=old, new=new)
        if not yes and not typer.confirm(
            f"Take the new key for {visible(account_id)}'s?", err=True
        ):
            fail("contacts accept", "nothing has changed")
        try:
            trust.accept_change(changed, system_clock()())
        except RemoteProtocolError as error:
            fail("contacts accept", f"not acceptable any more, call again: {visible(str(error))}")
        profile.changed_keys.forget(account_id)
        text = f"{isolated(account_id)} has the new key, unverified: e2ee verify compares it"
        output.tell("accepted", text, account=account_id)


def block(
    name: Name,
    path: ProfilePath,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Let nothing of an account reach you any more: no call, no letter."""
    with (
        opened(path, passphrase_file) as profile,
        new_output(as_json=as_json, terminal=False) as output,
    ):
        profile.trust().block(account_name(name))
        output.tell("blocked", f"{isolated(account_name(name))} is blocked", account=name)


def unblock(
    name: Name,
    path: ProfilePath,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Take a block back."""
    with (
        opened(path, passphrase_file) as profile,
        new_output(as_json=as_json, terminal=False) as output,
    ):
        profile.trust().unblock(account_name(name))
        output.tell("unblocked", f"{isolated(account_name(name))} is not blocked", account=name)
