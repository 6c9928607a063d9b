"""The connection over which a member of a group call receives, from a unit that says what it likes.

What is received over it, through a real unit: tests/sfu/test_meeting.py.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from threading import Thread

import pytest
from aiortc import RTCSessionDescription

from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.opener import FrameOpener
from e2ee.rtc.description import MAX_DESCRIPTION, MAX_SECTIONS
from e2ee.rtc.errors import DescriptionError, RtcReason, WrongState
from e2ee.rtc.subscribing import StreamName, SubscribingPeer
from e2ee.session_description import parsed
from e2ee.sfu.connection import Connection
from e2ee.sfu.rtp import HEADER

LOOPBACK = ("127.0.0.1",)
UNEXPECTED = RtcReason.UNEXPECTED_MEDIA


@dataclass(frozen=True)
class Said:
    kind: Kind
    instance: int = 0
    codec: Codec = Codec.VP8


@dataclass
class Scene:
    """A unit that makes up what it offers, and a member with what others announced to it."""

    said: dict[tuple[int, str], Said] = field(default_factory=dict)
    told: list[tuple[StreamName, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.unit = Connection(LOOPBACK, lambda _: None, lambda _: None, lambda: None)
        self.peer = SubscribingPeer(
            FrameOpener(FrameKeys().receive),
            lambda: time.monotonic_ns() // 1_000_000,
            lambda leaf, mid: self.said.get((leaf, mid)),
            on_stream=lambda name, *, began: self.told.append((name, began)),
            host_addresses=LOOPBACK,
        )
        self.sections: list[str] = []

    def add(self, *kinds: str) -> None:
        for kind in kinds:
            self.unit.add(kind, "sendonly")
            self.sections.append(str(len(self.sections)))

    async def offer(
        self,
        change: Callable[[str], str] = str,
        *,
        mids: Sequence[str] | None = None,
        leaves: Sequence[int] | None = None,
        source_mids: Sequence[str] | None = None,
    ) -> str:
        """Offer, and let the member answer: by default each m-section is of another leaf, and was published under "1"."""
        mids = self.sections if mids is None else mids
        return await self.peer.answer(
            change(await self.unit.offer()),
            mids,
            range(len(mids)) if leaves is None else leaves,
            ["1"] * len(mids) if source_mids is None else source_mids,
        )

    async def agree(self, **lists: Sequence[object]) -> None:
        """A whole exchange."""
        answer = await self.offer(**lists)  # type: ignore[arg-type]
        await self.unit.accept(RTCSessionDescription(answer, "answer"))


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    try:
        yield made
    finally:
        await asyncio.gather(made.peer.close(), made.unit.close())


CAMERA, SCREEN = Said(Kind.CAMERA), Said(Kind.SCREEN_VIDEO)


@pytest.mark.requirement("GROUP-18", "SFU-2")
def test_a_stream_is_what_its_sender_announced_under_the_mid_that_the_unit_names() -> None:
    async def story() -> None:
        async with scene() as call:
            call.add("audio", "video", "video", "video")
            call.said = {
                (0, "1"): Said(Kind.MICROPHONE, codec=Codec.OPUS),
                (1, "1"): Said(Kind.CAMERA, 4),
                (2, "7"): CAMERA,  # under another mid than the unit says
                (3, "1"): Said(Kind.MICROPHONE, codec=Codec.OPUS),  # where pictures come
            }
            await call.agree()
            names = [StreamName(0, Kind.MICROPHONE), StreamName(1, Kind.CAMERA, 4)]
            assert list(call.peer.streams) == names
            assert call.told == [(name, True) for name in names]
            assert call.peer.mid_of(1, Kind.CAMERA, 4) == "1"
            assert call.peer.mid_of(1, Kind.CAMERA) is None
            assert call.peer.mid_of(2, Kind.CAMERA) is None
            assert call.peer.track(3, Kind.MICROPHONE) is None
            assert {name: expected(call.peer, name) for name in names} == {
                name: (name.leaf, name.kind, name.instance) for name in names
            }
            await call.peer.connected()

    asyncio.run(story())


def expected(peer: SubscribingPeer, name: StreamName) -> tuple[int | None, Kind, int | None]:
    """Whose frames are opened on this stream, and of what: every other one is refused (FRAME-5, FRAME-6)."""
    stream = peer._streams[name].frames.stream
    return stream.sender, stream.kind, stream.instance


@pytest.mark.requirement("GROUP-18")
def test_streams_begin_and_end_with_what_is_announced() -> None:
    async def story() -> None:
        async with scene() as call:
            call.add("video", "video")
            await call.agree()
            assert call.peer.streams == {}
            call.said[0, "1"] = CAMERA
            call.peer.announcements_changed()
            call.peer.announcements_changed()
            camera, screen = StreamName(0, Kind.CAMERA), StreamName(0, Kind.SCREEN_VIDEO)
            assert call.told == [(camera, True)]
            track = call.peer.track(*camera)
            assert track is not None
            call.said[0, "1"] = SCREEN
            call.peer.announcements_changed()
            assert call.told[1:] == [(camera, False), (screen, True)]
            assert track.readyState == "ended"
            call.said.clear()
            call.peer.announcements_changed()
            assert call.told[-1] == (screen, False)
            assert call.peer.streams == {}
            assert set(call.peer.statistics()) == {camera, screen}

    asyncio.run(story())


def test_an_m_section_changes_hands_and_a_stream_changes_its_place() -> None:
    async def story() -> None:
        async with scene() as call:
            call.add("video", "video")
            call.said = {(0, "1"): CAMERA, (1, "1"): CAMERA, (2, "1"): CAMERA}
            await call.agree()
            one = call.peer.track(1, Kind.CAMERA)
            await call.agree(leaves=[1, 2])
            assert call.peer.track(1, Kind.CAMERA) is one
            assert call.peer.mid_of(1, Kind.CAMERA) == "0"
            assert call.peer.mid_of(2, Kind.CAMERA) == "1"
            assert call.peer.track(0, Kind.CAMERA) is None
            await call.agree(mids=["1"], leaves=[2])
            assert list(call.peer.streams) == [StreamName(2, Kind.CAMERA)]

    asyncio.run(story())


def test_of_two_m_sections_for_one_stream_the_first_is_taken() -> None:
    async def story() -> None:
        async with scene() as call:
            call.add("video", "video")
            call.said = {(0, "1"): CAMERA, (0, "2"): CAMERA}
            await call.agree(leaves=[0, 0], source_mids=["1", "2"])
            assert call.told == [(StreamName(0, Kind.CAMERA), True)]
            assert call.peer.mid_of(0, Kind.CAMERA) == "0"

    asyncio.run(story())


WRONG_OFFERS: dict[str, tuple[Callable[[str], str], RtcReason]] = {
    "nothing": (lambda _: "", UNEXPECTED),
    "no SDP": (lambda _: "v=0\r\nm=x\r\n", RtcReason.MALFORMED_DESCRIPTION),
    "too long": (lambda text: text + " " * MAX_DESCRIPTION, RtcReason.MALFORMED_DESCRIPTION),
    "it receives": (lambda text: text.replace("sendonly", "sendrecv"), UNEXPECTED),
    "neither VP8 nor H264": (
        lambda text: text.replace("VP8", "VP9").replace("H264", "VP9"),
        UNEXPECTED,
    ),
    "data": (lambda text: text.replace("m=video", "m=application"), UNEXPECTED),
    "a mid twice": (lambda text: text.replace("a=mid:1", "a=mid:0"), UNEXPECTED),
    "a mid without a value": (
        lambda text: text.replace("a=mid:1", "a=mid"),
        RtcReason.MALFORMED_DESCRIPTION,
    ),
    "a long mid": (lambda text: text.replace("a=mid:1", "a=mid:" + "1" * 17), UNEXPECTED),
    "no bundle": (lambda text: text.replace("BUNDLE", "LS"), UNEXPECTED),
    "another bundle": (lambda text: text.replace("BUNDLE 0 1", "BUNDLE 1 0"), UNEXPECTED),
    "no fingerprint": (
        lambda text: re.sub("a=fingerprint.*\r\n", "", text),
        RtcReason.NO_FINGERPRINT,
    ),
    "no ICE": (
        lambda text: re.sub("a=ice-pwd.*\r\n", "", text),
        RtcReason.MALFORMED_DESCRIPTION,
    ),
    "other m-sections than before": (
        lambda text: text.replace("a=mid:0", "a=mid:5").replace("BUNDLE 0 ", "BUNDLE 5 "),
        UNEXPECTED,
    ),
    "another kind than before": (lambda text: text.replace("m=audio", "m=x", 1), UNEXPECTED),
    "fewer than before": (
        lambda text: (
            re.split("(?=m=)", text)[0].replace("BUNDLE 0 1 2", "BUNDLE 0")
            + re.split("(?=m=)", text)[1]
        ),
        UNEXPECTED,
    ),
}


@pytest.mark.requirement("CODEC-9", "SFU-2", "SFU-11")
@pytest.mark.parametrize("wrong", WRONG_OFFERS)
def test_another_description_than_a_units_is_refused(wrong: str) -> None:
    change, reason = WRONG_OFFERS[wrong]

    async def story() -> None:
        async with scene() as call:
            call.said = {(0, "1"): CAMERA}
            call.add("video", "video")
            await call.agree()
            track = call.peer.track(0, Kind.CAMERA)
            call.add("audio")
            with pytest.raises(DescriptionError) as error:
                await call.offer(change, mids=[])
            assert error.value.reason is reason
            assert call.peer.track(0, Kind.CAMERA) is track, "what there was is as it was"
            await call.agree()
            assert call.peer.track(0, Kind.CAMERA) is track
            await call.peer.connected()

    asyncio.run(story())


@pytest.mark.requirement("SFU-2")
def test_lists_that_do_not_belong_together_are_refused() -> None:
    async def story() -> None:
        async with scene() as call:
            call.add("video")
            for lists in (
                {"mids": ["0"], "leaves": []},
                {"mids": ["0"], "source_mids": ["1", "1"]},
                {"mids": ["0", "0"]},
                {"mids": ["9"]},
            ):
                with pytest.raises(DescriptionError) as error:
                    await call.agree(**lists)
                assert error.value.reason is UNEXPECTED
            await call.agree()

    asyncio.run(story())


@pytest.mark.requirement("SFU-2")
def test_an_m_section_that_brings_nothing_is_nobodys() -> None:
    async def story() -> None:
        async with scene() as call:
            call.add("video", "audio")
            with pytest.raises(DescriptionError):
                await call.offer(lambda text: text.replace("a=sendonly", "a=inactive"))
            await call.offer(lambda text: text.replace("a=sendonly", "a=inactive"), mids=[])

    asyncio.run(story())


@pytest.mark.requirement("CODEC-9")
def test_a_member_has_so_many_streams_and_no_more() -> None:
    async def story() -> None:
        async with scene() as call:
            call.add(*["audio", "video"] * (MAX_SECTIONS // 2))
            for leaf in range(MAX_SECTIONS):
                codec = Codec.VP8 if leaf % 2 else Codec.OPUS
                call.said[leaf, "1"] = Said(Kind(leaf % 2), codec=codec)
            await call.agree()
            assert len(call.peer.streams) == MAX_SECTIONS
            await call.peer.connected()
            call.add("audio")
            with pytest.raises(DescriptionError) as error:
                await call.agree()
            assert error.value.reason is UNEXPECTED

    asyncio.run(story())


def test_one_offer_is_answered_after_the_other() -> None:
    async def story() -> None:
        async with scene() as call:
            call.add("video")
            text = await call.unit.offer()
            answers = [call.peer.answer(text, (), (), ()) for _ in range(2)]
            outcomes = await asyncio.gather(*answers, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [str, WrongState]
            await call.peer.close()
            with pytest.raises(WrongState):
                await call.offer()

    asyncio.run(story())


@pytest.mark.requirement("GROUP-18")
def test_what_comes_where_nobody_is_announced_reaches_no_decoder(
    until: Callable[[Callable[[], bool]], Awaitable[None]],
) -> None:
    async def story() -> None:
        async with scene() as call:
            call.add("video", "audio")
            await call.agree()
            await call.peer.connected()
            await until(lambda: call.unit.is_connected)
            media = parsed(call.peer._connection.webrtc.remoteDescription.sdp).media
            transceivers = call.peer._connection.webrtc.getTransceivers()
            for section, payload_type in zip(media, (97, 96), strict=True):
                for number in range(20):
                    ssrc = section.ssrc[0].ssrc
                    header = HEADER.pack(0x80, payload_type, number, 3_000 * number, ssrc)
                    call.unit.send(header + b"\x10\x00 never decoded")
            receivers = [vars(each.receiver) for each in transceivers]
            await until(lambda: all(each["_RTCRtpReceiver__remote_streams"] for each in receivers))
            for receiver in receivers:
                assert receiver["_RTCRtpReceiver__timestamp_mapper"]._last is None
                assert receiver["_RTCRtpReceiver__decoder_queue"].empty()

    asyncio.run(story())


def test_with_the_answer_a_new_m_section_is_ready_for_its_first_packet() -> None:
    async def story() -> None:
        async with scene() as call:
            call.add("video")
            await call.agree()
            await call.peer.connected()
            call.add("video")
            await call.offer()
            receivers = call.peer._connection.webrtc.getReceivers()
            assert [vars(each)["_RTCRtpReceiver__started"] for each in receivers] == [True, True]

    asyncio.run(story())


def test_an_offer_that_failed_leaves_no_place_open_to_anybody() -> None:
    """aiortc keeps the places of an offer that it could not take: the next one finds them, deaf as all are."""

    async def story() -> None:
        async with scene() as call:
            call.add("video", "audio")
            with pytest.raises(DescriptionError):
                await call.offer(lambda text: re.sub("a=ice-ufrag.*\r\n", "", text))
            await call.agree()
            transceivers = call.peer._connection.webrtc.getTransceivers()
            assert [each.kind for each in transceivers] == ["video", "audio"]
            await call.peer.connected()

    asyncio.run(story())


def has_ended(thread: Thread) -> Callable[[], bool]:
    return lambda: not thread.is_alive()


def test_decoders_that_have_ended_are_not_kept(
    until: Callable[[Callable[[], bool]], Awaitable[None]],
) -> None:
    """A member may announce its stream in one codec and the other without end."""

    async def story() -> None:
        async with scene() as call:
            call.add("video")
            call.said = {(0, "1"): CAMERA}
            await call.agree()
            await call.peer.connected()
            for codec in (Codec.H264, Codec.VP8) * 3:
                call.said = {(0, "1"): Said(Kind.CAMERA, codec=codec)}
                call.peer.announcements_changed()
                [former] = call.peer._threads
                await until(has_ended(former))

    asyncio.run(story())
