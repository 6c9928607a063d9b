"""Sound and pictures of a call, as the peer sees them: who sent them, under which epoch, each counter once."""

from __future__ import annotations

from e2ee.call.events import EpochChanged, MediaChanged
from e2ee.call.medium import Medium
from e2ee.client.call import Connected
from e2ee.conformance.peer.probe import ProbeCall
from e2ee.conformance.peer.scenario import ClientOnStage, Stage, scenario
from e2ee.media.encoded_frame import Kind
from e2ee.rtc.measure import is_tone

GROUP = "media"
MEDIA = ("media",)
TONE = 440.0
SOME = 25
A_SECOND = 50
"""Frames of sound."""


def check_frames(stage: Stage, client_leaf: int, call: ProbeCall, first_epoch: int = 2) -> None:
    """FKEY-2, FKEY-4: of all frames so far, and none was refused."""
    stage.expect(not call.refused(), f"sent frames that must be refused: {call.refused()}")
    for kind, frames in call.frames.frames.items():
        for leaf, instance, epoch, _ in frames:
            of = f"of leaf {leaf}, instance {instance}, epoch {epoch}"
            right = (leaf, instance) == (client_leaf, 0) and epoch >= first_epoch
            stage.expect(right, f"sent a frame of {kind.name.lower()} {of}")
    again = [name for name, count in call.frames.twice.items() if count > 1]
    stage.expect(not again, f"used a counter twice: {again[:1]}")


def leaf_of(call: ProbeCall, account_id: str) -> int:
    """The leaf of an account in the call."""
    (leaf,) = (each.leaf_index for each in call.call.members if each.account_id == account_id)
    return leaf


async def hears_the_peer(stage: Stage, client: ClientOnStage, kind: str) -> None:
    """If the client counts frames: until some more of the peer's were opened."""
    if client.has("counts"):
        wanted = await client.opened(kind) + SOME
        stage.journal.awaits(f"the client to open {SOME} frames of {kind}")
        await client.opens(kind, wanted)


async def hears_the_tone(stage: Stage, client: ClientOnStage, call: ProbeCall) -> None:
    """Sound of the client's is decoded; if it sends a tone, it is that one."""
    if not client.has("tone"):
        await call.hears(SOME)
        return
    await call.hears(SOME)  # the beginning may be silence
    peak = (await call.hears(2 * A_SECOND)).peak()
    stage.expect(is_tone(peak, TONE), f"sounds like {peak.frequency:.0f} Hz ({peak.purity:.2f})")


@scenario(GROUP, "CALL-8", "FRAME-1", "FKEY-2", "FKEY-4", "CODEC-7", features=MEDIA)
async def a_video_call_by_the_client(stage: Stage) -> None:
    """The client calls with video: sound and pictures go both ways, each frame of the right leaf and epoch, each counter once."""
    client, probe = await stage.client(), await stage.probe()
    await client.do("call", account=probe.name, medium="video")
    call = probe.answer(await probe.rung())
    await call.until(Connected)
    await client.told("connected")
    await hears_the_tone(stage, client, call)
    await call.shows_pictures(3)
    await hears_the_peer(stage, client, "microphone")
    await hears_the_peer(stage, client, "camera")
    check_frames(stage, 0, call)
    call.call.hang_up()  # type: ignore[union-attr]
    await client.told("ended", reason="done")


@scenario(GROUP, "CALL-8", "FRAME-1", "FKEY-2", "FKEY-4", "CALL-6", features=MEDIA)
async def a_video_call_by_the_peer(stage: Stage) -> None:
    """The peer calls with video, the client answers: sound and pictures go both ways."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe, Medium.VIDEO)
    await hears_the_tone(stage, client, call)
    await call.shows_pictures(3)
    await hears_the_peer(stage, client, "microphone")
    await hears_the_peer(stage, client, "camera")
    check_frames(stage, leaf_of(call, client.name), call)
    await client.do("hang_up")
    await client.told("ended", reason="done")


@scenario(GROUP, "CODEC-8", "CALL-26", features=MEDIA)
async def who_is_muted_sends_nothing(stage: Stage) -> None:
    """The client is muted: it says so, and sends no sound, no silence either, until it is not any more."""
    client, probe = await stage.client(), await stage.probe()
    call = await stage.in_call(client, probe, Medium.VIDEO)
    await call.sees(Kind.MICROPHONE, SOME)
    await client.do("mute", on=True)
    await call.events.until_true(
        lambda: bool(_said(call)) and not _said(call)[-1].sent.microphone, "the client's `media`"
    )
    await call.sees(Kind.CAMERA, SOME)
    before = call.frames.count(Kind.MICROPHONE)
    await call.sees(Kind.CAMERA, SOME)
    after = call.frames.count(Kind.MICROPHONE)
    stage.expect(after == before, f"sent {after - before} frames of sound while it is muted")
    await client.do("mute", on=False)
    await call.sees(Kind.MICROPHONE, SOME)


def _said(call: ProbeCall) -> list[MediaChanged]:
    return call.told(MediaChanged)


@scenario(GROUP, "FKEY-6", "FKEY-7", "FKEY-10", "KEYS-15", features=MEDIA)
async def frames_follow_the_epoch(stage: Stage) -> None:
    """The peer replaces its keys in a call with media: the client's frames come under epoch 3 and 4, and none is lost."""
    client, probe = await stage.client(), await stage.probe(epoch_lifetime=2_500)
    call = await stage.in_call(client, probe, Medium.VOICE)
    for epoch in (3, 4):
        await call.until(EpochChanged, epoch=epoch)
        await client.told("epoch", epoch=epoch)
        await call.sees(Kind.MICROPHONE, SOME, epoch=epoch)
        await hears_the_peer(stage, client, "microphone")
    check_frames(stage, leaf_of(call, client.name), call)
    epochs = [epoch for _, _, epoch, _ in call.frames.frames[Kind.MICROPHONE]]
    stage.expect(epochs == sorted(epochs), "went back to an earlier epoch")
