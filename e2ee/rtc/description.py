"""Session descriptions (SDP) as calls exchange them: inside MLS application messages with another device, and with a forwarding unit.

What a description may say is narrow: exactly the agreed streams, each with its codec, and the DTLS fingerprints of
this peer, which come from nowhere else. What it must not say is taken out before aiortc acts on it:

* of both sides' descriptions the audio level header extension (RFC 6464), which tells a forwarding server who
  speaks when;
* of the peer's the candidates on this very machine, unless this peer gathers there itself: nobody else has any
  business on 127.0.0.1; and all but the first ``MAX_CANDIDATES``: each of them is an address, anywhere, to which this
  device sends packets because the peer says so.

Nothing about the security of media is read from a description. Of a forwarding unit's it is not believed whose stream an
m-section is either (SFU-2): it may have any number of them, up to a bound, and say so anew at any time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from ipaddress import IPv6Address, ip_address

from aiortc import RTCSessionDescription
from aiortc.sdp import MediaDescription, SessionDescription

from e2ee.media.encoded_frame import Codec
from e2ee.rtc.errors import DescriptionError, RtcReason
from e2ee.session_description import (
    AUDIO_LEVEL,
    CANDIDATE,
    MAX_DESCRIPTION,
    has_fingerprint,
    is_baseline_h264,
    joined,
    parsed,
    without_extensions,
)

__all__ = [
    "CODECS_OF",
    "MAX_DESCRIPTION",
    "MAX_SECTIONS",
    "MEDIA",
    "checked_description",
    "checked_unit_answer",
    "checked_unit_offer",
    "without_audio_level",
]

MAX_CANDIDATES = 32
"""Of a description, for all its streams together: they share one transport."""

MAX_SECTIONS = 128
"""Of what a forwarding unit offers."""

CODECS_OF = {"audio": (Codec.OPUS,), "video": (Codec.VP8, Codec.H264)}
"""What aiortc can encode and decode, by the kind of media as SDP and aiortc name it; the usual one first."""

MEDIA = {codec: kind for kind, codecs in CODECS_OF.items() for codec in codecs}
"""The kind of media that a codec carries."""
_LONGEST_MID = 16


def without_audio_level(description: str) -> str:
    """The description without RFC 6464's header extension (CODEC-6)."""
    return without_extensions(description, {AUDIO_LEVEL})


def checked_description(
    text: str, step: str, choices: Sequence[Collection[Codec]], *, loopback: bool
) -> tuple[RTCSessionDescription, list[Codec]]:
    """A peer's "offer" or "answer" of exactly one stream for each choice, in this order, fit for aiortc. Raises DescriptionError.

    And the codec of each stream: the first of the description's that is among the stream's choices (CODEC-17).
    """
    description, checked = _read(text, step, loopback=loopback)
    return checked, _check_media(description.media, choices, {"sendrecv"})


def checked_unit_answer(
    text: str, codecs: Sequence[Codec], *, loopback: bool
) -> RTCSessionDescription:
    """A forwarding unit's answer to an offer of these streams. Raises DescriptionError."""
    description, checked = _read(text, "answer", loopback=loopback)
    _check_media(description.media, [(codec,) for codec in codecs], {"recvonly", "inactive"})
    return checked


def checked_unit_offer(
    text: str, known: Sequence[tuple[str, str]], *, loopback: bool
) -> tuple[RTCSessionDescription, list[MediaDescription]]:
    """A forwarding unit's offer, fit for aiortc, and its m-sections. Raises DescriptionError.

    ``known`` are kind and mid of those that the offer before had: they stay, and others may follow them.
    """
    description, checked = _read(text, "offer", loopback=loopback)
    media = description.media
    if len(media) > MAX_SECTIONS:  # CODEC-9
        raise _unexpected(f"{len(media)} m-sections")
    names = [(section.kind, section.rtp.muxId) for section in media]
    if names[: len(known)] != list(known):
        raise _unexpected("other m-sections than before")
    mids = [mid for _, mid in names]
    if not mids or len(set(mids)) != len(mids) or not all(map(_is_mid, mids)):
        raise _unexpected("mids that name nothing, or the same")
    if [group.items for group in description.group if group.semantic == "BUNDLE"] != [
        mids
    ]:  # SFU-11
        raise _unexpected("more than one transport")
    if not {section.kind for section in media} <= CODECS_OF.keys():
        raise _unexpected("neither audio nor video")
    _check_media(media, [CODECS_OF[section.kind] for section in media], {"sendonly", "inactive"})
    return checked, media


def _read(
    text: str, step: str, *, loopback: bool
) -> tuple[SessionDescription, RTCSessionDescription]:
    if len(text) > MAX_DESCRIPTION:
        raise DescriptionError(RtcReason.MALFORMED_DESCRIPTION, f"{len(text)} characters")
    text = joined(_few_candidates(without_audio_level(text).splitlines(), loopback=loopback))
    try:
        description = parsed(text)
    except ValueError as error:
        raise DescriptionError(RtcReason.MALFORMED_DESCRIPTION, str(error)) from error
    return description, RTCSessionDescription(sdp=text, type=step)


def _check_media(
    sections: list[MediaDescription],
    choices: Sequence[Collection[Codec]],
    directions: Collection[str],
) -> list[Codec]:
    kinds = [section.kind for section in sections]
    agreed = [MEDIA[next(iter(codecs))] for codecs in choices]
    if kinds != agreed:  # CODEC-7
        raise _unexpected(f"{kinds} in place of {agreed}")
    chosen = []
    for section, codecs in zip(sections, choices, strict=True):
        if section.direction not in directions:  # CODEC-7, CODEC-9
            raise _unexpected(f"{section.kind} is {section.direction}")
        chosen.append(_chosen(section, codecs))
        if not has_fingerprint(section):
            raise DescriptionError(RtcReason.NO_FINGERPRINT, section.kind)
    return chosen


def _chosen(section: MediaDescription, codecs: Collection[Codec]) -> Codec:
    """CODEC-17: the first of the description's that may be used."""
    by_name = {codec.lower(): codec for codec in codecs}
    for offered in section.rtp.codecs:
        codec = by_name.get(offered.name.lower())
        if codec is not None and (codec is not Codec.H264 or is_baseline_h264(offered.parameters)):
            return codec
    raise _unexpected(f"{section.kind} without {' or '.join(codecs)}")


def _is_mid(mid: str) -> bool:
    return 0 < len(mid) <= _LONGEST_MID


def _unexpected(detail: str) -> DescriptionError:
    return DescriptionError(RtcReason.UNEXPECTED_MEDIA, detail)


def _few_candidates(lines: Iterable[str], *, loopback: bool) -> Iterator[str]:
    """The lines without candidates on this machine, unless ``loopback``, and without more than there may be."""
    taken = 0
    for line in lines:
        if line.startswith(CANDIDATE):
            if taken == MAX_CANDIDATES or (not loopback and _is_local_candidate(line)):
                continue
            taken += 1
        yield line


def _is_local_candidate(line: str) -> bool:
    """RFC 8839 Section 5.1: foundation, component, transport, priority, connection-address, port ..."""
    try:
        address = ip_address(line.split()[4])
    except (IndexError, ValueError):
        return False  # a name, which is resolved by mDNS only, or nothing
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_unspecified
