"""``e2ee conformance``: the kit that holds somebody's implementation against the specification.

``run`` is ``python -m e2ee.conformance run``, which needs nothing of this package and reads its own options: they are
passed on as they are.
"""

from __future__ import annotations

import typer
from typer.core import TyperCommand

from e2ee.conformance.__main__ import main

__all__ = ["register"]

conformance = typer.Typer(
    help="Hold an implementation against the specification.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Give the commands to ``app``."""
    app.add_typer(conformance, name="conformance")


@conformance.callback()
def _group() -> None:
    """Hold an implementation against the specification."""


class _PassedOn(TyperCommand):
    """Leaves its arguments as they were typed, with the ``--`` among them."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        ctx.args = list(args)
        return []


@conformance.command("run", cls=_PassedOn, add_help_option=False)
def run(context: typer.Context) -> None:
    """Feed the vectors to an adapter, and judge its answers. See: run --help."""
    raise typer.Exit(main(context.args, "e2ee conformance"))


@conformance.command("server", cls=_PassedOn, add_help_option=False)
def server(context: typer.Context) -> None:
    """Test a delivery service as its clients see it. See: server --help."""
    from e2ee.conformance.server.command import main as test_server  # noqa: PLC0415 - needs more

    raise typer.Exit(test_server(context.args))


@conformance.command("peer", cls=_PassedOn, add_help_option=False)
def peer(context: typer.Context) -> None:
    """Play scenarios with a running client, as its peer. See: peer --help."""
    from e2ee.conformance.peer.command import main as play  # noqa: PLC0415 - needs more

    raise typer.Exit(play(context.args))
