"""Vectors of the chapter Frame format: what a sender makes of a frame, and how a receiver judges one.

What concerns receiving is in ``receiving``, ``receiving_h264`` and ``holding``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import e2ee.vectorgen.receiving_h264  # noqa: F401 - adds its cases to two groups
from e2ee.vectorgen import sframe_rtp
from e2ee.vectorgen.holding import holding
from e2ee.vectorgen.models import SUITES, compose_kid, protect, split
from e2ee.vectorgen.receiving import receiving
from e2ee.vectorgen.registry import Case, Chapter, Group
from e2ee.vectorgen.rtp import pipeline
from e2ee.vectorgen.scenes import CAMERA, CODEC, MICROPHONE, SCREEN_VIDEO, Refusal, encoded

__all__ = ["CHAPTER"]

protecting = Group(
    "protecting",
    "frame -> protected frame, under the key of `kid` and with the counter `ctr`.",
)
suites = Group("suite", "SFrame suites: may a call use one?")


class SuiteRefusal(StrEnum):
    """Why a suite is refused."""

    UNSUITABLE_SUITE = "UNSUITABLE_SUITE"


class Sent(NamedTuple):
    """A frame that is sent: its stream, its counter, its length, whether it is a key frame, and its codec if not the usual one."""

    kind: int
    instance: int
    leaf_index: int
    epoch: int
    ctr: int
    length: int
    key_frame: bool = False
    codec: str | None = None


SENT = {
    "opus-first": Sent(MICROPHONE, 0, 0, epoch=2, ctr=0, length=80),
    "opus-kid-and-ctr-in-the-config-byte": Sent(MICROPHONE, 0, 0, epoch=7, ctr=7, length=3),
    "opus-kid-and-ctr-of-a-byte": Sent(MICROPHONE, 0, 0, epoch=8, ctr=8, length=3),
    "opus-one-byte": Sent(MICROPHONE, 0, 5, epoch=2, ctr=255, length=1),
    "opus-two-byte-ctr": Sent(MICROPHONE, 0, 5, epoch=2, ctr=256, length=40),
    "opus-three-byte-ctr": Sent(MICROPHONE, 0, 5, epoch=2, ctr=70_000, length=40),
    "vp8-key-frame": Sent(CAMERA, 0, 0, epoch=2, ctr=0, length=200, key_frame=True),
    "vp8-key-frame-of-clear-bytes": Sent(CAMERA, 0, 0, epoch=2, ctr=0, length=0, key_frame=True),
    "vp8-delta-frame": Sent(CAMERA, 0, 0, epoch=2, ctr=1, length=100),
    "vp8-delta-frame-of-its-clear-byte": Sent(CAMERA, 0, 0, epoch=2, ctr=1, length=1),
    "vp8-largest-kid": Sent(SCREEN_VIDEO, 15, 1_023, epoch=15, ctr=65_536, length=50),
}


@protecting.vector("FRAME-1", "CODEC-1", "CODEC-2", each=SENT)
def sent_under_0x0004(case: Case, sent: Sent) -> None:
    """AES-128-GCM. Not all bytes follow the header: the clear ones come before it and are authenticated with it."""
    _sent(case, 0x0004, sent)


@protecting.vector(
    "FRAME-1",
    "CODEC-1",
    "CODEC-2",
    each={k: SENT[k] for k in ("opus-first", "vp8-key-frame", "vp8-delta-frame")},
)
def sent_under_0x0005(case: Case, sent: Sent) -> None:
    """AES-256-GCM, keys derived with SHA-512."""
    _sent(case, 0x0005, sent)


def _sent(case: Case, suite: int, sent: Sent) -> None:
    codec = sent.codec or CODEC[sent.kind]
    base_key = case.entropy.random(SUITES[suite][1].Nk)
    frame = encoded(case, codec, sent.length, key_frame=sent.key_frame)
    case.input |= {
        "sframe_suite": suite,
        "base_key": base_key,
        "kind": sent.kind,
        "instance": sent.instance,
        "leaf_index": sent.leaf_index,
        "epoch": sent.epoch,
        "ctr": sent.ctr,
        "codec": codec,
        "frame": frame,
    }
    kid = compose_kid(sent.kind, sent.instance, sent.leaf_index, sent.epoch)
    protected = protect(suite, base_key, kid, sent.ctr, *split(codec, frame))
    case.intermediate |= protected.steps()
    case.output["protected"] = protected.sent(codec)


OTHER_CODECS = {
    "h264-key-frame": Sent(CAMERA, 0, 0, epoch=2, ctr=0, length=60, key_frame=True, codec="H264"),
    "h264-delta-frame": Sent(CAMERA, 0, 0, epoch=2, ctr=1, length=40, codec="H264"),
    "h264-slice-of-clear-bytes": Sent(CAMERA, 0, 0, epoch=2, ctr=2, length=0, codec="H264"),
    "h264-largest-kid": Sent(SCREEN_VIDEO, 15, 1_023, epoch=15, ctr=65_536, length=9, codec="H264"),
    "vp9-frame": Sent(CAMERA, 0, 0, epoch=2, ctr=0, length=60, codec="VP9"),
    "vp9-one-byte": Sent(CAMERA, 0, 0, epoch=2, ctr=1, length=1, codec="VP9"),
}


@protecting.vector("FRAME-1", "CODEC-10", "CODEC-13", "CODEC-15", each=OTHER_CODECS)
def sent_as(case: Case, sent: Sent) -> None:
    """H.264 has what SFrame made behind its clear part, with emulation prevention and a last byte 80; of VP9 nothing is clear."""
    _sent(case, 0x0004, sent)


NOT_SENT = {
    "empty-opus-frame": ("opus", MICROPHONE, b""),
    "empty-vp8-frame": ("VP8", CAMERA, b""),
    "vp8-key-frame-of-nine-bytes": ("VP8", CAMERA, bytes.fromhex("d042009d012a8002e0")),
    "empty-h264-frame": ("H264", CAMERA, b""),
}


@protecting.vector("CODEC-3", reason=Refusal.TOO_SHORT, each=NOT_SENT)
def sender_is_given(case: Case, given: tuple[str, int, bytes]) -> None:
    """Shorter than its clear bytes, or nothing: an encoder's fault, and not to be sent."""
    codec, kind, frame = given
    case.input |= {
        "sframe_suite": 0x0004,
        "base_key": case.entropy.random(SUITES[0x0004][1].Nk),
        "kind": kind,
        "instance": 0,
        "leaf_index": 0,
        "epoch": 2,
        "ctr": 0,
        "codec": codec,
        "frame": frame,
    }


@suites.vector("FRAME-2", each={"0x0004": 0x0004, "0x0005": 0x0005})
def suite_with_16_byte_tags(case: Case, suite: int) -> None:
    """The two suites of calls."""
    case.input["sframe_suite"] = suite


@suites.vector(
    "FRAME-2",
    reason=SuiteRefusal.UNSUITABLE_SUITE,
    each={f"0x{suite:04x}": suite for suite in (0x0001, 0x0002, 0x0003, 0x0006, 0x0007, 0x0008)},
)
def suite_with_short_tags(case: Case, suite: int) -> None:
    """Registered, and not for calls: the hop that could count forgeries is the adversary."""
    case.input["sframe_suite"] = suite


CHAPTER = Chapter(
    "frame-format",
    "L1",
    "One encoded frame becomes one protected frame, and how a receiver judges one.",
    (protecting, suites, receiving, holding, sframe_rtp.sending, sframe_rtp.receiving, pipeline),
)
