"""Session descriptions (SDP) as a call exchanges them, inside MLS application messages.

What a description may say is narrow: exactly the agreed streams, each with its codec, and the DTLS fingerprints of
this peer, which come from nowhere else. What it must not say is taken out before aiortc acts on it:

* of both sides' descriptions the audio level header extension (RFC 6464), which tells a forwarding server who
  speaks when;
* of the peer's the candidates on this very machine, unless this peer gathers there itself: nobody else has any
  business on 127.0.0.1; and all but the first ``MAX_CANDIDATES``: each of them is an address, anywhere, to which this
  device sends packets because the peer says so.

Nothing about the security of media is read from a description.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv6Address, ip_address

from aiortc import RTCSessionDescription
from aiortc.sdp import MediaDescription, SessionDescription

from e2ee.media.encoded_frame import Codec
from e2ee.rtc.errors import DescriptionError, RtcReason

__all__ = ["MAX_DESCRIPTION", "MEDIA", "checked_description", "without_audio_level"]

MAX_DESCRIPTION = 1 << 16
"""Characters. A description of two streams has about 3,000."""

MAX_CANDIDATES = 32
"""Of a description, for all its streams together: they share one transport."""

MEDIA = {Codec.OPUS: "audio", Codec.VP8: "video"}
"""The kind of media, as SDP and aiortc name it, that a codec carries."""

_AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
_CANDIDATE = "a=candidate:"
_DIGESTS = frozenset({"sha-256", "sha-384", "sha-512"})


def without_audio_level(description: str) -> str:
    """The description without RFC 6464's header extension (CODEC-6)."""
    lines = description.splitlines()
    return _joined(
        line for line in lines if not (line.startswith("a=extmap:") and _AUDIO_LEVEL in line)
    )


def checked_description(
    text: str, step: str, codecs: Sequence[Codec], *, loopback: bool
) -> RTCSessionDescription:
    """A peer's "offer" or "answer" of exactly one stream for each codec, in this order, fit for aiortc. Raises DescriptionError."""
    if len(text) > MAX_DESCRIPTION:
        raise DescriptionError(RtcReason.MALFORMED_DESCRIPTION, f"{len(text)} characters")
    text = _joined(_few_candidates(without_audio_level(text).splitlines(), loopback=loopback))
    try:
        media = SessionDescription.parse(text).media
    except Exception as error:
        raise DescriptionError(RtcReason.MALFORMED_DESCRIPTION, type(error).__name__) from error
    _check_media(media, codecs)
    return RTCSessionDescription(sdp=text, type=step)


def _check_media(sections: list[MediaDescription], codecs: Sequence[Codec]) -> None:
    kinds, agreed = [section.kind for section in sections], [MEDIA[codec] for codec in codecs]
    if kinds != agreed:  # CODEC-7
        raise DescriptionError(RtcReason.UNEXPECTED_MEDIA, f"{kinds} in place of {agreed}")
    for section, codec in zip(sections, codecs, strict=True):
        if section.direction != "sendrecv":  # CODEC-7
            detail = f"{section.kind} is {section.direction}"
            raise DescriptionError(RtcReason.UNEXPECTED_MEDIA, detail)
        if codec.lower() not in {offered.name.lower() for offered in section.rtp.codecs}:
            raise DescriptionError(RtcReason.UNEXPECTED_MEDIA, f"{section.kind} without {codec}")
        fingerprints = section.dtls.fingerprints if section.dtls else []
        if not any(fingerprint.algorithm.lower() in _DIGESTS for fingerprint in fingerprints):
            raise DescriptionError(RtcReason.NO_FINGERPRINT, section.kind)


def _few_candidates(lines: Iterable[str], *, loopback: bool) -> Iterator[str]:
    """The lines without candidates on this machine, unless ``loopback``, and without more than there may be."""
    taken = 0
    for line in lines:
        if line.startswith(_CANDIDATE):
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


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\r\n" for line in lines)
