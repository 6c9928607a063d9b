"""``e2ee vectors``: make the files of vectors, or check that they are what would be made."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
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
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Only these files, as in vectors/: codecs.json, or with a pattern."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if a file would change.")
    ] = False,
) -> None:
    """Write the vectors. Making them again changes no byte."""
    folder, makers = shipped("vectors"), files()
    kept = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.json")}
    wanted = [name for name in {**kept, **makers} if _is_vectors(name) and _is_meant(name, names)]
    differing = [name for name in wanted if not _is_current(folder / name, makers.get(name), check)]
    for name in differing:
        typer.echo(f"{name} {'differs' if name in makers else 'is made by nobody'}")
    if check and differing:
        raise typer.Exit(1)


def _is_vectors(name: str) -> bool:
    return not name.startswith("schema/")


def _is_meant(name: str, names: list[str] | None) -> bool:
    return not names or any(fnmatch(name, pattern) for pattern in names)


def _is_current(path: Path, make: Callable[[], str] | None, check: bool) -> bool:
    """Whether the file is what would be made; if not, it is written unless this is a check."""
    if make is None:
        return False
    made = make()
    if path.is_file() and path.read_text() == made:
        return True
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made)
    return False
