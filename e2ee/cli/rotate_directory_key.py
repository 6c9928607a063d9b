"""``e2ee rotate-directory-key``: the next directory key takes over."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Annotated

import typer

from e2ee.cli.main import refuse
from e2ee.cli.store_path import StorePath
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.delivery.service_identity import ServiceIdentity
from e2ee.errors import LocalProtocolError
from e2ee.server.stores.sqlite import SqliteStore

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("rotate-directory-key")(rotate_directory_key)


def rotate_directory_key(
    store: StorePath,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Have the next directory key attest accounts, and make a new next one. Counts when the service starts again.

    Clients that have both keys go on as they are, and are to be told the new next one with their next update.
    Only when all have been told, rotate again: a client that has neither key meets nobody new.
    """
    if not store.is_file():
        refuse(f"{store} is not there: name the service's --store")
    try:
        with closing(SqliteStore(store)) as file:
            keys = ServiceIdentity.rotate(file, SystemEntropy()).directory_keys().keys
    except LocalProtocolError as error:
        typer.echo(f"e2ee rotate-directory-key: {error.detail or error.reason}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        named = {str(key_id): key.hex() for key_id, key in keys.items()}
        typer.echo(json.dumps({"directory_keys": named}))
    else:
        for key_id, key in keys.items():
            typer.echo(f"--directory-key {key_id}:{key.hex()}")
