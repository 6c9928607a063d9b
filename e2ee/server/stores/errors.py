"""What can be wrong with a store that is a file.

LocalProtocolError
  StoreError        the file cannot be used, or has stopped working; ``detail`` is a sentence for the operator
"""

from __future__ import annotations

from e2ee.errors import LocalProtocolError, Reason

__all__ = ["StoreError", "StoreReason"]


class StoreReason(Reason):
    """Why a file is no store."""

    NOT_A_STORE = "NOT_A_STORE"
    SCHEMA_TOO_NEW = "SCHEMA_TOO_NEW"
    OPEN_TO_OTHERS = "OPEN_TO_OTHERS"
    IN_USE = "IN_USE"
    FAILED = "FAILED"


class StoreError(LocalProtocolError):
    """A file that is no store of this software, or that cannot be read or written. What was under way is undone."""
