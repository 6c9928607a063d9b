"""Groups and commits as stateful building blocks: anybody does anything at any time, over a network that delays, reorders,
repeats and loses.

    class MyMachine(GroupMachine):
        code_points = (0x0001,)

        @rule(who=choices)
        def do_something_of_mine(self, who): ...self.actor(who)...

    TestMine = MyMachine.TestCase

Hypothesis chooses; ``GroupLife`` (``self.life``) watches over what must hold. A subclass adds rules and invariants, or
changes with whom it begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, TypeVar

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.mls.errors import Rule
from e2ee.mls.external_proposing import propose_externally, propose_to_join
from e2ee.mls.framing import WireFormat
from e2ee.mls.message import MLSMessage
from e2ee.mls.private_message import PrivateMessage
from e2ee.mls.proposal import GroupContextExtensions, ProposalContent, Remove
from e2ee.testing.group_life import FATES, MOST_MEMBERS, GroupLife, ValidList, expect
from e2ee.testing.mls_members import sending
from e2ee.testing.simulated_group import Participant

__all__ = ["GroupMachine", "choices", "fates", "pick", "wire_formats"]

Proposed = tuple[int, str, int, WireFormat]

choices = st.integers(0, 1 << 16)
"""Which of those that there are, modulo their number: see ``pick``."""

wire_formats = st.sampled_from([WireFormat.PUBLIC_MESSAGE, WireFormat.PRIVATE_MESSAGE])
fates = st.lists(st.sampled_from(["read", "read", *FATES]), min_size=1, max_size=6)
proposable = st.sampled_from(["add", "remove", "update", "psk", "extensions"])
proposed_by_members = st.lists(st.tuples(choices, proposable, choices, wire_formats), max_size=4)
committable = st.sampled_from(["add", "add", "readd", "remove", "psk", "extensions"])


T = TypeVar("T")


def pick(items: Sequence[T], choice: int) -> T:
    """The item that a choice stands for."""
    return items[choice % len(items)]


class GroupMachine(RuleBasedStateMachine):
    """A group's whole life: one of its machines is one life, begun by 1 to 9 members of one suite."""

    code_points: ClassVar[Sequence[int]] = (0x0001,)
    sizes: ClassVar[Sequence[int]] = range(1, 10)

    @initialize(size=choices, suite=choices)
    def begin(self, size: int, suite: int) -> None:
        entropy = SeededEntropy(b"group life", ML_KEM_768._encaps_internal)
        self.life = GroupLife(cipher_suite(pick(self.code_points, suite)), entropy)
        self.life.begin(pick(self.sizes, size))

    # What members do

    @rule(proposed=proposed_by_members, then=fates)
    def propose(self, proposed: list[Proposed], then: list[str]) -> None:
        for who, kind, what, how in proposed:
            member = self.actor(who)
            content = None if kind == "update" else self.content(member, kind, what)
            self.life.propose(member, content, how)
        self.life.spread(then)

    @rule(
        proposed=proposed_by_members,
        meanwhile=fates,
        who=choices,
        kinds=st.lists(committable, max_size=4),
        what=choices,
        update_path=st.booleans(),
        how=wire_formats,
        then=fates,
    )
    def commit(
        self,
        proposed: list[Proposed],
        meanwhile: list[str],
        who: int,
        kinds: list[str],
        what: int,
        update_path: bool,
        how: WireFormat,
        then: list[str],
    ) -> None:
        """All proposals that the member knows and that go together, as Section 12.4 asks of it, and some of its own."""
        self.propose(proposed, meanwhile)
        member = self.actor(who)
        valid = ValidList(member.group)
        references = valid.references()
        contents = [self.content(member, kind, what + i) for i, kind in enumerate(kinds)]
        self.life.commit(
            member,
            [content for content in contents if valid.takes(content)],
            references,
            may_fail=frozenset({Rule.PSK_UNKNOWN}),
            wire_format=how,
            update_path=update_path,
        )
        self.life.spread(then)

    @rule(who=choices, victims=st.lists(choices, max_size=2), known=st.lists(choices, max_size=4))
    def commit_carelessly(self, who: int, victims: list[int], known: list[int]) -> None:
        """Whatever list comes out; many are not valid."""
        member = self.actor(who)
        sent = list(member.group.proposals)
        references = {pick(sent, choice) for choice in known if sent}
        contents = [self.content(member, "remove", victim) for victim in victims]
        self.life.commit(member, contents, references, may_fail=INVALID_LISTS)

    @rule(who=choices, words=st.binary(max_size=8), padding=st.integers(0, 40), then=fates)
    def say(self, who: int, words: bytes, padding: int, then: list[str]) -> None:
        """Something that some hear at once, and others late or never."""
        if (said := self.life.say(self.actor(who), words, padding)) is not None:
            for i, member in enumerate(self.life.participants):
                if pick(then, i) == "read":
                    self.life.hear(member, said)

    @rule(psk_id=st.binary(max_size=2), without=choices)
    def share_a_psk(self, psk_id: bytes, without: int) -> None:
        """Somebody does not get it."""
        secret = self.life.psks.setdefault(psk_id, Secret(b"psk " + psk_id))
        for who in self.life.participants:
            who.psks.setdefault(psk_id, secret)
        pick(self.life.participants, without).psks.pop(psk_id)

    @rule(who=choices)
    def restart(self, who: int) -> None:
        self.life.restart(pick(self.life.participants, who))

    @rule(who=choices, informant=choices)
    def come_back(self, who: int, informant: int) -> None:
        """Who has to; and sometimes somebody who could do without."""
        lost = [member for member in self.life.members() if self.life.has_missed_a_commit(member)]
        member = pick(lost or self.life.members(), who)
        informants = [each for each in self.life.up_to_date() if each is not member]
        if informants and (lost or who % 4 == 0):
            self.life.come_back(member, pick(informants, informant))

    # What others do

    @rule(victim=choices, kind=st.sampled_from(["add", "remove", "psk"]))
    def the_service_proposes(self, victim: int, kind: str) -> None:
        for member in self.life.up_to_date()[:1]:
            message = propose_externally(
                self.content(member, kind, victim),
                self.life.service.private,
                suite=self.life.suite,
                group_id=member.group.group_id,
                epoch=member.group.epoch,
                sender_index=0,
                policy=sending(),
            )
            self.life.offer_from_outside(message)

    @rule()
    def a_newcomer_proposes_itself(self) -> None:
        bundle = self.life.bundle(self.life.client())
        message = propose_to_join(
            bundle.key_package,
            bundle.signature_private_key,
            group_id=pick(self.life.participants, 0).group.group_id,
            epoch=self.life.epoch,
            policy=sending(),
        )
        self.life.offer_from_outside(message)

    @rule(informant=choices)
    def a_newcomer_joins(self, informant: int) -> None:
        """By an own commit, which is not taken if the informant is behind."""
        member = pick(self.life.members(), informant)
        if len(member.group.members()) < MOST_MEMBERS:
            client, is_behind = self.life.client(), member.group.epoch < self.life.epoch
            join = self.life.external_join(member.group, client)
            newcomer = self.life.offer_join(client, join.message, join.group)
            expect((newcomer is None) == is_behind, "the service took a commit of another epoch")

    # What the network does

    @rule(then=fates)
    def spread(self, then: list[str]) -> None:
        self.life.spread(then)

    @rule(who=choices)
    def fetch_again(self, who: int) -> None:
        """What was lost, and all that came after it."""
        if members := [member for member in self.life.members() if member.lost]:
            self.life.fetch_again(pick(members, who))

    @precondition(lambda self: self.life.said)
    @rule(what=choices, who=choices)
    def hear(self, what: int, who: int) -> None:
        """Late, or again."""
        self.life.hear(pick(self.life.participants, who), pick(self.life.said, what))

    @precondition(lambda self: self.life.said)
    @rule(what=choices, who=choices, bit=choices)
    def change_a_bit(self, what: int, who: int, bit: int) -> None:
        said = pick(self.life.said, what)
        body: PrivateMessage = said.message.body  # type: ignore[assignment]  # application data
        ciphertext = bytearray(body.ciphertext)
        ciphertext[bit // 8 % len(ciphertext)] ^= 1 << bit % 8
        forged = MLSMessage.of(replace(body, ciphertext=bytes(ciphertext)))
        self.life.cannot_hear(pick(self.life.participants, who), replace(said, message=forged))

    @precondition(lambda self: self.life.log)
    @rule(what=choices, who=choices)
    def repeat_a_handshake(self, what: int, who: int) -> None:
        """Of an epoch that the reader has left, or its own."""
        reader, entry = pick(self.life.participants, who), pick(self.life.log, what)
        if entry.epoch < reader.group.epoch or entry.sender is reader:
            self.life.refusal(reader.group, lambda: reader.receive(entry.message))

    @invariant()
    def all_agree(self) -> None:
        self.life.check_agreement()

    def teardown(self) -> None:
        event(f"participants: {len(self.life.participants) // 10}0 or more")
        event(f"epochs: {self.life.epoch // 10}0 or more")

    # Who and what

    def actor(self, choice: int) -> Participant:
        """Any member, but rather one in the service's epoch, whose doings count."""
        return pick((choice % 8 and self.life.up_to_date()) or self.life.members(), choice)

    def content(self, member: Participant, kind: str, choice: int) -> ProposalContent:
        """A proposal of this kind that the member can make; of PSKs, rather one that not everybody has."""
        life = self.life
        if kind == "remove":
            return Remove(pick(member.group.members(), choice).leaf_index)
        if kind == "psk":
            have_all = set.intersection(*(set(each.psks) for each in life.members()))
            return life.psk(pick([*(member.psks.keys() - have_all)] or [*member.psks], choice))
        if kind == "extensions":
            return GroupContextExtensions(life.extensions(choice & 0xFFFF))
        if kind == "readd" and (gone := [who for who in life.participants if who.is_out]):
            return life.add(pick(gone, choice).client)
        return life.add(life.client())


INVALID_LISTS = frozenset(
    {
        Rule.CLIENT_ALREADY_IN_GROUP,
        Rule.LEAF_CHANGED_TWICE,
        Rule.PSK_UNKNOWN,
        Rule.REMOVE_OF_BLANK_LEAF,
        Rule.REMOVE_OF_COMMITTER,
        Rule.SEVERAL_GROUP_CONTEXT_EXTENSIONS,
        Rule.UPDATE_BY_COMMITTER,
    }
)
"""What random lists of valid proposals can be refused for."""
