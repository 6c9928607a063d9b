"""The table of commands: the place where a command is added.

A command is a module of this package with a function ``register(app)`` that gives its Typer command, or commands, to
``app``. Only the module of the command that is called is imported, so that a command pays for nobody else's imports and
needs nobody else's extras; of the others the table's line of help is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated

import typer

import e2ee

__all__ = ["COMMANDS", "application"]

COMMANDS: Mapping[str, str] = {
    "answer": "Wait for calls, and take them.",
    "attack": "Attacks by the platform, the network and members: list them, run them again.",
    "call": "Call somebody.",
    "chat": "Write with somebody who is there.",
    "conformance": "Hold an implementation in any language against the specification.",
    "contacts": "Whom this device knows: unverified, verified, changed, blocked.",
    "demo": "Two processes call each other, and prove what the server between them could see.",
    "devices": "The account's devices; take out one that was lost.",
    "inspect": "Take apart anything that the protocol carries: fields, offsets, requirements, signatures.",
    "invite": "Let somebody have an account at a service on this machine.",
    "join": "Join a group call by its link.",
    "link": "Make another device part of the account.",
    "meet": "Make a group call, and get a link that lets others in.",
    "mls-peer": "MLS clients for other implementations' tests, by JSON lines.",
    "register": "Make an account, of which this is the primary device.",
    "requirements": "The specification's requirements, with the vectors, tests and code of each.",
    "rotate-directory-key": "Have a service's next directory key take over.",
    "serve": "Run a delivery service on this machine.",
    "sfu": "Run a forwarding unit of group calls as a process of its own.",
    "spec": "The specification as one page of HTML, with links to vectors, tests and code.",
    "vectors": "The test vectors: make them, or check that they are up to date.",
    "verify": "Compare the safety number with a contact.",
}
"""Name of the command, which is its module's name in this package (with "_" for "-"), and its line of help."""


def application(called: Sequence[str]) -> typer.Typer:
    """The command line, with the command that ``called`` (the first argument, if any) names ready to run."""
    app = typer.Typer(
        help="End-to-end encrypted calls: MLS agrees keys, SFrame protects every frame.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # they print local variables, and with them keys
    )
    app.callback()(options)
    for name, line in COMMANDS.items():
        if name in called:
            import_module(f"e2ee.cli.{name.replace('-', '_')}").register(app)
        else:
            app.command(name, help=line)(_not_called)
    return app


def _not_called() -> None:
    """Stands in the list of commands for one whose module was not imported."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{e2ee.DISTRIBUTION} {e2ee.__version__}, specification {e2ee.SPEC_VERSION}")
        raise typer.Exit


def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print and exit."),
    ] = False,
) -> None:
    """Options before the command."""
