"""The modules whose checks other implementations have to have, too: what spec/ says of bytes and times."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

__all__ = ["modules"]

PACKAGES = (
    "e2ee.sframe",
    "e2ee.media",
    "e2ee.identity",
    "e2ee.profile",
    "e2ee.mls",
    "e2ee.signalling",
    "e2ee.call",
    "e2ee.crypto",
)

MODULES = ("e2ee.account_id", "e2ee.tls_syntax")

NOT_OF_A_CALL = (
    "stored",  # what stores groups is for applications of their own
)


def modules() -> Iterator[str]:
    """Their names, in order."""
    for name in (*MODULES, *PACKAGES):
        yield from _with_inner(name)


def _with_inner(name: str) -> Iterator[str]:
    package = importlib.import_module(name)
    yield name
    if path := getattr(package, "__path__", None):
        for each in pkgutil.walk_packages(path, f"{name}."):
            if not each.name.rpartition(".")[2].startswith(NOT_OF_A_CALL):
                yield each.name
