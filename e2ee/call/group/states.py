"""The table of a group call at one member: state x input -> action, next state.

As for a call of two (``e2ee.call.states``): ``TRANSITIONS`` is the whole state machine, written once and read by
``GroupCall``, by a test that walks every cell, and by what draws the specification's diagram. What is not in it is refused
and changes nothing (GROUP-24).

* An input is named by what happened: an entry of the log was staged and judged, a call message opened and found to be of a
  member who may say it, a Welcome opened and checked, before it becomes an input.
* An action either does all of its work or raises and has done nothing; ``GroupCall`` moves to the next state afterwards.
* States are declared in the order of a member's life. ``WAYS_BACK`` are all the cells that lead to an earlier one: what was
  void is taken again, and who cannot follow the log asks to come in anew (GROUP-20, GROUP-21).

A call begins in ``OPENING`` at the device that creates it and in ``ASKING`` at one that wants to join.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["TRANSITIONS", "WAYS_BACK", "Action", "Input", "State", "Transition"]


class State(StrEnum):
    """Where a group call is, at one member."""

    OPENING = "opening"  # created here; the service has not taken it yet
    ASKING = "asking"  # asked to be added; no Welcome yet
    IN_LOBBY = "in-lobby"  # the same, and a host has to say yes
    FETCHING = "fetching"  # has a Welcome, and not yet the tree of its group
    IN_CALL = "in-call"
    STRANDED = "stranded"  # the log's newest commit cannot be followed, or did not come
    ENDED = "ended"


class Input(StrEnum):
    """What can happen to a group call."""

    # the application
    SAY = "say"
    CHANGE = "change"  # a host wants something that a commit has to bring
    TURN_AWAY = "turn-away"
    ASK_FORWARDER = "ask-forwarder"
    LEAVE = "leave"

    # the device
    LOST = "lost"  # the connection to the service
    LOGGED_IN = "logged-in"

    # the delivery service
    OPENED = "opened"
    MEMBERS_ASKED = "members-asked"
    HOSTS_ASKED = "hosts-asked"
    WELCOMED = "welcomed"  # a Welcome that was opened, and its group found to be the one that was asked for
    TREE_WANTED = "tree-wanted"  # the same, of a group whose tree is not in the Welcome
    TREE_PART = "tree-part"
    TREE_COMPLETE = "tree-complete"  # with it, as WELCOMED
    TREE_USELESS = "tree-useless"  # or not
    MEANWHILE = "meanwhile"  # what came of the call before the tree was there
    BEFORE_ITS_TIME = (
        "before-its-time"  # what is for members, or for a leaf that this device had before
    )
    TURNED_AWAY = "turned-away"
    OTHER_SUITE = "other-suite"  # the call is of another suite than that which was asked with
    NOT_LET_IN = "not-let-in"
    ANSWERED_LATE = "answered-late"  # a request to be let in, when this device was
    JOIN_REQUESTED = "join-requested"
    KNOCKED = "knocked"
    GONE = "gone"
    VOIDED = "voided"  # the commit that this device could not follow
    VOIDED_HERE = "voided-here"  # one that this device had applied, or that had added it
    PRESENCE = "presence"
    FORWARDER = "forwarder"
    REFUSED = "refused"
    COMMIT_REFUSED = "commit-refused"
    LEFT_BEHIND = "left-behind"  # the log is further than what came of it here
    CALL_UNKNOWN = "call-unknown"

    # entries of the call's log, staged and judged
    COMMITTED = "committed"
    REMOVED = "removed"  # this device
    CUT_OFF = "cut-off"  # this device, for having been away, or by another leaf of its own; or it gets no more of the log
    INVALID_COMMIT = "invalid-commit"  # authentic, and not to be followed
    THIRD_INVALID_COMMIT = "third-invalid-commit"

    # call messages, opened, decoded and judged
    ALIVE = "alive"
    SAID = "said"

    # time
    TIMEOUT = "timeout"
    ASK_DUE = "ask-due"  # GROUP-7
    COMMIT_DUE = "commit-due"  # GROUP-8, KEYS-15
    ALIVE_DUE = "alive-due"  # CALL-11, GROUP-19


class Action(StrEnum):
    """What is done about an input; each is one method of ``GroupCallActions``."""

    REPORT_OPENED = "report-opened"
    OPEN_AGAIN = "open-again"
    REPORT_ASKED = "report-asked"
    REPORT_LOBBY = "report-lobby"
    ASK = "ask"
    ASK_IN_OTHER_SUITE = "ask-in-other-suite"
    PAUSE = "pause"
    ASK_TREE = "ask-tree"
    ASK_TREE_ON = "ask-tree-on"
    TAKE_TREE_PART = "take-tree-part"
    KEEP_FOR_LATER = "keep-for-later"
    ENTER = "enter"
    HASTEN_ALIVE = "hasten-alive"
    SAY = "say"
    INTEND = "intend"
    TURN_AWAY = "turn-away"
    ASK_FORWARDER = "ask-forwarder"
    TAKE_REQUEST = "take-request"
    TAKE_KNOCK = "take-knock"
    TAKE_STATEMENT = "take-statement"
    REPORT_PRESENCE = "report-presence"
    REPORT_FORWARDER = "report-forwarder"
    REPORT_REFUSAL = "report-refusal"
    TRY_AGAIN = "try-again"
    SEND_COMMIT = "send-commit"
    CHANGE_EPOCH = "change-epoch"
    SEND_ALIVE = "send-alive"
    ACKNOWLEDGE = "acknowledge"
    HEAR = "hear"
    REPORT_INVALID = "report-invalid"
    AWAIT_LOG = "await-log"
    IGNORE = "ignore"
    GO_ON = "go-on"
    JOIN_ANEW = "join-anew"
    GIVE_UP = "give-up"
    LEAVE = "leave"
    FAIL = "fail"
    END_LOST = "end-lost"
    END_REFUSED = "end-refused"
    END_TURNED_AWAY = "end-turned-away"
    END_REMOVED = "end-removed"
    END_UNKNOWN = "end-unknown"


class Transition(NamedTuple):
    """One cell of the table."""

    action: Action
    state: State


_S, _I, _A, _T = State, Input, Action, Transition


def _asking(state: State) -> dict[Input, Transition]:
    """Before there is a Welcome: members, or hosts, were asked, and are asked again until one adds this device."""
    return {
        _I.MEMBERS_ASKED: _T(_A.REPORT_ASKED, _S.ASKING),
        _I.HOSTS_ASKED: _T(_A.REPORT_LOBBY, _S.IN_LOBBY),
        _I.WELCOMED: _T(_A.ENTER, _S.IN_CALL),
        _I.TREE_WANTED: _T(_A.ASK_TREE, _S.FETCHING),
        _I.ASK_DUE: _T(_A.ASK, state),
        _I.LOST: _T(_A.PAUSE, state),
        _I.LOGGED_IN: _T(_A.ASK, state),
        _I.OTHER_SUITE: _T(_A.ASK_IN_OTHER_SUITE, state),
        _I.BEFORE_ITS_TIME: _T(_A.IGNORE, state),
        _I.REFUSED: _T(_A.REPORT_REFUSAL, state),
        _I.TURNED_AWAY: _T(_A.END_TURNED_AWAY, _S.ENDED),
        _I.NOT_LET_IN: _T(_A.END_REFUSED, _S.ENDED),
        _I.CALL_UNKNOWN: _T(_A.END_UNKNOWN, _S.ENDED),
        _I.LEAVE: _T(_A.GIVE_UP, _S.ENDED),
    }


def _in_group(state: State) -> dict[Input, Transition]:
    """In an epoch of the call: what may come at any moment, and does not move it."""
    return {
        _I.SAY: _T(_A.SAY, state),
        _I.CHANGE: _T(_A.INTEND, state),
        _I.TURN_AWAY: _T(_A.TURN_AWAY, state),
        _I.ASK_FORWARDER: _T(_A.ASK_FORWARDER, state),
        _I.LOGGED_IN: _T(_A.HASTEN_ALIVE, state),
        _I.JOIN_REQUESTED: _T(_A.TAKE_REQUEST, state),
        _I.KNOCKED: _T(_A.TAKE_KNOCK, state),
        _I.GONE: _T(_A.TAKE_STATEMENT, state),
        _I.PRESENCE: _T(_A.REPORT_PRESENCE, state),
        _I.FORWARDER: _T(_A.REPORT_FORWARDER, state),
        _I.REFUSED: _T(_A.REPORT_REFUSAL, state),
        _I.COMMIT_REFUSED: _T(_A.TRY_AGAIN, state),
        _I.ANSWERED_LATE: _T(_A.IGNORE, state),
        _I.BEFORE_ITS_TIME: _T(_A.IGNORE, state),
        _I.ALIVE: _T(_A.ACKNOWLEDGE, state),
        _I.ALIVE_DUE: _T(_A.SEND_ALIVE, state),
        _I.SAID: _T(_A.HEAR, state),
        _I.COMMITTED: _T(_A.CHANGE_EPOCH, _S.IN_CALL),
        _I.INVALID_COMMIT: _T(_A.REPORT_INVALID, _S.STRANDED),
        _I.CUT_OFF: _T(_A.JOIN_ANEW, _S.ASKING),
        _I.VOIDED_HERE: _T(_A.JOIN_ANEW, _S.ASKING),
        _I.REMOVED: _T(_A.END_REMOVED, _S.ENDED),
        _I.THIRD_INVALID_COMMIT: _T(_A.FAIL, _S.ENDED),
        _I.CALL_UNKNOWN: _T(_A.END_UNKNOWN, _S.ENDED),
        _I.LEAVE: _T(_A.LEAVE, _S.ENDED),
    }


_TABLE: dict[State, dict[Input, Transition]] = {
    _S.OPENING: {
        _I.OPENED: _T(_A.REPORT_OPENED, _S.IN_CALL),
        _I.LOGGED_IN: _T(_A.OPEN_AGAIN, _S.OPENING),
        _I.REFUSED: _T(_A.END_REFUSED, _S.ENDED),
        _I.TIMEOUT: _T(_A.END_LOST, _S.ENDED),
        _I.LEAVE: _T(_A.GIVE_UP, _S.ENDED),
    },
    _S.ASKING: _asking(_S.ASKING),
    _S.IN_LOBBY: _asking(_S.IN_LOBBY),
    _S.FETCHING: {
        _I.TREE_PART: _T(_A.TAKE_TREE_PART, _S.FETCHING),
        _I.TREE_COMPLETE: _T(_A.ENTER, _S.IN_CALL),
        _I.WELCOMED: _T(
            _A.ENTER, _S.IN_CALL
        ),  # by a later request, as a leaf in the place of the former
        _I.TREE_WANTED: _T(_A.ASK_TREE, _S.FETCHING),
        _I.MEANWHILE: _T(_A.KEEP_FOR_LATER, _S.FETCHING),
        _I.BEFORE_ITS_TIME: _T(_A.IGNORE, _S.FETCHING),
        _I.LOGGED_IN: _T(_A.ASK_TREE_ON, _S.FETCHING),
        _I.TREE_USELESS: _T(_A.JOIN_ANEW, _S.ASKING),
        _I.VOIDED_HERE: _T(_A.JOIN_ANEW, _S.ASKING),
        _I.CUT_OFF: _T(_A.JOIN_ANEW, _S.ASKING),
        _I.TIMEOUT: _T(_A.JOIN_ANEW, _S.ASKING),
        _I.ANSWERED_LATE: _T(_A.IGNORE, _S.FETCHING),
        _I.CALL_UNKNOWN: _T(_A.END_UNKNOWN, _S.ENDED),
        _I.LEAVE: _T(_A.GIVE_UP, _S.ENDED),
    },
    _S.IN_CALL: {
        **_in_group(_S.IN_CALL),
        _I.COMMIT_DUE: _T(_A.SEND_COMMIT, _S.IN_CALL),
        _I.LEFT_BEHIND: _T(_A.AWAIT_LOG, _S.STRANDED),
    },
    _S.STRANDED: {
        **_in_group(_S.STRANDED),
        _I.LEFT_BEHIND: _T(_A.AWAIT_LOG, _S.STRANDED),
        _I.VOIDED: _T(_A.GO_ON, _S.IN_CALL),
        _I.TIMEOUT: _T(_A.JOIN_ANEW, _S.ASKING),
    },
    _S.ENDED: {},  # CALL-13: refuses every further message
}

TRANSITIONS: Mapping[State, Mapping[Input, Transition]] = MappingProxyType(_TABLE)
"""All that may happen; a pair that is missing is refused (GROUP-24)."""

WAYS_BACK: frozenset[tuple[State, Input]] = frozenset(
    {
        (_S.IN_LOBBY, _I.MEMBERS_ASKED),  # a host has listed the account
        (_S.FETCHING, _I.TREE_USELESS),
        (_S.FETCHING, _I.VOIDED_HERE),
        (_S.FETCHING, _I.CUT_OFF),
        (_S.FETCHING, _I.TIMEOUT),
        (_S.IN_CALL, _I.CUT_OFF),
        (_S.IN_CALL, _I.VOIDED_HERE),
        (_S.STRANDED, _I.COMMITTED),
        (_S.STRANDED, _I.VOIDED),
        (_S.STRANDED, _I.CUT_OFF),
        (_S.STRANDED, _I.VOIDED_HERE),
        (_S.STRANDED, _I.TIMEOUT),
    }
)
"""The cells that lead to an earlier state: out of the lobby, on with another commit, or anew (GROUP-20, GROUP-21)."""
