"""``e2ee vectors``: make the files of vectors, or check that they are what would be made."""

from __future__ import annotations

from typing import Annotated

import typer

from e2ee.shipped import shipped
from e2ee.vectorgen.files import files

__all__ = ["register"]

vectors = typer.Typer(help="The test vectors.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Give the commands to ``app``."""
    app.add_typer(vectors, name="vectors")


@vectors.callback()
def _group() -> None:
    """The test vectors."""


@vectors.command()
def generate(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if a file would change.")
    ] = False,
) -> None:
    """Write the vectors of every chapter. Making them again changes no byte."""
    folder = shipped("vectors")
    made = files()
    kept = {path.name: path.read_text() for path in folder.glob("*.json")}
    differing = [name for name in {**kept, **made} if kept.get(name) != made.get(name)]
    for name in differing:
        typer.echo(f"{name} {'differs' if name in made else 'is made by nobody'}")
        if not check and name in made:
            (folder / name).write_text(made[name])
    if check and differing:
        raise typer.Exit(1)
