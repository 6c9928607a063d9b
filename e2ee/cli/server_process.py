"""What ``e2ee serve`` and ``e2ee sfu`` have in common: files of theirs, and how they end."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import typer

from e2ee.cli.main import refuse
from e2ee.crypto.secret import Secret
from e2ee.errors import LocalProtocolError
from e2ee.server.errors import ServerConfigurationError
from e2ee.server.tls import TlsFiles

__all__ = ["refusing", "run_until_told", "shared_secret", "tls_files"]


def tls_files(certificate: Path | None, key: Path | None) -> TlsFiles | None:
    """The two that go together. Ends the process if one is missing."""
    if (certificate is None) != (key is None):
        refuse("--tls-cert and --tls-key go together")
    return TlsFiles(certificate, key) if certificate and key else None


def shared_secret(file: Path | None, variable: str) -> Secret:
    """What is in the file, or else in the environment's ``variable``, without white space around it; maybe nothing. Raises
    OSError."""
    data = file.read_bytes() if file else os.environb.get(variable.encode(), b"")
    return Secret(data.strip())


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """What is found to be wrong with the options ends the process, in one line and with 2."""
    try:
        yield
    except (ServerConfigurationError, OSError) as error:
        refuse(_said(error))


def run_until_told(command: str, running: Coroutine[Any, Any, None]) -> None:
    """Run it. What does not run like this ends the process with 2, what fails with 1."""
    try:
        asyncio.run(running)
    except ServerConfigurationError as error:
        refuse(_said(error))
    except (LocalProtocolError, OSError) as error:
        typer.echo(f"e2ee {command}: {_said(error)}", err=True)
        raise typer.Exit(1) from None


def _said(error: LocalProtocolError | OSError) -> str:
    return (error.detail or error.reason) if isinstance(error, LocalProtocolError) else str(error)
