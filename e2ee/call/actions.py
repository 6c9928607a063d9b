"""The work behind the state table: one method for each ``Action``.

``Call`` says when, this says what. Each method either does all of its work or raises and has done nothing; none looks at
the state of the call or changes it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

from e2ee.call.configuration import RANK_DELAY
from e2ee.call.conversation import Conversation
from e2ee.call.epochs import Epochs
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import (
    BusyThere,
    Calling,
    DescriptionReceived,
    DescriptionWanted,
    Ended,
    EndReason,
    EpochChanged,
    Event,
    GroupCallOffered,
    LagChanged,
    Live,
    Missed,
    RequestRefused,
    Ringing,
    RingsThere,
)
from e2ee.call.incoming_invite import Invitation
from e2ee.call.logged import InvalidCommit, Logged
from e2ee.call.medium import Medium
from e2ee.call.offered_group import OfferedGroup, link_of
from e2ee.call.outgoing_invite import Invite
from e2ee.call.owner import Owner
from e2ee.call.policy import Said
from e2ee.call.roster import CALLER_LEAF
from e2ee.call.states import Action
from e2ee.identity.device_certificate import VerifiedCertificate
from e2ee.mls.proposal import Remove
from e2ee.profile.call_profile import CallKind
from e2ee.profile.legal_commits import LegalCommit
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage, FromDevice
from e2ee.signalling.wire import encode

__all__ = ["ACTIONS", "CallActions", "Farewell"]


class Farewell(NamedTuple):
    """How an application ends a call."""

    reason: EndReason
    text: str = ""


class CallActions:
    """What the actions of one call work on."""

    def __init__(
        self,
        owner: Owner,
        call_id: bytes,
        account_id: str,
        medium: Medium,
        group_offer: messages.GroupOffer | None = None,
    ) -> None:
        self.owner = owner
        self.call_id = call_id
        self.account_id = account_id
        """The other side's."""
        self.medium = medium
        self.group_offer = group_offer
        """Of a ring group: the group call to which it invites (GROUP-4)."""
        self.claimed_suite = 0
        """Of the KeyPackages that were asked for: an MLS suite."""
        self.epochs: Epochs | None = None
        """From the group's beginning to the call's end."""
        self.invitation: Invitation | None = None
        """At a device of the callee."""
        self.invited: tuple[VerifiedCertificate, ...] = ()
        """At the caller: the devices that were invited."""
        self.noticed = False
        """Whether a device of the callee said that it has the invitation."""
        self.held_back = False
        """CALL-21: the invitation waits for a call that was placed here."""
        self.conversation = Conversation(call_id, owner.trust, owner.configuration.chat)
        self.busy: set[int] = set()
        """CALL-18: the leaves of the callee's devices that are in other calls."""
        self.ending = EndReason.CANCELLED
        """Why a call ends that has to wait for its invitation to be in the log (CALL-16)."""
        self.now = 0
        """When the step that is being taken happens."""
        self.events: deque[Event] = deque()
        self.outbox: deque[FromDevice] = deque()

    @property
    def kind(self) -> CallKind:
        """A one-to-one call, or a ring group."""
        return CallKind.ONE_TO_ONE if self.group_offer is None else CallKind.RING

    @property
    def offered_group(self) -> OfferedGroup | None:
        """Of a ring group: what people are shown of the group call."""
        return None if self.group_offer is None else OfferedGroup.of(self.group_offer)

    @property
    def in_group(self) -> Epochs:
        """The call's epochs. Raises CallUsageError before there is a group, and after the end."""
        if self.epochs is None:
            raise CallUsageError(CallReason.NO_GROUP)
        return self.epochs

    def collect(self) -> None:
        """Take what the conversation has to tell."""
        while (event := self.conversation.next_event()) is not None:
            self.events.append(event)

    def ignore(self, _: Said, _now: int) -> None:
        """What was for another device, or for an earlier moment."""

    # The caller, until somebody answers

    def claim_key_packages(self, suite: int, _now: int) -> None:
        self.claimed_suite = suite
        self.outbox.append(messages.Claim(self.account_id, suite))

    def invite(self, invite: Invite, now: int) -> None:
        entropy = self.owner.entropy
        epochs = Epochs(invite.group, self.owner.frame_keys(), now)
        offer = self._offer(now)
        sealed = invite.pending.protect(encode(offer), entropy=entropy)
        group_info = invite.group.group_info(external_pub=False)
        own = epochs.propose(LegalCommit.INVITATION, invite.pending)
        self.epochs = epochs
        self.outbox.append(messages.Open(self.call_id, group_info.encode()))
        commit = messages.Commit(self.call_id, own.message, own.welcome, sealed.encode())
        self.outbox.append(commit)

    def _offer(self, now: int) -> CallMessage:
        medium = self.medium.value
        if self.group_offer is None:
            return messages.Offer(now, medium)
        # GROUP-4: "with `group_offer` in the place of `offer`"
        return replace(self.group_offer, created_at=now, medium=medium)

    def report_calling(self, logged: Logged, now: int) -> None:
        self.in_group.apply(logged, now)
        members = self.in_group.members
        callee = tuple(member for member in members if member.leaf_index != CALLER_LEAF)
        self.events.append(Calling(self.call_id, callee))

    def report_rings(self, said: Said, _now: int) -> None:
        self.noticed = True
        self.events.append(RingsThere(self.call_id, self.in_group.member(said.sender)))

    def report_busy(self, said: Said, _now: int) -> None:
        self.noticed = True
        self.busy.add(said.sender)
        self.events.append(BusyThere(self.call_id, self.in_group.member(said.sender)))

    def await_invite(self, farewell: Farewell | None, _now: int) -> None:
        """What is on its way cannot be called back before it is there; then ``take_back`` does."""
        reason = EndReason.LOST if farewell is None else farewell.reason
        self.ending = EndReason.CANCELLED if reason is EndReason.DONE else reason

    def take_back(self, logged: Logged, now: int) -> None:
        """CALL-16: "MUST send `hangup`, in epoch 1, as soon as the log shows the invitation"."""
        self.in_group.apply(logged, now)
        replaced = self.ending is EndReason.REPLACED
        self._hang_up(EndReason.REPLACED if replaced else EndReason.CANCELLED)
        self._end(self.ending, remote=False)

    # The callee, until the call

    def ring(self, _: None, _now: int) -> None:
        """CALL-17."""
        invitation = cast(Invitation, self.invitation)
        self.held_back = False
        self._say(messages.Ringing())
        known = invitation.caller, invitation.contact
        self.events.append(Ringing(self.call_id, *known, self.medium, self.offered_group))

    def send_busy(self, _: None, _now: int) -> None:
        """CALL-18."""
        self._say(messages.Busy())
        self._miss(EndReason.BUSY, remote=False)

    def send_answer(self, _: None, now: int) -> None:
        epochs = self.in_group
        stays = {CALLER_LEAF, epochs.own_leaf}
        leaves = [member.leaf_index for member in epochs.members if member.leaf_index not in stays]
        self._commit(LegalCommit.ANSWER, [Remove(leaf) for leaf in leaves], now)

    # Epoch 2, until both have described their media

    def enter_call(self, logged: Logged, now: int) -> None:
        """CALL-7, CALL-9: from here on the call is live soon, or over."""
        self.change_epoch(logged, now)
        if self.in_group.is_caller:
            self.events.append(DescriptionWanted(self.call_id))

    def send_accepted(self, description: str, _now: int) -> None:
        self._say(messages.Accepted(description))

    def report_accepted(self, said: Said, _now: int) -> None:
        self._report_description(said.message)
        self.events.append(DescriptionWanted(self.call_id))

    def send_answer_description(self, description: str, _now: int) -> None:
        self._say(messages.AnswerDescription(description))
        self.events.append(Live(self.call_id))

    def report_answer_description(self, said: Said, _now: int) -> None:
        self._report_description(said.message)
        self.events.append(Live(self.call_id))

    # Epoch 2 of a ring group, which needs nobody's word

    def enter_ring(self, logged: Logged, now: int) -> None:
        self.change_epoch(logged, now)
        self._say(messages.Accepted(""))

    def hand_over(self, _: Said, _now: int) -> None:
        """GROUP-6: from here on this device may ask to join."""
        offer = cast(messages.GroupOffer, self.group_offer)
        self._say(messages.AnswerDescription(""))
        self.events.append(GroupCallOffered(self.call_id, OfferedGroup.of(offer), link_of(offer)))

    def end_handed_over(self, _: object, _now: int) -> None:
        """GROUP-4: "its caller MUST end it when it has opened `answer_description`"."""
        self._leave(EndReason.DONE)

    # In the call

    def send_commit(self, _: None, now: int) -> None:
        self._commit(LegalCommit.TIMED, [], now)

    def change_epoch(self, logged: Logged, now: int) -> None:
        epochs = self.in_group
        committer = epochs.apply(logged, now)
        self.send_alive(None, now)  # CALL-11: "when it has applied an epoch from 2 on"
        if epochs.protects_media:
            self.conversation.enter_epoch(epochs, now)
        self.events.append(
            EpochChanged(self.call_id, epochs.number, committer, epochs.members, epochs.call_code)
        )

    def send_alive(self, _: None, now: int) -> None:
        """CALL-11."""
        epochs = self.in_group
        self._say(messages.Alive(epochs.number, now))
        epochs.alive.said(now)

    def acknowledge(self, said: Said, now: int) -> None:
        epochs, alive = self.in_group, cast(messages.Alive, said.message)
        epochs.frame_keys.acknowledged(said.sender, said.epoch, now)
        if (lag := epochs.alive.heard(said, alive, now)) is not None:
            self.events.append(LagChanged(self.call_id, epochs.member(said.sender), lag))

    def say(self, spoken: Sequence[CallMessage], _now: int) -> None:
        for message in spoken:
            self._say(message)

    def hear(self, said: Said, now: int) -> None:
        member = self.in_group.member(said.sender)
        self.conversation.hear(said, member, now)

    def report_refusal(self, refused: messages.Refused, now: int) -> None:
        if refused.request == messages.Commit.name:  # KEYS-15: the epoch still has to end
            self.in_group.commit_refused(now + RANK_DELAY)
        self.events.append(
            RequestRefused(refused.request, refused.call_id, refused.reason, refused.detail)
        )

    # The end

    def give_up(self, _: object, _now: int) -> None:
        """Nobody was told of the call, or nobody can be."""
        self._end(self.ending, remote=False)

    def hang_up(self, farewell: Farewell, _now: int) -> None:
        self._leave(farewell.reason)

    def cancel(self, _: Farewell, _now: int) -> None:
        self._leave(EndReason.CANCELLED)

    def decline(self, farewell: Farewell, _now: int) -> None:
        self._hang_up(EndReason.DECLINED, farewell.text)
        self._end(EndReason.DECLINED, remote=False)

    def fail_answer(self, _: None, _now: int) -> None:
        self._leave(EndReason.ANSWER_FAILED)

    def fail(self, invalid: InvalidCommit, _now: int) -> None:
        """CALL-32: this device cannot go on to the log's next epoch."""
        self._hang_up(EndReason.PROTOCOL_ERROR)
        self._end(EndReason.PROTOCOL_ERROR, remote=True, detail=str(invalid))

    def end_unreached(self, detail: str, _now: int) -> None:
        self._end(EndReason.UNREACHABLE, remote=False, detail=detail)

    def end_unanswered(self, _: None, _now: int) -> None:
        """CALL-19."""
        self._leave(EndReason.TIMEOUT)

    def end_missed(self, _: None, _now: int) -> None:
        """CALL-19: "MUST stop ringing"."""
        self._miss(EndReason.TIMEOUT, remote=False)

    def end_taken_back(self, said: Said, _now: int) -> None:
        hangup = cast(messages.Hangup, said.message)
        self._miss(EndReason(hangup.reason), remote=True)

    def end_busy(self, said: Said, now: int) -> None:
        """CALL-18: nobody is left who could answer."""
        self.report_busy(said, now)
        self._hang_up(EndReason.CANCELLED)
        self._end(EndReason.BUSY, remote=True)

    def end_replaced(self, _: Farewell, _now: int) -> None:
        """CALL-21."""
        if self.epochs is not None:
            self._hang_up(EndReason.REPLACED)
        self._end(EndReason.REPLACED, remote=False)

    def end_revoked(self, _: None, _now: int) -> None:
        """CALL-33."""
        self._leave(EndReason.REVOKED)

    def end_lost(self, _: None, _now: int) -> None:
        self._end(EndReason.LOST, remote=True)

    def end_refused(self, refused: messages.Refused, _now: int) -> None:
        detail = f"{refused.request}: {refused.reason} {refused.detail}".rstrip()
        self._end(EndReason.REFUSED, remote=True, detail=detail)

    def end_elsewhere(self, _: Logged, _now: int) -> None:
        self._end(EndReason.ANSWERED_ELSEWHERE, remote=True)

    def end_hung_up(self, said: Said, _now: int) -> None:
        hangup = cast(messages.Hangup, said.message)  # its input says so
        self._end(EndReason(hangup.reason), remote=True, text=hangup.text)

    # What several of them do

    def _say(self, message: CallMessage) -> None:
        sealed = self.in_group.protect(message, self.owner.entropy)
        self.outbox.append(messages.Send(self.call_id, sealed))

    def _commit(self, kind: LegalCommit, proposals: list[Remove], now: int) -> None:
        own = self.in_group.commit(kind, proposals, now, self.owner.entropy)
        self.outbox.append(messages.Commit(self.call_id, own.message, own.welcome, offer=None))

    def _report_description(self, message: CallMessage) -> None:
        described = cast(messages.Accepted | messages.AnswerDescription, message)
        self.events.append(DescriptionReceived(self.call_id, described.description))

    def _leave(self, reason: EndReason) -> None:
        self._hang_up(reason)
        self._end(reason, remote=False)

    def _hang_up(self, reason: EndReason, text: str = "") -> None:
        self._say(messages.Hangup(reason.value, text))

    def _miss(self, reason: EndReason, *, remote: bool) -> None:
        invitation = cast(Invitation, self.invitation)
        # nobody missed what another device declined, nor one's own half of a glare (CALL-20)
        if reason not in {EndReason.DECLINED, EndReason.REPLACED} and not self.held_back:
            missed = invitation.caller, self.medium, reason, self.offered_group
            self.events.append(Missed(self.call_id, *missed))
        self._end(reason, remote=remote)

    def _end(self, reason: EndReason, *, remote: bool, detail: str = "", text: str = "") -> None:
        """CALL-13: "a device MUST erase the call's keys"."""
        if self.epochs is not None:
            self.epochs.erase()
            self.epochs = None
        self.conversation.end(self.now, by_others=remote)
        self.collect()
        self.events.append(Ended(self.call_id, reason, remote, detail, text))


ACTIONS: Mapping[Action, Callable[[CallActions, Any, int], None]] = {
    action: getattr(CallActions, action.value.replace("-", "_")) for action in Action
}
"""The method of each action, which has its name: (payload of the input, now) -> None."""
