"""Bob loses his phone during a call and revokes it from his tablet: whoever sees the tablet's new certificate ends the call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from e2ee.call.call import Call
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import (
    CertificateRenewed,
    DeviceRenewed,
    Ended,
    EndReason,
    LetterReceived,
    RequestRefused,
    Ringing,
)
from e2ee.call.key_packages import KEPT_OF_A_SUITE
from e2ee.call.states import State
from e2ee.errors import LocalProtocolError
from e2ee.identity.device_certificate import VerifiedCertificate, verify_certificate
from e2ee.identity.errors import IdentityReason
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import Rejected
from e2ee.media.reasons import RejectReason
from e2ee.mls.errors import Rule
from e2ee.profile.roster import leaf_certificate
from e2ee.signalling import messages
from e2ee.signalling.versions import SUPPORTED_VERSIONS
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice

if TYPE_CHECKING:
    from tests.scenarios.conftest import Microphone


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice")


@pytest.fixture
def phone(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob")


@pytest.fixture
def tablet(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob", device_id=2)


def renewed(calls: SimulatedCalls, device: SimulatedDevice, generation: int) -> VerifiedCertificate:
    """A new certificate for a device, by its account, of this generation."""
    before = device.core.certificate
    certificate = device.account.certify(
        before.signature_key,
        device_id=before.device_id,
        now=calls.now,
        versions=SUPPORTED_VERSIONS,
        suites=before.suites,
        generation=generation,
        attestation=before.certificate.attestation,
    )
    return verify_certificate(certificate.encode(), before.signature_key)


def revoke_all_but(calls: SimulatedCalls, device: SimulatedDevice) -> None:
    """The account raises its generation and signs this device anew, and no other."""
    certificate = renewed(calls, device, generation=1)
    device.core.renew(certificate)
    device.core.take_certificate(certificate, calls.now)
    calls.settle()


@pytest.mark.requirement("CALL-33", "IDENT-7")
def test_a_claim_that_shows_a_newer_generation_ends_the_call(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    phone: SimulatedDevice,
    tablet: SimulatedDevice,
    microphone: Callable[[Call, Call], Microphone],
) -> None:
    """Alice calls Bob's other devices while she talks to the phone."""
    placed, answered = calls.go_live(alice, phone)
    talking, listening = microphone(placed, answered), microphone(answered, placed)
    frame, opener = listening.protector.protect(b"it was me"), placed.opener
    revoke_all_but(calls, tablet)
    assert placed.state is State.LIVE  # nobody told Alice yet

    second = alice.core.place_call("bob", calls.now)
    calls.settle()
    assert alice.told(Ended) == [Ended(placed.call_id, EndReason.REVOKED, remote=False)]
    assert set(alice.core.calls) == {second.call_id}
    assert [member.device_id for member in second.others()] == [2]

    assert placed._actions.epochs is None
    with pytest.raises(LocalProtocolError):
        talking.protector.protect(b"hello?")
    stream = IncomingStream(Codec.OPUS, Kind.MICROPHONE)
    assert opener.open(stream, frame, calls.now) == Rejected(RejectReason.UNKNOWN_KEY)
    with pytest.raises(CallUsageError):
        _ = placed.call_code


@pytest.mark.requirement("CALL-33", "IDENT-7", "DS-1")
def test_the_device_that_was_revoked_is_told_if_it_still_hears(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    calls.go_live(alice, phone)
    revoke_all_but(calls, tablet)
    assert (
        phone.last(RequestRefused).reason == IdentityReason.REVOKED
    )  # the service ended its session
    alice.core.place_call("bob", calls.now)
    while not alice.told(Ended):
        calls.submit_all(alice)
        calls.deliver_all(alice)
    calls.send()
    (hangup,) = alice.sending(messages.Send)
    assert calls.give(phone, messages.Sent(hangup.call_id, hangup.message)) is None
    assert phone.last(Ended) == Ended(hangup.call_id, EndReason.REVOKED, remote=True)


@pytest.mark.requirement("CALL-33", "IDENT-7")
@pytest.mark.parametrize("seen_in", ["a call", "a call that may not ring", "a letter"])
def test_wherever_the_newer_certificate_is_seen(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    phone: SimulatedDevice,
    tablet: SimulatedDevice,
    seen_in: str,
) -> None:
    placed, _ = calls.go_live(alice, phone)
    revoke_all_but(calls, tablet)
    if seen_in == "a letter":
        tablet.core.post_letter("alice", messages.Note(calls.now, "My phone is gone."))
    else:
        tablet.core.place_call("alice", calls.now)
    if seen_in == "a call that may not ring":
        alice.core.trust.block("bob")
    calls.settle()
    assert placed.state is State.ENDED
    assert alice.told(Ended) == [Ended(placed.call_id, EndReason.REVOKED, remote=False)]
    # and what it was seen in is treated like any other
    assert len(alice.told(Ringing)) == (seen_in == "a call")
    assert len(alice.told(LetterReceived)) == (seen_in == "a letter")
    assert (CallReason.MAY_NOT_RING in [e.reason for e in alice.refused]) == (
        seen_in == "a call that may not ring"
    )


@pytest.mark.requirement("CALL-33")
def test_a_device_that_rings_stops_when_its_caller_was_revoked(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    placed = phone.core.place_call("alice", calls.now)
    calls.settle()
    ringing = alice.call
    revoke_all_but(calls, tablet)
    tablet.core.place_call("alice", calls.now)
    calls.settle()
    assert ringing.state is State.ENDED
    assert alice.last(Ended).call_id == placed.call_id
    assert alice.last(Ended).reason is EndReason.REVOKED
    assert alice.call.state is State.RINGING  # for the tablet


@pytest.mark.requirement("CALL-33", "IDENT-7")
def test_others_calls_go_on(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    """Bob's generation says nothing about Carol, nor about his tablet."""
    with_carol, _ = calls.go_live(alice, calls.device("carol"))
    revoke_all_but(calls, tablet)
    with_tablet, _ = calls.go_live(alice, tablet)
    assert with_carol.state is with_tablet.state is State.LIVE
    assert alice.told(Ended) == []


@pytest.mark.requirement("CALL-33")
def test_the_other_side_may_say_revoked_and_a_third_party_may_not(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice
) -> None:
    """A `hangup` with this reason is one like any other: of a member, in the group."""
    placed, answered = calls.go_live(alice, phone)
    answered.peer_revoked(calls.now)
    calls.settle()
    assert alice.last(Ended) == Ended(placed.call_id, EndReason.REVOKED, remote=True)
    refused = calls.give(alice, messages.Sent(placed.call_id, b""))
    assert refused is not None
    assert refused.reason is not Rule.GENERATION_CONSUMED


# ------------------------------------------------------------------------------------------------- renewed in time


@pytest.mark.requirement("IDENT-16", "DS-13")
def test_a_device_takes_its_renewed_certificate_and_makes_key_packages_for_it(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    """By the primary device, through the service; a call that is on goes on with the certificate with which it began."""
    placed, _ = calls.go_live(alice, phone)
    before = phone.core.certificate
    calls.advance(60_000)
    certificate = renewed(calls, phone, generation=0)
    tablet.core.renew(certificate)
    calls.settle()
    assert tablet.last(DeviceRenewed).signature_key == before.signature_key
    assert phone.last(CertificateRenewed).certificate == certificate
    assert phone.core.certificate == certificate
    assert placed.state is State.LIVE
    assert [member.certificate for member in placed.others()] == [before]

    waiting = phone.core._key_packages._bundles.values()
    listed = [leaf_certificate(bundle.key_package.leaf_node) for bundle in waiting]
    assert listed.count(certificate) == KEPT_OF_A_SUITE + 1  # one is the last resort
    placed.hang_up(calls.now)
    calls.settle()
    phone.core.place_call("alice", calls.now)
    calls.settle()
    assert alice.last(Ringing).caller.certificate == certificate


@pytest.mark.requirement("IDENT-16", "DS-9")
def test_a_device_that_was_away_finds_its_certificate_when_it_comes_back(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    calls.disconnect(phone)
    calls.advance(60_000)
    certificate = renewed(calls, phone, generation=0)
    tablet.core.renew(certificate)
    calls.settle()
    calls.reconnect(phone)
    calls.settle()
    assert phone.core.certificate == certificate
    calls.disconnect(phone)
    calls.reconnect(phone)  # with the new one
    calls.settle()
    assert len(phone.told(CertificateRenewed)) == 1
    assert phone.refused == []


@pytest.mark.requirement("IDENT-16")
def test_a_certificate_that_is_no_renewal_is_refused(
    calls: SimulatedCalls, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    before = phone.core.certificate
    for other in (before, tablet.core.certificate):
        encoded = other.certificate.encode()
        assert calls.give(phone, messages.Certificate(encoded)) is not None
    assert phone.core.certificate == before
    assert phone.told(CertificateRenewed) == []


@pytest.mark.requirement("IDENT-16", "IDENT-7")
def test_after_a_revocation_the_devices_that_stay_are_renewed_and_called(
    calls: SimulatedCalls, alice: SimulatedDevice, phone: SimulatedDevice, tablet: SimulatedDevice
) -> None:
    """The primary device renews itself first; the other loses its session, and finds its certificate when it comes back."""
    revoke_all_but(calls, tablet)
    tablet.core.renew(renewed(calls, phone, generation=1))
    calls.settle()
    calls.disconnect(phone)
    calls.reconnect(phone)
    calls.settle()
    assert phone.core.certificate.generation == 1
    placed = alice.core.place_call("bob", calls.now)
    calls.settle()
    assert sorted(member.device_id for member in placed.others()) == [1, 2]
