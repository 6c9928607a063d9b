"""Attacks by who only listens: to what frames look like, for a nonce that comes twice, with one key for others, before an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import MappingProxyType

from e2ee.call import machine
from e2ee.call.actions import ACTIONS, CallActions
from e2ee.call.call import Call
from e2ee.call.configuration import Configuration
from e2ee.call.epochs import Epochs
from e2ee.call.states import Action
from e2ee.crypto.errors import OpenError
from e2ee.crypto.secret import Secret
from e2ee.media import codecs, limits
from e2ee.media.codecs import AUDIO, CodecBinding
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.send_epochs import SendEpochs, _SendEpoch
from e2ee.sframe import key_derivation
from e2ee.sframe.cipher_suite import CipherSuite
from e2ee.sframe.counter import Counter
from e2ee.sframe.encryption import decrypt
from e2ee.sframe.header import decode_header
from e2ee.sframe.key_derivation import KeySalt, derive_key_salt, key_label
from e2ee.sframe.key_store import ReceiveKey, SendKey
from e2ee.sframe.mls import KeyId
from e2ee.sframe.ratchet import ratchet
from e2ee.sframe.replay import ReplayWindow
from e2ee.signalling import messages
from e2ee.signalling.messages import CallMessage, FromService
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import always, replaced
from e2ee.testing.hostile.media_line import WORDS, Line, talk
from e2ee.testing.hostile.platform import HostilePlatform
from e2ee.testing.hostile.trial import TAKEN, Trial
from e2ee.testing.simulated_calls import SimulatedDevice

EPOCH = 20_000
"""Milliseconds after which these devices change their keys."""

SOON = Configuration(epoch_lifetime=EPOCH)


# ------------------------------------------------------------------------------------------ what a frame looks like

_SPOKEN_SO = {
    "narrow": 0x08,
    "wide": 0x48,
    "full": 0xF8,
    "stereo": 0xFC,
    "two frames": 0xF9,
}
"""The first byte of Opus frames, by how the encoder was set (RFC 6716, Table 2)."""


@attack(
    by=Adversary.NETWORK,
    counters=("CODEC-1", "FRAME-1"),
    without=replaced(
        codecs,
        CODECS=MappingProxyType({**codecs.CODECS, Codec.OPUS: CodecBinding(AUDIO, (1,) * 256)}),
    ),
)
def look_at_the_first_byte_of_sound(trial: Trial) -> None:
    """Looks for what the sender's encoder does: bandwidth, stereo, and how much is in a frame."""
    line = talk(trial).line()
    heard: dict[str, set[bytes]] = {}
    for _ in range(40):
        for how, first in _SPOKEN_SO.items():
            frame = line.protector.protect(bytes([first]) + bytes(60))
            heard.setdefault(how, set()).add(frame[:1])
    seen = set().union(*heard.values())
    trial.note(f"{len(_SPOKEN_SO)} settings of the encoder, {len(seen)} first bytes")
    for how, first in _SPOKEN_SO.items():
        # a header begins with the length of the KID and of the CTR, and so do all frames of a call
        told = bytes([first]) in heard[how] and len(heard[how] & _of_others(heard, how)) == 0
        trial.tried(how, held=not told, outcome="told by its first byte" if told else "not told")


def _of_others(heard: dict[str, set[bytes]], how: str) -> set[bytes]:
    return set().union(*(seen for name, seen in heard.items() if name != how))


# ----------------------------------------------------------------------------------------------- a nonce that comes twice


def _count_from_nothing(epoch: _SendEpoch, kind: Kind, instance: int) -> SendKey:
    """The key of a stream as who keeps no counter derives it."""
    of = epoch.epoch
    KID = KeyId.of_epoch(kind, instance, of.own_leaf, of.number).encode()
    return SendKey.derive(of.suite, KID, of.base_key, Counter(limits.COUNTER_LIMIT))


@attack(
    by=Adversary.NETWORK,
    counters=("FKEY-2", "FKEY-3", "FKEY-4", "FKEY-5"),
    without=replaced(_SendEpoch, key=_count_from_nothing),
)
def wait_for_a_nonce_to_come_twice(trial: Trial) -> None:
    """Compares all frames of a call, to find two that were protected under one key with one nonce.

    While streams are closed and opened again, the call is put on hold, a second camera comes, connections are lost, and the
    low bits of the epoch come round.
    """
    scene = talk(trial, SOON)
    sending = scene.alice._media.frame_keys.send
    seen: set[tuple[int | None, int, int]] = set()

    def send(kind: Kind, codec: Codec, instance: int = 0) -> None:
        protector = scene.alice.open_stream(codec, kind, instance)
        for _ in range(3):
            frame = protector.protect(WORDS[codec])
            KID, CTR, _ = decode_header(frame, codecs.clear_length_of(codec, kind)[frame[0]])
            nonce = (sending.epoch, KID, CTR)
            what = "twice" if nonce in seen else "once"
            trial.tried(
                f"epoch {nonce[0]}, KID {KID}, CTR {CTR}", held=what == "once", outcome=what
            )
            seen.add(nonce)
        sending.close_stream(protector)

    for round_ in range(18):
        send(Kind.MICROPHONE, Codec.OPUS)
        send(Kind.CAMERA, Codec.VP8)
        send(Kind.CAMERA, Codec.VP8, instance=1)
        _disturb(sending, round_)
        send(Kind.MICROPHONE, Codec.OPUS)
        send(Kind.CAMERA, Codec.VP8)
        scene.calls.advance(EPOCH)
    trial.claim("the epoch's low bits came round", scene.alice.epoch >= 18)


def _disturb(sending: SendEpochs, round_: int) -> None:
    """On hold and back, every other time."""
    if round_ % 2:
        sending.pause()
        sending.resume()


# ------------------------------------------------------------------------------------------------ one key for others


@attack(
    by=Adversary.FORMER,
    counters=("FKEY-1", "FKEY-2"),
    without=replaced(key_derivation, key_label=always(b"key"), salt_label=always(b"salt")),
)
def open_with_another_key(trial: Trial) -> None:
    """Has read the key of one stream, and tries what can be derived from it on all others.

    On other streams of the same member, on the other member's, on the same stream in the next epoch: with the key as it is,
    as a ``base_key``, and with what a ratchet makes of it.
    """
    scene = talk(trial, SOON)
    stolen_from = scene.line()
    suite, base_key = _epoch_of(scene.alice._media)
    KID = stolen_from.key.KID
    stolen = derive_key_salt(suite, KID, base_key)
    opens = stolen_from.frame()
    trial.claim("the key opens its own stream", _opens(suite, stolen, KID, opens))
    others = {
        "camera": Line(scene.calls, scene.alice, scene.bob, Kind.CAMERA),
        "screen": Line(scene.calls, scene.alice, scene.bob, Kind.SCREEN_VIDEO),
        "the other's microphone": Line(scene.calls, scene.bob, scene.alice, Kind.MICROPHONE),
    }
    for what, line in others.items():
        _try_on(trial, what, suite, stolen, line)
    scene.calls.advance(EPOCH)
    trial.claim("the keys have changed", scene.alice.epoch == 3)
    _try_on(trial, "the next epoch", suite, stolen, stolen_from)


def _epoch_of(epochs: Epochs) -> tuple[CipherSuite, Secret]:
    """What the frames of a call are protected with now."""
    in_use = epochs.frame_keys.send._in_use
    if in_use is None:
        raise ValueError("nothing is sent")
    return in_use.epoch.suite, in_use.epoch.base_key


def _try_on(trial: Trial, what: str, suite: CipherSuite, stolen: KeySalt, line: Line) -> None:
    frame = line.frame()
    KID, _, _ = decode_header(frame, line.stream.clear_length[frame[0]])
    for how, derived in _derived(suite, stolen, KID):
        opened = _opens(suite, derived, KID, frame, line.stream.clear_length[frame[0]])
        trial.tried(f"{what}, {how}", held=not opened, outcome=TAKEN if opened else "not opened")


def _derived(suite: CipherSuite, stolen: KeySalt, KID: int) -> Iterator[tuple[str, KeySalt]]:
    """What somebody may try who has one key and salt."""
    Nk = suite.aead.Nk
    yield "as it is", stolen
    yield "as a base_key", derive_key_salt(suite, KID, stolen.key)
    yield "a ratchet's next step", KeySalt(Secret(ratchet(suite, stolen.key)[:Nk]), stolen.salt)
    expanded = suite.kdf.expand(stolen.key, key_label(suite, KID), Nk)
    yield "as sframe_secret", KeySalt(Secret(expanded), stolen.salt)


def _opens(suite: CipherSuite, keys: KeySalt, KID: int, frame: bytes, clear: int = 0) -> bool:
    """Whether a frame opens with a key that was come by somehow."""
    key = ReceiveKey(suite, KID, Secret(bytes(suite.aead.Nk)), epoch=0, window=ReplayWindow(1))
    key.salt, key.decrypt = int.from_bytes(keys.salt, "big"), suite.aead.cipher(keys.key).decrypt
    _, CTR, end = decode_header(frame, clear)
    with suppress(OpenError):
        decrypt(key, CTR, frame[clear:end] + frame[:clear], frame[end:])
        return True
    return False


# --------------------------------------------------------------------------------------------------- before an answer


_ADDRESS = "a=candidate:1 1 udp 1 192.0.2.7 7 typ host"


def _ring_and_describe(actions: CallActions, argument: None, now: int) -> None:
    """What a device does that says where it is while it rings, so that the call is there sooner."""
    ACTIONS[Action.RING](actions, argument, now)
    actions._say(messages.AnswerDescription(_ADDRESS))


@attack(
    by=Adversary.STRANGER,
    counters=("CALL-7", "CALL-8", "CALL-17"),
    without=replaced(machine, ACTIONS={**ACTIONS, Action.RING: _ring_and_describe}),
)
def ring_to_learn_an_address(trial: Trial) -> None:
    """Rings, to learn where the other is before anybody has answered.

    And hangs up, is told that it is busy, is declined, or lets it ring.
    """
    platform = HostilePlatform(trial)
    mallory, bob = platform.device("mallory"), platform.device("bob")
    heard: list[CallMessage] = []

    def listen(device: SimulatedDevice, message: FromService) -> Iterable[FromService]:
        if device is mallory and isinstance(message, messages.Sent):
            call = mallory.core.calls[message.call_id]
            heard.append(call._actions.in_group.open(message.message, platform.now).message)
            return ()  # its other half, which is honest, hears nothing
        return (message,)

    platform.down = listen
    endings: dict[str, Callable[[Call], object]] = {
        "hangs up": lambda _: platform.hang_up(mallory),
        "is declined": lambda call: bob.core.calls[call.call_id].decline(platform.now),
        "lets it ring": lambda _: platform.advance(91_000),
    }
    for what, end in endings.items():
        end(platform.ring(mallory, bob))
        platform.settle()
        trial.claim(f"who {what} was told something", bool(heard))
        for message in heard:
            told = not isinstance(message, messages.Ringing | messages.Hangup)
            trial.tried(f"{what}: {message.name}", held=not told, outcome=message.name)
        heard.clear()
        platform.hang_up(mallory)
