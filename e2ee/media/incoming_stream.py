"""A transport stream on which protected frames come: what is expected of it, and what came."""

from __future__ import annotations

from e2ee.media.codecs import clear_length_of
from e2ee.media.encoded_frame import Binding, Codec, Kind
from e2ee.media.reasons import RejectReason

__all__ = ["IncomingStream"]


class IncomingStream:
    """One transport stream (an RTP receiver). Raises BadStream for a codec that the kind is not sent with.

    ``sender`` is the leaf index that was announced for the stream, None if nobody was. It may change, and only
    serves to refuse frames (FRAME-6): who sent a frame is the leaf in its KID. So does ``instance``, of a stream that a
    member announced as one of several of its kind (GROUP-18); None: whichever.
    """

    __slots__ = (
        "binding",
        "clear_length",
        "codec",
        "held_bytes",
        "held_frames",
        "instance",
        "kind",
        "opened",
        "rejected",
        "sender",
    )

    def __init__(
        self,
        codec: Codec,
        kind: Kind,
        sender: int | None = None,
        instance: int | None = None,
        binding: Binding = Binding.CODEC_COMPAT,
    ) -> None:
        self.clear_length = clear_length_of(codec, kind, binding)
        """By the first byte; empty for H.264 in ``codec-compat``."""
        self.binding = binding
        self.codec = codec
        self.kind = kind
        self.sender = sender
        self.instance = instance
        self.opened = 0
        """How many frames were opened."""
        self.rejected: dict[RejectReason, int] = {}
        """How many were rejected, by reason."""
        self.held_frames = 0
        """How many wait for their key now."""
        self.held_bytes = 0
        """Their size together."""

    def choose(self, codec: Codec) -> None:
        """From now on the frames are of this codec: the peer chose it. Raises BadStream."""
        self.clear_length = clear_length_of(codec, self.kind, self.binding)
        self.codec = codec
