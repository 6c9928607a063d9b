"""Openers of frames as other systems have them: each lacks one check of FRAME-3. Only to see attacks succeed."""

from __future__ import annotations

from contextlib import suppress

from e2ee.crypto.errors import OpenError
from e2ee.media.encoded_frame import OpenedFrame
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener, Held, Rejected
from e2ee.media.reasons import RejectReason
from e2ee.sframe.encryption import decrypt
from e2ee.sframe.errors import HeaderError
from e2ee.sframe.header import decode_header
from e2ee.sframe.key_store import ReceiveKey
from e2ee.sframe.mls import KeyId

__all__ = ["accepts_anything", "ignores_the_stream", "passes_through", "tries_every_key"]

_open = FrameOpener.open

_Outcome = OpenedFrame | Rejected | Held


def accepts_anything(_key: ReceiveKey, _counter: int, _aad: bytes, ciphertext: bytes) -> bytes:
    """A decryption that does not look at the tag."""
    return ciphertext


def passes_through(
    opener: FrameOpener, stream: IncomingStream, data: bytes, now: int, context: object = None
) -> _Outcome:
    """What is not protected, or not well, is taken for a frame in the clear."""
    outcome = _open(opener, stream, data, now, context)
    if not isinstance(outcome, Rejected):
        return outcome
    return OpenedFrame(stream.codec, data, KeyId(stream.kind, 0, 0, 0), 0, 0)


def ignores_the_stream(
    opener: FrameOpener, stream: IncomingStream, data: bytes, now: int, context: object = None
) -> _Outcome:
    """Whoever sent it, and whatever it shows, it is taken for what it is presented as."""
    outcome = _open(opener, stream, data, now, context)
    wrong = RejectReason.WRONG_KIND, RejectReason.WRONG_SENDER
    if not isinstance(outcome, Rejected) or outcome.reason not in wrong:
        return outcome
    KID, _, _ = decode_header(data, stream.clear_length[data[0]])
    expected = stream.kind, stream.sender, stream.instance
    stream.kind, stream.sender, stream.instance = KeyId.decode(KID).kind, None, None
    try:
        return _open(opener, stream, data, now, context)
    finally:
        stream.kind, stream.sender, stream.instance = expected


def tries_every_key(
    opener: FrameOpener, stream: IncomingStream, data: bytes, now: int, context: object = None
) -> _Outcome:
    """Trial decryption: if the key that is named does not fit, another one may."""
    outcome = _open(opener, stream, data, now, context)
    if not isinstance(outcome, Rejected) or not data:
        return outcome
    start = stream.clear_length[data[0]]
    try:
        _, CTR, end = decode_header(data, start)
    except HeaderError:
        return outcome
    for key in opener._epochs.keys:
        with suppress(OpenError):
            rest = decrypt(key, CTR, data[start:end] + data[:start], data[end:])
            return OpenedFrame(stream.codec, data[:start] + rest, key.key_id, key.epoch, CTR)
    return outcome
