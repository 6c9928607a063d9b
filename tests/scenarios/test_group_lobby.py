"""A meeting with a lobby: who is not listed knocks, and a host opens the door, or does not."""

from __future__ import annotations

import pytest

from e2ee.call.errors import CallReason, CallUsageError
from e2ee.call.events import Ended, EndReason, SendingStopped
from e2ee.call.group.errors import GroupReason
from e2ee.call.group.events import (
    Joined,
    JoinRequestSent,
    Knocked,
    KnockWithdrawn,
    MembersChanged,
    ProfileChanged,
)
from e2ee.call.group.link import GroupLink
from e2ee.call.group.states import State
from e2ee.call.mls_messages import body
from e2ee.identity.trust import ContactState
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.errors import NoSendKey
from e2ee.mls.group import Group
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.proposal import Add
from e2ee.profile.call_profile import JoinPolicy, group_extensions
from e2ee.profile.leaves import committer_policy
from e2ee.signalling import messages
from e2ee.testing.simulated_calls import SimulatedCalls, SimulatedDevice
from tests.scenarios.meeting import Meeting, Voice


@pytest.fixture
def alice(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("alice")


@pytest.fixture
def bob(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("bob")


@pytest.fixture
def carol(calls: SimulatedCalls) -> SimulatedDevice:
    return calls.device("carol")


@pytest.fixture
def meeting(calls: SimulatedCalls, alice: SimulatedDevice, bob: SimulatedDevice) -> Meeting:
    """Alice's, with Bob, who is listed; Carol is not."""
    return Meeting.of(calls, alice, bob, join_policy=JoinPolicy.ADMITTED)


@pytest.mark.requirement("GROUP-10", "DS-17", "KEYS-20")
def test_a_host_lets_somebody_in(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    carol: SimulatedDevice,
) -> None:
    waiting = meeting.ask(carol)
    calls.settle()
    assert waiting.state is State.IN_LOBBY
    assert carol.last(JoinRequestSent).lobby
    knock = alice.last(Knocked).knock
    assert (knock.account_id, knock.contact) == ("carol", ContactState.UNVERIFIED)
    assert meeting.at(alice).lobby == (knock,)
    assert bob.told(Knocked) == []

    epoch = meeting.at(alice).epoch
    meeting.at(alice).admit("carol", calls.now)
    meeting.pause()
    meeting.agree(alice, bob, carol)
    # GROUP-10: "MUST list the account and add the device in one commit"
    assert meeting.at(alice).epoch == epoch + 1
    assert bob.last(ProfileChanged).after.accounts[-1] == carol.account.public
    assert [member.account_id for member in bob.last(MembersChanged).added] == ["carol"]
    assert meeting.at(alice).lobby == ()


@pytest.mark.requirement("GROUP-10", "DS-17")
def test_a_host_turns_somebody_away(
    calls: SimulatedCalls, meeting: Meeting, alice: SimulatedDevice, carol: SimulatedDevice
) -> None:
    meeting.ask(carol)
    calls.settle()
    meeting.at(alice).turn_away("carol", calls.now)
    calls.settle()
    assert carol.last(Ended).reason is EndReason.TURNED_AWAY
    assert meeting.at(alice).lobby == ()
    assert alice.last(KnockWithdrawn).knock.account_id == "carol"
    assert alice.refused == carol.refused == []


@pytest.mark.requirement("GROUP-10")
def test_all_devices_of_an_account_come_in_together(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    carol: SimulatedDevice,
) -> None:
    tablet = calls.device("carol", device_id=2)
    for device in (carol, tablet):
        meeting.ask(device)
    calls.settle()
    assert len(meeting.at(alice).lobby) == 2
    meeting.at(alice).admit("carol", calls.now)
    meeting.pause()
    meeting.agree(alice, bob, carol, tablet)


@pytest.mark.requirement("GROUP-7", "GROUP-9")
def test_who_waits_long_asks_again_and_is_still_there(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    carol: SimulatedDevice,
) -> None:
    meeting.ask(carol)
    calls.settle()
    asked_at = calls.now
    calls.advance(44_999)
    assert meeting.at(alice).lobby[0].asked_at == asked_at
    calls.advance(300_000)
    assert len(alice.told(Knocked)) == 1  # it is one knock
    assert meeting.at(alice).lobby[0].asked_at > calls.now - 45_000
    meeting.at(alice).admit("carol", calls.now)
    meeting.pause()
    meeting.agree(alice, bob, carol)


def test_who_goes_away_is_not_in_the_lobby_for_long(
    calls: SimulatedCalls, meeting: Meeting, alice: SimulatedDevice, carol: SimulatedDevice
) -> None:
    meeting.ask(carol).leave(calls.now)
    calls.settle()
    meeting.ask(carol)
    calls.settle()
    carol.core.group_calls[meeting.call_id].leave(calls.now)
    calls.settle()
    assert len(meeting.at(alice).lobby) == 1
    calls.advance(60_000)
    assert meeting.at(alice).lobby == ()
    assert len(alice.told(KnockWithdrawn)) == 1
    with pytest.raises(CallUsageError) as refused:
        meeting.at(alice).admit("carol", calls.now)
    assert refused.value.reason is GroupReason.NOBODY_KNOCKED


@pytest.mark.requirement("GROUP-10", "GROUP-13")
def test_who_is_no_host_has_no_lobby(
    calls: SimulatedCalls, meeting: Meeting, bob: SimulatedDevice, carol: SimulatedDevice
) -> None:
    meeting.ask(carol)
    calls.send()
    (request,) = carol.sending(messages.Join)
    knock = messages.JoinRequested(meeting.call_id, request.key_package, 0, lobby=True)
    refused = calls.give(bob, knock)
    assert refused is not None
    assert refused.reason is GroupReason.NOT_A_HOST
    for verb in (meeting.at(bob).admit, meeting.at(bob).turn_away):
        with pytest.raises(CallUsageError) as not_a_host:
            verb("carol", calls.now)
        assert not_a_host.value.reason is GroupReason.NOT_A_HOST


@pytest.mark.requirement("IDENT-10")
def test_a_changed_identity_is_not_let_in_before_a_person_accepts_it(
    calls: SimulatedCalls, meeting: Meeting, alice: SimulatedDevice, carol: SimulatedDevice
) -> None:
    alice.core.trust.mark_verified("carol", bytes(32))
    meeting.ask(carol)
    calls.settle()
    knock = alice.last(Knocked).knock
    assert knock.contact is ContactState.CHANGED
    with pytest.raises(CallUsageError) as refused:
        meeting.at(alice).admit("carol", calls.now)
    assert refused.value.reason is CallReason.IDENTITY_CHANGED
    alice.core.trust.accept_change(knock.certificate, calls.now)
    meeting.at(alice).admit("carol", calls.now)
    meeting.pause()
    assert meeting.at(carol).state is State.IN_CALL


def test_a_lobby_that_is_opened_lets_in_who_comes_by_the_new_link(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    carol: SimulatedDevice,
) -> None:
    """Who knocked before has no link, and is refused from then on."""
    meeting.ask(carol)
    calls.settle()
    meeting.at(alice).set_join_policy(JoinPolicy.LINK, calls.now)
    meeting.pause()
    assert meeting.at(alice).lobby == ()
    link = meeting.at(alice).link
    assert link is not None
    assert meeting.at(bob).link == link
    calls.advance(45_000)
    assert carol.last(Ended).reason is EndReason.REFUSED
    meeting.link = link
    meeting.join(carol)
    meeting.agree(alice, bob, carol)


def test_when_the_lobby_closes_nobody_waits(
    calls: SimulatedCalls, meeting: Meeting, alice: SimulatedDevice, carol: SimulatedDevice
) -> None:
    meeting.ask(carol)
    calls.settle()
    meeting.at(alice).set_join_policy(JoinPolicy.CLOSED, calls.now)
    meeting.pause()
    assert meeting.at(alice).lobby == ()
    calls.advance(45_000)
    assert carol.last(Ended).reason is EndReason.REFUSED
    assert carol.told(Joined) == []


@pytest.mark.requirement("GROUP-8")
def test_of_two_hosts_either_may_open_the_door(
    calls: SimulatedCalls,
    meeting: Meeting,
    alice: SimulatedDevice,
    bob: SimulatedDevice,
    carol: SimulatedDevice,
) -> None:
    meeting.at(alice).make_host(meeting.leaf(bob), calls.now)
    meeting.pause()
    meeting.ask(carol)
    calls.settle()
    assert [len(meeting.at(host).lobby) for host in (alice, bob)] == [1, 1]
    meeting.at(bob).admit("carol", calls.now)
    meeting.pause()
    meeting.agree(alice, bob, carol)
    assert meeting.at(alice).lobby == ()


@pytest.mark.requirement("GROUP-11")
def test_in_a_group_in_which_no_host_says_anything_nothing_is_sent(calls: SimulatedCalls) -> None:
    """The service and a stranger make a group of what the service has seen: Bob's KeyPackage, who is a host, and Carol's."""
    alice, bob, carol, mallory = (calls.device(n) for n in ("alice", "bob", "carol", "mallory"))
    accounts = (bob.account.public, carol.account.public)
    meeting = Meeting.open(calls, alice, join_policy=JoinPolicy.ADMITTED, accounts=accounts)
    meeting.ask(bob)
    calls.submit_all(bob)
    bobs = alice.waiting(messages.JoinRequested)[0].key_package
    calls.settle()
    meeting.pause()
    meeting.at(alice).make_host(meeting.leaf(bob), calls.now)
    meeting.pause()
    carols_call = carol.core.join_group_call(
        GroupLink(meeting.call_id, None, bob.account.public), calls.now
    )
    calls.send()
    asked = carol.take(messages.Join)

    entropy, policy = mallory.owner.entropy, committer_policy(calls.now)
    false = Group.create(
        mallory.owner.new_join_key_package(0x0001, meeting.link, calls.now),
        group_id=meeting.call_id,
        extensions=group_extensions(meeting.at(alice).profile),
        policy=policy,
        entropy=entropy,
    )
    adds = [Add(body(KeyPackage, each)) for each in (bobs, asked.key_package)]
    made = false.commit(proposals=adds, policy=policy, entropy=entropy, ratchet_tree_extension=True)
    assert made.welcome is not None
    assert calls.give(carol, messages.Added(meeting.call_id, made.welcome.encode())) is None
    assert [member.account_id for member in carols_call.members] == ["mallory", "bob", "carol"]
    microphone = carols_call.open_stream(Codec.OPUS, Kind.MICROPHONE)
    carols_call.handle_timer(calls.now + 2_000)
    with pytest.raises(NoSendKey):
        microphone.protect(b"hello, Bob")


@pytest.mark.requirement("GROUP-11")
def test_as_soon_as_a_host_was_heard_one_may_speak(calls: SimulatedCalls) -> None:
    alice, bob = calls.device("alice"), calls.device("bob")
    meeting = Meeting.of(calls, alice, bob, join_policy=JoinPolicy.CLOSED)
    assert bob.told(SendingStopped) == []
    assert Voice(meeting, bob).reaches(alice)
