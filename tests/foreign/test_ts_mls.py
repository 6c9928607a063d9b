"""Where ts-mls does otherwise than RFC 9420: what it does is expected here, and that ours goes the RFC's way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.foreign.rooms import Client, Room


@pytest.mark.parametrize("suite", [2, 5, 7])
def test_its_signature_keys_on_nist_curves_are_compressed(
    client: Callable[..., Client], room: Callable[[Client], Room], suite: int
) -> None:
    # Section 5.1.1: "the public key is represented as an encoded UncompressedPointRepresentation struct"
    alice = client("Alice", "ours", suite)
    bob = client("Bob", "ts-mls", suite, generated_keys=True)
    room(alice)
    assert alice.refuses("commit", add=[bob.key_package]).rule == "LEAF_SIGNATURE"
    other = room(client("Carol", "ts-mls", suite))
    other.commit(other.members[0], add=[bob])  # to itself it makes no difference


def test_it_joins_no_tree_whose_nodes_have_different_unmerged_leaves(
    client: Callable[..., Client], room: Callable[[Client], Room]
) -> None:
    # Section 12.4.3.1: "Verify that every non-blank intermediate node between the leaf node and the parent node also has
    # an entry for the leaf node in its unmerged_leaves." A node above the parent node needs none, and lists may differ.
    alice, *others = (client(f"member {n}", "ours") for n in range(7))
    here = room(alice)
    here.commit(alice, add=others)
    for other in others:
        here.commit(other)
    newcomer = client("newcomer", "ours")  # in the right half of the tree, unmerged there
    here.commit(others[-1], add=[newcomer], force_path=False)
    here.commit(alice)  # in the left half: the root has no unmerged leaves any more
    ts_mls, ours, mls_rs = (client(name, name) for name in ("ts-mls", "ours", "mls-rs"))
    here.commit(alice, add=[ours, mls_rs, ts_mls])
    assert ours in here.members
    assert mls_rs in here.members
    assert ts_mls not in here.members


def test_external_pub_lacks_its_inner_length(
    client: Callable[..., Client], room: Callable[[Client], Room]
) -> None:
    # Section 12.4.3.2: "struct { HPKEPublicKey external_pub; } ExternalPub;", and HPKEPublicKey is an opaque vector
    for inside, outside in (("ours", "ts-mls"), ("ts-mls", "ours")):
        alice, bob = client("Alice", inside), client("Bob", outside)
        room(alice)
        group_info = alice.ask("group_info")["group_info"]
        bob.refuses("external_join", group_info=group_info)
