"""What a device may ask before it has proved itself, what after, and a whole call through the service."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.delivery import limits
from e2ee.delivery.errors import DeliveryError, DeliveryReason, ServiceUsageError
from e2ee.delivery.service import refusal
from e2ee.identity.account import AccountKey
from e2ee.identity.device_certificate import verify_certificate
from e2ee.identity.errors import IdentityReason
from e2ee.identity.login import login_signature
from e2ee.mls.framing import WireFormat
from e2ee.mls.group import ApplicationMessage
from e2ee.mls.message import MLSMessage
from e2ee.profile.leaves import receiver_policy
from e2ee.signalling import messages, wire
from e2ee.signalling.errors import WireReason
from e2ee.signalling.messages import SERVICE, FromDevice, FromService, ServiceMessage

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

CALL_ID = bytes(range(16))
DAY = 24 * 3600 * 1000

ONE_OF_EACH: dict[str, ServiceMessage] = {
    message.name: message
    for message in (
        messages.Hello((0x0100,)),
        messages.Welcome(0x0100, "calls.example", bytes(32), bytes(32)),
        messages.Register("alice", bytes(32), bytes(64)),
        messages.Attested(1, 1, bytes(64)),
        messages.Login(b"", bytes(32), bytes(32), bytes(64)),
        messages.LoggedIn(),
        messages.Renew(bytes(32), b""),
        messages.Renewed(bytes(32)),
        messages.Certificate(b""),
        messages.Link(bytes(16), b""),
        messages.AwaitLink(bytes(16)),
        messages.Linked(bytes(16), b""),
        messages.Publish(()),
        messages.Published(0),
        messages.Find("alice"),
        messages.Devices("alice", ()),
        messages.Claim("alice", 1),
        messages.KeyPackages("alice", ()),
        messages.Open(CALL_ID, b""),
        messages.Commit(CALL_ID, b"", None, None),
        messages.Invited(CALL_ID, b"", b""),
        messages.Committed(CALL_ID, b""),
        messages.Send(CALL_ID, b""),
        messages.Sent(CALL_ID, b""),
        messages.Post((), b""),
        messages.Letter(b"", b""),
        messages.Stored("post", None),
        messages.Acknowledge(1),
        messages.Presence(CALL_ID, 0, True),  # noqa: FBT003
        messages.AskRelays(),
        messages.Relays((), "", "", 0),
        messages.Refused("hello", None, "NOT_GREETED", ""),
        messages.PublishMedia(CALL_ID, ""),
        messages.MediaPublished(CALL_ID, ""),
        messages.SubscribeMedia(CALL_ID),
        messages.MediaOffer(CALL_ID, 1, "", (), (), ()),
        messages.MediaAnswer(CALL_ID, 1, ""),
        messages.WantMedia(CALL_ID, ()),
        messages.MediaLost(CALL_ID),
        messages.Join(CALL_ID, b""),
        messages.Joining(CALL_ID, lobby=False),
        messages.JoinRequested(CALL_ID, b"", 0, lobby=False),
        messages.TurnAway(CALL_ID, bytes(32)),
        messages.TurnedAway(CALL_ID),
        messages.Added(CALL_ID, b""),
        messages.AskTree(CALL_ID, 0, 0),
        messages.Tree(CALL_ID, 0, 0, 0, b""),
        messages.Leave(CALL_ID),
        messages.Gone(CALL_ID, b"", 0),
        messages.ReportInvalid(CALL_ID, 0),
        messages.Voided(CALL_ID, 0),
    )
}


def test_the_list_above_is_complete() -> None:
    assert ONE_OF_EACH.keys() == SERVICE.messages.keys()


def heard(device: Device, arrived: FromService) -> bytes:
    """What a member of the call hears."""
    assert isinstance(arrived, messages.Sent)
    assert device.group is not None
    message = MLSMessage.decode(arrived.message)
    received = device.group.receive(message, policy=receiver_policy(device.town.now))
    assert isinstance(received, ApplicationMessage)
    return received.data


class TestACall:
    """From registration to the middle of a call."""

    def test_from_hello_to_the_call(self, town: Town) -> None:
        alice, bob = town.device("alice"), town.device("bob")
        for device in (alice, bob):
            attested = device.register()
            attestation = device.certificate.attestation
            device.certificate = device.certify(
                attestation=replace(
                    attestation,
                    directory_key_id=attested.directory_key_id,
                    attested_until=attested.attested_until,
                    attestation=attested.attestation,
                )
            )
            verified = verify_certificate(device.certificate.encode(), device.key.public)
            assert town.identity.authority.directory_keys().attests(verified, town.now)
            assert device.login() == [messages.LoggedIn()]
        assert bob.publish(1) == [messages.Published(1)]

        found = alice.send(messages.Find("bob"))
        assert found == [messages.Devices("bob", (bob.certificate.encode(),))]
        alice.invite("bob")
        bob.join()
        answer = bob.answer()
        assert bob.send(answer) == [messages.Committed(CALL_ID, answer.commit)]
        bob.apply_own()
        (committed,) = alice.take()
        alice.apply(committed)
        assert alice.group is not None
        assert bob.group is not None
        assert alice.group.epoch_authenticator == bob.group.epoch_authenticator

        assert alice.send(alice.say(b"accepted")) == [messages.Stored("send", CALL_ID)]
        assert [heard(bob, arrived) for arrived in bob.take()] == [b"accepted"]
        assert bob.send(bob.say(b"answer_description")) == [messages.Stored("send", CALL_ID)]
        assert [heard(alice, arrived) for arrived in alice.take()] == [b"answer_description"]

        timed = alice.request(alice.commit())
        assert alice.send(timed) == [messages.Committed(CALL_ID, timed.commit)]
        alice.apply_own()
        (committed,) = bob.take()
        bob.apply(committed)
        assert (alice.group.epoch, bob.group.epoch) == (3, 3)

    @pytest.mark.requirement("DS-5")
    def test_an_invitation_reaches_each_device_whole(
        self, alice: Device, bobs: list[Device]
    ) -> None:
        alice.create(bobs[0].account)
        assert alice.send(alice.opening()) == []
        request, _ = alice.invitation(alice.claim("bob"))
        assert [bob.take() for bob in bobs] == [[], [], []]
        alice.send(request)
        assert request.welcome is not None
        assert request.offer is not None
        invited = messages.Invited(CALL_ID, request.welcome, request.offer)
        assert [bob.take() for bob in bobs] == [[invited]] * 3

    @pytest.mark.requirement("DS-6")
    @pytest.mark.usefixtures("in_call")
    def test_who_was_removed_hears_nothing_more(self, alice: Device, bobs: list[Device]) -> None:
        phone, laptop, tablet = bobs
        alice.send(alice.say(b"accepted"))
        assert [heard(phone, arrived) for arrived in phone.take()] == [b"accepted"]
        assert (laptop.take(), tablet.take()) == ([], [])


class TestHello:
    """The version, and the challenge."""

    def test_it_chooses_a_version_and_gives_a_challenge(self, town: Town) -> None:
        device = town.device("alice")
        (first,) = device.send(messages.Hello((0x0001, 0x0100, 0x0900)))
        (second,) = device.send(messages.Hello((0x0100,)))
        assert isinstance(first, messages.Welcome)
        assert isinstance(second, messages.Welcome)
        assert (first.version, first.server_name) == (0x0100, "calls.example")
        assert first.delivery_key == town.identity.delivery_key.public
        assert first.server_nonce != second.server_nonce

    def test_without_a_common_version_it_is_refused(self, town: Town) -> None:
        device = town.device("alice")
        assert device.refused(messages.Hello((0x0900,))) == WireReason.NO_COMMON_VERSION
        assert device.refused(device.registration()) == DeliveryReason.NOT_GREETED


class TestRegister:
    """An account's consent."""

    @pytest.mark.requirement("IDENT-15")
    def test_the_directory_attests_who_consents(self, town: Town) -> None:
        alice = town.device("alice")
        attested = alice.register()
        assert attested.attested_until > town.now // 1000

    @pytest.mark.requirement("IDENT-15")
    def test_nobody_registers_anothers_key(self, town: Town) -> None:
        alice, mallory = town.device("alice"), town.device("mallory")
        mallory.hello()
        stolen = replace(mallory.registration(), account_key=alice.account.public)
        assert mallory.refused(stolen) == IdentityReason.BAD_REGISTER_SIGNATURE
        elsewhere = replace(alice.registration(), account_id="mallory")
        assert mallory.refused(elsewhere) == IdentityReason.BAD_REGISTER_SIGNATURE

    def test_an_account_id_is_given_once_and_attested_again(self, town: Town) -> None:
        alice, impostor = town.device("alice"), town.device("mallory")
        alice.register()
        impostor.account = AccountKey.create("alice", SeededEntropy(b"impostor"))
        impostor.hello()
        assert impostor.refused(impostor.registration()) == DeliveryReason.ACCOUNT_TAKEN
        town.now += 10 * DAY
        again = alice.register()
        assert again.attested_until - town.now // 1000 > 28 * 24 * 3600


class TestLogin:
    """A device proves itself."""

    @pytest.mark.requirement("DS-1")
    @pytest.mark.parametrize(
        "name",
        [
            *("publish", "find", "claim", "open", "commit", "send", "post", "acknowledge"),
            *("renew", "link", "ask_relays"),
        ],
    )
    def test_nothing_is_done_before(self, town: Town, name: str) -> None:
        device = town.device("alice")
        assert device.refused(ONE_OF_EACH[name]) == DeliveryReason.NOT_LOGGED_IN
        device.register()
        assert device.refused(ONE_OF_EACH[name]) == DeliveryReason.NOT_LOGGED_IN

    @pytest.mark.requirement("DS-1", "SIG-6")
    @pytest.mark.parametrize(
        "name", [n for n, m in ONE_OF_EACH.items() if not isinstance(m, FromDevice)]
    )
    def test_what_only_a_service_says_is_refused(self, town: Town, name: str) -> None:
        alice = town.member("alice")
        assert alice.refused(ONE_OF_EACH[name]) == DeliveryReason.UNEXPECTED_MESSAGE

    @pytest.mark.requirement("IDENT-14")
    def test_a_nonce_is_used_once(self, town: Town) -> None:
        alice = town.device("alice")
        alice.register()
        login = alice.proof(alice.hello().server_nonce)
        assert alice.send(login) == [messages.LoggedIn()]
        assert alice.refused(login) == DeliveryReason.NO_CHALLENGE

    @pytest.mark.requirement("IDENT-14")
    def test_a_login_cannot_be_replayed(self, town: Town) -> None:
        alice = town.device("alice")
        alice.register()
        login = alice.proof(alice.hello().server_nonce)
        alice.send(login)
        thief = town.device("mallory")
        thief.hello()
        (answer,) = thief.send(login)
        assert isinstance(answer, messages.Refused)
        assert answer.reason == IdentityReason.BAD_LOGIN_SIGNATURE
        assert thief.refused(ONE_OF_EACH["find"]) == DeliveryReason.NOT_LOGGED_IN

    @pytest.mark.requirement("IDENT-14")
    def test_a_wrong_answer_takes_the_challenge_too(self, town: Town) -> None:
        alice = town.device("alice")
        alice.register()
        nonce = alice.hello().server_nonce
        (answer,) = alice.send(replace(alice.proof(nonce), signature=bytes(64)))
        assert isinstance(answer, messages.Refused)
        assert answer.reason == IdentityReason.BAD_LOGIN_SIGNATURE
        assert alice.refused(alice.proof(nonce)) == DeliveryReason.NO_CHALLENGE

    @pytest.mark.requirement("IDENT-14", "IDENT-3")
    def test_the_signature_key_must_be_the_certificates(self, town: Town) -> None:
        """Mallory shows Alice's certificate and signs with a key of his own."""
        alice, mallory = town.device("alice"), town.device("mallory")
        alice.register()
        nonce = mallory.hello().server_nonce
        login = replace(mallory.proof(nonce), certificate=alice.certificate.encode())
        (answer,) = mallory.send(login)
        assert isinstance(answer, messages.Refused)
        assert answer.reason == IdentityReason.BAD_ACCOUNT_SIGNATURE

    @pytest.mark.requirement("IDENT-14")
    def test_a_login_for_another_server_is_refused(self, town: Town) -> None:
        alice = town.device("alice")
        alice.register()
        login = alice.proof(alice.hello().server_nonce)
        nonce = alice.hello().server_nonce
        signature = login_signature(alice.key, "other.example", nonce, login.client_nonce)
        (answer,) = alice.send(replace(login, signature=signature))
        assert isinstance(answer, messages.Refused)
        assert answer.reason == IdentityReason.BAD_LOGIN_SIGNATURE

    @pytest.mark.requirement("DS-1")
    def test_only_devices_of_registered_accounts_log_in(self, town: Town) -> None:
        stranger = town.device("alice")
        (answer,) = stranger.login()
        assert isinstance(answer, messages.Refused)
        assert answer.reason == DeliveryReason.UNKNOWN_ACCOUNT

    @pytest.mark.requirement("DS-1")
    def test_an_impostor_under_a_registered_id_is_refused(self, town: Town) -> None:
        town.member("alice")
        impostor = town.device("mallory")
        impostor.account = AccountKey.create("alice", SeededEntropy(b"impostor"))
        impostor.certificate = impostor.certify()
        (answer,) = impostor.login()
        assert isinstance(answer, messages.Refused)
        assert answer.reason == DeliveryReason.WRONG_ACCOUNT_KEY

    @pytest.mark.requirement("IDENT-5")
    def test_an_expired_certificate_is_refused_after_a_day(self, town: Town) -> None:
        alice = town.device("alice")
        alice.register()
        not_after = alice.certificate.statement.not_after * 1000
        town.now = not_after + DAY
        assert alice.login() == [messages.LoggedIn()]
        town.now += 1000
        (answer,) = alice.login()
        assert isinstance(answer, messages.Refused)
        assert answer.reason == IdentityReason.EXPIRED

    @pytest.mark.requirement("DS-1", "IDENT-7")
    def test_a_revoked_device_does_not_log_in(self, town: Town, alice: Device) -> None:
        """The tablet was stolen: the account raised the generation and certified the other device anew."""
        tablet = town.member("alice", 2)
        alice.certificate = alice.certify(generation=1)
        assert alice.login() == [messages.LoggedIn()]
        (notice,) = tablet.take()
        assert isinstance(notice, messages.Refused)
        assert notice.reason == DeliveryReason.REVOKED
        (answer,) = tablet.login()
        assert isinstance(answer, messages.Refused)
        assert answer.reason == DeliveryReason.REVOKED
        tablet.certificate = tablet.certify(generation=1)
        assert tablet.login() == [messages.LoggedIn()]

    def test_a_device_has_one_connection(self, town: Town, alice: Device) -> None:
        """Who comes back before its old connection was seen to be dead takes its place."""
        old, alice.connection = alice.connection, town.connect()
        assert alice.login() == [messages.LoggedIn()]
        (notice,) = town.take(old)
        assert isinstance(notice, messages.Refused)
        assert notice.reason == DeliveryReason.SUPERSEDED
        assert alice.send(messages.Publish(())) == [messages.Published(0)]
        (answer,) = town.send(old, messages.Publish(()))
        assert isinstance(answer, messages.Refused)
        assert answer.reason == DeliveryReason.NOT_LOGGED_IN
        town.disconnect(old)
        assert alice.send(messages.Publish(())) == [messages.Published(0)]

    def test_a_device_logs_in_again_on_its_connection(self, alice: Device) -> None:
        alice.certificate = alice.certify(generation=1)
        assert alice.login() == [messages.LoggedIn()]
        assert alice.publish(1) == [messages.Published(1)]

    def test_another_device_may_take_over_a_connection(self, town: Town, alice: Device) -> None:
        tablet = town.device("alice", 2)
        tablet.connection = alice.connection
        assert tablet.login() == [messages.LoggedIn()]
        other = town.connect()
        alice.connection = other
        assert alice.login() == [messages.LoggedIn()]
        assert tablet.take() == []


class TestRelay:
    """Application messages between members."""

    @pytest.mark.requirement("DS-6")
    @pytest.mark.usefixtures("in_call")
    def test_a_stranger_cannot_send_into_a_call(self, town: Town, alice: Device) -> None:
        mallory = town.member("mallory")
        assert mallory.refused(alice.say(b"hello")) == DeliveryReason.NOT_A_MEMBER

    @pytest.mark.requirement("DS-6")
    @pytest.mark.usefixtures("in_call")
    def test_who_was_removed_cannot_send(self, bobs: list[Device]) -> None:
        _, laptop, _ = bobs
        assert laptop.refused(laptop.say(b"still here")) == DeliveryReason.NOT_A_MEMBER

    @pytest.mark.requirement("DS-6")
    @pytest.mark.usefixtures("in_call")
    def test_messages_of_the_epoch_before_are_relayed_older_ones_not(
        self, alice: Device, bobs: list[Device]
    ) -> None:
        phone = bobs[0]
        late, too_late = phone.say(b"late"), phone.say(b"too late")
        self.next_epoch(alice)
        assert phone.take() != []
        assert phone.send(late) == [messages.Stored("send", CALL_ID)]
        assert [type(arrived) for arrived in alice.take()] == [messages.Sent]
        self.next_epoch(alice)
        assert phone.take() != []
        assert phone.refused(too_late) == DeliveryReason.WRONG_EPOCH

    @staticmethod
    def next_epoch(device: Device) -> None:
        """A timed commit, which the other side is slow to apply."""
        commit = device.request(device.commit())
        assert device.send(commit) == [messages.Committed(CALL_ID, commit.commit)]
        device.apply_own()

    @pytest.mark.requirement("KEYS-5", "DS-6")
    @pytest.mark.usefixtures("in_call")
    def test_only_application_data_is_relayed(self, alice: Device) -> None:
        hidden = alice.commit(wire_format=WireFormat.PRIVATE_MESSAGE)
        as_send = messages.Send(CALL_ID, hidden.message.encode())
        assert alice.refused(as_send) == DeliveryReason.NOT_APPLICATION_DATA
        public = messages.Send(CALL_ID, alice.commit().message.encode())
        assert alice.refused(public) == DeliveryReason.WRONG_WIRE_FORMAT

    @pytest.mark.usefixtures("in_call")
    def test_a_message_of_another_group_is_refused(self, alice: Device, bobs: list[Device]) -> None:
        said = alice.say(b"hello")
        alice.create(bobs[0].account, call_id=bytes(16))
        other = messages.Send(bytes(16), said.message)
        alice.send(alice.opening(bytes(16)))
        assert alice.refused(other) == DeliveryReason.WRONG_GROUP

    @pytest.mark.usefixtures("in_call")
    def test_bytes_that_are_no_mls_message_are_refused(self, alice: Device) -> None:
        for data in (b"", b"\x00", bytes(100), alice.say(b"hello").message[:-1]):
            alice.refused(messages.Send(CALL_ID, data))


def test_an_unknown_connection_is_the_shells_fault(town: Town) -> None:
    with pytest.raises(ServiceUsageError):
        town.service.receive(99, messages.Hello((0x0100,)), town.now)


def test_a_refusal_can_be_sent_whatever_it_quotes() -> None:
    """A name or a reference in the detail may be as long as a message."""
    error = DeliveryError(DeliveryReason.UNKNOWN_CALL, "x" * 2**20)
    refused = refusal(error, messages.Send(CALL_ID, b""))
    assert wire.decode(SERVICE, wire.encode(refused)) == refused
    assert (refused.request, refused.call_id, refused.reason) == ("send", CALL_ID, "UNKNOWN_CALL")


@pytest.mark.requirement("IDENT-14", "KEYS-4")
def test_a_key_of_small_order_proves_nothing(town: Town) -> None:
    """Its one signature holds for every challenge in a lax verifier."""
    alice = town.device("alice")
    alice.register()
    alice.key = replace(alice.key, public=b"\x01" + bytes(31))
    alice.certificate = alice.certify()
    alice.hello()
    forged = messages.Login(
        alice.certificate.encode(), alice.key.public, bytes(32), b"\x01" + bytes(63)
    )
    (answer,) = alice.send(forged)
    assert isinstance(answer, messages.Refused)
    assert answer.reason == IdentityReason.BAD_LOGIN_SIGNATURE


@pytest.mark.requirement("DS-7")
def test_an_account_has_a_bounded_number_of_devices(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_DEVICES", 3)
    for device_id in (1, 2, 3):
        town.member("carol", device_id)
    town.member("carol", 3)  # in the place of the third
    devices = town.kept()
    fourth = town.device("carol", 4)
    fourth.hello()
    refused = fourth.login()[-1]
    assert isinstance(refused, messages.Refused)
    assert refused.reason == DeliveryReason.TOO_MANY_DEVICES
    assert town.kept() == devices


@pytest.mark.requirement("DS-7", "SIG-3")
def test_what_could_not_be_sent_on_is_refused_and_changes_nothing(town: Town) -> None:
    alice, bob = town.member("alice"), town.member("bob", key_packages=1)
    alice.invite("bob")
    bob.join()
    before = town.state()
    long = bytes(limits.MAX_RELAYED_BYTES + 1)
    assert alice.refused(messages.Send(CALL_ID, long)) == DeliveryReason.TOO_MANY_BYTES
    commit = messages.Commit(CALL_ID, long, None, None)
    assert alice.refused(commit) == DeliveryReason.TOO_MANY_BYTES
    assert town.state() == before


@pytest.mark.requirement("DS-7")
@pytest.mark.usefixtures("in_call")
def test_a_log_is_bounded(alice: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else two members who commit as often and as much as they can fill the disk of the service."""
    padded = alice.request(alice.commit(authenticated_data=bytes(limits.MAX_COMMIT)))
    assert alice.refused(padded) == DeliveryReason.TOO_MANY_BYTES
    monkeypatch.setattr(limits, "MAX_LOG_ENTRIES", 4)
    fourth = alice.request(alice.commit())  # after the opening, the invitation and the Answer
    assert alice.send(fourth) == [messages.Committed(CALL_ID, fourth.commit)]
    alice.apply_own()
    assert alice.refused(alice.request(alice.commit())) == DeliveryReason.TOO_MANY_COMMITS
