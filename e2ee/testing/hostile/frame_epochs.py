"""Attacks on which key opens which frame: frames that come late, come back, or name a key that did not make them."""

from __future__ import annotations

from dataclasses import replace

from e2ee.call.configuration import Configuration
from e2ee.media import opener, protector, receive_epochs
from e2ee.media.encoded_frame import Kind
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.sframe import header
from e2ee.sframe.encryption import decrypt, encrypt
from e2ee.sframe.header import decode_header
from e2ee.sframe.key_store import ReceiveKey, SendKey
from e2ee.testing.hostile.attack import Adversary, attack
from e2ee.testing.hostile.defences import all_of, no, nothing, replaced
from e2ee.testing.hostile.foreign_frames import mislabelled
from e2ee.testing.hostile.lenient_media import tries_every_key
from e2ee.testing.hostile.media_line import Line, talk
from e2ee.testing.hostile.trial import TAKEN, Trial

EPOCH = 20_000
"""Milliseconds after which these devices change their keys."""

SOON = Configuration(epoch_lifetime=EPOCH)


@attack(
    by=Adversary.NETWORK,
    counters=("FKEY-10", "FKEY-13", "FKEY-14", "FRAME-8"),
    without=replaced(receive_epochs._Slot, end_by=nothing, end_for=no),
)
def frames_of_an_ended_epoch(trial: Trial) -> None:
    """Keeps frames back, and delivers them when the keys have changed.

    Seconds, minutes, and sixteen epochs later, when their KID names another epoch with the same low bits.
    """
    scene = talk(trial, SOON)
    line = scene.line()
    kept = [line.frame() for _ in range(40)]
    scene.calls.advance(EPOCH)
    trial.claim(
        "just after the change a late frame is still opened", line.deliver(kept.pop()) == TAKEN
    )
    scene.calls.advance(1_001)
    scene.forged(line, "1 s after its sender went on", kept.pop())
    scene.calls.advance(10_000)
    scene.forged(line, "10 s later", kept.pop())
    for _ in range(16):
        scene.calls.advance(EPOCH)
        line.deliver(line.frame())
        scene.forged(line, f"in epoch {scene.bob.epoch}", kept.pop())
    scene.still_heard(line)


@attack(
    by=Adversary.MEMBER,
    counters=("FRAME-8",),
    without=replaced(FrameOpener, open=tries_every_key),
)
def one_frame_under_two_keys(trial: Trial) -> None:
    """Protects frames with one epoch's key and names another's.

    Who tries keys until one fits would hear something, and who does not would not.
    """
    scene = talk(trial, SOON)
    line = scene.line()
    scene.calls.advance(EPOCH)
    line.deliver(line.frame())
    key = line.key
    named = {
        "the epoch before": key.KID - 1,
        "the next epoch": key.KID + 1,
        "another instance": key.KID | 1 << 18,
    }
    for what, KID in named.items():
        line.protector.use(mislabelled(key, KID))
        for _ in range(3):
            scene.forged(line, f"with the name of {what}", line.frame())
    line.protector.use(key)
    scene.still_heard(line)


@attack(
    by=Adversary.MEMBER,
    counters=("FRAME-4",),
    without=replaced(
        header,
        _FORMS=tuple(form._replace(smallest_kid=0, smallest_ctr=0) for form in header._FORMS),
    ),
)
def longer_headers(trial: Trial) -> None:
    """Writes KID and CTR with more bytes than they need.

    The frames are otherwise genuine: one frame would have many names.
    """
    scene = talk(trial)
    line = scene.line()
    key = line.key
    for extra in range(1, 6):
        for what, prefixes in _longer(key, extra).items():
            line.protector.use(prefixes)
            scene.forged(line, f"{what} with {extra} bytes too many", line.frame())
    line.protector.use(key)
    scene.still_heard(line)


def _longer(key: SendKey, extra: int) -> dict[str, SendKey]:
    """Keys whose headers are longer than they need to be, and authenticated so."""
    length = (key.KID.bit_length() + 7) // 8
    KID = key.KID.to_bytes(length + extra, "big")
    long_kid = tuple(bytes([7 + length + extra << 4 | nibble]) + KID for nibble in range(16))
    long_ctr = tuple(
        bytes([prefix[0] & 0xF0 | 7 + extra]) + prefix[1:] + CTR.to_bytes(extra, "big")
        for CTR, prefix in enumerate(key.header_prefixes)
    )
    return {
        "a KID": replace(key, header_prefixes=long_kid),
        "a CTR": replace(key, header_prefixes=long_ctr),
    }


class _Everybody(receive_epochs._Slot):
    """An epoch in which the own leaf is a sender as well."""

    def __init__(self, epoch: FrameEpoch) -> None:
        super().__init__(epoch)
        self.senders = epoch.roster


@attack(
    by=Adversary.NETWORK,
    counters=("FRAME-6", "FKEY-2"),
    without=replaced(receive_epochs, _Slot=_Everybody),
)
def own_frames_back(trial: Trial) -> None:
    """Sends a member's own frames back to it, as the other one's and as nobody's."""
    scene = talk(trial)
    line = scene.line()
    back = Line(scene.calls, scene.bob, scene.alice, Kind.MICROPHONE)
    for sender in (back.stream.sender, None):
        stream = IncomingStream(back.stream.codec, Kind.MICROPHONE, sender)
        outcome = back.deliver(line.frame(), stream)
        announced = "the other's" if sender is not None else "nobody's"
        trial.tried(f"as {announced}", held=outcome != TAKEN, outcome=outcome)
    scene.still_heard(line)


def _forget_clear(key: SendKey, _metadata: bytes, plaintext: bytes) -> bytes:
    return encrypt(key, b"", plaintext)


def _ignore_clear(key: ReceiveKey, CTR: int, aad: bytes, ciphertext: bytes) -> bytes:
    _, _, end = decode_header(aad)
    return decrypt(key, CTR, aad[:end], ciphertext)


@attack(
    by=Adversary.NETWORK,
    counters=("FRAME-3", "CODEC-2", "THREAT-1"),
    without=all_of(
        replaced(protector, encrypt=_forget_clear), replaced(opener, decrypt=_ignore_clear)
    ),
)
def change_clear_bytes(trial: Trial) -> None:
    """Changes what stays clear of a picture: its size, whether it is a key frame, whether it is shown."""
    scene = talk(trial)
    line = scene.line(Kind.CAMERA)
    key_frame = line.frame()
    smaller = bytearray(key_frame)
    smaller[6:10] = bytes.fromhex("0100 0100")
    for what, data in (
        ("another size", smaller),
        ("another first partition", key_frame[:1] + bytes([key_frame[1] ^ 0x20]) + key_frame[2:]),
        ("no longer a key frame", bytes([key_frame[0] | 1]) + key_frame[1:]),
        ("a hidden frame", bytes([key_frame[0] ^ 0x10]) + key_frame[1:]),
    ):
        scene.forged(line, what, bytes(data))
    scene.still_heard(line)
