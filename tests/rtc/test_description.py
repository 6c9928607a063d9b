"""What a session description may say, and what it may not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from e2ee.media.encoded_frame import Codec
from e2ee.rtc.description import MAX_DESCRIPTION, checked_description
from e2ee.rtc.errors import DescriptionError, RtcReason

ALL = [(codec,) for codec in (Codec.OPUS, Codec.VP8, Codec.VP8)]
AUDIO_LEVEL = "a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level"


@pytest.fixture(scope="module")
def described(make_device: Callable[[int], Any]) -> dict[str, str]:
    """An offer and its answer, of two real peers."""

    async def exchange() -> dict[str, str]:
        caller, callee = make_device(0).peer, make_device(1).peer
        try:
            offer = await caller.offer()
            return {"offer": offer, "answer": await callee.answer(offer)}
        finally:
            await asyncio.gather(caller.close(), callee.close())

    return asyncio.run(exchange())


@pytest.fixture
def offer(described: dict[str, str]) -> str:
    return described["offer"]


def checked(text: str, *, loopback: bool = True) -> str:
    return checked_description(text, "offer", ALL, loopback=loopback)[0].sdp


def refused(text: str) -> RtcReason:
    with pytest.raises(DescriptionError) as error:
        checked(text)
    assert isinstance(error.value.reason, RtcReason)
    return error.value.reason


@pytest.mark.parametrize("step", ["offer", "answer"])
def test_what_a_peer_says_is_what_a_peer_accepts(described: dict[str, str], step: str) -> None:
    text = described[step]
    assert checked_description(text, step, ALL, loopback=True)[0].sdp == text


@pytest.mark.requirement("CODEC-5")
@pytest.mark.parametrize("step", ["offer", "answer"])
def test_only_vp8_and_opus_are_negotiated(described: dict[str, str], step: str) -> None:
    media = SessionDescription.parse(described[step]).media
    codecs = {section.kind: {codec.name for codec in section.rtp.codecs} for section in media}
    assert codecs == {"audio": {"opus"}, "video": {"VP8", "rtx"}}


@pytest.mark.requirement("CODEC-6")
def test_the_audio_level_is_neither_offered_nor_answered_nor_accepted(
    described: dict[str, str],
) -> None:
    assert "ssrc-audio-level" not in described["offer"] + described["answer"]
    offered = described["offer"].replace("a=rtcp-mux", f"{AUDIO_LEVEL}\r\na=rtcp-mux")
    assert AUDIO_LEVEL in offered
    assert checked(offered) == described["offer"]


def test_all_candidates_are_in_the_description_and_are_the_allowed_ones(
    described: dict[str, str],
) -> None:
    for text in described.values():
        candidates = [line.split() for line in text.splitlines() if line.startswith("a=candidate:")]
        assert {candidate[4] for candidate in candidates} == {"127.0.0.1"}
        assert {candidate[7] for candidate in candidates} == {"host"}
        assert "a=end-of-candidates" in text


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "::"])
def test_nobody_else_has_business_on_this_machine(offer: str, address: str) -> None:
    remote = offer.replace(" 127.0.0.1 ", " 192.0.2.1 ")
    candidate = next(line for line in remote.splitlines() if line.startswith("a=candidate:"))
    both = remote.replace(candidate, candidate + "\r\n" + candidate.replace("192.0.2.1", address))
    assert address in both
    assert checked(both, loopback=False) == remote


def test_a_peer_does_not_have_the_whole_network_tried(offer: str) -> None:
    candidate = next(line for line in offer.splitlines() if line.startswith("a=candidate:"))
    others = [candidate.replace("127.0.0.1", f"192.0.2.{number}") for number in range(1, 255)]
    kept = checked(offer.replace(candidate, "\r\n".join(others), 1), loopback=False)
    assert [line for line in kept.splitlines() if line.startswith("a=candidate:")] == others[:32]


@pytest.mark.requirement("CODEC-7")
def test_the_streams_of_a_call_are_all_described_in_both_directions(
    described: dict[str, str],
) -> None:
    for text in described.values():
        media = SessionDescription.parse(text).media
        assert [section.kind for section in media] == ["audio", "video", "video"]
        assert {section.direction for section in media} == {"sendrecv"}


@pytest.mark.requirement("CODEC-7")
def test_another_stream_than_agreed_is_refused(offer: str) -> None:
    head, audio, camera, screen = (
        part if i == 0 else f"m={part}" for i, part in enumerate(offer.split("m="))
    )
    for wrong in (
        head + audio,
        head + audio + camera,
        head + audio + camera + screen + screen,
        head + camera + screen + audio,
        head + audio + camera + screen.replace("a=sendrecv", "a=recvonly"),
        head + audio.replace("a=sendrecv", "a=inactive") + camera + screen,
    ):
        assert refused(wrong) is RtcReason.UNEXPECTED_MEDIA
    assert refused(offer.replace("m=audio", "m=application")) is RtcReason.UNEXPECTED_MEDIA


def test_a_stream_without_its_codec_is_refused(offer: str) -> None:
    assert refused(offer.replace("VP8/90000", "H264/90000")) is RtcReason.UNEXPECTED_MEDIA


def test_a_description_without_fingerprint_is_refused(offer: str) -> None:
    lines = [line for line in offer.splitlines() if not line.startswith("a=fingerprint")]
    assert refused("\r\n".join(lines)) is RtcReason.NO_FINGERPRINT
    assert (
        refused(offer.replace("a=fingerprint:sha-", "a=fingerprint:md5-"))
        is RtcReason.NO_FINGERPRINT
    )


def test_a_description_that_is_too_long_is_refused_unread(offer: str) -> None:
    assert refused(offer + " " * MAX_DESCRIPTION) is RtcReason.MALFORMED_DESCRIPTION


@given(st.text())
def test_any_text_is_refused_with_a_reason(text: str) -> None:
    refused(text)


@given(st.data())
def test_a_damaged_description_is_accepted_or_refused_with_a_reason(
    described: dict[str, str], data: st.DataObject
) -> None:
    text = described["offer"]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    damaged = text[:start] + data.draw(st.text(max_size=8)) + text[end:]
    try:
        checked(damaged)
    except DescriptionError as error:
        assert isinstance(error.reason, RtcReason)
