"""Session descriptions, read within bounds and made small."""

from __future__ import annotations

import asyncio

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcconfiguration import RTCBundlePolicy
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from e2ee.session_description import (
    ABS_SEND_TIME,
    AUDIO_LEVEL,
    MAX_DESCRIPTION,
    compact,
    has_fingerprint,
    parsed,
    with_extensions,
    without_extensions,
)


def connection() -> RTCPeerConnection:
    return RTCPeerConnection(
        RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    )


@pytest.fixture(scope="module")
def offer() -> str:
    """What aiortc writes for a microphone and two pictures."""

    async def describe() -> str:
        peer = connection()
        for kind in ("audio", "video", "video"):
            peer.addTransceiver(kind, "sendonly")
        await peer.setLocalDescription(await peer.createOffer())
        text: str = peer.localDescription.sdp
        await peer.close()
        return text

    return asyncio.run(describe())


def said(section: object) -> dict[str, str]:
    """All that an m-section says but for where it is reached, and what names its stream to an application."""
    left_out = {"ice_candidates", "ice_candidates_complete", "msid", "rtcp_port", "rtcp_host"}
    return {name: repr(value) for name, value in vars(section).items() if name not in left_out}


def test_a_small_description_says_the_same(offer: str) -> None:
    small = compact(offer)
    assert len(small) < len(offer)
    assert compact(small) == small
    full, read = SessionDescription.parse(offer), SessionDescription.parse(small)
    assert list(map(said, read.media)) == list(map(said, full.media))
    assert read.group == full.group
    first, middle, last = (section.ice_candidates for section in read.media)
    assert (first, middle, last) == (full.media[0].ice_candidates, [], first)


def test_aiortc_takes_a_small_description() -> None:
    async def story() -> None:
        one, other = connection(), connection()
        for kind in ("audio", "video"):
            one.addTransceiver(kind, "sendonly")
        await one.setLocalDescription(await one.createOffer())
        small = compact(one.localDescription.sdp)
        await other.setRemoteDescription(RTCSessionDescription(small, "offer"))
        await other.setLocalDescription(await other.createAnswer())
        small = compact(other.localDescription.sdp)
        await one.setRemoteDescription(RTCSessionDescription(small, "answer"))
        assert one.signalingState == other.signalingState == "stable"
        await asyncio.gather(one.close(), other.close())

    asyncio.run(story())


def user_names(description: str) -> list[str | None]:
    """The ICE user name of each m-section."""
    media = SessionDescription.parse(description).media
    return [section.ice.usernameFragment for section in media if section.ice]


def test_what_two_m_sections_say_differently_stays_where_it_is(offer: str) -> None:
    head, tail = offer.rsplit("a=ice-ufrag:", 1)
    small = compact(f"{head}a=ice-ufrag:x{tail}")
    assert user_names(small) == [*user_names(offer)[:2], f"x{user_names(offer)[2]}"]
    assert small.count("a=ice-ufrag:") == 3


@given(st.text(alphabet="vmao=:- \r\n0123456789audiovideoRTP/SAVPF", max_size=200))
def test_any_text_is_read_or_is_none(text: str) -> None:
    compact(text)
    try:
        description = parsed(text)
    except ValueError:
        return
    for section in description.media:
        assert has_fingerprint(section) in (True, False)


def test_a_long_one_is_not_read(offer: str) -> None:
    assert len(parsed(offer).media) == 3
    with pytest.raises(ValueError, match="characters"):
        parsed(offer + " " * MAX_DESCRIPTION)


SECTION = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 96\r\n"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("a=x\r\n" * 512, "513 lines"),
        ("a=rtpmap:96 a/1\r\na=rtpmap:096 a/1\r\n", "two codecs"),
        ("a=rtpmap:96 a/1\r\n" + "a=rtcp-fb:* n\r\n" * 17, "without an end"),
        ("a=rtpmap:", "invalid literal"),
        ("a=rtpmap:x a/1", "invalid literal"),
    ],
)
def test_none_is_read_whose_lines_make_work_for_each_other(lines: str, why: str) -> None:
    """1,800 codecs with 1,900 kinds of feedback each would be seconds, and 340 MB."""
    with pytest.raises(ValueError, match=why):
        parsed(SECTION + lines)


def test_header_extensions_are_taken_out(offer: str) -> None:
    assert AUDIO_LEVEL in offer
    assert AUDIO_LEVEL not in without_extensions(offer, {AUDIO_LEVEL})
    assert ABS_SEND_TIME in without_extensions(offer, {AUDIO_LEVEL})
    only = with_extensions(offer, {ABS_SEND_TIME})
    assert only.count("a=extmap:") == only.count(ABS_SEND_TIME) == 2
    assert with_extensions(offer, set()).count("a=extmap") == 0
    with_direction = offer.replace("a=extmap:2 ", "a=extmap:2/recvonly ")
    assert AUDIO_LEVEL not in without_extensions(with_direction, {AUDIO_LEVEL})
