"""Encoded frames, as encoders make them as far as the split sees it: the beginning is the codec's, the rest any bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hypothesis import strategies as st

from e2ee.media.encoded_frame import Codec, EncodedFrame

__all__ = ["frames", "unprotectable_frames"]

_VP8_START_CODE = b"\x9d\x01\x2a"
"""RFC 6386 Section 9.1, after the 3-byte frame tag of a key frame; 4 bytes of dimensions follow."""


def frames(codec: Codec | None = None, *, most: int = 200) -> st.SearchStrategy[EncodedFrame]:
    """Frames of a codec, or of any; ``most`` is how many bytes a payload has at most.

    ``frames(Codec.VP8)`` draws key frames and others: ``EncodedFrame(Codec.VP8, b"\\x01...")``.
    """
    if codec is None:
        return st.sampled_from([*_FRAMES]).flatmap(lambda each: frames(each, most=most))
    return _FRAMES[codec](most).map(lambda data: EncodedFrame(codec, data))


def unprotectable_frames(codec: Codec) -> st.SearchStrategy[bytes]:
    """What no encoder makes: nothing at all, or a frame that ends among its clear bytes (CODEC-3). BadFrame for a sender.

    ``unprotectable_frames(Codec.VP8)`` draws ``b""`` and key frames of 1 to 9 bytes, of H.264 what has no whole slice.
    """
    return _CUT[codec]


def _opus(most: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=1, max_size=max(1, most))


def _vp8(most: int) -> st.SearchStrategy[bytes]:
    return st.one_of(
        st.builds(_vp8_key_frame, st.integers(0, 127), st.binary(max_size=most)),
        st.builds(_vp8_other_frame, st.integers(0, 127), st.binary(max_size=most)),
    )


def _vp9(most: int) -> st.SearchStrategy[bytes]:
    """VP9 bitstream specification, Section 6.2: the frame marker 2 opens an uncompressed header."""
    return st.builds(
        lambda bits, rest: bytes([0x80 | bits]) + rest, st.integers(0, 63), st.binary(max_size=most)
    )


@st.composite
def _h264(draw: st.DrawFn, most: int) -> bytes:
    """Annex B: parameter sets before the slice of an IDR picture, or one slice alone; then more slices of the picture."""
    start = st.sampled_from([b"\0\0\1", b"\0\0\0\1"])
    is_key: bool = draw(st.booleans())
    headers = [0x67, 0x68, 0x65] if is_key else [0x41]
    headers += draw(st.lists(st.just(headers[-1]), max_size=2))
    units = [
        draw(start)
        + bytes([header])
        + draw(st.binary(min_size=3, max_size=most)).replace(b"\0", b"\4")
        for header in headers
    ]
    return b"".join(units)


def _vp8_key_frame(bits: int, rest: bytes) -> bytes:
    """Bit 0 of the first byte is 0; then the rest of the frame tag, the start code, and 640x480."""
    return bytes([bits << 1, 0, 0]) + _VP8_START_CODE + b"\x80\x02\xe0\x01" + rest


def _vp8_other_frame(bits: int, rest: bytes) -> bytes:
    return bytes([bits << 1 | 1]) + rest


_FRAMES: Mapping[Codec, Callable[[int], st.SearchStrategy[bytes]]] = {
    Codec.OPUS: _opus,
    Codec.VP8: _vp8,
    Codec.VP9: _vp9,
    Codec.H264: _h264,
}

_CUT: Mapping[Codec, st.SearchStrategy[bytes]] = {
    Codec.OPUS: st.just(b""),
    Codec.VP8: st.builds(
        lambda bits, length: _vp8_key_frame(bits, b"")[:length],
        st.integers(0, 127),
        st.integers(0, 9),
    ),
    Codec.VP9: st.just(b""),
    Codec.H264: st.sampled_from(
        [b"", b"\0\0\1", b"\0\0\1\x67sps", b"\0\0\1\x65", b"\0\0\1\x65\x88", b"no start code"]
    ),
}
