"""What a member accepts: which entry of the log as what, and which call message from whom, in which epoch.

What the log shows was judged before (``e2ee.call.logged``). Of call messages one table says who may send them; whether they
fit the moment is the state table's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from e2ee.call.chat.content import is_plain
from e2ee.call.chat.member import Position
from e2ee.call.configuration import MAX_DECLINE_TEXT
from e2ee.call.end_reason import EndReason
from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.roster import CALLER_LEAF
from e2ee.call.states import Input
from e2ee.profile.call_profile import CallKind
from e2ee.profile.legal_commits import LegalCommit
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage

__all__ = [
    "CALL_EPOCH",
    "CONVERSATION",
    "RINGING_EPOCH",
    "Said",
    "input_of_commit",
    "input_of_message",
]

RINGING_EPOCH = 1
"""The epoch that the invitation begins (CALL-4)."""

CALL_EPOCH = 2
"""CALL-7: "Epoch 2 is the call.\""""

CONVERSATION: tuple[type[CallMessage], ...] = (
    messages.Chat,
    messages.Reaction,
    messages.Typing,
    messages.Receipt,
    messages.LiveText,
    messages.Caption,
    messages.CodeCommit,
    messages.CodeReveal,
)
"""What any member of a call may say at any moment of it: the chapters Chat and Verification judge it further."""


def input_of_commit(commit: LegalCommit, kind: int, *, own: bool, caller: bool) -> Input:
    """What a legal entry of the log of this kind of call means at this device; ``caller`` tells whether it is the caller's."""
    match commit:
        case LegalCommit.INVITATION:
            return Input.INVITE_COMMITTED
        case LegalCommit.ANSWER if own:
            return Input.ANSWER_COMMITTED
        case LegalCommit.ANSWER if caller:
            return Input.RING_ANSWERED if kind == CallKind.RING else Input.ANSWERED
        case LegalCommit.ANSWER:
            return Input.ANSWERED_ELSEWHERE
        case LegalCommit.TIMED | LegalCommit.CHANGE:  # the latter in group calls only
            return Input.COMMITTED


@dataclass(frozen=True, slots=True)
class Said:
    """A call message that the member at leaf index ``sender`` sent in ``epoch``: opened and decoded.

    ``generation`` is its place among that member's messages of the epoch.
    """

    sender: int
    epoch: int
    generation: int
    message: CallMessage

    @property
    def position(self) -> Position:
        """Its place among all of that member's messages."""
        return Position(self.epoch, self.generation)


class _Side(StrEnum):
    CALLER = "caller"
    CALLEE = "callee"


@dataclass(frozen=True, slots=True)
class _Rule:
    """Who may send a message, and in which epochs."""

    input: Input
    sides: frozenset[_Side]
    epochs: range


_ANYBODY = frozenset(_Side)
_NOBODY: frozenset[_Side] = frozenset()
_CALLER, _CALLEE = frozenset({_Side.CALLER}), frozenset({_Side.CALLEE})

_EVER = 1 << 64
_WHILE_RINGING = range(RINGING_EPOCH, CALL_EPOCH)
_FROM_RINGING = range(RINGING_EPOCH, _EVER)
_IN_CALL = range(CALL_EPOCH, _EVER)
_EPOCH_2 = range(CALL_EPOCH, CALL_EPOCH + 1)

_Rules = Mapping[type[CallMessage], _Rule]

_OF_BOTH: _Rules = {
    # CALL-17, CALL-18
    messages.Ringing: _Rule(Input.RINGS, _CALLEE, _WHILE_RINGING),
    messages.Busy: _Rule(Input.BUSY, _CALLEE, _WHILE_RINGING),
    # CALL-11: "an epoch from 2 on"
    messages.Alive: _Rule(Input.ALIVE, _ANYBODY, _IN_CALL),
    messages.Hangup: _Rule(Input.HANGUP, _ANYBODY, _FROM_RINGING),
}

_RULES: Mapping[int, _Rules] = {
    CallKind.ONE_TO_ONE: {
        **_OF_BOTH,
        # CALL-3: the first message of epoch 1, which comes with the invitation and never later
        messages.Offer: _Rule(Input.OFFER, _NOBODY, _WHILE_RINGING),
        # CALL-7, CALL-8: "`accepted` from the caller in epoch 2"
        messages.Accepted: _Rule(Input.ACCEPTED, _CALLER, _EPOCH_2),
        messages.AnswerDescription: _Rule(Input.ANSWER_DESCRIPTION, _CALLEE, _IN_CALL),
        # CALL-28: the caller offers, whoever noticed that the connection is lost
        messages.Reconnect: _Rule(Input.SAID, _CALLER, _IN_CALL),
        messages.Reconnected: _Rule(Input.SAID, _CALLEE, _IN_CALL),
        messages.Media: _Rule(Input.SAID, _ANYBODY, _IN_CALL),
        # the chapters Chat and Verification
        **dict.fromkeys(CONVERSATION, _Rule(Input.SAID, _ANYBODY, _IN_CALL)),
    },
    # GROUP-4: "It protects no media, and nothing else is said in it"
    CallKind.RING: {
        **_OF_BOTH,
        messages.GroupOffer: _Rule(Input.OFFER, _NOBODY, _WHILE_RINGING),
        messages.Accepted: _Rule(Input.RING_ACCEPTED, _CALLER, _EPOCH_2),
        messages.AnswerDescription: _Rule(Input.RING_DESCRIBED, _CALLEE, _IN_CALL),
    },
}

_HANGUPS: Mapping[EndReason, tuple[frozenset[_Side], range]] = {
    # CALL-20: which reason, by whom, in which epochs
    EndReason.CANCELLED: (_CALLER, _WHILE_RINGING),
    EndReason.TIMEOUT: (_CALLER, _WHILE_RINGING),
    EndReason.REPLACED: (_CALLER, _WHILE_RINGING),
    EndReason.DECLINED: (_CALLEE, _WHILE_RINGING),
    EndReason.DONE: (_ANYBODY, _IN_CALL),
    EndReason.ANSWER_FAILED: (_ANYBODY, _FROM_RINGING),
    EndReason.PROTOCOL_ERROR: (_ANYBODY, _FROM_RINGING),
    EndReason.REVOKED: (_ANYBODY, _FROM_RINGING),
}


def input_of_message(said: Said, kind: int) -> Input:
    """What a call message is to the state table, in a one-to-one call or a ring group.

    Raises CallRefused: NOT_IN_THIS_CALL, WRONG_SENDER, WRONG_EPOCH, UNKNOWN_HANGUP_REASON, BAD_TEXT, UNEXPECTED_DESCRIPTION.
    """
    message, name = said.message, said.message.name
    rule = _RULES[kind].get(type(message))
    if rule is None:
        raise CallRefused(CallReason.NOT_IN_THIS_CALL, name)
    _check_sender(said, rule.sides, rule.epochs, name)
    # CALL-11: `alive` "counts only for ... the epoch in which it was sent"
    if isinstance(message, messages.Alive) and message.epoch != said.epoch:
        raise CallRefused(CallReason.WRONG_EPOCH, f"alive for {message.epoch} in {said.epoch}")
    if isinstance(message, messages.Hangup):
        _check_hangup(said, message)
    # GROUP-4: "with empty descriptions"
    if kind == CallKind.RING and _describes(message):
        raise CallRefused(CallReason.UNEXPECTED_DESCRIPTION, name)
    return rule.input


def _describes(message: CallMessage) -> bool:
    if isinstance(message, messages.Accepted | messages.AnswerDescription):
        return bool(message.description)
    return False


def _check_hangup(said: Said, hangup: messages.Hangup) -> None:
    """CALL-20."""
    rule = next((rule for reason, rule in _HANGUPS.items() if reason == hangup.reason), None)
    if rule is None:
        raise CallRefused(CallReason.UNKNOWN_HANGUP_REASON)
    _check_sender(said, *rule, hangup.reason)
    # CALL-20: "`text` MUST be empty but with `declined`, at most 1,000 bytes"
    limit = MAX_DECLINE_TEXT if hangup.reason == EndReason.DECLINED else 0
    if len(hangup.text.encode()) > limit:
        raise CallRefused(CallReason.BAD_TEXT, f"more than {limit} bytes with {hangup.reason}")
    # CALL-20: "and without the control characters that CHAT-3 forbids"
    if not is_plain(hangup.text):
        raise CallRefused(CallReason.BAD_TEXT, "a control character")


def _check_sender(said: Said, sides: frozenset[_Side], epochs: range, name: str) -> None:
    side = _Side.CALLER if said.sender == CALLER_LEAF else _Side.CALLEE
    if side not in sides:
        raise CallRefused(CallReason.WRONG_SENDER, f"{name} of leaf {said.sender}")
    if said.epoch not in epochs:
        raise CallRefused(CallReason.WRONG_EPOCH, f"{name} in epoch {said.epoch}")
