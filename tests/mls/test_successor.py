"""RFC 9420 Sections 11.2 and 11.3: a group ends and the next begins, or a subgroup branches off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite, cipher_suite
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import E2EEError
from e2ee.mls.commit import Commit
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.framing import WireFormat
from e2ee.mls.group import ApplicationMessage, Group
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.joining import join
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.mls.message import MLSMessage
from e2ee.mls.predecessor import Predecessor
from e2ee.mls.proposal import Proposal, ReInit, Remove
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.successor import NewGroup, branch, reinitialize
from e2ee.mls.welcome import Welcome
from e2ee.testing.mls_members import Assembly, Client, Insider, receiving, sending, snapshot

REINIT = ReInit(b"the next assembly", 1, 0x0001, (Extension(ExtensionType.APPLICATION_ID, b"new"),))
EVERYBODY = ("alice", "bob", "carol")


@dataclass
class Succession:
    """The assembly's members, with their state of its last epoch and a new KeyPackage each."""

    predecessors: dict[str, Predecessor]
    bundles: dict[str, KeyPackageBundle]
    entropy: SeededEntropy

    @classmethod
    def of(cls, assembly: Assembly, suite: CipherSuite, *names: str) -> Succession:
        entropy = assembly.entropy
        assert isinstance(entropy, SeededEntropy)
        bundles = {
            name: Client.make(name, suite, entropy).bundle(entropy) for name in (*names, "mallory")
        }
        past = {name: group.predecessor() for name, group in assembly.groups.items()}
        return cls(past, bundles, entropy)

    def reinitialize(self, creator: str, *others: str) -> NewGroup:
        return reinitialize(
            self.predecessors[creator],
            self.bundles[creator],
            [self.bundles[name].key_package for name in others],
            policy=sending(),
            entropy=self.entropy,
        )

    def branch(self, creator: str, *others: str) -> NewGroup:
        return branch(
            self.predecessors[creator],
            self.bundles[creator],
            [self.bundles[name].key_package for name in others],
            group_id=b"some of us",
            policy=sending(),
            entropy=self.entropy,
        )

    def join(self, name: str, welcome: MLSMessage | None) -> Group:
        assert welcome is not None
        assert isinstance(welcome.body, Welcome)
        return join(
            welcome.body,
            self.bundles[name],
            policy=receiving(),
            predecessors=[self.predecessors[name]],
        )


def refusal(kind: type[E2EEError], action: Callable[[], object]) -> object:
    with pytest.raises(kind) as refused:
        action()
    return refused.value.reason


def agree(*groups: Group) -> bool:
    return len({(group.group_context, bytes(group.epoch_authenticator)) for group in groups}) == 1


@pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=lambda suite: suite.name)
@pytest.mark.parametrize("creator", ["alice", "bob"])
def test_a_group_goes_on_in_another_cipher_suite(
    suite: CipherSuite, creator: str, hybrid_entropy: SeededEntropy
) -> None:
    """Alice commits the ReInit; any member makes the next group, in which all meet again."""
    assembly = Assembly(cipher_suite(0x0001), hybrid_entropy, *EVERYBODY)
    reinit = ReInit(b"the next assembly", 1, suite.code_point, REINIT.extensions)
    assembly.commit("alice", reinit)
    succession = Succession.of(assembly, suite, *EVERYBODY)
    others = [name for name in EVERYBODY if name != creator]

    new = succession.reinitialize(creator, *others)
    joined = [succession.join(name, new.welcome) for name in others]

    assert agree(new.group, *joined)
    assert (new.group.epoch, new.group.group_id) == (1, b"the next assembly")
    assert (new.group.cipher_suite, new.group.extensions) == (suite, REINIT.extensions)
    new.group.protect(b"hello again", entropy=hybrid_entropy)


def test_a_lone_member_reinitializes_alone() -> None:
    assembly = Assembly(cipher_suite(0x0001), SeededEntropy(b"alone"), "alice")
    assembly.commit("alice", REINIT)

    new = Succession.of(assembly, cipher_suite(0x0001), "alice").reinitialize("alice")

    assert (new.group.epoch, new.welcome) == (1, None)


def test_a_subgroup_branches_off_and_both_live(assembly: Assembly) -> None:
    succession = Succession.of(assembly, assembly.suite, *EVERYBODY)

    new = succession.branch("carol", "alice")
    joined = succession.join("alice", new.welcome)

    assert agree(new.group, joined)
    assert (new.group.epoch, new.group.group_id) == (1, b"some of us")
    assembly.commit("bob")
    assert assembly.agree()


def test_a_branch_from_an_epoch_that_is_over(assembly: Assembly) -> None:
    """Whoever kept what it needs of that epoch can still found and join."""
    succession = Succession.of(assembly, assembly.suite, *EVERYBODY)
    assembly.commit("bob", assembly.remove("carol"))

    new = succession.branch("alice", "bob")

    assert agree(new.group, succession.join("bob", new.welcome))


class TestTheGroupThatWasReinitialized:
    """It is over: "the client MUST NOT use the group to send messages anymore"."""

    @pytest.fixture
    def over(self, assembly: Assembly) -> Assembly:
        assembly.commit("alice", REINIT)
        return assembly

    def test_everybody_is_told(self, assembly: Assembly) -> None:
        alice, bob = assembly.groups["alice"], assembly.groups["bob"]
        proposed = bob.propose(REINIT, policy=sending(), entropy=assembly.entropy)
        alice.receive(proposed.message, policy=receiving())
        assembly.groups["carol"].receive(proposed.message, policy=receiving())
        pending = assembly.pending("alice", references=[proposed.reference])
        staged = assembly.stage("bob", pending.message)
        assert staged.reinit == pending.staged.reinit == REINIT
        assert bob.reinit is None
        assembly.deliver("alice", pending)
        assert all(group.reinit == REINIT for group in assembly.groups.values())
        assert assembly.agree()

    def test_nothing_is_sent_any_more(self, over: Assembly) -> None:
        bob, entropy = over.groups["bob"], over.entropy
        options: dict[str, Any] = {"policy": sending(), "entropy": entropy}
        before = snapshot(bob)
        actions: list[Callable[[], object]] = [
            lambda: bob.protect(b"data", entropy=entropy),
            lambda: bob.propose(Remove(0), **options),
            lambda: bob.propose_update(entropy=entropy),
            lambda: bob.commit(**options),
            bob.group_info,
        ]
        for action in actions:
            assert refusal(UsageError, action) is Rule.GROUP_REINITIALIZED
        assert snapshot(bob) == before

    def test_nothing_goes_out_with_the_commit(self, assembly: Assembly) -> None:
        pending = assembly.pending("alice", REINIT)
        reason = refusal(UsageError, lambda: pending.protect(b"bye", entropy=assembly.entropy))
        assert reason is Rule.GROUP_REINITIALIZED

    @pytest.mark.parametrize("wire_format", [WireFormat.PUBLIC_MESSAGE, WireFormat.PRIVATE_MESSAGE])
    @pytest.mark.parametrize("content", [Proposal(Remove(2)), Commit((), None), b"still here"])
    def test_nothing_is_heard_any_more(
        self, over: Assembly, content: Proposal | Commit | bytes, wire_format: WireFormat
    ) -> None:
        """Of an insider who goes on all the same."""
        if isinstance(content, bytes):
            wire_format = WireFormat.PRIVATE_MESSAGE
        message = Insider(over.groups["alice"], over.entropy).say(content, wire_format)
        bob = over.groups["bob"]
        before = snapshot(bob)
        reason = refusal(ValidationError, lambda: bob.receive(message, policy=receiving()))
        assert reason is Rule.GROUP_REINITIALIZED
        assert snapshot(bob) == before

    def test_what_was_said_before_still_opens(self, assembly: Assembly) -> None:
        late, old = assembly.tell("carol", b"late"), assembly.groups["bob"]
        assembly.commit("alice", REINIT)
        said = old.receive(late, policy=receiving())
        assert isinstance(said, ApplicationMessage)
        assert said.data == b"late"

    def test_it_stays_over_when_it_was_stored(self, over: Assembly) -> None:
        bob = over.groups["bob"]
        restored = Group.deserialize(bob.serialize())
        assert restored.reinit == REINIT
        assert restored.predecessor() == bob.predecessor()
        reason = refusal(UsageError, lambda: restored.protect(b"data", entropy=over.entropy))
        assert reason is Rule.GROUP_REINITIALIZED

    def test_a_delivery_service_takes_nothing_more(self, assembly: Assembly) -> None:
        described = assembly.groups["alice"].group_info().body
        assert isinstance(described, GroupInfo)
        public = PublicGroup.from_group_info(described, receiving())
        ending = assembly.commit("alice", REINIT).message.body
        assert isinstance(ending, PublicMessage)
        over = public.merge(public.stage(public.verify(ending), receiving()))
        before = snapshot(over)
        insider = Insider(assembly.groups["alice"], assembly.entropy)

        commit, proposal = insider.say(Commit((), None)).body, insider.say(Proposal(Remove(2))).body
        assert isinstance(commit, PublicMessage)
        assert isinstance(proposal, PublicMessage)
        for action in (
            lambda: over.stage(over.verify(commit), receiving()),
            lambda: over.with_proposal(over.verify(proposal)),
        ):
            assert refusal(ValidationError, action) is Rule.GROUP_REINITIALIZED
        assert snapshot(over) == before


class TestTheCreator:
    """Is told by the newcomers' own checks what they would not accept."""

    @pytest.fixture
    def over(self, assembly: Assembly) -> Succession:
        assembly.commit("alice", REINIT)
        return Succession.of(assembly, assembly.suite, *EVERYBODY)

    def test_forgets_somebody(self, over: Succession) -> None:
        reason = refusal(ValidationError, lambda: over.reinitialize("alice", "bob"))
        assert reason is Rule.SUCCESSOR_LACKS_MEMBER

    def test_brings_somebody_along(self, over: Succession) -> None:
        reason = refusal(ValidationError, lambda: over.reinitialize(*EVERYBODY, "mallory"))
        assert reason is Rule.SUCCESSOR_MEMBER_UNKNOWN

    def test_was_no_member(self, over: Succession) -> None:
        over.predecessors["mallory"] = over.predecessors["alice"]
        reason = refusal(ValidationError, lambda: over.reinitialize("mallory", "bob", "carol"))
        assert reason is Rule.SUCCESSOR_LACKS_MEMBER

    def test_takes_another_cipher_suite(self, assembly: Assembly) -> None:
        assembly.commit("alice", REINIT)
        other = Succession.of(assembly, cipher_suite(0x0003), *EVERYBODY)
        reason = refusal(ValidationError, lambda: other.reinitialize(*EVERYBODY))
        assert reason is Rule.SUCCESSOR_NOT_AS_PROPOSED

    def test_has_keys_of_an_older_cipher_suite_for_somebody(self, over: Succession) -> None:
        suite = cipher_suite(0x0003)
        over.bundles["bob"] = Client.make("bob", suite, over.entropy).bundle(over.entropy)
        reason = refusal(ValidationError, lambda: over.reinitialize(*EVERYBODY))
        assert reason is Rule.KEY_PACKAGE_CIPHER_SUITE

    def test_cannot_make_a_version_that_nobody_knows_yet(self, assembly: Assembly) -> None:
        assembly.commit("alice", replace(REINIT, version=2))
        over = Succession.of(assembly, assembly.suite, *EVERYBODY)
        reason = refusal(ValidationError, lambda: over.reinitialize(*EVERYBODY))
        assert reason is Rule.SUCCESSOR_NOT_AS_PROPOSED

    def test_of_a_group_that_lives(self, assembly: Assembly) -> None:
        living = Succession.of(assembly, assembly.suite, *EVERYBODY)
        reason = refusal(UsageError, lambda: living.reinitialize(*EVERYBODY))
        assert reason is Rule.NOT_REINITIALIZED

    def test_branches_from_a_group_that_is_over(self, over: Succession) -> None:
        reason = refusal(UsageError, lambda: over.branch("alice", "bob"))
        assert reason is Rule.GROUP_REINITIALIZED

    def test_branches_with_a_stranger(self, assembly: Assembly) -> None:
        living = Succession.of(assembly, assembly.suite, *EVERYBODY)
        reason = refusal(ValidationError, lambda: living.branch("alice", "bob", "mallory"))
        assert reason is Rule.BRANCH_MEMBER_UNKNOWN

    def test_branches_into_another_cipher_suite(self, assembly: Assembly) -> None:
        other = Succession.of(assembly, cipher_suite(0x0003), *EVERYBODY)
        reason = refusal(ValidationError, lambda: other.branch("alice", "bob"))
        assert reason is Rule.BRANCH_OF_OTHER_PARAMETERS


def test_an_epoch_that_is_over_has_no_key_any_more(assembly: Assembly) -> None:
    """What is to outlive an epoch is taken while it lasts."""
    alice = assembly.groups["alice"]
    past = alice.predecessor()
    assembly.commit("alice")
    assert refusal(UsageError, alice.predecessor) is Rule.EPOCH_IS_OVER
    assert past.resumption_psk != assembly.groups["alice"].resumption_psk
