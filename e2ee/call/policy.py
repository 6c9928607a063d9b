"""What a member accepts: which entry of the log as what, and which call message from whom, in which epoch.

Entries of the log are staged by MLS and judged by ``e2ee.profile.legal_commits``, as the delivery service judges them;
nothing here asks what only this device knows (KEYS-14). Of call messages one table says who may send them; whether they
fit the moment is the state table's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.mls_messages import commit_message
from e2ee.call.roster import CALLER_LEAF
from e2ee.call.states import Input
from e2ee.mls.group import Group, StagedCommit
from e2ee.mls.message import MLSMessage
from e2ee.profile.call_profile import call_profile
from e2ee.profile.leaves import receiver_policy
from e2ee.profile.legal_commits import LegalCommit, judge
from e2ee.profile.roster import Roster
from e2ee.signalling.messages import (
    Accepted,
    Alive,
    AnswerDescription,
    CallMessage,
    Hangup,
    Offer,
)

__all__ = [
    "CALL_EPOCH",
    "HANGUP_REASONS",
    "RINGING_EPOCH",
    "Said",
    "input_of_commit",
    "input_of_message",
    "stage",
]

RINGING_EPOCH = 1
"""The epoch that the invitation begins (CALL-4)."""

CALL_EPOCH = 2
"""CALL-7: "Epoch 2 is the call.\""""


def stage(group: Group, members: Roster, data: bytes, now: int) -> tuple[StagedCommit, LegalCommit]:
    """Another member's commit, staged beside ``group``, and what it is.

    Raises DecodeError, CallRefused, ValidationError (RFC 9420) or ProfileError (KEYS-11 to KEYS-13).
    """
    message, commit = commit_message(data)
    staged = group.receive(MLSMessage.of(message), policy=receiver_policy(now))
    if not isinstance(staged, StagedCommit):
        raise CallRefused(CallReason.NOT_A_COMMIT)
    profile = call_profile(group.extensions)
    # KEYS-11: "A member MUST refuse every other commit."
    return staged, judge(profile, group.epoch, members, message.content.sender, commit)


def input_of_commit(commit: LegalCommit, *, own: bool, caller: bool) -> Input:
    """What a legal entry of the log means at this device; ``caller`` tells whether it is the caller's."""
    match commit:
        case LegalCommit.INVITATION:
            return Input.INVITE_COMMITTED
        case LegalCommit.ANSWER if own:
            return Input.ANSWER_COMMITTED
        case LegalCommit.ANSWER:
            return Input.ANSWERED if caller else Input.ANSWERED_ELSEWHERE
        case LegalCommit.TIMED:
            return Input.COMMITTED


@dataclass(frozen=True, slots=True)
class Said:
    """A call message that the member at leaf index ``sender`` sent in ``epoch``: opened and decoded."""

    sender: int
    epoch: int
    message: CallMessage


class _Side(StrEnum):
    CALLER = "caller"
    CALLEE = "callee"


@dataclass(frozen=True, slots=True)
class _Rule:
    """Who may send a message, and in which epochs."""

    input: Input
    sides: frozenset[_Side]
    epochs: range


HANGUP_REASONS = frozenset({"done", "answer-failed", "protocol-error"})
"""The reasons that ``hangup`` may name (Signalling, Call messages)."""

_ANYBODY = frozenset(_Side)
_NOBODY: frozenset[_Side] = frozenset()
_CALLER, _CALLEE = frozenset({_Side.CALLER}), frozenset({_Side.CALLEE})

_EVER = 1 << 64

_RULES: Mapping[type[CallMessage], _Rule] = {
    # CALL-3: the first message of epoch 1, which comes with the invitation and never later
    Offer: _Rule(Input.OFFER, _NOBODY, range(RINGING_EPOCH, CALL_EPOCH)),
    # CALL-7, CALL-8: "`accepted` from the caller in epoch 2"
    Accepted: _Rule(Input.ACCEPTED, _CALLER, range(CALL_EPOCH, CALL_EPOCH + 1)),
    AnswerDescription: _Rule(Input.ANSWER_DESCRIPTION, _CALLEE, range(CALL_EPOCH, _EVER)),
    # CALL-11: "when it has applied an epoch from 2 on"
    Alive: _Rule(Input.ALIVE, _ANYBODY, range(CALL_EPOCH, _EVER)),
    Hangup: _Rule(Input.HANGUP, _ANYBODY, range(RINGING_EPOCH, _EVER)),
}


def input_of_message(said: Said) -> Input:
    """What a call message is to the state table. Raises CallRefused: WRONG_SENDER, WRONG_EPOCH."""
    rule, name = _RULES[type(said.message)], said.message.name
    side = _Side.CALLER if said.sender == CALLER_LEAF else _Side.CALLEE
    if side not in rule.sides:
        raise CallRefused(CallReason.WRONG_SENDER, f"{name} of leaf {said.sender}")
    if said.epoch not in rule.epochs:
        raise CallRefused(CallReason.WRONG_EPOCH, f"{name} in epoch {said.epoch}")
    # CALL-11: `alive` "counts only for ... the epoch in which it was sent"
    if isinstance(said.message, Alive) and said.message.epoch != said.epoch:
        raise CallRefused(CallReason.WRONG_EPOCH, f"alive for {said.message.epoch} in {said.epoch}")
    if isinstance(said.message, Hangup) and said.message.reason not in HANGUP_REASONS:
        raise CallRefused(CallReason.UNKNOWN_HANGUP_REASON)
    return rule.input
