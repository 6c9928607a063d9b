"""Commits that we make: with a path, never with a change before they are merged, with a Welcome for all."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite, cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import Reason
from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.commit import Commit
from e2ee.mls.committing import PendingCommit
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.group import ApplicationMessage
from e2ee.mls.joining import join
from e2ee.mls.key_package import make_key_package_ref, sign_key_package
from e2ee.mls.leaf_node import sign_leaf_node
from e2ee.mls.proposal import (
    Add,
    GroupContextExtensions,
    PreSharedKey,
    ProposalContent,
    Remove,
)
from e2ee.mls.psk import PreSharedKeyID
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.update_path import UpdatePath
from e2ee.mls.welcome import Welcome
from e2ee.testing.mls_members import NOW, Assembly, Client, receiving, sending, snapshot

DAY = 24 * 60 * 60 * 1000


def commit_of(pending: PendingCommit) -> Commit:
    assert isinstance(pending.message.body, PublicMessage)
    assert isinstance(pending.message.body.content.content, Commit)
    return pending.message.body.content.content


def path_of(pending: PendingCommit) -> UpdatePath:
    path = commit_of(pending).path
    assert path is not None
    return path


def welcome_of(pending: PendingCommit) -> Welcome:
    assert pending.welcome is not None
    assert isinstance(pending.welcome.body, Welcome)
    return pending.welcome.body


def refused(assembly: Assembly, *proposals: object, **options: object) -> Reason:
    """Why Alice's commit is refused, and that nothing has changed."""
    alice = assembly.groups["alice"]
    before = snapshot(alice)
    with pytest.raises(ValidationError) as error:
        assembly.pending("alice", *proposals, **options)  # type: ignore[arg-type]
    assert snapshot(alice) == before
    return error.value.reason


class TestThePath:
    def test_a_lone_remove_has_one(self, assembly: Assembly) -> None:
        """Without it the removed member could derive the next epoch, since it knows the init_secret."""
        assert path_of(assembly.pending("alice", Remove(1))).nodes

    def test_a_lone_add_has_one(self, assembly: Assembly) -> None:
        assert path_of(assembly.pending("alice", assembly.add("dave"))).nodes

    def test_a_commit_of_nothing_has_one(self, assembly: Assembly) -> None:
        assert path_of(assembly.pending("alice")).nodes

    def test_it_is_not_sealed_to_newcomers(self, assembly: Assembly) -> None:
        # Dave comes to leaf 3, beside Carol: Alice's path reaches both through node 5, whose only member was Carol.
        path = path_of(assembly.pending("alice", assembly.add("dave")))

        assert [len(node.encrypted_path_secret) for node in path.nodes] == [1, 1]

    def test_it_changes_the_committers_leaf(self, assembly: Assembly) -> None:
        before = assembly.groups["alice"].tree.leaf(0)
        pending = assembly.commit("alice")

        after = assembly.groups["bob"].tree.leaf(0)
        assert before is not None
        assert after == path_of(pending).leaf_node
        assert after.encryption_key != before.encryption_key


class TestNothingChangesBeforeTheMerge:
    @pytest.mark.parametrize("kind", ["nothing", "add", "remove"])
    def test_the_committers_group_is_as_it_was(self, assembly: Assembly, kind: str) -> None:
        proposals: dict[str, tuple[ProposalContent, ...]] = {
            "nothing": (),
            "add": (assembly.add("dave"),),
            "remove": (Remove(1),),
        }
        before = snapshot(assembly.groups["alice"])

        assembly.pending("alice", *proposals[kind])

        assert snapshot(assembly.groups["alice"]) == before

    def test_two_commits_of_one_epoch_and_either_can_be_taken(self, assembly: Assembly) -> None:
        dropped, taken = assembly.pending("alice"), assembly.pending("alice")

        assembly.deliver("alice", taken)

        assert assembly.agree()
        assert dropped.staged.group_context != taken.staged.group_context

    def test_the_commit_of_another_can_be_taken_instead(self, assembly: Assembly) -> None:
        assembly.pending("alice", Remove(1))

        assembly.commit("bob")

        assert assembly.agree()
        assert assembly.groups.keys() == {"alice", "bob", "carol"}


class TestTheWelcome:
    @pytest.mark.parametrize("tree_inside", [True, False])
    @pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=lambda suite: suite.name)
    def test_with_the_tree_inside_or_out_of_band(
        self, suite: CipherSuite, tree_inside: bool, hybrid_entropy: SeededEntropy
    ) -> None:
        assembly = Assembly(suite, hybrid_entropy, "alice", "bob")
        pending = assembly.pending(
            "alice", assembly.add("carol"), ratchet_tree_extension=tree_inside
        )
        alice = assembly.groups["alice"].merge(pending.staged)
        joining = partial(join, welcome_of(pending), assembly.bundles["carol"], policy=receiving())

        if tree_inside:
            carol = joining()
        else:
            with pytest.raises(ValidationError) as incomplete:
                joining()
            assert incomplete.value.reason is Rule.RATCHET_TREE_MISSING
            carol = joining(ratchet_tree=alice.tree.encode())

        assert carol.epoch_authenticator == alice.epoch_authenticator

    def test_it_names_every_newcomer_once(self, assembly: Assembly) -> None:
        pending = assembly.pending("alice", assembly.add("dave"), assembly.add("erin"))

        newcomers = [assembly.bundles[name].key_package for name in ("dave", "erin")]
        assert [entry.new_member for entry in welcome_of(pending).secrets] == [
            make_key_package_ref(assembly.suite, key_package) for key_package in newcomers
        ]

    def test_there_is_none_if_nobody_is_added(self, assembly: Assembly) -> None:
        assert assembly.pending("alice", Remove(1)).welcome is None


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("days", "reason"), [(2, Rule.LEAF_EXPIRED), (-2, Rule.LEAF_NOT_YET_VALID)]
    )
    def test_a_key_package_out_of_its_lifetime(
        self, assembly: Assembly, days: int, reason: Rule
    ) -> None:
        client = Client.make("dave", assembly.suite, assembly.entropy)
        bundle = client.bundle(assembly.entropy, now=NOW - days * DAY)

        assert refused(assembly, Add(bundle.key_package)) is reason

    def test_a_newcomer_with_the_encryption_key_of_a_member(self, assembly: Assembly) -> None:
        dave, bob = assembly.bundle("dave"), assembly.groups["alice"].tree.leaf(1)
        assert bob is not None
        suite, key = assembly.suite, dave.signature_private_key
        leaf_node = replace(dave.key_package.leaf_node, encryption_key=bob.encryption_key)
        leaf_node = sign_leaf_node(suite, leaf_node, key, b"", 0)
        key_package = sign_key_package(suite, replace(dave.key_package, leaf_node=leaf_node), key)

        assert refused(assembly, Add(key_package)) is Rule.ENCRYPTION_KEY_NOT_UNIQUE

    def test_a_removal_of_oneself(self, assembly: Assembly) -> None:
        assert refused(assembly, Remove(0)) is Rule.REMOVE_OF_COMMITTER

    def test_a_removal_of_nobody(self, assembly: Assembly) -> None:
        assert refused(assembly, Remove(3)) is Rule.REMOVE_OF_BLANK_LEAF

    def test_a_proposal_that_was_never_sent(self, assembly: Assembly) -> None:
        reason = refused(assembly, references=(b"unknown",))

        assert reason is Rule.PROPOSAL_REFERENCE_UNKNOWN

    def test_the_own_update(self, assembly: Assembly) -> None:
        alice = assembly.groups["alice"]
        proposed = alice.propose_update(entropy=assembly.entropy)

        assert refused(assembly, references=(proposed.reference,)) is Rule.UPDATE_BY_COMMITTER

    def test_a_pre_shared_key_that_the_committer_does_not_have(self, assembly: Assembly) -> None:
        psk_id = PreSharedKeyID.external(b"link", bytes(32))

        assert refused(assembly, PreSharedKey(psk_id)) is Rule.PSK_UNKNOWN

    def test_a_requirement_that_members_do_not_meet(self, assembly: Assembly) -> None:
        required = RequiredCapabilities((0xF0C1,), (), ()).encode()
        extension = Extension(ExtensionType.REQUIRED_CAPABILITIES, required)

        reason = refused(assembly, GroupContextExtensions((extension,)))

        assert reason is Rule.MEMBER_LACKS_REQUIRED_CAPABILITY


class TestWhatGoesOutWithTheCommit:
    """Application data of the epoch that a pending commit begins, such as the offer beside a Welcome."""

    def test_newcomers_and_members_open_it_once_they_are_there(self, assembly: Assembly) -> None:
        pending = assembly.pending("alice", assembly.add("dave"))
        offer = pending.protect(b"offer", entropy=assembly.entropy, authenticated_data=b"header")

        assembly.deliver("alice", pending)

        for name in ("bob", "carol", "dave"):
            received = assembly.groups[name].receive(offer, policy=receiving())
            assert received == ApplicationMessage(0, b"offer", b"header", generation=0)

    def test_it_is_of_no_earlier_epoch(self, assembly: Assembly) -> None:
        offer = assembly.pending("alice").protect(b"offer", entropy=assembly.entropy)

        with pytest.raises(ValidationError) as error:
            assembly.groups["bob"].receive(offer, policy=receiving())
        assert error.value.reason is Rule.WRONG_EPOCH

    def test_its_key_is_not_used_again_after_the_merge(self, assembly: Assembly) -> None:
        pending = assembly.pending("alice")
        offer = pending.protect(b"offer", entropy=assembly.entropy)
        assembly.deliver("alice", pending)
        later = assembly.tell("alice", b"later")

        bob = assembly.groups["bob"]
        generations = []
        for message in (later, offer):
            received = bob.receive(message, policy=receiving())
            assert isinstance(received, ApplicationMessage)
            generations.append(received.generation)
        assert generations == [1, 0]

    def test_the_present_epoch_is_as_it_was(self, assembly: Assembly) -> None:
        pending = assembly.pending("alice")
        before = snapshot(assembly.groups["alice"])

        pending.protect(b"offer", entropy=assembly.entropy)

        assert snapshot(assembly.groups["alice"]) == before


def test_a_pre_shared_key_is_part_of_the_next_epoch(assembly: Assembly) -> None:
    psk_id = PreSharedKeyID.external(b"link", bytes(32))
    one, other = (
        assembly.pending("alice", PreSharedKey(psk_id), psks={b"link": Secret(key)})
        for key in (b"one", b"other")
    )
    bob = assembly.groups["bob"]

    staged = bob.receive(one.message, policy=receiving(), psks={b"link": Secret(b"one")})

    assert bob.merge(staged).epoch_authenticator == (  # type: ignore[arg-type]
        assembly.groups["alice"].merge(one.staged).epoch_authenticator
    )
    assert other.staged.next_epoch is not None


def test_authenticated_data_is_seen_by_all(assembly: Assembly) -> None:
    pending = assembly.pending("alice", authenticated_data=b"the connection was lost")

    assert pending.staged.authenticated_data == b"the connection was lost"
    assert assembly.stage("bob", pending.message).authenticated_data == b"the connection was lost"


def test_the_committer_and_the_others_see_the_same_change(assembly: Assembly) -> None:
    proposed = assembly.groups["carol"].propose(
        assembly.add("dave"), policy=sending(), entropy=assembly.entropy
    )
    for name in ("alice", "bob"):
        assembly.groups[name].receive(proposed.message, policy=receiving())

    pending = assembly.pending("alice", Remove(1), references=(proposed.reference,))
    seen = assembly.stage("carol", pending.message)

    for staged in (pending.staged, seen):
        assert staged.committer == 0
        assert [sent.sender.leaf_index for sent in staged.proposals] == [2, 0]
        assert [(new.leaf_index, new.key_package) for new in staged.added] == [
            (1, assembly.bundles["dave"].key_package)
        ]
        assert staged.removed == (1,)
        assert staged.updated == ()
        assert staged.epoch == 2
        assert staged.extensions == ()
        assert staged.group_context.epoch == 2
        assert not staged.removes_own_leaf


def test_the_first_commit_of_a_lonely_member() -> None:
    assembly = Assembly(cipher_suite(0x0001), SeededEntropy(b"alone"), "alice")

    assembly.commit("alice")
    assembly.commit("alice", assembly.add("bob"))

    assert assembly.agree()
    assert assembly.groups["bob"].epoch == 2
