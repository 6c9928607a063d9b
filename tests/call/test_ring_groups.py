"""Ring groups: how somebody is invited to a group call, what is shown, and what such a group never does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from e2ee.call.call import Call
from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import (
    DescriptionWanted,
    Ended,
    EndReason,
    GroupCallOffered,
    Live,
    Missed,
    RemovalComplete,
    Replaced,
    Ringing,
)
from e2ee.call.medium import Medium
from e2ee.call.offered_group import OfferedGroup
from e2ee.call.sent_media import SentMedia
from e2ee.call.states import State
from e2ee.crypto.secret import Secret
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.mls.key_package import KeyPackage
from e2ee.profile.call_profile import JoinPolicy, group_profile, ring
from e2ee.profile.errors import ProfileReason
from e2ee.profile.roster import leaf_certificate
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage
from e2ee.signalling.wire import encode
from e2ee.testing.simulated_calls import START, SimulatedCalls, SimulatedDevice

GROUP_CALL_ID = b"one group call.."
HOST, OTHER_HOST, SECRET = bytes(31) + b"h", bytes(31) + b"o", bytes(31) + b"s"

OFFER = messages.GroupOffer(
    created_at=0,
    medium="",
    group_call_id=GROUP_CALL_ID,
    hosts=(HOST, OTHER_HOST),
    link_secret=SECRET,
    people=("alice", "carol"),
)
SHOWN = OfferedGroup(GROUP_CALL_ID, (HOST, OTHER_HOST), ("alice", "carol"))


@pytest.fixture
def invite_to_group(calls: SimulatedCalls) -> Callable[..., Call]:
    """A device invites an account to the group call, as its core does."""

    def place(device: SimulatedDevice, account_id: str, offer: messages.GroupOffer = OFFER) -> Call:
        call_id = device.owner.entropy.random(16)
        call = Call.place(
            device.owner, call_id, account_id, calls.now, Medium.VOICE, group_offer=offer
        )
        device.core._calls.enter(call)
        return call

    return place


# ------------------------------------------------------------------------------------------------------- as it should


@pytest.mark.requirement("GROUP-4", "GROUP-5", "GROUP-6", "KEYS-22")
def test_an_invitation_rings_is_answered_and_tells_which_call_to_join(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite_to_group: Callable[..., Call],
) -> None:
    placed = invite_to_group(alice, "bob")
    calls.settle()
    ringing = bob.last(Ringing)
    assert (ringing.group, ringing.medium) == (SHOWN, Medium.VOICE)
    assert bob.call.group_offer == replace(OFFER, created_at=START, medium="voice")
    bob.call.answer(calls.now)
    calls.settle()
    offered = bob.last(GroupCallOffered)
    assert (offered.call_id, offered.group) == (placed.call_id, SHOWN)
    assert (offered.link.call_id, offered.link.secret) == (GROUP_CALL_ID, Secret(SECRET))
    for device, remote in ((alice, False), (bob, True)):
        (ended,) = (each for each in device.told(Ended) if each.call_id == placed.call_id)
        assert (ended.reason, ended.remote) == (EndReason.DONE, remote)
        assert device.core.calls == {}
        assert device.refused == []
        for never in (Live, DescriptionWanted, RemovalComplete):
            assert device.told(never) == []


@pytest.mark.requirement("GROUP-6")
def test_nobody_is_told_where_to_join_before_accepted_was_opened(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite_to_group: Callable[..., Call],
) -> None:
    """The service shows Bob his own Answer, and Alice another device's, or none."""
    invite_to_group(alice, "bob")
    calls.settle()
    bob.call.answer(calls.now)
    calls.submit_all(bob)
    calls.deliver_all(bob)
    assert bob.call.state is State.ACCEPTING
    assert bob.told(GroupCallOffered) == []
    alice.inbox.clear()
    calls.advance(5_000)
    assert bob.last(Ended).reason is EndReason.ANSWER_FAILED
    assert bob.told(GroupCallOffered) == []


@pytest.mark.requirement("GROUP-5")
def test_without_a_secret_the_call_is_named_with_its_hosts(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite_to_group: Callable[..., Call],
) -> None:
    invite_to_group(alice, "bob", replace(OFFER, link_secret=None))
    calls.settle()
    bob.call.answer(calls.now)
    calls.settle()
    link = bob.last(GroupCallOffered).link
    assert (link.secret, link.host_key) == (None, HOST)


@pytest.mark.requirement("GROUP-4")
def test_who_was_handed_the_invitation_ends_the_ring_group_if_the_caller_does_not(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite_to_group: Callable[..., Call],
) -> None:
    invite_to_group(alice, "bob")
    calls.settle()
    bob.call.answer(calls.now)
    while bob.call.state is not State.HANDED_OVER:
        calls.submit_all(bob)
        calls.submit_all(alice)
        calls.deliver_all(alice)
        calls.deliver_all(bob)
    calls.disconnect(alice)
    calls.advance(9_999)
    assert bob.call.state is State.HANDED_OVER
    calls.advance(1)
    assert bob.last(Ended).reason is EndReason.DONE
    assert not bob.last(Ended).remote


def test_a_person_may_decline_and_a_caller_may_cancel(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite_to_group: Callable[..., Call],
) -> None:
    invite_to_group(alice, "bob")
    calls.settle()
    bob.call.decline(calls.now, "not now")
    calls.settle()
    assert (alice.last(Ended).reason, alice.last(Ended).text) == (EndReason.DECLINED, "not now")
    invite_to_group(alice, "bob").hang_up(calls.now)
    invited = invite_to_group(alice, "bob")
    calls.settle()
    invited.hang_up(calls.now)
    calls.settle()
    (missed,) = bob.told(Missed)
    assert (missed.reason, missed.group) == (EndReason.CANCELLED, SHOWN)


# ---------------------------------------------------------------------------------------------------------- what it is not


@pytest.mark.requirement("GROUP-4")
def test_it_protects_no_media_and_nothing_else_is_said_in_it(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite_to_group: Callable[..., Call],
) -> None:
    placed = invite_to_group(alice, "bob")
    calls.settle()
    bob.call.answer(calls.now)
    calls.submit_all(bob)
    calls.deliver_all(alice)
    assert placed.state is State.CONNECTING
    assert placed.epoch == 2
    assert placed._actions.in_group.frame_keys.get_timer() is None  # nothing was installed
    with pytest.raises(CallUsageError) as refused:
        placed.open_stream(Codec.OPUS, Kind.MICROPHONE)
    assert refused.value.reason is CallReason.NO_MEDIA_YET
    with pytest.raises(CallUsageError) as refused:
        _ = placed.opener
    assert refused.value.reason is CallReason.NO_MEDIA_YET
    for say in (
        lambda: placed.chat,
        lambda: placed.begin_code(calls.now),
        lambda: placed.send_media(SentMedia(), calls.now),
        lambda: placed.reconnect("", calls.now),
    ):
        with pytest.raises(CallUsageError) as refused:
            say()
        assert refused.value.reason is CallReason.NOT_IN_THIS_CALL


@pytest.mark.requirement("CALL-18")
def test_a_device_in_a_call_says_that_it_is_busy(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite_to_group: Callable[..., Call],
) -> None:
    calls.go_live(calls.device("carol"), bob)
    invite_to_group(alice, "bob")
    calls.settle()
    assert alice.last(Ended).reason is EndReason.BUSY
    missed = bob.last(Missed)
    assert (missed.reason, missed.group) == (EndReason.BUSY, SHOWN)


@pytest.mark.requirement("CALL-21")
def test_it_is_no_half_of_a_glare(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite_to_group: Callable[..., Call],
) -> None:
    """Bob calls Alice while she invites him to a meeting: nobody gives way, and nothing is answered by itself."""
    for first, second in ((alice, bob), (bob, alice)):
        for _ in range(4):  # whichever call_id is larger
            invited = invite_to_group(alice, "bob")
            placed = bob.core.place_call("alice", calls.now)
            for device in (first, second):
                calls.submit_all(device)
            calls.settle()
            assert [each.told(Replaced) for each in (alice, bob)] == [[], []]
            assert bob.told(GroupCallOffered) == []
            assert invited.state is State.ENDED  # each finds the other in a call
            assert placed.state is State.ENDED
            assert {alice.last(Ended).reason, bob.last(Ended).reason} == {EndReason.BUSY}


def test_who_is_invited_may_call_the_inviter_instead(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite_to_group: Callable[..., Call],
) -> None:
    invite_to_group(alice, "bob")
    calls.settle()
    assert bob.core.place_call("alice", calls.now).state is State.LOOKING_UP


@pytest.mark.requirement("GROUP-3")
def test_the_links_secret_is_in_no_event_and_no_error_that_is_printed(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite_to_group: Callable[..., Call],
) -> None:
    invite_to_group(alice, "bob")
    calls.settle()
    bob.call.answer(calls.now)
    calls.settle()
    for device in (alice, bob):
        assert repr(SECRET) not in repr(device.events)
        assert SECRET.hex() not in repr(device.events)


# ------------------------------------------------------------------------------------------------------ made by strangers


def invitation_reason(
    calls: SimulatedCalls, bob: SimulatedDevice, invited: messages.Invited
) -> Any:
    before = list(bob.events)
    error = calls.give(bob, invited)
    assert list(bob.outbox) == []  # CALL-5
    assert bob.events == before
    return None if error is None else error.reason


@pytest.mark.requirement("GROUP-5", "CALL-5")
@pytest.mark.parametrize(
    "flaw",
    [
        {"hosts": ()},
        {"hosts": (HOST, b"short")},
        {"link_secret": b"short"},
        {"link_secret": b""},
        {"people": ("x",) * 101},
        {"people": ("bob\x1b[2J",)},
        {"people": ("",)},
    ],
)
def test_an_offer_that_names_no_call_to_join_is_refused_without_an_answer(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite: Callable[..., Any],
    key_package_of: Callable[[SimulatedDevice], KeyPackage],
    invite_to_group: Callable[..., Call],
    flaw: dict[str, Any],
) -> None:
    offer = replace(OFFER, created_at=calls.now, medium="voice", **flaw)
    made = ring_invite(invite, alice, key_package_of(bob), offer)
    assert invitation_reason(calls, bob, made) is CallReason.BAD_GROUP_OFFER
    with pytest.raises(CallUsageError) as refused:
        invite_to_group(alice, "bob", offer)
    assert refused.value.reason is CallReason.BAD_GROUP_OFFER


def ring_invite(
    invite: Callable[..., Any], caller: SimulatedDevice, callee: KeyPackage, said: CallMessage
) -> messages.Invited:
    """An invitation by a ring group, with any first message."""
    accounts = caller.owner.certificate.account_key, key_of(callee)
    profile = ring(*accounts, caller.owner.delivery_key)
    made: messages.Invited = invite(
        caller.owner, [callee], profile=profile, said=[encode(said)]
    ).invited()
    return made


def key_of(key_package: KeyPackage) -> bytes:
    return leaf_certificate(key_package.leaf_node).account_key


@pytest.mark.requirement("CALL-3", "GROUP-4")
def test_each_kind_of_call_has_its_own_offer(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite: Callable[..., Any],
    key_package_of: Callable[[SimulatedDevice], KeyPackage],
) -> None:
    key_package = key_package_of(bob)
    of_group = replace(OFFER, created_at=calls.now, medium="voice")
    of_two = messages.Offer(calls.now, "voice")
    made = ring_invite(invite, alice, key_package, of_two)
    assert invitation_reason(calls, bob, made) is CallReason.NOT_AN_OFFER
    made = invite(alice.owner, [key_package], said=[encode(of_group)]).invited()
    assert invitation_reason(calls, bob, made) is CallReason.NOT_AN_OFFER
    made = ring_invite(invite, alice, key_package, of_group)
    assert calls.give(bob, made) is None
    assert bob.last(Ringing).group == SHOWN


@pytest.mark.requirement("CALL-3")
@pytest.mark.parametrize(
    ("created_at", "medium", "reason"),
    [
        (START - 90_001, "voice", CallReason.OFFER_TOO_OLD),
        (START + 90_001, "voice", CallReason.OFFER_FROM_THE_FUTURE),
        (START, "smell", CallReason.UNKNOWN_MEDIUM),
    ],
)
def test_what_holds_for_an_offer_holds_for_a_group_offer(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite: Callable[..., Any],
    key_package_of: Callable[[SimulatedDevice], KeyPackage],
    created_at: int,
    medium: str,
    reason: CallReason,
) -> None:
    offer = replace(OFFER, created_at=created_at, medium=medium)
    made = ring_invite(invite, alice, key_package_of(bob), offer)
    assert invitation_reason(calls, bob, made) is reason


@pytest.mark.requirement("CALL-4")
def test_nobody_is_rung_into_the_group_of_a_group_call(
    calls: SimulatedCalls,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    invite: Callable[..., Any],
    key_package_of: Callable[[SimulatedDevice], KeyPackage],
) -> None:
    owner = alice.owner
    profile = group_profile(
        owner.certificate.account_key, owner.delivery_key, join_policy=JoinPolicy.ADMITTED
    )
    made = invite(owner, [key_package_of(bob)], profile=profile).invited()
    assert invitation_reason(calls, bob, made) is ProfileReason.BAD_CALL_PROFILE
