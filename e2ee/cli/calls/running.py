"""A command as one run of an event loop: what fails is one line on stderr, and the exit status says how it ended.

0: done as wanted; 1: it did not come about; 2: it could not run; 130: interrupted, after it had hung up and let go of its
devices.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, NoReturn

import typer

from e2ee.cli.calls.profile import refusing
from e2ee.cli.calls.shown import visible
from e2ee.client.errors import ServiceLost, ServiceRefused
from e2ee.client.store_errors import StoreError
from e2ee.errors import E2EEError, LocalProtocolError

__all__ = ["fail", "run"]

_INTERRUPTED = 130

_REFUSALS = {
    "REVOKED": "this device was taken out of its account (REVOKED)",
    "SUPERSEDED": "this device came online somewhere else (SUPERSEDED)",
    "ACCOUNT_REPLACED": "the account has a new key, on another device (ACCOUNT_REPLACED)",
    "UNKNOWN_ACCOUNT": "it knows no such account (UNKNOWN_ACCOUNT)",
}
"""What the service says to a device that it does not take any more."""


def fail(command: str, why: str) -> NoReturn:
    """End with status 1 and one line on stderr."""
    typer.echo(f"e2ee {command}: {why}", err=True)
    raise typer.Exit(1)


def run(command: str, work: Coroutine[Any, Any, bool]) -> None:
    """Run ``work``; it tells whether what was wanted came about."""
    if not logging.root.handlers:
        logging.root.addHandler(logging.NullHandler())  # a terminal shows calls, not logs
    try:
        with refusing():
            came_about = asyncio.run(_until_told(work))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise typer.Exit(_INTERRUPTED) from None
    except BaseExceptionGroup as group:
        fail(command, _said(_first(group)))
    except E2EEError as error:
        fail(command, _said(error))
    if not came_about:
        raise typer.Exit(1)


async def _until_told(work: Coroutine[Any, Any, bool]) -> bool:
    """SIGTERM and SIGHUP end it as Ctrl-C does: the other side is told."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGHUP):
        with suppress(NotImplementedError, RuntimeError):  # not everywhere
            loop.add_signal_handler(number, task.cancel if task else loop.stop)
    return await work


def _first(group: BaseExceptionGroup[BaseException]) -> E2EEError:
    """The first of what is ours; anything else is a fault of the program, and is raised."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            return _first(error)
        if isinstance(error, StoreError):
            with refusing():
                raise error
        if isinstance(error, E2EEError):
            return error
    raise group


def _said(error: E2EEError) -> str:
    """In one line; what came from elsewhere obeys nothing."""
    if isinstance(error, ServiceLost):
        return f"no connection to the service: {visible(error.detail)}"
    if isinstance(error, ServiceRefused) and error.service_reason in _REFUSALS:
        return f"the service refused: {_REFUSALS[error.service_reason]}"
    if isinstance(error, LocalProtocolError) and error.detail:
        return visible(error.detail)
    return visible(str(error))
