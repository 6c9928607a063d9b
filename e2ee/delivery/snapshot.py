"""A snapshot: what the entries of a group call's log made, so that a long call's log stays short (DS-10).

It holds what the service has judged already and its own store has kept: the GroupContext and the tree that this one's hash
is of. Only the certificates are verified again, since a file is no reason to take a certificate for verified.
"""

from __future__ import annotations

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.delivery.call import Call
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.mls.group_context import GroupContext
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.ratchet_tree import RatchetTree
from e2ee.mls.tree_hash import tree_hash
from e2ee.profile.call_profile import call_profile
from e2ee.profile.leaves import MAX_LEAVES
from e2ee.profile.roster import roster
from e2ee.tls_syntax import Opaque, Struct, Uint8, Uint64, struct

__all__ = ["of_snapshot", "snapshot"]

_FORMAT = 1


@struct
class _Snapshot(Struct):
    """How a store keeps it. ``begun_at`` is Unix milliseconds."""

    format: Uint8
    begun_at: Uint64
    context: GroupContext
    confirmation_tag: Opaque
    ratchet_tree: Opaque


def snapshot(call: Call) -> bytes:
    """The call in its epoch, without what it remembers of earlier ones."""
    group = call.group
    tag, tree = group.confirmation_tag, group.tree.encode()
    return _Snapshot(_FORMAT, call.begun_at, group.context, tag, tree).encode()


def of_snapshot(data: bytes) -> Call:
    """The call again. Raises RemoteProtocolError if something has become of its bytes."""
    stored = _Snapshot.decode(data)
    if stored.format != _FORMAT:
        raise DeliveryError(DeliveryReason.LOG_UNREADABLE, f"format {stored.format}")
    context = stored.context
    suite = cipher_suite(context.cipher_suite)
    tree = RatchetTree.decode(suite, stored.ratchet_tree, maximum_leaves=MAX_LEAVES)
    if tree_hash(tree) != context.tree_hash:
        raise DeliveryError(DeliveryReason.LOG_UNREADABLE, "not the tree of its GroupContext")
    group = PublicGroup.at(context, tree, stored.confirmation_tag)
    return Call.of(group, call_profile(context.extensions), roster(tree), stored.begun_at)
