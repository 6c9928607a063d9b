"""The work behind the table of a group call: one method for each ``Action``.

``GroupCall`` says when, this says what. Each method either does all of its work or raises and has done nothing; none looks at
the state of the call or changes it. What a member has between coming in and going is ``participation``'s, what goes into a
commit ``waiting``'s.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from e2ee.call.configuration import RANK_DELAY
from e2ee.call.epochs import Epochs, OwnCommit
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import (
    Ended,
    EndReason,
    EpochChanged,
    Event,
    PresenceChanged,
    RequestRefused,
)
from e2ee.call.group.asking import Asking, Entrance
from e2ee.call.group.configuration import COMMIT_PAUSE, MAX_INVALID_COMMITS
from e2ee.call.group.drafting import Draft
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import (
    GroupCallOpened,
    Joined,
    JoinRequestSent,
    JoinsAnew,
    Knocked,
    KnockWithdrawn,
    LinkChanged,
    MediaOffered,
    MembersChanged,
    ProfileChanged,
    Stranded,
)
from e2ee.call.group.intents import Admission, Intent
from e2ee.call.group.join_requests import JoinRequest, waits_in_lobby
from e2ee.call.group.link import GroupLink
from e2ee.call.group.lobby import Lobby
from e2ee.call.group.participation import Change, Participation
from e2ee.call.group.states import Action
from e2ee.call.group.tree_parts import Meanwhile, TreeParts
from e2ee.call.group.waiting import Waiting
from e2ee.call.logged import Logged
from e2ee.call.owner import Owner
from e2ee.call.policy import Said
from e2ee.call.roster import Member
from e2ee.errors import E2EEError
from e2ee.mls.group import Group
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.profile.gone import GoneStatement
from e2ee.profile.legal_commits import LegalCommit
from e2ee.profile.roster import Roster
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage, FromDevice

__all__ = ["ACTIONS", "Anew", "Entry", "Gone", "GroupCallActions", "Invalid"]


class Entry(NamedTuple):
    """A group to come into, found to be the one that was asked for, its members, and the KeyPackage that was added to it."""

    group: Group
    members: Roster
    bundle: KeyPackageBundle


class Anew(NamedTuple):
    """Why this device has to ask again, and whether what it asked with before may have been answered."""

    detail: str
    may_be_answered: bool = False


class Gone(NamedTuple):
    """A statement that was found to be the service's, and when this member commits it."""

    statement: GoneStatement
    due_at: int


class Invalid(NamedTuple):
    """A commit that a member signed and that cannot be followed: whose it is, what is wrong with it, and whether it counts."""

    committer: Member | None
    detail: str
    counts: bool
    commit: bytes = b""


class GroupCallActions:
    """What the actions of one group call work on."""

    def __init__(self, owner: Owner, call_id: bytes) -> None:
        self.owner = owner
        self.call_id = call_id
        self.opening: Group | None = None
        """At the device that creates the call: its group, until the service has taken it (GROUP-1)."""
        self.opening_link: GroupLink | None = None
        self.asking: Asking | None = None
        """How this device came, or wants to come, into the call; None at the one that created it."""
        self.fetching: TreeParts | None = None
        self.later: list[Meanwhile] = []
        """What came of the call before its tree was there, when it is."""
        self.participation: Participation | None = None
        self.anew = False
        """Whether this device was in the call before."""
        self.waiting = Waiting(call_id)
        self.lobby = Lobby()
        self.drafted: Draft | None = None
        """What the own commit that is on its way brings."""
        self.committed: Logged | None = None
        """That commit, as it will be in the log."""
        self.invalid_commits = 0
        """GROUP-20: how many commits could not be followed, in the whole call."""
        self.unfollowed: deque[bytes] = deque(maxlen=MAX_INVALID_COMMITS)
        """These, each of which counts once."""
        self.last_offer = 0
        """The number of the forwarding unit's newest offer."""
        self.events: deque[Event] = deque()
        self.outbox: deque[FromDevice] = deque()

    @property
    def inside(self) -> Participation:
        """Raises CallUsageError before this device is in, and after the end."""
        if self.participation is None:
            raise CallUsageError(CallReason.NO_GROUP)
        return self.participation

    @property
    def in_group(self) -> Epochs:
        """The call's epochs. Raises CallUsageError before this device is in, and after the end."""
        return self.inside.epochs

    @property
    def is_host(self) -> bool:
        """Whether this device's account is a host."""
        return self.in_group.profile.is_host(self.owner.certificate.account_key)

    @property
    def link(self) -> GroupLink | None:
        """What lets others in, as far as this device knows."""
        epochs = self.in_group
        if epochs.profile.link_id:
            return epochs.link
        return GroupLink(self.call_id, None, epochs.profile.hosts[0])

    def collect(self) -> None:
        """Take what was said and happened inside."""
        if self.participation is not None:
            while (event := self.participation.next_event()) is not None:
                self.events.append(event)
            self.outbox.extend(self.participation.messages_to_send())

    # Until this device is in

    def open_again(self, _: None, _now: int) -> None:
        group = cast(Group, self.opening)
        group_info = group.group_info(external_pub=False)
        self.outbox.append(messages.Open(self.call_id, group_info.encode()))

    def report_opened(self, _: None, now: int) -> None:
        """GROUP-1: from here on it is used."""
        self._come_in(cast(Group, self.opening), None, self.opening_link, now)
        self.opening = self.opening_link = None
        link = cast(GroupLink, self.link)
        self.events.append(GroupCallOpened(self.call_id, link))

    def ask(self, _: object, now: int) -> None:
        """GROUP-7."""
        self.outbox.append(self._asking.ask(self.owner, now))

    def ask_in_other_suite(self, _: object, now: int) -> None:
        self._asking.take_next_suite()
        self.ask(None, now)

    def pause(self, _: None, _now: int) -> None:
        self._asking.pause()

    def report_asked(self, _: None, _now: int) -> None:
        self._asking.in_lobby = False
        self.events.append(JoinRequestSent(self.call_id, lobby=False))

    def report_lobby(self, _: None, _now: int) -> None:
        self._asking.in_lobby = True
        self.events.append(JoinRequestSent(self.call_id, lobby=True))

    def ask_tree(self, parts: TreeParts, _now: int) -> None:
        """GROUP-11: "The tree of a group of more than 64 members is asked for with `ask_tree`"."""
        self.fetching = parts
        self.outbox.append(parts.next_request())

    def ask_tree_on(self, _: None, _now: int) -> None:
        self.outbox.append(cast(TreeParts, self.fetching).next_request())

    def take_tree_part(self, part: messages.Tree, _now: int) -> None:
        fetching = cast(TreeParts, self.fetching)
        fetching.take(part)
        self.outbox.append(fetching.next_request())

    def keep_for_later(self, message: Meanwhile, _now: int) -> None:
        cast(TreeParts, self.fetching).keep(message)

    def enter(self, entry: Entry, now: int) -> None:
        """GROUP-11: the group was found to be the one that was asked for."""
        entrance = self._asking.entrance
        has_secret = entrance.link.secret is not None
        link = entrance.link if has_secret else None
        others = entrance.hosts - {self.owner.certificate.account_key}
        awaited = frozenset[bytes]() if has_secret else others
        self._come_in(entry.group, entry.members, link, now, awaited_hosts=awaited)
        self._asking.used(entry.bundle)
        if self.fetching is not None and self.fetching.bundle is entry.bundle:
            self.later = self.fetching.meanwhile
        self.fetching = None
        epochs = self.in_group
        if not self.is_host:  # any more
            self._report_given_up(self.waiting.give_up(), GroupReason.NOT_A_HOST)
        self.events.append(
            Joined(
                self.call_id,
                epochs.number,
                epochs.members,
                epochs.profile,
                self.anew,
                epochs.call_code,
            )
        )

    def _come_in(
        self,
        group: Group,
        members: Roster | None,
        link: GroupLink | None,
        now: int,
        *,
        awaited_hosts: frozenset[bytes] = frozenset(),
    ) -> None:
        epochs = Epochs(group, self.owner.frame_keys(), now, link=link, members=members)
        self.participation = Participation(
            self.owner, self.call_id, epochs, now, awaited_hosts=awaited_hosts
        )
        self.owner.trust.observe((member.certificate for member in epochs.members), now)
        if epochs.alive.due_at <= now and epochs.others:
            self.participation.say_alive(now)

    @property
    def _asking(self) -> Asking:
        return cast(Asking, self.asking)

    # In the call

    def say(self, spoken: Sequence[CallMessage], _now: int) -> None:
        for message in spoken:
            self.inside.say(message)

    def ask_forwarder(self, request: FromDevice, _now: int) -> None:
        self.outbox.append(request)

    def report_forwarder(self, event: Event, _now: int) -> None:
        if isinstance(event, MediaOffered):
            self.last_offer = event.number
        self.events.append(event)

    def hasten_alive(self, _: None, _now: int) -> None:
        self.in_group.alive.hasten()

    def report_presence(self, presence: PresenceChanged, _now: int) -> None:
        """The service's word, for people to see; nothing depends on it but when the next ``alive`` is due (DS-11)."""
        self.events.append(presence)
        if presence.connected:
            self.in_group.alive.hasten()

    def send_alive(self, _: None, now: int) -> None:
        self.inside.say_alive(now)

    def acknowledge(self, said: Said, now: int) -> None:
        self.inside.acknowledge(said, now)

    def hear(self, said: Said, now: int) -> None:
        self.inside.hear(said, now)

    def report_refusal(self, refused: messages.Refused, _now: int) -> None:
        self.events.append(
            RequestRefused(refused.request, refused.call_id, refused.reason, refused.detail)
        )

    # What waits for a commit

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

    def _withdraw(self, request: JoinRequest) -> None:
        self.lobby.leave(request)
        self.events.append(KnockWithdrawn(self.call_id, request.knock))

    def empty_lobby(self, now: int) -> None:
        """Who asked no more, and who needs no host any more, or finds none here."""
        for request in self.lobby.expired(now):
            self._withdraw(request)
        profile = self.in_group.profile
        for request in self.lobby.all():
            if not self.is_host or not waits_in_lobby(profile, request.certificate):
                self._withdraw(request)

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
        except E2EEError:
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

    def _report_given_up(self, intents: Sequence[Intent], reason: str, detail: str = "") -> None:
        for intent in intents:
            self.events.append(
                RequestRefused(
                    messages.Commit.name, self.call_id, reason, f"{intent.subject[0]} {detail}"
                )
            )

    # The log

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

    def report_invalid(self, invalid: Invalid, _now: int) -> None:
        """GROUP-20: "MUST be reported with `report_invalid`, and MUST NOT be applied"."""
        if invalid.counts:
            self.invalid_commits += 1
            self.unfollowed.append(invalid.commit)
        self.outbox.append(messages.ReportInvalid(self.call_id, self.in_group.number))
        self.events.append(Stranded(self.call_id, invalid.committer, invalid.detail))

    def await_log(self, _: object, _now: int) -> None:
        """The service took none of what was said in this epoch: the next one is on its way, or was."""

    def ignore(self, _: object, _now: int) -> None:
        """What says nothing any more."""

    def go_on(self, _: object, now: int) -> None:
        """GROUP-20: "the call goes on with another commit of that epoch"."""
        self.in_group.commit_refused(now)

    def join_anew(self, anew: Anew, now: int) -> None:
        """GROUP-20: "MUST erase its epochs and join anew, as a new leaf\""""
        asking = self._anew_asking(may_be_answered=anew.may_be_answered)
        self._go_out(now)
        self.waiting.stranded()
        self.anew = True
        self.asking = asking
        self.events.append(JoinsAnew(self.call_id, anew.detail))
        if anew.may_be_answered:
            asking.wait_for(now)
        else:
            self.outbox.append(asking.ask(self.owner, now))

    def _anew_asking(self, *, may_be_answered: bool) -> Asking:
        if self.participation is None or may_be_answered:
            return self._asking
        epochs = self.in_group
        link = epochs.link or GroupLink(self.call_id, None)
        entrance = Entrance(link, frozenset(epochs.profile.hosts))
        return Asking(entrance, [epochs.suite])

    # The end

    def give_up(self, _: None, now: int) -> None:
        """What the group has of this device, if it has a leaf already or still, is to go (GROUP-16)."""
        if self.anew or self.fetching is not None or self.opening is not None:
            self.outbox.append(messages.Leave(self.call_id))
        self._end(EndReason.LEFT, now, remote=False)

    def leave(self, _: None, now: int) -> None:
        """GROUP-16: "Who leaves MUST send `left` and `leave`"."""
        self.inside.say(messages.Left())
        self.collect()
        self.outbox.append(messages.Leave(self.call_id))
        self._end(EndReason.LEFT, now, remote=False)

    def fail(self, invalid: Invalid, now: int) -> None:
        """GROUP-20: "After three such commits a member MUST end the call with `protocol-error`."."""
        self.outbox.append(messages.ReportInvalid(self.call_id, self.in_group.number))
        self.outbox.append(messages.Leave(self.call_id))
        self._end(EndReason.PROTOCOL_ERROR, now, remote=True, detail=invalid.detail)

    def end_lost(self, _: None, now: int) -> None:
        self._end(EndReason.LOST, now, remote=True)

    def end_refused(self, refused: messages.Refused, now: int) -> None:
        self._end(EndReason.REFUSED, now, remote=True, detail=_detail(refused))

    def end_turned_away(self, _: None, now: int) -> None:
        self._end(EndReason.TURNED_AWAY, now, remote=True)

    def end_removed(self, committer: Member, now: int) -> None:
        """GROUP-17."""
        detail = f"by {committer.account_id}, leaf {committer.leaf_index}"
        self._end(EndReason.REMOVED, now, remote=True, detail=detail)

    def end_unknown(self, refused: messages.Refused, now: int) -> None:
        """GROUP-17: "or whose call the service says is unknown"."""
        self._end(EndReason.REFUSED, now, remote=True, detail=_detail(refused))

    def _go_out(self, now: int) -> None:
        """CALL-13: "a device MUST erase the call's keys"."""
        if self.participation is not None:
            self.participation.end(now)
            self.collect()
        self.participation = self.fetching = self.drafted = self.committed = None
        self.later.clear()
        for request in self.lobby.all():
            self._withdraw(request)

    def _end(self, reason: EndReason, now: int, *, remote: bool, detail: str = "") -> None:
        self._go_out(now)
        self.opening = self.opening_link = self.asking = None
        self.waiting = Waiting(self.call_id)
        self.events.append(Ended(self.call_id, reason, remote, detail))


def _detail(refused: messages.Refused) -> str:
    return f"{refused.request}: {refused.reason} {refused.detail}".rstrip()


def _admission(request: JoinRequest) -> Admission:
    return Admission(request.certificate.account_key)


_FOR_NOTHING_IN_IT = frozenset(
    {"TOO_SOON", "WRONG_EPOCH", "CONFLICT", "RATE_LIMITED", "MAILBOX_FULL"}
)
"""Reasons of the service that say nothing about what a commit brings (chapter Delivery service)."""

ACTIONS: Mapping[Action, Callable[[GroupCallActions, Any, int], None]] = {
    action: getattr(GroupCallActions, action.value.replace("-", "_")) for action in Action
}
"""The method of each action, which has its name: (payload of the input, now) -> None."""
