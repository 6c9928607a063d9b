"""Frames that must be refused: every second one of a stream is replaced, and the client opens the others only.

What the client has opened it says itself (``counts``): more than the honest frames are a leak.
"""

from __future__ import annotations

import asyncio

from e2ee.call.medium import Medium
from e2ee.conformance.peer.findings import ClientLeak
from e2ee.conformance.peer.scenario import PAUSE, Stage, scenario
from e2ee.conformance.peer.tampering import TamperedStream

GROUP = "hostile-frames"
FEATURES = ("media", "counts")

TRIES = 60
"""Frames that are replaced: more than can be on their way when the client is asked."""

SOME = 25


async def _refuses(stage: Stage, tampering: str) -> None:
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe, Medium.VOICE)
    stream = call.stream
    stage.journal.awaits("the client to open the first frames")
    await client.opens("microphone", SOME)
    stream.tamper(tampering, TRIES)
    stage.journal.awaits("the client to open what comes after the last replaced frame")
    rested = await _honest_when_it_rests(stream)
    await client.opens("microphone", rested + SOME)
    opened = await client.opened("microphone")
    honest = stream.honest
    if opened > honest:
        raise ClientLeak(
            f"opened {opened} frames, of which {honest} were honest: what was {tampering}, too"
        )
    await stage.still_there(client, call)


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
