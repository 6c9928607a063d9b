"""Requests to join a group call: whose they are, and who is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite
from e2ee.delivery import joining, limits
from e2ee.delivery.errors import DeliveryReason
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule
from e2ee.mls.key_package import LAST_RESORT
from e2ee.mls.key_package_bundle import KeyPackageBundle
from e2ee.profile.call_profile import JoinPolicy
from e2ee.profile.errors import ProfileReason
from e2ee.profile.join import join_extension
from e2ee.profile.leaves import call_capabilities
from e2ee.signalling import messages
from tests.delivery.conftest import SUITE, days, encoded
from tests.delivery.meeting import MEETING_ID, Meeting, meet, members

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town


def ranks(device: Device) -> list[tuple[int, bool]]:
    """Rank and lobby of the requests that have come to a device."""
    requests = [each for each in device.take() if isinstance(each, messages.JoinRequested)]
    return [(each.rank, each.lobby) for each in requests]


def special(meeting: Meeting, device: Device, **options: Any) -> messages.Join:
    """A request with a KeyPackage of other than the usual parts."""
    marks = options.pop("marks", (join_extension(MEETING_ID, meeting.town.now),))
    lifetime = options.pop("lifetime", days(meeting.town.now, -1, 1))
    suite = options.pop("suite", SUITE)
    bundle = KeyPackageBundle.generate(
        cipher_suite(suite),
        options.pop("key", device.key),
        Credential.basic(device.certificate.encode()),
        call_capabilities((SUITE, suite), marks),
        lifetime,
        device.entropy,
        extensions=marks,
    )
    return messages.Join(MEETING_ID, encoded(bundle.key_package))


class TestWhoIsAsked:
    """Members with the lowest leaves, or hosts, or nobody."""

    @pytest.mark.requirement("DS-17", "GROUP-8")
    def test_the_eight_lowest_leaves_that_are_connected(self, town: Town) -> None:
        meeting, devices = meet(town, *(f"member-{n:02}" for n in range(11)))
        devices[0].disconnect()
        devices[3].disconnect()
        for device in devices:
            device.take()
        joiner = town.member("member-00", 2)  # of an account that is listed
        meeting.ask(joiner)
        expected = {1: 0, 2: 1, 4: 2, 5: 3, 6: 4, 7: 5, 8: 6, 9: 7}
        for number in (1, 2, 4, 5, 6, 7, 8, 9, 10):
            due = [(expected[number], False)] if number in expected else []
            assert ranks(devices[number]) == due

    @pytest.mark.requirement("DS-17")
    def test_it_is_passed_on_as_it_came(self, town: Town) -> None:
        meeting, (alice,) = meet(town, "alice")
        tablet = town.member("alice", 2)
        asking = meeting.asking(meeting.bundle(tablet))
        assert tablet.send(asking) == [messages.Joining(MEETING_ID, lobby=False)]
        requested = messages.JoinRequested(MEETING_ID, asking.key_package, 0, lobby=False)
        assert alice.take() == [requested]
        assert alice.numbers() == tablet.numbers() == []  # in no mailbox

    @pytest.mark.requirement("DS-17")
    def test_with_a_link_everybody_who_has_it(self, town: Town) -> None:
        alice, bob = members(town, "alice", "bob")
        meeting = Meeting(town)
        meeting.open_with_link(alice)
        meeting.ask(bob, proof=bytes(32))
        assert ranks(alice) == [(0, False)]
        without_proof = meeting.asking(meeting.bundle(bob))
        assert bob.refused(without_proof) == ProfileReason.BAD_JOIN

    @pytest.mark.requirement("DS-17", "GROUP-10")
    def test_hosts_alone_ask_who_is_in_the_lobby(self, town: Town) -> None:
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        both = (alice.account.public, carol.account.public)
        meeting.change(alice, meeting.another_profile(hosts=both))
        for device in (alice, bob, carol):
            device.take()
        (dave,) = members(town, "dave")
        asking = meeting.asking(meeting.bundle(dave))
        assert dave.send(asking) == [messages.Joining(MEETING_ID, lobby=True)]
        assert (ranks(alice), ranks(bob), ranks(carol)) == ([(0, True)], [], [(1, True)])
        alice.disconnect()
        meeting.ask(dave)
        assert (ranks(bob), ranks(carol)) == ([], [(0, True)])

    @pytest.mark.requirement("DS-17")
    def test_nobody_if_the_call_is_closed(self, town: Town) -> None:
        alice, bob, carol = members(town, "alice", "bob", "carol")
        meeting = Meeting(town)
        meeting.open(alice, bob, join_policy=JoinPolicy.CLOSED)
        refused = carol.refused(meeting.asking(meeting.bundle(carol)))
        assert refused == DeliveryReason.NOT_ADMITTED
        meeting.ask(bob)  # who is listed
        assert ranks(alice) == [(0, False)]

    @pytest.mark.requirement("DS-17")
    def test_nobody_for_who_is_banned(self, town: Town) -> None:
        meeting, (alice,) = meet(town, "alice")
        (mallory,) = members(town, "mallory")
        meeting.change(alice, meeting.another_profile(banned=(mallory.account.public,)))
        refused = mallory.refused(meeting.asking(meeting.bundle(mallory)))
        assert refused == DeliveryReason.BANNED

    @pytest.mark.requirement("DS-17")
    def test_a_member_that_joins_anew_is_not_asked_about_itself(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        meeting.ask(alice)
        assert ranks(alice) == []
        assert ranks(bob) == [(0, False)]

    @pytest.mark.requirement("DS-17", "DS-19")
    def test_who_has_left_is_asked_nothing(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        assert alice.send(messages.Leave(MEETING_ID)) == []
        bob.take()
        meeting.ask(town.member("bob", 2))
        assert ranks(alice) == []
        assert ranks(bob) == [(0, False)]


class TestKeyPackages:
    """Of this device, for this call, of this call's suite."""

    @pytest.mark.requirement("DS-17", "KEYS-21")
    def test_made_to_join_this_call(self, town: Town) -> None:
        meeting, _ = meet(town, "alice")
        tablet = town.member("alice", 2)
        ordinary = meeting.asking(meeting.bundle(tablet, joins=False))
        assert tablet.refused(ordinary) == ProfileReason.JOIN_MISSING
        another_call_s = meeting.asking(meeting.bundle(tablet, call_id=bytes(16)))
        assert tablet.refused(another_call_s) == ProfileReason.BAD_JOIN
        for_many_uses = special(
            meeting, tablet, marks=(join_extension(MEETING_ID, town.now), LAST_RESORT)
        )
        assert tablet.refused(for_many_uses) == ProfileReason.BAD_JOIN

    @pytest.mark.requirement("DS-17")
    def test_of_the_device_that_asks(self, town: Town) -> None:
        meeting, _ = meet(town, "alice")
        phone, tablet = town.member("alice", 2), town.member("alice", 3)
        stolen = meeting.asking(meeting.bundle(phone))
        assert tablet.refused(stolen) == DeliveryReason.NOT_THIS_DEVICE

    @pytest.mark.requirement("DS-17")
    def test_valid_and_of_the_suite_of_the_call(self, town: Town) -> None:
        meeting, _ = meet(town, "alice")
        tablet = town.member("alice", 2)
        too_old = special(meeting, tablet, lifetime=days(town.now, -3, -2))
        assert tablet.refused(too_old) == Rule.LEAF_EXPIRED
        another_suite = special(meeting, tablet, suite=0x0003)
        assert tablet.refused(another_suite) == Rule.KEY_PACKAGE_CIPHER_SUITE
        good = special(meeting, tablet)
        last = good.key_package[-1] ^ 1
        spoilt = replace(good, key_package=good.key_package[:-1] + bytes([last]))
        assert tablet.refused(spoilt) == Rule.KEY_PACKAGE_SIGNATURE

    @pytest.mark.requirement("DS-7")
    def test_not_longer_than_one_is(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        meeting, _ = meet(town, "alice")
        tablet = town.member("alice", 2)
        asking = meeting.asking(meeting.bundle(tablet))
        monkeypatch.setattr(joining, "MAX_KEY_PACKAGE", len(asking.key_package) - 1)
        assert tablet.refused(asking) == DeliveryReason.TOO_MANY_BYTES

    @pytest.mark.requirement("DS-17")
    def test_for_a_call_that_there_is(self, town: Town) -> None:
        meeting = Meeting(town)
        (alice,) = members(town, "alice")
        asking = meeting.asking(meeting.bundle(alice))
        assert alice.refused(asking) == DeliveryReason.UNKNOWN_CALL


class TestRates:
    """Nobody fills the members' screens."""

    @pytest.mark.requirement("DS-7")
    def test_an_account_asks_so_often(self, town: Town) -> None:
        assert (limits.JOINS.amount, limits.JOINS.period) == (30, 60_000)
        meeting, _ = meet(town, "alice")
        phone, tablet = town.member("alice", 2), town.member("alice", 3)
        asking = [meeting.asking(meeting.bundle(each)) for each in (phone, tablet)]
        for number in range(30):
            (answer,) = (phone, tablet)[number % 2].send(asking[number % 2])
            assert isinstance(answer, messages.Joining)
        assert tablet.refused(asking[1]) == DeliveryReason.RATE_LIMITED
        town.now += 2_000
        assert len(tablet.send(asking[1])) == 1
        assert isinstance(phone.send(asking[0])[0], messages.Refused)

    @pytest.mark.requirement("DS-7")
    def test_as_often_in_all_calls(self, town: Town) -> None:
        assert (limits.JOINS_OF_ACCOUNT.amount, limits.JOINS_OF_ACCOUNT.period) == (120, 60_000)
        (alice,) = members(town, "alice")
        for number in range(120):
            nowhere = messages.Join(bytes([number] * 16), b"")
            assert alice.refused(nowhere) == DeliveryReason.UNKNOWN_CALL
        assert alice.refused(messages.Join(bytes(16), b"")) == DeliveryReason.RATE_LIMITED

    @pytest.mark.requirement("DS-7")
    def test_a_rush_is_spread(self, town: Town) -> None:
        assert (limits.JOINS_OF_CALL.amount, limits.JOINS_OF_CALL.period) == (500, 3_000)
        assert limits.JOINS_OF_CALL.amount < limits.MAX_WAITING_MESSAGES
        meeting, _ = meet(town, "alice")
        tablet = town.member("alice", 2)
        of_call = town.service._service.spending.joins_of_call
        of_call.spend(MEETING_ID, town.now, 499)
        meeting.ask(tablet)
        asking = meeting.asking(meeting.bundle(tablet))
        assert tablet.refused(asking) == DeliveryReason.RATE_LIMITED
        town.now += limits.JOINS_OF_CALL.period
        meeting.ask(tablet)


class TestTurningAway:
    """A host's no."""

    @pytest.mark.requirement("DS-17", "GROUP-10")
    def test_it_is_passed_on(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        dave, erin = members(town, "dave", "erin")
        no = messages.TurnAway(MEETING_ID, dave.key.public)
        assert alice.refused(no) == DeliveryReason.NOT_ASKED
        meeting.ask(dave)
        meeting.ask(erin)
        alice.take()
        assert bob.refused(no) == DeliveryReason.NOT_A_HOST
        assert dave.refused(no) == DeliveryReason.NOT_A_MEMBER
        assert alice.send(no) == []
        assert dave.take() == [messages.TurnedAway(MEETING_ID)]
        assert erin.take() == []
        erin.disconnect()
        assert alice.send(messages.TurnAway(MEETING_ID, erin.key.public)) == []
        erin.reconnect()
        town.now += 60_000
        assert alice.refused(no) == DeliveryReason.NOT_ASKED
        meeting.ask(erin)
        attendance = town.service._service.attendances.of(MEETING_ID)
        assert attendance is not None
        assert list(attendance.asked) == [erin.key.public]  # and no others are remembered
