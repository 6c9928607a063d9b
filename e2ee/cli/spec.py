"""``e2ee spec``: the whole specification as one page that stands alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from e2ee.conformance.site import specification_page

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("spec")(spec)


def spec(
    page: Annotated[Path, typer.Argument(help="The file to write.")] = Path("dist/spec.html"),
) -> None:
    """The specification as one page of HTML, from each requirement to its vectors, tests and code.

    Links to files are relative to the page, so it belongs to the checkout, or the installation, that wrote it.
    """
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(specification_page(page))
    typer.echo(f"{page}: {page.stat().st_size:,} bytes")
