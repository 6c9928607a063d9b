"""The actions around commits: what waits for one, making it, and what the log shows (GROUP-8)."""

from __future__ import annotations

from collections.abc import Sequence

from e2ee.call.configuration import RANK_DELAY
from e2ee.call.epochs import OwnCommit
from e2ee.call.events import (
    EpochChanged,
)
from e2ee.call.group.configuration import COMMIT_PAUSE
from e2ee.call.group.drafting import Draft
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import (
    Knocked,
    LinkChanged,
    MembersChanged,
    ProfileChanged,
)
from e2ee.call.group.ground import Ground
from e2ee.call.group.intents import Admission, Intent
from e2ee.call.group.join_requests import JoinRequest
from e2ee.call.group.participation import Change
from e2ee.call.group.payloads import Gone
from e2ee.call.logged import Logged
from e2ee.errors import RemoteProtocolError
from e2ee.profile.legal_commits import LegalCommit
from e2ee.signalling import messages

__all__ = ["Committing"]


class Committing(Ground):
    """See the module."""

    def intend(self, intent: Intent, now: int) -> None:
        self.waiting.intend(intent)
        self.inside.say_removing(self.waiting.leaves_to_remove(self.in_group), now)
        if isinstance(intent, Admission):
            self._admit_knocks(intent.account_key, now)

    def _admit_knocks(self, account_key: bytes, now: int) -> None:
        """GROUP-10: "MUST list the account and add the device in one commit"."""
        for request in self.lobby.all():
            if request.certificate.account_key == account_key:
                self._withdraw(request)
                self.waiting.take(request.due(now), now)

    def turn_away(self, requests: Sequence[JoinRequest], _now: int) -> None:
        for request in requests:
            self.outbox.append(messages.TurnAway(self.call_id, request.knock.signature_key))
            self._withdraw(request)

    def take_request(self, request: JoinRequest, now: int) -> None:
        self.waiting.take(request, now)

    def take_knock(self, request: JoinRequest, now: int) -> None:
        """GROUP-10."""
        if any(each.subject == _admission(request).subject for each in self.waiting.intents):
            self.waiting.take(request.due(now), now)
        elif self.lobby.enter(request):
            self.events.append(Knocked(self.call_id, request.knock))

    def forget_requests(self, now: int) -> None:
        """GROUP-7: the keys of what was asked with and not used."""
        if self.asking is not None:
            self.asking.forget_old(now)

    def take_statement(self, gone: Gone, _now: int) -> None:
        self.waiting.gone(*gone)

    def send_commit(self, is_timed: bool, now: int) -> None:
        """GROUP-8: "all that waits MUST go into the same commit, if it fits"."""
        adds = now >= self.in_group.applied_at + COMMIT_PAUSE  # GROUP-23
        while True:
            draft = self.waiting.draft(self.in_group, now, adds=adds)
            self._report_given_up(draft.impossible, GroupReason.CANNOT_BE_HAD)
            if not draft.proposals and not is_timed:
                return
            if (own := self._commit(draft, now)) is not None:
                break
            self._report_given_up(self.waiting.refused(draft), GroupReason.CANNOT_BE_HAD)
        self.inside.say_removing(self.waiting.leaves_to_remove(self.in_group), now)
        self.drafted, self.committed = draft, own.logged
        self.inside.outbox.append(messages.Commit(self.call_id, own.message, own.welcome, None))

    def _commit(self, draft: Draft, now: int) -> OwnCommit | None:
        """A commit of a draft; None if MLS finds that its proposals are not valid together."""
        if draft.new_link is not None:
            self.inside.say_new_link(draft.new_link)
        kind = LegalCommit.CHANGE if draft.proposals else LegalCommit.TIMED
        try:
            return self.in_group.commit(
                kind,
                draft.proposals,
                now,
                self.owner.entropy,
                authenticated_data=draft.authenticated_data,
            )
        except RemoteProtocolError:
            # of what others sent; a fault of this device's own is not theirs, and is raised
            if not draft.proposals:
                raise
            return None

    def try_again(self, refused: messages.Refused, now: int) -> None:
        """The commit was refused: what it was for goes into another one, unless that is refused for what is in it."""
        self.in_group.commit_refused(now + RANK_DELAY)
        if refused.reason in _FOR_NOTHING_IN_IT:
            self.in_group.commit_refused(now + COMMIT_PAUSE)
        elif self.drafted is not None:
            self._report_given_up(
                self.waiting.refused(self.drafted), refused.reason, refused.detail
            )
        self.drafted = self.committed = None

    # What the log shows

    def change_epoch(self, logged: Logged, now: int) -> None:
        change = self.inside.apply(logged, now)
        epochs = self.in_group
        taken = self.drafted if logged is self.committed else None
        done = () if taken is None else taken.wanted
        self.drafted = self.committed = None
        given_up = self.waiting.settle(logged, epochs, now, done)
        self._report_given_up(given_up, GroupReason.NOT_A_HOST)
        self.owner.trust.observe((member.certificate for member in change.added), now)
        self._tell_change(change)
        self.empty_lobby(now)

    def _tell_change(self, change: Change) -> None:
        epochs, call_id = self.in_group, self.call_id
        committer, members = change.committer, epochs.members
        self.events.append(
            EpochChanged(call_id, epochs.number, committer, members, epochs.call_code)
        )
        if change.added or change.removed:
            self.events.append(MembersChanged(call_id, change.added, change.removed, committer))
        if epochs.profile != change.profile_before:
            self.events.append(
                ProfileChanged(call_id, change.profile_before, epochs.profile, committer)
            )
        if epochs.profile.link_id != change.profile_before.link_id:
            self.events.append(LinkChanged(call_id, self.link))


def _admission(request: JoinRequest) -> Admission:
    return Admission(request.certificate.account_key)


_FOR_NOTHING_IN_IT = frozenset(
    {"TOO_SOON", "WRONG_EPOCH", "CONFLICT", "RATE_LIMITED", "MAILBOX_FULL"}
)
"""Reasons of the service that say nothing about what a commit brings (chapter Delivery service)."""
