"""A peer outside of a call: steps out of turn, descriptions of others, connections that fail."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.rtc.errors import ConnectionFailed, DescriptionError, WrongState
from e2ee.rtc.peer import MediaPeer

Story = Callable[[MediaPeer, MediaPeer], Awaitable[None]]


def tell(make_device: Callable[[int], Any], story: Story) -> None:
    """Tell a story of two peers, and close both."""

    async def told() -> None:
        caller, callee = make_device(0).peer, make_device(1).peer
        try:
            await story(caller, callee)
        finally:
            await asyncio.gather(caller.close(), callee.close())

    asyncio.run(told())


def test_steps_out_of_turn_are_refused(make_device: Callable[[int], Any]) -> None:
    async def story(caller: MediaPeer, callee: MediaPeer) -> None:
        with pytest.raises(WrongState):
            await caller.accept("")
        offer = await caller.offer()
        with pytest.raises(WrongState):
            await caller.offer()
        with pytest.raises(WrongState):
            await caller.answer(offer)
        answer = await callee.answer(offer)
        with pytest.raises(WrongState):
            await callee.answer(offer)
        with pytest.raises(WrongState):
            await callee.accept(answer)
        await caller.accept(answer)
        with pytest.raises(WrongState):
            await caller.accept(answer)
        await asyncio.gather(caller.connected(), callee.connected())

    tell(make_device, story)


def test_streams_are_fixed_when_descriptions_are_exchanged(
    make_device: Callable[[int], Any],
) -> None:
    async def story(caller: MediaPeer, callee: MediaPeer) -> None:
        keys = FrameKeys()
        screen = keys.send.open_stream(Codec.VP8, Kind.SCREEN_VIDEO)
        camera = keys.send.open_stream(Codec.VP8, Kind.CAMERA)
        with pytest.raises(WrongState):  # another kind in each direction
            callee.add_stream(screen, IncomingStream(Codec.VP8, Kind.CAMERA), None)
        with pytest.raises(WrongState):  # a second camera
            callee.add_stream(camera, IncomingStream(Codec.VP8, Kind.CAMERA), None)
        await caller.offer()
        with pytest.raises(WrongState):  # too late
            caller.add_stream(screen, IncomingStream(Codec.VP8, Kind.SCREEN_VIDEO), None)

    tell(make_device, story)


def test_a_peer_without_streams_has_nothing_to_offer() -> None:
    async def story() -> None:
        peer = MediaPeer(FrameOpener(FrameKeys().receive), lambda: 0)
        with pytest.raises(WrongState):
            await peer.offer()
        await peer.close()
        with pytest.raises(WrongState):
            await peer.offer()

    asyncio.run(story())


def test_a_refused_description_leaves_the_peer_ready_for_the_right_one(
    make_device: Callable[[int], Any],
) -> None:
    async def story(caller: MediaPeer, callee: MediaPeer) -> None:
        offer = await caller.offer()
        for wrong in ("", "v=0\r\n", offer.replace("m=video", "m=audio")):
            with pytest.raises(DescriptionError):
                await callee.answer(wrong)
        await caller.accept(await callee.answer(offer))
        await asyncio.gather(caller.connected(), callee.connected())

    tell(make_device, story)


def test_a_peer_with_another_fingerprint_is_not_connected(
    make_device: Callable[[int], Any],
) -> None:
    """The fingerprint of the description decides, and nothing on the path can put another certificate in its place."""

    async def story(caller: MediaPeer, callee: MediaPeer) -> None:
        answer = await callee.answer(await caller.offer())
        forged = re.sub(
            r"(a=fingerprint:sha-\d+ )(..)", lambda m: f"{m[1]}{int(m[2], 16) ^ 1:02X}", answer
        )
        await caller.accept(forged)
        async with asyncio.timeout(30):
            with pytest.raises(ConnectionFailed):
                await caller.connected()

    tell(make_device, story)


def test_no_candidate_of_this_machine_is_gathered_unless_it_is_allowed() -> None:
    async def story() -> None:
        keys = FrameKeys()
        peer = MediaPeer(FrameOpener(keys.receive), lambda: 0)
        protector = keys.send.open_stream(Codec.OPUS, Kind.MICROPHONE)
        peer.add_stream(protector, IncomingStream(Codec.OPUS, Kind.MICROPHONE), None)
        assert " 127.0.0.1 " not in await peer.offer()
        await peer.close()

    asyncio.run(story())


def test_no_server_is_asked_that_was_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """aiortc asks a public STUN server unless it is told not to."""
    asked: list[str] = []

    def gethostbyname(name: str) -> str:
        asked.append(name)
        raise OSError(name)

    monkeypatch.setattr(socket, "gethostbyname", gethostbyname)

    async def story() -> None:
        keys = FrameKeys()
        peer = MediaPeer(FrameOpener(keys.receive), lambda: 0, host_addresses=["127.0.0.1"])
        protector = keys.send.open_stream(Codec.OPUS, Kind.MICROPHONE)
        peer.add_stream(protector, IncomingStream(Codec.OPUS, Kind.MICROPHONE), None)
        assert "typ host" in await peer.offer()
        await peer.close()

    asyncio.run(story())
    assert asked == []
