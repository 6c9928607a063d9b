"""What goes wrong with what a client keeps on disk.

E2EEError
  LocalProtocolError
    StoreError     the file is not private, not this program's, in use, sealed otherwise, or damaged; it is unchanged

No text of these errors holds a value that was kept, nor a passphrase.
"""

from __future__ import annotations

from e2ee.errors import LocalProtocolError, Reason

__all__ = ["StoreError", "StoreReason"]


class StoreReason(Reason):
    """Why a store was not opened, read or written."""

    NOT_PRIVATE = "NOT_PRIVATE"
    """Others may read or write the file, or put another in its place."""
    NOT_A_STORE = "NOT_A_STORE"
    WRONG_FORMAT = "WRONG_FORMAT"
    """Written by another version of this program."""
    IN_USE = "IN_USE"
    """Another process has it open, or this one a second time."""
    PASSPHRASE_NEEDED = "PASSPHRASE_NEEDED"
    WRONG_PASSPHRASE = "WRONG_PASSPHRASE"
    NOT_SEALED = "NOT_SEALED"
    """A passphrase was given for a store that has none: somebody took the seal off, or it never had one."""
    DAMAGED = "DAMAGED"
    """An entry is not what was kept there: changed, moved, or cut short."""
    NO_IDENTITY = "NO_IDENTITY"
    """Nothing was kept yet of what was asked for."""
    FAILED = "FAILED"
    """The file system or SQLite refused; ``detail`` is its word."""


class StoreError(LocalProtocolError):
    """What a client keeps cannot be used so. Nothing was changed."""
