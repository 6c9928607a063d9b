"""Participation: what one member has of a group call from when it comes in until it goes, or comes in anew.

    participation.apply(logged, now)      the next epoch: who stays keeps what it said of itself, who goes takes it along
    participation.hear(said, now)         what another member says, found to be one that may say it
    participation.say(...)                what is said here, in the epoch of now

With it go the epochs and their keys. Whoever hears something looks first and raises before anything changes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from e2ee.call.conversation import Conversation
from e2ee.call.epochs import Epochs
from e2ee.call.errors import CallRefused
from e2ee.call.events import Event, LagChanged
from e2ee.call.group.announced_removals import AnnouncedRemovals
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import (
    HandRaised,
    InvitedToStage,
    MemberLeft,
    MuteRequested,
    StageReplied,
    StreamsChanged,
)
from e2ee.call.group.link import GroupLink
from e2ee.call.group.stage import Stage
from e2ee.call.group.streams import AnnouncedStream, Announcements, announcement
from e2ee.call.logged import Logged
from e2ee.call.owner import Owner
from e2ee.call.policy import Said
from e2ee.call.roster import Member
from e2ee.crypto.secret import Secret
from e2ee.media.encoded_frame import Kind
from e2ee.profile.call_profile import CallProfile
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage, FromDevice

__all__ = ["Change", "Participation"]


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit did: who made it, whom it let in and took out, and the profile before it."""

    committer: Member
    added: tuple[Member, ...]
    removed: tuple[Member, ...]
    profile_before: CallProfile
    link_before: GroupLink | None


class Participation:
    """See the module. ``now`` is Unix time in milliseconds."""

    def __init__(
        self,
        owner: Owner,
        call_id: bytes,
        epochs: Epochs,
        now: int,
        *,
        awaited_hosts: frozenset[bytes] = frozenset(),
    ) -> None:
        self.call_id = call_id
        self.epochs = epochs
        self.entered_with = epochs.number
        """The epoch with which this member came in."""
        self.awaited_hosts = awaited_hosts
        """GROUP-11: the hosts, by account key, one of whom has to say something before this member sends frames."""
        self.conversation = Conversation(call_id, owner.trust, owner.configuration.chat)
        self.announcements = Announcements()
        self.own_streams: tuple[AnnouncedStream, ...] = ()
        self.stage = Stage()
        self.left: set[int] = set()
        """GROUP-16: the leaves of those who said that they left."""
        self.removals = AnnouncedRemovals()
        self._removing_said: set[tuple[int, bytes]] = set()
        self._owner = owner
        self._events: deque[Event] = deque()
        self.outbox: deque[FromDevice] = deque()
        self.conversation.enter_epoch(epochs, now)
        self._await_who_is_there()

    # What this member says

    def say(self, message: CallMessage) -> None:
        """Tell all other members, in this epoch."""
        sealed = self.epochs.protect(message, self._owner.entropy)
        self.outbox.append(messages.Send(self.call_id, sealed))

    def say_alive(self, now: int) -> None:
        """CALL-11, GROUP-19."""
        self.say(messages.Alive(self.epochs.number, now))
        self.epochs.alive.said(now)

    def announce(self, streams: tuple[AnnouncedStream, ...]) -> None:
        """GROUP-18: "MUST tell with `streams` what it publishes"."""
        self.say(announcement(streams))
        self.own_streams = streams

    def say_removing(self, leaves: frozenset[int], now: int) -> None:
        """GROUP-15: "A host who removes a member MUST send `removing` before its commit." Of each once."""
        for leaf in sorted(leaves):
            member = self.epochs.member(leaf)
            key = member.certificate.signature_key
            if (leaf, key) not in self._removing_said:
                self.say(messages.Removing(leaf))
                self._removing_said.add((leaf, key))
                self.removals.announce(key, self._owner.certificate.account_key, now)

    def say_new_link(self, link: GroupLink) -> None:
        """GROUP-14: "MUST send `new_link` in the epoch before the commit that brings its `link_id`"."""
        if link.secret is not None:
            self.say(messages.NewLink(bytes(link.secret)))
            self.epochs.set_link(link)

    # Epochs

    def apply(self, logged: Logged, now: int) -> Change:
        """Enter the epoch that a commit begins, which does not remove this member."""
        epochs = self.epochs
        before, link = epochs.profile, epochs.link
        removed = tuple(epochs.member(leaf) for leaf in sorted(logged.removed))
        committer = epochs.apply(logged, now)
        newcomers = {member.leaf_index for member in logged.added}
        self._keep_only(epochs.others - newcomers)
        self._await_who_is_there()
        self.conversation.enter_epoch(epochs, now)
        if epochs.alive.due_at <= now:
            self.say_alive(now)
        if newcomers:
            self._introduce()
        return Change(committer, logged.added, removed, before, link)

    def _keep_only(self, stayed: frozenset[int]) -> None:
        self.left &= stayed
        self.stage.keep_only(stayed)
        silenced = self.announcements.by_leaf.keys() & (stayed - self.epochs.speakers)
        self.announcements.keep_only(stayed & self.epochs.speakers)
        for leaf in sorted(silenced):
            self._tell(StreamsChanged(self.call_id, self.epochs.member(leaf), ()))
        if not self.epochs.may_speak:
            self.own_streams = ()
        self._removing_said = {each for each in self._removing_said if each[0] in stayed}
        present = {each.certificate.signature_key for each in self.epochs.members}
        self.removals.settle(present, self.epochs.profile.hosts)

    def _introduce(self) -> None:
        """GROUP-18: "when a commit has added somebody"."""
        if self.own_streams:
            self.say(announcement(self.own_streams))
        if self.stage.own_hand:
            self.say(messages.Hand(raised=True))

    # What others say

    def hear(self, said: Said, now: int) -> None:
        """Raises RemoteProtocolError; then nothing has changed."""
        member = self.epochs.member(said.sender)
        if isinstance(said.message, _ABOUT_A_MEMBER):
            self._check_about(said.message.leaf, said.epoch)
        if (hear := _HEARD.get(type(said.message))) is not None:
            hear(self, member, said.message, now)
        else:
            self.conversation.hear(said, member, now)
        self.epochs.frame_keys.heard(said.sender, said.epoch, now)  # FKEY-13
        self._note_host(member)

    def acknowledge(self, said: Said, now: int) -> None:
        """CALL-11, CALL-24."""
        epochs, alive = self.epochs, said.message
        assert isinstance(alive, messages.Alive)  # noqa: S101 - its input says so
        epochs.frame_keys.acknowledged(said.sender, said.epoch, now)
        self._note_host(epochs.member(said.sender))
        if (lag := epochs.alive.heard(said, alive, now)) is not None:
            self._tell(LagChanged(self.call_id, epochs.member(said.sender), lag))

    def _note_host(self, member: Member) -> None:
        if member.account_key in self.awaited_hosts:
            self.awaited_hosts = frozenset()

    def _await_who_is_there(self) -> None:
        """GROUP-25: "as soon as no leaf but its own is that of a host that it was told of it may send frames"."""
        if self._owner.certificate.account_key not in self.awaited_hosts:
            return
        others = (self.epochs.member(leaf).account_key for leaf in self.epochs.others)
        if self.awaited_hosts.isdisjoint(others):
            self.awaited_hosts = frozenset()

    def _hear_streams(self, member: Member, message: messages.Streams, _now: int) -> None:
        """GROUP-18."""
        if message.kinds and member.leaf_index not in self.epochs.speakers:
            raise CallRefused(GroupReason.NOT_A_SPEAKER, f"leaf {member.leaf_index}")
        streams = self.announcements.take(member.leaf_index, message)
        self._tell(StreamsChanged(self.call_id, member, streams))

    def _hear_hand(self, member: Member, message: messages.Hand, _now: int) -> None:
        if self.stage.raise_hand(member.leaf_index, raised=message.raised):
            self._tell(HandRaised(self.call_id, member, message.raised))

    def _hear_stage_invitation(
        self, member: Member, message: messages.StageInvitation, _now: int
    ) -> None:
        self.stage.invite(message.leaf)
        if message.leaf == self.epochs.own_leaf:
            self._tell(InvitedToStage(self.call_id, member))

    def _hear_stage_reply(self, member: Member, message: messages.StageReply, _now: int) -> None:
        self.stage.reply(member.leaf_index)
        self._tell(StageReplied(self.call_id, member, message.accepted))

    def _hear_mute_request(self, member: Member, message: messages.MuteRequest, _now: int) -> None:
        try:
            kind = Kind(message.kind)
        except ValueError:
            raise CallRefused(GroupReason.BAD_STREAMS, f"kind {message.kind}") from None
        if message.leaf == self.epochs.own_leaf:
            self._tell(MuteRequested(self.call_id, member, kind))

    def _hear_removing(self, member: Member, message: messages.Removing, now: int) -> None:
        """GROUP-15."""
        target = self.epochs.member(message.leaf)
        self.removals.announce(target.certificate.signature_key, member.account_key, now)

    def _hear_left(self, member: Member, _message: messages.Left, _now: int) -> None:
        """GROUP-16."""
        self.left.add(member.leaf_index)
        self._tell(MemberLeft(self.call_id, member))

    def _hear_new_link(self, _member: Member, message: messages.NewLink, _now: int) -> None:
        """GROUP-14: it holds when a commit names it."""
        self.epochs.set_link(GroupLink(self.call_id, Secret(message.secret)))

    def _check_about(self, leaf: int, epoch: int) -> None:
        """A message of ``epoch`` is about the member at ``leaf``. Raises CallRefused."""
        # GROUP-13: "is who had the leaf in the epoch in which it was said"
        if not self.epochs.is_same(leaf, epoch):
            raise CallRefused(GroupReason.NO_SUCH_MEMBER, f"leaf {leaf}, in epoch {epoch}")

    # What comes of it

    def _tell(self, event: Event) -> None:
        self._events.append(event)

    def next_event(self) -> Event | None:
        """The next thing to tell the application, or None."""
        return self._events.popleft() if self._events else self.conversation.next_event()

    def messages_to_send(self) -> list[FromDevice]:
        """What goes to the delivery service, in this order; given once."""
        outgoing = list(self.outbox)
        self.outbox.clear()
        return outgoing

    def end(self, now: int) -> None:
        """CALL-13: "a device MUST erase the call's keys"."""
        self.epochs.erase()
        self.conversation.end(now, by_others=True)


_ABOUT_A_MEMBER = (messages.StageInvitation, messages.MuteRequest, messages.Removing)

_HEARD: Mapping[type[CallMessage], Callable[[Participation, Member, Any, int], None]] = {
    messages.Streams: Participation._hear_streams,
    messages.Hand: Participation._hear_hand,
    messages.StageInvitation: Participation._hear_stage_invitation,
    messages.StageReply: Participation._hear_stage_reply,
    messages.MuteRequest: Participation._hear_mute_request,
    messages.Removing: Participation._hear_removing,
    messages.Left: Participation._hear_left,
    messages.NewLink: Participation._hear_new_link,
}
