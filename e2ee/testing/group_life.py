"""A simulated group under watch: whatever is done in it, what must hold is checked as it goes.

* Members in the same epoch have the same GroupContext (so the same tree), epoch authenticator and exporter, and their
  private keys are those of the public keys in the tree, with none missing.
* An application message opens exactly once, for exactly those who were in its epoch with its sender.
* Who was removed follows nothing and opens nothing of later epochs.
* Who misses a commit, a proposal or a PSK is told so, by the rule, and follows once it has it, or comes back.
* Whatever is refused has changed nothing at all.

What does not hold is a ``Violation``. Who does what, and what reaches whom, is for the test to choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from e2ee.crypto.cipher_suite import CipherSuite
from e2ee.crypto.entropy import Entropy
from e2ee.errors import E2EEError, Reason
from e2ee.mls.errors import Rule
from e2ee.mls.external_joining import PendingJoin, external_join
from e2ee.mls.framing import WireFormat
from e2ee.mls.group import ApplicationMessage, Group, ReceivedProposal, StagedCommit
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.private_message import PrivateMessage
from e2ee.mls.proposal import Add, GroupContextExtensions, ProposalContent, Remove, Update
from e2ee.testing.mls_members import Client, receiving, sending, snapshot
from e2ee.testing.simulated_group import Entry, Participant, Said, SimulatedGroup

__all__ = ["FATES", "MOST_MEMBERS", "GroupLife", "ValidList", "Violation", "expect"]

MOST_MEMBERS = 40

FATES = ("read", "wait", "lose")
"""What happens to a participant when there is something to read: it reads all, or nothing, or loses the next entry."""


class Violation(AssertionError):
    """Something that must hold does not."""


def expect(holds: bool, what: object) -> None:
    """Raises Violation."""
    if not holds:
        raise Violation(what)


class GroupLife(SimulatedGroup):
    """See the module."""

    def __init__(self, suite: CipherSuite, entropy: Entropy) -> None:
        super().__init__(suite, entropy)
        self.said: list[Said] = []

    # Who

    def members(self) -> list[Participant]:
        """Who believes to be one. There is always somebody: nobody removes itself."""
        return [who for who in self.participants if not who.is_out]

    def up_to_date(self) -> list[Participant]:
        """Those in the service's epoch."""
        return [who for who in self.members() if who.group.epoch == self.epoch]

    # What members do

    def propose(self, who: Participant, content: ProposalContent | None, how: WireFormat) -> None:
        """By reference; None is an own Update. The service may be in another epoch, and then nobody hears of it."""
        group, entropy = who.group, self.entropy
        if content is None:
            proposed = group.propose_update(entropy=entropy, wire_format=how)
        else:
            proposed = group.propose(content, policy=sending(), entropy=entropy, wire_format=how)
        if not self.offer(Entry(who, group.epoch, proposed.message)):
            group.discard_proposal(proposed.reference)

    def commit(
        self,
        who: Participant,
        contents: Sequence[ProposalContent] = (),
        references: Iterable[bytes] = (),
        *,
        may_fail: frozenset[Rule] = frozenset(),
        wire_format: WireFormat = WireFormat.PUBLIC_MESSAGE,
        update_path: bool = True,
    ) -> bool:
        """Whether the service takes it. If the list is not valid, for a reason that is expected, nothing has changed."""
        group, names, before = who.group, frozenset(references), snapshot(who.group)
        try:
            pending = group.commit(
                proposals=contents,
                references=sorted(names),
                psks=who.psks,
                policy=sending(),
                entropy=self.entropy,
                wire_format=wire_format,
                update_path=update_path,
            )
        except E2EEError as error:
            expect(error.reason in may_fail, error)
            expect(snapshot(group) == before, "a commit that was not made changed something")
            return False
        if wire_format is WireFormat.PUBLIC_MESSAGE:
            expect(snapshot(group) == before, "a commit that was not merged changed something")
        return self.offer_commit(who, pending, names)

    def say(self, who: Participant, data: bytes, padding: int = 0) -> Said | None:
        """An application message, unless there are proposals, with which nothing can be said."""
        group = who.group
        if group.proposals:
            reason = self.refusal(group, lambda: group.protect(data, entropy=self.entropy))
            expect(reason is Rule.COMMIT_REQUIRED, reason)
            return None
        message = group.protect(data, entropy=self.entropy, padding=padding)
        said = Said(who, group.epoch, data, message)
        self.said.append(said)
        return said

    def external_join(self, group: Group, client: Client, resync: int | None = None) -> PendingJoin:
        """What somebody makes of a member's GroupInfo."""
        info = group.group_info().body
        if not isinstance(info, GroupInfo):
            raise TypeError("no GroupInfo")
        return external_join(
            info,
            self.bundle(client),
            policy=receiving(),
            entropy=self.entropy,
            resync=resync,
        )

    def come_back(self, who: Participant, informant: Participant) -> None:
        """By an own commit that removes the old leaf, unless that was removed unseen."""
        own = who.group.own_leaf_index
        old = informant.group.tree.leaf(own)
        is_in = old is not None and old.signature_key == who.client.signing_key.public
        join = self.external_join(informant.group, who.client, own if is_in else None)
        taken = self.offer_return(who, join.message, join.group)
        expect(taken, "an informant who is up to date led to a commit of another epoch")

    def restart(self, who: Participant) -> None:
        """A client ends, and begins again with what it had stored."""
        before = snapshot(who.groups), snapshot(who.pending)
        stored = {epoch: group.serialize() for epoch, group in who.groups.items()}
        commits = {message: commit.serialize() for message, commit in who.pending.items()}
        who.groups = {epoch: Group.deserialize(group) for epoch, group in stored.items()}
        who.pending = {
            message: who.group.restore_commit(commit) for message, commit in commits.items()
        }
        expect((snapshot(who.groups), snapshot(who.pending)) == before, "restored differently")

    # What reaches them

    def spread(self, fates: Sequence[str]) -> None:
        """The participants' fates, in turn and over and over."""
        for i, who in enumerate(self.participants):
            fate = fates[i % len(fates)]
            if fate == "lose" and self.unread(who) is not None:
                self.lose(who)
            while fate != "wait" and self.unread(who) is not None:
                self.read_next(who)
                if who.is_out or self.has_missed_a_commit(who):
                    self.lose_the_rest(who)

    def read_next(self, who: Participant) -> None:
        """If there is something to read."""
        entry = self.unread(who)
        if entry is None:
            return
        number, pending = who.read, who.pending.get(entry.message.encode())
        who.read += 1
        if pending is not None and entry.epoch == who.group.epoch:
            self._enter(who, pending.staged)
        elif (due := self._due(who, number, entry)) is None:
            self._follow(who, number, entry)
        else:
            reason = self.refusal(who.group, lambda: who.receive(entry.message))
            expect(reason is due or (who.is_out and reason is Rule.OWN_MESSAGE), (reason, due))
            if number == self.ends.get(who.group.epoch):
                who.lost.add(number)

    def _due(self, who: Participant, number: int, entry: Entry) -> Rule | None:
        """The rule by which this one cannot follow, if it cannot."""
        if who.is_out or entry.epoch != who.group.epoch:
            return Rule.WRONG_EPOCH
        if entry.sender is who:
            return Rule.OWN_MESSAGE
        if number in who.seen and isinstance(entry.message.body, PrivateMessage):
            return Rule.GENERATION_CONSUMED
        if not entry.references <= who.group.proposals.keys():
            return Rule.PROPOSAL_REFERENCE_UNKNOWN
        return None

    def _follow(self, who: Participant, number: int, entry: Entry) -> None:
        before = snapshot(who.group)
        try:
            received = who.receive(entry.message)
        except E2EEError as error:
            expect(error.reason is Rule.PSK_UNKNOWN, error)
            expect(snapshot(who.group) == before, "a missing PSK changed something")
            expect(who.psks.keys() < self.psks.keys(), "nothing is missing")
            who.psks.update(self.psks)
            received = who.receive(entry.message)
        if isinstance(received, ReceivedProposal):
            expect(received.reference in who.group.proposals, "a proposal was not kept")
            who.seen.add(number)
        elif isinstance(received, StagedCommit):
            uses_a_key = isinstance(entry.message.body, PrivateMessage)
            expect((snapshot(who.group) != before) == uses_a_key, "more changed than a key")
            self._enter(who, received)
        else:
            raise Violation("application data in the log")

    def _enter(self, who: Participant, staged: StagedCommit) -> None:
        if staged.removes_own_leaf:
            who.is_out = True
            reason = self.refusal(who.group, lambda: who.group.merge(staged))
            expect(reason is Rule.REMOVED_FROM_GROUP, reason)
            return
        self.enter(who, who.group.merge(staged))
        _check_private_keys(who.group)

    def hear(self, who: Participant, said: Said) -> None:
        """An application message opens for who is due, and for nobody else."""
        group = who.groups.get(said.epoch)
        if group is None or who is said.sender or who in said.opened_by:
            self.cannot_hear(who, said)
            return
        received = group.receive(said.message, policy=receiving())
        if not isinstance(received, ApplicationMessage):
            raise Violation("no application message")
        expect(received.data == said.data, "other data")
        sender = said.sender.groups[said.epoch].own_leaf_index
        expect(received.sender == sender, "another sender")
        said.opened_by.add(who)

    def cannot_hear(self, who: Participant, said: Said) -> None:
        """It does not open."""
        group = who.groups.get(said.epoch, who.group)
        self.refusal(group, lambda: group.receive(said.message, policy=receiving()))

    def refusal(self, group: Group, action: Callable[[], object]) -> Reason:
        """Why ``action`` is refused, which leaves the group as it was."""
        before = snapshot(group)
        try:
            action()
        except E2EEError as error:
            expect(snapshot(group) == before, "what was refused changed something")
            return error.reason
        raise Violation("it was not refused")

    # What must hold at all times

    def check_agreement(self) -> None:
        """Among all who are in the same epoch; and each is where it thinks."""
        views: dict[int, tuple[Any, ...]] = {}
        for who in self.members():
            group = who.group
            view = (
                group.group_context,
                group.epoch_authenticator.hex(),
                group.export("life", b"", 32).hex(),
            )
            expect(views.setdefault(group.epoch, view) == view, f"{who.name} disagrees")
            leaf_node = group.tree.leaf(group.own_leaf_index)
            own_key = who.client.signing_key.public
            expect(leaf_node is not None and leaf_node.signature_key == own_key, who.name)


def _check_private_keys(group: Group) -> None:
    """They are those of the public keys in the tree, and none is missing."""
    keys, kem = group._require_keys().tree, group.cipher_suite.hpke.kem
    expect(keys.leaf_index == group.own_leaf_index, "keys of another leaf")
    expect(keys.missing_in(group.tree) == [], "a private key is missing")
    for x, pair in keys.key_pairs.items():
        node = group.tree.node(x)
        own = node is not None and node.encryption_key == pair.public
        expect(own and kem.public_key(pair.private) == pair.public, f"key of node {x}")


class ValidList:
    """A proposal list of one committer that is valid so far."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._changed = {group.own_leaf_index}
        self._clients = {member.leaf_node.signature_key for member in group.members()}
        self._room = MOST_MEMBERS - len(group.members())
        self._has_extensions = False

    def references(self) -> list[bytes]:
        """Of the proposals sent, those that go together."""
        return [
            reference
            for reference, sent in self._group.proposals.items()
            if self.takes(sent.proposal.content, sent.sender.index)
        ]

    def takes(self, content: ProposalContent, sender: int | None = None) -> bool:
        """Whether this proposal goes with those that were taken before; then it is one of them."""
        match content:
            case Add(key_package):
                return self._takes_client(key_package.leaf_node.signature_key)
            case Remove(leaf_index):
                return self._group.tree.leaf(leaf_index) is not None and self._changes(leaf_index)
            case Update():
                return sender is not None and self._changes(sender)
            case GroupContextExtensions():
                is_first, self._has_extensions = not self._has_extensions, True
                return is_first
            case _:
                return True

    def _takes_client(self, signature_key: bytes) -> bool:
        if signature_key in self._clients or self._room == 0:
            return False
        self._clients.add(signature_key)
        self._room -= 1
        return True

    def _changes(self, leaf_index: int) -> bool:
        """A leaf is updated or removed once, and the committer's not at all."""
        is_new = leaf_index not in self._changed
        self._changed.add(leaf_index)
        return is_new
