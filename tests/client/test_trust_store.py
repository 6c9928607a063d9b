"""Contacts on disk: the same as in memory, also after a restart."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from e2ee.client.sealed_store import SealedStore
from e2ee.client.store_errors import StoreError, StoreReason
from e2ee.client.trust_store import StoredTrust
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.identity.trust import Contact, MemoryTrustStore

ENTROPY = SeededEntropy(b"tests of the trust store")

account_ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3)
account_keys = st.binary(min_size=32, max_size=32)
contacts = st.builds(
    Contact,
    account_id=account_ids,
    account_key=st.none() | account_keys,
    verified=st.booleans(),
    blocked=st.booleans(),
    highest_suite=st.integers(0, 0xFFFF),
    code_attempts=st.lists(st.integers(0, 2**64 - 1), max_size=3).map(tuple),
)


def by_account(known: Iterable[Contact]) -> dict[str, Contact]:
    return {contact.account_id: contact for contact in known}


class StoredTrustLife(RuleBasedStateMachine):
    """The store on disk, opened again at any time, against the one in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "client.db"
        self.store = SealedStore.open(self.path, ENTROPY)
        self.memory = MemoryTrustStore()

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()

    @rule(contact=contacts)
    def put_contact(self, contact: Contact) -> None:
        StoredTrust(self.store).put_contact(contact)
        self.memory.put_contact(contact)

    @rule(account_key=account_keys, generation=st.integers(0, 2**32 - 1))
    def put_generation(self, account_key: bytes, generation: int) -> None:
        StoredTrust(self.store).put_generation(account_key, generation)
        self.memory.put_generation(account_key, generation)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = SealedStore.open(self.path, ENTROPY)

    @invariant()
    def both_know_the_same(self) -> None:
        stored = StoredTrust(self.store)
        assert by_account(stored.contacts()) == by_account(self.memory.contacts())
        for account_id in [*self.memory.known, "nobody"]:
            assert stored.contact(account_id) == self.memory.contact(account_id)
        for account_key in [*self.memory.generations, bytes(32)]:
            assert stored.generation(account_key) == self.memory.generation(account_key)


TestStoredTrustLife = StoredTrustLife.TestCase
TestStoredTrustLife.settings = settings(max_examples=25, stateful_step_count=15)


def test_what_is_no_contact_is_damage(tmp_path: Path) -> None:
    with SealedStore.open(tmp_path / "client.db", ENTROPY) as store:
        trust = StoredTrust(store)
        store.put("contacts", b"alice", b"no contact")
        store.put("generations", bytes(32), b"")
        for read in (
            lambda: trust.contact("alice"),
            trust.contacts,
            lambda: trust.generation(bytes(32)),
        ):
            with pytest.raises(StoreError) as refused:
                read()
            assert refused.value.reason is StoreReason.DAMAGED
