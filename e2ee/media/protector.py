"""A frame becomes a protected frame: clear || SFrame header || ciphertext || tag (FRAME-1), H.264 a little more (CODEC-13).

It fails closed: without a key, with an ended counter or after any other failure it raises, and nothing of the frame
is returned. The key is one immutable object that ``SendEpochs`` replaces; an encoder's thread that is inside
``protect`` meanwhile finishes with the key that it began with.
"""

from __future__ import annotations

from e2ee.media import h264
from e2ee.media.codecs import VIDEO, clear_length_of
from e2ee.media.encoded_frame import Binding, Codec, Kind
from e2ee.media.errors import BadFrame, NoSendKey
from e2ee.sframe.encryption import encrypt
from e2ee.sframe.errors import OutOfRange
from e2ee.sframe.key_store import SendKey
from e2ee.sframe.mls import MAX_INSTANCE

__all__ = ["FrameProtector"]


class FrameProtector:
    """Protects the frames of one stream of this device: all its simulcast layers, one counter. Raises BadStream, OutOfRange.

    Made by ``SendEpochs.open_stream``. ``protect`` and ``takes_key_frame`` are called where the encoder runs, the rest
    where epochs are applied.
    """

    __slots__ = (
        "_clear_length",
        "_key",
        "_key_frames_taken",
        "_key_frames_wanted",
        "_protected_earlier",
        "binding",
        "codec",
        "instance",
        "kind",
    )

    def __init__(
        self,
        codec: Codec,
        kind: Kind,
        instance: int,
        binding: Binding = Binding.CODEC_COMPAT,
    ) -> None:
        if not 0 <= instance <= MAX_INSTANCE:
            raise OutOfRange(f"instance {instance}")
        self.codec = codec
        self.kind = kind
        self.instance = instance
        self.binding = binding
        self._clear_length = clear_length_of(codec, kind, binding)
        self._key: SendKey | None = None
        self._key_frames_wanted = int(kind in VIDEO)  # FKEY-19; written where epochs are applied
        self._key_frames_taken = 0  # written where the encoder runs
        self._protected_earlier = 0

    @property
    def ready(self) -> bool:
        """Whether there is a key to send with."""
        return self._key is not None

    @property
    def protected(self) -> int:
        """How many frames were protected, read off the counters."""
        return self._protected_earlier + (self._key.counter.drawn if self._key else 0)

    def protect(self, frame: bytes) -> bytes:
        """The protected frame. Raises NoSendKey, CounterExhausted or BadFrame; then nothing may be sent."""
        key = self._key
        if key is None:
            raise NoSendKey("no epoch may be sent with, or this device may not speak")
        clear_lengths = self._clear_length
        if not clear_lengths:  # H.264
            clear, rest = h264.split(frame)
            return h264.joined(clear, encrypt(key, clear, rest))
        try:
            clear_length = clear_lengths[frame[0]]
        except IndexError:
            raise BadFrame("an empty frame") from None  # CODEC-3
        clear, rest = frame[:clear_length], frame[clear_length:]
        if not rest and len(frame) < clear_length:
            raise BadFrame(f"{self.codec} frame of {len(frame)} bytes")  # CODEC-3
        return clear + encrypt(key, clear, rest)

    def takes_key_frame(self) -> bool:
        """Whether the frame that is about to be encoded must be a key frame: the first one of video, and once for each epoch of FKEY-16."""
        wanted = self._key_frames_wanted
        if wanted == self._key_frames_taken:
            return False
        self._key_frames_taken = wanted
        return True

    def choose(self, codec: Codec) -> None:
        """From now on the frames are of this codec: the peer chose it. Raises BadStream."""
        self._clear_length = clear_length_of(codec, self.kind, self.binding)
        self.codec = codec

    def use(self, key: SendKey | None, *, key_frame: bool = False) -> None:
        """Send with ``key`` from the next frame on, which must be a key frame if ``key_frame``; with None, stop."""
        self._protected_earlier = self.protected - (key.counter.drawn if key else 0)
        self._key_frames_wanted += key_frame
        self._key = key
