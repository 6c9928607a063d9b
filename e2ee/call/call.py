"""Call: one call at one device, as the state table moves it.

    receive(message, now)           a service message of this call: answers, entries of the log, application data
    answer, decline, hang_up        what people do
    describe, reconnect, media      what the application does
    next_event()                    what the application is told
    messages_to_send()              what goes to the delivery service, in order
    get_timer(), handle_timer(now)  time, in Unix milliseconds

Everything that happens is turned into an ``Input`` first: an answer of the directory is looked through, an entry of the log
staged and judged, application data opened, decoded and found to be of a member who may say it. Then ``_step`` looks into
``TRANSITIONS``; what is not there raises and has changed nothing (CALL-15).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from e2ee.call.actions import ACTIONS, CallActions, Farewell
from e2ee.call.alive import StopReason
from e2ee.call.chat.content import is_plain
from e2ee.call.chat.room import ChatRoom
from e2ee.call.committer import commit_due_at
from e2ee.call.configuration import (
    ACCEPTED_TIMEOUT,
    ANSWER_DESCRIPTION_TIMEOUT,
    MAX_DECLINE_TEXT,
    RING_LIMIT,
    RINGING_TIMEOUT,
    SERVICE_TIMEOUT,
)
from e2ee.call.epochs import Epochs
from e2ee.call.errors import CallReason, CallRefused, CallUsageError
from e2ee.call.events import (
    EndReason,
    Event,
    IdentityChanged,
    PresenceChanged,
    RemovalComplete,
    SendingResumed,
    SendingStopped,
)
from e2ee.call.incoming_invite import Invitation
from e2ee.call.logged import InvalidCommit
from e2ee.call.medium import Medium
from e2ee.call.offered_group import fault
from e2ee.call.outgoing_invite import choose_suite_to_claim, judge_key_packages, make_invite
from e2ee.call.owner import Owner
from e2ee.call.policy import input_of_commit, input_of_message
from e2ee.call.roster import CALLER_LEAF, Member
from e2ee.call.sent_media import SentMedia
from e2ee.call.states import TRANSITIONS, Input, State
from e2ee.errors import RemoteProtocolError
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.safety_number import safety_number
from e2ee.identity.trust import ContactState
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.opener import FrameOpener
from e2ee.media.protector import FrameProtector
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage, FromDevice, FromService

__all__ = ["Call"]

_MEDIA = frozenset({State.ANSWERED, State.CONNECTING, State.DESCRIBING, State.LIVE})
"""CALL-6, CALL-8: the states in which a device has keys for media."""

_LASTS: Mapping[State, int] = {
    # CALL-29
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


class Call:
    """See the module. Made by ``Device``."""

    def __init__(self, actions: CallActions, state: State, now: int) -> None:
        """Use ``place`` or ``ring``."""
        self._actions = actions
        self._state = state
        self._deadline = now + _LASTS[state]
        self._placed_at = now
        self._unanswered = True
        self._stopped: StopReason | None = None
        self._looked_at = now
        self._removal_reported = 0
        """The epoch of the last removal whose end the application was told."""

    @classmethod
    def place(
        cls,
        owner: Owner,
        call_id: bytes,
        account_id: str,
        now: int,
        medium: Medium,
        *,
        group_offer: messages.GroupOffer | None = None,
    ) -> Call:
        """A call to an account, which begins with a look at the directory; with ``group_offer`` a ring group (GROUP-4).

        Its ``created_at`` and ``medium`` are filled in here. Raises CallUsageError (BAD_GROUP_OFFER).
        """
        if group_offer is not None and (wrong := fault(group_offer)) is not None:
            raise CallUsageError(CallReason.BAD_GROUP_OFFER, wrong)
        actions = CallActions(owner, call_id, account_id, medium, group_offer)
        actions.outbox.append(messages.Find(account_id))
        return cls(actions, State.LOOKING_UP, now)

    @classmethod
    def invited(cls, owner: Owner, invitation: Invitation, now: int) -> Call:
        """A call to this device, which does not ring yet."""
        caller, call_id = invitation.caller, invitation.group.group_id
        offered = invitation.medium, invitation.group_offer
        actions = CallActions(owner, call_id, caller.account_id, *offered)
        actions.epochs = Epochs(invitation.group, owner.frame_keys(), now)
        actions.invitation = invitation
        return cls(actions, State.INVITED, now)

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
    def medium(self) -> Medium:
        """What the caller said that it is for."""
        return self._actions.medium

    @property
    def group_offer(self) -> messages.GroupOffer | None:
        """If this is a ring group: the group call to which it invites (GROUP-4)."""
        return self._actions.group_offer

    @property
    def is_caller(self) -> bool:
        """Whether this device placed the call."""
        return self._actions.invitation is None

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

    @property
    def removed_can_open_until(self) -> int | None:
        """Until when devices that were removed could open what is sent; None while that is unknown (CALL-25)."""
        return self._actions.in_group.removed_can_open_until

    @property
    def received_media(self) -> SentMedia:
        """What the other side says that it sends (CALL-26)."""
        return self._actions.conversation.received_media

    def silent(self, now: int) -> tuple[Member, ...]:
        """Who was not heard in this epoch for three periods: "not in this branch" (CALL-23)."""
        epochs = self._actions.in_group
        return tuple(epochs.member(leaf) for leaf in sorted(epochs.alive.silent(now)))

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
        if not self._has_media:
            raise CallUsageError(CallReason.NO_MEDIA_YET, f"while {self._state}")
        return self._actions.in_group

    @property
    def _has_media(self) -> bool:
        # GROUP-4: a ring group "protects no media"
        return self._state in _MEDIA and self.group_offer is None

    # What people and the application do

    def answer(self, now: int) -> None:
        """Take the call. Raises CallUsageError: NOT_IN_THIS_STATE, IDENTITY_CHANGED; TrustError: REVOKED (IDENT-7)."""
        self._require(Input.ANSWER)
        caller = self._actions.in_group.member(CALLER_LEAF).certificate
        # IDENT-10: "MUST NOT be called or answered before a person has accepted the change"
        if self._actions.owner.trust.judge(caller, now) is ContactState.CHANGED:
            raise CallUsageError(CallReason.IDENTITY_CHANGED, self.account_id)
        self._step(Input.ANSWER, None, now)

    def decline(self, now: int, text: str = "") -> None:
        """Do not take it, on all devices, perhaps with a text for the caller. Raises CallUsageError, MessageError."""
        self._require(Input.ANSWER)
        # CALL-20: "`text` ... at most 1,000 bytes"
        if len(text.encode(errors="replace")) > MAX_DECLINE_TEXT:
            raise CallUsageError(CallReason.BAD_TEXT, f"at most {MAX_DECLINE_TEXT} bytes")
        if not is_plain(text):
            raise CallUsageError(CallReason.BAD_TEXT, "a control character")
        self._step(Input.HANG_UP, Farewell(EndReason.DECLINED, text), now)

    def hang_up(self, now: int, reason: EndReason = EndReason.DONE) -> None:
        """End the call at both sides: ``DONE`` (before an answer: cancelled, or declined), ``ANSWER_FAILED``,
        ``PROTOCOL_ERROR``. Raises CallUsageError.
        """
        if reason not in _HANG_UP_REASONS:
            raise CallUsageError(CallReason.UNKNOWN_HANGUP_REASON, reason)
        self._require(Input.HANG_UP)
        self._step(Input.HANG_UP, Farewell(reason), now)

    def describe(self, description: str, now: int) -> None:
        """Give this side's session description, as ``DescriptionWanted`` asks. Raises CallUsageError, MessageError."""
        self._require(Input.DESCRIBE)
        self._step(Input.DESCRIBE, description, now)

    def send_media(self, sent: SentMedia, now: int) -> None:
        """Say what this side sends from now on (CALL-26). Raises CallUsageError."""
        self._require_conversation()
        self._say(messages.Media(sent.microphone, sent.camera, sent.screen, sent.on_hold), now)

    def reconnect(self, description: str, now: int) -> None:
        """At the caller: offer a new connection in the place of a lost one (CALL-28). Raises CallUsageError, MessageError."""
        self._require_conversation()
        if not self.is_caller:
            raise CallUsageError(CallReason.WRONG_SENDER, "the caller offers a new connection")
        connections = self._actions.conversation.connections
        self._say(messages.Reconnect(connections.newest + 1, description), now)
        connections.offered(connections.newest + 1)

    def reconnected(self, number: int, description: str, now: int) -> None:
        """At the answering device: answer ``ReconnectReceived`` (CALL-28). Raises CallUsageError, MessageError."""
        self._require_conversation()
        connections = self._actions.conversation.connections
        if self.is_caller or not connections.awaits_answer(number):
            raise CallUsageError(CallReason.STALE_CONNECTION, f"{number}")
        self._say(messages.Reconnected(number, description), now)
        connections.answered(number)

    @property
    def chat(self) -> ChatRoom:
        """Texts and what goes with them. Raises CallUsageError before the call and after its end."""
        self._require_conversation()
        return self._actions.conversation.chat

    def begin_code(self, now: int) -> None:
        """A person here wants a spoken code: begin one, or join the one under way (VERIFY-3). Raises CallUsageError."""
        self._require_conversation()
        self._actions.conversation.code.begin(now, self._actions.owner.entropy)

    def code_attempts_left(self, now: int) -> int:
        """How often a spoken code may still be had in this call (VERIFY-6)."""
        return self._actions.conversation.code.attempts_left(now)

    def mark_verified(self) -> None:
        """The two people read the same spoken code, or compared the safety number (IDENT-18, VERIFY-8).

        Raises CallUsageError before there is a group.
        """
        others = self.others()
        if not others:
            raise CallUsageError(CallReason.NO_GROUP)
        self._actions.owner.trust.mark_verified(self.account_id, others[0].account_key)

    def _require_conversation(self) -> None:
        self._require(Input.SAY)
        if self.group_offer is not None:  # GROUP-4: "nothing else is said in it"
            raise CallUsageError(CallReason.NOT_IN_THIS_CALL)

    def _say(self, message: CallMessage, now: int) -> None:
        self._step(Input.SAY, [message], now)

    # What its device knows: other calls, the service, whom to trust

    def ring(self, now: int) -> None:
        """Ring (CALL-17)."""
        self._step(Input.RING, None, now)

    def be_busy(self, now: int) -> None:
        """Do not ring: this device is in another call (CALL-18)."""
        self._step(Input.IN_ANOTHER_CALL, None, now)

    def give_way(self, now: int) -> None:
        """The callee calls, too, and that call goes on (CALL-21)."""
        self._step(Input.GLARE, Farewell(EndReason.REPLACED), now)

    def may_give_way(self) -> bool:
        """Whether this is a call that was placed here and that nobody answered yet (CALL-21); no ring group is one."""
        return Input.GLARE in TRANSITIONS[self._state] and self.group_offer is None

    def peer_revoked(self, now: int) -> None:
        """The other side's device was revoked by its account (CALL-33)."""
        if Input.REVOKED in TRANSITIONS[self._state]:
            self._step(Input.REVOKED, None, now)

    def service_lost(self, now: int) -> None:
        """What was asked of the service will not be answered."""
        if Input.LOST in TRANSITIONS[self._state]:
            self._step(Input.LOST, None, now)

    def hasten_alive(self) -> None:
        """This device or another member had no connection to the service: the others want to hear of it (CALL-11)."""
        if self._actions.epochs is not None:
            self._actions.epochs.alive.hasten()

    def hold_back(self) -> None:
        """This invitation waits for a call that this device placed to the same account (CALL-21)."""
        self._actions.held_back = True

    def may_be_answered_from(self, account_id: str) -> bool:
        """Whether this is a call of that account, and no ring group, which a person here could answer (CALL-21)."""
        may_be_answered = Input.ANSWER in TRANSITIONS[self._state] and self.group_offer is None
        return self.account_id == account_id and may_be_answered

    def is_with(self, account_key: bytes) -> bool:
        """Whether this call's group, if there is one yet, is with this account key."""
        invited = self._actions.invited
        return not invited or account_key == invited[0].account_key

    @property
    def went_unnoticed(self) -> bool:
        """Whether this is a call of ours that was over before any device of the callee said that it has it."""
        actions = self._actions
        return bool(actions.invited) and not actions.noticed and self._unanswered

    @property
    def placed_at(self) -> int:
        """When the call was placed or its invitation taken, in Unix milliseconds."""
        return self._placed_at

    @property
    def invited_certificates(self) -> tuple[VerifiedCertificate, ...]:
        """At the caller: of the devices that it invited."""
        return self._actions.invited

    def others(self) -> tuple[Member, ...]:
        """The members that are not this device; none before there is a group."""
        epochs = self._actions.epochs
        members = () if epochs is None else epochs.members
        return tuple(each for each in members if each.account_id == self.account_id)

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

    def _check_allowed(self, happened: Input) -> None:
        # CALL-15: "A message that is not allowed in the state of the call MUST be refused"
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


_HANG_UP_REASONS = frozenset({EndReason.DONE, EndReason.ANSWER_FAILED, EndReason.PROTOCOL_ERROR})


def _is_due(time: int | None, now: int) -> bool:
    return time is not None and now >= time
