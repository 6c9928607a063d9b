"""Where what a page points to lies, as seen from the page."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from e2ee.shipped import PACKAGE, checkout, shipped

__all__ = ["Library"]


@dataclass(frozen=True, slots=True)
class Library:
    """The files of this checkout, or of this installation. ``page`` is the file that will link to them."""

    page: Path

    def link(self, file: str, find: str = "") -> str | None:
        """The relative address of a file named from the checkout's root; None if it is not here.

        ``find`` is a text to which a browser that can goes in it.
        """
        path = _path(file)
        if not path.exists():
            return None
        address = quote(Path(os.path.relpath(path, self.page.resolve().parent)).as_posix())
        return f"{address}#:~:text={quote(find, safe='')}" if find else address


def _path(file: str) -> Path:
    """Tests and the like are not shipped: of an installation only these folders are."""
    folder, _, inside = file.partition("/")
    if folder in ("spec", "vectors"):
        return shipped("spec" if folder == "spec" else "vectors") / inside
    if folder == "e2ee":
        return PACKAGE / inside
    root = checkout()
    return (root or PACKAGE / "_shipped" / "nowhere") / file
