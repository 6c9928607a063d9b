"""RFC 9420 Section 7.2: what the signature of a leaf binds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.leaf_node import LeafNode, LeafNodeSource, check_leaf_signature

if TYPE_CHECKING:
    from tests.mls.conftest import Workshop


def signed_for(workshop: Workshop, leaf: LeafNode, group_id: bytes, leaf_index: int) -> bool:
    try:
        check_leaf_signature(workshop.suite, leaf, group_id, leaf_index)
    except ValidationError as error:
        assert error.reason == Rule.LEAF_SIGNATURE
        return False
    return True


def test_a_leaf_of_a_key_package_is_signed_for_every_place(workshop: Workshop) -> None:
    leaf = workshop.leaf_node(workshop.client("alice"))
    assert signed_for(workshop, leaf, b"the group", 0)
    assert signed_for(workshop, leaf, b"another group", 7)


@pytest.mark.parametrize(
    ("source", "details"), [(LeafNodeSource.UPDATE, None), (LeafNodeSource.COMMIT, b"parent hash")]
)
def test_a_leaf_made_in_a_group_is_signed_for_its_place(
    workshop: Workshop, source: LeafNodeSource, details: bytes | None
) -> None:
    alice = workshop.client("alice")
    leaf = replace(workshop.leaf_node(alice), leaf_node_source=source, details=details)
    leaf = workshop.signed(alice, leaf, b"the group", 3)
    assert signed_for(workshop, leaf, b"the group", 3)
    assert not signed_for(workshop, leaf, b"the group", 4)
    assert not signed_for(workshop, leaf, b"another group", 3)


@pytest.mark.parametrize(
    "change",
    [
        {"encryption_key": bytes(32)},
        {"details": None, "leaf_node_source": LeafNodeSource.UPDATE},
        {"signature": bytes(64)},
        {"signature": b""},
    ],
)
def test_every_field_is_signed(workshop: Workshop, change: dict[str, object]) -> None:
    leaf = workshop.leaf_node(workshop.client("alice"))
    changed = replace(leaf, **change)  # type: ignore[arg-type]  # each value is its field's
    assert not signed_for(workshop, changed, b"", 0)


def test_details_follow_the_source(workshop: Workshop) -> None:
    alice = workshop.client("alice")
    published, updated = workshop.leaf_node(alice), workshop.update(alice, 0)
    committed = replace(updated, leaf_node_source=LeafNodeSource.COMMIT, details=b"parent hash")
    assert (published.lifetime, published.parent_hash) == (published.details, None)
    assert (updated.lifetime, updated.parent_hash) == (None, None)
    assert (committed.lifetime, committed.parent_hash) == (None, b"parent hash")
