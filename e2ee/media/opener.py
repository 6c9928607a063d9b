"""A protected frame becomes a frame, or the reason why not (spec chapter Frame format, "Receiving").

``FrameOpener.open`` answers every byte string with one of three types and never raises. It judges in the order of
FRAME-3, stops at the first check that fails, and changes nothing but statistics before the tag was found right:
then it notes the counter, and keeps the key if this was the stream's first frame under it.

It belongs to one thread, the one that installs epochs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, cast

from e2ee.crypto.errors import OpenError
from e2ee.media import h264, limits
from e2ee.media.encoded_frame import OpenedFrame
from e2ee.media.errors import BadFrame
from e2ee.media.held_frames import HeldFrame, HeldFrames
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.reasons import RejectReason
from e2ee.media.receive_epochs import ReceiveEpochs, StreamKey
from e2ee.sframe.encryption import decrypt
from e2ee.sframe.errors import HeaderError, KeyIdError
from e2ee.sframe.header import decode_header
from e2ee.sframe.mls import KeyId

__all__ = ["HELD", "REJECTED", "FrameOpener", "Held", "Rejected", "Released"]


@dataclass(frozen=True, slots=True)
class Rejected:
    """The frame is gone; no byte of it may reach a decoder (FRAME-11)."""

    reason: RejectReason


@dataclass(frozen=True, slots=True)
class Held:
    """The frame waits for its key. ``release`` or ``handle_timer`` will say what became of it."""


REJECTED = {reason: Rejected(reason) for reason in RejectReason}
HELD = Held()


class Released(NamedTuple):
    """What became of a held frame: the stream on which it came, and the context that it came with."""

    stream: IncomingStream
    context: object
    outcome: OpenedFrame | Rejected


class FrameOpener:
    """Opens the frames of all streams of a device. ``now`` is Unix time in milliseconds."""

    def __init__(self, epochs: ReceiveEpochs) -> None:
        self._epochs = epochs
        self._kept_key = epochs.keys.get
        self._held = HeldFrames()

    def open(
        self, stream: IncomingStream, data: bytes, now: int, context: object = None
    ) -> OpenedFrame | Rejected | Held:
        """FRAME-3: judge ``data``, a reassembled frame that came on ``stream`` at ``now``.

        ``context`` is the caller's, and comes back with what becomes of a frame that waits.
        """
        came = data
        if not (clear_lengths := stream.clear_length):  # H.264
            try:
                clear, sframe = h264.parted(data)
            except BadFrame as error:  # CODEC-3, CODEC-12, CODEC-14
                return _reject(stream, RejectReason(error.reason.value))
            data, start = clear + sframe, len(clear)
        elif not data or len(data) < (start := clear_lengths[data[0]]):
            return _reject(stream, RejectReason.TOO_SHORT)
        try:
            KID, CTR, end = decode_header(data, start)
            key = self._kept_key(KID)
            key_id = KeyId.decode(KID) if key is None else key.key_id
        except HeaderError:
            return _reject(stream, RejectReason.BAD_HEADER)
        except KeyIdError:
            return _reject(stream, RejectReason.BAD_KID)
        if key_id.kind is not stream.kind or (
            key_id.instance != stream.instance and stream.instance is not None
        ):  # FRAME-5
            return _reject(stream, RejectReason.WRONG_KIND)
        if key_id.leaf_index != stream.sender and stream.sender is not None:  # FRAME-6
            return _reject(stream, RejectReason.WRONG_SENDER)
        if key is None or now >= key.ends_at:
            found = self._epochs.find(KID, key_id, now)
            if found is None:
                until = now + limits.HELD_TIME
                return self._hold(HeldFrame(stream, came, key_id.epoch_bits, until, context))
            if not isinstance(found, StreamKey):
                return _reject(stream, found)
            key, kept = found, False
        else:
            kept = True
        if not key.may_speak:  # FRAME-7
            return _reject(stream, RejectReason.NOT_A_SPEAKER)
        if not key.window.is_new(CTR):  # FRAME-9
            return _reject(stream, RejectReason.REPLAYED)
        clear = data[:start]
        try:
            rest = decrypt(key, CTR, data[start:end] + clear, data[end:])
        except OpenError:
            return _reject(stream, RejectReason.NOT_AUTHENTIC)
        # FRAME-10: "The window, and all else that a receiver remembers, MUST change only after the tag was found right."
        key.window.accept(CTR)
        if not kept:
            self._epochs.admit(key, now)
        frame = clear + rest
        if not frame:  # CODEC-3, although its sender protected it
            return _reject(stream, RejectReason.TOO_SHORT)
        stream.opened += 1
        return OpenedFrame(stream.codec, frame, key_id, key.epoch, CTR)

    def release(self, now: int) -> list[Released]:
        """After an epoch was installed: judge the frames that waited for it, in the order in which they came (FRAME-14)."""
        released = self.handle_timer(now)
        for held in self._held.take(lambda frame: self._epochs.has(frame.epoch_bits, now)):
            outcome = self.open(held.stream, held.data, now)
            # never Held again: the epoch that it names is there
            outcome = cast("OpenedFrame | Rejected", outcome)
            released.append(Released(held.stream, held.context, outcome))
        return released

    def get_timer(self) -> int | None:
        """When ``handle_timer`` is due."""
        return self._held.get_timer()

    def handle_timer(self, now: int) -> list[Released]:
        """Refuse the frames whose key did not come in time (FRAME-13)."""
        late = self._held.take(lambda frame: frame.until <= now)
        return [
            Released(held.stream, held.context, _reject(held.stream, RejectReason.UNKNOWN_KEY))
            for held in late
        ]

    def _hold(self, frame: HeldFrame) -> Rejected | Held:
        """FRAME-13: keep ``frame`` if there is room."""
        if self._held.keep(frame):
            return HELD
        return _reject(frame.stream, RejectReason.UNKNOWN_KEY)


def _reject(stream: IncomingStream, reason: RejectReason) -> Rejected:
    stream.rejected[reason] = stream.rejected.get(reason, 0) + 1
    return REJECTED[reason]
