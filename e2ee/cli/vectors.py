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


_Names = Annotated[
    list[str] | None,
    typer.Argument(help="Only these files, as in vectors/: codecs.json, or with a pattern."),
]


@vectors.command()
def generate(names: _Names = None) -> None:
    """Write the vectors. Making them again changes no byte."""
    _report(names, write=True)


@vectors.command()
def check(names: _Names = None) -> None:
    """Make the vectors again and compare; exit with 1 if a file would change."""
    if _report(names, write=False):
        raise typer.Exit(1)


def _report(names: list[str] | None, *, write: bool) -> bool:
    """Whether a file differs from what would be made; each that does is named, and written if that is wanted."""
    folder, makers = shipped("vectors"), files()
    kept = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.json")}
    wanted = [name for name in {**kept, **makers} if _is_vectors(name) and _is_meant(name, names)]
    differing = [name for name in wanted if not _is_current(folder / name, makers.get(name), write)]
    for name in differing:
        typer.echo(f"{name} {'differs' if name in makers else 'is made by nobody'}")
    return bool(differing)


def _is_vectors(name: str) -> bool:
    return not name.startswith("schema/")


def _is_meant(name: str, names: list[str] | None) -> bool:
    return not names or any(fnmatch(name, pattern) for pattern in names)


def _is_current(path: Path, make: Callable[[], str] | None, write: bool) -> bool:
    """Whether the file is what would be made; if not, it is written if that is wanted."""
    if make is None:
        return False
    made = make()
    if path.is_file() and path.read_text() == made:
        return True
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made)
    return False
