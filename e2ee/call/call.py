"""Call: one call at one device, as the state table moves it.

    receive(message, now)           a service message of this call: answers, entries of the log, application data
    answer, describe, hang_up       what people and the application do
    next_event()                    what the application is told
    messages_to_send()              what goes to the delivery service, in order
    get_timer(), handle_timer(now)  time, in Unix milliseconds

Everything that happens is turned into an ``Input`` first: an answer of the directory is looked through, an entry of the log
staged and judged, application data opened, decoded and found to be of a member who may say it. Then ``_step`` looks into
``TRANSITIONS``; what is not there raises and has changed nothing (CALL-15).
"""

from __future__ import annotations

from typing import Any

from e2ee.call.actions import ACTIONS, CallActions
from e2ee.call.committer import commit_due_at
from e2ee.call.epochs import Epochs
from e2ee.call.errors import CallReason, CallRefused, CallUsageError
from e2ee.call.events import EndReason, Event, IdentityChanged, Ringing
from e2ee.call.incoming_invite import Invitation
from e2ee.call.outgoing_invite import choose_suite_to_claim, judge_key_packages, make_invite
from e2ee.call.owner import Owner
from e2ee.call.policy import HANGUP_REASONS, input_of_commit, input_of_message
from e2ee.call.roster import CALLER_LEAF, Member
from e2ee.call.states import TRANSITIONS, Input, State
from e2ee.errors import RemoteProtocolError
from e2ee.identity.safety_number import safety_number
from e2ee.identity.trust import ContactState
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.opener import FrameOpener
from e2ee.media.protector import FrameProtector
from e2ee.signalling import messages
from e2ee.signalling.messages import FromDevice, FromService

__all__ = ["Call"]

_MEDIA = frozenset({State.ANSWERED, State.CONNECTING, State.DESCRIBING, State.LIVE})
"""CALL-6, CALL-8: the states in which a device has keys for media."""


class Call:
    """See the module. Made by ``Device``."""

    def __init__(self, actions: CallActions, state: State) -> None:
        """Use ``place`` or ``ring``."""
        self._actions = actions
        self._state = state

    @classmethod
    def place(cls, owner: Owner, call_id: bytes, account_id: str, *, video: bool) -> Call:
        """A call to an account, which begins with a look at the directory."""
        actions = CallActions(owner, call_id, account_id, video=video)
        actions.outbox.append(messages.Find(account_id))
        return cls(actions, State.LOOKING_UP)

    @classmethod
    def ring(cls, owner: Owner, invitation: Invitation, now: int) -> Call:
        """A call to this device, which begins to ring."""
        caller, video = invitation.caller, invitation.offer.video
        call_id = invitation.group.group_id
        actions = CallActions(owner, call_id, caller.account_id, video=video)
        actions.epochs = Epochs(invitation.group, owner.frame_keys(), now)
        actions.events.append(Ringing(call_id, caller, invitation.contact, video))
        return cls(actions, State.RINGING)

    # What it is. After the end, and before there is a group, the properties of the group raise CallUsageError.

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
    def epoch(self) -> int:
        """The number of the epoch."""
        return self._actions.in_group.number

    @property
    def suite(self) -> int:
        """The MLS suite's code point."""
        return self._actions.in_group.suite

    @property
    def members(self) -> tuple[Member, ...]:
        """Who is in the group, by leaf index (THREAT-2)."""
        return self._actions.in_group.members

    @property
    def call_code(self) -> str:
        """Sixty digits, equal at both sides exactly if they are in one group now (CALL-14)."""
        return self._actions.in_group.call_code

    @property
    def safety_number(self) -> str:
        """Sixty digits of the two accounts, for people to compare once (IDENT-12). Takes some milliseconds."""
        own = self._actions.owner.certificate
        other = next(member for member in self.members if member.account_id == self.account_id)
        return safety_number(
            (own.account_id, own.account_key), (other.account_id, other.account_key)
        )

    # Its media

    def open_stream(self, codec: Codec, kind: Kind, instance: int = 0) -> FrameProtector:
        """What protects the frames of a new stream of this device. Raises CallUsageError, BadStream, OutOfRange."""
        return self._media.frame_keys.send.open_stream(codec, kind, instance)

    @property
    def opener(self) -> FrameOpener:
        """What opens the other side's frames. Raises CallUsageError."""
        return self._media.opener

    @property
    def _media(self) -> Epochs:
        # CALL-8: "MUST NOT send media before it has opened `accepted` from the caller in epoch 2"
        if self._state not in _MEDIA:
            raise CallUsageError(CallReason.NO_MEDIA_YET, f"while {self._state}")
        return self._actions.in_group

    # What people and the application do

    def answer(self, now: int) -> None:
        """Take the call. Raises CallUsageError: NOT_IN_THIS_STATE, IDENTITY_CHANGED; TrustError: REVOKED (IDENT-7)."""
        self._require(Input.ANSWER)
        caller = self._actions.in_group.member(CALLER_LEAF).certificate
        # IDENT-10: "MUST NOT be called or answered before a person has accepted the change"
        if self._actions.owner.trust.judge(caller, now) is ContactState.CHANGED:
            raise CallUsageError(CallReason.IDENTITY_CHANGED, self.account_id)
        self._step(Input.ANSWER, None, now)

    def describe(self, description: str, now: int) -> None:
        """Give this side's session description, as ``DescriptionWanted`` asks. Raises CallUsageError, MessageError."""
        self._require(Input.DESCRIBE)
        self._step(Input.DESCRIBE, description, now)

    def hang_up(self, now: int, reason: EndReason = EndReason.DONE) -> None:
        """End the call at both sides: ``DONE``, ``ANSWER_FAILED`` or ``PROTOCOL_ERROR``. Raises CallUsageError."""
        if reason not in HANGUP_REASONS:
            raise CallUsageError(CallReason.UNKNOWN_HANGUP_REASON, reason)
        self._require(Input.HANG_UP)
        self._step(Input.HANG_UP, reason, now)

    def _require(self, wanted: Input) -> None:
        if wanted not in TRANSITIONS[self._state]:
            raise CallUsageError(CallReason.NOT_IN_THIS_STATE, f"{wanted} while {self._state}")

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
                self._step(Input.REFUSED, message, now)
            case _:
                raise CallRefused(CallReason.UNEXPECTED_ANSWER, message.name)

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
            invite = make_invite(owner, self.call_id, suite, judged, now)
        except RemoteProtocolError as error:
            self._step(Input.UNREACHABLE, str(error), now)
        else:
            self._step(Input.KEY_PACKAGES, invite, now)

    def _receive_commit(self, data: bytes, now: int) -> None:
        epochs = self._receiving
        logged = epochs.stage(data, now)
        happened = input_of_commit(logged.kind, own=logged.own, caller=epochs.is_caller)
        self._step(happened, logged, now)

    def _receive_message(self, data: bytes, now: int) -> None:
        epochs = self._receiving
        said = epochs.open(data, now)
        happened = input_of_message(said)
        self._check_allowed(happened)
        epochs.frame_keys.heard(said.sender, said.epoch, now)  # FKEY-13
        self._step(happened, said, now)

    @property
    def _receiving(self) -> Epochs:
        epochs = self._actions.epochs
        if epochs is None:  # CALL-13: "MUST refuse every further message of the call"
            raise CallRefused(CallReason.NOT_IN_THIS_STATE, f"no group while {self._state}")
        return epochs

    # Time

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due, or None."""
        epochs = self._actions.epochs
        epochs_timer = None if epochs is None else epochs.get_timer()
        timers = [self._deadline(), self._commit_due_at(), epochs_timer]
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: int) -> None:
        """Do what is due at ``now``."""
        if (deadline := self._deadline()) is not None and now >= deadline:
            self._step(Input.TIMEOUT, None, now)
        if self._actions.epochs is not None:
            self._actions.epochs.handle_timer(now)
        if (due_at := self._commit_due_at()) is not None and now >= due_at:
            self._step(Input.COMMIT_DUE, None, now)

    def _deadline(self) -> int | None:
        """CALL-9: when the call fails, in the states in which it can."""
        return self._actions.deadline if Input.TIMEOUT in TRANSITIONS[self._state] else None

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
        events = self._actions.events
        return events.popleft() if events else None

    def messages_to_send(self) -> list[FromDevice]:
        """What goes to the delivery service, in this order; given once."""
        outgoing = list(self._actions.outbox)
        self._actions.outbox.clear()
        return outgoing

    # The table

    def _check_allowed(self, happened: Input) -> None:
        # CALL-15: "A message that is not allowed in the state of the call MUST be refused"
        if happened not in TRANSITIONS[self._state]:
            raise CallRefused(CallReason.NOT_IN_THIS_STATE, f"{happened} while {self._state}")

    def _step(self, happened: Input, payload: Any, now: int) -> None:
        """The one place where the state changes, after the action has done all of its work."""
        self._check_allowed(happened)
        action, state = TRANSITIONS[self._state][happened]
        ACTIONS[action](self._actions, payload, now)
        self._state = state
