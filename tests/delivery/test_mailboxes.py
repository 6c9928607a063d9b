"""What goes to a device and matters waits for it, in order, until it is acknowledged or expires."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.delivery import limits
from e2ee.delivery.errors import DeliveryReason
from e2ee.delivery.sessions import InFlight
from e2ee.signalling import messages
from e2ee.signalling.messages import FromService

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

CALL_ID = bytes(range(16))
MINUTE = 60 * 1000
DAY = 24 * 60 * MINUTE
STORED = messages.Stored("send", CALL_ID)

pytestmark = pytest.mark.requirement("DS-9")


def names(arrived: list[FromService]) -> list[str]:
    return [message.name for message in arrived]


def without_presence(arrived: list[FromService]) -> list[FromService]:
    return [message for message in arrived if not isinstance(message, messages.Presence)]


def letter_to(device: Device) -> messages.Post:
    """From anybody, to this device alone."""
    key_package = device.bundles[-1].key_package
    return messages.Post((device.letter_key(key_package),), b"content")


@pytest.fixture
def phone(bobs: list[Device]) -> Device:
    return bobs[0]


@pytest.mark.usefixtures("in_call")
class TestWaiting:
    """A device that is away."""

    def test_all_that_waits_comes_after_the_login_in_order(
        self, alice: Device, phone: Device
    ) -> None:
        phone.acknowledge(phone.numbers())
        phone.disconnect()
        alice.take()
        said = [alice.say(f"{n}".encode()) for n in range(3)]
        for each in said:
            assert alice.send(each) == [STORED]
        assert phone.reconnect() == [
            messages.LoggedIn(),
            *(messages.Sent(CALL_ID, each.message) for each in said),
        ]
        waited = phone.numbers()
        assert waited == sorted(set(waited))
        live = alice.say(b"live")
        assert alice.send(live)[-1] == STORED
        assert phone.take() == [messages.Sent(CALL_ID, live.message)]
        assert phone.numbers() == [waited[-1] + 1]

    def test_what_was_not_acknowledged_comes_again_with_its_number(self, phone: Device) -> None:
        first = phone.numbers()
        assert first == list(range(1, len(first) + 1))
        phone.disconnect()
        once_more = phone.reconnect()
        assert phone.numbers() == first
        phone.acknowledge(first[:1])
        phone.disconnect()
        assert phone.reconnect()[1:] == once_more[2:]
        assert phone.numbers() == first[1:]

    def test_what_was_acknowledged_does_not_come_again_and_numbers_go_on(
        self, alice: Device, phone: Device
    ) -> None:
        (*_, last) = seen = phone.numbers()
        phone.acknowledge(seen)
        phone.disconnect()
        assert phone.reconnect() == [messages.LoggedIn()]
        alice.send(alice.say(b"next"))
        assert phone.numbers() == [last + 1]

    def test_a_number_is_acknowledged_before_it_is_sent_again(
        self, alice: Device, phone: Device
    ) -> None:
        """The device took it on its last connection, which ended before it could say so."""
        seen = phone.numbers()
        phone.disconnect()
        alice.take()
        alice.send(alice.say(b"one"))
        phone.reconnect()
        phone.acknowledge(seen)
        alice.send(alice.say(b"two"))
        assert names(phone.take()) == ["sent"]
        assert phone.numbers()[-2:] == [seen[-1] + 1, seen[-1] + 2]

    def test_only_what_was_given_is_acknowledged(self, phone: Device) -> None:
        last = phone.numbers()[-1]
        for number in (last + 1, 2**64 - 1):
            assert phone.refused(messages.Acknowledge(number)) == DeliveryReason.NOT_SENT
        phone.acknowledge([last])
        phone.acknowledge([0])
        phone.acknowledge([last])

    def test_the_committer_gets_its_own_commit_from_the_mailbox(self, alice: Device) -> None:
        """Its connection ended between the commit and the answer."""
        commit = alice.request(alice.commit())
        alice.acknowledge(alice.numbers())
        alice.send(commit)
        alice.disconnect()
        assert without_presence(alice.reconnect())[1:] == [
            messages.Committed(CALL_ID, commit.commit)
        ]

    def test_who_takes_over_a_connection_gets_its_own_mailbox(self, bobs: list[Device]) -> None:
        phone, laptop, _ = bobs
        phone.acknowledge(phone.numbers())
        laptop.disconnect()
        phone.connection, laptop.connection = 0, phone.connection
        assert names(laptop.login()) == ["logged_in", "invited", "committed"]


class TestExpiry:
    """Each kind has its time."""

    def test_an_invitation_waits_60_s(self, town: Town, alice: Device, bobs: list[Device]) -> None:
        for bob in bobs:
            bob.disconnect()
        alice.invite("bob")
        town.now += MINUTE - 1
        assert names(without_presence(bobs[0].reconnect())) == ["logged_in", "invited"]
        town.now += 1
        assert names(without_presence(bobs[1].reconnect())) == ["logged_in"]

    @pytest.mark.usefixtures("in_call")
    def test_a_calls_messages_wait_11_minutes(
        self, town: Town, alice: Device, bobs: list[Device]
    ) -> None:
        phone = bobs[0]
        phone.acknowledge(phone.numbers())
        phone.disconnect()
        alice.send(alice.request(alice.commit()))
        alice.send(alice.say(b"still there?"))
        town.now += 11 * MINUTE - 1
        assert names(without_presence(phone.reconnect())) == ["logged_in", "committed", "sent"]
        phone.disconnect()
        town.now += 1
        assert names(without_presence(phone.reconnect())) == ["logged_in"]

    def test_a_letter_waits_30_days(self, town: Town, alice: Device) -> None:
        bob = town.member("bob", key_packages=1)
        key = alice.letter_key(bob.bundles[0].key_package)
        bob.disconnect()
        town.now += 10 * DAY
        alice.send(messages.Post((key,), b"content"))
        town.now += 30 * DAY - 1
        bob.certificate = bob.certify()
        assert names(bob.reconnect()) == ["logged_in", "letter"]
        bob.disconnect()
        town.now += 1
        assert names(bob.reconnect()) == ["logged_in"]


@pytest.mark.usefixtures("in_call")
class TestFull:
    """Beyond a bound nobody gets anything."""

    @pytest.fixture
    def full(self, monkeypatch: pytest.MonkeyPatch, bobs: list[Device]) -> Device:
        """Bob's phone is away, and its mailbox holds 8 messages: 6 of them may be what was sent, 4 letters."""
        assert (limits.MAILBOX_MESSAGES, limits.MAILBOX_BYTES) == (2_000, 32 << 20)
        monkeypatch.setattr(limits, "MAILBOX_MESSAGES", 8)
        phone = bobs[0]
        phone.acknowledge(phone.numbers())
        phone.disconnect()
        return phone

    def fill(self, alice: Device, messages_: int) -> None:
        alice.take()
        for _ in range(messages_):
            assert alice.send(alice.say(b"hello")) == [STORED]

    @pytest.mark.requirement("DS-7")
    def test_a_full_mailbox_refuses_the_sender(self, alice: Device, full: Device) -> None:
        self.fill(alice, 6)
        assert alice.refused(alice.say(b"one more")) == DeliveryReason.MAILBOX_FULL
        assert names(without_presence(full.reconnect())).count("sent") == 6
        full.acknowledge(full.numbers())
        assert alice.send(alice.say(b"one more"))[-1] == STORED

    @pytest.mark.usefixtures("in_call", "full")
    def test_a_commit_has_room_that_messages_leave(self, alice: Device) -> None:
        self.fill(alice, 6)
        alice.acknowledge(alice.numbers())
        for _ in range(2):
            commit = alice.request(alice.commit())
            assert alice.send(commit) == [messages.Committed(CALL_ID, commit.commit)]
            alice.acknowledge(alice.numbers())
            alice.apply_own()
        assert alice.refused(alice.request(alice.commit())) == DeliveryReason.MAILBOX_FULL

    def test_a_letter_leaves_half_of_it_to_calls(
        self, town: Town, alice: Device, full: Device
    ) -> None:
        alice.take()
        letter = letter_to(full)
        for name in ("dave", "erin", "frank", "grace"):
            assert town.member(name).send(letter) == [messages.Stored("post", None)]
        assert alice.refused(letter) == DeliveryReason.MAILBOX_FULL
        carol = town.member("carol", key_packages=1)
        both = messages.Post((*letter_to(carol).keys, *letter.keys), b"content")
        assert alice.send(both)[-1] == messages.Stored("post", None)
        assert names(carol.take()) == ["letter"]  # one full mailbox keeps no letter from others
        assert alice.send(alice.say(b"a call goes on")) == [STORED]

    @pytest.mark.usefixtures("in_call", "full")
    def test_bytes_count_as_well(self, alice: Device, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "MAILBOX_BYTES", 4_000)
        alice.take()
        assert alice.send(alice.say(bytes(2_700))) == [STORED]
        assert alice.refused(alice.say(bytes(200))) == DeliveryReason.MAILBOX_FULL

    @pytest.mark.usefixtures("in_call", "full")
    def test_what_has_expired_makes_room(self, town: Town, alice: Device) -> None:
        """At once, and not only when all of it is swept, once a minute."""
        self.fill(alice, 6)
        commit = alice.request(alice.commit())
        town.now += 10 * MINUTE + MINUTE // 2
        alice.send(commit)
        alice.apply_own()
        town.now += MINUTE // 2 - 1
        assert alice.refused(alice.say(b"too early")) == DeliveryReason.MAILBOX_FULL
        town.now += 1
        assert alice.send(alice.say(b"later"))[-1] == STORED


@pytest.mark.requirement("DS-7")
class TestShare:
    """One stranger cannot fill the mailbox of a device that is away, whatever it is filled with."""

    @pytest.fixture(autouse=True)
    def _of_two_messages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert limits.MAILBOX_SHARE == 1  # eighth
        monkeypatch.setattr(limits, "MAILBOX_MESSAGES", 16)

    @pytest.fixture
    def away(self, town: Town) -> Device:
        """Bob's only device, which is off."""
        away = town.member("bob", key_packages=3)
        away.disconnect()
        return away

    def fill(self, sender: Device, away: Device) -> messages.Post:
        letter = letter_to(away)
        for _ in range(2):
            assert sender.send(letter) == [messages.Stored("post", None)]
        return letter

    def test_letters_of_one_account_fill_an_eighth(
        self, town: Town, alice: Device, away: Device
    ) -> None:
        letter = self.fill(alice, away)
        assert alice.refused(letter) == DeliveryReason.MAILBOX_FULL
        assert town.member("alice", 2).refused(letter) == DeliveryReason.MAILBOX_FULL
        assert town.member("carol").send(letter) == [messages.Stored("post", None)]
        assert names(away.reconnect()) == ["logged_in", "letter", "letter", "letter"]
        away.acknowledge(away.numbers()[:1])
        assert alice.send(letter) == [messages.Stored("post", None)]

    def test_bytes_count_as_well(
        self, alice: Device, away: Device, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "MAILBOX_BYTES", 8_000)
        keys = letter_to(away).keys
        assert alice.refused(messages.Post(keys, bytes(1_000))) == DeliveryReason.MAILBOX_FULL
        assert alice.send(messages.Post(keys, bytes(500))) == [messages.Stored("post", None)]
        assert alice.refused(messages.Post(keys, bytes(500))) == DeliveryReason.MAILBOX_FULL

    def test_calls_that_nobody_answers_count_too(
        self, town: Town, alice: Device, away: Device
    ) -> None:
        alice.invite("bob")
        assert alice.send(alice.say(b"one")) == [STORED]
        assert alice.refused(alice.say(b"two")) == DeliveryReason.MAILBOX_FULL
        assert alice.refused(letter_to(away)) == DeliveryReason.MAILBOX_FULL
        town.now += MINUTE  # the invitation has expired
        assert alice.send(alice.say(b"two")) == [STORED]

    def test_nor_does_it_ring_any_more(self, alice: Device, away: Device) -> None:
        self.fill(alice, away)
        alice.create(away.account)
        assert alice.send(alice.opening()) == []
        request, _ = alice.invitation(alice.claim("bob"))
        assert alice.refused(request) == DeliveryReason.MAILBOX_FULL

    def test_others_ring_all_the_same(self, town: Town, alice: Device, away: Device) -> None:
        self.fill(alice, away)
        town.member("carol").invite("bob")
        assert names(away.reconnect()) == ["logged_in", "letter", "letter", "invited"]

    def test_an_account_s_own_devices_are_no_strangers(self, town: Town, away: Device) -> None:
        laptop = town.member("bob", 2)
        letter = self.fill(laptop, away)
        assert laptop.send(letter) == [messages.Stored("post", None)]

    def test_before_somebody_answers_messages_are_short(
        self, alice: Device, away: Device, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "MAILBOX_MESSAGES", 2_000)
        alice.create(away.account)
        assert alice.send(alice.opening()) == []
        request, alice.group = alice.invitation(alice.claim("bob"), offer=bytes(3 << 10))
        long_offer = alice.say(bytes(4 << 10)).message
        assert alice.refused(replace(request, offer=long_offer)) == DeliveryReason.TOO_MANY_BYTES
        assert names(alice.send(request)) == ["committed"]
        assert alice.send(alice.say(bytes(3 << 10))) == [STORED]
        assert alice.refused(alice.say(bytes(4 << 10))) == DeliveryReason.TOO_MANY_BYTES

    @pytest.mark.usefixtures("in_call")
    def test_in_a_call_they_are_longer(self, alice: Device) -> None:
        alice.take()
        assert alice.send(alice.say(bytes(60 << 10))) == [STORED]


class TestFullElsewhere:
    """Some strangers can fill the mailbox of a device that is away. The account's other devices must not suffer from it."""

    @pytest.fixture
    def tablet(self, monkeypatch: pytest.MonkeyPatch, bobs: list[Device], alice: Device) -> Device:
        """Bob's tablet is away, and its mailbox is full."""
        tablet = bobs[2]
        tablet.disconnect()
        monkeypatch.setattr(limits, "MAILBOX_SHARE", 8)  # Alice stands for all of them
        monkeypatch.setattr(limits, "MAILBOX_MESSAGES", 8)
        for _ in range(4):
            assert alice.send(letter_to(tablet)) == [messages.Stored("post", None)]
        monkeypatch.setattr(limits, "MAILBOX_MESSAGES", 4)
        return tablet

    def test_the_others_ring_and_answer(
        self, alice: Device, bobs: list[Device], tablet: Device
    ) -> None:
        phone, laptop, _ = bobs
        alice.invite("bob")
        alice.acknowledge(alice.numbers())
        phone.join()
        laptop.join()
        assert phone.send(phone.say(b"it rings")) == [STORED]
        assert names(alice.take()) == names(laptop.take()) == ["sent"]
        assert names(phone.send(phone.answer())) == ["committed"]
        assert names(alice.take()) == names(laptop.take()) == ["committed"]
        assert names(tablet.reconnect()) == ["logged_in", *4 * ["letter"]]

    def test_if_no_other_is_there_nobody_is_called(
        self, town: Town, alice: Device, bobs: list[Device], tablet: Device
    ) -> None:
        alice.create(town.account("bob"))
        assert alice.send(alice.opening()) == []
        keys = {each.bundles[0].key_package.init_key: each for each in bobs}
        of_tablet = [k for k in alice.claim("bob") if keys[k.init_key] is tablet]
        request, _ = alice.invitation(of_tablet)
        before = town.kept()
        assert alice.refused(request) == DeliveryReason.MAILBOX_FULL
        assert town.kept() == before


@pytest.mark.requirement("DS-7")
class TestInFlight:
    """A connection is sent so much, and the next when it has taken that."""

    @pytest.mark.usefixtures("in_call")
    def test_a_device_that_takes_nothing_is_sent_500(
        self, alice: Device, bobs: list[Device]
    ) -> None:
        phone = bobs[0]
        phone.acknowledge(phone.numbers())
        phone.take()
        said = [alice.say(b"%d" % n) for n in range(600)]
        for each in said:
            alice.send(each)
        arrived = phone.take()
        assert len(arrived) == limits.IN_FLIGHT_MESSAGES == 500
        arrived += phone.send(messages.Acknowledge(phone.numbers()[249]))
        assert arrived == [messages.Sent(CALL_ID, each.message) for each in said]

    @pytest.mark.usefixtures("in_call")
    def test_all_arrives_in_order_whatever_is_acknowledged_when(
        self, alice: Device, bobs: list[Device]
    ) -> None:
        phone = bobs[0]
        phone.acknowledge(phone.numbers())
        phone.disconnect()
        alice.take()
        said = [alice.say(b"%d" % n) for n in range(1_200)]
        for each in said:
            alice.send(each)
        arrived, numbers = without_presence(phone.reconnect())[1:], phone.numbers()
        assert len(arrived) == 500
        while len(arrived) < len(said):
            arrived += phone.send(messages.Acknowledge(numbers[-1]))
            more = phone.numbers()
            assert more == list(range(numbers[-1] + 1, numbers[-1] + 1 + len(more)))
            numbers = more
        assert arrived == [messages.Sent(CALL_ID, each.message) for each in said]
        live = alice.say(b"live")
        alice.send(live)
        assert phone.take() == [messages.Sent(CALL_ID, live.message)]

    def test_a_message_that_is_larger_than_the_bound_goes_alone(self) -> None:
        in_flight = InFlight()
        assert limits.IN_FLIGHT_BYTES == 8 << 20
        assert in_flight.has_room(limits.IN_FLIGHT_BYTES + 1)
        in_flight.sent(1, limits.IN_FLIGHT_BYTES + 1)
        assert not in_flight.has_room(0)
        in_flight.acknowledged(1)
        assert in_flight.has_room(1)

    @given(st.lists(st.integers(1, limits.IN_FLIGHT_BYTES), max_size=40), st.data())
    def test_sizes_are_counted_whatever_is_acknowledged(
        self, sizes: list[int], data: st.DataObject
    ) -> None:
        in_flight, waiting = InFlight(), dict(enumerate(sizes, 1))
        for number, size in waiting.items():
            in_flight.sent(number, size)
        for number in data.draw(st.lists(st.integers(0, len(sizes)))):
            in_flight.acknowledged(number)
            waiting = {n: size for n, size in waiting.items() if n > number}
            assert in_flight.size == sum(waiting.values())
            assert [n for n, _ in in_flight.messages] == list(waiting)


def test_a_device_of_another_account_gets_nothing_of_it(town: Town, alice: Device) -> None:
    """Mailboxes are devices', not connections'."""
    bob = town.member("bob", key_packages=1)
    key = alice.letter_key(bob.bundles[0].key_package)
    bob.disconnect()
    alice.send(messages.Post((key,), b"content"))
    mallory = town.member("mallory")
    assert mallory.take() == []
    assert mallory.refused(messages.Acknowledge(1)) == DeliveryReason.NOT_SENT
    assert names(bob.reconnect()) == ["logged_in", "letter"]
