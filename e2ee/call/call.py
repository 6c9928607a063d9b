"""Call: one call at one device, as people and their application have it.

    receive(message, now)           a service message of this call: answers, entries of the log, application data
    answer, decline, hang_up        what people do
    describe, reconnect, media      what the application does
    next_event()                    what the application is told
    messages_to_send()              what goes to the delivery service, in order
    get_timer(), handle_timer(now)  time, in Unix milliseconds

What happens to it, and when, is ``machine``'s, which moves it by the state table.
"""

from __future__ import annotations

from e2ee.call.actions import CallActions, Farewell
from e2ee.call.chat.content import is_plain
from e2ee.call.chat.room import ChatRoom
from e2ee.call.configuration import MAX_DECLINE_TEXT
from e2ee.call.epochs import Epochs
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import EndReason
from e2ee.call.incoming_invite import Invitation
from e2ee.call.machine import CallMachine
from e2ee.call.medium import Medium
from e2ee.call.offered_group import fault
from e2ee.call.owner import Owner
from e2ee.call.roster import CALLER_LEAF, Member
from e2ee.call.sent_media import SentMedia
from e2ee.call.states import TRANSITIONS, Input, State
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.identity.safety_number import safety_number
from e2ee.identity.trust import ContactState
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.opener import FrameOpener
from e2ee.media.protector import FrameProtector
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage

__all__ = ["Call"]


class Call(CallMachine):
    """See the module. Made by ``Device``."""

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


_HANG_UP_REASONS = frozenset({EndReason.DONE, EndReason.ANSWER_FAILED, EndReason.PROTOCOL_ERROR})
