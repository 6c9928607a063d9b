"""Who may commit what, epoch by epoch, in a one-to-one call from Alice to Bob, who has three devices.

A ring group is the same with another kind (KEYS-22): whoever takes the fixture ``profile`` is asked for both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.errors import RemoteProtocolError
from e2ee.identity.account import AccountKey
from e2ee.identity.errors import IdentityReason
from e2ee.mls.commit import Commit, ProposalOrRef
from e2ee.mls.framing import Sender
from e2ee.mls.proposal import (
    Add,
    CustomProposal,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ProposalContent,
    ReInit,
    Remove,
    Update,
)
from e2ee.mls.psk import PreSharedKeyID, PSKType
from e2ee.mls.update_path import UpdatePath
from e2ee.profile.call_profile import CallProfile, one_to_one, ring
from e2ee.profile.errors import ProfileError, ProfileReason
from e2ee.profile.gone import encode_statements
from e2ee.profile.join import join_extension
from e2ee.profile.legal_commits import LegalCommit, added_certificates, judge
from e2ee.profile.roster import Roster
from tests.profile.group_cast import gone

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.profile.conftest import Device, MakeDevice

ALICE, PHONE, LAPTOP, TABLET = range(4)

CALL_ID = bytes(range(16))

by = Sender.member


@pytest.fixture
def alice(make_device: MakeDevice) -> Device:
    return make_device("alice")


@pytest.fixture
def bobs(make_device: MakeDevice) -> list[Device]:
    """His phone, laptop and tablet."""
    return [make_device("bob", device_id) for device_id in (1, 2, 3)]


@pytest.fixture(params=[one_to_one, ring])
def profile(request: pytest.FixtureRequest, alice: Device, bobs: list[Device]) -> CallProfile:
    make: Callable[..., CallProfile] = request.param
    return make(alice.account.public, bobs[0].account.public, bytes(32))


@pytest.fixture
def members(alice: Device, bobs: list[Device]) -> Roster:
    """Epochs 1: Alice and all of Bob's devices."""
    return dict(enumerate(device.certificate for device in (alice, *bobs)))


def commit_by(device: Device, *contents: ProposalContent) -> Commit:
    """A commit with these proposals by value, and a path of this device."""
    proposals = tuple(ProposalOrRef.by_value(Proposal(content)) for content in contents)
    return Commit(proposals, UpdatePath(device.leaf_node, ()))


def adds(*devices: Device) -> list[Add]:
    return [Add(device.key_package) for device in devices]


def judged(
    profile: CallProfile, epoch: int, members: Roster, committer: int, commit: Commit
) -> LegalCommit:
    """What the commit is, with nothing signed beside it."""
    return judge(profile, CALL_ID, epoch, members, by(committer), commit, b"")


def refusal(
    profile: CallProfile, epoch: int, members: Roster, committer: int, commit: Commit
) -> str:
    with pytest.raises(RemoteProtocolError) as refused:
        judged(profile, epoch, members, committer, commit)
    return refused.value.reason


@pytest.mark.requirement("KEYS-11", "KEYS-22")
def test_the_story_of_a_call(
    profile: CallProfile, members: Roster, alice: Device, bobs: list[Device]
) -> None:
    invitation = commit_by(alice, *adds(*bobs))
    only_alice = {ALICE: members[ALICE]}
    assert judged(profile, 0, only_alice, ALICE, invitation) is LegalCommit.INVITATION
    answer = commit_by(bobs[1], Remove(PHONE), Remove(TABLET))
    assert judged(profile, 1, members, LAPTOP, answer) is LegalCommit.ANSWER
    both = {ALICE: members[ALICE], LAPTOP: members[LAPTOP]}
    for epoch in (2, 3, 1_000):
        assert judged(profile, epoch, both, ALICE, commit_by(alice)) is LegalCommit.TIMED
        assert judged(profile, epoch, both, LAPTOP, commit_by(bobs[1])) is LegalCommit.TIMED


@pytest.mark.requirement("KEYS-11")
def test_who_has_one_device_answers_without_removing_anybody(
    profile: CallProfile, members: Roster, bobs: list[Device]
) -> None:
    two = {ALICE: members[ALICE], PHONE: members[PHONE]}
    assert judged(profile, 1, two, PHONE, commit_by(bobs[0])) is LegalCommit.ANSWER


@pytest.mark.requirement("KEYS-11")
def test_an_invitation_adds_devices_of_the_callee_only(
    profile: CallProfile, alice: Device, bobs: list[Device], make_device: MakeDevice
) -> None:
    only_alice = {ALICE: alice.certificate}
    mallory, own_other = make_device("mallory"), make_device("alice", 2)
    for contents in ([], adds(mallory), adds(*bobs, mallory), adds(own_other), [Remove(ALICE)]):
        commit = commit_by(alice, *contents)
        assert refusal(profile, 0, only_alice, ALICE, commit) is ProfileReason.ILLEGAL_PROPOSAL


@pytest.mark.requirement("KEYS-21")
def test_an_invitation_adds_nobody_who_asked_to_join_a_group_call(
    profile: CallProfile, alice: Device, make_device: MakeDevice, now: int
) -> None:
    joining = make_device("bob", 1, marks=[join_extension(CALL_ID, now)])
    commit = commit_by(alice, *adds(joining))
    reason = refusal(profile, 0, {ALICE: alice.certificate}, ALICE, commit)
    assert reason is ProfileReason.JOIN_UNEXPECTED


@pytest.mark.requirement("KEYS-6", "KEYS-11")
def test_an_invitation_of_a_leaf_with_a_bad_certificate_is_refused(
    profile: CallProfile, alice: Device, bobs: list[Device], make_device: MakeDevice
) -> None:
    impostor = make_device("mallory", credential=bobs[0].leaf_node.credential)
    commit = commit_by(alice, *adds(impostor))
    reason = refusal(profile, 0, {ALICE: alice.certificate}, ALICE, commit)
    assert reason is IdentityReason.BAD_ACCOUNT_SIGNATURE


@pytest.mark.requirement("IDENT-11")
def test_an_invitation_adds_each_device_once(
    profile: CallProfile, alice: Device, bobs: list[Device]
) -> None:
    commit = commit_by(alice, *adds(bobs[0], bobs[1], bobs[0]))
    reason = refusal(profile, 0, {ALICE: alice.certificate}, ALICE, commit)
    assert reason is ProfileReason.DEVICE_NOT_UNIQUE


@pytest.mark.requirement("IDENT-11")
def test_nobody_else_of_the_callees_account_id_is_added(
    alice: Device, make_device: MakeDevice
) -> None:
    """The callee's account key under the caller's account id would put two keys under one name."""
    alice_too = AccountKey("alice", AccountKey.create("bob", SeededEntropy(b"bob")).key)
    device = make_device("alice", 2, account=alice_too)
    profile = one_to_one(alice.account.public, alice_too.public, bytes(32))
    commit = commit_by(alice, *adds(device))
    reason = refusal(profile, 0, {ALICE: alice.certificate}, ALICE, commit)
    assert reason is ProfileReason.ACCOUNT_KEYS_DIFFER


@pytest.mark.requirement("KEYS-11")
def test_only_the_callee_answers(profile: CallProfile, members: Roster, alice: Device) -> None:
    for contents in ([], [Remove(PHONE), Remove(LAPTOP), Remove(TABLET)]):
        commit = commit_by(alice, *contents)
        assert refusal(profile, 1, members, ALICE, commit) is ProfileReason.ILLEGAL_COMMITTER


@pytest.mark.requirement("KEYS-11")
@pytest.mark.parametrize(
    "removed",
    [
        [],
        [PHONE],
        [TABLET],
        [PHONE, TABLET, ALICE],
        [PHONE, TABLET, LAPTOP],
        [PHONE, PHONE],
        [PHONE, TABLET, 4],
        [ALICE],
    ],
)
def test_an_answer_removes_exactly_the_callees_other_devices(
    profile: CallProfile, members: Roster, bobs: list[Device], removed: list[int]
) -> None:
    commit = commit_by(bobs[1], *map(Remove, removed))
    assert refusal(profile, 1, members, LAPTOP, commit) is ProfileReason.ILLEGAL_PROPOSAL


@pytest.mark.requirement("KEYS-11")
@pytest.mark.parametrize("epoch", [1, 2, 3, 1_000])
def test_nobody_is_added_after_the_invitation(
    profile: CallProfile,
    members: Roster,
    bobs: list[Device],
    make_device: MakeDevice,
    epoch: int,
) -> None:
    commit = commit_by(bobs[1], *adds(make_device("bob", 9)))
    assert refusal(profile, epoch, members, LAPTOP, commit) is ProfileReason.ILLEGAL_PROPOSAL


@pytest.mark.requirement("KEYS-11")
@pytest.mark.parametrize("epoch", [2, 3, 1_000])
def test_nobody_is_removed_in_the_call(
    profile: CallProfile, members: Roster, alice: Device, epoch: int
) -> None:
    commit = commit_by(alice, Remove(PHONE))
    assert refusal(profile, epoch, members, ALICE, commit) is ProfileReason.ILLEGAL_PROPOSAL


@pytest.mark.requirement("KEYS-12")
@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_commit_without_a_path_is_refused(
    profile: CallProfile, members: Roster, bobs: list[Device], epoch: int
) -> None:
    """A lone Remove or a lone Add as well, which RFC 9420 partly allows without."""
    for contents in ([], [Remove(PHONE), Remove(TABLET)], adds(*bobs)):
        commit = replace(commit_by(bobs[1], *contents), path=None)
        assert refusal(profile, epoch, members, LAPTOP, commit) is ProfileReason.NO_PATH


@pytest.mark.requirement("KEYS-13")
@pytest.mark.parametrize(("epoch", "committer"), [(0, ALICE), (1, LAPTOP), (2, ALICE)])
def test_proposals_by_reference_are_refused(
    profile: CallProfile,
    members: Roster,
    alice: Device,
    bobs: list[Device],
    epoch: int,
    committer: int,
) -> None:
    legal = commit_by([alice, *bobs][committer])
    commit = replace(legal, proposals=(ProposalOrRef.by_reference(bytes(32)),))
    reason = refusal(profile, epoch, members, committer, commit)
    assert reason is ProfileReason.PROPOSAL_BY_REFERENCE
    with pytest.raises(RemoteProtocolError):
        added_certificates(commit)


@pytest.mark.requirement("KEYS-13")
@pytest.mark.parametrize(("epoch", "committer"), [(0, ALICE), (1, LAPTOP), (2, ALICE)])
def test_what_a_call_does_not_need_is_refused(
    profile: CallProfile,
    members: Roster,
    alice: Device,
    bobs: list[Device],
    epoch: int,
    committer: int,
) -> None:
    device = [alice, *bobs][committer]
    for content in (
        Update(device.leaf_node),
        PreSharedKey(PreSharedKeyID(PSKType.EXTERNAL, b"psk", bytes(32))),
        ReInit(bytes(16), 1, 1, ()),
        ExternalInit(bytes(32)),
        GroupContextExtensions(()),
        CustomProposal(0xF001, b""),
    ):
        commit = commit_by(device, content)
        reason = refusal(profile, epoch, members, committer, commit)
        assert reason is ProfileReason.ILLEGAL_PROPOSAL


@pytest.mark.requirement("KEYS-13")
@pytest.mark.parametrize(
    "sender", [Sender.new_member_commit(), Sender.new_member_proposal(), Sender.external(ALICE)]
)
@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_nobody_commits_from_outside(
    profile: CallProfile,
    members: Roster,
    alice: Device,
    bobs: list[Device],
    sender: Sender,
    epoch: int,
) -> None:
    """Not even a device that is a member, or was: its leaf, its certificate and its signature change nothing."""
    for commit in (commit_by(alice), commit_by(bobs[0], ExternalInit(bytes(32)), Remove(PHONE))):
        with pytest.raises(ProfileError) as refused:
            judge(profile, CALL_ID, epoch, members, sender, commit, b"")
        assert refused.value.reason is ProfileReason.EXTERNAL_SENDER


@pytest.mark.requirement("KEYS-13")
@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_nothing_is_signed_beside_a_commit(
    profile: CallProfile, members: Roster, alice: Device, bobs: list[Device], epoch: int
) -> None:
    committer = (ALICE, LAPTOP, ALICE)[epoch]
    contents = (adds(*bobs), [Remove(PHONE), Remove(TABLET)], [])[epoch]
    commit = commit_by([alice, *bobs][committer], *contents)
    known = {ALICE: members[ALICE]} if epoch == 0 else members
    judge(profile, CALL_ID, epoch, known, by(committer), commit, b"")
    for data in (b"\x00", encode_statements([gone(PHONE, epoch=epoch)])):
        with pytest.raises(ProfileError) as refused:
            judge(profile, CALL_ID, epoch, known, by(committer), commit, data)
        assert refused.value.reason is ProfileReason.UNEXPECTED_AUTHENTICATED_DATA


@pytest.mark.requirement("IDENT-11")
def test_a_commit_changes_neither_credential_nor_signature_key(
    profile: CallProfile, members: Roster, alice: Device, make_device: MakeDevice
) -> None:
    other = make_device("alice", 2).leaf_node
    for leaf_node in (
        replace(alice.leaf_node, signature_key=other.signature_key),
        replace(alice.leaf_node, credential=other.credential),
        other,
    ):
        commit = Commit((), UpdatePath(leaf_node, ()))
        assert refusal(profile, 2, members, ALICE, commit) is ProfileReason.LEAF_CHANGED


def test_an_invitation_tells_whom_it_adds(alice: Device, bobs: list[Device]) -> None:
    commit = commit_by(alice, *adds(*bobs))
    assert added_certificates(commit) == [device.certificate for device in bobs]
    assert added_certificates(commit_by(alice)) == []
