"""The log of a call: who opens it, and which commit is an epoch's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.delivery.errors import DeliveryReason
from e2ee.errors import DecodeReason
from e2ee.identity.errors import IdentityReason
from e2ee.mls.errors import Rule
from e2ee.mls.external_joining import external_join
from e2ee.mls.external_proposing import propose_to_join
from e2ee.mls.framing import WireFormat
from e2ee.mls.group_info import GroupInfo, sign_group_info
from e2ee.mls.message import MLSMessage
from e2ee.mls.proposal import Add, Remove
from e2ee.mls.public_message import PublicMessage
from e2ee.profile.call_profile import CallProfile, one_to_one
from e2ee.profile.errors import ProfileReason
from e2ee.profile.leaves import committer_policy
from e2ee.signalling import messages

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

CALL_ID = bytes(range(16))
SUITE = 0x0001
OTHER_ID = bytes(16)


def profile_of(alice: Device, callee: Device) -> CallProfile:
    delivery_key = alice.town.identity.delivery_key.public
    return one_to_one(alice.account.public, callee.account.public, delivery_key)


class TestOpen:
    """DS-3: the caller alone, in epoch 0."""

    @pytest.fixture
    def bob(self, town: Town) -> Device:
        return town.member("bob", key_packages=2)

    @pytest.mark.requirement("DS-3")
    def test_a_call_is_opened_once(self, alice: Device, bob: Device) -> None:
        alice.create(bob.account)
        opening = alice.opening()
        assert alice.send(opening) == []
        assert alice.refused(opening) == DeliveryReason.CALL_ID_USED
        bob.create(alice.account)
        assert bob.refused(bob.opening()) == DeliveryReason.CALL_ID_USED

    @pytest.mark.requirement("DS-3")
    def test_a_group_is_opened_under_its_own_name(self, alice: Device, bob: Device) -> None:
        alice.create(bob.account)
        elsewhere = replace(alice.opening(), call_id=OTHER_ID)
        assert alice.refused(elsewhere) == DeliveryReason.WRONG_GROUP

    @pytest.mark.requirement("DS-3")
    def test_only_its_leaf_opens_a_group(self, alice: Device, bob: Device) -> None:
        alice.create(bob.account)
        assert bob.refused(alice.opening()) == DeliveryReason.NOT_THE_ONLY_LEAF

    @pytest.mark.requirement("DS-3")
    def test_a_wide_tree_is_not_looked_at(self, town: Town, alice: Device, bob: Device) -> None:
        """It would be refused in the end, after the signatures of a thousand leaves were verified."""
        alice.create(bob.account)
        joined = [town.device("bob", device_id).bundle().key_package for device_id in (2, 3)]
        wide = alice.invitation(joined)[1].group_info(external_pub=False).body
        assert isinstance(wide, GroupInfo)
        begun = replace(wide, group_context=replace(wide.group_context, epoch=0))
        signed = sign_group_info(cipher_suite(SUITE), begun, alice.key.private)
        opening = messages.Open(CALL_ID, MLSMessage.of(signed).encode())
        assert alice.refused(opening) == Rule.TREE_TOO_WIDE

    @pytest.mark.requirement("DS-3")
    def test_a_group_that_has_begun_is_not_opened(self, alice: Device, bob: Device) -> None:
        alice.create(bob.account)
        _, alice.group = alice.invitation(alice.claim("bob"))
        assert alice.refused(alice.opening()) == DeliveryReason.NOT_EPOCH_0

    @pytest.mark.requirement("DS-3")
    def test_a_forged_group_info_is_refused(self, alice: Device, bob: Device) -> None:
        alice.create(bob.account)
        opening = alice.opening()
        info = MLSMessage.decode(opening.group_info).body
        assert isinstance(info, GroupInfo)
        forged = replace(info, confirmation_tag=bytes(32))
        assert alice.refused(_open(forged)) == Rule.GROUP_INFO_SIGNATURE
        signed = sign_group_info(
            alice.bundle().suite, replace(info, extensions=()), alice.key.private
        )
        assert alice.refused(_open(signed)) == Rule.RATCHET_TREE_MISSING

    @pytest.mark.requirement("KEYS-1")
    def test_a_suite_without_sframe_suite_is_refused(self, alice: Device, bob: Device) -> None:
        alice.create(bob.account)
        info = MLSMessage.decode(alice.opening().group_info).body
        assert isinstance(info, GroupInfo)
        other_suite = replace(info.group_context, cipher_suite=0x0002)
        request = _open(replace(info, group_context=other_suite))
        assert alice.refused(request) == ProfileReason.UNPAIRED_SUITE

    @pytest.mark.requirement("KEYS-10")
    @pytest.mark.parametrize(
        "fields", [{"kind": 2}, {"join_policy": 1}, {"hosts": (bytes(32),)}, {"stamps": 1}]
    )
    def test_only_one_to_one_calls_are_opened(
        self, alice: Device, bob: Device, fields: dict[str, Any]
    ) -> None:
        alice.create(bob.account, profile=replace(profile_of(alice, bob), **fields))
        assert alice.refused(alice.opening()) == ProfileReason.BAD_CALL_PROFILE

    @pytest.mark.requirement("KEYS-10")
    def test_who_opens_is_the_caller(self, alice: Device, bob: Device) -> None:
        profile = profile_of(alice, bob)
        turned = replace(profile, accounts=(profile.callee, profile.caller))
        alice.create(bob.account, profile=turned)
        assert alice.refused(alice.opening()) == DeliveryReason.NOT_THE_CALLER

    @pytest.mark.requirement("KEYS-9")
    def test_a_call_names_its_own_delivery_service(self, alice: Device, bob: Device) -> None:
        elsewhere = replace(profile_of(alice, bob), delivery_key=bytes(32))
        alice.create(bob.account, profile=elsewhere)
        assert alice.refused(alice.opening()) == DeliveryReason.WRONG_DELIVERY_KEY

    @pytest.mark.parametrize("data", [b"", b"\x00\x01\x00\x04", bytes(64)])
    def test_bytes_that_are_no_group_info_are_refused(self, alice: Device, data: bytes) -> None:
        assert alice.refused(messages.Open(CALL_ID, data)) in {*DecodeReason}


def _open(group_info: GroupInfo) -> messages.Open:
    return messages.Open(CALL_ID, MLSMessage.of(group_info).encode())


class TestInvitation:
    """DS-5: commit, Welcome and offer, or nothing."""

    @pytest.fixture
    def request_(self, alice: Device, bobs: list[Device]) -> messages.Commit:
        """Alice's invitation, not yet sent, to a call that is open."""
        alice.create(bobs[0].account)
        alice.send(alice.opening())
        request, _ = alice.invitation(alice.claim("bob"))
        return request

    @pytest.mark.requirement("DS-5")
    @pytest.mark.parametrize("missing", ["welcome", "offer"])
    def test_half_an_invitation_is_refused(
        self, alice: Device, request_: messages.Commit, missing: str
    ) -> None:
        half = replace(request_, **{missing: None})  # type: ignore[arg-type]
        assert alice.refused(half) == DeliveryReason.WELCOME_MISSING
        assert len(alice.send(request_)) == 1  # and whole it is taken, afterwards

    @pytest.mark.requirement("DS-5")
    def test_a_welcome_is_for_exactly_those_who_are_added(
        self, alice: Device, bobs: list[Device], request_: messages.Commit
    ) -> None:
        alice.create(bobs[0].account)
        fewer, _ = alice.invitation(alice.claim("bob")[:2])
        swapped = replace(request_, welcome=fewer.welcome)
        assert alice.refused(swapped) == DeliveryReason.WELCOME_MISMATCH

    @pytest.mark.requirement("DS-5", "KEYS-5")
    def test_an_offer_is_application_data_of_epoch_1(
        self, alice: Device, bobs: list[Device], request_: messages.Commit
    ) -> None:
        assert alice.refused(replace(request_, offer=request_.commit)) == (
            DeliveryReason.WRONG_WIRE_FORMAT
        )
        assert alice.refused(replace(request_, offer=b"offer")) in {*DecodeReason}
        alice.create(bobs[0].account)
        epoch_0 = alice.say(b"offer").message
        assert alice.refused(replace(request_, offer=epoch_0)) == DeliveryReason.WRONG_EPOCH
        alice.create(bobs[0].account, call_id=OTHER_ID)
        other = alice.say(b"offer").message
        assert alice.refused(replace(request_, offer=other)) == DeliveryReason.WRONG_GROUP

    @pytest.mark.requirement("DS-5")
    @pytest.mark.usefixtures("ringing")
    def test_nobody_is_invited_who_is_not_added(self, bobs: list[Device]) -> None:
        phone = bobs[0]
        answer = phone.answer()
        offer = phone.say(b"offer").message
        both = replace(answer, welcome=b"welcome", offer=offer)
        for request in (both, replace(answer, offer=offer), replace(answer, welcome=b"")):
            assert phone.refused(request) == DeliveryReason.WELCOME_UNEXPECTED

    @pytest.mark.requirement("DS-7")
    def test_a_commit_has_at_most_64_proposals(
        self, town: Town, alice: Device, bobs: list[Device]
    ) -> None:
        alice.create(bobs[0].account, call_id=OTHER_ID)
        assert alice.send(alice.opening(OTHER_ID)) == []
        devices = [town.device("bob", device_id) for device_id in range(1, 66)]
        request, _ = alice.invitation([device.bundle().key_package for device in devices])
        many = replace(request, call_id=OTHER_ID)
        assert alice.refused(many) == DeliveryReason.TOO_MANY_DEVICES

    @pytest.mark.requirement("KEYS-11")
    def test_only_the_callees_devices_are_added(
        self, town: Town, alice: Device, bobs: list[Device]
    ) -> None:
        mallory = town.member("mallory", key_packages=1)
        alice.create(bobs[0].account)
        alice.send(alice.opening())
        request, _ = alice.invitation([*alice.claim("bob"), *alice.claim("mallory")])
        assert alice.refused(request) == ProfileReason.ILLEGAL_PROPOSAL
        assert mallory.take() == []

    @pytest.mark.requirement("IDENT-5")
    def test_a_certificate_that_expired_long_ago_is_not_added(
        self, town: Town, alice: Device, bobs: list[Device]
    ) -> None:
        """The KeyPackage still lives; the certificate in it ended more than a day ago."""
        phone = bobs[0]
        town.now += 25 * 24 * 3600 * 1000
        old = phone.bundle().key_package
        town.now += 4 * 24 * 3600 * 1000 + 1000
        alice.certificate = alice.certify()
        alice.login()
        alice.create(phone.account)
        alice.send(alice.opening())
        request, _ = alice.invitation([old])
        assert alice.refused(request) == IdentityReason.EXPIRED


class TestCommit:
    """DS-4: the first publicly valid commit of an epoch."""

    @pytest.mark.requirement("DS-4")
    @pytest.mark.usefixtures("ringing")
    def test_the_second_commit_of_an_epoch_is_refused(
        self, alice: Device, bobs: list[Device]
    ) -> None:
        """Two devices answer at the same time: one is first."""
        phone, laptop, tablet = bobs
        answer, late = phone.answer(), laptop.answer()
        committed = phone.send(answer)
        assert committed == [messages.Committed(CALL_ID, answer.commit)]
        assert laptop.take() == tablet.take() == alice.take() == committed
        assert laptop.refused(late) == Rule.WRONG_EPOCH
        assert phone.refused(answer) == Rule.WRONG_EPOCH
        assert laptop.apply(committed[0]).removes_own_leaf

    @pytest.mark.requirement("DS-4")
    @pytest.mark.usefixtures("in_call")
    def test_a_strangers_commit_is_refused(self, town: Town, alice: Device) -> None:
        """Mallory got hold of Alice's commit and is faster."""
        mallory = town.member("mallory")
        commit = alice.request(alice.commit())
        assert mallory.refused(commit) == DeliveryReason.NOT_A_MEMBER
        assert alice.send(commit) == [messages.Committed(CALL_ID, commit.commit)]

    @pytest.mark.requirement("DS-4")
    @pytest.mark.usefixtures("in_call")
    def test_another_members_commit_is_refused(self, alice: Device, bobs: list[Device]) -> None:
        commit = alice.request(alice.commit())
        assert bobs[0].refused(commit) == DeliveryReason.NOT_THE_COMMITTER

    @pytest.mark.requirement("DS-4")
    @pytest.mark.usefixtures("in_call")
    def test_who_was_removed_cannot_commit(self, alice: Device, bobs: list[Device]) -> None:
        laptop = bobs[1]
        assert laptop.refused(laptop.answer()) == Rule.WRONG_EPOCH
        assert laptop.refused(alice.request(alice.commit())) == DeliveryReason.NOT_A_MEMBER

    @pytest.mark.requirement("DS-4")
    @pytest.mark.usefixtures("in_call")
    def test_every_changed_byte_of_a_commit_is_refused(self, alice: Device) -> None:
        """Public bytes all: the membership tag at the end is the one thing that the service cannot judge."""
        commit = alice.request(alice.commit()).commit
        tags = 33  # the membership tag with its length
        confirmation = 33 + tags
        for position in range(0, len(commit) - confirmation, 7):
            changed = bytearray(commit)
            changed[position] ^= 1
            alice.refused(messages.Commit(CALL_ID, bytes(changed), None, None))

    @pytest.mark.requirement("DS-4")
    @pytest.mark.usefixtures("in_call")
    def test_a_commit_with_a_forged_signature_is_refused(self, alice: Device) -> None:
        message = MLSMessage.decode(alice.request(alice.commit()).commit).body
        assert isinstance(message, PublicMessage)
        forged = replace(message, auth=replace(message.auth, signature=bytes(64)))
        request = messages.Commit(CALL_ID, MLSMessage.of(forged).encode(), None, None)
        assert alice.refused(request) == Rule.CONTENT_SIGNATURE

    @pytest.mark.requirement("KEYS-5", "DS-4")
    @pytest.mark.usefixtures("in_call")
    def test_a_private_commit_is_refused(self, alice: Device) -> None:
        hidden = alice.request(alice.commit(wire_format=WireFormat.PRIVATE_MESSAGE))
        assert alice.refused(hidden) == DeliveryReason.WRONG_WIRE_FORMAT

    @pytest.mark.requirement("DS-4")
    @pytest.mark.usefixtures("in_call")
    def test_a_commit_for_another_call_is_refused(self, alice: Device, bobs: list[Device]) -> None:
        commit = alice.request(alice.commit())
        unknown = replace(commit, call_id=OTHER_ID)
        assert alice.refused(unknown) == DeliveryReason.UNKNOWN_CALL
        alice.create(bobs[0].account, call_id=OTHER_ID)
        alice.send(alice.opening(OTHER_ID))
        assert alice.refused(unknown) == Rule.WRONG_GROUP

    @pytest.mark.requirement("KEYS-11")
    @pytest.mark.usefixtures("ringing")
    def test_an_illegal_commit_is_refused(self, alice: Device, bobs: list[Device]) -> None:
        """MLS allows these; a call does not."""
        too_early = alice.request(alice.commit())
        assert alice.refused(too_early) == ProfileReason.ILLEGAL_COMMITTER
        phone = bobs[0]
        keeps_one = phone.request(phone.commit(Remove(2)))
        assert phone.refused(keeps_one) == ProfileReason.ILLEGAL_PROPOSAL
        removes_caller = phone.request(phone.commit(Remove(0), Remove(2), Remove(3)))
        assert phone.refused(removes_caller) == ProfileReason.ILLEGAL_PROPOSAL

    @pytest.mark.requirement("KEYS-11")
    @pytest.mark.usefixtures("in_call")
    def test_nobody_is_added_to_a_call(self, alice: Device, bobs: list[Device]) -> None:
        add = alice.commit(Add(bobs[1].bundle().key_package))
        request = replace(alice.request(add), welcome=add.welcome.encode() if add.welcome else b"")
        assert alice.refused(request) == ProfileReason.ILLEGAL_PROPOSAL

    @pytest.mark.requirement("KEYS-13")
    @pytest.mark.usefixtures("in_call")
    def test_nobody_joins_or_comes_back_by_a_commit_from_outside(self, alice: Device) -> None:
        """From the connection of a member, whose certificate the leaf carries; MLS takes it."""
        assert alice.group is not None
        group_info = alice.group.group_info().body
        assert isinstance(group_info, GroupInfo)
        second = type(alice)(alice.town, alice.account, device_id=2)
        for device, resync in ((second, None), (alice, alice.group.own_leaf_index)):
            pending = external_join(
                group_info,
                device.bundle(),
                policy=committer_policy(alice.town.now),
                entropy=alice.entropy,
                resync=resync,
            )
            request = messages.Commit(CALL_ID, pending.message.encode(), None, None)
            assert alice.refused(request) == ProfileReason.EXTERNAL_SENDER

    @pytest.mark.requirement("KEYS-13")
    @pytest.mark.usefixtures("in_call")
    def test_nobody_asks_to_be_added(self, alice: Device) -> None:
        bundle = alice.bundle()
        asked = propose_to_join(
            bundle.key_package,
            bundle.signature_private_key,
            group_id=CALL_ID,
            epoch=2,
            policy=committer_policy(alice.town.now),
        )
        request = messages.Commit(CALL_ID, asked.encode(), None, None)
        assert alice.refused(request) == ProfileReason.EXTERNAL_SENDER

    @pytest.mark.usefixtures("in_call")
    def test_a_proposal_is_no_commit(self, alice: Device) -> None:
        assert alice.group is not None
        proposed = alice.group.propose_update(entropy=alice.entropy)
        request = messages.Commit(CALL_ID, proposed.message.encode(), None, None)
        assert alice.refused(request) == Rule.NOT_A_COMMIT

    @pytest.mark.requirement("DS-4")
    @pytest.mark.usefixtures("in_call")
    def test_the_log_has_one_order_for_all(self, alice: Device, bobs: list[Device]) -> None:
        phone = bobs[0]
        for round_ in range(4):
            committer, other = (alice, phone) if round_ % 2 else (phone, alice)
            first, second = committer.request(committer.commit()), other.request(other.commit())
            (committed,) = committer.send(first)
            assert other.take() == [committed]
            assert other.refused(second) == Rule.WRONG_EPOCH
            committer.apply_own()
            other.apply(committed)
        assert alice.group is not None
        assert phone.group is not None
        assert alice.group.epoch == phone.group.epoch == 6
        assert alice.group.epoch_authenticator == phone.group.epoch_authenticator
