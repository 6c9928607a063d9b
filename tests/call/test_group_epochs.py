"""The epochs of a group call: who is in them, who may speak, which commits are followed, and whose words still count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.group.link import GroupLink
from e2ee.call.logged import InvalidCommit
from e2ee.call.roster import Member
from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.errors import RemoteProtocolError
from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.limits import SEND_DEADLINE_AFTER_REMOVAL
from e2ee.mls.errors import Rule, ValidationError
from e2ee.mls.key_package import sign_key_package
from e2ee.mls.proposal import Add, GroupContextExtensions, Remove
from e2ee.profile import gone, roster
from e2ee.profile.call_profile import JoinPolicy, group_extensions
from e2ee.profile.errors import ProfileReason
from e2ee.signalling import messages
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.call.handmade_group_call import CALL_ID, SUITE, HandmadeGroupCall, Participant

MakeDevice = Callable[..., SimulatedDevice]


class WatchedFrameKeys(FrameKeys):
    """Frame keys that remember what was installed in them."""

    def __init__(self) -> None:
        super().__init__()
        self.installed: list[FrameEpoch] = []

    def install(self, epoch: FrameEpoch, now: int) -> None:
        self.installed.append(epoch)
        super().install(epoch, now)


def installed(member: Participant) -> FrameEpoch:
    """The newest epoch of a member, as its frames have it."""
    keys = member.epochs.frame_keys
    assert isinstance(keys, WatchedFrameKeys)
    return keys.installed[-1]


@pytest.fixture
def device(calls: SimulatedCalls) -> MakeDevice:
    def make(account_id: str, **options: Any) -> SimulatedDevice:
        return calls.device(account_id, frame_keys=WatchedFrameKeys, **options)

    return make


@pytest.fixture
def group_call(device: MakeDevice) -> HandmadeGroupCall:
    """Alice's, with a link; nobody else is there yet."""
    return HandmadeGroupCall(device("alice"))


def key_of(device: SimulatedDevice) -> bytes:
    return device.owner.certificate.account_key


# ----------------------------------------------------------------------------------------------------- what they are


@pytest.mark.requirement("GROUP-2")
def test_every_epoch_protects_media_from_the_first_on(
    device: MakeDevice, group_call: HandmadeGroupCall
) -> None:
    host = group_call.host
    assert installed(host).number == 0
    assert installed(host).roster == {0}
    (bob,) = group_call.add(device("bob"))
    assert installed(host).number == installed(bob).number == 1
    assert installed(host).base_key == installed(bob).base_key
    assert host.epochs.call_code == bob.epochs.call_code
    assert host.epochs.code_epoch().sas_key == bob.epochs.code_epoch().sas_key


@pytest.mark.requirement("FKEY-16")
def test_who_was_added_is_told_to_the_senders(
    device: MakeDevice, group_call: HandmadeGroupCall
) -> None:
    bob, carol = group_call.add(device("bob"), device("carol"))
    assert installed(group_call.host).added == {bob.leaf, carol.leaf} == {1, 2}
    group_call.commit()
    assert installed(group_call.host).added == frozenset()


@pytest.mark.requirement("FRAME-7")
def test_the_profile_says_who_may_speak_and_hosts_always_do(device: MakeDevice) -> None:
    bob, carol = device("bob"), device("carol")
    group_call = HandmadeGroupCall(device("alice"), speakers=[key_of(bob)])
    at_bob, at_carol = group_call.add(bob, carol)
    assert installed(at_carol).speakers == {0, at_bob.leaf}
    assert [each.epochs.may_speak for each in group_call.present] == [True, True, False]
    profile = group_call.host.epochs.profile
    group_call.change(replace(profile, speakers=(*profile.speakers, key_of(carol))))
    assert installed(at_carol).speakers == {0, at_bob.leaf, at_carol.leaf}
    group_call.change(replace(profile, hosts=(*profile.hosts, key_of(carol))))
    assert installed(at_carol).speakers == {0, at_bob.leaf, at_carol.leaf}
    group_call.change(profile)
    assert installed(at_carol).speakers == {0, at_bob.leaf}


def test_a_commit_tells_who_comes_who_goes_and_what_holds_afterwards(
    device: MakeDevice, group_call: HandmadeGroupCall
) -> None:
    bob, carol = group_call.add(device("bob"), device("carol"))
    dave = device("dave")
    bundle = group_call.key_package_of(dave)
    own = group_call.propose(Remove(bob.leaf), Add(bundle.key_package))
    logged = carol.epochs.stage(own.message, group_call.now)
    assert (logged.own, logged.committer) == (False, 0)
    assert logged.removed == {bob.leaf}
    assert logged.added == (Member(bob.leaf, dave.owner.certificate),)
    assert logged.profile_after == carol.epochs.profile
    assert not logged.removes_own_leaf
    assert bob.epochs.stage(own.message, group_call.now).removes_own_leaf


@pytest.mark.requirement("KEYS-7")
@pytest.mark.parametrize(("newcomers", "brings_tree"), [(63, True), (64, False)])
def test_a_welcome_brings_the_tree_of_up_to_64_members(
    calls: SimulatedCalls, newcomers: int, brings_tree: bool
) -> None:
    """The tree is most of a GroupInfo's size: 64 leaves with their certificates have more than 20,000 bytes."""
    group_call = HandmadeGroupCall(calls.device("alice"))
    bundles = [group_call.key_package_of(calls.device(f"guest {n}")) for n in range(newcomers)]
    own = group_call.propose(*(Add(bundle.key_package) for bundle in bundles))
    assert own.welcome is not None
    tree = len(own.logged.staged.public.tree.encode())
    assert tree > 20_000
    assert (len(own.welcome) > tree) == brings_tree


@pytest.mark.requirement("IDENT-11")
def test_certificates_of_members_who_stay_are_not_verified_again(
    device: MakeDevice, group_call: HandmadeGroupCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    group_call.add(device("bob"), device("carol"))
    own = group_call.propose(Add(group_call.key_package_of(device("dave")).key_package))
    verified = set()

    def watched(certificate: bytes, signature_key: bytes) -> VerifiedCertificate:
        verified.add(signature_key)
        return verify_certificate(certificate, signature_key)

    monkeypatch.setattr(roster, "verify_certificate", watched)
    logged = group_call.participants[1].epochs.stage(own.message, group_call.now)
    roster_after = logged.roster_after
    assert len(roster_after) == 4
    keys = {leaf: certificate.signature_key for leaf, certificate in roster_after.items()}
    assert verified == {keys[3]}


# ------------------------------------------------------------------------------------------------------- the link


@pytest.mark.requirement("KEYS-20", "GROUP-12")
def test_a_commit_that_adds_names_the_links_key_and_no_other_does(
    device: MakeDevice, group_call: HandmadeGroupCall
) -> None:
    own = group_call.propose(Add(group_call.key_package_of(device("bob")).key_package))
    named = [each.proposal.content for each in own.logged.staged.proposals]
    assert [type(each).__name__ for each in named] == ["Add", "PreSharedKey"]
    assert [len(group_call.propose().logged.staged.proposals)] == [0]


def test_without_a_link_no_key_is_named(device: MakeDevice) -> None:
    bob = device("bob")
    policy, accounts = JoinPolicy.ADMITTED, [key_of(bob)]
    group_call = HandmadeGroupCall(device("alice"), join_policy=policy, accounts=accounts)
    (at_bob,) = group_call.add(bob)
    assert at_bob.epochs.link is None
    assert at_bob.epochs.call_code == group_call.host.epochs.call_code


@pytest.mark.requirement("GROUP-12")
@pytest.mark.parametrize("proof", ["of another link", "of another KeyPackage"])
def test_an_add_without_the_links_proof_is_invalid_whoever_commits_it(
    device: MakeDevice, group_call: HandmadeGroupCall, proof: str
) -> None:
    bob, mallory = device("bob"), device("mallory")
    (at_bob,) = group_call.add(bob)
    link = group_call.link
    if proof == "of another link":
        link = GroupLink.create(mallory.owner.entropy, CALL_ID)
    proven, unproven = (
        mallory.owner.new_join_key_package(SUITE, link, group_call.now).key_package
        for _ in range(2)
    )
    if proof == "of another KeyPackage":
        copied = replace(unproven, extensions=proven.extensions)
        private = mallory.owner.signing_key.private
        unproven = sign_key_package(cipher_suite(SUITE), copied, private)
    own = group_call.propose(Add(unproven))
    before = snapshot(at_bob.epochs)
    with pytest.raises(InvalidCommit) as refused:
        at_bob.epochs.stage(own.message, group_call.now)
    assert refused.value.reason is CallReason.WRONG_LINK_PROOF
    assert snapshot(at_bob.epochs) == before


@pytest.mark.requirement("GROUP-12", "GROUP-14")
def test_the_link_changes_for_those_to_whom_the_new_one_was_told(
    device: MakeDevice, group_call: HandmadeGroupCall
) -> None:
    at_bob, at_carol = group_call.add(device("bob"), device("carol"))
    old, new = group_call.link, GroupLink.create(group_call.creator.owner.entropy, CALL_ID)
    for told in (group_call.host, at_bob):
        told.epochs.set_link(new)
        assert told.epochs.link == old
    group_call.change(replace(group_call.host.epochs.profile, link_id=new.psk_id))
    assert at_bob.epochs.link == new
    assert (
        at_carol.epochs.link is None
    )  # who was not told adds nobody, and follows nobody who is added
    group_call.link = new
    own = group_call.propose(Add(group_call.key_package_of(device("dave")).key_package))
    assert at_bob.epochs.stage(own.message, group_call.now).added
    with pytest.raises(InvalidCommit) as refused:
        at_carol.epochs.stage(own.message, group_call.now)
    assert refused.value.reason is Rule.PSK_UNKNOWN


def test_who_has_forgotten_the_old_link_adds_nobody_with_it(
    device: MakeDevice, group_call: HandmadeGroupCall
) -> None:
    old, new = group_call.link, GroupLink.create(group_call.creator.owner.entropy, CALL_ID)
    group_call.host.epochs.set_link(new)
    group_call.change(replace(group_call.host.epochs.profile, link_id=new.psk_id))
    assert old.psk_id not in group_call.host.epochs._links
    back = replace(group_call.host.epochs.profile, link_id=old.psk_id)
    bundle = device("bob").owner.new_join_key_package(SUITE, old, group_call.now)
    change = GroupContextExtensions(group_extensions(back))
    with pytest.raises(ValidationError) as refused:
        group_call.propose(change, Add(bundle.key_package))
    assert refused.value.reason is Rule.PSK_UNKNOWN


def test_announced_links_are_few(group_call: HandmadeGroupCall) -> None:
    entropy = group_call.creator.owner.entropy
    announced = [GroupLink.create(entropy, CALL_ID) for _ in range(20)]
    for link in announced:
        group_call.host.epochs.set_link(link)
    kept = list(group_call.host.epochs._links)
    assert kept == [link.psk_id for link in (group_call.link, *announced[-4:])]


def test_a_link_is_in_no_repr(group_call: HandmadeGroupCall) -> None:
    assert group_call.link.secret is not None
    assert group_call.link.secret.hex() not in repr((group_call.link, group_call.host.epochs))


# ----------------------------------------------------------------------------------- commits that are not followed


@pytest.mark.requirement("KEYS-20", "GROUP-20")
def test_a_commit_that_is_not_legal_is_told_apart_from_what_anybody_could_have_made(
    device: MakeDevice, group_call: HandmadeGroupCall
) -> None:
    at_bob, at_carol = group_call.add(device("bob"), device("carol"))
    own = group_call.propose(Remove(at_carol.leaf), by=at_bob)  # who is no host
    with pytest.raises(InvalidCommit) as refused:
        at_carol.epochs.stage(own.message, group_call.now)
    assert refused.value.reason is ProfileReason.MAY_NOT_REMOVE
    forged = bytearray(own.message)
    forged[-1] ^= 1  # the membership tag
    with pytest.raises(RemoteProtocolError) as unauthentic:
        at_carol.epochs.stage(bytes(forged), group_call.now)
    assert not isinstance(unauthentic.value, InvalidCommit)


@pytest.mark.requirement("KEYS-24")
def test_what_is_signed_beside_a_commit_is_judged_with_it(
    calls: SimulatedCalls, device: MakeDevice, group_call: HandmadeGroupCall
) -> None:
    at_bob, at_carol = group_call.add(device("bob"), device("carol"))
    key = calls.identity.delivery_key
    statement = gone.signed(key, CALL_ID, 1, at_carol.leaf, group_call.now)
    statements = gone.encode_statements([statement])
    own = group_call.propose(Remove(at_carol.leaf), by=at_bob, statements=statements)
    logged = group_call.host.epochs.stage(own.message, group_call.now)
    assert logged.removed == {at_carol.leaf}
    assert logged.staged.authenticated_data == statements


# ----------------------------------------------------------------------------- whose words count, when members change


@pytest.mark.requirement("CALL-12")
def test_words_of_who_had_the_leaf_before_are_nobodys(
    device: MakeDevice, group_call: HandmadeGroupCall
) -> None:
    at_bob, at_carol = group_call.add(device("bob"), device("carol"))
    late = at_bob.say(messages.Hand(raised=True))
    (at_dave,) = group_call.add(device("dave"), remove=[at_bob.leaf])
    assert at_dave.leaf == at_bob.leaf
    with pytest.raises(CallRefused) as refused:
        group_call.hear(at_carol, late)
    assert refused.value.reason is CallReason.SENDER_REMOVED
    said = group_call.hear(at_carol, at_dave.say(messages.Hand(raised=True)))
    assert said.sender == at_dave.leaf


@pytest.mark.requirement("CALL-12")
def test_words_from_before_a_commit_count_if_their_speaker_stays(
    device: MakeDevice, group_call: HandmadeGroupCall
) -> None:
    at_bob, at_carol = group_call.add(device("bob"), device("carol"))
    late = at_bob.say(messages.Hand(raised=True))
    group_call.add(device("dave"))
    assert group_call.hear(at_carol, late).epoch == 1


# ------------------------------------------------------------------------------------- until when the removed can open


def hear_alive(listener: Participant, speaker: Participant, now: int) -> None:
    """Something of a member authenticates in its epoch."""
    epochs = listener.epochs
    epochs.frame_keys.heard(speaker.leaf, speaker.epochs.number, now)


@pytest.mark.requirement("CALL-25")
def test_a_removal_is_over_when_all_who_may_speak_were_heard(device: MakeDevice) -> None:
    alice, bob = device("alice"), device("bob")
    group_call = HandmadeGroupCall(alice, speakers=[key_of(bob)])
    at_bob, _viewer, at_dave = group_call.add(bob, device("carol"), device("dave"))
    group_call.remove(at_dave.leaf)
    epochs = group_call.host.epochs
    assert epochs.removal is not None
    assert epochs.removal.senders == {at_bob.leaf}
    assert epochs.removed_can_open_until is None
    hear_alive(group_call.host, at_bob, group_call.now + 700)
    assert epochs.removed_can_open_until == group_call.now + 700 + SEND_DEADLINE_AFTER_REMOVAL


@pytest.mark.requirement("CALL-25")
def test_a_newcomer_who_never_had_an_earlier_epoch_is_not_waited_for(
    device: MakeDevice, group_call: HandmadeGroupCall
) -> None:
    at_bob, at_carol = group_call.add(device("bob"), device("carol"))
    group_call.add(device("dave"), remove=[at_bob.leaf])
    assert group_call.host.epochs.removal is not None
    assert group_call.host.epochs.removal.senders == {at_carol.leaf}


@pytest.mark.requirement("CALL-25")
def test_who_was_taken_off_the_stage_and_may_not_know_it_is_waited_for(device: MakeDevice) -> None:
    """The service shows Bob neither that he is a viewer now nor that Dave is removed: he speaks on, and Dave listens."""
    alice, bob = device("alice"), device("bob")
    group_call = HandmadeGroupCall(alice, speakers=[key_of(bob)])
    at_bob, at_carol, at_dave = group_call.add(bob, device("carol"), device("dave"))
    epochs = group_call.host.epochs
    group_call.change(replace(epochs.profile, speakers=(key_of(alice),)))
    group_call.remove(at_dave.leaf)
    assert epochs.removal is not None
    assert epochs.removal.senders == {at_bob.leaf}
    hear_alive(group_call.host, at_bob, group_call.now + 700)
    assert epochs.removed_can_open_until == group_call.now + 700 + SEND_DEADLINE_AFTER_REMOVAL
    group_call.remove(at_carol.leaf)
    assert epochs.removal.senders == frozenset()
