"""What the parts of ``SqliteTransaction`` stand on: statements, the rows that they give, conditions that they state."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from e2ee.delivery.errors import DeliveryReason, StoreConflict
from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate

__all__ = ["SqliteRows", "verified"]


@lru_cache(maxsize=8_192)
def verified(certificate: bytes, signature_key: bytes) -> VerifiedCertificate:
    """A file is no reason to take a certificate for verified."""
    return verify_certificate(certificate, signature_key)


class SqliteRows:
    """One database, within a transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._execute = db.execute
        self._execute_many = db.executemany

    def savepoint(self) -> AbstractContextManager[None]:
        return self._undone_on_error("request")

    @contextlib.contextmanager
    def _undone_on_error(self, name: str) -> Iterator[None]:
        self._execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            self._execute(f"ROLLBACK TO {name}")
            raise
        finally:
            self._execute(f"RELEASE {name}")

    def _one(self, statement: str, *values: Any) -> Any:
        """The first row, or None."""
        return self._execute(statement, values).fetchone()

    def _added(self, what: str, statement: str, *values: Any) -> None:
        """A conditional write, which adds or changes a row. Raises StoreConflict if the condition did not hold."""
        if self._execute(statement, values).rowcount != 1:
            raise StoreConflict(DeliveryReason.CONFLICT, what)
