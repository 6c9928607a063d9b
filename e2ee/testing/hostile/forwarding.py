"""Attacks by and on a forwarding unit, over real WebRTC on 127.0.0.1: false labels, padding, loudness, and descriptions that are none.

Two members publish, a third one listens; their keys are set by hand. The unit is the real one, but for what the adversary
does to what it says and sends.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import av.logging

from e2ee.aiortc_seams import receiving
from e2ee.crypto.secret import Secret
from e2ee.errors import RemoteProtocolError
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.opener import FrameOpener
from e2ee.rtc import connection as rtc_connection
from e2ee.rtc import description as rtc_description
from e2ee.rtc.publishing import PublishingPeer
from e2ee.rtc.sources import TestPicture, Tone
from e2ee.rtc.subscribing import SubscribingPeer
from e2ee.session_description import AUDIO_LEVEL, MAX_DESCRIPTION
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sfu import description as sfu_description
from e2ee.sfu.aiortc_unit import AiortcForwardingUnit
from e2ee.sfu.connection import Connection
from e2ee.sfu.unit import Offer, Participant
from e2ee.system_clock import system_clock
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, nothing, replaced
from e2ee.testing.hostile.lenient_media import ignores_the_stream
from e2ee.testing.hostile.patience import until
from e2ee.testing.hostile.trial import TAKEN, Trial

LOOPBACK = ("127.0.0.1",)
CALL = b"the meeting's id"
CODECS = {Kind.MICROPHONE: Codec.OPUS, Kind.CAMERA: Codec.VP8, Kind.SCREEN_VIDEO: Codec.VP8}
ALICE, BOB, CAROL = 0, 1, 2
MEMBERS = frozenset({ALICE, BOB, CAROL})
ENOUGH = 20
"""Frames of each stream."""


@dataclass(frozen=True)
class _Announced:
    """What a member says inside the group about one of its streams."""

    kind: Kind
    instance: int
    codec: Codec


def _keys_of(leaf: int, clock: Callable[[], int]) -> FrameKeys:
    keys = FrameKeys()
    base_key = Secret(b"key of all three")
    epoch = FrameEpoch(1, cipher_suite(0x0004), base_key, leaf, MEMBERS, MEMBERS)
    keys.install(epoch, clock() - 2_000)
    keys.send.handle_timer(clock())
    return keys


@dataclass
class ForwardedCall:
    """Alice and Bob publish, Carol listens. ``mangle`` is what becomes of the offers that the unit makes to Carol."""

    mangle: Callable[[Offer], Offer]
    clock: Callable[[], int] = field(default_factory=system_clock)
    announced: dict[tuple[int, str], _Announced] = field(default_factory=dict)
    publishing: list[PublishingPeer] = field(default_factory=list)
    answering: set[asyncio.Task[None]] = field(default_factory=set)
    unit: AiortcForwardingUnit = field(init=False)
    listener: SubscribingPeer = field(init=False)

    def __post_init__(self) -> None:
        self.unit = AiortcForwardingUnit(
            self._offered, lambda *_: None, self.clock, host_addresses=LOOPBACK
        )
        opener = FrameOpener(_keys_of(CAROL, self.clock).receive)
        self.listener = SubscribingPeer(
            opener,
            self.clock,
            lambda leaf, mid: self.announced.get((leaf, mid)),
            decode=False,
            host_addresses=LOOPBACK,
        )

    async def publish(self, leaf: int, kinds: tuple[Kind, ...]) -> None:
        """A member sends a tone, and pictures, and says inside the group what it sends."""
        keys = _keys_of(leaf, self.clock)
        peer = PublishingPeer(self.clock, host_addresses=LOOPBACK)
        self.publishing.append(peer)
        for kind in kinds:
            track = Tone(440.0) if kind is Kind.MICROPHONE else TestPicture(15)
            peer.add_stream(keys.send.open_stream(CODECS[kind], kind), track)
        offer = await peer.offer()
        for (kind, instance), mid in peer.mids.items():
            self.announced[leaf, mid] = _Announced(kind, instance, CODECS[kind])
        await peer.accept(await self.unit.publish(CALL, _participant(leaf), offer))

    async def listen(self) -> None:
        """Carol asks for what there is."""
        await self.unit.subscribe(CALL, _participant(CAROL))

    def _offered(self, _call_id: bytes, member_id: bytes, offer: Offer) -> None:
        task = asyncio.ensure_future(self._take(member_id, self.mangle(offer)))
        self.answering.add(task)

    async def _take(self, member_id: bytes, offer: Offer) -> None:
        lists = offer.mids, offer.leaves, offer.source_mids
        answer = await self.listener.answer(offer.description, *lists)
        with contextlib.suppress(RemoteProtocolError):  # the unit's own rules are not the question
            await self.unit.answer(CALL, member_id, offer.number, answer)

    def counts(self) -> Mapping[str, tuple[int, Mapping[Any, int]]]:
        """Of each stream that Carol thinks she has: how many frames were opened, and rejected for what."""
        return {
            f"{name.kind.name.lower()} of leaf {name.leaf}": (each.opened, each.rejected)
            for name, each in self.listener.statistics().items()
        }

    def has_come(self, streams: int) -> bool:
        """Whether enough has come on all of so many streams."""
        seen = [opened + sum(rejected.values()) for opened, rejected in self.counts().values()]
        return len(seen) >= streams and min(seen) >= ENOUGH

    async def close(self) -> None:
        """Everybody goes."""
        await asyncio.gather(*self.answering)
        await asyncio.gather(self.listener.close(), *(each.close() for each in self.publishing))
        await self.unit.close()


def _participant(leaf: int) -> Participant:
    return Participant(b"member at leaf %d" % leaf, leaf)


@contextlib.asynccontextmanager
async def _call(
    mangle: Callable[[Offer], Offer] = lambda offer: offer,
) -> AsyncIterator[ForwardedCall]:
    av.logging.set_level(av.logging.PANIC)
    call = ForwardedCall(mangle)
    try:
        yield call
    finally:
        await call.close()


# ---------------------------------------------------------------------------------------------------------- its labels


_FALSE_LABELS: Mapping[tuple[int, Kind], tuple[int, Kind]] = {
    (ALICE, Kind.MICROPHONE): (BOB, Kind.MICROPHONE),
    (BOB, Kind.MICROPHONE): (ALICE, Kind.MICROPHONE),
    (ALICE, Kind.CAMERA): (ALICE, Kind.SCREEN_VIDEO),
    (ALICE, Kind.SCREEN_VIDEO): (BOB, Kind.CAMERA),
    (BOB, Kind.CAMERA): (ALICE, Kind.CAMERA),
}
"""What is said of each stream that is sent."""


def _falsely(call: ForwardedCall, offer: Offer) -> Offer:
    """An offer in which each m-section is said to be another member's, or of another kind."""
    mids = {(leaf, said.kind): (leaf, mid) for (leaf, mid), said in call.announced.items()}
    kinds = {place: (place[0], said.kind) for place, said in call.announced.items()}
    genuine = zip(offer.leaves, offer.source_mids, strict=True)
    false = [mids[_FALSE_LABELS[kinds[place]]] for place in genuine]
    leaves, source_mids = [leaf for leaf, _ in false], [mid for _, mid in false]
    return replace(offer, leaves=tuple(leaves), source_mids=tuple(source_mids))


@attack(
    by=Adversary.NETWORK,
    counters=("GROUP-18", "SFU-2", "FRAME-5", "FRAME-6"),
    without=replaced(FrameOpener, open=ignores_the_stream),
    on_sockets=True,
)
def label_streams_falsely(trial: Trial) -> None:
    """Says of each stream that it is another one: of another member, a camera as a screen."""
    asyncio.run(_label_streams_falsely(trial))


async def _label_streams_falsely(trial: Trial) -> None:
    async with _call() as call:
        call.mangle = partial(_falsely, call)
        await call.publish(ALICE, (Kind.MICROPHONE, Kind.CAMERA, Kind.SCREEN_VIDEO))
        await call.publish(BOB, (Kind.MICROPHONE, Kind.CAMERA))
        await call.listen()
        await until(lambda: call.has_come(5))
        for stream, (opened, rejected) in call.counts().items():
            reasons = ", ".join(sorted(map(str, rejected)))
            trial.tried(stream, held=opened == 0, outcome=reasons if opened == 0 else TAKEN)


# ---------------------------------------------------------------------------------------------------------- its packets


_PADDED = 0x20
_Packet: Any = vars(receiving)["RtpPacket"]
_parse, _send = _Packet.parse, Connection.send


def _send_padded(connection: Connection, packet: bytes) -> bool:
    """What a unit does that hides the sizes of packets, or wants receivers to stumble."""
    return _send(connection, bytes([packet[0] | _PADDED]) + packet[1:] + bytes(6) + b"\x07")


def _parse_with_padding(data: bytes, *rest: Any) -> Any:
    """A packet whose padding is taken for part of its payload."""
    packet = _parse(data, *rest)
    packet.payload += data[len(data) - packet.padding_size :] if packet.padding_size else b""
    return packet


@attack(
    by=Adversary.NETWORK,
    counters=("FRAME-3", "FRAME-11"),
    without=replaced(_Packet, parse=_parse_with_padding),
    on_sockets=True,
)
def pad_every_packet(trial: Trial) -> None:
    """Pads every packet that it forwards, so that good frames are taken for forged ones."""
    with replaced(Connection, send=_send_padded)():
        asyncio.run(_pad_every_packet(trial))


async def _pad_every_packet(trial: Trial) -> None:
    async with _call() as call:
        await call.publish(ALICE, (Kind.MICROPHONE, Kind.CAMERA))
        await call.listen()
        await until(lambda: call.has_come(2))
        for stream, (opened, rejected) in call.counts().items():
            outcome = ", ".join(sorted(map(str, rejected))) or "opened"
            trial.tried(stream, held=opened > 0 and not rejected, outcome=outcome)


# -------------------------------------------------------------------------------------------------- its descriptions


def _with_loudness(description: str) -> str:
    """The same, with the audio level extension in each m-section with sound."""
    offered = f"a=extmap:9 {AUDIO_LEVEL}\r\n"
    return re.sub(r"(m=audio[^\r]*\r\n)", rf"\g<1>{offered}", description)


@attack(
    by=Adversary.NETWORK,
    counters=("CODEC-6",),
    without=all_of(
        replaced(rtc_connection, without_audio_level=str),
        replaced(rtc_description, without_audio_level=str),
    ),
    on_sockets=True,
)
def ask_for_loudness(trial: Trial) -> None:
    """Offers, and answers with, the header extension that says in the clear how loud each frame is."""
    asyncio.run(_ask_for_loudness(trial))


async def _ask_for_loudness(trial: Trial) -> None:
    answers: list[str] = []

    async with _call(
        lambda offer: replace(offer, description=_with_loudness(offer.description))
    ) as call:
        answer = call.listener.answer

        async def noting(*offer: Any) -> str:
            answers.append(await answer(*offer))
            return answers[-1]

        call.listener.answer = noting  # type: ignore[method-assign, assignment]
        peer = PublishingPeer(call.clock, host_addresses=LOOPBACK)
        call.publishing.append(peer)
        peer.add_stream(_keys_of(ALICE, call.clock).send.open_stream(Codec.OPUS, Kind.MICROPHONE))
        offer = await peer.offer()
        _says_nothing_of_it(trial, "a member's offer", offer)
        given = await call.unit.publish(CALL, _participant(ALICE), offer)
        _says_nothing_of_it(trial, "the unit's own answer", given)
        await peer.accept(_with_loudness(given))
        await call.listen()
        await until(lambda: bool(answers))
        _says_nothing_of_it(trial, "a member's answer", answers[0])


def _says_nothing_of_it(trial: Trial, what: str, description: str) -> None:
    told = AUDIO_LEVEL in description
    trial.tried(what, held=not told, outcome="agrees" if told else "says nothing of it")


_FALSE: Mapping[str, Callable[[str], str]] = {
    "nothing": lambda _: "",
    "junk": lambda _: "v=0\r\nm=nothing\r\n",
    "without end": lambda text: text + "a=x:" + "y" * MAX_DESCRIPTION,
    "one that receives": lambda text: text.replace("a=sendonly", "a=sendrecv"),
    "another codec": lambda text: text.replace("opus/48000/2", "red/48000/2"),
    "data": lambda text: text.replace("m=audio", "m=application"),
    "a mid twice": lambda text: text.replace("a=mid:1", "a=mid:0"),
    "without a fingerprint": lambda text: re.sub("a=fingerprint:.*\r\n", "", text),
    "several transports": lambda text: re.sub("a=group:BUNDLE.*\r\n", "", text),
    "an SSRC for two streams": lambda text: re.sub(r"a=ssrc:\d+", "a=ssrc:5", text),
}


@attack(
    by=Adversary.MEMBER,
    counters=("SFU-9", "SFU-3"),
    without=replaced(sfu_description, _check_direction=nothing),
    on_sockets=True,
)
def describe_nonsense(trial: Trial) -> None:
    """Gives the forwarding unit descriptions that are none, or that say what no member may.

    It refuses them, and serves the others all the same.
    """
    asyncio.run(_describe_nonsense(trial))


async def _describe_nonsense(trial: Trial) -> None:
    async with _call() as call:
        peer = PublishingPeer(call.clock, host_addresses=LOOPBACK)
        call.publishing.append(peer)
        keys = _keys_of(BOB, call.clock)
        for kind in (Kind.MICROPHONE, Kind.CAMERA):
            peer.add_stream(keys.send.open_stream(CODECS[kind], kind))
        offer = await peer.offer()
        for what, change in _FALSE.items():
            try:
                await call.unit.publish(CALL, _participant(BOB), change(offer))
            except RemoteProtocolError as error:
                trial.tried(what, held=True, outcome=error.reason)
            else:
                trial.tried(what, held=False)
        left = call.unit.statistics().calls
        trial.claim("nothing is left of who was refused", not left)
        await call.publish(ALICE, (Kind.MICROPHONE,))
        await call.listen()
        await until(lambda: call.has_come(1))
        ((opened, rejected),) = call.counts().values()
        trial.claim("Alice is heard all the same", opened >= ENOUGH and not rejected)
