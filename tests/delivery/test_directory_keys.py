"""A directory's two keys: clients that have both go on when the first is given up."""

from __future__ import annotations

from itertools import pairwise

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.delivery.errors import DeliveryReason, ServiceUsageError
from e2ee.delivery.service_identity import ServiceIdentity
from e2ee.delivery.store import MemoryStore

NAME = "calls.example"


def test_clients_have_the_next_key_before_it_attests() -> None:
    store, entropy = MemoryStore(), SeededEntropy(b"directory keys")
    seen = [ServiceIdentity.of(store, NAME, entropy)]
    for _ in range(300):
        ServiceIdentity.rotate(store, entropy)
        seen.append(ServiceIdentity.of(store, NAME, entropy))
    for before, after in pairwise(seen):
        shipped = before.directory_keys().keys
        assert shipped[after.authority.directory_key_id] == after.authority.key.public
        assert after.delivery_key == before.delivery_key
    assert {len(each.directory_keys().keys) for each in seen} == {2}
    assert len({each.authority.key.public for each in seen}) == len(seen)
    ids = [each.authority.directory_key_id for each in seen]
    assert ids[:2] == [1, 2]
    assert ids[253:257] == [254, 255, 1, 2]


def test_a_store_of_no_service_has_no_keys_to_change() -> None:
    with pytest.raises(ServiceUsageError) as refused:
        ServiceIdentity.rotate(MemoryStore(), SeededEntropy(b"directory keys"))
    assert refused.value.reason is DeliveryReason.IDENTITY_MISSING


def test_the_keys_are_not_printed() -> None:
    identity = ServiceIdentity.create(NAME, SeededEntropy(b"directory keys"))
    for key in (identity.delivery_key, identity.authority.key, identity.next_authority.key):
        assert repr(bytes(key.private))[2:-1] not in repr(identity)
