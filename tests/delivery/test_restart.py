"""The log is the state: calls go on where their logs end, whichever process has the service."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.delivery import call_table
from e2ee.delivery.errors import DeliveryReason, StoreConflict
from e2ee.delivery.service import DeliveryService
from e2ee.mls.errors import Rule
from e2ee.signalling import messages

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

CALL_ID = bytes(range(16))

pytestmark = pytest.mark.requirement("DS-10")


@pytest.fixture
def after_restart(in_call: None, town: Town, alice: Device, bobs: list[Device]) -> Device:
    """Alice calls Bob, a new process has the service, and both have come back. Gives Bob's phone."""
    before = town.service._service.calls.get
    with town.store.transaction() as tx:
        was = before(tx, CALL_ID, town.now)
    town.restart()
    with town.store.transaction() as tx:
        assert town.service._service.calls.get(tx, CALL_ID, town.now) == was
    for device in (alice, bobs[0]):
        device.reconnect()
        device.acknowledge(device.numbers())
    for device in (alice, bobs[0]):
        device.take()
    return bobs[0]


def test_a_call_goes_on(alice: Device, after_restart: Device) -> None:
    phone = after_restart
    said = alice.say(b"still there?")
    assert alice.send(said) == [messages.Stored("send", CALL_ID)]
    assert phone.take() == [messages.Sent(CALL_ID, said.message)]
    for committer, other in ((alice, phone), (phone, alice), (alice, phone)):
        commit = committer.request(committer.commit())
        (committed,) = committer.send(commit)
        committer.apply_own()
        assert other.take() == [committed]
        other.apply(committed)
        committer.town.restart()
        for device in (alice, phone):
            device.reconnect()
            device.acknowledge(device.numbers())
            device.take()
        alice.take()
    assert alice.group is not None
    assert phone.group is not None
    assert alice.group.epoch_authenticator == phone.group.epoch_authenticator


def test_what_was_refused_before_is_refused_after(
    town: Town, alice: Device, bobs: list[Device], after_restart: Device
) -> None:
    mallory = town.member("mallory")
    commit = alice.request(alice.commit())
    assert mallory.refused(commit) == DeliveryReason.NOT_A_MEMBER
    assert after_restart.refused(commit) == DeliveryReason.NOT_THE_COMMITTER
    late = after_restart.request(after_restart.commit())
    alice.send(commit)
    after_restart.take()
    assert after_restart.refused(late) == Rule.WRONG_EPOCH
    bobs[0].create(alice.account)
    assert bobs[0].refused(bobs[0].opening()) == DeliveryReason.CALL_ID_USED


def test_presence_is_told_of_calls_that_began_before(alice: Device, after_restart: Device) -> None:
    after_restart.disconnect()
    assert alice.take() == [messages.Presence(CALL_ID, 1, connected=False)]


@pytest.mark.usefixtures("in_call")
def test_a_call_that_is_not_at_hand_is_made_of_its_log(
    town: Town, alice: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_table, "MAX_CALLS_IN_MEMORY", 1)
    at_hand = town.service._service.calls._calls
    alice_group = alice.group
    alice.create(town.account("bob"), call_id=bytes(16))
    alice.send(alice.opening(bytes(16)))
    assert list(at_hand) == [bytes(16)]
    alice.group = alice_group
    assert alice.send(alice.say(b"hello")) == [messages.Stored("send", CALL_ID)]
    assert list(at_hand) == [CALL_ID]


@pytest.mark.requirement("DS-4")
@pytest.mark.usefixtures("in_call")
def test_two_services_that_share_a_store_have_one_log(
    town: Town, alice: Device, bobs: list[Device]
) -> None:
    phone, first = bobs[0], town.service
    late, laters = phone.request(phone.commit()), alice.request(alice.commit())
    second = DeliveryService(town.identity, town.store, town.entropy.fork(b"second"))
    town.service = second
    phone.reconnect()
    phone.take()
    assert phone.send(late)[0] == messages.Committed(CALL_ID, late.commit)
    town.service = first
    answer = alice.send(laters)[-1]
    assert isinstance(answer, messages.Refused)
    assert answer.reason == Rule.WRONG_EPOCH  # and not by what it had at hand


@pytest.mark.usefixtures("in_call")
def test_who_was_slower_asks_again(
    town: Town, alice: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that several services share says so when two write at a time."""

    def conflict(*_: object) -> None:
        raise StoreConflict(DeliveryReason.CONFLICT, "the log has grown")

    commit = alice.request(alice.commit())
    with monkeypatch.context() as slower:
        slower.setattr(town.store._tables, "add_entry", conflict)
        assert alice.refused(commit) == DeliveryReason.CONFLICT
    assert alice.send(commit) == [messages.Committed(CALL_ID, commit.commit)]


@pytest.mark.usefixtures("in_call")
def test_a_log_that_these_rules_do_not_take_ends_its_call_alone(
    town: Town, alice: Device, bobs: list[Device]
) -> None:
    """A bit of the disk has flipped: nothing is made of it, and its members come and go all the same."""
    calls = town.store._tables.calls.rows
    row = calls[CALL_ID]
    entry = row.log[1]
    flipped = bytes([*entry.request[:-1], entry.request[-1] ^ 1])
    spoilt = replace(entry, request=flipped[:40] + b"\xff" + flipped[41:])
    calls[CALL_ID] = replace(row, log=(row.log[0], spoilt, *row.log[2:]))
    town.restart()
    for device in (alice, bobs[0]):
        assert device.reconnect()[0] == messages.LoggedIn()
    assert alice.refused(alice.say(b"hello")) == DeliveryReason.LOG_UNREADABLE
    alice.create(bobs[0].account, call_id=bytes(16))
    assert alice.send(alice.opening(bytes(16))) == []


@pytest.mark.usefixtures("in_call")
def test_what_a_failed_transaction_undid_is_not_at_hand(
    town: Town, alice: Device, bobs: list[Device]
) -> None:
    """Else what another service put into that place of the log would be taken for it."""
    phone = bobs[0]
    commit, other = alice.request(alice.commit()), phone.request(phone.commit())
    kept = town.kept()

    class Failed(Exception):
        pass

    def fails() -> None:
        with town.service.together(town.now) as requests:
            (answer, *_) = requests.receive(alice.connection, commit)
            assert isinstance(answer[1], messages.Committed)
            raise Failed

    with pytest.raises(Failed):
        fails()
    assert town.kept() == kept
    first = town.service
    town.service = DeliveryService(town.identity, town.store, town.entropy.fork(b"second"))
    phone.reconnect()
    phone.take()
    assert phone.send(other) == [messages.Committed(CALL_ID, other.commit)]
    alice.apply(messages.Committed(CALL_ID, other.commit))
    town.service = first
    following = alice.request(alice.commit())
    assert alice.send(following)[-1] == messages.Committed(CALL_ID, following.commit)
