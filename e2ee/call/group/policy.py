"""What a member of a group call accepts from whom: one table, over all call messages (GROUP-13 to GROUP-16, GROUP-24).

A host is who is one in this device's epoch, whatever it was when it spoke. What is not in the table is said in no group call.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from e2ee.call.epochs import Epochs
from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.states import Input
from e2ee.call.policy import Said
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage

__all__ = ["input_of_message"]


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a message is to the state table, and whether only hosts send it."""

    input: Input
    hosts_only: bool = False


_RULES: Mapping[type[CallMessage], _Rule] = {
    messages.Alive: _Rule(Input.ALIVE),
    # the chapters Chat and Verification
    messages.Chat: _Rule(Input.SAID),
    messages.Reaction: _Rule(Input.SAID),
    messages.Typing: _Rule(Input.SAID),
    messages.Receipt: _Rule(Input.SAID),
    messages.LiveText: _Rule(Input.SAID),
    messages.Caption: _Rule(Input.SAID),
    messages.CodeCommit: _Rule(Input.SAID),
    messages.CodeReveal: _Rule(Input.SAID),
    # GROUP-16, GROUP-18
    messages.Streams: _Rule(Input.SAID),
    messages.Left: _Rule(Input.SAID),
    # GROUP-13: "MUST be refused from a member that is no host"
    messages.Hand: _Rule(Input.SAID),
    messages.StageInvitation: _Rule(Input.SAID, hosts_only=True),
    messages.StageReply: _Rule(Input.SAID),
    messages.MuteRequest: _Rule(Input.SAID, hosts_only=True),
    messages.Removing: _Rule(Input.SAID, hosts_only=True),
    # GROUP-14: "A member MUST refuse `new_link` from a member that is no host."
    messages.NewLink: _Rule(Input.SAID, hosts_only=True),
}


def input_of_message(said: Said, epochs: Epochs, left: Collection[int]) -> Input:
    """What a call message is to the state table; ``left`` are the leaves of those who said that they left.

    Raises CallRefused: NOT_SAID_IN_GROUPS, NOT_A_HOST, HAS_LEFT, WRONG_EPOCH.
    """
    message, name = said.message, said.message.name
    rule = _RULES.get(type(message))
    if rule is None:
        raise CallRefused(GroupReason.NOT_SAID_IN_GROUPS, name)
    if rule.hosts_only and not epochs.profile.is_host(epochs.member(said.sender).account_key):
        raise CallRefused(GroupReason.NOT_A_HOST, f"{name} of leaf {said.sender}")
    # GROUP-16: "and what it says afterwards MUST be refused"
    if said.sender in left:
        raise CallRefused(GroupReason.HAS_LEFT, f"{name} of leaf {said.sender}")
    # CALL-11: `alive` "counts only for ... the epoch in which it was sent"
    if isinstance(message, messages.Alive) and message.epoch != said.epoch:
        raise CallRefused(CallReason.WRONG_EPOCH, f"alive for {message.epoch} in {said.epoch}")
    return rule.input
