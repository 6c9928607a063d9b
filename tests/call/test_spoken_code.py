"""The spoken code: two who are in one group see one code; who stands between them can only guess, and is noticed."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.call.code_emoji import EMOJI
from e2ee.call.errors import CallRefused, CallUsageError
from e2ee.call.events import CallEvent
from e2ee.call.spoken_code import (
    MAX_ATTEMPT,
    REVEAL_TIMEOUT,
    CodeEpoch,
    CodeFailed,
    CodeReady,
    CodeReason,
    CodeWanted,
    Failure,
    SpokenCode,
)
from e2ee.call.verification import Code, code_commitment, spoken_code
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.identity.attestation import DirectoryKeys
from e2ee.identity.trust import MemoryTrustStore, Trust
from e2ee.signalling.messages import CodeCommit, CodeReveal
from e2ee.testing.mls_members import snapshot

NOW = 1_800_000_000_000
DAY = 24 * 3600 * 1000
CALL_ID = b"sixteen byte id."

Said = CodeCommit | CodeReveal

TABLE_PLACE = {emoji.name: place for place, emoji in enumerate(EMOJI)}


@dataclass
class Person:
    """A device with a person at it, in an epoch that the test makes up."""

    name: str
    leaf: int
    code: SpokenCode
    trust: Trust
    entropy: SeededEntropy
    epoch: int = 2
    accounts: dict[int, str] = field(default_factory=dict)
    one_to_one: bool = True

    def enter(self, epoch: int, *, group: bytes = b"") -> None:
        self.epoch = epoch
        secret = Secret((group + bytes([epoch])).ljust(32, b"."))
        facts = CodeEpoch(CALL_ID, epoch, secret, secret, self.leaf, self.accounts, self.one_to_one)
        self.code.enter_epoch(facts)

    def wants(self, now: int = NOW) -> None:
        self.code.begin(now, self.entropy)

    def says(self) -> list[Said]:
        return self.code.messages_to_send()

    def hears(self, sender: Person | int, said: Iterable[Said], now: int = NOW) -> None:
        leaf = sender if isinstance(sender, int) else sender.leaf
        for message in said:
            self.code.receive(leaf, self.epoch, message, now)

    def told(self) -> list[CallEvent]:
        return list(iter(self.code.next_event, None))

    def reads(self) -> Code:
        """The code that was shown, and nothing after it."""
        ready = self.told()[-1]
        assert isinstance(ready, CodeReady)
        return ready.code


def people(
    *names: str, group: bytes = b"", epoch: int = 2, one_to_one: bool | None = None
) -> list[Person]:
    """In a one-to-one call if there are two, unless ``one_to_one`` says something else."""
    accounts = dict(enumerate(names))
    made = []
    for leaf, name in accounts.items():
        trust = Trust(MemoryTrustStore(), DirectoryKeys({}))
        entropy = SeededEntropy(b"spoken code " + name.encode() + group)
        person = Person(name, leaf, SpokenCode(trust), trust, entropy, accounts=accounts)
        person.one_to_one = len(names) == 2 if one_to_one is None else one_to_one
        made.append(person)
        made[-1].enter(epoch, group=group)
    return made


@pytest.fixture
def alice_and_bob() -> tuple[Person, Person]:
    alice, bob = people("alice", "bob")
    return alice, bob


def exchange(alice: Person, bob: Person, now: int = NOW) -> None:
    """Everything that the two say reaches the other, until nobody says more."""
    while said := [(alice, bob, alice.says()), (bob, alice, bob.says())]:
        if not any(messages for *_, messages in said):
            return
        for sender, receiver, messages in said:
            receiver.hears(sender, messages, now)


def refused(person: Person, sender: int, said: Said, epoch: int = 2) -> CodeReason:
    before = snapshot(person.code)
    with pytest.raises(CallRefused) as refusal:
        person.code.receive(sender, epoch, said, NOW)
    assert snapshot(person.code) == before
    assert isinstance(refusal.value.reason, CodeReason)
    return refusal.value.reason


# Two in one group


def test_both_read_the_same(alice_and_bob: tuple[Person, Person]) -> None:
    alice, bob = alice_and_bob
    alice.wants()
    bob.hears(alice, alice.says())
    assert bob.told() == [CodeWanted(CALL_ID, 0)]
    bob.wants()
    exchange(alice, bob)
    code = alice.reads()
    assert code == bob.reads()
    assert len(code.emoji) == 7
    assert len(code.digits) == 6
    assert repr(code) == "Code()"


def test_both_want_it_at_once(alice_and_bob: tuple[Person, Person]) -> None:
    alice, bob = alice_and_bob
    alice.wants()
    bob.wants()
    exchange(alice, bob)
    assert alice.reads() == bob.reads()


def test_another_attempt_has_another_code(alice_and_bob: tuple[Person, Person]) -> None:
    alice, bob = alice_and_bob
    codes = []
    for _ in range(3):
        bob.wants()
        alice.hears(bob, bob.says())
        alice.wants()
        exchange(alice, bob)
        codes.append(alice.reads())
        assert bob.reads() == codes[-1]
    assert len({code.digits for code in codes}) == 3


@given(order=st.permutations([0, 1, 2, 3]), data=st.data())
def test_four_in_one_group_whatever_the_order(order: list[int], data: st.DataObject) -> None:
    """Each sender's messages come in their order, the senders' in any."""
    members = people("alice", "bob", "carol", "dave")
    waiting: dict[tuple[int, int], list[Said]] = {
        pair: [] for pair in itertools.permutations(range(4), 2)
    }
    for leaf in order:
        members[leaf].wants()
    while True:
        for member in members:
            for said in member.says():
                for other in set(range(4)) - {member.leaf}:
                    waiting[member.leaf, other].append(said)
        ways = [pair for pair, said in waiting.items() if said]
        if not ways:
            break
        sender, receiver = data.draw(st.sampled_from(ways))
        members[receiver].hears(sender, [waiting[sender, receiver].pop(0)])
    codes = [member.reads() for member in members]
    assert all(code == codes[0] for code in codes)


@pytest.mark.requirement("VERIFY-8")
def test_only_a_call_of_two_can_verify_somebody(alice_and_bob: tuple[Person, Person]) -> None:
    alice, bob = alice_and_bob
    alice.wants()
    bob.wants()
    exchange(alice, bob)
    assert [event.verifies for event in alice.told() if isinstance(event, CodeReady)] == [1]
    assert [event.verifies for event in bob.told() if isinstance(event, CodeReady)] == [0]
    for names in (("alice", "bob", "carol"), ("alice", "bob")):
        members = people(*names, one_to_one=False)
        compare(members)
        for member in members:
            (ready,) = member.told()[-1:]
            assert isinstance(ready, CodeReady)
            assert ready.verifies is None


def compare(members: list[Person]) -> None:
    """All of them want a code, and hear each other."""
    for member in members:
        member.wants()
    for _ in "commitments", "reveals":
        for sender, said in [(member, member.says()) for member in members]:
            for receiver in members:
                if receiver is not sender:
                    receiver.hears(sender, said)


@pytest.mark.requirement("VERIFY-9")
def test_among_32_there_is_a_code() -> None:
    members = people(*(f"member {number}" for number in range(32)))
    compare(members)
    codes = [member.reads() for member in members]
    assert all(code == codes[0] for code in codes)


@pytest.mark.requirement("VERIFY-9")
def test_among_more_than_32_there_is_none() -> None:
    alice, bob, *_ = people(*(f"member {number}" for number in range(33)))
    assert alice.code.attempts_left(NOW) == 0
    with pytest.raises(CallUsageError) as usage:
        alice.wants()
    assert usage.value.reason is CodeReason.TOO_MANY_MEMBERS
    for said in (CodeCommit(1, bytes(32)), CodeReveal(1, bytes(32))):
        assert refused(alice, bob.leaf, said) is CodeReason.TOO_MANY_MEMBERS


# Commit, then reveal


@pytest.mark.requirement("VERIFY-3")
def test_nobody_reveals_before_every_leaf_has_committed() -> None:
    alice, bob, carol = people("alice", "bob", "carol")
    alice.wants()
    bob.wants()
    alice.hears(bob, bob.says())
    assert [type(said) for said in alice.says()] == [CodeCommit]
    carol.wants()
    alice.hears(carol, carol.says())
    assert [type(said) for said in alice.says()] == [CodeReveal]


@pytest.mark.requirement("VERIFY-3")
def test_a_device_whose_person_wants_no_code_says_nothing(
    alice_and_bob: tuple[Person, Person],
) -> None:
    alice, bob = alice_and_bob
    alice.wants()
    bob.hears(alice, alice.says())
    assert bob.says() == []
    assert bob.trust.code_attempts_left("alice", NOW) == 3


@pytest.mark.requirement("VERIFY-3")
def test_a_second_commitment(alice_and_bob: tuple[Person, Person]) -> None:
    alice, bob = alice_and_bob
    bob.wants()
    alice.hears(bob, bob.says())
    assert refused(alice, 1, CodeCommit(1, bytes(32))) is CodeReason.COMMITTED_TWICE


@pytest.mark.requirement("VERIFY-3")
def test_a_reveal_out_of_turn(alice_and_bob: tuple[Person, Person]) -> None:
    alice, _ = alice_and_bob
    assert refused(alice, 1, CodeReveal(1, bytes(32))) is CodeReason.NO_SUCH_ATTEMPT
    alice.hears(1, [CodeCommit(1, code_of(alice, 1, bytes(32)))])
    assert refused(alice, 1, CodeReveal(1, bytes(32))) is CodeReason.NOT_COMMITTED  # alice has not
    alice.told()


@pytest.mark.requirement("VERIFY-3")
def test_a_reveal_of_who_has_not_committed() -> None:
    alice, *_ = people("alice", "bob", "carol")
    alice.wants()
    assert refused(alice, 1, CodeReveal(1, bytes(32))) is CodeReason.NOT_COMMITTED


def test_a_reveal_twice() -> None:
    alice, *_ = people("alice", "bob", "carol")
    alice.wants()
    alice.hears(1, [CodeCommit(1, code_of(alice, 1, bytes(32))), CodeReveal(1, bytes(32))])
    assert refused(alice, 1, CodeReveal(1, bytes(32))) is CodeReason.REVEALED_TWICE


def code_of(person: Person, leaf: int, random: bytes, attempt: int = 1) -> bytes:
    """A commitment in this person's epoch."""
    secret = Secret(bytes([person.epoch]).ljust(32, b"."))
    return code_commitment(CALL_ID, secret, leaf, attempt, random)


@pytest.mark.requirement("VERIFY-3", "VERIFY-7")
@pytest.mark.parametrize(
    "commitment_of",
    [(1, 1, b"other"), (0, 1, b""), (1, 2, b"")],
    ids=["of other bytes", "of another leaf", "of another attempt"],
)
def test_a_reveal_that_does_not_fit(
    alice_and_bob: tuple[Person, Person], commitment_of: tuple[int, int, bytes]
) -> None:
    alice, _ = alice_and_bob
    leaf, attempt, random = commitment_of
    alice.wants()
    alice.hears(1, [CodeCommit(1, code_of(alice, leaf, random.ljust(32, b"\0"), attempt))])
    alice.hears(1, [CodeReveal(1, bytes(32))])
    assert alice.told() == [CodeFailed(CALL_ID, Failure.WRONG_REVEAL, warning=True)]


@pytest.mark.requirement("VERIFY-7")
def test_a_reveal_that_does_not_fit_before_alice_has_revealed() -> None:
    alice, *_ = people("alice", "bob", "carol")
    alice.wants()
    alice.hears(1, [CodeCommit(1, bytes(32)), CodeReveal(1, bytes(32))])
    assert alice.told()[-1] == CodeFailed(CALL_ID, Failure.WRONG_REVEAL, warning=True)


@pytest.mark.requirement("VERIFY-3")
def test_somebody_elses_commitment_said_again(alice_and_bob: tuple[Person, Person]) -> None:
    """Who repeats Alice's commitment, and then her bytes, would make them cancel out in a lesser scheme."""
    alice, _ = alice_and_bob
    alice.wants()
    alice.hears(1, alice.says())
    alice.hears(1, alice.says())
    assert alice.told() == [CodeFailed(CALL_ID, Failure.WRONG_REVEAL, warning=True)]


@pytest.mark.parametrize("leaf", [0, 7])
def test_who_is_no_other_member(alice_and_bob: tuple[Person, Person], leaf: int) -> None:
    assert refused(alice_and_bob[0], leaf, CodeCommit(1, bytes(32))) is CodeReason.NOT_A_MEMBER


# One epoch


@pytest.mark.requirement("VERIFY-4")
@pytest.mark.parametrize("epoch", [1, 3])
def test_what_comes_in_another_epoch(alice_and_bob: tuple[Person, Person], epoch: int) -> None:
    alice, _ = alice_and_bob
    reason = refused(alice, 1, CodeCommit(1, bytes(32)), epoch)
    assert reason is CodeReason.WRONG_EPOCH


@pytest.mark.requirement("VERIFY-4", "VERIFY-7")
@pytest.mark.parametrize("after_reveal", [False, True])
def test_a_new_epoch_ends_an_attempt(
    alice_and_bob: tuple[Person, Person], after_reveal: bool
) -> None:
    alice, bob = alice_and_bob
    alice.wants()
    if after_reveal:
        bob.wants()
        alice.hears(bob, bob.says())
    alice.enter(3)
    assert alice.told() == [CodeFailed(CALL_ID, Failure.EPOCH_CHANGED, warning=after_reveal)]
    assert alice.says() == []  # what was not sent belongs to no epoch any more
    alice.wants()
    assert alice.says()[0].attempt == 1


@pytest.mark.requirement("VERIFY-4")
def test_attempts_only_rise(alice_and_bob: tuple[Person, Person]) -> None:
    alice, _ = alice_and_bob
    alice.hears(1, [CodeCommit(4, bytes(32))])
    for old in (0, 1, 3):
        assert refused(alice, 1, CodeCommit(old, bytes(32))) is CodeReason.NO_SUCH_ATTEMPT
    assert refused(alice, 1, CodeCommit(256, bytes(32))) is CodeReason.NO_SUCH_ATTEMPT
    alice.hears(1, [CodeCommit(MAX_ATTEMPT, bytes(32))])
    assert alice.told() == [
        CodeWanted(CALL_ID, 1),
        CodeFailed(CALL_ID, Failure.OVERTAKEN, warning=False),
        CodeWanted(CALL_ID, 1),
    ]
    alice.hears(1, [])
    alice.wants()  # joins the last
    alice.code.handle_timer(NOW + REVEAL_TIMEOUT)
    with pytest.raises(CallUsageError) as none_left:
        alice.wants()
    assert none_left.value.reason is CodeReason.NO_ATTEMPT_LEFT


@pytest.mark.requirement("VERIFY-4", "VERIFY-7")
def test_the_other_begins_anew_after_alice_has_revealed(
    alice_and_bob: tuple[Person, Person],
) -> None:
    alice, bob = alice_and_bob
    alice.wants()
    bob.wants()
    alice.hears(bob, bob.says())
    alice.hears(1, [CodeCommit(2, bytes(32))])
    assert alice.told() == [
        CodeFailed(CALL_ID, Failure.OVERTAKEN, warning=True),
        CodeWanted(CALL_ID, 1),
    ]


# Three attempts


@pytest.mark.requirement("VERIFY-6")
def test_three_attempts_a_call_finished_or_not(alice_and_bob: tuple[Person, Person]) -> None:
    alice, _ = alice_and_bob
    for number in (1, 2, 3):
        assert alice.code.attempts_left(NOW) == 4 - number
        alice.wants()
        alice.hears(1, [CodeCommit(number, bytes(32))])
        alice.code.handle_timer(NOW + REVEAL_TIMEOUT)
    a_day_later = NOW + 2 * DAY
    assert alice.trust.code_attempts_left("bob", a_day_later) == 3
    with pytest.raises(CallUsageError) as none_left:
        alice.wants(a_day_later)
    assert none_left.value.reason is CodeReason.NO_ATTEMPT_LEFT


@pytest.mark.requirement("VERIFY-6")
def test_three_attempts_a_contact_over_all_calls(alice_and_bob: tuple[Person, Person]) -> None:
    alice, bob = alice_and_bob
    for _ in range(3):
        alice.trust.note_code_attempt("bob", NOW - DAY + 1)
    with pytest.raises(CallUsageError):
        alice.wants(NOW)
    alice.wants(NOW + 1)
    bob.wants(NOW + 1)
    exchange(alice, bob, NOW + 1)
    assert alice.trust.code_attempts_left("bob", NOW + 1) == 2
    assert bob.trust.code_attempts_left("alice", NOW + 1) == 2


@pytest.mark.requirement("VERIFY-6")
def test_another_call_took_the_last_attempt_meanwhile(
    alice_and_bob: tuple[Person, Person],
) -> None:
    alice, bob = alice_and_bob
    alice.wants()
    alice.says()
    for _ in range(3):
        alice.trust.note_code_attempt("bob", NOW)
    bob.wants()
    alice.hears(bob, bob.says())
    assert alice.says() == []
    assert alice.told() == [CodeFailed(CALL_ID, Failure.NO_ATTEMPT_LEFT, warning=False)]


@pytest.mark.requirement("VERIFY-6")
def test_an_attempt_counts_before_its_reveal_is_sent(
    alice_and_bob: tuple[Person, Person],
) -> None:
    alice, bob = alice_and_bob
    alice.wants()
    assert alice.trust.code_attempts_left("bob", NOW) == 3
    bob.wants()
    alice.hears(bob, bob.says())
    assert alice.trust.code_attempts_left("bob", NOW) == 2  # and messages_to_send was not asked yet


def test_one_attempt_at_a_time(alice_and_bob: tuple[Person, Person]) -> None:
    alice, _ = alice_and_bob
    alice.wants()
    with pytest.raises(CallUsageError) as under_way:
        alice.wants()
    assert under_way.value.reason is CodeReason.UNDER_WAY


# Broken off


@pytest.mark.requirement("VERIFY-7")
def test_a_reveal_that_does_not_come(alice_and_bob: tuple[Person, Person]) -> None:
    alice, bob = alice_and_bob
    assert alice.code.get_timer() is None
    alice.wants()
    assert alice.code.get_timer() is None  # people take their time
    bob.wants()
    alice.hears(bob, bob.says())
    assert alice.code.get_timer() == NOW + 10_000
    alice.code.handle_timer(NOW + 9_999)
    assert alice.told() == []
    alice.code.handle_timer(NOW + 10_000)
    assert alice.told() == [CodeFailed(CALL_ID, Failure.NO_REVEAL, warning=True)]
    assert alice.code.get_timer() is None


@pytest.mark.requirement("VERIFY-7")
@pytest.mark.parametrize("by_others", [True, False])
def test_the_call_ends_after_a_reveal(
    alice_and_bob: tuple[Person, Person], by_others: bool
) -> None:
    alice, bob = alice_and_bob
    alice.wants()
    bob.wants()
    alice.hears(bob, bob.says())
    alice.code.call_ended(by_others=by_others)
    warned = [CodeFailed(CALL_ID, Failure.CALL_ENDED, warning=True)]
    assert alice.told() == (warned if by_others else [])
    assert alice.code.attempts_left(NOW) == 0
    with pytest.raises(CallUsageError):
        alice.wants()


# Somebody in the middle


def test_two_groups_have_two_codes() -> None:
    """Mallory is Bob to Alice, and Alice to Bob, and passes on all that he may choose."""
    alice, _ = people("alice", "bob", group=b"one")
    _, bob = people("alice", "bob", group=b"two")
    alice.wants()
    bob.wants()
    (from_alice,), (from_bob,) = alice.says(), bob.says()
    alice.hears(1, [from_bob])
    bob.hears(0, [from_alice])
    (revealed_by_alice,), (revealed_by_bob,) = alice.says(), bob.says()
    alice.hears(1, [revealed_by_bob])
    bob.hears(0, [revealed_by_alice])
    # their commitments were made for another group: nothing can be passed on
    for victim in (alice, bob):
        assert victim.told()[-1] == CodeFailed(CALL_ID, Failure.WRONG_REVEAL, warning=True)


def test_who_commits_honestly_in_both_groups_gets_two_codes() -> None:
    alice, mallory_as_bob = people("alice", "bob", group=b"one")
    mallory_as_alice, bob = people("alice", "bob", group=b"two")
    mallory_as_alice.entropy = mallory_as_bob.entropy.fork(b"chosen")
    for victim, mallory in ((alice, mallory_as_bob), (bob, mallory_as_alice)):
        victim.wants()
        mallory.wants()
        exchange(victim, mallory)
    assert alice.reads() != bob.reads()


@given(st.integers(0, 2**16), st.integers(0, 63))
def test_grinding_before_the_reveal_is_blind(seed: int, wanted: int) -> None:
    """Toy size: Mallory wants the first emoji to be ``wanted``, and may try 64 values of his bytes.

    With Alice's bytes known he nearly always finds one. Committed before he knows them, each of his choices is as good as
    any other: over all that Alice may show, every choice gives ``wanted`` about as often as chance does.
    """
    key = Secret(seed.to_bytes(32, "big"))
    choices = [bytes([choice]) * 32 for choice in range(64)]

    def first_emoji(hers: bytes, his: bytes) -> int:
        x = spoken_code(key, 1, {0: hers, 1: his})
        return TABLE_PLACE[x.emoji[0].name]

    hers = [bytes([byte]).ljust(32, b"A") for byte in range(64)]
    hits = [sum(first_emoji(shown, his) == wanted for shown in hers) for his in choices[:4]]
    assert max(hits) <= 12  # of 64; chance gives one, and thirteen once in 10^10


def test_grinding_after_the_reveal_would_work() -> None:
    """The same toy without the commitment: why there is one."""
    key, hers = Secret(bytes(32)), b"A" * 32
    found = Counter(
        spoken_code(key, 1, {0: hers, 1: bytes([a, b]) * 16}).emoji[0].name
        for a, b in itertools.product(range(24), repeat=2)
    )
    assert len(found) > 60  # of 64: nearly any first emoji can be had
