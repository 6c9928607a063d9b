"""Invitations that must not ring, each with one thing wrong, from somebody who has a caller's keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from e2ee.call.configuration import Configuration
from e2ee.call.errors import CallReason, CallRefused
from e2ee.call.events import Ringing
from e2ee.call.incoming_invite import _check_members
from e2ee.errors import Reason
from e2ee.identity.device_certificate import verify_certificate
from e2ee.identity.errors import IdentityReason, TrustError
from e2ee.identity.trust import ContactState
from e2ee.mls.errors import Rule
from e2ee.mls.extension import Extension
from e2ee.mls.key_package import KeyPackage
from e2ee.profile.call_profile import CALL_PROFILE, CallKind, group_extensions, one_to_one
from e2ee.profile.errors import ProfileReason
from e2ee.signalling import messages
from e2ee.signalling.wire import encode
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import START, SimulatedCalls, SimulatedDevice

if TYPE_CHECKING:
    from tests.call.conftest import HandmadeInvite

DAY = 24 * 3600 * 1000


@pytest.fixture
def refuses(calls: SimulatedCalls) -> Callable[[SimulatedDevice, HandmadeInvite, Reason], None]:
    """That a device refuses an invitation for this reason, tells nobody, and has learnt nothing."""

    def check(device: SimulatedDevice, invite: HandmadeInvite, reason: Reason) -> None:
        invited = invite.invited()
        before = snapshot(device.core)
        refused = calls.give(device, invited)
        assert refused is not None
        assert refused.reason is reason
        assert snapshot(device.core) == before
        assert list(device.outbox) == []  # CALL-5
        assert device.told(Ringing) == []

    return check


@pytest.fixture
def handmade(
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite: type[HandmadeInvite],
    key_package_of: Callable[[SimulatedDevice], KeyPackage],
) -> Callable[..., HandmadeInvite]:
    """Alice's invitation to Bob, right but for what the test says."""

    def make(**wrong: Any) -> HandmadeInvite:
        return invite(alice.owner, [key_package_of(bob)], **wrong)

    return make


Refuses = Callable[[SimulatedDevice, Any, Reason], None]
Handmade = Callable[..., Any]


def offer(created_at: int = START) -> bytes:
    return encode(messages.Offer(created_at, "voice"))


def test_it_rings_if_nothing_is_wrong(
    calls: SimulatedCalls, bob: SimulatedDevice, handmade: Handmade
) -> None:
    assert calls.give(bob, handmade().invited()) is None
    assert bob.last(Ringing).caller.account_id == "alice"


@pytest.mark.requirement("CALL-1", "CALL-5")
def test_a_group_id_that_is_not_the_call_id(
    bob: SimulatedDevice, handmade: Handmade, refuses: Refuses
) -> None:
    refuses(bob, handmade(group_id=b"another group id"), CallReason.WRONG_CALL_ID)


@pytest.mark.requirement("CALL-1")
def test_a_group_id_of_another_length(
    bob: SimulatedDevice, handmade: Handmade, refuses: Refuses
) -> None:
    refuses(bob, handmade(group_id=b"short"), CallReason.WRONG_CALL_ID)


@pytest.mark.requirement("CALL-3", "CALL-5")
@pytest.mark.parametrize(
    ("created_at", "reason"),
    [
        (START - 90_001, CallReason.OFFER_TOO_OLD),
        (START + 90_001, CallReason.OFFER_FROM_THE_FUTURE),
    ],
)
def test_an_offer_of_another_time(
    bob: SimulatedDevice,
    handmade: Handmade,
    refuses: Refuses,
    created_at: int,
    reason: CallReason,
) -> None:
    refuses(bob, handmade(said=[offer(created_at)]), reason)


@pytest.mark.requirement("CALL-3")
def test_an_offer_that_is_not_the_first_message(
    bob: SimulatedDevice, handmade: Handmade, refuses: Refuses
) -> None:
    refuses(bob, handmade(said=[offer(), offer()]), CallReason.NOT_FROM_THE_CALLER)


@pytest.mark.requirement("CALL-3")
def test_another_message_in_the_place_of_the_offer(
    bob: SimulatedDevice, handmade: Handmade, refuses: Refuses
) -> None:
    hangup = encode(messages.Hangup("done"))
    refuses(bob, handmade(said=[hangup]), CallReason.NOT_AN_OFFER)


@pytest.mark.requirement("CALL-4", "CALL-6")
def test_a_group_that_is_further_than_epoch_1(
    bob: SimulatedDevice, handmade: Handmade, refuses: Refuses
) -> None:
    refuses(bob, handmade(commits_before=1), CallReason.NOT_IN_EPOCH_1)


@pytest.mark.requirement("CALL-4")
def test_a_third_accounts_device_in_the_group(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite: type[HandmadeInvite],
    key_package_of: Callable[[SimulatedDevice], KeyPackage],
    refuses: Refuses,
) -> None:
    carol = calls.device("carol")
    both = [key_package_of(carol), key_package_of(bob)]
    refuses(bob, invite(alice.owner, both), CallReason.WRONG_MEMBERS)


@pytest.mark.requirement("CALL-4")
def test_an_own_device_as_the_caller(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite: type[HandmadeInvite],
    key_package_of: Callable[[SimulatedDevice], KeyPackage],
    refuses: Refuses,
) -> None:
    tablet = calls.device("bob", device_id=2)
    profile = one_to_one(alice.account.public, bob.account.public, bytes(32))
    handmade = invite(tablet.owner, [key_package_of(bob)], profile=profile)
    refuses(bob, handmade, CallReason.WRONG_MEMBERS)


@pytest.mark.requirement("CALL-4", "KEYS-10")
def test_a_profile_with_other_accounts(
    alice: SimulatedDevice, bob: SimulatedDevice, handmade: Handmade, refuses: Refuses
) -> None:
    swapped = one_to_one(bob.account.public, alice.account.public, bytes(32))
    refuses(bob, handmade(profile=swapped), CallReason.WRONG_MEMBERS)


@pytest.mark.requirement("CALL-4", "KEYS-10")
@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": CallKind.GROUP},
        {"version": 0x0101},
        {"S": 11},
        {"E": 5},
        {"hosts": (bytes(32),)},
        {"banned": (bytes(32),)},
        {"speakers": (bytes(32),)},
        {"link_id": b"link"},
        {"join_policy": 1},
        {"accounts": (bytes(32),)},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_profile_that_is_no_one_to_one_calls(
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    handmade: Handmade,
    refuses: Refuses,
    wrong: dict[str, Any],
) -> None:
    right = one_to_one(alice.account.public, bob.account.public, bytes(32))
    refuses(bob, handmade(profile=replace(right, **wrong)), ProfileReason.BAD_CALL_PROFILE)


@pytest.mark.requirement("KEYS-9")
def test_a_group_without_a_profile(
    bob: SimulatedDevice, handmade: Handmade, refuses: Refuses
) -> None:
    refuses(bob, handmade(extensions=()), ProfileReason.NO_CALL_PROFILE)


@pytest.mark.requirement("KEYS-9")
def test_a_group_that_does_not_require_the_profile(
    alice: SimulatedDevice, bob: SimulatedDevice, handmade: Handmade, refuses: Refuses
) -> None:
    profile = one_to_one(alice.account.public, bob.account.public, bytes(32))
    only = (Extension(CALL_PROFILE, profile.encode()),)
    refuses(bob, handmade(extensions=only), ProfileReason.CALL_PROFILE_NOT_REQUIRED)


@pytest.mark.requirement("KEYS-10", "CALL-4")
def test_a_caller_that_calls_itself_by_its_profile(
    alice: SimulatedDevice, bob: SimulatedDevice, handmade: Handmade, refuses: Refuses
) -> None:
    same = one_to_one(bob.account.public, bob.account.public, bytes(32))
    extensions = group_extensions(same)
    refuses(bob, handmade(extensions=extensions), ProfileReason.BAD_CALL_PROFILE)


@pytest.mark.requirement("KEYS-2")
def test_a_lower_suite_than_all_members_have(
    calls: SimulatedCalls, invite: type[HandmadeInvite], refuses: Refuses
) -> None:
    both = (0x0001, 0xF0E2)
    carol, dave = calls.device("carol", suites=both), calls.device("dave", suites=both)
    bundles = dave.core._key_packages._bundles.values()
    lower = next(b.key_package for b in bundles if b.key_package.cipher_suite == 0x0001)
    refuses(dave, invite(carol.owner, [lower]), ProfileReason.SUITE_TOO_LOW)


@pytest.mark.requirement("KEYS-2")
def test_a_suite_below_the_own_minimum(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    invite: type[HandmadeInvite],
    refuses: Refuses,
) -> None:
    careful = calls.device("dave", suites=(0x0001, 0xF0E2))
    bundles = careful.core._key_packages._bundles.values()
    lower = next(b.key_package for b in bundles if b.key_package.cipher_suite == 0x0001)
    configuration = Configuration(minimum_suite=0xF0E2)
    careful.core._owner = replace(careful.owner, configuration=configuration)
    refuses(careful, invite(alice.owner, [lower]), ProfileReason.SUITE_TOO_LOW)


@pytest.mark.requirement("IDENT-9", "CALL-5")
def test_a_caller_whom_nobody_attests(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite: type[HandmadeInvite],
    key_package_of: Callable[[SimulatedDevice], KeyPackage],
    refuses: Refuses,
) -> None:
    owner = self_certified(calls, alice)
    refuses(bob, invite(owner, [key_package_of(bob)]), IdentityReason.NOT_ATTESTED)


@pytest.mark.requirement("IDENT-5")
@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (START - 30 * DAY, IdentityReason.EXPIRED),
        (START + 2 * DAY, IdentityReason.NOT_YET_VALID),
    ],
)
def test_a_caller_whose_certificate_is_out_of_date(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite: type[HandmadeInvite],
    key_package_of: Callable[[SimulatedDevice], KeyPackage],
    refuses: Refuses,
    made: int,
    reason: IdentityReason,
) -> None:
    owner = self_certified(calls, alice, now=made)
    refuses(bob, invite(owner, [key_package_of(bob)]), reason)


@pytest.mark.requirement("IDENT-7")
def test_a_caller_whose_device_was_revoked(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, handmade: Handmade
) -> None:
    newer = self_certified(calls, alice, generation=1)
    bob.core.trust.mark_verified("alice", alice.account.public)
    bob.core.trust.observe([newer.certificate], calls.now)
    refused = calls.give(bob, handmade().invited())
    assert refused is not None
    assert refused.reason is IdentityReason.REVOKED
    assert bob.told(Ringing) == []


@pytest.mark.requirement("IDENT-7")
def test_generations_are_remembered_of_whoever_calls(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite: type[HandmadeInvite],
    key_package_of: Callable[[SimulatedDevice], KeyPackage],
) -> None:
    """Also of a caller whose account key has changed, and whom nobody has accepted yet."""
    bob.core.trust.mark_verified("alice", bytes(32))
    own = self_certified(calls, alice, generation=1).certificate
    attested = replace(own.certificate, attestation=alice.owner.certificate.certificate.attestation)
    certificate = verify_certificate(attested.encode(), own.signature_key)
    newer = replace(alice.owner, certificate=certificate)
    assert calls.give(bob, invite(newer, [key_package_of(bob)]).invited()) is None
    assert bob.last(Ringing).contact is ContactState.CHANGED
    with pytest.raises(TrustError) as refused:
        bob.core.trust.judge(alice.owner.certificate, calls.now)
    assert refused.value.reason is IdentityReason.REVOKED


def self_certified(
    calls: SimulatedCalls, device: SimulatedDevice, now: int | None = None, generation: int = 0
) -> Any:
    """The device's owner with a certificate that its account made without the directory."""
    certificate = device.account.certify(
        device.owner.signing_key.public,
        device_id=1,
        now=calls.now if now is None else now,
        versions=(0x0100,),
        suites=(0x0001,),
        generation=generation,
    )
    verified = verify_certificate(certificate.encode(), device.owner.signing_key.public)
    return replace(device.owner, certificate=verified)


@pytest.mark.requirement("KEYS-5")
def test_an_offer_that_is_no_private_message(
    calls: SimulatedCalls, bob: SimulatedDevice, handmade: Handmade
) -> None:
    invited = handmade().invited()
    swapped = replace(invited, offer=invited.welcome)
    refused = calls.give(bob, swapped)
    assert refused is not None
    assert refused.reason is CallReason.WRONG_WIRE_FORMAT


@pytest.mark.requirement("CALL-3")
def test_a_welcome_serves_once(
    calls: SimulatedCalls, bob: SimulatedDevice, handmade: Handmade
) -> None:
    invite = handmade()
    assert calls.give(bob, invite.invited()) is None
    again = replace(invite, call_id=b"another call id.", group_id=b"another call id.")
    refused = calls.give(bob, again.invited())
    assert refused is not None
    assert refused.reason is CallReason.NO_SUCH_KEY_PACKAGE


@pytest.mark.requirement("KEYS-7")
def test_a_welcome_without_the_tree(
    calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice, handmade: Handmade
) -> None:
    refused = calls.give(bob, handmade(ratchet_tree=False).invited())
    assert refused is not None
    assert refused.reason is Rule.RATCHET_TREE_MISSING


@pytest.mark.requirement("CALL-3", "CALL-4")
def test_an_offer_of_another_device_in_the_group(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite: type[HandmadeInvite],
    key_package_of: Callable[[SimulatedDevice], KeyPackage],
) -> None:
    """Bob's tablet is rung as well, and offers the call to his phone in Alice's place."""
    tablet = calls.device("bob", device_id=2)
    both = [key_package_of(tablet), key_package_of(bob)]
    invited = invite(alice.owner, both).invited()
    assert calls.give(tablet, invited) is None
    epochs = tablet.call._actions.epochs
    assert epochs is not None
    in_her_place = epochs.protect(messages.Offer(calls.now, "video"), tablet.owner.entropy)
    refused = calls.give(bob, replace(invited, offer=in_her_place))
    assert refused is not None
    assert refused.reason is CallReason.NOT_FROM_THE_CALLER


@pytest.mark.requirement("FKEY-2")
def test_a_leaf_that_no_key_id_can_name(alice: SimulatedDevice, bob: SimulatedDevice) -> None:
    caller, own = alice.owner.certificate, bob.owner.certificate
    _check_members(own, {0: caller, 1_023: own})
    with pytest.raises(CallRefused) as refused:
        _check_members(own, {0: caller, 1_024: own})
    assert refused.value.reason is CallReason.WRONG_MEMBERS


@pytest.mark.requirement("CALL-4")
def test_a_caller_at_another_leaf(alice: SimulatedDevice, bob: SimulatedDevice) -> None:
    caller, own = alice.owner.certificate, bob.owner.certificate
    with pytest.raises(CallRefused) as refused:
        _check_members(own, {0: own, 1: caller})
    assert refused.value.reason is CallReason.WRONG_MEMBERS
