"""The table of a one-to-one call, and of a ring group (GROUP-4): state x input -> action, next state.

``TRANSITIONS`` is the whole state machine. It is written once and read by ``Call``, by a test that walks every cell, and by
what draws the specification's diagram. What is not in it is refused and changes nothing (CALL-15). The rules around it:

* an input is named by what happened, never by what is to be done: an entry of the log has been staged and judged, a call
  message opened and decoded, an answer of the directory looked through, before it becomes an input;
* an action either does all of its work or raises and has done nothing; ``Call`` moves to the next state afterwards;
* there is no way back: states are declared in the order of a call's life, and no transition leads to an earlier one,
  so a call never goes back to ringing (CALL-9).

A call begins in ``LOOKING_UP`` at the device that places it and in ``INVITED`` at a device that accepted an invitation. A
ring group goes the same way until it is answered; then it needs nobody's word, hands its invitation over and ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["TRANSITIONS", "Action", "Input", "State", "Transition"]


class State(StrEnum):
    """Where a call is, at one device."""

    # the caller's way
    LOOKING_UP = "looking-up"  # asked the directory for the callee's devices
    CLAIMING = "claiming"  # asked for a KeyPackage of each
    INVITING = "inviting"  # epoch 0; group opened, commit with the Adds sent
    CANCELLING = (
        "cancelling"  # ended while INVITING; what is already on its way is taken back when it rings
    )
    CALLING = "calling"  # epoch 1; the callee's devices ring
    ANSWERED = "answered"  # epoch 2; waits for its own application's session description

    # the callee's way
    INVITED = "invited"  # epoch 1; whether it rings is not decided
    RINGING = "ringing"  # epoch 1; waits for a person
    ANSWERING = "answering"  # epoch 1; the Answer is sent
    ACCEPTING = "accepting"  # epoch 2; waits for `accepted`
    DESCRIBING = (
        "describing"  # `accepted` opened; waits for its own application's session description
    )

    # both
    CONNECTING = "connecting"  # `accepted` sent; waits for `answer_description`
    HANDED_OVER = "handed-over"  # of a ring group: the invitation is through; waits for the end
    LIVE = "live"
    ENDED = "ended"


class Input(StrEnum):
    """What can happen to a call."""

    # the application
    ANSWER = "answer"
    DESCRIBE = "describe"
    SAY = "say"  # whatever is said in a call: chat, what media are sent, a code, a new connection
    HANG_UP = "hang-up"

    # the device, which knows the other calls and the service
    RING = "ring"
    IN_ANOTHER_CALL = "in-another-call"
    GLARE = "glare"  # the callee calls, too, and that call goes on
    REVOKED = "revoked"  # the other side's device was revoked
    LOST = "lost"  # the connection to the service, and with it what was asked for

    # answers of the delivery service
    DEVICES = "devices"
    KEY_PACKAGES = "key-packages"
    UNREACHABLE = "unreachable"  # either of them, and no device that can be called
    REFUSED = "refused"

    # entries of the call's log, staged and judged
    INVITE_COMMITTED = "invite-committed"  # this device's own Adds of epoch 0
    ANSWER_COMMITTED = "answer-committed"  # this device's own Answer
    ANSWERED = "answered"  # the callee's Answer, at the caller
    RING_ANSWERED = "ring-answered"  # the same, in a ring group
    ANSWERED_ELSEWHERE = "answered-elsewhere"  # another device's Answer, at a device of the callee
    COMMITTED = "committed"  # a commit without proposals, from epoch 2 on
    INVALID_COMMIT = "invalid-commit"  # authentic, and not to be followed

    # call messages, opened and decoded
    RINGS = "rings"
    BUSY = "busy"
    ALL_BUSY = "all-busy"
    ACCEPTED = "accepted"
    ANSWER_DESCRIPTION = "answer-description"
    RING_ACCEPTED = "ring-accepted"  # `accepted` in a ring group
    RING_DESCRIBED = "ring-described"  # `answer_description` in a ring group
    ALIVE = "alive"
    SAID = "said"
    HANGUP = "hangup"
    OFFER = "offer"

    # time
    TIMEOUT = "timeout"  # CALL-9, CALL-19
    COMMIT_DUE = "commit-due"  # KEYS-15
    ALIVE_DUE = "alive-due"  # CALL-11


class Action(StrEnum):
    """What is done about an input; each is one method of ``CallActions``."""

    CLAIM_KEY_PACKAGES = "claim-key-packages"
    INVITE = "invite"
    REPORT_CALLING = "report-calling"
    REPORT_RINGS = "report-rings"
    REPORT_BUSY = "report-busy"
    RING = "ring"
    SEND_BUSY = "send-busy"
    SEND_ANSWER = "send-answer"
    ENTER_CALL = "enter-call"
    SEND_ACCEPTED = "send-accepted"
    REPORT_ACCEPTED = "report-accepted"
    SEND_ANSWER_DESCRIPTION = "send-answer-description"
    REPORT_ANSWER_DESCRIPTION = "report-answer-description"
    ENTER_RING = "enter-ring"
    HAND_OVER = "hand-over"
    SEND_COMMIT = "send-commit"
    CHANGE_EPOCH = "change-epoch"
    SEND_ALIVE = "send-alive"
    ACKNOWLEDGE = "acknowledge"
    SAY = "say"
    HEAR = "hear"
    IGNORE = "ignore"
    REPORT_REFUSAL = "report-refusal"
    AWAIT_INVITE = "await-invite"
    TAKE_BACK = "take-back"
    GIVE_UP = "give-up"
    HANG_UP = "hang-up"
    CANCEL = "cancel"
    DECLINE = "decline"
    FAIL_ANSWER = "fail-answer"
    FAIL = "fail"
    END_UNREACHED = "end-unreached"
    END_UNANSWERED = "end-unanswered"
    END_MISSED = "end-missed"
    END_BUSY = "end-busy"
    END_REPLACED = "end-replaced"
    END_REVOKED = "end-revoked"
    END_LOST = "end-lost"
    END_REFUSED = "end-refused"
    END_ELSEWHERE = "end-elsewhere"
    END_HUNG_UP = "end-hung-up"
    END_TAKEN_BACK = "end-taken-back"
    END_HANDED_OVER = "end-handed-over"


class Transition(NamedTuple):
    """One cell of the table."""

    action: Action
    state: State


_S, _I, _A, _T = State, Input, Action, Transition

_IN_GROUP: Mapping[Input, Transition] = {
    # in every state in which the other side can hear of it
    _I.HANGUP: _T(_A.END_HUNG_UP, _S.ENDED),
    _I.INVALID_COMMIT: _T(_A.FAIL, _S.ENDED),
    _I.REVOKED: _T(_A.END_REVOKED, _S.ENDED),
}


def _for_the_caller(state: State) -> dict[Input, Transition]:
    """What devices say to the caller while they ring reaches the callee's other devices, too."""
    return {_I.RINGS: _T(_A.IGNORE, state), _I.BUSY: _T(_A.IGNORE, state)}


_BEFORE_INVITING: Mapping[Input, Transition] = {
    # nobody but the service has heard of the call
    _I.UNREACHABLE: _T(_A.END_UNREACHED, _S.ENDED),
    _I.REFUSED: _T(_A.END_REFUSED, _S.ENDED),
    _I.LOST: _T(_A.END_LOST, _S.ENDED),
    _I.TIMEOUT: _T(_A.END_LOST, _S.ENDED),
    _I.GLARE: _T(_A.END_REPLACED, _S.ENDED),
    _I.HANG_UP: _T(_A.GIVE_UP, _S.ENDED),
}


def _before_answering(state: State) -> dict[Input, Transition]:
    """A device of the callee that may yet miss the call."""
    return {
        **_IN_GROUP,
        **_for_the_caller(state),
        _I.ANSWER: _T(_A.SEND_ANSWER, _S.ANSWERING),
        _I.ANSWERED_ELSEWHERE: _T(_A.END_ELSEWHERE, _S.ENDED),
        _I.HANGUP: _T(_A.END_TAKEN_BACK, _S.ENDED),
        _I.TIMEOUT: _T(_A.END_MISSED, _S.ENDED),
        _I.HANG_UP: _T(_A.DECLINE, _S.ENDED),
    }


def _answered(state: State) -> dict[Input, Transition]:
    """Epoch 2 and later: what may come at any moment, and does not move the call."""
    return {
        **_IN_GROUP,
        _I.HANG_UP: _T(_A.HANG_UP, _S.ENDED),
        _I.COMMITTED: _T(_A.CHANGE_EPOCH, state),
        _I.ALIVE: _T(_A.ACKNOWLEDGE, state),
        _I.ALIVE_DUE: _T(_A.SEND_ALIVE, state),
        _I.REFUSED: _T(_A.REPORT_REFUSAL, state),
    }


def _in_call(state: State) -> dict[Input, Transition]:
    """The same, and what is said beside media."""
    return {**_answered(state), _I.SAID: _T(_A.HEAR, state)}


def _with_media(state: State) -> dict[Input, Transition]:
    """The states in which a device may send media: then it may also speak otherwise."""
    return {**_in_call(state), _I.SAY: _T(_A.SAY, state)}


_TABLE: dict[State, dict[Input, Transition]] = {
    _S.LOOKING_UP: {
        **_BEFORE_INVITING,
        _I.DEVICES: _T(_A.CLAIM_KEY_PACKAGES, _S.CLAIMING),
    },
    _S.CLAIMING: {
        **_BEFORE_INVITING,
        _I.KEY_PACKAGES: _T(_A.INVITE, _S.INVITING),
    },
    _S.INVITING: {
        _I.INVITE_COMMITTED: _T(_A.REPORT_CALLING, _S.CALLING),
        _I.REFUSED: _T(_A.END_REFUSED, _S.ENDED),
        _I.HANG_UP: _T(_A.AWAIT_INVITE, _S.CANCELLING),
        _I.GLARE: _T(_A.AWAIT_INVITE, _S.CANCELLING),
        _I.LOST: _T(_A.AWAIT_INVITE, _S.CANCELLING),
        _I.TIMEOUT: _T(_A.AWAIT_INVITE, _S.CANCELLING),
    },
    _S.CANCELLING: {
        _I.INVITE_COMMITTED: _T(_A.TAKE_BACK, _S.ENDED),
        _I.REFUSED: _T(_A.GIVE_UP, _S.ENDED),
        _I.TIMEOUT: _T(_A.GIVE_UP, _S.ENDED),
    },
    _S.CALLING: {
        **_IN_GROUP,
        _I.RINGS: _T(_A.REPORT_RINGS, _S.CALLING),
        _I.BUSY: _T(_A.REPORT_BUSY, _S.CALLING),
        _I.ALL_BUSY: _T(_A.END_BUSY, _S.ENDED),
        _I.ANSWERED: _T(_A.ENTER_CALL, _S.ANSWERED),
        _I.RING_ANSWERED: _T(_A.ENTER_RING, _S.CONNECTING),
        _I.GLARE: _T(_A.END_REPLACED, _S.ENDED),
        _I.TIMEOUT: _T(_A.END_UNANSWERED, _S.ENDED),
        _I.HANG_UP: _T(_A.CANCEL, _S.ENDED),
    },
    _S.ANSWERED: {
        **_with_media(_S.ANSWERED),
        _I.DESCRIBE: _T(_A.SEND_ACCEPTED, _S.CONNECTING),
        _I.TIMEOUT: _T(_A.FAIL_ANSWER, _S.ENDED),
    },
    _S.INVITED: {
        **_before_answering(_S.INVITED),
        _I.RING: _T(_A.RING, _S.RINGING),
        _I.IN_ANOTHER_CALL: _T(_A.SEND_BUSY, _S.ENDED),
    },
    _S.RINGING: _before_answering(_S.RINGING),
    _S.ANSWERING: {
        **_IN_GROUP,
        **_for_the_caller(_S.ANSWERING),
        _I.ANSWER_COMMITTED: _T(_A.ENTER_CALL, _S.ACCEPTING),
        _I.ANSWERED_ELSEWHERE: _T(_A.END_ELSEWHERE, _S.ENDED),
        _I.REFUSED: _T(_A.END_REFUSED, _S.ENDED),
        _I.TIMEOUT: _T(_A.FAIL_ANSWER, _S.ENDED),
        _I.HANG_UP: _T(_A.DECLINE, _S.ENDED),
    },
    _S.ACCEPTING: {
        **_in_call(_S.ACCEPTING),
        _I.ACCEPTED: _T(_A.REPORT_ACCEPTED, _S.DESCRIBING),
        _I.RING_ACCEPTED: _T(_A.HAND_OVER, _S.HANDED_OVER),
        _I.TIMEOUT: _T(_A.FAIL_ANSWER, _S.ENDED),
    },
    _S.DESCRIBING: {
        **_with_media(_S.DESCRIBING),
        _I.DESCRIBE: _T(_A.SEND_ANSWER_DESCRIPTION, _S.LIVE),
    },
    _S.CONNECTING: {
        **_with_media(_S.CONNECTING),
        _I.ANSWER_DESCRIPTION: _T(_A.REPORT_ANSWER_DESCRIPTION, _S.LIVE),
        _I.RING_DESCRIBED: _T(_A.END_HANDED_OVER, _S.ENDED),
        _I.TIMEOUT: _T(_A.FAIL_ANSWER, _S.ENDED),
    },
    _S.HANDED_OVER: {
        **_answered(_S.HANDED_OVER),
        _I.TIMEOUT: _T(_A.END_HANDED_OVER, _S.ENDED),
    },
    _S.LIVE: {
        **_with_media(_S.LIVE),
        _I.COMMIT_DUE: _T(_A.SEND_COMMIT, _S.LIVE),
    },
    _S.ENDED: {},  # CALL-13: refuses every further message
}

TRANSITIONS: Mapping[State, Mapping[Input, Transition]] = MappingProxyType(_TABLE)
"""All that may happen; a pair that is missing is refused (CALL-15)."""
