"""Where the specification and its vectors lie: inside an installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

__all__ = ["checkout", "shipped"]

PACKAGE = Path(__file__).parent


def checkout() -> Path | None:
    """The root of the checkout that this package runs from; None if it is installed."""
    root = PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "spec").is_dir() else None


def shipped(folder: Literal["spec", "vectors"]) -> Path:
    """The folder ``spec`` or ``vectors``. Raises FileNotFoundError if the installation lacks it."""
    place = (checkout() or PACKAGE / "_shipped") / folder
    if not place.is_dir():
        raise FileNotFoundError(f"this installation lacks {place}")
    return place
