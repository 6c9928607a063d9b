"""Whose account key the directory attests, and what goes when a lost one is replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.delivery import admission, limits
from e2ee.delivery.admission import Admission, Applicant
from e2ee.delivery.errors import DeliveryReason
from e2ee.delivery.rates import Rate
from e2ee.identity.account import AccountKey
from e2ee.identity.errors import IdentityReason
from e2ee.signalling import messages

if TYPE_CHECKING:
    from tests.delivery.conftest import Device, Town

MINUTE = 60 * 1000
ADMISSIONS: dict[str, Admission] = {
    "open": admission.anybody,
    "closed": admission.nobody,
    "by invitation": admission.whoever_is_invited,
}

pytestmark = pytest.mark.requirement("DS-8")


@pytest.fixture
def by(town: Town) -> Callable[[Admission], None]:
    """Runs the town's service by an admission."""

    def by(chosen: Admission) -> None:
        town.options["admission"] = chosen
        town.restart()

    return by


def invite(town: Town, account_id: str | None = None) -> str:
    with town.store.transaction() as tx:
        return admission.invite(tx, town.entropy, town.now + MINUTE, account_id)


def newcomer(town: Town, account_id: str, device_id: int = 1, *, origin: str = "") -> Device:
    device = town.device(account_id, device_id)
    device.connection = town.connect(origin)
    device.hello()
    return device


def lost(device: Device) -> Device:
    """A new device of the same name, whose account key is new as well."""
    town, account_id = device.town, device.account.account_id
    town.accounts[account_id] = AccountKey.create(account_id, SeededEntropy(b"a new key"))
    return newcomer(town, account_id, 9)


def asks(device: Device, token: str = "", user: str | None = None) -> str:
    """What comes of a registration: the name of the answer, or the reason of the refusal, which changed nothing."""
    request = device.registration(token)
    kept = device.town.kept()
    (answer,) = device.town.send(device.connection, request, user)
    if isinstance(answer, messages.Refused):
        assert device.town.kept() == kept
        return answer.reason
    return answer.name


class TestNewAccounts:
    """Who gets one."""

    def test_open(self, town: Town) -> None:
        assert asks(newcomer(town, "alice")) == "attested"

    def test_closed(self, town: Town, by: Callable[[Admission], None]) -> None:
        by(admission.nobody)
        alice = newcomer(town, "alice")
        assert asks(alice) == DeliveryReason.REGISTRATION_CLOSED
        assert asks(alice, invite(town)) == DeliveryReason.REGISTRATION_CLOSED

    def test_by_invitation(self, town: Town, by: Callable[[Admission], None]) -> None:
        by(admission.whoever_is_invited)
        alice, bob, token = newcomer(town, "alice"), newcomer(town, "bob"), invite(town)
        assert asks(alice) == DeliveryReason.INVITATION_NEEDED
        assert asks(alice, "guessed") == DeliveryReason.BAD_INVITATION
        assert asks(alice, token) == "attested"
        assert asks(bob, token) == DeliveryReason.BAD_INVITATION  # it was for one
        assert asks(alice) == "attested"  # the registered key, again

    def test_an_invitation_for_one_name(self, town: Town, by: Callable[[Admission], None]) -> None:
        by(admission.whoever_is_invited)
        token = invite(town, "alice")
        assert asks(newcomer(town, "bob"), token) == DeliveryReason.BAD_INVITATION
        assert asks(newcomer(town, "alice"), token) == "attested"

    def test_an_invitation_ends(self, town: Town, by: Callable[[Admission], None]) -> None:
        by(admission.whoever_is_invited)
        token = invite(town)
        town.now += MINUTE
        assert asks(newcomer(town, "alice"), token) == DeliveryReason.BAD_INVITATION

    def test_nobody_registers_anothers_key_whatever_the_token(
        self, town: Town, by: Callable[[Admission], None]
    ) -> None:
        by(admission.whoever_is_invited)
        mallory = newcomer(town, "mallory")
        mallory.account = town.account("alice")
        registration = mallory.registration(invite(town))
        forged = messages.Register("alice", registration.account_key, bytes(64), registration.token)
        assert mallory.refused(forged) == IdentityReason.BAD_REGISTER_SIGNATURE

    def test_users_of_an_application(self, town: Town, by: Callable[[Admission], None]) -> None:
        by(admission.users_of_the_application)
        alice = newcomer(town, "alice")
        assert asks(alice, "token") == DeliveryReason.NOT_AUTHENTICATED
        assert asks(alice, "token", user="bob") == DeliveryReason.NOT_THIS_USER
        assert asks(alice, "token", user="alice") == "attested"


@pytest.mark.requirement("DS-7")
class TestFromOneAddress:
    """What keeps one person from having many accounts where registration is open."""

    def register_20(self, town: Town) -> None:
        assert Rate(20, 60 * MINUTE) == limits.REGISTRATIONS
        for number in range(20):
            assert asks(newcomer(town, f"mallory {number}", origin="192.0.2.1")) == "attested"

    def test_20_new_accounts_an_hour(self, town: Town) -> None:
        self.register_20(town)
        one_more = newcomer(town, "mallory 20", origin="192.0.2.1")
        assert asks(one_more) == DeliveryReason.RATE_LIMITED
        assert asks(one_more, "no invitation") == DeliveryReason.RATE_LIMITED
        assert asks(newcomer(town, "alice", origin="192.0.2.2")) == "attested"
        town.now += 3 * MINUTE
        assert asks(one_more) == "attested"
        assert asks(newcomer(town, "mallory 21", origin="192.0.2.1")) == (
            DeliveryReason.RATE_LIMITED
        )

    def test_accounts_that_are_there_are_attested_again(self, town: Town) -> None:
        self.register_20(town)
        assert asks(newcomer(town, "mallory 7", origin="192.0.2.1")) == "attested"

    def test_a_refused_one_does_not_count(
        self, town: Town, by: Callable[[Admission], None]
    ) -> None:
        by(admission.whoever_is_invited)
        for number in range(21):
            stranger = newcomer(town, f"mallory {number}", origin="192.0.2.1")
            assert asks(stranger) == DeliveryReason.INVITATION_NEEDED

    def test_whom_somebody_vouches_for_does_not_count(
        self, town: Town, by: Callable[[Admission], None]
    ) -> None:
        self.register_20(town)
        again = lost(newcomer(town, "mallory 7", origin="192.0.2.1"))
        assert asks(again, invite(town, "mallory 7")) == "attested"
        by(admission.whoever_is_invited)
        self.register_invited(town, 21)
        by(admission.users_of_the_application)
        for number in range(21):
            user = newcomer(town, f"user {number}", origin="192.0.2.1")
            assert asks(user, "token", user=f"user {number}") == "attested"

    def register_invited(self, town: Town, accounts: int) -> None:
        for number in range(accounts):
            friend = newcomer(town, f"friend {number}", origin="192.0.2.1")
            assert asks(friend, invite(town)) == "attested"

    def test_where_addresses_do_not_count(self, town: Town) -> None:
        """Behind a proxy, which has them."""
        for number in range(21):
            assert asks(newcomer(town, f"somebody {number}")) == "attested"


class TestLostKeys:
    """Another key in the place of the registered one."""

    @pytest.mark.parametrize("name", ADMISSIONS)
    def test_only_with_an_invitation_for_this_account(
        self, town: Town, by: Callable[[Admission], None], name: str
    ) -> None:
        alice = town.member("alice")
        by(ADMISSIONS[name])
        stranger = lost(alice)
        assert asks(stranger) == DeliveryReason.ACCOUNT_TAKEN
        for token in ("guessed", invite(town), invite(town, "bob")):
            assert asks(stranger, token) == DeliveryReason.BAD_INVITATION
        assert asks(stranger, invite(town, "alice")) == "attested"
        assert stranger.login() == [messages.LoggedIn()]

    def test_by_the_applications_user(self, town: Town, by: Callable[[Admission], None]) -> None:
        alice = town.member("alice")
        by(admission.users_of_the_application)
        stranger = lost(alice)
        assert asks(stranger, "token", user="mallory") == DeliveryReason.NOT_THIS_USER
        assert asks(stranger, "token", user="alice") == "attested"

    def test_the_lost_keys_devices_go(self, town: Town, bobs: list[Device]) -> None:
        alice, phone = town.member("alice", key_packages=2), bobs[0]
        (claimed,) = phone.claim("alice")
        replaced = lost(alice)
        assert asks(replaced, invite(town, "alice")) == "attested"
        (notice,) = alice.take()
        assert isinstance(notice, messages.Refused)
        assert notice.reason == DeliveryReason.ACCOUNT_REPLACED
        assert alice.refused(messages.Find("bob")) == DeliveryReason.NOT_LOGGED_IN
        (answer,) = alice.login()
        assert isinstance(answer, messages.Refused)
        assert answer.reason == DeliveryReason.WRONG_ACCOUNT_KEY
        assert phone.send(messages.Find("alice")) == [messages.Devices("alice", ())]
        letter = messages.Post((phone.letter_key(claimed),), b"content")
        assert phone.refused(letter) == DeliveryReason.UNKNOWN_KEY_PACKAGE


def test_an_application_may_have_rules_of_its_own(town: Town) -> None:
    seen: list[Applicant] = []
    town.options["admission"] = lambda _tx, applicant, _now: seen.append(applicant)
    town.restart()
    alice = newcomer(town, "alice")
    assert asks(alice, "secret words", user="somebody") == "attested"
    assert asks(alice) == "attested"  # not asked about the registered key
    (applicant,) = seen
    assert (applicant.account_id, applicant.registered_key) == ("alice", None)
    assert (applicant.token, applicant.user) == ("secret words", "somebody")
    assert "secret words" not in repr(applicant)


def test_the_store_does_not_know_the_token(town: Town) -> None:
    token = invite(town)
    assert len(token) == 22  # 16 random bytes
    assert token not in repr(town.kept())
