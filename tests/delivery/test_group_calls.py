"""Group calls through the service: opened, joined, spoken in; what a commit may be, and what one full mailbox does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.delivery import call_log, call_table, limits
from e2ee.delivery.errors import DeliveryError, DeliveryReason
from e2ee.delivery.rates import Rate
from e2ee.delivery.snapshot import of_snapshot, snapshot
from e2ee.delivery.transaction import Mail
from e2ee.errors import DecodeReason
from e2ee.mls.proposal import Add, Remove
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import CallKind, JoinPolicy, group_extensions, ring
from e2ee.profile.errors import ProfileReason
from e2ee.signalling import messages, wire
from tests.delivery import conftest
from tests.delivery.conftest import decoded
from tests.delivery.meeting import MEETING_ID, Meeting, meet, members

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town


def take_all(device: Device) -> None:
    """A device takes and acknowledges all of its mail."""
    while numbers := device.numbers():
        device.send(messages.Acknowledge(numbers[-1]))
    device.take()


FILLING = wire.encode(messages.Sent(bytes(16), b"of another call"))


def committed(request: messages.Commit) -> messages.Committed:
    return messages.Committed(MEETING_ID, request.commit)


def fill(town: Town, device: Device, messages_: int = limits.MAILBOX_MESSAGES) -> None:
    """A mailbox has so many messages in it."""
    with town.store.transaction() as tx:
        last = tx.mailbox(device.key.public)
        assert last is not None
        for number in range(last.last_number + 1, last.last_number + 1 + messages_ - last.messages):
            tx.append_mail(device.key.public, Mail(number, town.now + 60_000, FILLING))


class TestOpen:
    """Who opens it is its host."""

    @pytest.mark.requirement("DS-16")
    def test_it_is_answered(self, town: Town) -> None:
        (alice,) = members(town, "alice")
        opening = Meeting(town).opening(alice)
        assert alice.send(opening) == [messages.Stored("open", MEETING_ID)]
        assert alice.refused(opening) == DeliveryReason.CALL_ID_USED

    @pytest.mark.requirement("DS-16")
    def test_by_a_host_of_its_profile_alone(self, town: Town) -> None:
        alice, bob = members(town, "alice", "bob")
        opening = Meeting(town).opening(alice, creator=bob.account.public)
        assert alice.refused(opening) == DeliveryReason.NOT_A_HOST

    @pytest.mark.requirement("DS-16")
    def test_with_a_profile_of_a_group_call(self, town: Town) -> None:
        (alice,) = members(town, "alice")
        without_a_link = Meeting(town).opening(alice, join_policy=JoinPolicy.LINK)
        assert alice.refused(without_a_link) == ProfileReason.BAD_CALL_PROFILE
        elsewhere = Meeting(town).opening(alice, delivery_key=bytes(32))
        assert alice.refused(elsewhere) == DeliveryReason.WRONG_DELIVERY_KEY

    @pytest.mark.requirement("KEYS-22")
    def test_a_ring_group_is_as_a_call_between_two(self, town: Town) -> None:
        """It needs an offer, and who is rung by it gets it as an invitation."""
        alice, bob = town.member("alice"), town.member("bob", key_packages=1)
        delivery_key = town.identity.delivery_key.public
        profile = ring(alice.account.public, bob.account.public, delivery_key)
        assert profile.kind == CallKind.RING
        alice.create(bob.account, profile=profile)
        assert alice.send(alice.opening()) == []
        request, _ = alice.invitation(alice.claim("bob"))
        assert alice.refused(replace(request, offer=None)) == DeliveryReason.WELCOME_MISSING
        asking = Meeting(town, conftest.CALL_ID)
        assert bob.refused(asking.asking(asking.bundle(bob))) == DeliveryReason.NOT_A_GROUP_CALL
        assert alice.send(request) == [messages.Committed(conftest.CALL_ID, request.commit)]
        assert bob.join()


class TestJoining:
    """Epochs that add."""

    @pytest.mark.requirement("DS-16")
    def test_a_call_of_three(self, town: Town) -> None:
        alice, bob, carol = members(town, "alice", "bob", "carol")
        meeting = Meeting(town)
        meeting.open(alice, bob, carol)
        bundle = meeting.ask(bob)
        assert [type(each) for each in alice.take()] == [messages.JoinRequested]
        request = meeting.adding(alice, bundle)
        meeting.commit(alice, request)
        assert request.welcome is not None
        meeting.join(bob, bundle)
        meeting.add(bob, carol)
        alice.take()
        bob.take()
        said = meeting.said(carol)
        assert alice.take() == bob.take() == [said]

    @pytest.mark.requirement("DS-16")
    def test_who_comes_with_others_gets_its_own_part_of_the_welcome(self, town: Town) -> None:
        alice, bob, carol = members(town, "alice", "bob", "carol")
        meeting = Meeting(town)
        meeting.open(alice, bob, carol)
        request = meeting.adding(alice, meeting.bundle(bob), meeting.bundle(carol))
        meeting.commit(alice, request)
        assert request.welcome is not None
        whole = decoded(Welcome, request.welcome)
        parts = []
        for device in (bob, carol):
            (added,) = device.take()
            assert isinstance(added, messages.Added)
            parts.append(decoded(Welcome, added.welcome))
        assert len(whole.secrets) == 2
        assert [part.secrets for part in parts] == [(each,) for each in whole.secrets]
        assert {part.encrypted_group_info for part in parts} == {whole.encrypted_group_info}

    @pytest.mark.requirement("DS-5", "DS-16")
    def test_half_an_addition_is_refused(self, town: Town) -> None:
        alice, bob = members(town, "alice", "bob")
        meeting = Meeting(town)
        meeting.open(alice, bob)
        request = meeting.adding(alice, meeting.bundle(bob))
        refused = alice.refused(replace(request, welcome=None))
        assert refused == DeliveryReason.WELCOME_MISSING
        with_offer = replace(request, offer=meeting.say(alice).message)
        assert alice.refused(with_offer) == DeliveryReason.WELCOME_UNEXPECTED
        other = meeting.adding(alice, meeting.bundle(bob)).welcome
        refused = alice.refused(replace(request, welcome=other))
        assert refused == DeliveryReason.WELCOME_MISMATCH
        empty = replace(meeting.request(alice), welcome=request.welcome)
        assert alice.refused(empty) == DeliveryReason.WELCOME_UNEXPECTED

    @pytest.mark.requirement("DS-16", "KEYS-20")
    def test_with_a_link_its_psk_is_named(self, town: Town) -> None:
        alice, bob = members(town, "alice", "bob")
        meeting = Meeting(town)
        meeting.open_with_link(alice)
        bundle = meeting.ask(bob, proof=bytes(32))  # nobody but members can tell that it is none
        add = Add(bundle.key_package)
        alice.take()
        without = meeting.request(alice, add)
        assert alice.refused(without) == ProfileReason.NOT_THE_LINKS_PSK
        psk = meeting.link_psk(alice)
        meeting.commit(alice, meeting.request(alice, add, psk, psks=meeting.psks))
        meeting.join(bob, bundle)
        assert meeting.group(bob).epoch == meeting.group(alice).epoch == 1

    @pytest.mark.requirement("DS-16")
    def test_who_is_removed_gets_the_entry(self, town: Town) -> None:
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        request = meeting.request(alice, Remove(meeting.leaf(carol)))
        meeting.commit(alice, request)
        assert carol.take() == bob.take() == [committed(request)]
        assert carol.refused(messages.Leave(MEETING_ID)) == DeliveryReason.NOT_A_MEMBER
        meeting.said(alice)
        assert carol.take() == []

    @pytest.mark.requirement("DS-16", "GROUP-21")
    def test_who_joins_anew_is_a_new_leaf(self, town: Town) -> None:
        """The commit that adds it removes its old leaf, and whoever makes it need be no host."""
        meeting, (_, bob, carol) = meet(town, "alice", "bob", "carol")
        town.now += limits.COMMIT_INTERVAL
        old = meeting.leaf(carol)
        bundle = meeting.ask(carol)
        del meeting.groups[carol.key.public]
        request = meeting.adding(bob, bundle, contents=[Remove(old)])
        meeting.commit(bob, request)
        assert [type(each) for each in carol.take()[:1]] == [messages.Committed]
        assert len(meeting.group(bob).members()) == 3


class TestCommits:
    """What a commit may be."""

    @pytest.mark.requirement("DS-16")
    def test_it_adds_nobody_whom_the_service_does_not_know(self, town: Town) -> None:
        """One such device costs the others who wait no more than another commit."""
        alice, bob = members(town, "alice", "bob")
        meeting = Meeting(town)
        never_came = conftest.Device(town, town.account("bob"), 2)
        meeting.open(alice, bob)
        both = [meeting.bundle(each) for each in (bob, never_came)]
        request = meeting.adding(alice, *both)
        before = town.state()
        (answer,) = alice.send(request)
        assert isinstance(answer, messages.Refused)
        assert (answer.reason, answer.detail[:5]) == (DeliveryReason.UNKNOWN_DEVICE, "Add 1")
        assert town.state() == before
        meeting.commit(alice, meeting.adding(alice, both[0]))
        meeting.join(bob, both[0])

    @pytest.mark.requirement("DS-16")
    def test_nor_whom_its_account_has_removed(self, town: Town) -> None:
        alice, bob = members(town, "alice", "bob")
        meeting = Meeting(town)
        meeting.open(alice, bob)
        request = meeting.adding(alice, meeting.ask(bob))
        alice.take()
        with town.store.transaction() as tx:
            tx.remove_device(bob.key.public)
        assert alice.refused(request) == DeliveryReason.UNKNOWN_DEVICE

    @pytest.mark.requirement("DS-16")
    def test_the_rules_follow_the_profile(self, town: Town) -> None:
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        removing = meeting.request(bob, Remove(meeting.leaf(carol)))
        assert bob.refused(removing) == ProfileReason.MAY_NOT_REMOVE
        both = (alice.account.public, bob.account.public)
        meeting.change(alice, meeting.another_profile(hosts=both))
        meeting.remove(bob, carol)
        without_alice = (bob.account.public,)
        meeting.change(bob, meeting.another_profile(hosts=without_alice))
        removing = meeting.request(alice, Remove(meeting.leaf(bob)))
        town.now += limits.COMMIT_INTERVAL
        alice.take()
        assert alice.refused(removing) == ProfileReason.MAY_NOT_REMOVE

    @pytest.mark.requirement("DS-16")
    def test_the_profile_is_that_of_the_log_after_a_restart(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        banned = (b"b" * 32,)
        meeting.change(alice, meeting.another_profile(banned=banned))
        town.restart()
        for device in (alice, bob):
            device.reconnect()
        with town.store.transaction() as tx:
            call = town.service._service.calls.get(tx, MEETING_ID, town.now)
        assert call.profile == meeting.profile
        assert call.profile.banned == banned

    @pytest.mark.requirement("KEYS-21")
    def test_a_key_package_of_the_directory_is_not_for_a_group_call(self, town: Town) -> None:
        alice, bob = members(town, "alice", "bob")
        meeting = Meeting(town)
        meeting.open(alice, bob)
        request = meeting.adding(alice, meeting.bundle(bob, joins=False))
        assert alice.refused(request) == ProfileReason.JOIN_MISSING
        published = messages.Publish((meeting.asking(meeting.bundle(bob)).key_package,))
        assert bob.refused(published) == ProfileReason.JOIN_UNEXPECTED

    @pytest.mark.requirement("DS-7")
    def test_it_has_so_many_proposals(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        assert (limits.MAX_PROPOSALS, limits.MAX_ADDS) == (1_024, 256)
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        two = [Remove(meeting.leaf(each)) for each in (bob, carol)]
        both = meeting.request(alice, *two)
        with monkeypatch.context() as small:
            small.setattr(limits, "MAX_PROPOSALS", 1)
            assert alice.refused(both) == DeliveryReason.TOO_MANY_DEVICES
            meeting.commit(alice, meeting.request(alice, two[0]))
        town.now += limits.COMMIT_INTERVAL
        monkeypatch.setattr(limits, "MAX_ADDS", 1)
        dave, erin = members(town, "dave", "erin")
        listed = (*meeting.profile.accounts, dave.account.public, erin.account.public)
        profile = meeting.another_profile(accounts=listed)
        adding = meeting.adding(
            alice, meeting.bundle(dave), meeting.bundle(erin), contents=[profile]
        )
        assert alice.refused(adding) == DeliveryReason.TOO_MANY_DEVICES
        meeting.commit(alice, meeting.adding(alice, meeting.bundle(dave), contents=[profile]))

    @pytest.mark.requirement("DS-7")
    def test_it_is_as_long_as_its_tree_and_its_proposals_make_it(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        meeting, (alice, bob, *_) = meet(town, "alice", "bob", "carol")
        (dave,) = members(town, "dave")
        listed = (*meeting.profile.accounts, dave.account.public)
        profile = meeting.another_profile(accounts=listed)
        requests = [
            meeting.request(alice),
            meeting.request(alice, Remove(meeting.leaf(bob))),
            meeting.adding(alice, meeting.bundle(dave), contents=[profile]),
        ]
        rooms = [0, limits.COMMIT_BYTES_A_PROPOSAL]
        rooms.append(limits.COMMIT_BYTES_AN_ADD + limits.COMMIT_BYTES_A_PROFILE)
        leaves = 4 * (limits.COMMIT_BYTES_A_LEAF + 32)
        for request, room in zip(requests, rooms, strict=True):
            due = len(request.commit) - room - leaves
            monkeypatch.setattr(limits, "COMMIT_BYTES", due - 1)
            assert alice.refused(request) == DeliveryReason.TOO_MANY_BYTES
        monkeypatch.setattr(limits, "COMMIT_BYTES", due)
        meeting.commit(alice, requests[-1])

    @pytest.mark.requirement("DS-7")
    @pytest.mark.requirement("DS-7")
    def test_its_welcomes_are_so_long_all_together(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert limits.MAX_WELCOMES == 40 << 20
        meeting, (alice, _) = meet(town, "alice", "bob")
        tablet, watch = town.member("alice", 2), town.member("alice", 3)
        request = meeting.adding(alice, meeting.bundle(tablet), meeting.bundle(watch))
        assert request.welcome is not None
        longest = 2 * len(decoded(Welcome, request.welcome).encrypted_group_info)
        monkeypatch.setattr(limits, "MAX_WELCOMES", longest - 1)
        assert alice.refused(request) == DeliveryReason.TOO_MANY_BYTES
        monkeypatch.setattr(limits, "MAX_WELCOMES", longest)
        assert committed(request) in alice.send(request)

    @pytest.mark.requirement("DS-7")
    def test_an_account_makes_so_many_whether_they_are_taken_or_not(self, town: Town) -> None:
        assert Rate(240, 60_000) == limits.COMMITS
        meeting, (alice, bob) = meet(town, "alice", "bob")
        request = meeting.request(alice)
        for _ in range(limits.COMMITS.amount):
            assert alice.refused(replace(request, welcome=b"")) != DeliveryReason.RATE_LIMITED
        assert alice.refused(request) == DeliveryReason.RATE_LIMITED
        town.now += limits.COMMITS.period // limits.COMMITS.amount
        assert committed(request) in alice.send(request)
        bob.take()
        assert bob.refused(request) != DeliveryReason.RATE_LIMITED

    @pytest.mark.requirement("DS-7")
    def test_of_so_many_bytes(self, town: Town) -> None:
        assert Rate(32 << 20, 60_000) == limits.COMMITTED_BYTES
        _, (alice, bob) = meet(town, "alice", "bob")
        long = messages.Commit(MEETING_ID, bytes(limits.MAX_RELAYED_BYTES), None, None)
        for _ in range(32):
            assert alice.refused(long) == DecodeReason.UNKNOWN_VALUE
        assert alice.refused(long) == DeliveryReason.RATE_LIMITED
        assert bob.refused(long) == DecodeReason.UNKNOWN_VALUE

    @pytest.mark.requirement("DS-7")
    def test_and_adds_so_many(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        assert Rate(2_048, 60_000) == limits.ADDS
        monkeypatch.setattr(limits, "ADDS", Rate(2, 60_000))
        town.restart()
        meeting = Meeting(town)
        alice, tablet = town.member("alice"), town.member("alice", 2)
        meeting.open(alice)
        town.now += limits.COMMIT_INTERVAL
        request = meeting.adding(alice, meeting.bundle(tablet))
        for _ in range(2):
            assert alice.refused(replace(request, welcome=None)) == DeliveryReason.WELCOME_MISSING
        assert alice.refused(request) == DeliveryReason.RATE_LIMITED
        town.now += 30_000
        assert committed(request) in alice.send(request)

    def test_a_call_is_full(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        assert call_log.most_members(0x0001) == 1_024
        assert call_log.most_members(0xF0E2) == 768
        meeting, (alice, bob, *_) = meet(town, "alice", "bob", "carol")
        monkeypatch.setattr(call_log, "MAX_GROUP", 3)
        (dave,) = members(town, "dave")
        profile = meeting.another_profile(accounts=(*meeting.profile.accounts, dave.account.public))
        adding = meeting.adding(alice, meeting.bundle(dave), contents=[profile])
        assert alice.refused(adding) == DeliveryReason.CALL_FULL
        meeting.change(alice, profile)
        asking = meeting.asking(meeting.bundle(dave))
        assert dave.refused(asking) == DeliveryReason.CALL_FULL
        meeting.ask(bob)  # whose new leaf takes the place of its old one


class TestMessages:
    """Between members, whoever's mailbox is full."""

    @pytest.mark.requirement("DS-6")
    def test_from_members_alone(self, town: Town) -> None:
        meeting, (alice, *_) = meet(town, "alice", "bob")
        (mallory,) = members(town, "mallory")
        assert mallory.refused(meeting.say(alice)) == DeliveryReason.NOT_A_MEMBER

    @pytest.mark.requirement("GROUP-2", "DS-9")
    def test_epochs_0_and_1_are_as_all_others(self, town: Town) -> None:
        """Nobody rings: what is said is kept for everybody, and may be longer."""
        meeting, (alice, bob) = meet(town, "alice", "bob")
        assert meeting.group(alice).epoch == 1
        said = meeting.said(alice, bytes(limits.MAX_RELAYED_BYTES_RINGING))
        assert bob.take() == [said]

    @pytest.mark.requirement("DS-7")
    def test_they_are_call_messages(self, town: Town) -> None:
        meeting, (alice, bob) = meet(town, "alice", "bob")
        meeting.said(alice, bytes(1 << 16))
        longer = meeting.say(alice, bytes(limits.MAX_GROUP_MESSAGE))
        assert alice.refused(longer) == DeliveryReason.TOO_MANY_BYTES
        assert len(bob.take()) == 1

    @pytest.mark.requirement("DS-7")
    def test_an_account_s_messages_make_so_many_copies(self, town: Town) -> None:
        assert (limits.COPIES.amount, limits.COPIES.period) == (10_000, 5_000)
        meeting, (alice, bob, *_) = meet(town, "alice", "bob", "carol")
        copies = town.service._service.spending.copies
        copies.spend("alice", town.now, limits.COPIES.amount - 3)
        meeting.said(alice)
        assert alice.refused(meeting.say(alice)) == DeliveryReason.RATE_LIMITED
        meeting.said(bob)
        town.now += limits.COPIES.period
        meeting.said(alice)

    @pytest.mark.requirement("DS-24")
    def test_a_full_mailbox_is_in_nobody_s_way(self, town: Town) -> None:
        """Its device cannot follow the log any more, is told so, and joins anew."""
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        fill(town, carol)
        said = meeting.said(alice)
        assert bob.take() == [said]
        assert carol.take() == []  # left out, and goes on
        request = meeting.request(alice)
        del meeting.groups[carol.key.public]
        (statement,) = meeting.commit(alice, request)
        assert isinstance(statement, messages.Gone)
        assert bob.take()[0] == committed(request)
        joins_anew = messages.Refused("", MEETING_ID, DeliveryReason.GONE, "join anew")
        assert carol.take() == [joins_anew]
        said = meeting.said(alice)
        assert carol.take() == []
        carol.disconnect()
        assert joins_anew in carol.reconnect()
        take_all(carol)
        asked = (
            *(meeting.say(alice), meeting.request(alice)),
            *(messages.ReportInvalid(MEETING_ID, 1), messages.AskTree(MEETING_ID, 1, 0)),
        )
        for each in asked:
            assert carol.refused(each) == DeliveryReason.GONE
        bundle = meeting.ask(carol)
        town.now += limits.COMMIT_INTERVAL
        request = meeting.adding(alice, bundle, contents=[Remove(2)])
        meeting.commit(alice, request)
        meeting.join(carol, bundle)
        said = meeting.said(carol)
        assert bob.take()[-1] == said
        assert town.service.get_timer() is None

    @pytest.mark.requirement("DS-24")
    def test_that_somebody_is_left_out_outlives_a_restart(self, town: Town) -> None:
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        fill(town, carol)
        meeting.commit(alice, meeting.request(alice))
        town.restart()
        for device in (alice, bob, carol):
            device.reconnect()
            take_all(device)
        meeting.said(alice)
        assert carol.take() == []
        assert carol.refused(meeting.say(carol)) == DeliveryReason.GONE

    @pytest.mark.requirement("DS-24")
    def test_a_flood_throws_nobody_out(self, town: Town) -> None:
        meeting, (alice, _, carol) = meet(town, "alice", "bob", "carol")
        fill(town, carol, limits.MAILBOX_MESSAGES * 3 // 4)
        meeting.said(alice)
        assert carol.take() == []
        request = meeting.request(alice)
        meeting.commit(alice, request)
        carol.disconnect()
        carol.reconnect()
        assert meeting.group(carol).epoch == 2
        meeting.said(carol)

    @pytest.mark.requirement("DS-24")
    def test_the_committer_needs_its_own(self, town: Town) -> None:
        meeting, (alice, _) = meet(town, "alice", "bob")
        fill(town, alice)
        assert alice.refused(meeting.request(alice)) == DeliveryReason.MAILBOX_FULL

    @pytest.mark.requirement("DS-24")
    def test_who_cannot_be_given_its_welcome_is_gone(self, town: Town) -> None:
        alice, bob = members(town, "alice", "bob")
        meeting = Meeting(town)
        meeting.open(alice, bob)
        fill(town, bob)
        (statement,) = meeting.commit(alice, meeting.adding(alice, meeting.bundle(bob)))
        assert isinstance(statement, messages.Gone)


class TestLog:
    """The log is the state, and stays short."""

    @pytest.mark.requirement("DS-10")
    def test_a_long_meeting_goes_on_after_a_restart(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(call_table, "SNAPSHOT_EVERY", 4)
        meeting, (alice, bob) = meet(town, "alice", "bob")
        (carol,) = members(town, "carol")
        for number in range(20):
            meeting.change((alice, bob)[number % 2])
        with town.store.transaction() as tx:
            record, log = tx.call(MEETING_ID), tx.log(MEETING_ID)
            assert record is not None
            assert record.entries == 22
            assert record.begins > 0
            assert len(log) == record.entries - record.begins <= 4 + 11
            before = town.service._service.calls.get(tx, MEETING_ID, town.now)
        town.restart()
        with town.store.transaction() as tx:
            after = town.service._service.calls.get(tx, MEETING_ID, town.now)
        assert replace(after, past=()) == replace(before, past=())
        for device in (alice, bob, carol):
            device.reconnect()
        profile = meeting.another_profile(accounts=(bob.account.public, carol.account.public))
        meeting.change(alice, profile)
        meeting.add(bob, carol)
        assert meeting.group(carol).epoch_authenticator == meeting.group(alice).epoch_authenticator

    @pytest.mark.requirement("DS-10", "DS-20")
    def test_all_entries_after_a_snapshot_may_be_void(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The log is nothing but the snapshot then."""
        monkeypatch.setattr(call_table, "SNAPSHOT_EVERY", 4)
        meeting, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        for pause in (0, 0, limits.PACE_WINDOW, 0, 0):
            town.now += pause
            meeting.change(alice)
        with town.store.transaction() as tx:
            record = tx.call(MEETING_ID)
        assert record is not None
        report = messages.ReportInvalid(MEETING_ID, record.begins - 1)
        bob.send(report)
        assert messages.Voided(MEETING_ID, report.epoch) in carol.send(report)
        with town.store.transaction() as tx:
            assert tx.log(MEETING_ID) == ()
        town.restart()
        carol.reconnect()
        carol.take()
        (answer,) = carol.send(report)
        assert isinstance(answer, messages.Refused)
        assert answer.reason == DeliveryReason.WRONG_EPOCH

    @pytest.mark.requirement("DS-10")
    def test_a_snapshot_that_is_not_what_was_kept_ends_its_call_alone(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(call_table, "SNAPSHOT_EVERY", 1)
        meeting, (alice, _) = meet(town, "alice", "bob")
        for _ in range(12):
            meeting.change(alice)
        calls = town.store._tables.calls.rows
        row = calls[MEETING_ID]
        assert row.snapshot is not None
        good = row.snapshot
        for spoilt in (b"\x02" + good[1:], good[:-1] + bytes([good[-1] ^ 1]), good[:100]):
            calls[MEETING_ID] = replace(row, snapshot=spoilt)
            town.restart()
            assert alice.reconnect()[0] == messages.LoggedIn()
            assert alice.refused(meeting.say(alice)) == DeliveryReason.LOG_UNREADABLE
        calls[MEETING_ID] = row
        meeting.said(alice)

    @pytest.mark.requirement("DS-10")
    def test_a_snapshot_has_the_tree_of_its_context(self, town: Town) -> None:
        meeting, _ = meet(town, "alice", "bob")
        with town.store.transaction() as tx:
            call = town.service._service.calls.get(tx, meeting.call_id, town.now)
        kept = snapshot(call)
        assert of_snapshot(kept) == replace(call, past=())
        with pytest.raises(DeliveryError, match="not the tree"):
            of_snapshot(kept[:-1] + bytes([kept[-1] ^ 1]))


class TestPresence:
    """The service's word on who is connected."""

    @pytest.mark.requirement("DS-11", "DS-22")
    def test_it_is_told_in_small_groups(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        assert limits.MAX_PRESENCE_GROUP == 64
        _, (alice, bob, carol) = meet(town, "alice", "bob", "carol")
        bob.disconnect()
        away = messages.Presence(MEETING_ID, 1, connected=False)
        assert alice.take() == carol.take() == [away]
        carol.disconnect()
        alice.take()
        assert away in carol.reconnect()
        alice.take()
        monkeypatch.setattr(limits, "MAX_PRESENCE_GROUP", 2)
        bob.reconnect()
        assert alice.take() == carol.take() == []


def test_a_profile_of_another_kind_is_no_call(town: Town) -> None:
    """Stages are not spoken of yet."""
    (alice,) = members(town, "alice")
    meeting = Meeting(town)
    meeting.opening(alice)
    stage = replace(meeting.profile, kind=CallKind.STAGE)
    alice.create(alice.account, profile=stage)
    assert group_extensions(stage)
    assert alice.refused(alice.opening()) == ProfileReason.BAD_CALL_PROFILE
