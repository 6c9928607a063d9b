"""Who may commit what in a group call, row by row: judged from public bytes, so that everybody says the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from e2ee.errors import RemoteProtocolError
from e2ee.identity.errors import IdentityReason
from e2ee.mls.commit import ProposalOrRef
from e2ee.mls.extension import Extension, ExtensionType
from e2ee.mls.framing import Sender
from e2ee.mls.key_package import LAST_RESORT
from e2ee.mls.proposal import (
    Add,
    CustomProposal,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    ProposalContent,
    ReInit,
    Remove,
    Update,
)
from e2ee.mls.psk import PreSharedKeyID, PSKType, ResumptionPSK, ResumptionPSKUsage
from e2ee.profile.call_profile import CallKind, JoinPolicy, group_extensions
from e2ee.profile.errors import ProfileReason
from e2ee.profile.gone import encode_statements, signed
from e2ee.profile.join import join_extension
from e2ee.profile.leaves import MAX_LEAVES
from e2ee.profile.legal_commits import LegalCommit, judge, profile_after
from tests.profile.conftest import NOW, new_device
from tests.profile.group_cast import (
    ALICE,
    BOB_LAPTOP,
    BOB_PHONE,
    CALL_ID,
    CAROL,
    EPOCH,
    LINK_ID,
    NEW_LINK_ID,
    PROOF,
    Scene,
    add,
    device,
    gone,
    key,
    profile_of,
    psk,
)

CHANGE, TIMED = LegalCommit.CHANGE, LegalCommit.TIMED

UNLINKED = (JoinPolicy.CLOSED, JoinPolicy.ADMITTED)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def refusal(judgement: Callable[..., object], *arguments: Any, **named: Any) -> str:
    with pytest.raises(RemoteProtocolError) as refused:
        judgement(*arguments, **named)
    return refused.value.reason


class TestACommitWithoutProposals:
    @pytest.mark.requirement("KEYS-20")
    @pytest.mark.parametrize("committer", [ALICE, BOB_PHONE, BOB_LAPTOP, CAROL])
    def test_renews_the_keys_of_any_member(self, scene: Scene, committer: int) -> None:
        assert scene.judge(committer) is TIMED

    @pytest.mark.requirement("KEYS-20", "KEYS-12")
    def test_has_a_path_as_every_commit(self, scene: Scene) -> None:
        for contents in ((), (Remove(CAROL),), (add("dave"), psk())):
            commit = replace(scene.commit(ALICE, *contents), path=None)
            assert refusal(scene.judge_commit, ALICE, commit) is ProfileReason.NO_PATH

    @pytest.mark.requirement("IDENT-11")
    def test_changes_neither_credential_nor_signature_key(self, scene: Scene) -> None:
        commit = scene.commit(BOB_LAPTOP)
        assert refusal(scene.judge_commit, CAROL, commit) is ProfileReason.LEAF_CHANGED


class TestWhatACallDoesNotNeed:
    @pytest.mark.requirement("KEYS-20")
    @pytest.mark.parametrize("committer", [ALICE, CAROL])
    def test_is_refused(self, scene: Scene, committer: int) -> None:
        for content in (
            Update(device("carol").leaf_node),
            ReInit(bytes(16), 1, 1, ()),
            ExternalInit(bytes(32)),
            CustomProposal(0xF001, b""),
        ):
            reason = refusal(scene.judge, committer, content)
            assert reason is ProfileReason.ILLEGAL_PROPOSAL

    @pytest.mark.requirement("KEYS-20")
    def test_proposals_by_reference_are_refused(self, scene: Scene) -> None:
        reference = ProposalOrRef.by_reference(bytes(32))
        commit = replace(scene.commit(ALICE), proposals=(reference,))
        assert refusal(scene.judge_commit, ALICE, commit) is ProfileReason.PROPOSAL_BY_REFERENCE
        assert refusal(profile_after, scene.profile, commit) is ProfileReason.PROPOSAL_BY_REFERENCE

    @pytest.mark.requirement("KEYS-20")
    @pytest.mark.parametrize(
        "sender", [Sender.new_member_commit(), Sender.new_member_proposal(), Sender.external(ALICE)]
    )
    def test_nobody_commits_from_outside(self, scene: Scene, sender: Sender) -> None:
        commit = scene.commit(ALICE, Remove(CAROL))
        judgement = (scene.profile, CALL_ID, EPOCH, scene.members, sender, commit, b"")
        assert refusal(judge, *judgement) is ProfileReason.EXTERNAL_SENDER

    @pytest.mark.requirement("KEYS-20")
    @pytest.mark.parametrize("kind", [CallKind.STAGE, 4])
    def test_there_are_no_rules_for_calls_of_another_kind(self, scene: Scene, kind: int) -> None:
        scene.profile = replace(scene.profile, kind=kind)
        assert refusal(scene.judge, ALICE) is ProfileReason.BAD_CALL_PROFILE


class TestAdd:
    @pytest.mark.requirement("KEYS-20")
    @pytest.mark.parametrize("committer", [ALICE, BOB_LAPTOP, CAROL])
    def test_with_a_link_anybody_adds_who_has_it(self, scene: Scene, committer: int) -> None:
        assert scene.judge(committer, add("dave"), add("erin"), psk()) is CHANGE

    @pytest.mark.requirement("KEYS-20")
    @pytest.mark.parametrize("policy", UNLINKED)
    def test_without_a_link_it_is_who_is_listed(self, scene: Scene, policy: JoinPolicy) -> None:
        """Dave is. Alice is a host, so her tablet is welcome too; nobody admitted Erin."""
        scene.with_policy(policy)
        assert scene.judge(CAROL, add("dave", proof=b""), add("alice", 2, proof=b"")) is CHANGE
        for committer in (CAROL, ALICE):
            reason = refusal(scene.judge, committer, add("erin", proof=b""))
            assert reason is ProfileReason.NOT_ADMITTED

    @pytest.mark.requirement("KEYS-20")
    def test_nobody_adds_who_is_banned(self, scene: Scene) -> None:
        for committer in (ALICE, CAROL):
            reason = refusal(scene.judge, committer, add("mallory"), psk())
            assert reason is ProfileReason.BANNED

    @pytest.mark.requirement("KEYS-20", "KEYS-21")
    def test_nobody_is_added_who_did_not_ask_to_join_this_call(self, scene: Scene) -> None:
        of_directory = add("dave", call_id=None)
        assert refusal(scene.judge, ALICE, of_directory, psk()) is ProfileReason.JOIN_MISSING
        of_another_call = add("dave", call_id=bytes(16))
        assert refusal(scene.judge, ALICE, of_another_call, psk()) is ProfileReason.BAD_JOIN
        without_proof = add("dave", proof=b"")
        assert refusal(scene.judge, ALICE, without_proof, psk()) is ProfileReason.BAD_JOIN

    @pytest.mark.requirement("KEYS-21")
    def test_a_key_package_for_several_uses_is_refused(self, scene: Scene) -> None:
        marks = (join_extension(CALL_ID, NOW, PROOF), LAST_RESORT)
        several = Add(new_device("dave", marks=marks).key_package)
        assert refusal(scene.judge, ALICE, several, psk()) is ProfileReason.BAD_JOIN

    @pytest.mark.requirement("KEYS-6")
    def test_a_leaf_with_anothers_certificate_is_refused(self, scene: Scene) -> None:
        credential = device("dave").leaf_node.credential
        marks = (join_extension(CALL_ID, NOW, PROOF),)
        impostor = Add(new_device("mallory", credential=credential, marks=marks).key_package)
        reason = refusal(scene.judge, ALICE, impostor, psk())
        assert reason is IdentityReason.BAD_ACCOUNT_SIGNATURE

    @pytest.mark.requirement("IDENT-11")
    def test_a_device_is_in_the_call_once(self, scene: Scene) -> None:
        for adds in ([add("dave"), add("dave")], [add("bob", 1)]):
            reason = refusal(scene.judge, ALICE, *adds, psk())
            assert reason is ProfileReason.DEVICE_NOT_UNIQUE

    @pytest.mark.requirement("IDENT-11")
    def test_an_account_id_has_one_key_in_the_call(self, scene: Scene) -> None:
        reason = refusal(scene.judge, ALICE, add("bob?", 3), psk())
        assert reason is ProfileReason.ACCOUNT_KEYS_DIFFER


class TestRemove:
    @pytest.mark.requirement("KEYS-20")
    def test_a_host_removes_whom_it_wants(self, scene: Scene) -> None:
        """Another host too."""
        scene.profile = replace(scene.profile, hosts=(key("alice"), key("carol")))
        assert scene.judge(ALICE, Remove(CAROL), Remove(BOB_PHONE)) is CHANGE
        assert scene.judge(CAROL, Remove(ALICE)) is CHANGE

    @pytest.mark.requirement("KEYS-20")
    def test_a_member_removes_its_own_accounts_other_devices(self, scene: Scene) -> None:
        assert scene.judge(BOB_LAPTOP, Remove(BOB_PHONE)) is CHANGE

    @pytest.mark.requirement("KEYS-20")
    @pytest.mark.parametrize("target", [ALICE, CAROL])
    def test_a_member_removes_nobody_else(self, scene: Scene, target: int) -> None:
        for contents in ([Remove(target)], [Remove(BOB_PHONE), Remove(target)]):
            reason = refusal(scene.judge, BOB_LAPTOP, *contents)
            assert reason is ProfileReason.MAY_NOT_REMOVE

    @pytest.mark.requirement("KEYS-20")
    def test_who_joins_anew_takes_the_place_of_its_old_leaf(self, scene: Scene) -> None:
        assert scene.judge(CAROL, add("bob", 1), Remove(BOB_PHONE), psk()) is CHANGE

    @pytest.mark.requirement("KEYS-20")
    def test_another_device_does_not(self, scene: Scene) -> None:
        for newcomer in (add("bob", 3), add("dave")):
            reason = refusal(scene.judge, CAROL, newcomer, Remove(BOB_PHONE), psk())
            assert reason is ProfileReason.MAY_NOT_REMOVE

    @pytest.mark.requirement("KEYS-20")
    def test_nobody_takes_anothers_place_by_its_name(self, scene: Scene) -> None:
        """Carol is alone in her account: who calls herself so has no key to contradict."""
        marks = (join_extension(CALL_ID, NOW, PROOF),)
        account = replace(device("mallory").account, account_id="carol")
        scene.profile = replace(scene.profile, banned=())
        namesake = Add(new_device("carol", account=account, marks=marks).key_package)
        reason = refusal(scene.judge, BOB_PHONE, namesake, Remove(CAROL), psk())
        assert reason is ProfileReason.MAY_NOT_REMOVE

    @pytest.mark.requirement("KEYS-20")
    @pytest.mark.parametrize("leaf", [4, 1023, 2**32 - 1])
    def test_there_is_nobody_to_remove(self, scene: Scene, leaf: int) -> None:
        assert refusal(scene.judge, ALICE, Remove(leaf)) is ProfileReason.ILLEGAL_PROPOSAL


class TestGoneStatements:
    @pytest.mark.requirement("KEYS-20", "KEYS-24")
    @pytest.mark.parametrize("target", [ALICE, BOB_PHONE])
    def test_anybody_removes_who_is_gone(self, scene: Scene, target: int) -> None:
        """A host too, and each with a statement of its own."""
        assert scene.judge(CAROL, Remove(target), statements=[gone(target)]) is CHANGE
        both = [Remove(BOB_LAPTOP), Remove(target)]
        assert scene.judge(CAROL, *both, statements=[gone(target), gone(BOB_LAPTOP)]) is CHANGE
        reason = refusal(scene.judge, CAROL, *both, statements=[gone(target)])
        assert reason is ProfileReason.MAY_NOT_REMOVE

    @pytest.mark.requirement("KEYS-24")
    def test_also_who_needs_none_may_give_one(self, scene: Scene) -> None:
        assert scene.judge(ALICE, Remove(CAROL), statements=[gone(CAROL)]) is CHANGE

    @pytest.mark.requirement("KEYS-24")
    def test_a_statement_is_for_its_group_and_epoch(self, scene: Scene) -> None:
        for statement in (gone(CAROL, bytes(16)), gone(CAROL, epoch=EPOCH - 1)):
            for committer in (BOB_PHONE, ALICE):
                reason = refusal(scene.judge, committer, Remove(CAROL), statements=[statement])
                assert reason is ProfileReason.GONE_ELSEWHERE

    @pytest.mark.requirement("KEYS-24")
    def test_a_statement_is_the_services_of_this_call(self, scene: Scene) -> None:
        anothers = signed(device("mallory").key, CALL_ID, EPOCH, CAROL, NOW)
        for statement in (anothers, replace(gone(BOB_PHONE), leaf=CAROL)):
            for committer in (BOB_PHONE, ALICE):
                reason = refusal(scene.judge, committer, Remove(CAROL), statements=[statement])
                assert reason is ProfileReason.BAD_GONE_SIGNATURE

    @pytest.mark.requirement("KEYS-24")
    def test_a_statement_is_for_a_leaf_that_the_commit_removes(self, scene: Scene) -> None:
        for contents in ([], [Remove(BOB_PHONE)], [add("dave"), psk()]):
            reason = refusal(scene.judge, ALICE, *contents, statements=[gone(CAROL)])
            assert reason is ProfileReason.GONE_NOT_REMOVED
        twice = [gone(CAROL), gone(CAROL)]
        reason = refusal(scene.judge, ALICE, Remove(CAROL), statements=twice)
        assert reason is ProfileReason.GONE_NOT_REMOVED

    @pytest.mark.requirement("KEYS-24")
    @pytest.mark.parametrize("data", [b"\x00", b"hello", encode_statements([gone(CAROL)])[1:]])
    def test_nothing_else_is_signed_beside_a_commit(self, scene: Scene, data: bytes) -> None:
        for contents in ([], [Remove(CAROL)]):
            reason = refusal(scene.judge, ALICE, *contents, authenticated_data=data)
            assert reason is ProfileReason.BAD_GONE_STATEMENTS


class TestPreSharedKey:
    @pytest.mark.requirement("KEYS-20")
    def test_with_a_link_who_adds_brings_its_key(self, scene: Scene) -> None:
        assert scene.judge(CAROL, psk(), add("erin")) is CHANGE
        for psks in ([], [psk(nonce=1), psk(nonce=2)], [psk(NEW_LINK_ID)], [psk(b"")]):
            for committer in (CAROL, ALICE):
                reason = refusal(scene.judge, committer, add("erin"), *psks)
                assert reason is ProfileReason.NOT_THE_LINKS_PSK

    @pytest.mark.requirement("KEYS-20")
    def test_an_epochs_key_is_no_links(self, scene: Scene) -> None:
        epoch = ResumptionPSK(ResumptionPSKUsage.APPLICATION, CALL_ID, EPOCH - 1)
        resumption = PreSharedKey(PreSharedKeyID(PSKType.RESUMPTION, epoch, bytes(32)))
        for contents in ([add("dave"), resumption], [resumption], [add("dave"), psk(), resumption]):
            reason = refusal(scene.judge, ALICE, *contents)
            assert reason is ProfileReason.NOT_THE_LINKS_PSK

    @pytest.mark.requirement("KEYS-20")
    def test_who_adds_nobody_brings_none(self, scene: Scene) -> None:
        for contents in ([psk()], [psk(), Remove(CAROL)], [psk(), profile_of(scene.profile)]):
            reason = refusal(scene.judge, ALICE, *contents)
            assert reason is ProfileReason.NOT_THE_LINKS_PSK

    @pytest.mark.requirement("KEYS-20")
    @pytest.mark.parametrize("policy", UNLINKED)
    def test_without_a_link_there_is_none(self, scene: Scene, policy: JoinPolicy) -> None:
        scene.with_policy(policy)
        for psk_id in (LINK_ID, b""):
            reason = refusal(scene.judge, ALICE, add("dave", proof=b""), psk(psk_id))
            assert reason is ProfileReason.NOT_THE_LINKS_PSK


class TestAnotherProfile:
    CHANGES: tuple[dict[str, Any], ...] = (
        {},
        {"hosts": (key("alice"), key("bob"))},
        {"accounts": (key("erin"), key("dave"))},
        {"banned": ()},
        {"speakers": (key("bob"),)},
        {"join_policy": JoinPolicy.ADMITTED, "link_id": b""},
        {"link_id": NEW_LINK_ID},
    )

    @pytest.mark.requirement("KEYS-20")
    @pytest.mark.parametrize("changes", CHANGES)
    def test_is_a_hosts_to_bring(self, scene: Scene, changes: dict[str, Any]) -> None:
        changed = replace(scene.profile, **changes)
        assert scene.judge(ALICE, profile_of(changed)) is CHANGE
        commit = scene.commit(ALICE, profile_of(changed))
        assert profile_after(scene.profile, commit) == changed
        reason = refusal(scene.judge, CAROL, profile_of(changed))
        assert reason is ProfileReason.NOT_A_HOST

    def test_there_is_none_in_most_commits(self, scene: Scene) -> None:
        commit = scene.commit(ALICE, Remove(CAROL))
        assert profile_after(scene.profile, commit) == scene.profile

    @pytest.mark.requirement("KEYS-20")
    def test_nobody_makes_itself_a_host(self, scene: Scene) -> None:
        """Nor uses at once what it would be then."""
        by_carol = replace(scene.profile, hosts=(key("alice"), key("carol")))
        for contents in ([], [Remove(BOB_PHONE)]):
            reason = refusal(scene.judge, CAROL, profile_of(by_carol), *contents)
            assert reason is ProfileReason.NOT_A_HOST

    @pytest.mark.requirement("KEYS-20")
    @pytest.mark.parametrize(
        "changes",
        [
            {"version": 0x0101},
            {"kind": CallKind.ONE_TO_ONE},
            {"kind": CallKind.STAGE},
            {"S": 9},
            {"E": 5},
            {"delivery_key": bytes(32)},
            {"stamps": 1},
            {"signed_lists": 1},
        ],
    )
    def test_what_a_call_is_stays(self, scene: Scene, changes: dict[str, Any]) -> None:
        changed = replace(scene.profile, **changes)
        reason = refusal(scene.judge, ALICE, profile_of(changed))
        assert reason is ProfileReason.CALL_PROFILE_FIXED

    @pytest.mark.requirement("KEYS-19", "KEYS-20")
    @pytest.mark.parametrize(
        "changes",
        [
            {"hosts": ()},
            {"hosts": (key("alice"), key("alice"))},
            {"banned": (key("dave"),)},
            {"join_policy": 3},
            {"join_policy": JoinPolicy.CLOSED},
            {"link_id": b""},
            {"link_id": b"link"},
        ],
    )
    def test_it_is_one_of_a_group_call(self, scene: Scene, changes: dict[str, Any]) -> None:
        changed = replace(scene.profile, **changes)
        reason = refusal(scene.judge, ALICE, profile_of(changed))
        assert reason is ProfileReason.BAD_CALL_PROFILE

    @pytest.mark.requirement("KEYS-20")
    def test_there_is_one_at_most(self, scene: Scene) -> None:
        twice = [profile_of(scene.profile)] * 2
        assert refusal(scene.judge, ALICE, *twice) is ProfileReason.ILLEGAL_PROPOSAL

    @pytest.mark.requirement("KEYS-9", "KEYS-20")
    def test_no_other_extension_changes_with_it(self, scene: Scene) -> None:
        required, carried = group_extensions(scene.profile)
        more = Extension(ExtensionType.EXTERNAL_SENDERS, b"\x00")
        for extensions, reason in (
            ((), ProfileReason.NO_CALL_PROFILE),
            ((required,), ProfileReason.NO_CALL_PROFILE),
            ((carried,), ProfileReason.CALL_PROFILE_NOT_REQUIRED),
            ((required, carried, more), ProfileReason.UNEXPECTED_EXTENSION),
            ((required, replace(carried, extension_data=b"")), ProfileReason.BAD_CALL_PROFILE),
        ):
            assert refusal(scene.judge, ALICE, GroupContextExtensions(extensions)) is reason
        swapped = GroupContextExtensions((carried, required))
        assert scene.judge(ALICE, swapped) is CHANGE


class TestInOneCommit:
    """Who may come is judged by the profile after the commit, who may do it by the one before."""

    @pytest.mark.requirement("KEYS-20")
    def test_a_host_lists_an_account_and_adds_its_device(self, scene: Scene) -> None:
        scene.with_policy(JoinPolicy.ADMITTED)
        listed = replace(scene.profile, accounts=(key("dave"), key("erin")))
        assert scene.judge(ALICE, profile_of(listed), add("erin", proof=b"")) is CHANGE
        assert scene.judge(ALICE, add("erin", proof=b""), profile_of(listed)) is CHANGE

    @pytest.mark.requirement("KEYS-20")
    def test_a_host_strikes_an_account_off_and_adds_it_nevertheless(self, scene: Scene) -> None:
        scene.with_policy(JoinPolicy.ADMITTED)
        unlisted = replace(scene.profile, accounts=())
        reason = refusal(scene.judge, ALICE, profile_of(unlisted), add("dave", proof=b""))
        assert reason is ProfileReason.NOT_ADMITTED

    @pytest.mark.requirement("KEYS-20")
    def test_a_host_bans_an_account_and_removes_all_its_devices(self, scene: Scene) -> None:
        banned = replace(scene.profile, banned=(key("bob"), key("mallory")))
        both = [Remove(BOB_PHONE), Remove(BOB_LAPTOP)]
        assert scene.judge(ALICE, profile_of(banned), *both) is CHANGE
        for some in ([], both[:1], both[1:]):
            reason = refusal(scene.judge, ALICE, profile_of(banned), *some)
            assert reason is ProfileReason.BANNED

    @pytest.mark.requirement("KEYS-20")
    def test_a_ban_is_lifted_for_who_is_added(self, scene: Scene) -> None:
        pardoned = replace(scene.profile, banned=())
        assert scene.judge(ALICE, profile_of(pardoned), add("mallory"), psk()) is CHANGE

    @pytest.mark.requirement("KEYS-20")
    def test_a_host_hands_over_and_removes_somebody(self, scene: Scene) -> None:
        handed_over = replace(scene.profile, hosts=(key("bob"),))
        assert scene.judge(ALICE, profile_of(handed_over), Remove(CAROL)) is CHANGE
        scene.profile = handed_over
        assert refusal(scene.judge, ALICE, Remove(CAROL)) is ProfileReason.MAY_NOT_REMOVE

    @pytest.mark.requirement("KEYS-20")
    def test_a_host_bans_itself_only_without_being_there(self, scene: Scene) -> None:
        banned = replace(scene.profile, hosts=(key("bob"),), banned=(key("alice"),))
        assert refusal(scene.judge, ALICE, profile_of(banned)) is ProfileReason.BANNED

    @pytest.mark.requirement("KEYS-20")
    def test_a_host_changes_the_link_and_adds_by_the_new_one(self, scene: Scene) -> None:
        changed = replace(scene.profile, link_id=NEW_LINK_ID)
        assert scene.judge(ALICE, profile_of(changed), add("erin"), psk(NEW_LINK_ID)) is CHANGE
        reason = refusal(scene.judge, ALICE, profile_of(changed), add("erin"), psk())
        assert reason is ProfileReason.NOT_THE_LINKS_PSK

    @pytest.mark.requirement("KEYS-20", "KEYS-21")
    def test_a_host_closes_the_call_and_adds_who_is_listed(self, scene: Scene) -> None:
        closed = replace(scene.profile, join_policy=JoinPolicy.CLOSED, link_id=b"")
        assert scene.judge(ALICE, profile_of(closed), add("dave", proof=b"")) is CHANGE
        reason = refusal(scene.judge, ALICE, profile_of(closed), add("dave"))
        assert reason is ProfileReason.BAD_JOIN


class TestTheLargestCall:
    @pytest.fixture
    def full(self, scene: Scene) -> Scene:
        """1,024 leaves: the four, and 1,020 accounts of one device each."""
        named = [replace(device("carol").certificate, account_id=f"{n}") for n in range(1_020)]
        crowd = [replace(device("carol"), certificate=certificate) for certificate in named]
        scene.devices = [*scene.devices, *crowd]
        return scene

    @pytest.mark.requirement("KEYS-23")
    def test_has_no_place_for_another(self, full: Scene) -> None:
        assert len(full.devices) == MAX_LEAVES == 1_024
        assert full.judge(ALICE) is TIMED
        reason = refusal(full.judge, ALICE, add("dave"), psk())
        assert reason is ProfileReason.TOO_MANY_LEAVES

    @pytest.mark.requirement("KEYS-23")
    def test_has_one_when_somebody_goes(self, full: Scene) -> None:
        assert full.judge(ALICE, Remove(1_023), add("dave"), psk()) is CHANGE
        reason = refusal(full.judge, ALICE, Remove(1_023), add("dave"), add("erin"), psk())
        assert reason is ProfileReason.TOO_MANY_LEAVES


class TestTheSameRulesForAll:
    """KEYS-14: nothing is asked that only one of them knows."""

    @pytest.mark.requirement("KEYS-14")
    def test_neither_time_nor_proof_is_judged(self, scene: Scene) -> None:
        """How old a request is the committer judges (GROUP-9), whether a proof is right who has the link (GROUP-12)."""
        for made_at in (0, NOW, 2**63):
            marks = (join_extension(CALL_ID, made_at, bytes(32)),)
            asked: ProposalContent = Add(new_device("erin", marks=marks).key_package)
            assert scene.judge(CAROL, asked, psk()) is CHANGE
