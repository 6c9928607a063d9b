"""The trust store on disk: contacts, and the generations that were seen of account keys (IDENT-7, IDENT-8).

It holds no key that opens anything. It holds whom this person knows, and which keys were compared: whoever can change it
can have a false key taken for a true one, and it is sealed like the key store, in the same file.
"""

from __future__ import annotations

from collections.abc import Iterable

from e2ee.client.entries import Entries
from e2ee.client.stored_values import StoredContact, as_damage
from e2ee.identity.trust import Contact
from e2ee.tls_syntax import uint32

__all__ = ["StoredTrust"]

_CONTACTS = "contacts"
_GENERATIONS = "generations"


class StoredTrust:
    """``TrustStore``; every method may raise StoreError."""

    def __init__(self, store: Entries) -> None:
        self._store = store

    def contact(self, account_id: str) -> Contact | None:
        value = self._store.get(_CONTACTS, account_id.encode())
        return None if value is None else _read(account_id.encode(), value)

    def put_contact(self, contact: Contact) -> None:
        stored = StoredContact(
            account_key=contact.account_key,
            verified=int(contact.verified),
            blocked=int(contact.blocked),
            highest_suite=contact.highest_suite,
            code_attempts=contact.code_attempts,
        )
        self._store.put(_CONTACTS, contact.account_id.encode(), stored.encode())

    def contacts(self) -> Iterable[Contact]:
        return [_read(name, value) for name, value in self._store.items(_CONTACTS).items()]

    def generation(self, account_key: bytes) -> int:
        value = self._store.get(_GENERATIONS, account_key)
        with as_damage("a generation"):
            return 0 if value is None else uint32.decode(value)

    def put_generation(self, account_key: bytes, generation: int) -> None:
        self._store.put(_GENERATIONS, account_key, uint32.encode(generation))


def _read(account_id: bytes, value: bytes) -> Contact:
    with as_damage("a contact"):
        stored = StoredContact.decode(value)
        return Contact(
            account_id=account_id.decode(),
            account_key=stored.account_key,
            verified=bool(stored.verified),
            blocked=bool(stored.blocked),
            highest_suite=stored.highest_suite,
            code_attempts=stored.code_attempts,
        )
