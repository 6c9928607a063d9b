"""Session descriptions (SDP) as text: read within bounds, and made small. Both ends of every connection use this.

It knows no policy: what a description may say is for ``e2ee.rtc`` and ``e2ee.sfu`` to judge, before aiortc acts on it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from aiortc.sdp import MediaDescription, SessionDescription

__all__ = [
    "ABS_SEND_TIME",
    "AUDIO_LEVEL",
    "CANDIDATE",
    "END_OF_CANDIDATES",
    "MAX_DESCRIPTION",
    "compact",
    "has_fingerprint",
    "is_baseline_h264",
    "joined",
    "parsed",
    "with_extensions",
    "without_extensions",
]

MAX_DESCRIPTION = 1 << 16
"""Characters: what a service message carries. A description of two streams has about 3,000."""

AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
"""RFC 6464: tells everybody on the path who speaks."""

ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
"""When a packet was sent: receivers estimate by it what the path carries."""

CANDIDATE = "a=candidate:"
END_OF_CANDIDATES = "a=end-of-candidates"
_CONSTRAINED_BASELINE = "42e0"
_EXTENSION = "a=extmap:"
_CODEC = "a=rtpmap:"
_FEEDBACK_OF_ALL = "a=rtcp-fb:*"
_MAX_LINES = 512  # browsers write about 200
_MAX_FEEDBACK_OF_ALL = 16
_DIGESTS = frozenset({"sha-256", "sha-384", "sha-512"})
_OF_THE_TRANSPORT = ("a=fingerprint:", "a=ice-ufrag:", "a=ice-pwd:", "a=ice-options:", "a=setup:")
_SUPERFLUOUS = ("a=msid:", "a=rtcp:")


def parsed(text: str) -> SessionDescription:
    """A description, read. Raises ValueError for whatever is none, or is too long."""
    if len(text) > MAX_DESCRIPTION:
        raise ValueError(f"{len(text)} characters")
    for section in _split(text.splitlines()):
        _check_work(section)
    try:
        description = SessionDescription.parse(text)
    except Exception as error:
        raise ValueError(type(error).__name__) from error
    if not all(isinstance(section.rtp.muxId, str) for section in description.media):
        raise ValueError("a mid without a value")
    return description


def has_fingerprint(section: MediaDescription) -> bool:
    """Whether DTLS can tell that the peer is the one that wrote this."""
    fingerprints = section.dtls.fingerprints if section.dtls else []
    return any(fingerprint.algorithm.lower() in _DIGESTS for fingerprint in fingerprints)


def is_baseline_h264(parameters: Mapping[str, object]) -> bool:
    """CODEC-18: H.264 in the constrained baseline profile, in packets of mode 1 (RFC 6184 Section 8.1)."""
    profile = str(parameters.get("profile-level-id", "")).lower()
    mode = str(parameters.get("packetization-mode"))
    return mode == "1" and profile.startswith(_CONSTRAINED_BASELINE)


def without_extensions(text: str, uris: Collection[str]) -> str:
    """The description without these header extensions."""
    return joined(line for line in text.splitlines() if _extension(line) not in uris)


def with_extensions(text: str, uris: Collection[str]) -> str:
    """The description with no other header extensions than these."""
    return joined(line for line in text.splitlines() if _extension(line) in (None, *uris))


def compact(text: str) -> str:
    """The same description, of one transport for all streams (BUNDLE), in a third of the characters.

    What all m-sections say of their one transport is said once, for the session. Candidates are in the first one, where
    RFC 9143 looks for them, and in the last one, where aiortc does.
    """
    session, *media = _split(text.splitlines())
    shared = [line for line in _of_the_transport(media) if all(line in each for each in media)]
    kept = [_without(each, shared, outer=each in (media[0], media[-1])) for each in media]
    return joined(line for lines in (session, shared, *kept) for line in lines)


def joined(lines: Iterable[str]) -> str:
    """Lines as SDP ends them."""
    return "".join(f"{line}\r\n" for line in lines)


def _check_work(section: Sequence[str]) -> None:
    """Raises ValueError for an m-section in which each line would make work for each other line: aiortc gives each feedback
    to each codec that it might be for."""
    if len(section) > _MAX_LINES:
        raise ValueError(f"{len(section)} lines in one m-section")
    if sum(line.startswith(_FEEDBACK_OF_ALL) for line in section) > _MAX_FEEDBACK_OF_ALL:
        raise ValueError("feedback without an end")
    codecs = [line.removeprefix(_CODEC) for line in section if line.startswith(_CODEC)]
    numbers = [int(codec.partition(" ")[0]) for codec in codecs]
    if len(set(numbers)) != len(numbers):
        raise ValueError("two codecs under one payload type")


def _extension(line: str) -> str | None:
    """The URI of a line that negotiates a header extension: a=extmap:<id>[/direction] <URI> ..."""
    parts = line.split()
    return parts[1] if line.startswith(_EXTENSION) and len(parts) > 1 else None


def _split(lines: Sequence[str]) -> list[list[str]]:
    """The lines of the session, then those of each m-section."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            parts.append([])
        parts[-1].append(line)
    return parts


def _of_the_transport(media: Sequence[Sequence[str]]) -> list[str]:
    return [line for line in (media[0] if media else ()) if line.startswith(_OF_THE_TRANSPORT)]


def _without(lines: Sequence[str], shared: Collection[str], *, outer: bool) -> list[str]:
    left_out = _SUPERFLUOUS if outer else (*_SUPERFLUOUS, CANDIDATE, END_OF_CANDIDATES)
    return [line for line in lines if line not in shared and not line.startswith(left_out)]
