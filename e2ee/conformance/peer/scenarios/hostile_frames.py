"""Frames that must be refused: every second one of a stream is replaced, and the client opens the others only.

What the client has opened it says itself (``counts``): more than the honest frames are a leak.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from e2ee.call.events import EpochChanged
from e2ee.call.group.events import Joined
from e2ee.call.medium import Medium
from e2ee.conformance.peer.findings import ClientLeak
from e2ee.conformance.peer.probe import ProbeCall
from e2ee.conformance.peer.scenario import PAUSE, ClientOnStage, Stage, scenario
from e2ee.conformance.peer.scenarios.group_calls import hosted
from e2ee.conformance.peer.tampering import TamperedStream

GROUP = "hostile-frames"
FEATURES = ("media", "counts")

TRIES = 60
"""Frames that are replaced."""

SOME = 25


async def _refuses(stage: Stage, tampering: str) -> None:
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe, Medium.VOICE)
    await _refuses_of(stage, client, call, tampering)


async def _refuses_of(stage: Stage, client: ClientOnStage, call: ProbeCall, tampering: str) -> None:
    stream = call.stream
    stage.journal.awaits("the client to open the first frames")
    await client.opens("microphone", SOME)
    before = await _at_rest(client, call)
    call.call.unmute()
    stream.tamper(tampering, TRIES)
    stage.journal.awaits("the client to open what comes after the last replaced frame")
    rested = await _honest_when_it_rests(stream)
    await client.opens("microphone", before.opened + rested - before.honest + SOME)
    after = await _at_rest(client, call)
    opened, honest = after.opened - before.opened, after.honest - before.honest
    if opened > honest:
        of = f"of which {honest} were honest"
        raise ClientLeak(f"opened {opened} frames, {of}: what was {tampering}, too")
    await stage.still_there(client, call)


@dataclass(frozen=True)
class _Counts:
    """Frames that left honest, and that the client opened."""

    honest: int
    opened: int


async def _at_rest(client: ClientOnStage, call: ProbeCall) -> _Counts:
    """When nothing is sent any more."""
    call.call.mute()
    opened = await _opened_at_last(client)
    return _Counts(call.stream.honest, opened)


async def _opened_at_last(client: ClientOnStage) -> int:
    """How many were opened when nothing comes any more. Who looks too early misses a leak, and sees none that is not there."""
    before, opened = -1, await client.opened("microphone")
    while before != opened:
        await asyncio.sleep(5 * PAUSE)
        before, opened = opened, await client.opened("microphone")
    return opened


async def _honest_when_it_rests(stream: TamperedStream) -> int:
    """How many honest frames had left when the last one was replaced."""
    while not stream.rests:  # noqa: ASYNC110 - an encoder's thread has no event
        await asyncio.sleep(PAUSE)
    return stream.honest


@scenario(GROUP, "FRAME-9", features=FEATURES)
async def replayed_frames(stage: Stage) -> None:
    """Frames that came before come again, in the place of others."""
    await _refuses(stage, "replayed")


@scenario(GROUP, "FRAME-12", features=FEATURES)
async def frames_in_the_clear(stage: Stage) -> None:
    """Frames come as the encoder made them."""
    await _refuses(stage, "in-the-clear")


@scenario(GROUP, "FRAME-11", "FKEY-17", features=FEATURES)
async def changed_frames(stage: Stage) -> None:
    """A bit of the tag is another."""
    await _refuses(stage, "changed")


@scenario(GROUP, "FRAME-6", features=FEATURES)
async def frames_of_another_member(stage: Stage) -> None:
    """The peer's stream brings frames with the KID, and the key, of another member."""
    await _refuses(stage, "of-another-member")


@scenario(GROUP, "FRAME-6", features=("group", *FEATURES), forwarding=True)
async def frames_of_a_third_member(stage: Stage) -> None:
    """In a group call the stream of one member brings frames with the KID, and the key, of another who sends nothing."""
    client, call, link = await hosted(stage)
    third = (await stage.probe("third")).join(link, silent=True)
    joined = await third.until(Joined)
    await client.told("epoch", epoch=joined.epoch)
    await call.until(EpochChanged, epoch=joined.epoch)
    await _refuses_of(stage, client, call, "of-another-member")


@scenario(GROUP, "FRAME-5", features=FEATURES)
async def frames_of_another_kind(stage: Stage) -> None:
    """The microphone's stream brings frames of the screen's sound, authentic as such."""
    await _refuses(stage, "of-another-kind")


@scenario(GROUP, "FRAME-12", features=FEATURES)
async def frames_without_header(stage: Stage) -> None:
    """The SFrame header was taken out."""
    await _refuses(stage, "without-header")


@scenario(GROUP, "FRAME-4", features=FEATURES)
async def frames_with_a_longer_header(stage: Stage) -> None:
    """The counter has a byte more than it needs, and all of that is authentic."""
    await _refuses(stage, "with-a-longer-header")
