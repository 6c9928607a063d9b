"""What members' descriptions may say to a forwarding unit (SFU-9), and what the unit's own ones do.

A member's candidates are left out, all of them: the unit sends to where checks of the member's come from, and to no address
that a description names. Only one header extension is ever negotiated, the time when a packet was sent, and that only on
video.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from aiortc import RTCSessionDescription
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import DYNAMIC_PAYLOAD_TYPES
from aiortc.sdp import MediaDescription, SessionDescription

from e2ee.session_description import (
    ABS_SEND_TIME,
    CANDIDATE,
    END_OF_CANDIDATES,
    has_fingerprint,
    is_baseline_h264,
    joined,
    parsed,
    with_extensions,
)
from e2ee.sfu.errors import SfuError, SfuReason
from e2ee.sfu.limits import MAX_PUBLISHED
from e2ee.sfu.source import Format

__all__ = ["CODECS", "answer_of", "format_of", "publishing_offer", "without_tales"]

CODECS: Mapping[str, Sequence[str]] = MappingProxyType(
    {"audio": ("opus",), "video": ("VP8", "H264")}
)
"""By the kind of media in SDP (chapter Codecs). No others are forwarded."""

_LONGEST_MID = 16


def publishing_offer(text: str) -> tuple[RTCSessionDescription, list[MediaDescription]]:
    """A publisher's offer, fit for aiortc, and its m-sections. Raises SfuError."""
    description, checked = _checked(text, "offer")
    media = description.media
    if not 0 < len(media) <= MAX_PUBLISHED:  # SFU-9
        raise _unexpected(f"{len(media)} m-sections")
    for section in media:
        _check_direction(section, {"sendonly"})  # SFU-9
        if not 0 < len(section.ssrc) <= 2:  # of the stream, and of its retransmissions
            raise _unexpected(f"{len(section.ssrc)} SSRCs")
    ssrcs = [ssrc for section in media for ssrc in _ssrcs(section)]
    if len(set(ssrcs)) != len(ssrcs) or not all(0 < ssrc < 1 << 32 for ssrc in ssrcs):
        raise _unexpected("SSRCs that are none, or one for two streams")
    return checked, media


def answer_of(
    text: str, offered: Sequence[MediaDescription]
) -> tuple[RTCSessionDescription, list[MediaDescription]]:
    """A subscriber's answer to an offer of these m-sections, fit for aiortc, and its own. Raises SfuError."""
    description, checked = _checked(text, "answer")
    media = description.media
    if [(each.kind, each.rtp.muxId) for each in media] != [
        (each.kind, each.rtp.muxId) for each in offered
    ]:
        raise _unexpected("other m-sections than those of the offer")
    for section, of_offer in zip(media, offered, strict=True):
        _check_direction(section, {"recvonly", "inactive"})  # SFU-9: "MUST NOT send anything"
        if not _numbers(section) <= _numbers(of_offer):
            raise _unexpected(f"{section.kind} under other numbers than those of the offer")
    return checked, media


def without_tales(text: str) -> str:
    """A description of the unit's own, without the header extensions that tell something."""
    return with_extensions(text, {ABS_SEND_TIME})


def format_of(sender: MediaDescription, agreed: MediaDescription) -> Format:
    """How a stream travels: by the m-section of who sends it, and by the answer to the offer. Raises SfuError."""
    ssrcs = _ssrcs(sender)
    name, codec = _codec(agreed)
    rtx = next((each for each in agreed.rtp.codecs if _repairs(each, codec)), None)
    repaired = rtx is not None and len(ssrcs) > 1
    extensions = [each for each in agreed.rtp.headerExtensions if each.uri == ABS_SEND_TIME]
    return Format(
        codec=name,
        clock_rate=codec.clockRate,
        ssrc=ssrcs[0],
        payload_type=codec.payloadType or 0,
        rtx_ssrc=ssrcs[1] if repaired else None,
        rtx_payload_type=rtx.payloadType if rtx and repaired else None,
        asks=any(each.type == "nack" and not each.parameter for each in codec.rtcpFeedback),
        send_time_id=extensions[0].id if extensions and 0 < extensions[0].id < 15 else None,
    )


def _checked(text: str, step: str) -> tuple[SessionDescription, RTCSessionDescription]:
    lines = [
        line for line in text.splitlines() if not line.startswith((CANDIDATE, END_OF_CANDIDATES))
    ]  # SFU-11: "MUST NOT send to an address because a description names it"
    text = joined(lines)
    try:
        description = parsed(text)
    except ValueError as error:
        raise SfuError(SfuReason.MALFORMED_DESCRIPTION, str(error)) from None
    mids = [section.rtp.muxId for section in description.media]
    if not all(0 < len(mid) <= _LONGEST_MID for mid in mids) or len(set(mids)) != len(mids):
        raise _unexpected("mids that name nothing, or the same")
    if [group.items for group in description.group if group.semantic == "BUNDLE"] != [
        mids
    ]:  # SFU-11
        raise _unexpected("more than one transport")
    for section in description.media:
        if section.kind not in CODECS:
            raise _unexpected(section.kind[:16])
        _codec(section)
        if not has_fingerprint(section):
            raise SfuError(SfuReason.NO_FINGERPRINT, section.kind)
    return description, RTCSessionDescription(sdp=text, type=step)


def _check_direction(section: MediaDescription, directions: Collection[str]) -> None:
    if section.direction not in directions:
        raise _unexpected(f"{section.kind} is {section.direction}")


def _codec(section: MediaDescription) -> tuple[str, RTCRtpCodecParameters]:
    """The first one that is forwarded, with its name in the table."""
    names = {name.lower(): name for name in CODECS[section.kind]}
    for codec in section.rtp.codecs:
        name = names.get(codec.name.lower())
        if name is None or codec.payloadType not in DYNAMIC_PAYLOAD_TYPES:
            continue
        if name != "H264" or is_baseline_h264(codec.parameters):  # CODEC-18
            return name, codec
    raise _unexpected(f"{section.kind} without {' or '.join(names.values())}")


def _repairs(codec: RTCRtpCodecParameters, other: RTCRtpCodecParameters) -> bool:
    is_rtx = codec.name.lower() == "rtx" and codec.parameters.get("apt") == other.payloadType
    return is_rtx and codec.payloadType in DYNAMIC_PAYLOAD_TYPES


def _numbers(section: MediaDescription) -> set[tuple[int | None, str]]:
    """What the numbers in a packet's header mean: payload types and header extensions."""
    codecs = {(codec.payloadType, codec.name.lower()) for codec in section.rtp.codecs}
    return codecs | {(extension.id, extension.uri) for extension in section.rtp.headerExtensions}


def _ssrcs(section: MediaDescription) -> list[int]:
    return [each.ssrc for each in section.ssrc]


def _unexpected(detail: str) -> SfuError:
    return SfuError(SfuReason.UNEXPECTED_MEDIA, detail)
