"""What a member does with a Group, and what a Group refuses without changing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite, cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import E2EEError, Reason, RemoteProtocolError
from e2ee.mls.capabilities import RequiredCapabilities
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.extension import Extension, ExtensionType, find
from e2ee.mls.framing import WireFormat
from e2ee.mls.group import ApplicationMessage, Group, Member, ReceivedProposal
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.leaf_node_validation import ValidationPolicy
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, GroupContextExtensions, PreSharedKey, Remove, Update
from e2ee.mls.psk import PreSharedKeyID, PskName, PSKType, ResumptionPSK, ResumptionPSKUsage
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.public_message import PublicMessage
from e2ee.mls.ratchet_limits import RatchetLimits
from e2ee.testing.mls_members import (
    NOW,
    Assembly,
    Client,
    Insider,
    receiving,
    sending,
    snapshot,
)

DAY = 24 * 60 * 60 * 1000
CALL_PROFILE = 0xF0C1


def refusal(group: Group, action: Callable[[], object]) -> Reason:
    """Why the action is refused, and that the group has not changed."""
    before = snapshot(group)
    with pytest.raises(E2EEError) as refused:
        action()
    assert snapshot(group) == before
    return refused.value.reason


def data_of(group: Group, message: MLSMessage) -> bytes:
    received = group.receive(message, policy=receiving())
    assert isinstance(received, ApplicationMessage)
    return received.data


class TestCreation:
    @pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=lambda suite: suite.name)
    def test_epoch_0_has_one_member(self, suite: CipherSuite) -> None:
        entropy = SeededEntropy(b"creation")
        bundle = Client.make("alice", suite, entropy).bundle(entropy)

        group = Group.create(bundle, group_id=b"group", policy=sending(), entropy=entropy)

        assert group.epoch == 0
        assert group.group_id == b"group"
        assert group.cipher_suite is suite
        assert group.own_leaf_index == 0
        assert group.extensions == ()
        assert group.members() == (Member(0, bundle.key_package.leaf_node),)
        assert group.group_context.confirmed_transcript_hash == b""
        assert len(group.epoch_authenticator) == suite.kdf.Nh

    def test_two_groups_of_one_bundle_share_no_secret(self) -> None:
        suite, entropy = cipher_suite(0x0001), SeededEntropy(b"creation")
        bundle = Client.make("alice", suite, entropy).bundle(entropy)
        one, other = (
            Group.create(bundle, group_id=b"group", policy=sending(), entropy=entropy)
            for _ in range(2)
        )

        assert one.group_context == other.group_context
        assert one.epoch_authenticator != other.epoch_authenticator
        assert one.export("label", b"", 32) != other.export("label", b"", 32)

    def create(self, now: int = NOW, extensions: tuple[Extension, ...] = ()) -> Group:
        entropy = SeededEntropy(b"creation")
        bundle = Client.make("alice", cipher_suite(0x0001), entropy).bundle(entropy)
        return Group.create(
            bundle, group_id=b"group", extensions=extensions, policy=sending(now), entropy=entropy
        )

    def test_the_creators_leaf_must_be_valid_now(self) -> None:
        with pytest.raises(ValidationError) as refused:
            self.create(now=NOW + 2 * DAY)
        assert refused.value.reason is Rule.LEAF_EXPIRED

    def test_the_creator_must_support_the_groups_extensions(self) -> None:
        with pytest.raises(ValidationError) as refused:
            self.create(extensions=(Extension(CALL_PROFILE, b""),))
        assert refused.value.reason is Rule.LEAF_LACKS_GROUP_EXTENSION

    def test_the_creator_must_have_what_the_group_requires(self) -> None:
        required = RequiredCapabilities((), (), (2,)).encode()
        with pytest.raises(ValidationError) as refused:
            self.create(extensions=(Extension(ExtensionType.REQUIRED_CAPABILITIES, required),))
        assert refused.value.reason is Rule.LEAF_LACKS_REQUIRED_CAPABILITY


class TestExports:
    def test_all_members_export_the_same(self, assembly: Assembly) -> None:
        exports = {
            group.export("label", b"context", 20).hex() for group in assembly.groups.values()
        }

        assert len(exports) == 1
        assert len(exports.pop()) == 40

    def test_every_epoch_exports_something_else(self, assembly: Assembly) -> None:
        before = assembly.groups["alice"].export("label", b"", 32)
        assembly.commit("bob")

        assert assembly.groups["alice"].export("label", b"", 32) != before

    def test_an_erased_exporter_exports_nothing_more(self, assembly: Assembly) -> None:
        alice = assembly.groups["alice"]
        exported = alice.export("label", b"", 32)
        alice.erase_exporter()

        assert refusal(alice, lambda: alice.export("label", b"", 32)) is Rule.EXPORTER_ERASED
        assert assembly.groups["bob"].export("label", b"", 32) == exported

    def test_erasing_the_exporter_ends_nothing_else(self, assembly: Assembly) -> None:
        for group in assembly.groups.values():
            group.erase_exporter()

        assembly.commit("alice", Remove(1))

        assert assembly.agree()
        assert assembly.groups["alice"].export("label", b"", 32)

    @given(st.data())
    def test_an_epochs_secrets_are_in_no_printed_group(self, data: st.DataObject) -> None:
        assembly = Assembly(cipher_suite(0x0001), SeededEntropy(b"printed"), "alice", "bob")
        alice = assembly.groups["alice"]
        pending = assembly.pending("alice")
        epoch = pending.staged.next_epoch
        assert epoch is not None
        holder = data.draw(
            st.sampled_from([alice, pending, pending.staged, epoch, epoch.keys, epoch.protection])
        )

        for secret in (epoch.exporter_secret, epoch.keys.init_secret, alice.export("x", b"", 32)):
            assert secret.hex() not in repr(holder)
            assert repr(bytes(secret)) not in repr(holder)


class TestTheEndOfAnEpoch:
    def test_the_old_group_opens_late_application_messages(self, assembly: Assembly) -> None:
        late = [assembly.tell("bob", b"%d" % n) for n in range(3)]
        old = assembly.groups["alice"]
        assembly.commit("carol")

        assert [data_of(old, message) for message in late[::-1]] == [b"2", b"1", b"0"]
        assert old.is_over
        assert not assembly.groups["alice"].is_over

    def test_also_of_who_was_removed_since(self, assembly: Assembly) -> None:
        late, old = assembly.tell("bob", b"late"), assembly.groups["alice"]
        assembly.commit("carol", Remove(1))

        assert data_of(old, late) == b"late"

    def test_it_does_nothing_else(self, assembly: Assembly) -> None:
        old, entropy = assembly.groups["alice"], assembly.entropy
        pending, handshake = assembly.pending("alice"), assembly.pending("bob").message
        private = assembly.groups["carol"].propose_update(
            entropy=entropy, wire_format=WireFormat.PRIVATE_MESSAGE
        )
        assembly.groups["carol"].discard_proposal(private.reference)
        assembly.commit("carol")

        for action in (
            lambda: old.protect(b"data", entropy=entropy),
            lambda: old.commit(policy=sending(), entropy=entropy),
            lambda: old.propose(Remove(1), policy=sending(), entropy=entropy),
            lambda: old.propose_update(entropy=entropy),
            lambda: old.export("label", b"", 32),
            lambda: old.resumption_psk,
            lambda: old.merge(pending.staged),
            lambda: old.receive(handshake, policy=receiving()),
            lambda: old.receive(private.message, policy=receiving()),
        ):
            assert refusal(old, action) is Rule.EPOCH_IS_OVER

    def test_it_forgets_what_the_next_epoch_follows_from(self, assembly: Assembly) -> None:
        old = assembly.groups["alice"]
        keys = old._require_keys()
        secrets = [keys.init_secret, keys.resumption_psk, keys.signature_private_key]
        secrets += [pair.private for pair in keys.tree.key_pairs.values()]
        secrets += [Secret(old._exporter_secret or b"")]
        assert all(secret.hex() in flat(snapshot(old)) for secret in secrets)

        assembly.commit("bob")

        assert not any(secret.hex() in flat(snapshot(old)) for secret in secrets)

    def test_the_new_group_holds_no_secret_of_the_old_one(self, assembly: Assembly) -> None:
        keys = assembly.groups["alice"]._require_keys()
        consumed = [keys.init_secret, keys.resumption_psk]
        consumed += [pair.private for node, pair in keys.tree.key_pairs.items() if node % 2]

        assembly.commit("bob")

        new = flat(snapshot(assembly.groups["alice"]))
        assert not any(secret.hex() in new for secret in consumed)


def flat(value: object) -> str:
    """A snapshot with its bytes as hex."""
    if isinstance(value, bytes):
        return value.hex() + " "
    if isinstance(value, dict):
        return "".join(flat(key) + flat(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return "".join(map(flat, value))
    return ""


class TestMerging:
    def test_what_was_staged_by_another_member(self, assembly: Assembly) -> None:
        alice, staged = assembly.groups["alice"], assembly.pending("bob").staged

        assert refusal(alice, lambda: alice.merge(staged)) is Rule.STAGED_ELSEWHERE

    def test_what_was_staged_in_another_epoch(self, assembly: Assembly) -> None:
        staged = assembly.pending("alice").staged
        assembly.commit("bob")
        alice = assembly.groups["alice"]

        assert refusal(alice, lambda: alice.merge(staged)) is Rule.STAGED_ELSEWHERE

    def test_twice(self, assembly: Assembly) -> None:
        alice, staged = assembly.groups["alice"], assembly.pending("alice").staged
        alice.merge(staged)

        assert refusal(alice, lambda: alice.merge(staged)) is Rule.EPOCH_IS_OVER

    def test_a_proposal_that_comes_between_staging_and_merging(self, assembly: Assembly) -> None:
        pending = assembly.pending("alice")
        proposed = assembly.groups["bob"].propose_update(entropy=assembly.entropy)
        assembly.groups["alice"].receive(proposed.message, policy=receiving())

        assembly.deliver("alice", pending)

        assert assembly.agree()
        assert assembly.groups["alice"].proposals == {}


class TestProposals:
    def propose(self, assembly: Assembly, name: str) -> bytes:
        """Bob's removal is proposed to everybody; its reference."""
        proposed = assembly.groups[name].propose(
            Remove(1), policy=sending(), entropy=assembly.entropy
        )
        for other in assembly.groups.keys() - {name}:
            received = assembly.groups[other].receive(proposed.message, policy=receiving())
            assert isinstance(received, ReceivedProposal)
        return proposed.reference

    @pytest.mark.parametrize("speaker", ["alice", "carol"])
    def test_application_data_waits_for_a_commit(self, assembly: Assembly, speaker: str) -> None:
        """ "MUST send a Commit message before sending application data", so that who is to be removed hears nothing."""
        reference = self.propose(assembly, "carol")
        group = assembly.groups[speaker]

        assert refusal(group, lambda: assembly.tell(speaker, b"data")) is Rule.COMMIT_REQUIRED
        assembly.commit("alice", references=(reference,))
        assert data_of(assembly.groups["alice"], assembly.tell("carol", b"data")) == b"data"

    def test_or_until_the_application_discards_them(self, assembly: Assembly) -> None:
        reference = self.propose(assembly, "carol")
        alice = assembly.groups["alice"]
        before = dict(alice.proposals)

        alice.discard_proposal(reference)

        assert before
        assert alice.proposals == {}
        assert data_of(assembly.groups["bob"], assembly.tell("alice", b"data")) == b"data"

    def test_a_commit_of_a_discarded_proposal_is_refused(self, assembly: Assembly) -> None:
        reference = self.propose(assembly, "carol")
        assembly.groups["alice"].discard_proposal(reference)
        pending = assembly.pending("carol", references=(reference,))
        alice = assembly.groups["alice"]

        reason = refusal(alice, lambda: assembly.stage("alice", pending.message))

        assert reason is Rule.PROPOSAL_REFERENCE_UNKNOWN

    def test_a_proposal_is_of_one_epoch(self, assembly: Assembly) -> None:
        reference = self.propose(assembly, "carol")
        assembly.commit("alice")
        carol = assembly.groups["carol"]

        reason = refusal(carol, lambda: assembly.pending("carol", references=(reference,)))

        assert reason is Rule.PROPOSAL_REFERENCE_UNKNOWN

    def test_the_group_makes_its_own_updates(self, assembly: Assembly) -> None:
        """Somebody else's leaf in an Update would be committed without a private key for it."""
        alice = assembly.groups["alice"]
        leaf_node = assembly.bundle("dave").key_package.leaf_node

        reason = refusal(
            alice,
            lambda: alice.propose(Update(leaf_node), policy=sending(), entropy=assembly.entropy),
        )

        assert reason is Rule.UPDATE_WITHOUT_ITS_KEY

    def test_an_expired_key_package_is_not_proposed(self, assembly: Assembly) -> None:
        alice, dave = assembly.groups["alice"], assembly.add("dave")

        reason = refusal(
            alice,
            lambda: alice.propose(dave, policy=sending(NOW + 2 * DAY), entropy=assembly.entropy),
        )

        assert reason is Rule.LEAF_EXPIRED


def test_extensions_are_of_the_whole_group() -> None:
    suite, entropy = cipher_suite(0x0001), SeededEntropy(b"extensions")
    alice, bob = (
        Client.make(name, suite, entropy).bundle(entropy, extensions=(CALL_PROFILE,))
        for name in ("alice", "bob")
    )
    assembly = Assembly(suite, entropy, "nobody")
    group = Group.create(alice, group_id=b"call", policy=sending(), entropy=entropy)
    assembly.groups, assembly.bundles = {"alice": group}, {"alice": alice, "bob": bob}
    profile = (Extension(CALL_PROFILE, b"hosts"),)

    assembly.commit("alice", GroupContextExtensions(profile))
    assembly.commit("alice", Add(bob.key_package))

    assert {group.extensions for group in assembly.groups.values()} == {profile}
    assert assembly.agree()


class TestTheGroupInfo:
    """What a delivery service is told, which follows the group from then on without any key."""

    def outsider(self, message: MLSMessage, tree: bytes | None = None) -> PublicGroup:
        assert isinstance(message.body, GroupInfo)
        return PublicGroup.from_group_info(message.body, receiving(), tree)

    @pytest.mark.parametrize("teller", ["alice", "carol"])
    def test_an_outsider_follows_the_group_from_it(self, assembly: Assembly, teller: str) -> None:
        group = assembly.groups[teller]
        outside = self.outsider(MLSMessage.decode(group.group_info().encode()))

        message = assembly.commit("bob", Remove(0)).message.body

        assert isinstance(message, PublicMessage)
        outside = outside.merge(outside.stage(outside.verify(message), receiving()))
        assert outside.context == assembly.groups["carol"].group_context
        assert outside.tree == assembly.groups["carol"].tree

    def test_the_tree_can_go_out_of_band(self, assembly: Assembly) -> None:
        group = assembly.groups["alice"]
        without = group.group_info(ratchet_tree=False)

        with pytest.raises(ValidationError) as refused:
            self.outsider(without)
        assert refused.value.reason is Rule.RATCHET_TREE_MISSING
        assert self.outsider(without, group.tree.encode()).context == group.group_context

    def test_its_confirmation_tag_is_that_of_the_epochs_commit(self, assembly: Assembly) -> None:
        commit = assembly.commit("bob").message.body
        told = assembly.groups["alice"].group_info().body

        assert isinstance(commit, PublicMessage)
        assert isinstance(told, GroupInfo)
        assert told.confirmation_tag == commit.auth.confirmation_tag

    def test_it_opens_the_group_to_who_gets_it_unless_it_must_not(self, assembly: Assembly) -> None:
        """RFC 9420 Section 12.4.3.2: all members tell the same ``external_pub``, in each epoch another."""

        def told() -> set[bytes | None]:
            found = [assembly.group_info(name) for name in assembly.groups]
            return {find(each.extensions, ExtensionType.EXTERNAL_PUB) for each in found}

        (first,) = told()
        assembly.commit("bob")
        (second,) = told()

        assert first is not None
        assert second is not None
        assert first != second
        closed = assembly.group_info("alice", external_pub=False)
        assert [each.extension_type for each in closed.extensions] == [ExtensionType.RATCHET_TREE]

    def test_there_is_none_of_an_epoch_that_is_over(self, assembly: Assembly) -> None:
        old = assembly.groups["alice"]
        assembly.commit("bob")

        assert refusal(old, old.group_info) is Rule.EPOCH_IS_OVER


def test_a_message_that_is_of_no_group(assembly: Assembly) -> None:
    alice = assembly.groups["alice"]
    welcome = assembly.pending("bob", assembly.add("erin")).welcome
    assert welcome is not None
    for message in (welcome, MLSMessage.of(assembly.bundle("dave").key_package)):
        receive = partial(alice.receive, message, policy=receiving())
        assert refusal(alice, receive) is Rule.NOT_A_GROUP_MESSAGE


def test_the_application_judges_credentials(assembly: Assembly) -> None:
    class NotDave:
        def check(self, credential: Credential, signature_key: bytes) -> None:  # noqa: ARG002
            if credential.value == b"dave":
                raise RemoteProtocolError(Rule.CREDENTIAL_TYPE_NOT_SUPPORTED, "not Dave")

        def check_successor(self, old: Credential, new: Credential) -> None:
            pass

    pending, bob = assembly.pending("alice", assembly.add("dave")), assembly.groups["bob"]
    before = snapshot(bob)

    with pytest.raises(RemoteProtocolError, match="not Dave"):
        bob.receive(pending.message, policy=ValidationPolicy(NotDave(), NOW))
    assert snapshot(bob) == before


def test_a_resumption_psk_proves_membership_in_an_earlier_epoch(assembly: Assembly) -> None:
    name = ResumptionPSK(ResumptionPSKUsage.APPLICATION, b"the assembly", 1)
    known: dict[str, dict[PskName, Secret]] = {
        member: {name: group.resumption_psk} for member, group in assembly.groups.items()
    }
    assembly.commit("alice")
    psk = PreSharedKey(PreSharedKeyID(PSKType.RESUMPTION, name, bytes(32)))

    pending = assembly.pending("alice", psk, psks=known["alice"])
    bob, carol = assembly.groups["bob"], assembly.groups["carol"]

    staged = bob.receive(pending.message, policy=receiving(), psks=known["bob"])
    assert staged.group_context == pending.staged.group_context  # type: ignore[union-attr]
    reason = refusal(carol, lambda: carol.receive(pending.message, policy=receiving()))
    assert reason is Rule.PSK_UNKNOWN


def test_messages_overtake_each_other_within_the_window(assembly: Assembly) -> None:
    messages = [assembly.tell("bob", b"%d" % n) for n in range(RatchetLimits().out_of_order + 2)]
    alice = assembly.groups["alice"]

    assert data_of(alice, messages[-1])
    assert data_of(alice, messages[1]) == b"1"
    too_old = refusal(alice, lambda: alice.receive(messages[0], policy=receiving()))
    assert too_old is Rule.GENERATION_CONSUMED


def test_the_window_is_the_applications(assembly: Assembly) -> None:
    messages = [assembly.tell("bob", b"%d" % n) for n in range(6)]
    alice = assembly.groups["alice"]
    policy = replace(receiving(), ratchet_limits=RatchetLimits(out_of_order=1, jump=3))

    for late, due in ((4, Rule.GENERATION_TOO_FAR_AHEAD), (3, None), (1, Rule.GENERATION_CONSUMED)):
        if due is None:
            alice.receive(messages[late], policy=policy)
        else:
            assert refusal(alice, partial(alice.receive, messages[late], policy=policy)) is due
    alice.receive(messages[2], policy=policy)


def test_an_insider_cannot_merge_for_others(assembly: Assembly) -> None:
    """A commit is only what its committer signed: with the wrong tag it is nothing."""
    commit = assembly.pending("bob", Remove(0)).message.body.content.content  # type: ignore[union-attr]
    forged = Insider(assembly.groups["bob"], assembly.entropy).say(commit)
    alice = assembly.groups["alice"]
    carol = assembly.groups["carol"]

    assert (
        refusal(carol, lambda: carol.receive(forged, policy=receiving())) is Rule.CONFIRMATION_TAG
    )
    seen_by_who_is_removed = alice.receive(forged, policy=receiving())
    assert seen_by_who_is_removed.removes_own_leaf  # type: ignore[union-attr]
    assert data_of(alice, assembly.tell("carol", b"still here")) == b"still here"


def test_usage_errors_are_local(assembly: Assembly) -> None:
    alice = assembly.groups["alice"]
    alice.erase_exporter()

    with pytest.raises(UsageError):
        alice.export("label", b"", 32)
