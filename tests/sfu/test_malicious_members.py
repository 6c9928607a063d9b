"""What a member may say and send, and that whatever else it does harms nobody."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import pytest
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    pack_remb_fci,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from e2ee.media.encoded_frame import Kind
from e2ee.session_description import MAX_DESCRIPTION
from e2ee.sfu.aiortc_unit import AiortcForwardingUnit
from e2ee.sfu.bandwidth import SEVERE_CHECKS
from e2ee.sfu.description import publishing_offer
from e2ee.sfu.errors import SfuError, SfuReason
from e2ee.sfu.limits import KEY_FRAME_INTERVAL, MAX_PUBLISHED, RESENT_EACH_SECOND, Limits
from e2ee.sfu.rtp import HEADER
from e2ee.sfu.unit import Participant

if TYPE_CHECKING:
    from tests.sfu.conftest import Meeting, Member, NewMeeting

CALL = b"the meeting's id"
Until = Callable[[Callable[[], object]], Coroutine[Any, Any, None]]
MALLORY = Participant(b"mallory", 9)


@pytest.fixture(scope="module")
def offer(meeting: NewMeeting) -> str:
    """What a member offers to publish."""

    async def describe() -> str:
        async with meeting() as call:
            return await call.member(0).publishing.offer()

    return asyncio.run(describe())


async def refused(step: Coroutine[Any, Any, object]) -> SfuReason:
    with pytest.raises(SfuError) as error:
        await step
    assert isinstance(error.value.reason, SfuReason)
    assert error.value.__cause__ is None
    return error.value.reason


def publishing_refused(call: Meeting, description: str) -> Coroutine[Any, Any, SfuReason]:
    return refused(call.unit.publish(CALL, MALLORY, description))


MALFORMED, UNEXPECTED = SfuReason.MALFORMED_DESCRIPTION, SfuReason.UNEXPECTED_MEDIA


WRONG_OFFERS: dict[str, tuple[Callable[[str], str], SfuReason]] = {
    "nothing": (lambda _: "", UNEXPECTED),
    "no SDP": (lambda _: "v=0\r\nm=nothing\r\n", MALFORMED),
    "too long": (lambda text: text + " " * MAX_DESCRIPTION, MALFORMED),
    "receives": (lambda text: text.replace("a=sendonly", "a=sendrecv"), UNEXPECTED),
    "sends nothing": (lambda text: text.replace("a=sendonly", "a=recvonly"), UNEXPECTED),
    "no direction": (lambda text: text.replace("a=sendonly\r\n", ""), UNEXPECTED),
    "VP9": (lambda text: text.replace("VP8", "VP9"), UNEXPECTED),
    "H264 in packets of mode 0": (lambda text: text.replace("VP8", "H264"), UNEXPECTED),
    "RED": (lambda text: text.replace("opus/48000/2", "red/48000/2"), UNEXPECTED),
    "data": (lambda text: text.replace("m=audio", "m=application"), UNEXPECTED),
    "another bundle": (lambda text: text.replace("BUNDLE 0 1 2", "BUNDLE 1 0 2"), UNEXPECTED),
    "no bundle": (lambda text: text.replace("a=group:BUNDLE 0 1 2\r\n", ""), UNEXPECTED),
    "a mid twice": (lambda text: text.replace("a=mid:1", "a=mid:0"), UNEXPECTED),
    "no mid": (lambda text: text.replace("a=mid:1\r\n", ""), UNEXPECTED),
    "a long mid": (lambda text: text.replace("a=mid:1", "a=mid:" + "1" * 17), UNEXPECTED),
    "no SSRC": (lambda text: re.sub("a=ssrc:.*\r\n", "", text), UNEXPECTED),
    "an SSRC twice": (lambda text: re.sub(r"a=ssrc:\d+", "a=ssrc:5", text), UNEXPECTED),
    "an SSRC of 33 bits": (
        lambda text: re.sub(r"a=ssrc:\d+", f"a=ssrc:{1 << 32}", text, count=1),
        UNEXPECTED,
    ),
    "a static payload type": (lambda text: re.sub(r"\b97\b", "35", text), UNEXPECTED),
    "no fingerprint": (
        lambda text: re.sub("a=fingerprint:.*\r\n", "", text),
        SfuReason.NO_FINGERPRINT,
    ),
    "no role": (
        lambda text: text.replace("a=setup:actpass\r\n", ""),
        SfuReason.NO_FINGERPRINT,
    ),
    "no ICE": (lambda text: re.sub("a=ice-ufrag:.*\r\n", "", text), MALFORMED),
    "RTCP elsewhere": (lambda text: text.replace("a=rtcp-mux\r\n", ""), MALFORMED),
}


@pytest.mark.requirement("SFU-9", "SFU-11")
@pytest.mark.parametrize("wrong", WRONG_OFFERS)
def test_another_description_than_a_publishers_is_refused(
    meeting: NewMeeting, offer: str, wrong: str
) -> None:
    change, reason = WRONG_OFFERS[wrong]
    assert change(offer) != offer

    async def story() -> None:
        async with meeting() as call:
            assert await publishing_refused(call, change(offer)) is reason
            assert call.unit.statistics().calls == {}, "nothing is left of who was refused"

    asyncio.run(story())


@pytest.mark.requirement("SFU-9")
def test_more_streams_than_a_member_may_send_are_refused(meeting: NewMeeting, offer: str) -> None:
    session, *sections = re.split("(?=^m=)", offer, flags=re.MULTILINE)
    mids = [str(mid) for mid in range(MAX_PUBLISHED + 1)]

    def of(count: int) -> str:
        texts = [
            re.sub(r"a=mid:\d+", f"a=mid:{mid}", sections[1]).replace("FID ", "X ")
            for mid in mids[:count]
        ]
        numbered = [
            re.sub(r"a=ssrc:\d+ .*\r\n(a=ssrc.*\r\n)?", f"a=ssrc:{place + 1} cname:x\r\n", text)
            for place, text in enumerate(texts)
        ]
        grouped = session.replace("BUNDLE 0 1 2", "BUNDLE " + " ".join(mids[:count]))
        return grouped + "".join(numbered)

    assert len(publishing_offer(of(MAX_PUBLISHED))[1]) == MAX_PUBLISHED

    async def story() -> None:
        async with meeting() as call:
            assert await publishing_refused(call, of(MAX_PUBLISHED + 1)) is UNEXPECTED

    asyncio.run(story())


@pytest.mark.requirement("SFU-11")
def test_no_address_of_a_description_is_sent_to(offer: str) -> None:
    """Who names somebody else's address makes the unit send nothing there."""
    assert "a=candidate:" in offer
    checked, _ = publishing_offer(offer)
    assert "candidate" not in checked.sdp


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_a_description_is_the_unit_answers_or_says_why_not(
    meeting: NewMeeting, offer: str, data: st.DataObject
) -> None:
    lines = offer.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        step = data.draw(st.sampled_from(["drop", "double", "swap", "spoil", "cut"]))
        if step == "drop":
            del lines[place]
        elif step == "double":
            lines.insert(data.draw(st.integers(0, len(lines))), lines[place])
        elif step == "swap":
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[place], lines[other] = lines[other], lines[place]
        elif step == "spoil":
            lines[place] = re.sub(r"\d+", str(data.draw(st.integers(-1, 1 << 33))), lines[place])
        else:
            lines[place] = lines[place][: data.draw(st.integers(0, len(lines[place])))]
        if not lines:
            break

    async def story() -> None:
        async with meeting() as call:
            with contextlib.suppress(SfuError):
                await call.unit.publish(CALL, MALLORY, "\r\n".join(lines) + "\r\n")

    asyncio.run(story())


@pytest.mark.requirement("SFU-3")
def test_a_connection_that_is_refused_leaves_the_one_before_as_it_was(
    meeting: NewMeeting, until: Until
) -> None:
    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1)
            two = await call.join(1, 2, camera=False)
            await until(lambda: two.seen(0) > 5)
            assert await refused(call.unit.publish(CALL, one.participant, "no offer")) is not None
            seen = two.seen(0)
            await until(lambda: two.seen(0) > seen + 10)

    asyncio.run(story())


@pytest.mark.requirement("SFU-4", "SFU-9")
def test_only_an_answer_to_the_newest_offer_is_taken_and_none_that_sends(
    meeting: NewMeeting, until: Until
) -> None:
    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1)
            await until(lambda: one.at_the_unit.sources)
            stale = SfuReason.STALE_ANSWER
            answer, want = call.unit.answer, call.unit.want
            assert await refused(answer(CALL, b"who?", 1, "")) is SfuReason.NOT_SUBSCRIBED
            assert await refused(want(CALL, b"who?", [])) is SfuReason.NOT_SUBSCRIBED
            assert await refused(want(b"no call", one.id, [])) is SfuReason.NOT_SUBSCRIBED
            call.answers_offers = False
            two = await call.join(1, 2, camera=False)
            await until(lambda: two.offers)
            [offer] = two.offers
            text = await two.subscribing.answer(
                offer.description, offer.mids, offer.leaves, offer.source_mids
            )
            assert await refused(answer(CALL, two.id, offer.number - 1, text)) is stale
            assert await refused(answer(CALL, two.id, offer.number + 1, text)) is stale
            for changed, reason in (
                (text.replace("a=recvonly", "a=sendrecv"), UNEXPECTED),
                (text.replace("a=recvonly", "a=sendonly"), UNEXPECTED),
                (text.replace("a=mid:0", "a=mid:9"), UNEXPECTED),
                (re.sub(r"\b97\b", "99", text), UNEXPECTED),
                (re.sub(r"\b98\b", "110", text), UNEXPECTED),
                (text.replace("a=extmap:3", "a=extmap:300"), UNEXPECTED),
                (text.replace("VP8", "AV1").replace("opus", "PCMU"), UNEXPECTED),
                (text[: text.rindex("m=")], UNEXPECTED),
                (text + " " * MAX_DESCRIPTION, MALFORMED),
                (text.replace("a=setup:active", "a=setup:actpass"), MALFORMED),
                ("", UNEXPECTED),
            ):
                assert await refused(answer(CALL, two.id, offer.number, changed)) is reason
            await answer(CALL, two.id, offer.number, text)
            assert await refused(answer(CALL, two.id, offer.number, text)) is stale
            call.answers_offers = True
            await until(lambda: two.seen(0) > 5)

    asyncio.run(story())


def test_there_is_room_for_so_many_and_no_more(meeting: NewMeeting, offer: str) -> None:
    async def story() -> None:
        async with meeting(Limits(calls=1, members=2)) as call:
            unit = call.unit
            await unit.publish(CALL, Participant(b"one", 1), offer)
            await unit.publish(CALL, Participant(b"two", 2), offer)
            assert await publishing_refused(call, offer) is SfuReason.TOO_MANY_MEMBERS
            another = unit.publish(b"another call", MALLORY, offer)
            assert await refused(another) is SfuReason.TOO_MANY_CALLS
            await unit.publish(CALL, Participant(b"two", 2), offer)  # who is there may come again
            await unit.close_member(CALL, b"one")
            await unit.close_member(CALL, b"one")
            await unit.publish(CALL, MALLORY, offer)
            await unit.close()
            assert await publishing_refused(call, offer) is SfuReason.CLOSED

    asyncio.run(story())


def sending(member: Member) -> Callable[[bytes], Coroutine[Any, Any, None]]:
    """What lets a member send any packet over its publishing connection, protected by SRTP."""
    connection = member.publishing._connection.webrtc
    transport = connection.getTransceivers()[0].receiver.transport
    return transport._send_rtp


def receiving(member: Member) -> Callable[[bytes], Coroutine[Any, Any, None]]:
    """The same over the connection over which it receives."""
    connection = member.subscribing._connection.webrtc
    transport = connection.getTransceivers()[0].receiver.transport
    return transport._send_rtp


@pytest.mark.requirement("SFU-9")
def test_packets_of_nobodys_stream_reach_nobody(meeting: NewMeeting, until: Until) -> None:
    async def story() -> None:
        async with meeting() as call:
            mallory = await call.join(0, 1)
            one = await call.join(1, 2)
            two = await call.join(2, 3)
            await until(lambda: two.seen(0) > 5 and two.seen(1) > 5 and one.seen(0) > 5)
            [screen] = [each for each in sources(call, mallory) if each.mid == "2"]
            ssrc, rtx_ssrc = screen.form.ssrc, screen.form.rtx_ssrc
            send = sending(mallory)
            for number in range(0, 500, 5):
                for packet in (
                    HEADER.pack(0x80, 111, number, 1, ssrc) + b"another payload type",
                    HEADER.pack(0x80, 97, number, 1, 12345) + b"an unknown SSRC",
                    HEADER.pack(0x80, 97, number + 1, 1, ssrc) + bytes(1_330),
                    HEADER.pack(0xA0, 97, number + 2, 1, ssrc) + b"more padding than bytes \xff",
                    HEADER.pack(0x80, 97, number, 1, rtx_ssrc) + b"no retransmission",
                    HEADER.pack(0x80, 98, number + 1, 1, rtx_ssrc) + b"\x00",
                ):
                    await send(packet)
                    await asyncio.sleep(0)
            await until(lambda: mallory.at_the_unit.refused >= 400)
            assert not screen.has_begun
            seen = two.seen(1), two.seen(0)
            await until(lambda: two.seen(1) > seen[0] + 10 and two.seen(0) > seen[1] + 10)
            send_back = receiving(two)
            refused = two.at_the_unit.refused
            for number in range(100):
                await send_back(HEADER.pack(0x80, 97, number, 1, ssrc) + b"nobody asked for it")
            await until(lambda: two.at_the_unit.refused == refused + 100)
            seen = one.seen(0), one.seen(2)
            await until(lambda: one.seen(0) > seen[0] + 10 and one.seen(2) > seen[1] + 10)
            assert call.lost == []

    asyncio.run(story())


def sources(call: Meeting, member: Member) -> list[Any]:
    return call.unit._calls[CALL][member.id].sources


@pytest.mark.requirement("SFU-5")
def test_a_flood_of_feedback_is_answered_within_bounds(meeting: NewMeeting, until: Until) -> None:
    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1)
            two = await call.join(1, 2, camera=False)
            mallory = await call.join(2, 3, camera=False)
            await until(lambda: two.seen(0) > 5 and mallory.seen(0) > 5)
            [ssrc] = [
                sink.form.ssrc
                for sink in call.unit._calls[CALL][mallory.id].subscriber.sinks.values()  # type: ignore[union-attr]
                if sink.kind == "video"
            ]
            pli = RtcpPsfbPacket(RTCP_PSFB_PLI, 1, ssrc)
            fir = RtcpPsfbPacket(RTCP_PSFB_FIR, 1, 0, ssrc.to_bytes(4, "big") + bytes(4))
            remb = RtcpPsfbPacket(RTCP_PSFB_APP, 1, 0, pack_remb_fci(1 << 30, [*range(200), ssrc]))
            cut_off = RtcpPsfbPacket(RTCP_PSFB_APP, 1, 0, b"REMB\xff\x00\x00\x00")
            nack = RtcpRtpfbPacket(RTCP_RTPFB_NACK, 1, ssrc, list(range(4_000)))
            of_nobody = RtcpRtpfbPacket(RTCP_RTPFB_NACK, 1, 99, [1])
            others: list[AnyRtcpPacket] = [RtcpByePacket([ssrc]), of_nobody, cut_off]
            send = receiving(mallory)
            packets = sum(sink.packets for sink in mallory.at_the_unit.sinks)
            requests = one.at_the_unit.sources[-1].key_frame_requests
            begun = call.unit._clock()
            for _ in range(200):
                for packet in (pli, fir, remb, nack, *others):
                    await send(bytes(packet))
                    await asyncio.sleep(0)
                await send(b"\x80\xc8\xff\xff garbage")
            await until(lambda: mallory.at_the_unit.sinks[-1].key_frame_requests >= 200)
            seen = two.seen(0)
            await until(lambda: two.seen(0) > seen + 30)
            assert mallory.at_the_unit.sinks[-1].nacks >= 4_000
            passed = call.unit._clock() - begun
            asked = one.at_the_unit.sources[-1].key_frame_requests - requests
            assert asked <= passed / KEY_FRAME_INTERVAL + 2
            resent = sum(sink.resent for sink in mallory.at_the_unit.sinks)
            assert resent <= RESENT_EACH_SECOND * (passed / 1_000 + 2)
            assert packets > 0
            assert call.lost == []

    asyncio.run(story())


@pytest.mark.requirement("SFU-5")
def test_a_member_whose_path_carries_little_keeps_its_sound(
    meeting: NewMeeting, until: Until
) -> None:
    """By its own account: nobody else has less for it."""

    async def story() -> None:
        async with meeting() as call:
            await call.join(0, 1, tone=700.0)
            two = await call.join(1, 2, camera=False)
            narrow = await call.join(2, 3, camera=False)
            await until(lambda: two.seen(0) > 5 and narrow.seen(0) > 5)
            await until(lambda: narrow.seen(0, Kind.MICROPHONE) > 5)
            ssrcs = [
                sink.form.ssrc
                for sink in call.unit._calls[CALL][narrow.id].subscriber.sinks.values()  # type: ignore[union-attr]
            ]
            send = receiving(narrow)
            for _ in range(SEVERE_CHECKS + 1):
                await send(bytes(RtcpPsfbPacket(RTCP_PSFB_APP, 1, 0, pack_remb_fci(10_000, ssrcs))))
                await until(lambda: narrow.at_the_unit.estimate == 10_000)
                call.unit.tick()
                seen = two.seen(0)
                await until(lambda seen=seen: two.seen(0) > seen + 3)  # type: ignore[misc]
            held_back = {sink.kind: sink.held_back for sink in narrow.at_the_unit.sinks}
            assert held_back == {"audio": False, "video": True}
            assert call.unit.statistics().held_back == 1
            seen, heard = narrow.opened(0), narrow.seen(0, Kind.MICROPHONE)
            await until(lambda: narrow.seen(0, Kind.MICROPHONE) > heard + 30)
            assert narrow.opened(0) <= seen + 1
            assert not any(sink.held_back for sink in two.at_the_unit.sinks)

    asyncio.run(story())


def test_anybody_who_knows_the_port_can_send_there(meeting: NewMeeting, until: Until) -> None:
    """Strangers' datagrams reach no stream and end no connection."""

    async def story() -> None:
        async with meeting() as call:
            one = await call.join(0, 1)
            two = await call.join(1, 2, camera=False)
            await until(lambda: two.seen(0) > 5)
            port = int(re.findall(r"m=\w+ (\d+)", two.offers[-1].description)[0])
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=("127.0.0.1", port)
            )
            garbage = random.Random(7)  # noqa: S311
            for first in range(256):
                for size in (0, 1, 12, 40, 1_600):
                    transport.sendto(bytes([first])[:size] + garbage.randbytes(max(0, size - 1)))
            seen = two.seen(0)
            await until(lambda: two.seen(0) > seen + 20)
            assert two.at_the_unit.refused == 0
            assert one.at_the_unit.refused == 0
            transport.close()

    asyncio.run(story())


def test_a_member_that_never_answers_holds_up_nobody_and_is_closed(
    meeting: NewMeeting, until: Until
) -> None:
    now = 0

    async def story() -> None:
        nonlocal now
        lost: list[bytes] = []
        offers: list[bytes] = []
        unit = AiortcForwardingUnit(
            lambda _, member, __: offers.append(member),
            lambda _, member: lost.append(member),
            lambda: now,
            host_addresses=("127.0.0.1",),
        )
        await unit.subscribe(CALL, MALLORY)
        await until(lambda: offers)
        now += 30_000
        unit.tick()
        assert lost == []
        now += 1
        unit.tick()
        await until(lambda: lost == [MALLORY.id])
        assert unit.statistics().calls == {}
        await unit.close()

    asyncio.run(story())
