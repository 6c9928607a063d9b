"""A file that only its owner may read, from the moment at which it exists.

It is created with mode 0600, so that no moment is left in which it is wider, and is never narrowed afterwards: whoever
opened a wider file in time could go on reading it. So one that is wider is refused, and so is a directory in which others
could put another file in its place.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from e2ee.client.store_errors import StoreError, StoreReason

__all__ = ["check_private", "make_private"]


def make_private(path: Path, companions: Iterable[str]) -> None:
    """Create ``path`` empty, or check what is there, and what is there under its name and each suffix of ``companions``.

    The directory is made if it is missing, for its owner only. Raises StoreError: NOT_PRIVATE, FAILED.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_directory(path.parent)
        _create(path)
    except OSError as error:
        raise StoreError(StoreReason.FAILED, f"{path}: {error.strerror}") from None
    check_private(path)
    for suffix in companions:
        check_private(path.with_name(path.name + suffix))


def check_private(path: Path) -> None:
    """Refuse a file that is not ours alone; one that is missing is fine. Raises StoreError (NOT_PRIVATE)."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise StoreError(StoreReason.NOT_PRIVATE, f"{path} is a link, or no file")
    if found.st_uid != os.geteuid():
        raise StoreError(StoreReason.NOT_PRIVATE, f"{path} is another user's")
    if found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        raise StoreError(StoreReason.NOT_PRIVATE, f"{path} has mode {mode:04o}, wider than 0600")


def _create(path: Path) -> None:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        os.close(os.open(path, flags, 0o600))
    except FileExistsError:
        return  # never opened here: closing it again would drop the lock of who has it open in this process


def _check_directory(directory: Path) -> None:
    found = directory.stat()
    if found.st_uid not in (os.geteuid(), 0):
        raise StoreError(StoreReason.NOT_PRIVATE, f"{directory} is another user's")
    if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
        raise StoreError(StoreReason.NOT_PRIVATE, f"others may write to {directory}")
