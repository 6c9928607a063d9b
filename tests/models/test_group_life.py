"""The life of a group: anybody does anything at any time, over a network that delays, reorders and repeats.

The model is an honest ordering service with a log: it takes the first commit of each epoch and the proposals sent in it,
and drops what comes too late. Members follow the log at their own pace, so that several epochs are alive at once;
application messages reach anybody in any order, any number of times. What must hold is little and strong:

* members in the same epoch have the same GroupContext (so the same tree), epoch authenticator and exporter;
* an application message opens exactly once, for exactly those who were in its epoch with its sender;
* who was removed follows nothing and opens nothing of later epochs;
* whatever is refused has changed nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import E2EEError, Reason
from e2ee.mls.committing import PendingCommit
from e2ee.mls.errors import Rule
from e2ee.mls.framing import WireFormat
from e2ee.mls.group import ApplicationMessage, Group, ReceivedProposal, StagedCommit
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.private_message import PrivateMessage
from e2ee.mls.proposal import Add, Remove
from e2ee.mls.welcome import Welcome
from e2ee.testing.mls_members import Client, receiving, sending, snapshot

MOST_MEMBERS = 12
choices = st.integers(0, 1 << 16)
wire_formats = st.sampled_from([WireFormat.PUBLIC_MESSAGE, WireFormat.PRIVATE_MESSAGE])


@dataclass
class Participant:
    """A client, its groups by epoch (the newest is the present one), and how far it has read the log."""

    name: str
    groups: dict[int, Group]
    read: int
    removed: bool = False
    pending: dict[bytes, PendingCommit] = field(default_factory=dict)

    @property
    def group(self) -> Group:
        return self.groups[max(self.groups)]


@dataclass
class Entry:
    """A handshake message that the service took."""

    sender: str
    epoch: int
    message: MLSMessage


@dataclass
class Said:
    """An application message, and who has opened it."""

    sender: str
    epoch: int
    data: bytes
    message: MLSMessage
    opened_by: set[str] = field(default_factory=set)


class GroupLife(RuleBasedStateMachine):
    """See the module."""

    code_point: ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        self.suite = cipher_suite(self.code_point)
        self.entropy = SeededEntropy(b"group life", ML_KEM_768._encaps_internal)
        self.participants: list[Participant] = []
        self.log: list[Entry] = []
        self.epoch = 0
        self.said: list[Said] = []
        self.born = 0
        self.key_packages: dict[bytes, KeyPackageBundle] = {}

    @initialize(size=st.integers(1, 6))
    def begin(self, size: int) -> None:
        bundle = self.new_bundle()
        group = Group.create(bundle, group_id=b"life", policy=sending(), entropy=self.entropy)
        creator = Participant("client 0", {0: group}, read=0)
        self.participants = [creator]
        if size > 1:
            self.attempt_commit(creator, [self.new_add() for _ in range(1, size)])
        self.everybody_reads()

    # What members do

    @rule(
        who=choices,
        victim=choices,
        kind=st.sampled_from(["add", "remove", "update"]),
        how=wire_formats,
    )
    def propose(self, who: int, victim: int, kind: str, how: WireFormat) -> None:
        member = self.pick(self.members(), who)
        group = member.group
        if kind == "update":
            proposed = group.propose_update(entropy=self.entropy, wire_format=how)
        else:
            content = self.new_add() if kind == "add" else self.removal(group, victim)
            proposed = group.propose(
                content, policy=sending(), entropy=self.entropy, wire_format=how
            )
        if group.epoch == self.epoch:
            self.log.append(Entry(member.name, self.epoch, proposed.message))
        else:
            group.discard_proposal(proposed.reference)

    @rule(
        who=choices, adds=st.integers(0, 2), victims=st.lists(choices, max_size=2), how=wire_formats
    )
    def commit(self, who: int, adds: int, victims: list[int], how: WireFormat) -> None:
        """With all proposals that the member knows and that go together, as Section 12.4 asks of it."""
        member = self.pick(self.members(), who)
        group = member.group
        adds = min(adds, max(0, MOST_MEMBERS - len(group.members())))
        removals = {self.removal(group, victim).removed for victim in victims}
        removals -= {group.own_leaf_index}
        references = self.compatible(group, removals)
        contents = [self.new_add() for _ in range(adds)] + [Remove(leaf) for leaf in removals]
        self.attempt_commit(member, contents, references, how)

    @rule(who=choices, victims=st.lists(choices, max_size=2), known=st.lists(choices, max_size=4))
    def commit_carelessly(self, who: int, victims: list[int], known: list[int]) -> None:
        """Whatever list comes out; many are not valid."""
        member = self.pick(self.members(), who)
        references = list(member.group.proposals)
        chosen = {references[choice % len(references)] for choice in known if references}
        contents = [self.removal(member.group, victim) for victim in victims]
        self.attempt_commit(member, contents, sorted(chosen))

    @rule(who=choices)
    def commit_promptly(self, who: int) -> None:
        """Everybody has read everything, and somebody heals its keys."""
        self.everybody_reads()
        member = self.pick(self.members(), who)
        self.attempt_commit(member, [], self.compatible(member.group, set()))
        self.everybody_reads()

    @rule(who=choices, words=st.binary(max_size=8), padding=st.integers(0, 40))
    def say(self, who: int, words: bytes, padding: int) -> None:
        member = self.pick(self.members(), who)
        group = member.group
        if group.proposals:
            refused = self.refusal(group, lambda: group.protect(words, entropy=self.entropy))
            assert refused is Rule.COMMIT_REQUIRED
            return
        message = group.protect(words, entropy=self.entropy, padding=padding)
        self.said.append(Said(member.name, group.epoch, words, message))

    # What the network does

    @rule(who=choices, entries=st.integers(1, 4))
    def read(self, who: int, entries: int) -> None:
        member = self.pick(self.participants, who)
        for _ in range(entries):
            self.read_next(member)

    @precondition(lambda self: self.said)
    @rule(what=choices)
    def deliver_to_all(self, what: int) -> None:
        for who in range(len(self.participants)):
            self.deliver(what, who)

    @precondition(lambda self: self.said)
    @rule(what=choices, who=choices)
    def deliver(self, what: int, who: int) -> None:
        said, reader = self.pick(self.said, what), self.pick(self.participants, who)
        group = reader.groups.get(said.epoch)
        if group is None or reader.name == said.sender or reader.name in said.opened_by:
            self.cannot_open(reader, said)
            return
        received = group.receive(said.message, policy=receiving())
        assert isinstance(received, ApplicationMessage)
        assert received.data == said.data
        assert group.members()
        said.opened_by.add(reader.name)

    @precondition(lambda self: self.said)
    @rule(what=choices, who=choices, bit=choices)
    def change_a_bit(self, what: int, who: int, bit: int) -> None:
        said, reader = self.pick(self.said, what), self.pick(self.participants, who)
        assert isinstance(said.message.body, PrivateMessage)
        ciphertext = bytearray(said.message.body.ciphertext)
        ciphertext[bit // 8 % len(ciphertext)] ^= 1 << bit % 8
        forged = MLSMessage.of(replace(said.message.body, ciphertext=bytes(ciphertext)))
        self.cannot_open(reader, replace(said, message=forged))

    @precondition(lambda self: self.log)
    @rule(what=choices, who=choices)
    def repeat_a_handshake(self, what: int, who: int) -> None:
        """One that the member has read before."""
        reader = self.pick(self.participants, who)
        if reader.read == 0:
            return
        entry = self.log[what % reader.read]
        group = reader.group
        if group.epoch == entry.epoch and reader.name != entry.sender:
            return  # of the epoch that the member is in: it may come again
        self.refusal(group, lambda: group.receive(entry.message, policy=receiving()))

    @rule()
    def everybody_reads(self) -> None:
        for member in self.participants:
            while member.read < len(self.log):
                self.read_next(member)

    # What must hold

    @invariant()
    def members_of_an_epoch_agree(self) -> None:
        views: dict[int, tuple[Any, ...]] = {}
        for member in self.members():
            group = member.group
            view = (
                group.group_context,
                group.epoch_authenticator.hex(),
                group.export("life", b"", 32).hex(),
            )
            assert views.setdefault(group.epoch, view) == view

    @invariant()
    def each_member_is_where_it_thinks(self) -> None:
        for member in self.members():
            leaf_node = member.group.tree.leaf(member.group.own_leaf_index)
            assert leaf_node is not None
            assert leaf_node.credential.value == member.name.encode()

    # Steps

    def attempt_commit(
        self,
        member: Participant,
        contents: list[Any],
        references: list[bytes] | None = None,
        how: WireFormat = WireFormat.PUBLIC_MESSAGE,
    ) -> None:
        """A commit, which the service takes if it is the epoch's first; a list that is not valid changes nothing."""
        group, before = member.group, snapshot(member.group)
        try:
            pending = group.commit(
                proposals=contents,
                references=references or (),
                wire_format=how,
                policy=sending(),
                entropy=self.entropy,
            )
        except E2EEError as error:
            assert error.reason in INVALID_LISTS, error
            assert snapshot(group) == before
            return
        if how is WireFormat.PUBLIC_MESSAGE:
            assert snapshot(group) == before
        if group.epoch != self.epoch:
            return
        entry = Entry(member.name, self.epoch, pending.message)
        self.log.append(entry)
        self.epoch += 1
        member.pending[pending.message.encode()] = pending
        self.welcome(pending)

    def welcome(self, pending: PendingCommit) -> None:
        for added in pending.staged.added:
            assert pending.welcome is not None
            assert isinstance(pending.welcome.body, Welcome)
            bundle = self.key_packages[added.key_package.encode()]
            group = join(pending.welcome.body, bundle, policy=receiving())
            assert group.own_leaf_index == added.leaf_index
            identity = added.key_package.leaf_node.credential.value
            assert isinstance(identity, bytes)
            self.participants.append(
                Participant(identity.decode(), {group.epoch: group}, len(self.log))
            )

    def read_next(self, member: Participant) -> None:
        if member.read == len(self.log):
            return
        entry = self.log[member.read]
        member.read += 1
        group = member.group
        if member.removed:
            self.refusal(group, lambda: group.receive(entry.message, policy=receiving()))
            return
        pending = member.pending.pop(entry.message.encode(), None)
        if pending is not None:
            self.enter(member, pending.staged)
        elif entry.sender == member.name:
            refused = self.refusal(group, lambda: group.receive(entry.message, policy=receiving()))
            assert refused is Rule.OWN_MESSAGE
        else:
            self.follow(member, entry.message)

    def follow(self, member: Participant, message: MLSMessage) -> None:
        before = snapshot(member.group)
        received = member.group.receive(message, policy=receiving())
        if isinstance(received, ReceivedProposal):
            assert received.reference in member.group.proposals
            return
        assert isinstance(received, StagedCommit)
        if isinstance(message.body, PrivateMessage):
            assert snapshot(member.group) != before  # its key is gone
        else:
            assert snapshot(member.group) == before
        self.enter(member, received)

    def enter(self, member: Participant, staged: StagedCommit) -> None:
        if staged.removes_own_leaf:
            member.removed = True
            reason = self.refusal(member.group, lambda: member.group.merge(staged))
            assert reason is Rule.REMOVED_FROM_GROUP
            return
        group = member.group.merge(staged)
        member.groups[group.epoch] = group
        member.pending.clear()

    def cannot_open(self, reader: Participant, said: Said) -> None:
        group = reader.groups.get(said.epoch, reader.group)
        self.refusal(group, lambda: group.receive(said.message, policy=receiving()))

    def refusal(self, group: Group, action: Callable[[], object]) -> Reason:
        before = snapshot(group)
        with pytest.raises(E2EEError) as refused:
            action()
        assert snapshot(group) == before
        return refused.value.reason

    # Who and what

    def members(self) -> list[Participant]:
        return [member for member in self.participants if not member.removed]

    def pick(self, items: list[Any], choice: int) -> Any:
        return items[choice % len(items)]

    def compatible(self, group: Group, changed: set[int]) -> list[bytes]:
        """References of proposals that this member may commit together; ``changed`` leaves are changed already."""
        own, changed, chosen = group.own_leaf_index, set(changed), []
        room = MOST_MEMBERS - len(group.members())
        for reference, sent in group.proposals.items():
            match sent.proposal.content:
                case Add():
                    room -= 1
                    fits = room >= 0
                case Remove(removed):
                    fits = removed not in changed | {own}
                    changed.add(removed)
                case _:
                    fits = sent.sender not in changed | {own}
                    changed.add(sent.sender)
            if fits:
                chosen.append(reference)
        return chosen

    def removal(self, group: Group, victim: int) -> Remove:
        return Remove(self.pick(list(group.members()), victim).leaf_index)

    def new_add(self) -> Add:
        return Add(self.new_bundle().key_package)

    def new_bundle(self) -> KeyPackageBundle:
        client = Client.make(f"client {self.born}", self.suite, self.entropy)
        self.born += 1
        bundle = client.bundle(self.entropy)
        self.key_packages[bundle.key_package.encode()] = bundle
        return bundle


INVALID_LISTS = {
    Rule.LEAF_CHANGED_TWICE,
    Rule.REMOVE_OF_COMMITTER,
    Rule.UPDATE_BY_COMMITTER,
    Rule.REMOVE_OF_BLANK_LEAF,
}
"""What random lists of valid proposals can be refused for."""


class X25519Life(GroupLife):
    """Suite 0x0001."""

    code_point = 0x0001


class HybridLife(GroupLife):
    """The hybrid suite, whose reproducible encapsulation costs 7 ms each: fewer and shorter lives."""

    code_point = 0xF0E2


PROFILE = settings()
TestX25519Life = X25519Life.TestCase
TestX25519Life.settings = settings(max_examples=PROFILE.max_examples // 3, stateful_step_count=50)
TestHybridLife = HybridLife.TestCase
TestHybridLife.settings = settings(max_examples=PROFILE.max_examples // 20, stateful_step_count=30)
