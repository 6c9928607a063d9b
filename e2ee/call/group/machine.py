"""The machine of a group call: the table, what moves it, and time; what people do with it is ``group_call``'s.

Everything that happens is turned into an ``Input`` first, judged, and ``_step`` then looks into ``TRANSITIONS``; what is not
there raises and has changed nothing (GROUP-24). After each step, what has become due is committed at once, and it is looked
whether this member may still send.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from e2ee.call.alive import StopReason
from e2ee.call.committer import commit_due_at
from e2ee.call.configuration import SERVICE_TIMEOUT
from e2ee.call.errors import CallReason, CallRefused, CallUsageError
from e2ee.call.events import Event, RemovalComplete, SendingResumed, SendingStopped
from e2ee.call.group.actions import ACTIONS, GroupCallActions
from e2ee.call.group.configuration import COMMIT_PAUSE, FETCH_TIMEOUT, VOID_TIMEOUT
from e2ee.call.group.intents import Removal
from e2ee.call.group.participation import Participation
from e2ee.call.group.payloads import Anew
from e2ee.call.group.receiving import judge
from e2ee.call.group.states import TRANSITIONS, Input, State
from e2ee.call.owner import Owner
from e2ee.errors import RemoteProtocolError
from e2ee.signalling.messages import FromDevice, FromService

__all__ = ["GroupCallMachine"]

_LASTS: Mapping[State, int] = {
    State.OPENING: SERVICE_TIMEOUT,  # GROUP-26
    State.FETCHING: FETCH_TIMEOUT,
    State.STRANDED: VOID_TIMEOUT,  # GROUP-20
}
"""How long a state lasts at most, in milliseconds, from when it was entered."""

_TIMED_OUT: Mapping[State, Anew] = {
    State.FETCHING: Anew("the tree did not come"),
    State.STRANDED: Anew("the log went on without this device"),
}


class GroupCallMachine:
    """See the module."""

    def __init__(self, actions: GroupCallActions, state: State, now: int) -> None:
        self._actions = actions
        self._state = state
        self._deadline = now + _LASTS.get(state, 0)
        self._watched: Participation | None = None
        """Of whom ``_stopped`` tells whether it may send."""
        self._stopped: StopReason | None = None
        self._looked_at = now
        self._removal_reported = 0
        """The epoch of the last removal whose end the application was told."""
        self.ended_at = 0
        """When the call ended here, in Unix milliseconds."""

    @property
    def call_id(self) -> bytes:
        """The call's name, 16 bytes, which is also its group's (CALL-1)."""
        return self._actions.call_id

    @property
    def state(self) -> State:
        """Where the call is."""
        return self._state

    # What its device knows

    def service_lost(self, now: int) -> None:
        """There is no connection to the service: nobody can be asked, and a member goes on in its epoch (GROUP-22)."""
        if Input.LOST in TRANSITIONS[self._state]:
            self._step(Input.LOST, None, now)

    def service_regained(self, now: int) -> None:
        """There is one again."""
        if Input.LOGGED_IN in TRANSITIONS[self._state]:
            self._step(Input.LOGGED_IN, None, now)

    def owner_renewed(self, owner: Owner) -> None:
        """This device has a newer certificate: the leaf stays as it is, and another one would carry that."""
        self._actions.owner = owner

    # What the delivery service says

    def receive(self, message: FromService, now: int) -> None:
        """A service message of this call. Raises RemoteProtocolError; then the call is as it was."""
        self._take(message, now)
        self._take_what_came_meanwhile(now)
        self._done(now)

    def _take(self, message: FromService, now: int) -> None:
        happened, payload = judge(self._actions, message, now)
        self._step(happened, payload, now)

    def _take_what_came_meanwhile(self, now: int) -> None:
        """What members said and did while this device fetched the tree."""
        actions = self._actions
        while actions.later and actions.participation is not None:
            with suppress(RemoteProtocolError):
                self._take(actions.later.pop(0), now)

    # Time

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due, or None."""
        return min((at for at in self._timers() if at is not None), default=None)

    def _timers(self) -> Iterator[int | None]:
        yield self._times_out_at()
        yield self._ask_due_at()
        yield self._commit_due_at()
        yield self._alive_due_at()
        if (participation := self._actions.participation) is not None:
            epochs = participation.epochs
            yield epochs.get_timer()
            yield participation.conversation.get_timer()
            yield epochs.alive.get_timer(self._looked_at)
            yield participation.removals.get_timer(self._looked_at)
            yield self._actions.lobby.get_timer()

    def handle_timer(self, now: int) -> None:
        """Do what is due at ``now``."""
        if _is_due(self._times_out_at(), now):
            self._step(Input.TIMEOUT, _TIMED_OUT.get(self._state), now)
        if _is_due(self._ask_due_at(), now):
            self._step(Input.ASK_DUE, None, now)
        if (participation := self._actions.participation) is not None:
            participation.epochs.handle_timer(now)
            participation.conversation.handle_timer(now)
            self._actions.empty_lobby(now)
            self._actions.forget_requests(now)
        if _is_due(self._alive_due_at(), now):
            self._step(Input.ALIVE_DUE, None, now)
        self._done(now)

    def _done(self, now: int) -> None:
        """Something has happened: make the commit that is due, and look who may be spoken to."""
        if _is_due(self._commit_due_at(), now):
            self._step(Input.COMMIT_DUE, _is_due(self._epoch_ends_at(), now), now)
        self._look(now)

    def _times_out_at(self) -> int | None:
        return self._deadline if Input.TIMEOUT in TRANSITIONS[self._state] else None

    def _ask_due_at(self) -> int | None:
        asking = self._actions.asking
        if asking is None or Input.ASK_DUE not in TRANSITIONS[self._state]:
            return None
        return asking.due_at

    def _alive_due_at(self) -> int | None:
        """CALL-11, GROUP-19."""
        if Input.ALIVE_DUE not in TRANSITIONS[self._state]:
            return None
        return self._actions.in_group.alive.due_at

    def _epoch_ends_at(self) -> int:
        """KEYS-15: when this member makes the epoch's commit if nobody else has made one."""
        epochs = self._actions.in_group
        return commit_due_at(
            epoch=epochs.number,
            applied_at=epochs.applied_at,
            rank=epochs.rank,
            member_count=len(epochs.members),
            epoch_lifetime=self._actions.owner.configuration.epoch_lifetime,
        )

    def _commit_due_at(self) -> int | None:
        """GROUP-8, KEYS-15: when this member makes a commit; None if it did, or not in this state."""
        if Input.COMMIT_DUE not in TRANSITIONS[self._state] or self._actions.in_group.committing:
            return None
        epochs, waiting = self._actions.in_group, self._actions.waiting
        due_at = self._epoch_ends_at()
        if (work_due_at := waiting.due_at()) is not None:
            due_at = min(due_at, work_due_at)
        # GROUP-23: "a committer MUST let 1 s pass after it applied the last one, except for a host's removal"
        if not waiting.leaves_to_remove(epochs):
            due_at = max(due_at, epochs.applied_at + COMMIT_PAUSE)
        return max(due_at, epochs.retry_at)

    # Who may be spoken to

    def _look(self, now: int) -> None:
        """CALL-23, CALL-25, CALL-27, GROUP-13, GROUP-15: what follows of who was heard, and when."""
        self._looked_at = now
        if (participation := self._actions.participation) is None:
            return
        if participation is not self._watched:
            self._watch(participation)
        self._report_removal(participation)
        self._take_over_removals(participation, now)
        stopped = _reason_to_stop(participation, now)
        if stopped is not self._stopped:
            self._stopped = stopped
            self._stop_or_resume(participation, now)

    def _watch(self, participation: Participation) -> None:
        """This device has come in, perhaps as one that has nothing to stop, since it may not send yet."""
        self._watched, self._removal_reported = participation, 0
        self._stopped = _reason_to_wait(participation)
        if self._stopped is not None:
            participation.epochs.frame_keys.send.pause()

    def _stop_or_resume(self, participation: Participation, now: int) -> None:
        epochs = participation.epochs
        if self._stopped is None:
            epochs.frame_keys.send.resume()
            self._actions.events.append(SendingResumed(self.call_id))
            return
        epochs.frame_keys.send.pause()
        silent = tuple(epochs.member(leaf) for leaf in sorted(epochs.alive.silent(now)))
        self._actions.events.append(SendingStopped(self.call_id, self._stopped, silent))

    def _report_removal(self, participation: Participation) -> None:
        epochs = participation.epochs
        removal, until = epochs.removal, epochs.removed_can_open_until
        if removal is None or until is None or removal.epoch == self._removal_reported:
            return
        self._removal_reported = removal.epoch
        self._actions.events.append(RemovalComplete(self.call_id, removal.leaves, until))

    def _take_over_removals(self, participation: Participation, now: int) -> None:
        """GROUP-15: "Another host then commits the removal": the one who said so may be gone."""
        epochs = participation.epochs
        if Input.CHANGE not in TRANSITIONS[self._state] or not self._actions.is_host:
            return
        for signature_key in participation.removals.withheld(now):
            removal = Removal(signature_key)
            wanted = removal in self._actions.waiting.intents
            own = removal.removes(epochs.member(epochs.own_leaf))  # nobody commits that for oneself
            if not wanted and not own:
                self._step(Input.CHANGE, removal, now)

    # What comes of it

    def next_event(self) -> Event | None:
        """The next thing to tell the application, or None."""
        self._actions.collect()
        events = self._actions.events
        return events.popleft() if events else None

    def messages_to_send(self) -> list[FromDevice]:
        """What goes to the delivery service, in this order; given once."""
        actions = self._actions
        if Input.SAY in TRANSITIONS[self._state] and actions.participation is not None:
            spoken = actions.participation.conversation.messages_to_send()
            if spoken:
                self._step(Input.SAY, spoken, self._looked_at)
        actions.collect()
        outgoing = list(actions.outbox)
        actions.outbox.clear()
        return outgoing

    # The table

    def _require(self, wanted: Input) -> None:
        if wanted not in TRANSITIONS[self._state]:
            raise CallUsageError(CallReason.NOT_IN_THIS_STATE, f"{wanted} while {self._state}")

    def _step(self, happened: Input, payload: Any, now: int) -> None:
        """The one place where the state changes, after the action has done all of its work."""
        # GROUP-24: "A message that is not allowed in the state of the call ... MUST be refused"
        if happened not in TRANSITIONS[self._state]:
            raise CallRefused(CallReason.NOT_IN_THIS_STATE, f"{happened} while {self._state}")
        action, state = TRANSITIONS[self._state][happened]
        ACTIONS[action](self._actions, payload, now)
        self._actions.collect()
        if state in _LASTS and (state is not self._state or happened is Input.INVALID_COMMIT):
            self._deadline = now + _LASTS[state]
        self._state = state
        if state is State.ENDED:
            self.ended_at = now


def _reason_to_stop(participation: Participation, now: int) -> StopReason | None:
    # GROUP-15: "MUST NOT send any frame until it is"
    if participation.removals.withheld(now):
        return StopReason.REMOVAL_WITHHELD
    return _reason_to_wait(participation) or participation.epochs.alive.stopped(now)


def _reason_to_wait(participation: Participation) -> StopReason | None:
    if not participation.epochs.may_speak:
        return StopReason.NOT_A_SPEAKER
    # GROUP-11: "before one of these hosts has said something in it"
    return StopReason.NO_HOST_HEARD if participation.awaited_hosts else None


def _is_due(time: int | None, now: int) -> bool:
    return time is not None and now >= time
