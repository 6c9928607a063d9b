"""The actions until a device is in a group call: opening it, asking, fetching the tree, entering, and all of that anew."""

from __future__ import annotations

from typing import cast

from e2ee.call.epochs import Epochs
from e2ee.call.group.asking import Asking, Entrance
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import (
    GroupCallOpened,
    Joined,
    JoinRequestSent,
    JoinsAnew,
)
from e2ee.call.group.ground import Ground
from e2ee.call.group.link import GroupLink
from e2ee.call.group.participation import Participation
from e2ee.call.group.payloads import Anew, Entry
from e2ee.call.group.tree_parts import Meanwhile, TreeParts
from e2ee.mls.group import Group
from e2ee.profile.roster import Roster
from e2ee.signalling import messages

__all__ = ["ComingIn"]


class ComingIn(Ground):
    """See the module."""

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
        awaited = frozenset[bytes]() if has_secret else entrance.hosts
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
