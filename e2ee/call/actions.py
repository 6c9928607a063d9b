"""The work behind the state table: one method for each ``Action``.

``Call`` says when, this says what. Each method either does all of its work or raises and has done nothing; none looks at
the state of the call or changes it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, cast

from e2ee.call.alive import acknowledge, alive
from e2ee.call.configuration import ACCEPTED_TIMEOUT, ANSWER_DESCRIPTION_TIMEOUT, RANK_DELAY
from e2ee.call.epochs import Epochs, Logged
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import (
    Calling,
    DescriptionReceived,
    DescriptionWanted,
    Ended,
    EndReason,
    EpochChanged,
    Event,
    Live,
    RequestRefused,
)
from e2ee.call.outgoing_invite import Invite
from e2ee.call.owner import Owner
from e2ee.call.policy import Said
from e2ee.call.roster import CALLER_LEAF
from e2ee.call.states import Action
from e2ee.mls.proposal import Remove
from e2ee.profile.legal_commits import LegalCommit
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage, FromDevice
from e2ee.signalling.wire import encode

__all__ = ["ACTIONS", "CallActions"]


class CallActions:
    """What the actions of one call work on."""

    def __init__(self, owner: Owner, call_id: bytes, account_id: str, *, video: bool) -> None:
        self.owner = owner
        self.call_id = call_id
        self.account_id = account_id
        """The other side's."""
        self.video = video
        self.claimed_suite = 0
        """Of the KeyPackages that were asked for: an MLS suite."""
        self.epochs: Epochs | None = None
        """From the group's beginning to the call's end."""
        self.deadline = 0
        """CALL-9: when the call fails if it is not live until then."""
        self.events: deque[Event] = deque()
        self.outbox: deque[FromDevice] = deque()

    @property
    def in_group(self) -> Epochs:
        """The call's epochs. Raises CallUsageError before there is a group, and after the end."""
        if self.epochs is None:
            raise CallUsageError(CallReason.NO_GROUP)
        return self.epochs

    # The caller, until somebody answers

    def claim_key_packages(self, suite: int, _now: int) -> None:
        self.claimed_suite = suite
        self.outbox.append(messages.Claim(self.account_id, suite))

    def invite(self, invite: Invite, now: int) -> None:
        entropy = self.owner.entropy
        epochs = Epochs(invite.group, self.owner.frame_keys(), now)
        offer = invite.pending.protect(encode(messages.Offer(now, self.video)), entropy=entropy)
        group_info = invite.group.group_info(external_pub=False)
        commit = epochs.propose(LegalCommit.INVITATION, invite.pending)
        welcome = None if invite.pending.welcome is None else invite.pending.welcome.encode()
        self.epochs = epochs
        self.outbox.append(messages.Open(self.call_id, group_info.encode()))
        self.outbox.append(messages.Commit(self.call_id, commit, welcome, offer.encode()))

    def report_calling(self, logged: Logged, now: int) -> None:
        self.in_group.apply(logged, now)
        members = self.in_group.members
        callee = tuple(member for member in members if member.leaf_index != CALLER_LEAF)
        self.events.append(Calling(self.call_id, callee))

    def await_invite(self, _: EndReason, _now: int) -> None:
        """What is on its way cannot be called back before it is there; then ``take_back`` does."""

    def take_back(self, logged: Logged, now: int) -> None:
        """CALL-16: "MUST send `hangup`, in epoch 1, as soon as the log shows the invitation"."""
        self.in_group.apply(logged, now)
        self.hang_up(EndReason.DONE, now)

    # The callee, until the call

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
            self.deadline = now + ANSWER_DESCRIPTION_TIMEOUT
            self.events.append(DescriptionWanted(self.call_id))
        else:
            self.deadline = now + ACCEPTED_TIMEOUT

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

    # In the call

    def send_commit(self, _: None, now: int) -> None:
        self._commit(LegalCommit.TIMED, [], now)

    def change_epoch(self, logged: Logged, now: int) -> None:
        epochs = self.in_group
        committer = epochs.apply(logged, now)
        self._say(alive(epochs.number, now))  # CALL-11
        self.events.append(
            EpochChanged(self.call_id, epochs.number, committer, epochs.members, epochs.call_code)
        )

    def acknowledge(self, said: Said, now: int) -> None:
        acknowledge(self.in_group.frame_keys, said, now)

    def report_refusal(self, refused: messages.Refused, now: int) -> None:
        if refused.request == messages.Commit.name:  # KEYS-15: the epoch still has to end
            self.in_group.drop_commit(now + RANK_DELAY)
        self.events.append(
            RequestRefused(refused.request, refused.call_id, refused.reason, refused.detail)
        )

    # The end

    def give_up(self, _: object, _now: int) -> None:
        self._end(EndReason.DONE, remote=False)

    def hang_up(self, reason: EndReason, _now: int) -> None:
        self._say(messages.Hangup(reason.value))
        self._end(reason, remote=False)

    def fail_answer(self, _: None, now: int) -> None:
        self.hang_up(EndReason.ANSWER_FAILED, now)

    def end_unreached(self, detail: str, _now: int) -> None:
        self._end(EndReason.UNREACHABLE, remote=False, detail=detail)

    def end_refused(self, refused: messages.Refused, _now: int) -> None:
        detail = f"{refused.request}: {refused.reason} {refused.detail}".rstrip()
        self._end(EndReason.REFUSED, remote=True, detail=detail)

    def end_elsewhere(self, _: Logged, _now: int) -> None:
        self._end(EndReason.ANSWERED_ELSEWHERE, remote=True)

    def end_hung_up(self, said: Said, _now: int) -> None:
        hangup = cast(messages.Hangup, said.message)  # its input says so
        self._end(EndReason(hangup.reason), remote=True)

    # What several of them do

    def _say(self, message: CallMessage) -> None:
        sealed = self.in_group.protect(message, self.owner.entropy)
        self.outbox.append(messages.Send(self.call_id, sealed))

    def _commit(self, kind: LegalCommit, proposals: list[Remove], now: int) -> None:
        commit = self.in_group.commit(kind, proposals, now, self.owner.entropy)
        self.outbox.append(messages.Commit(self.call_id, commit, welcome=None, offer=None))

    def _report_description(self, message: CallMessage) -> None:
        described = cast(messages.Accepted | messages.AnswerDescription, message)
        self.events.append(DescriptionReceived(self.call_id, described.description))

    def _end(self, reason: EndReason, *, remote: bool, detail: str = "") -> None:
        """CALL-13: "a device MUST erase the call's keys"."""
        if self.epochs is not None:
            self.epochs.erase()
            self.epochs = None
        self.events.append(Ended(self.call_id, reason, remote, detail))


ACTIONS: Mapping[Action, Callable[[CallActions, Any, int], None]] = {
    Action.CLAIM_KEY_PACKAGES: CallActions.claim_key_packages,
    Action.INVITE: CallActions.invite,
    Action.REPORT_CALLING: CallActions.report_calling,
    Action.AWAIT_INVITE: CallActions.await_invite,
    Action.TAKE_BACK: CallActions.take_back,
    Action.SEND_ANSWER: CallActions.send_answer,
    Action.ENTER_CALL: CallActions.enter_call,
    Action.SEND_ACCEPTED: CallActions.send_accepted,
    Action.REPORT_ACCEPTED: CallActions.report_accepted,
    Action.SEND_ANSWER_DESCRIPTION: CallActions.send_answer_description,
    Action.REPORT_ANSWER_DESCRIPTION: CallActions.report_answer_description,
    Action.SEND_COMMIT: CallActions.send_commit,
    Action.CHANGE_EPOCH: CallActions.change_epoch,
    Action.ACKNOWLEDGE: CallActions.acknowledge,
    Action.REPORT_REFUSAL: CallActions.report_refusal,
    Action.GIVE_UP: CallActions.give_up,
    Action.HANG_UP: CallActions.hang_up,
    Action.FAIL_ANSWER: CallActions.fail_answer,
    Action.END_UNREACHED: CallActions.end_unreached,
    Action.END_REFUSED: CallActions.end_refused,
    Action.END_ELSEWHERE: CallActions.end_elsewhere,
    Action.END_HUNG_UP: CallActions.end_hung_up,
}
"""The method of each action: (payload of the input, now) -> None."""
