"""Vectors of the chapter Codecs: session descriptions of one-to-one calls, and the codec of each of their streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from e2ee.vectorgen.registry import Case, Group

__all__ = ["GROUPS"]

GROUP = Group(
    "description",
    "The session description (SDP) of a one-to-one call, type offer or answer, comes to a device that can use these codecs for each of"
    " microphone, camera and screen video. output: the codec of each stream. Nothing is asked of what other chapters do not say: ports,"
    " credentials, candidates. A device that would answer answers an offer with these codecs.",
    "L4",
)


unit = Group(
    "unit-description",
    "The forwarding unit of a group call offers this session description (SDP) to a member that can use these codecs. `known` are kind"
    " (of the m line) and mid of the m-sections of its offer before.",
    "L4",
)

GROUPS = (GROUP, unit)


class Refusal(StrEnum):
    """Why a description is refused."""

    UNEXPECTED_MEDIA = "UNEXPECTED_MEDIA"


BASELINE = "profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1"

PAYLOADS: dict[str, tuple[str, str]] = {
    "opus": ("opus/48000/2", "minptime=10;useinbandfec=1"),
    "red": ("red/48000/2", "111/111"),
    "PCMU": ("PCMU/8000", ""),
    "VP8": ("VP8/90000", ""),
    "VP9": ("VP9/90000", "profile-id=0"),
    "AV1": ("AV1/90000", "profile=0"),
    "H264": ("H264/90000", BASELINE),
    "H264-mode-0": ("H264/90000", BASELINE.replace("mode=1", "mode=0")),
    "H264-no-mode": ("H264/90000", "profile-level-id=42e01f;level-asymmetry-allowed=1"),
    "H264-high": ("H264/90000", BASELINE.replace("42e0", "6400")),
    "H264-plain-baseline": ("H264/90000", BASELINE.replace("42e0", "4200")),
    "H264-upper-case": ("H264/90000", BASELINE.replace("42e0", "42E0")),
    "h264-lower-case": ("h264/90000", BASELINE),
}
"""What an m-section may name, with its parameters."""

FINGERPRINT = ":".join(f"{byte:02X}" for byte in range(32))


@dataclass(frozen=True)
class Section:
    """An m-section."""

    kind: str
    codecs: tuple[str, ...]
    direction: str = "sendrecv"

    def lines(self, mid: str) -> list[str]:
        """As SDP has it, each codec of video with its retransmission."""
        numbers: list[int] = []
        attributes: list[str] = []
        for place, codec in enumerate(self.codecs):
            name, parameters = PAYLOADS[codec]
            number = 96 + 2 * place
            numbers.append(number)
            attributes.append(f"a=rtpmap:{number} {name}")
            if parameters:
                attributes.append(f"a=fmtp:{number} {parameters}")
            if self.kind == "video":
                numbers.append(number + 1)
                attributes += [
                    f"a=rtpmap:{number + 1} rtx/90000",
                    f"a=fmtp:{number + 1} apt={number}",
                ]
        return [
            f"m={self.kind} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, numbers))}",
            "c=IN IP4 0.0.0.0",
            f"a=mid:{mid}",
            f"a={self.direction}",
            "a=rtcp-mux",
            "a=ice-ufrag:abcd",
            "a=ice-pwd:abcdefghijklmnopqrstuvwx",
            f"a=fingerprint:sha-256 {FINGERPRINT}",
            "a=setup:actpass",
            *attributes,
        ]


MICROPHONE, VIDEO = Section("audio", ("opus",)), Section("video", ("VP8",))

THREE = (MICROPHONE, VIDEO, VIDEO)

USUAL = {"audio": ("opus",), "video": ("VP8",)}
BOTH = ("VP8", "H264")


def described(sections: Sequence[Section], mids: Sequence[str], bundles: Sequence[str]) -> str:
    """SDP."""
    lines = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    lines += [f"a=group:BUNDLE {mids}" for mids in bundles]
    for mid, section in zip(mids, sections, strict=True):
        lines += section.lines(mid)
    return "".join(f"{line}\r\n" for line in lines)


def came(
    case: Case, sections: Sequence[Section], *chosen: str, type: str = "offer", **usable: Any
) -> None:
    """The case is about a description of these m-sections."""
    mids = [str(mid) for mid in range(len(sections))]
    if "H264" in (USUAL | usable)["video"]:
        case.features.add("H264")
    case.input |= {
        "type": type,
        "description": described(sections, mids, [" ".join(mids)]),
        "usable": USUAL | usable,
    }
    if case.reason is None:
        case.output["codecs"] = list(chosen)


def video(*codecs: str) -> tuple[Section, Section, Section]:
    """The streams of video name these codecs."""
    named = replace(VIDEO, codecs=codecs)
    return MICROPHONE, named, named


@GROUP.vector("CODEC-7", "CODEC-17", each={"offer": "offer", "answer": "answer"})
def three_streams_in_an(case: Case, type: str) -> None:
    """Microphone, camera and screen video, all of them always, both ways."""
    came(case, THREE, "opus", "VP8", "VP8", type=type)


@GROUP.vector(
    "CODEC-7",
    reason=Refusal.UNEXPECTED_MEDIA,
    each={
        "no-stream": (),
        "one-stream": THREE[:1],
        "two-streams": THREE[:2],
        "four-streams": (*THREE, VIDEO),
        "streams-in-another-order": (VIDEO, MICROPHONE, VIDEO),
        "the-sound-of-the-screen": (MICROPHONE, VIDEO, MICROPHONE),
    },
)
def description_of(case: Case, sections: Sequence[Section]) -> None:
    """Exactly three, in their order."""
    came(case, sections)


@GROUP.vector(
    "CODEC-7",
    reason=Refusal.UNEXPECTED_MEDIA,
    each={name: name for name in ("sendonly", "recvonly", "inactive")},
)
def description_with_a_camera_that_is(case: Case, direction: str) -> None:
    """What is sent starts and stops without a new description."""
    came(case, (MICROPHONE, replace(VIDEO, direction=direction), VIDEO))


@GROUP.vector("CODEC-17")
def first_codec_that_both_can_use(case: Case) -> None:
    """In the order of the offer, not of the device that answers."""
    came(case, video("H264", "VP8"), "opus", "H264", "H264", video=BOTH)


@GROUP.vector("CODEC-17")
def first_codec_that_only_the_other_can_use(case: Case) -> None:
    """It is passed over."""
    came(case, video("VP9", "H264", "VP8"), "opus", "VP8", "VP8")


@GROUP.vector("CODEC-17")
def different_codecs_of_camera_and_screen(case: Case) -> None:
    """Each m-section for itself."""
    came(
        case,
        (MICROPHONE, replace(VIDEO, codecs=("VP8",)), replace(VIDEO, codecs=("H264", "VP8"))),
        "opus",
        "VP8",
        "H264",
        video=BOTH,
    )


@GROUP.vector("CODEC-17", reason=Refusal.UNEXPECTED_MEDIA)
def no_codec_in_common(case: Case) -> None:
    """The device that answers has only one of them."""
    came(case, video("H264"))


@GROUP.vector("CODEC-5")
def codecs_that_no_row_names(case: Case) -> None:
    """Browsers offer them; they are passed over, RED too."""
    came(
        case,
        (replace(MICROPHONE, codecs=("red", "PCMU", "opus")), *video("AV1", "VP8")[1:]),
        "opus",
        "VP8",
        "VP8",
    )


@GROUP.vector(
    "CODEC-5",
    reason=Refusal.UNEXPECTED_MEDIA,
    each={
        "sound": (replace(MICROPHONE, codecs=("PCMU",)), VIDEO, VIDEO),
        "pictures": video("AV1"),
        "red": (replace(MICROPHONE, codecs=("red",)), VIDEO, VIDEO),
    },
)
def only_codecs_that_no_row_names_for(case: Case, sections: Sequence[Section]) -> None:
    """There is nothing to use."""
    came(case, sections)


@GROUP.vector("CODEC-18", each={"upper-case": "H264-upper-case", "lower-case": "h264-lower-case"})
def h264_in(case: Case, codec: str) -> None:
    """Names of codecs and hexadecimal digits are the same in both."""
    came(case, video(codec, "VP8"), "opus", "H264", "H264", video=BOTH)


OTHERS = ("H264-mode-0", "H264-no-mode", "H264-high", "H264-plain-baseline")


@GROUP.vector("CODEC-18", each={name.removeprefix("H264-"): name for name in OTHERS})
def h264_of_another_kind_before_vp8(case: Case, codec: str) -> None:
    """Mode 1 and the constrained baseline profile, nothing else; without a mode it is 0."""
    came(case, video(codec, "VP8"), "opus", "VP8", "VP8", video=BOTH)


@GROUP.vector(
    "CODEC-18",
    reason=Refusal.UNEXPECTED_MEDIA,
    each={name.removeprefix("H264-"): name for name in OTHERS},
)
def h264_only_of_the_kind(case: Case, codec: str) -> None:
    """It is another codec as far as calls are concerned."""
    came(case, video(codec), video=BOTH)


SOUND, PICTURE = Section("audio", ("opus",), "sendonly"), Section("video", ("VP8",), "sendonly")


def offered(
    case: Case,
    *sections: Section,
    known: Sequence[tuple[str, str]] = (),
    mids: Sequence[str] | None = None,
    bundles: Sequence[str] | None = None,
) -> None:
    """The case is about an offer of these m-sections."""
    named = [str(mid) for mid in range(len(sections))] if mids is None else mids
    case.input |= {
        "known": [{"kind": kind, "mid": mid} for kind, mid in known],
        "description": described(
            sections, named, [" ".join(named)] if bundles is None else bundles
        ),
        "usable": USUAL,
    }


BEFORE = (("audio", "0"), ("video", "1"))


@unit.vector(
    "CODEC-9",
    "SFU-11",
    each={
        "for-the-first-time": ((SOUND, PICTURE), ()),
        "with-more-than-before": ((SOUND, PICTURE, PICTURE, SOUND), BEFORE),
        "with-one-that-ended": ((SOUND, replace(PICTURE, direction="inactive")), BEFORE),
        "of-128-m-sections": ((SOUND,) * 128, ()),
    },
)
def unit_offers(case: Case, how: tuple[Sequence[Section], Sequence[tuple[str, str]]]) -> None:
    """Streams of others; those of before come first."""
    sections, known = how
    offered(case, *sections, known=known)


@unit.vector(
    "CODEC-9",
    reason=Refusal.UNEXPECTED_MEDIA,
    each={
        "of-no-m-section": ((), ()),
        "of-129-m-sections": ((SOUND,) * 129, ()),
        "that-wants-to-receive": ((SOUND, replace(PICTURE, direction="recvonly")), ()),
        "both-ways": ((replace(SOUND, direction="sendrecv"), PICTURE), ()),
        "of-another-codec": ((SOUND, replace(PICTURE, codecs=("AV1",))), ()),
        "of-fewer-than-before": ((SOUND,), BEFORE),
        "of-others-than-before": ((PICTURE, SOUND), BEFORE),
    },
)
def unit_offer(case: Case, how: tuple[Sequence[Section], Sequence[tuple[str, str]]]) -> None:
    """What a member does not take part in."""
    sections, known = how
    offered(case, *sections, known=known)


@unit.vector(
    "CODEC-9",
    reason=Refusal.UNEXPECTED_MEDIA,
    each={"before": ("1", "0"), "another": ("1", "1")},
)
def unit_offer_with_the_mid_of(case: Case, mids: Sequence[str]) -> None:
    """The first of those of before has another mid, or two have one."""
    offered(case, SOUND, PICTURE, known=BEFORE[:1] if mids[0] != mids[1] else (), mids=mids)


@unit.vector("SFU-11", reason=Refusal.UNEXPECTED_MEDIA, each={"two": ("0", "1"), "none": ()})
def unit_offer_of_bundles(case: Case, bundles: Sequence[str]) -> None:
    """One transport for all."""
    offered(case, SOUND, PICTURE, bundles=bundles)
