"""A probe: a device of the peer, and its calls, with what it sees of the client's frames.

It is the library's own client, which may be told to do what no client does: ``whisper`` something, ``commit`` what is
not legal, ``tamper`` with its frames, or live at another time.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from e2ee.call.medium import Medium
from e2ee.client.call import Call
from e2ee.client.client import Client
from e2ee.client.group_call import GroupCall
from e2ee.client.invitation import Invitation
from e2ee.client.media import Media
from e2ee.conformance.peer.findings import ClientFault, Journal
from e2ee.conformance.peer.tampering import TamperedStream, TamperingKeys
from e2ee.conformance.peer.watched import Watched
from e2ee.crypto.system_entropy import SystemEntropy
from e2ee.media.encoded_frame import Kind, OpenedFrame
from e2ee.mls.extension import Extension
from e2ee.mls.proposal import ProposalContent
from e2ee.profile.leaves import committer_policy
from e2ee.rtc.meters import PictureMeter, ToneMeter
from e2ee.rtc.observer import FrameObserver
from e2ee.rtc.sources import TestPicture, Tone
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage
from e2ee.system_clock import Clock, system_clock

__all__ = ["Probe", "ProbeCall", "ProbeClock", "SeenFrames"]


@dataclass
class ProbeClock:
    """A probe's own time: the system's, and so many milliseconds more. So its patience can end at once."""

    ahead: int = 0
    _clock: Clock = field(default_factory=system_clock)

    def __call__(self) -> int:
        return self._clock() + self.ahead


class SeenFrames(FrameObserver):
    """The frames that came to a call of a probe's and were opened, by the KID's parts: FKEY-2, FKEY-4."""

    def __init__(self) -> None:
        self.frames = dict[Kind, list[tuple[int, int, int, int]]]()
        """By kind: leaf, instance, epoch and CTR of each, in the order in which they came."""
        self.twice = Counter[tuple[Kind, int, int, int, int]]()
        self._came = asyncio.Event()

    def opened(self, kind: Kind, frame: OpenedFrame, timestamp: int, arrived: int) -> None:  # noqa: ARG002
        """See FrameObserver."""
        key_id = frame.key_id
        seen = key_id.leaf_index, key_id.instance, frame.epoch, frame.CTR
        self.frames.setdefault(kind, []).append(seen)
        self.twice[(kind, *seen)] += 1
        self._came.set()

    def count(self, kind: Kind, *, leaf: int | None = None, epoch: int | None = None) -> int:
        """How many of a kind came, of a leaf and in an epoch."""
        return sum(
            leaf in {None, each[0]} and epoch in {None, each[2]}
            for each in self.frames.get(kind, [])
        )

    async def more(
        self, kind: Kind, frames: int, *, leaf: int | None = None, epoch: int | None = None
    ) -> None:
        """Until so many more have come."""
        wanted = self.count(kind, leaf=leaf, epoch=epoch) + frames
        while self.count(kind, leaf=leaf, epoch=epoch) < wanted:
            self._came.clear()
            await self._came.wait()


class ProbeCall:
    """A call of a probe's. ``frames`` is what it saw."""

    def __init__(self, probe: Probe, call: Call | GroupCall, frames: SeenFrames) -> None:
        self.probe, self.call, self.frames = probe, call, frames
        self._journal = probe.journal
        self.events = Watched(aiter(call), probe.name, probe.journal)
        self.until, self.told = self.events.until, self.events.told

    # What the client sends

    async def sees(
        self, kind: Kind, frames: int, *, leaf: int | None = None, epoch: int | None = None
    ) -> None:
        """Until so many more frames were opened."""
        where = "" if epoch is None else f" in epoch {epoch}"
        self._journal.awaits(f"{frames} frames of {kind.name.lower()} from the client{where}")
        await self.frames.more(kind, frames, leaf=leaf, epoch=epoch)

    async def shows_pictures(self, count: int) -> None:
        """Until so many pictures of the client's camera were decoded."""
        self._journal.awaits(f"{count} pictures that can be decoded")
        meter, track = PictureMeter(), cast(Call, self.call).track(Kind.CAMERA)
        if track is None:
            raise ClientFault("there is no stream of pictures")
        while meter.frames < count:
            meter.see(await track.recv())

    async def hears(self, count: int) -> ToneMeter:
        """Until so many frames of the client's microphone were decoded; gives what they sound like."""
        self._journal.awaits(f"{count} frames of sound that can be decoded")
        meter, track = ToneMeter(), cast(Call, self.call).track(Kind.MICROPHONE)
        if track is None:
            raise ClientFault("there is no stream of sound")
        while meter.frames < count:
            meter.hear(await track.recv())
        return meter

    def refused(self) -> dict[str, int]:
        """Of the client's frames, how many were refused here, by reason."""
        reasons = Counter[str]()
        for each in self.call.statistics.received.values():
            for reason, count in each.rejected.items():
                reasons[str(reason)] += count
        return dict(reasons)

    # What no client does

    @property
    def stream(self) -> TamperedStream:
        """What its microphone sends, to be tampered with."""
        return self.probe.keys[-1].tampering.streams[Kind.MICROPHONE]

    def whisper(self, message: CallMessage | bytes) -> None:
        """Say this in the call, whatever it is, allowed or not. Goes out in order with what else is said."""
        actions = cast(Call, self.call)._core._actions
        if isinstance(message, bytes):
            sealed = actions.in_group._group.protect(message, entropy=SystemEntropy()).encode()
        else:
            sealed = actions.in_group.protect(message, SystemEntropy())
        actions.outbox.append(messages.Send(self.call.call_id, sealed))
        self.probe.client.changed()

    def commit(self, proposals: Sequence[ProposalContent]) -> bytes:
        """A commit with these proposals, signed and tagged by this member, as the log would show it."""
        group = cast(Call, self.call)._core._actions.in_group._group
        pending = group.commit(
            proposals=proposals,
            policy=committer_policy(self.probe.clock()),
            entropy=SystemEntropy(),
            ratchet_tree_extension=False,
        )
        return pending.message.encode()

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """Of the group's context, the profile among them."""
        return cast(Call, self.call)._core._actions.in_group._group.extensions

    def close(self) -> None:
        """Watch it no more."""
        self.events.stop()


@dataclass
class Probe:
    """A device of the peer that is online."""

    name: str
    client: Client
    clock: ProbeClock
    journal: Journal
    keys: list[TamperingKeys]
    """Of each of its calls, the newest last."""
    calls: list[ProbeCall] = field(default_factory=list)

    async def call(self, account_id: str, medium: Medium) -> ProbeCall:
        """Call an account."""
        media, frames = self._media(medium)
        return self._keep(self.client.call(account_id, media, medium=medium), frames)

    async def rung(self) -> Invitation:
        """Until somebody calls."""
        self.journal.awaits(f"the client's call to ring at {self.name}")
        return await self.client.invitation()

    def answer(self, invitation: Invitation) -> ProbeCall:
        """Take a call."""
        media, frames = self._media(invitation.ringing.medium)
        return self._keep(invitation.answer(media), frames)

    def meet(self) -> ProbeCall:
        """Make a group call."""
        media, frames = self._media(Medium.VIDEO)
        return self._keep(self.client.meet(media), frames)

    def join(self, link: str, *, silent: bool = False) -> ProbeCall:
        """Ask to join a group call, perhaps to send nothing in it."""
        media, frames = self._media(Medium.TEXT if silent else Medium.VIDEO)
        return self._keep(self.client.join(link, media), frames)

    def patience_ends(self, milliseconds: int) -> None:
        """So much time passes at once, for this probe alone."""
        self.clock.ahead += milliseconds
        self.client.changed()

    def close(self) -> None:
        """Watch its calls no more."""
        for call in self.calls:
            call.close()

    def _media(self, medium: Medium) -> tuple[Media, SeenFrames]:
        frames = SeenFrames()
        if medium is Medium.TEXT:
            return Media(observers=[frames]), frames
        camera = TestPicture() if medium is Medium.VIDEO else None
        return Media(camera, Tone(660.0), observers=[frames]), frames

    def _keep(self, call: Call | GroupCall, frames: SeenFrames) -> ProbeCall:
        kept = ProbeCall(self, call, frames)
        self.calls.append(kept)
        return kept
