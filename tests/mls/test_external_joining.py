"""RFC 9420 Section 12.4.3.2: somebody joins while nobody is there, and who got lost comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kyber_py.ml_kem import ML_KEM_768

from e2ee.crypto.cipher_suite import CIPHER_SUITES, CipherSuite, cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import E2EEError, Reason
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.content_authentication import authenticate
from e2ee.mls.errors import Rule, UsageError, ValidationError
from e2ee.mls.extension import Extension, ExtensionType, ExternalPub
from e2ee.mls.framing import FramedContent, FramedContentAuthData, Sender, WireFormat
from e2ee.mls.group import ApplicationMessage, Group
from e2ee.mls.group_info import GroupInfo, sign_group_info
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import ExternalInit, PreSharedKey, Proposal, Remove
from e2ee.mls.psk import PreSharedKeyID, PSKType
from e2ee.mls.public_group import PublicGroup
from e2ee.mls.public_message import PublicMessage
from e2ee.testing.mls_members import Assembly, Client, receiving, sending, snapshot

ALICE, BOB, CAROL, DAVE = range(4)


def assembly_of(suite: CipherSuite, *names: str) -> Assembly:
    return Assembly(suite, SeededEntropy(b"joining", ML_KEM_768._encaps_internal), *names)


def refusal(group: Group, message: MLSMessage, **options: object) -> Reason:
    """Why a member refuses this message; it is as it was."""
    before = snapshot(group)
    with pytest.raises(E2EEError) as refused:
        group.receive(message, policy=receiving(), **options)  # type: ignore[arg-type]
    assert snapshot(group) == before
    return refused.value.reason


def everybody_hears_everybody(assembly: Assembly) -> None:
    """All members are in the same state, and the keys of this state work."""
    assert assembly.agree()
    for speaker in assembly.groups:
        message = assembly.tell(speaker, speaker.encode())
        for hearer, group in assembly.groups.items():
            if hearer != speaker:
                said = group.receive(message, policy=receiving())
                assert isinstance(said, ApplicationMessage)
                assert said.data == speaker.encode()


class TestStories:
    @pytest.mark.parametrize("suite", CIPHER_SUITES.values(), ids=lambda suite: suite.name)
    def test_joins_and_a_return_in_every_suite(self, suite: CipherSuite) -> None:
        assembly = assembly_of(suite, "alice", "bob", "carol")
        assembly.bundle("dave")

        pending = assembly.join_externally("dave", "bob")
        everybody_hears_everybody(assembly)
        assert (pending.group.own_leaf_index, pending.group.epoch) == (DAVE, 2)

        assembly.renew("bob")
        assembly.join_externally("bob", "dave", resync=BOB)
        everybody_hears_everybody(assembly)

        assembly.commit("dave", assembly.add("erin"), assembly.remove("alice"))
        assembly.commit("bob")
        everybody_hears_everybody(assembly)
        assert set(assembly.groups) == {"bob", "carol", "dave", "erin"}

    def test_what_members_see_of_it(self, assembly: Assembly) -> None:
        assembly.bundle("dave")
        pending = assembly.pending_join(
            "dave", assembly.group_info("alice"), authenticated_data=b"good morning"
        )

        staged = assembly.stage("bob", MLSMessage.decode(pending.message.encode()))

        assert (staged.external, staged.committer, staged.removed) == (True, DAVE, ())
        assert (staged.authenticated_data, staged.epoch) == (b"good morning", 2)
        assert [type(sent.proposal.content) for sent in staged.proposals] == [ExternalInit]
        assert assembly.groups["bob"].epoch == 1

    def test_the_first_epoch_can_be_joined(self) -> None:
        assembly = assembly_of(cipher_suite(0x0001), "alice")
        assembly.bundle("bob")

        assembly.join_externally("bob", "alice")

        everybody_hears_everybody(assembly)

    def test_the_tree_may_come_beside(self, assembly: Assembly) -> None:
        assembly.bundle("dave")
        group_info = assembly.group_info("alice", ratchet_tree=False)
        tree = assembly.groups["carol"].tree.encode()
        pending = assembly.pending_join("dave", group_info, ratchet_tree=tree)

        for name in assembly.groups:
            assembly.follow(name, pending.message)
        assembly.groups["dave"] = pending.group

        everybody_hears_everybody(assembly)

    def test_one_group_info_serves_for_one_join(self, assembly: Assembly) -> None:
        """Who comes second learns it from the members, and takes a newer GroupInfo."""
        group_info = assembly.group_info("alice")
        assembly.bundle("dave")
        assembly.bundle("erin")
        too_late = assembly.pending_join("erin", group_info)
        assembly.join_externally("dave", "alice")

        assert refusal(assembly.groups["bob"], too_late.message) is Rule.WRONG_EPOCH

        assembly.join_externally("erin", "bob")
        everybody_hears_everybody(assembly)

    def test_who_was_removed_cannot_follow_but_may_be_let_in_again(
        self, assembly: Assembly
    ) -> None:
        removed = assembly.groups["bob"]
        assembly.commit("alice", assembly.remove("bob"))
        assembly.bundles["erin"] = assembly.renew("bob")

        pending = assembly.join_externally("erin", "carol")

        assert refusal(removed, pending.message) is Rule.WRONG_EPOCH
        assert pending.group.own_leaf_index == BOB
        everybody_hears_everybody(assembly)

    def test_who_missed_a_commit_is_told_and_comes_back(self, assembly: Assembly) -> None:
        lost = assembly.groups.pop("bob")
        assembly.commit("alice")
        message = assembly.tell("carol", b"where is Bob?")
        assert refusal(lost, message) is Rule.WRONG_EPOCH

        assembly.renew("bob")
        assembly.join_externally("bob", "carol", resync=lost.own_leaf_index)

        everybody_hears_everybody(assembly)

    def test_a_device_that_is_replaced_knows(self, assembly: Assembly) -> None:
        """Bob's state was restored elsewhere; the old one is told that it is out, and learns nothing of the new epoch."""
        replaced = assembly.groups["bob"]
        assembly.renew("bob")
        pending = assembly.pending_join("bob", assembly.group_info("alice"), resync=BOB)

        staged = assembly.stage("bob", pending.message)

        assert staged.removes_own_leaf
        assert (staged.external, staged.removed, staged.next_epoch) == (True, (BOB,), None)
        with pytest.raises(UsageError) as unusable:
            replaced.merge(staged)
        assert unusable.value.reason is Rule.REMOVED_FROM_GROUP

    def test_the_only_member_comes_back(self) -> None:
        assembly = assembly_of(cipher_suite(0x0001), "alice")
        assembly.renew("alice")

        assembly.join_externally("alice", "alice", resync=ALICE)
        assembly.commit("alice", assembly.add("bob"))

        everybody_hears_everybody(assembly)

    def test_the_delivery_service_follows(self, assembly: Assembly) -> None:
        assembly.bundle("dave")
        service = PublicGroup.from_group_info(assembly.group_info("alice"), receiving())
        pending = assembly.join_externally("dave", "alice")
        assert isinstance(pending.message.body, PublicMessage)

        after = service.merge(service.stage(service.verify(pending.message.body), receiving()))

        assert after.context == assembly.groups["bob"].group_context
        assert after.tree == pending.group.tree


class TestPreSharedKeys:
    """Section 15.1: "if a group requires joiners to know a PSK in addition to authenticating with a credential"."""

    link = PreSharedKey(PreSharedKeyID.external(b"link", bytes(32)))
    keys: ClassVar = {b"link": Secret(b"k" * 32)}

    def test_who_has_the_key_joins(self, assembly: Assembly) -> None:
        assembly.bundle("dave")

        assembly.join_externally("dave", "alice", proposals=[self.link], psks=self.keys)

        everybody_hears_everybody(assembly)

    def test_who_has_it_not_cannot_even_try(self, assembly: Assembly) -> None:
        assembly.bundle("dave")
        with pytest.raises(ValidationError) as refused:
            assembly.pending_join("dave", assembly.group_info("alice"), proposals=[self.link])
        assert refused.value.reason is Rule.PSK_UNKNOWN

    def test_who_has_another_is_refused(self, assembly: Assembly) -> None:
        assembly.bundle("dave")
        wrong = {b"link": Secret(b"?" * 32)}
        group_info = assembly.group_info("alice")
        pending = assembly.pending_join("dave", group_info, proposals=[self.link], psks=wrong)

        for options, rule in (({"psks": self.keys}, Rule.CONFIRMATION_TAG), ({}, Rule.PSK_UNKNOWN)):
            assert refusal(assembly.groups["bob"], pending.message, **options) is rule

    def test_who_comes_back_can_prove_that_it_was_here(self, assembly: Assembly) -> None:
        """A key of an earlier epoch: who stole Bob's signature key alone has it not."""
        lost = assembly.groups["bob"]
        name, keys = lost.resumption_name(), {lost.resumption_name(): lost.resumption_psk}
        psk = PreSharedKey(PreSharedKeyID(PSKType.RESUMPTION, name, bytes(32)))
        assembly.commit("alice")
        assembly.renew("bob")

        pending = assembly.join_externally("bob", "alice", resync=BOB, proposals=[psk], psks=keys)

        assert pending.group.epoch == 3
        everybody_hears_everybody(assembly)


class TestWhatMembersRefuse:
    def test_anything_but_what_the_joiner_said(self, assembly: Assembly) -> None:
        """No key of the group protects it, and yet no bit of it can change."""
        assembly.bundle("dave")
        pending = assembly.pending_join("dave", assembly.group_info("alice"), resync=BOB)
        encoded, carol = bytearray(pending.message.encode()), assembly.groups["carol"]
        before = snapshot(carol)
        for position in range(0, len(encoded), 3):
            encoded[position] ^= 1 << position % 8
            with pytest.raises(E2EEError):
                carol.receive(MLSMessage.decode(bytes(encoded)), policy=receiving())
            assert snapshot(carol) == before, position
            encoded[position] ^= 1 << position % 8
        assert assembly.follow("carol", MLSMessage.decode(bytes(encoded))).removed == (BOB,)

    def test_another_confirmation_tag(self, assembly: Assembly) -> None:
        assembly.bundle("dave")
        body = assembly.pending_join("dave", assembly.group_info("alice")).message.body
        assert isinstance(body, PublicMessage)
        for tag in (b"", bytes(32)):
            auth = FramedContentAuthData(body.auth.signature, tag)
            message = MLSMessage.of(replace(body, auth=auth))

            assert refusal(assembly.groups["bob"], message) is Rule.CONFIRMATION_TAG

    def test_a_kem_output_that_is_none(self, assembly: Assembly) -> None:
        """The joiner signs it; so everybody refuses it alike."""
        message = retold(assembly, b"short")

        assert refusal(assembly.groups["bob"], message) is Rule.EXTERNAL_INIT_MALFORMED

    def test_a_kem_output_for_another_group(self, assembly: Assembly) -> None:
        encapsulated = assembly.suite.hpke.kem.generate_key_pair(assembly.entropy).public
        message = retold(assembly, encapsulated)

        assert refusal(assembly.groups["bob"], message) is Rule.CONFIRMATION_TAG

    def test_somebody_elses_return(self, assembly: Assembly) -> None:
        """Every position of a Remove is signed by the joiner and judged by the application of each member."""
        assembly.bundle("dave")
        pending = assembly.pending_join("dave", assembly.group_info("alice"), resync=BOB)

        class OnlyThemselves:
            def check(self, *_: object) -> None: ...

            def check_successor(self, old: object, new: object) -> None:
                if old != new:
                    raise ValidationError(Rule.CLIENT_ALREADY_IN_GROUP)

        policy = replace(receiving(), authentication=OnlyThemselves())
        before = snapshot(assembly.groups["carol"])
        with pytest.raises(ValidationError):
            assembly.groups["carol"].receive(pending.message, policy=policy)
        assert snapshot(assembly.groups["carol"]) == before

    def test_a_commit_after_the_end_of_the_epoch(self, assembly: Assembly) -> None:
        assembly.bundle("dave")
        over = assembly.groups["bob"]
        pending = assembly.join_externally("dave", "alice")

        assert refusal(over, pending.message) is Rule.EPOCH_IS_OVER


def retold(assembly: Assembly, kem_output: bytes) -> MLSMessage:
    """Dave's external commit with another ExternalInit, signed by him."""
    bundle = assembly.bundle("dave")
    pending = assembly.pending_join("dave", assembly.group_info("alice"))
    assert isinstance(pending.message.body, PublicMessage)
    content, auth = pending.message.body.content, pending.message.body.auth
    assert isinstance(content.content, Commit)
    init = ProposalOrRef.by_value(Proposal(ExternalInit(kem_output)))
    commit = replace(content.content, proposals=(init,))
    group = assembly.groups["alice"]
    framed = FramedContent.of(group.group_context, Sender.new_member_commit(), commit)
    signed = authenticate(
        group.cipher_suite,
        group.group_context,
        WireFormat.PUBLIC_MESSAGE,
        framed,
        bundle.signature_private_key,
    )
    tagged = FramedContentAuthData(signed.auth.signature, auth.confirmation_tag)
    return MLSMessage.of(PublicMessage(framed, tagged, None))


class TestWhatTheJoinerRefuses:
    def told(self, assembly: Assembly, **changes: object) -> GroupInfo:
        """Alice's GroupInfo, changed and signed by her."""
        changed = replace(assembly.group_info("alice"), **changes)  # type: ignore[arg-type]
        private_key = assembly.bundles["alice"].signature_private_key
        return sign_group_info(assembly.suite, changed, private_key)

    def refusal(self, assembly: Assembly, group_info: GroupInfo, **options: object) -> Reason:
        assembly.bundle("dave")
        with pytest.raises(E2EEError) as refused:
            assembly.pending_join("dave", group_info, **options)
        return refused.value.reason

    def test_a_group_that_nobody_can_join(self, assembly: Assembly) -> None:
        closed = assembly.group_info("alice", external_pub=False)

        assert self.refusal(assembly, closed) is Rule.EXTERNAL_PUB_MISSING

    def test_a_key_to_which_nothing_can_be_sent(self, assembly: Assembly) -> None:
        extensions = tuple(
            Extension(ExtensionType.EXTERNAL_PUB, ExternalPub(bytes(31)).encode())
            if extension.extension_type == ExtensionType.EXTERNAL_PUB
            else extension
            for extension in assembly.group_info("alice").extensions
        )
        told = self.told(assembly, extensions=extensions)

        assert self.refusal(assembly, told) is Rule.EXTERNAL_PUB_MALFORMED

    def test_what_no_member_signed(self, assembly: Assembly) -> None:
        forged = replace(assembly.group_info("alice"), confirmation_tag=bytes(32))
        by_bob = replace(assembly.group_info("alice"), signer=BOB)

        for group_info in (forged, by_bob):
            assert self.refusal(assembly, group_info) is Rule.GROUP_INFO_SIGNATURE

    def test_a_tree_that_is_another(self, assembly: Assembly) -> None:
        beside = assembly.group_info("alice", ratchet_tree=False)
        assert self.refusal(assembly, beside) is Rule.RATCHET_TREE_MISSING
        tree = assembly.groups["alice"].tree.encode()
        assembly.commit("bob")
        newer = assembly.group_info("alice", ratchet_tree=False)
        assert self.refusal(assembly, newer, ratchet_tree=tree) is Rule.TREE_HASH

    def test_a_group_that_it_is_in(self, assembly: Assembly) -> None:
        group_info = assembly.group_info("alice")
        in_use = {group_info.group_context.group_id}

        reason = self.refusal(assembly, group_info, group_ids_in_use=in_use)

        assert reason is Rule.GROUP_ID_IN_USE

    def test_a_group_of_another_suite(self, assembly: Assembly) -> None:
        other = assembly_of(cipher_suite(0x0003), "alice")
        group_info = other.group_info("alice")

        assert self.refusal(assembly, group_info) is Rule.GROUP_INFO_CIPHER_SUITE

    def test_a_group_whose_extensions_it_does_not_support(self) -> None:
        assembly = assembly_of(cipher_suite(0x0001), "bob")
        alice = Client.make("alice", assembly.suite, assembly.entropy)
        group = Group.create(
            alice.bundle(assembly.entropy, extensions=(0xF0F0,)),
            group_id=b"extended",
            extensions=(Extension(0xF0F0, b""),),
            policy=sending(),
            entropy=assembly.entropy,
        )
        group_info = group.group_info().body
        assert isinstance(group_info, GroupInfo)

        assert self.refusal(assembly, group_info) is Rule.LEAF_LACKS_GROUP_EXTENSION

    def test_to_be_in_the_group_twice(self, assembly: Assembly) -> None:
        assembly.renew("bob")
        with pytest.raises(ValidationError) as refused:
            assembly.pending_join("bob", assembly.group_info("alice"))
        assert refused.value.reason is Rule.SIGNATURE_KEY_NOT_UNIQUE

    @pytest.mark.parametrize("leaf_index", [3, 2**32 - 1])
    def test_to_come_back_to_where_nobody_is(self, assembly: Assembly, leaf_index: int) -> None:
        group_info = assembly.group_info("alice")

        assert self.refusal(assembly, group_info, resync=leaf_index) is Rule.REMOVE_OF_BLANK_LEAF


def test_a_dropped_join_has_changed_nothing(assembly: Assembly) -> None:
    assembly.bundle("dave")
    before = {name: snapshot(group) for name, group in assembly.groups.items()}
    pending = assembly.pending_join("dave", assembly.group_info("alice"))
    for name in assembly.groups:
        assembly.stage(name, pending.message)

    assert {name: snapshot(group) for name, group in assembly.groups.items()} == before
    assembly.commit("carol")
    everybody_hears_everybody(assembly)


def test_an_external_commit_is_for_everybody_to_read(assembly: Assembly) -> None:
    """ "Messages from senders that aren't in the group are sent as PublicMessage": nobody needs a key to know who joins."""
    assembly.bundle("dave")
    message = assembly.pending_join("dave", assembly.group_info("alice")).message

    assert message.wire_format is WireFormat.PUBLIC_MESSAGE
    assert isinstance(message.body, PublicMessage)
    assert message.body.membership_tag is None
    assert message.body.content.sender == Sender.new_member_commit()


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["join", "return", "add", "remove", "commit", "lose"]),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(MOVES)
def test_whoever_comes_and_goes_all_agree(moves: list[tuple[str, int, int]]) -> None:
    """In any order: joins from outside, returns of members (whose old state is lost or not), adds, removes, empty commits."""
    assembly = assembly_of(cipher_suite(0x0001), "alice", "bob")
    for number, (move, first, second) in enumerate(moves):
        names = list(assembly.groups)
        one, other = names[first % len(names)], names[second % len(names)]
        if move == "join":
            assembly.bundle(f"joiner {number}")
            assembly.join_externally(f"joiner {number}", one)
        elif move in ("return", "lose") and one != other:
            leaf_index = assembly.groups[one].own_leaf_index
            if move == "lose":
                del assembly.groups[one]
            assembly.renew(one)
            assembly.join_externally(one, other, resync=leaf_index)
        elif move == "add":
            assembly.commit(one, assembly.add(f"added {number}"), update_path=bool(second % 2))
        elif move == "remove" and one != other:
            assembly.commit(one, assembly.remove(other))
        else:
            assembly.commit(one)
        assert assembly.agree()
    everybody_hears_everybody(assembly)
    assert all(
        group.own_leaf_index in dict(group.tree.members()) for group in assembly.groups.values()
    )


def test_remove_is_the_one_change_that_a_joiner_may_make(assembly: Assembly) -> None:
    """The proposals of ``external_join`` are PSKs; what else is put there is refused before anything is sent."""
    assembly.bundle("dave")
    with pytest.raises(ValidationError) as refused:
        assembly.pending_join(
            "dave", assembly.group_info("alice"), proposals=[Remove(ALICE)], resync=BOB
        )
    assert refused.value.reason is Rule.EXTERNAL_COMMIT_REMOVES_SEVERAL
