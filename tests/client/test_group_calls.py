"""Group calls with real media over real sockets: by link, by invitation, through a lobby; who may speak, and who is out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from e2ee.call.alive import Lag
from e2ee.call.chat.events import TextReceived
from e2ee.call.events import Ended, EndReason, LagChanged, RemovalComplete
from e2ee.call.group.events import (
    GroupCallOpened,
    HandRaised,
    InvitedToStage,
    Joined,
    JoinRequestSent,
    JoinsAnew,
    Knocked,
    MemberLeft,
    MembersChanged,
    MuteRequested,
    ProfileChanged,
    StageReplied,
    StreamsChanged,
)
from e2ee.client.client import Client, GroupInvitation, ServiceRegained
from e2ee.client.errors import ClientReason, ClientUsageError
from e2ee.client.group_call import GroupCall
from e2ee.client.group_events import InvitationChanged, NoMedia, SpeakingChanged, StreamEnded
from e2ee.client.group_media import StreamName
from e2ee.client.media import Media
from e2ee.client.media_path import Connected, Interrupted
from e2ee.errors import E2EEError
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.sources import TestPicture, Tone
from e2ee.signalling import messages
from tests.client.conftest import Platform
from tests.client.test_reconnect import drop
from tests.client.watching import Arrivals, ending, hear, member, see, until

Tell = Callable[..., None]


def sent() -> Media:
    return Media(TestPicture(), Tone(440))


async def opened(host: Client, media: Media, **options: object) -> tuple[GroupCall, str]:
    """A group call that the service has taken, and its link."""
    call = host.meet(media, **options)  # type: ignore[arg-type]
    await until(call, GroupCallOpened)
    assert call.link is not None
    return call, call.link


async def joined(client: Client, link: str, media: Media) -> GroupCall:
    call = client.join(link, media)
    await until(call, Joined)
    return call


@contextlib.asynccontextmanager
async def online(platform: Platform, *names: str) -> AsyncIterator[list[Client]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(platform.client(name)) for name in names]


async def all_leave(*calls: GroupCall) -> None:
    for call in calls:
        call.leave()
    await asyncio.gather(*(call.ended() for call in calls))


@pytest.mark.requirement("GROUP-7", "GROUP-18", "SFU-1")
def test_three_by_a_link_see_and_hear_each_other(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice", "bob", "carol") as (alice, bob, carol):
            call, link = await opened(alice, sent())
            assert link.startswith(f"http://127.0.0.1:{platform.port}/meet/")
            bobs, carols = await asyncio.gather(
                joined(bob, link, sent()), joined(carol, link, sent())
            )
            await asyncio.gather(
                see(call, "bob", "carol"), see(bobs, "alice", "carol"), see(carols, "alice", "bob")
            )
            await asyncio.gather(hear(call, "bob"), hear(bobs, "carol"), hear(carols, "alice"))
            assert len({each.call_code for each in (call, bobs, carols)}) == 1
            assert [each.account_id for each in call.members] == ["alice", "bob", "carol"]
            assert (await until(call, SpeakingChanged)).members
            for each in (call, bobs, carols):
                assert not any(one.rejected for one in each.statistics.received.values())
            await all_leave(call, bobs, carols)

    tell(story, forwards=True)


@pytest.mark.requirement("SFU-4")
def test_who_comes_late_sees_who_is_there_and_is_seen(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice", "bob", "carol") as (alice, bob, carol):
            call, link = await opened(alice, sent())
            bobs = await joined(bob, link, sent())
            await asyncio.gather(see(call, "bob"), see(bobs, "alice"))
            carols = await joined(carol, link, sent())
            await asyncio.gather(
                see(carols, "alice", "bob"), see(call, "carol", "bob"), see(bobs, "carol", "alice")
            )
            await all_leave(call, bobs, carols)

    tell(story, forwards=True)


@pytest.mark.requirement("GROUP-10")
def test_in_the_lobby_one_waits_for_a_host(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice", "bob", "carol") as (alice, bob, carol):
            call, link = await opened(alice, sent(), lobby=True)
            assert "#host." in link
            bobs = bob.join(link, sent())
            assert (await until(bobs, JoinRequestSent)).lobby
            knock = (await until(call, Knocked)).knock
            assert (knock.account_id, knock.contact) == ("bob", "unverified")
            assert [each.account_id for each in call.lobby] == ["bob"]
            call.admit("bob")
            await until(bobs, Joined)
            await asyncio.gather(see(call, "bob"), see(bobs, "alice"))

            carols = carol.join(link, Media())
            await until(call, Knocked)
            call.turn_away("carol")
            assert (await ending(carols)).reason is EndReason.TURNED_AWAY
            await carols.ended()
            await all_leave(call, bobs)

    tell(story, forwards=True)


@pytest.mark.requirement("GROUP-17", "SFU-7", "CALL-25")
def test_who_is_removed_is_out_and_the_others_go_on(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice", "bob", "carol") as (alice, bob, carol):
            call, link = await opened(alice, sent())
            bobs = await joined(bob, link, sent())
            carols = await joined(carol, link, sent())
            await asyncio.gather(see(call, "bob", "carol"), see(bobs, "carol"), see(carols, "bob"))
            removed = member(call, "bob")
            call.remove(removed)
            ended = await ending(bobs)
            assert (ended.reason, ended.remote) == (EndReason.REMOVED, True)
            await bobs.ended()
            for each in (call, carols):
                complete = await until(each, RemovalComplete)
                assert complete.until == each.removed_can_open_until
                assert complete.leaves == {removed.leaf_index}
            assert [each.account_id for each in carols.members] == ["alice", "carol"]
            await asyncio.gather(see(call, "carol"), see(carols, "alice"))
            assert call.track(removed, Kind.CAMERA) is None
            with pytest.raises(ClientUsageError) as refused:
                call.remove(removed)
            assert refused.value.reason is ClientReason.NO_SUCH_MEMBER
            await all_leave(call, carols)

    tell(story, forwards=True)


@pytest.mark.requirement("SFU-8", "FKEY-4")
def test_connections_that_are_lost_are_replaced(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice", "bob") as (alice, bob):
            call, link = await opened(alice, sent())
            bobs = await joined(bob, link, sent())
            await asyncio.gather(see(call, "bob"), see(bobs, "alice"))
            shown = bobs.track(member(bobs, "alice"), Kind.CAMERA)
            assert platform.unit is not None
            await platform.unit.close_member(bobs.call_id, bobs.own.certificate.signature_key)
            await until(bobs, Interrupted)
            await until(bobs, Connected)
            await asyncio.gather(see(call, "bob"), see(bobs, "alice"))
            assert bobs.track(member(bobs, "alice"), Kind.CAMERA) is shown
            for each in (call, bobs):
                assert not any(one.rejected for one in each.statistics.received.values())
            await all_leave(call, bobs)

    tell(story, forwards=True)


@pytest.mark.requirement("GROUP-22")
def test_a_group_call_outlives_its_connection_to_the_service(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice", "bob") as (alice, bob):
            call, link = await opened(alice, sent())
            bobs = await joined(bob, link, sent())
            await asyncio.gather(see(call, "bob"), see(bobs, "alice"))
            epoch = bobs.epoch
            await drop(bob)
            call.say("are you there?")
            await until(bob, ServiceRegained)
            assert (await until(bobs, TextReceived)).text == "are you there?"
            await asyncio.gather(see(call, "bob"), see(bobs, "alice"))
            assert bobs.epoch == epoch
            await all_leave(call, bobs)

    tell(story, forwards=True)


@pytest.mark.requirement("GROUP-20", "GROUP-21")
def test_who_has_to_come_in_anew_is_seen_and_heard_as_another_leaf(tell: Tell) -> None:
    """The service says that the commit that let Bob in is void, and tells nobody else."""

    async def story(platform: Platform) -> None:
        async with online(platform, "alice", "bob") as (alice, bob):
            call, link = await opened(alice, sent())
            bobs = await joined(bob, link, sent())
            await asyncio.gather(see(call, "bob"), see(bobs, "alice"))
            bob._device.receive(messages.Voided(bobs.call_id, bobs.epoch - 1), bob.clock())
            bob.changed()
            await until(bobs, JoinsAnew)
            assert (await until(bobs, Joined)).anew
            await until(call, MembersChanged, added=(bobs.own,), removed=(bobs.own,))
            await asyncio.gather(see(call, "bob"), see(bobs, "alice"))
            bobs.mute()
            bobs.unmute()
            await hear(call, "bob")
            await all_leave(call, bobs)

    tell(story, forwards=True)


@pytest.mark.requirement("GROUP-4", "GROUP-6")
def test_who_is_invited_is_rung_and_joins(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice", "bob", "carol") as (alice, bob, carol):
            call, _ = await opened(alice, sent(), invite=["bob", "carol"])
            invitation, other = await asyncio.gather(bob.any_invitation(), carol.any_invitation())
            assert isinstance(invitation, GroupInvitation)
            assert invitation.people == ("alice",)
            assert invitation.group_call_id == call.call_id
            assert invitation.hosts == (call.own.account_key,)
            bobs = await invitation.answer(sent())
            await until(bobs, Joined)
            assert await told_of(call, "bob") is EndReason.DONE
            other.decline("in a meeting")
            assert await told_of(call, "carol") is EndReason.DECLINED
            await asyncio.gather(see(call, "bob"), see(bobs, "alice"))
            await all_leave(call, bobs)

    tell(story, forwards=True)


async def told_of(call: GroupCall, account_id: str) -> EndReason:
    """What became of an invitation."""
    while True:
        event = (await until(call, InvitationChanged, account_id=account_id)).event
        if isinstance(event, Ended):
            return event.reason


@pytest.mark.requirement("GROUP-5", "GROUP-10")
def test_who_is_invited_by_a_host_waits_in_no_lobby(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice", "bob") as (alice, bob):
            call, _ = await opened(alice, sent(), lobby=True, invite=["bob"])
            invitation = await bob.any_invitation()
            assert isinstance(invitation, GroupInvitation)
            bobs = await invitation.answer(Media())
            await until(bobs, Joined)
            await see(bobs, "alice")
            await all_leave(call, bobs)

    tell(story, forwards=True)


@pytest.mark.requirement("GROUP-13", "FRAME-7")
def test_a_viewer_raises_a_hand_speaks_and_watches_again(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice", "bob") as (alice, bob):
            call, link = await opened(alice, sent(), speakers_only=True)
            bobs = await joined(bob, link, sent())
            await see(bobs, "alice")
            assert not bobs.may_speak
            assert [each.account_id for each in call.speakers] == ["alice"]
            assert not bobs.statistics.sent
            bobs.raise_hand()
            raised = await until(call, HandRaised)
            assert raised.raised
            assert call.hands == (raised.member,)
            call.invite_to_stage(raised.member)
            await until(bobs, InvitedToStage)
            bobs.reply_to_stage(accepted=True)
            assert (await until(call, StageReplied)).accepted
            call.take_on_stage(raised.member)
            await until(bobs, ProfileChanged)
            assert bobs.may_speak
            await see(call, "bob")
            await hear(call, "bob")
            call.take_off_stage(raised.member)
            await until(call, StreamEnded)
            assert not bobs.may_speak
            await see(bobs, "alice")
            await all_leave(call, bobs)

    tell(story, forwards=True)


@pytest.mark.requirement("KEYS-20", "GROUP-16")
def test_a_host_hands_over_and_leaves(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice", "bob", "carol") as (alice, bob, carol):
            call, link = await opened(alice, sent())
            bobs = await joined(bob, link, sent())
            carols = await joined(carol, link, Media())
            with pytest.raises(E2EEError):
                bobs.remove(member(bobs, "carol"))
            call.make_host(member(call, "bob"))
            await until(bobs, ProfileChanged)
            assert bobs.is_host
            call.leave()
            assert (await ending(call)).reason is EndReason.LEFT
            assert (await until(bobs, MemberLeft)).member.account_id == "alice"
            while [each.account_id for each in bobs.members] != ["bob", "carol"]:
                await until(bobs, MembersChanged)
            bobs.remove(member(bobs, "carol"))
            assert (await ending(carols)).reason is EndReason.REMOVED
            bobs.leave()
            await asyncio.gather(call.ended(), bobs.ended(), carols.ended())

    tell(story, forwards=True)


@pytest.mark.requirement("GROUP-18", "CODEC-8")
def test_who_is_muted_is_seen_to_be_and_is_heard_again(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice", "bob") as (alice, bob):
            call, link = await opened(alice, sent())
            bobs = await joined(bob, link, sent())
            await asyncio.gather(hear(call, "bob"), see(bobs, "alice"))
            call.request_mute(member(call, "bob"))
            assert (await until(bobs, MuteRequested)).kind is Kind.MICROPHONE
            bobs.mute()
            assert bobs.is_muted
            assert Kind.MICROPHONE not in await kinds_of(call, "bob")
            muted_at = bobs.statistics.sent[Kind.MICROPHONE].frames
            await see(call, "bob", count=10)
            assert bobs.statistics.sent[Kind.MICROPHONE].frames == muted_at
            bobs.unmute()
            assert Kind.MICROPHONE in await kinds_of(call, "bob")
            await hear(call, "bob")
            bobs.hold()
            assert not await kinds_of(call, "bob")
            bobs.resume()
            await asyncio.gather(see(call, "bob"), see(bobs, "alice"))
            await all_leave(call, bobs)

    tell(story, forwards=True)


async def kinds_of(call: GroupCall, account_id: str) -> set[Kind]:
    """What a member says next that it sends."""
    event = await until(call, StreamsChanged, member=member(call, account_id))
    return {stream.kind for stream in event.streams}


@pytest.mark.requirement("CALL-24")
def test_what_comes_too_late_is_not_shown(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice", "bob") as (alice, bob):
            arrivals = Arrivals()
            call, link = await opened(alice, Media(observers=[arrivals]))
            bobs = await joined(bob, link, Media(TestPicture()))
            await see(call, "bob")
            late = member(call, "bob")
            name = StreamName(late.leaf_index, Kind.CAMERA)
            call.happened(LagChanged(call.call_id, late, Lag(late.leaf_index, 11_000)))
            withheld = call.statistics.received[name].withheld
            await arrivals.more(10)
            assert call.statistics.received[name].withheld >= withheld + 5
            call.happened(LagChanged(call.call_id, late, Lag(late.leaf_index, 0)))
            await see(call, "bob")
            await all_leave(call, bobs)

    tell(story, forwards=True)


def test_without_a_forwarding_unit_people_can_still_write(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice", "bob") as (alice, bob):
            call, link = await opened(alice, sent())
            bobs = await joined(bob, link, Media())
            assert "NO_FORWARDING" in (await until(call, NoMedia)).detail
            call.say("can you read this?")
            assert (await until(bobs, TextReceived)).text == "can you read this?"
            await all_leave(call, bobs)

    tell(story)


def test_a_client_that_goes_leaves_its_group_calls(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice") as (alice,):
            call, link = await opened(alice, sent())
            async with online(platform, "bob") as (bob,):
                bobs = await joined(bob, link, sent())
                await see(call, "bob")
            assert bobs.is_over
            assert (await until(call, MemberLeft)).member.account_id == "bob"
            await all_leave(call)

    tell(story, forwards=True)


def test_a_link_of_another_service_is_refused(tell: Tell) -> None:
    async def story(platform: Platform) -> None:
        async with online(platform, "alice") as (alice,):
            with pytest.raises(ClientUsageError) as refused:
                alice.join("https://evil.example/meet/AAAAAAAAAAAAAAAAAAAAAA#AA", Media())
            assert refused.value.reason is ClientReason.OTHER_SERVICE

    tell(story, forwards=True)
