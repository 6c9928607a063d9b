"""``e2ee invite``: lets one account in, or gives one a new key in the place of a lost one."""

from __future__ import annotations

import json
import unicodedata
from contextlib import closing
from typing import Annotated

import typer

from e2ee.account_id import flaw
from e2ee.cli.main import refuse
from e2ee.cli.store_path import StorePath
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.admission import invite as make_invitation
from e2ee.server.stores.errors import StoreError
from e2ee.server.stores.sqlite import SqliteStore
from e2ee.system_clock import system_clock

__all__ = ["register"]

DAY = 24 * 3600 * 1000


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("invite")(invite)


def invite(
    store: StorePath,
    for_name: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="NAME",
            help="For this account only; if it exists, it replaces its key, which a lost device had.",
        ),
    ] = None,
    valid: Annotated[int, typer.Option(min=1, metavar="DAYS", help="Days that it lasts.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make an invitation, which one registration uses up, and print its token: once, since only its digest is kept.

    Who has it gets an account, and with --for that name: hand it over where nobody else reads. The service may run meanwhile.
    """
    account_id = None if for_name is None else _account_id(for_name)
    if not store.is_file():
        refuse(f"{store} is not there: start the service first, or name its --store")
    expires_at = system_clock()() + valid * DAY
    try:
        with closing(SqliteStore(store)) as file, file.transaction() as tx:
            token = make_invitation(tx, SystemEntropy(), expires_at, account_id)
    except StoreError as error:
        typer.echo(f"e2ee invite: {error.detail or error.reason}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps({"token": token, "for": account_id, "expires_at": expires_at}))
    else:
        typer.echo(token)


def _account_id(name: str) -> str:
    """An account's id as it is written in certificates: in Normalization Form C (IDENT-1)."""
    account_id = unicodedata.normalize("NFC", name)
    wrong = flaw(account_id)
    if wrong is not None:
        refuse(f"not an account's name: {wrong}")
    return account_id
