"""Requests of members of group calls: ask_tree, leave (DS-19, DS-21)."""

from __future__ import annotations

from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.gone_statements import state_due
from e2ee.delivery.group_members import group_call, require_not_gone
from e2ee.delivery.handling import Handling
from e2ee.delivery.limits import TREE_PART, TREES_KEPT
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.signalling import messages

__all__ = ["ask_tree", "leave"]


def leave(at: Handling, device: VerifiedCertificate, request: messages.Leave) -> None:
    """A member is gone for good, and gets nothing more of this call. Twice is as once."""
    call, attendance = group_call(at, request.call_id)
    call.require_member(device)
    if device.signature_key in attendance.gone:
        return
    at.tx.put_gone(request.call_id, device.signature_key, gone=True)
    attendance.left(device.signature_key, at.now)
    # DS-19: "it has sent `leave` ... the service MUST issue a GoneStatement"
    state_due(at, request.call_id, attendance)


def ask_tree(at: Handling, device: VerifiedCertificate, request: messages.AskTree) -> None:
    """A part of the ratchet tree of one of the last epochs, for who was a member in it."""
    at.service.spending.tree_parts.spend(device.account_id, at.now)
    call, attendance = group_call(at, request.call_id)
    require_not_gone(attendance, device)
    # DS-21: "the ratchet tree of the newest epoch of a group call, and of the three before it, to their members"
    asked = call if call.epoch == request.epoch else call.before(request.epoch)
    if asked is None or asked.epoch < call.epoch - TREES_KEPT:
        raise DeliveryError(DeliveryReason.NO_TREE, f"of epoch {request.epoch}")
    asked.require_member(device)
    tree = asked.group.tree.encode()
    if request.offset >= len(tree):
        raise DeliveryError(DeliveryReason.NO_TREE, f"it has {len(tree)} bytes")
    # DS-21: "at most 512 KiB at a time"
    part = tree[request.offset : request.offset + TREE_PART]
    tree_part = messages.Tree(request.call_id, request.epoch, request.offset, len(tree), part)
    at.answer(tree_part)
