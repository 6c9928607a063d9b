"""The machine of a one-to-one call and of a ring group: the table, what moves it, and time.

Everything that happens is turned into an ``Input`` first: an answer of the directory is looked through, an entry of the log
staged and judged, application data opened, decoded and found to be of a member who may say it. Then ``_step`` looks into
``TRANSITIONS``; what is not there raises and has changed nothing (CALL-15).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from e2ee.call.actions import ACTIONS, CallActions
from e2ee.call.alive import StopReason
from e2ee.call.committer import commit_due_at
from e2ee.call.configuration import (
    ACCEPTED_TIMEOUT,
    ANSWER_DESCRIPTION_TIMEOUT,
    RING_LIMIT,
    RINGING_TIMEOUT,
    SERVICE_TIMEOUT,
)
from e2ee.call.epochs import Epochs
from e2ee.call.errors import CallReason, CallRefused, CallUsageError
from e2ee.call.events import (
    Event,
    IdentityChanged,
    PresenceChanged,
    RemovalComplete,
    SendingResumed,
    SendingStopped,
)
from e2ee.call.logged import InvalidCommit
from e2ee.call.outgoing_invite import choose_suite_to_claim, judge_key_packages, make_invite
from e2ee.call.policy import input_of_commit, input_of_message
from e2ee.call.roster import CALLER_LEAF, Member
from e2ee.call.states import TRANSITIONS, Input, State
from e2ee.errors import RemoteProtocolError
from e2ee.profile.call_profile import CallKind
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice, FromService

__all__ = ["CallMachine"]

_MEDIA = frozenset({State.ANSWERED, State.CONNECTING, State.DESCRIBING, State.LIVE})
"""CALL-6, CALL-8: the states in which a device has keys for media."""

_LASTS: Mapping[State, int] = {
    # CALL-29, CALL-34
    State.LOOKING_UP: SERVICE_TIMEOUT,
    State.CLAIMING: SERVICE_TIMEOUT,
    State.INVITING: SERVICE_TIMEOUT,
    State.CANCELLING: SERVICE_TIMEOUT,
    State.ANSWERING: SERVICE_TIMEOUT,
    # CALL-19: "90 s after it took the invitation", however long it was held back; so RINGING ends when INVITED would have
    State.CALLING: RINGING_TIMEOUT,
    State.INVITED: RING_LIMIT,
    # CALL-9; CONNECTING ends when ANSWERED would have
    State.ANSWERED: ANSWER_DESCRIPTION_TIMEOUT,
    State.ACCEPTING: ACCEPTED_TIMEOUT,
    # GROUP-4
    State.HANDED_OVER: SERVICE_TIMEOUT,
}
"""How long a state lasts at most, in milliseconds, from when it was entered."""


class CallMachine:
    """See the module. ``Call`` is one, with what people and its device do with it."""

    def __init__(self, actions: CallActions, state: State, now: int) -> None:
        """Use ``Call.place`` or ``Call.invited``."""
        self._actions = actions
        self._state = state
        self._deadline = now + _LASTS[state]
        self._placed_at = now
        self._unanswered = True
        self._stopped: StopReason | None = None
        self._looked_at = now
        self._removal_reported = 0
        """The epoch of the last removal whose end the application was told."""

    @property
    def call_id(self) -> bytes:
        """The call's name, 16 bytes, which is also its group's (CALL-1)."""
        return self._actions.call_id

    @property
    def account_id(self) -> str:
        """The other side's account."""
        return self._actions.account_id

    @property
    def state(self) -> State:
        """Where the call is."""
        return self._state

    @property
    def members(self) -> tuple[Member, ...]:
        """Who is in the group, by leaf index (THREAT-2)."""
        return self._actions.in_group.members

    @property
    def _has_media(self) -> bool:
        # GROUP-4: a ring group "protects no media"
        return self._state in _MEDIA and self._actions.kind is not CallKind.RING

    def silent(self, now: int) -> tuple[Member, ...]:
        """Who was not heard in this epoch for three periods: "not in this branch" (CALL-23)."""
        epochs = self._actions.in_group
        return tuple(epochs.member(leaf) for leaf in sorted(epochs.alive.silent(now)))

    def hasten_alive(self) -> None:
        """This device or another member had no connection to the service: the others want to hear of it (CALL-11)."""
        if self._actions.epochs is not None:
            self._actions.epochs.alive.hasten()

    # What the delivery service says

    def receive(self, message: FromService, now: int) -> None:
        """A service message of this call. Raises RemoteProtocolError; then the call is as it was."""
        match message:
            case messages.Devices():
                self._receive_devices(message, now)
            case messages.KeyPackages():
                self._receive_key_packages(message, now)
            case messages.Committed():
                self._receive_commit(message.commit, now)
            case messages.Sent():
                self._receive_message(message.message, now)
            case messages.Refused():
                self._receive_refusal(message, now)
            case messages.Presence():
                self._receive_presence(message)
            case _:
                raise CallRefused(CallReason.UNEXPECTED_ANSWER, message.name)

    def _receive_refusal(self, refused: messages.Refused, now: int) -> None:
        # CALL-29: "That an application message is refused MUST NOT end a call."
        if refused.request == messages.Send.name and Input.ALIVE not in TRANSITIONS[self._state]:
            raise CallRefused(CallReason.UNEXPECTED_ANSWER, f"{refused.request} {refused.reason}")
        self._step(Input.REFUSED, refused, now)

    def _receive_devices(self, devices: messages.Devices, now: int) -> None:
        self._check_allowed(Input.DEVICES)
        owner, certificates = self._actions.owner, devices.certificates
        try:
            suite = choose_suite_to_claim(owner, self.account_id, certificates, now)
        except RemoteProtocolError as error:
            self._step(Input.UNREACHABLE, str(error), now)
        else:
            self._step(Input.DEVICES, suite, now)

    def _receive_key_packages(self, answer: messages.KeyPackages, now: int) -> None:
        self._check_allowed(Input.KEY_PACKAGES)
        owner, suite = self._actions.owner, self._actions.claimed_suite
        judged = judge_key_packages(owner, self.account_id, suite, answer.key_packages, now)
        for certificate in judged.changed:
            self._actions.events.append(IdentityChanged(self.call_id, certificate))
        try:
            invite = make_invite(owner, self._actions.kind, self.call_id, suite, judged, now)
        except RemoteProtocolError as error:
            self._step(Input.UNREACHABLE, str(error), now)
        else:
            self._step(Input.KEY_PACKAGES, invite, now)
            self._actions.invited = tuple(judged.certificates)

    def _receive_commit(self, data: bytes, now: int) -> None:
        epochs = self._receiving
        try:
            logged = epochs.stage(data, now)
        except InvalidCommit as invalid:
            self._step(Input.INVALID_COMMIT, invalid, now)
            return
        happened = input_of_commit(
            logged.kind, self._actions.kind, own=logged.own, caller=epochs.is_caller
        )
        self._step(happened, logged, now)
        self._look(now)

    def _receive_message(self, data: bytes, now: int) -> None:
        epochs = self._receiving
        said = epochs.open(data, now)
        happened = input_of_message(said, self._actions.kind)
        if happened is Input.BUSY and self._all_busy_with(said.sender):
            happened = Input.ALL_BUSY
        self._check_allowed(happened)
        epochs.frame_keys.heard(said.sender, said.epoch, now)  # FKEY-13
        self._step(happened, said, now)
        self._look(now)

    def _all_busy_with(self, leaf_index: int) -> bool:
        """CALL-18: whether every device of the callee is busy, with this one."""
        callee = {member.leaf_index for member in self.members} - {CALLER_LEAF}
        return callee <= self._actions.busy | {leaf_index}

    def _receive_presence(self, presence: messages.Presence) -> None:
        """The service's word, for people to see; nothing depends on it but when the next ``alive`` is due (DS-11)."""
        known = {member.leaf_index: member for member in self._receiving.members}
        if presence.leaf not in known:
            raise CallRefused(CallReason.UNEXPECTED_ANSWER, f"presence of leaf {presence.leaf}")
        event = PresenceChanged(self.call_id, known[presence.leaf], presence.connected)
        self._actions.events.append(event)
        if presence.connected:
            self.hasten_alive()

    @property
    def _receiving(self) -> Epochs:
        epochs = self._actions.epochs
        if epochs is None:  # CALL-13: "MUST refuse every further message of the call"
            raise CallRefused(CallReason.NOT_IN_THIS_STATE, f"no group while {self._state}")
        return epochs

    # Time

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due, or None."""
        return min((at for at in self._timers() if at is not None), default=None)

    def _timers(self) -> Iterator[int | None]:
        yield self._times_out_at()
        yield self._commit_due_at()
        yield self._alive_due_at()
        if (epochs := self._actions.epochs) is not None:
            yield epochs.get_timer()
            yield self._actions.conversation.get_timer()
            if self._has_media:
                yield epochs.alive.get_timer(self._looked_at)

    def handle_timer(self, now: int) -> None:
        """Do what is due at ``now``."""
        if _is_due(self._times_out_at(), now):
            self._step(Input.TIMEOUT, None, now)
        if self._actions.epochs is not None:
            self._actions.epochs.handle_timer(now)
            self._actions.conversation.handle_timer(now)
        if _is_due(self._commit_due_at(), now):
            self._step(Input.COMMIT_DUE, None, now)
        if _is_due(self._alive_due_at(), now):
            self._step(Input.ALIVE_DUE, None, now)
        self._look(now)

    def _times_out_at(self) -> int | None:
        """CALL-9, CALL-19, CALL-29: when the state ends, if it does by itself."""
        return self._deadline if Input.TIMEOUT in TRANSITIONS[self._state] else None

    def _alive_due_at(self) -> int | None:
        """CALL-11."""
        epochs = self._actions.epochs
        if Input.ALIVE_DUE not in TRANSITIONS[self._state] or epochs is None:
            return None
        return epochs.alive.due_at

    def _look(self, now: int) -> None:
        """CALL-23, CALL-25, CALL-27: what follows of who was heard, and when."""
        self._looked_at = now
        epochs = self._actions.epochs
        if epochs is None or not self._has_media:
            return
        self._report_removal(epochs)
        stopped = epochs.alive.stopped(now)
        if stopped is self._stopped:
            return
        self._stopped = stopped
        if stopped is None:
            epochs.frame_keys.send.resume()
            self._actions.events.append(SendingResumed(self.call_id))
        else:
            epochs.frame_keys.send.pause()
            self._actions.events.append(SendingStopped(self.call_id, stopped, self.silent(now)))

    def _report_removal(self, epochs: Epochs) -> None:
        removal, until = epochs.removal, epochs.removed_can_open_until
        if removal is None or until is None or removal.epoch == self._removal_reported:
            return
        self._removal_reported = removal.epoch
        self._actions.events.append(RemovalComplete(self.call_id, removal.leaves, until))

    def _commit_due_at(self) -> int | None:
        """KEYS-15: when this device makes the epoch's commit; None if it did, or not in this state."""
        epochs = self._actions.epochs
        if Input.COMMIT_DUE not in TRANSITIONS[self._state] or epochs is None or epochs.committing:
            return None
        due_at = commit_due_at(
            epoch=epochs.number,
            applied_at=epochs.applied_at,
            rank=epochs.rank,
            member_count=len(epochs.members),
            epoch_lifetime=self._actions.owner.configuration.epoch_lifetime,
        )
        return max(due_at, epochs.retry_at)

    # What comes of it

    def next_event(self) -> Event | None:
        """The next thing to tell the application, or None."""
        self._actions.collect()
        events = self._actions.events
        return events.popleft() if events else None

    def messages_to_send(self) -> list[FromDevice]:
        """What goes to the delivery service, in this order; given once."""
        may_speak = Input.SAY in TRANSITIONS[self._state]
        if may_speak and (spoken := self._actions.conversation.messages_to_send()):
            self._step(Input.SAY, spoken, self._actions.now)
        outgoing = list(self._actions.outbox)
        self._actions.outbox.clear()
        return outgoing

    # The table

    def _require(self, wanted: Input) -> None:
        if wanted not in TRANSITIONS[self._state]:
            raise CallUsageError(CallReason.NOT_IN_THIS_STATE, f"{wanted} while {self._state}")

    def _check_allowed(self, happened: Input) -> None:
        # CALL-15: "A message that is not allowed in the state of the call ... MUST be refused"
        if happened not in TRANSITIONS[self._state]:
            raise CallRefused(CallReason.NOT_IN_THIS_STATE, f"{happened} while {self._state}")

    def _step(self, happened: Input, payload: Any, now: int) -> None:
        """The one place where the state changes, after the action has done all of its work."""
        self._check_allowed(happened)
        action, state = TRANSITIONS[self._state][happened]
        self._actions.now = now
        ACTIONS[action](self._actions, payload, now)
        self._actions.collect()
        if state is not self._state and state in _LASTS:
            self._deadline = now + _LASTS[state]
        self._state = state
        self._unanswered &= state not in _MEDIA


def _is_due(time: int | None, now: int) -> bool:
    return time is not None and now >= time
