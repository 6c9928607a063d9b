"""Who protects and opens frames in the benchmark. Each loop calls the contender as its user would, and keeps nothing.

floor     AESGCM.encrypt and AESGCM.decrypt: what no implementation over this library can beat
sframe    RFC 9605 encryption; header decoding and decryption. No codec, no lookup, no replay window
media     FrameProtector.protect and FrameOpener.open, whole: with every check of the specification
davey     DaveSession.encrypt and DaveSession.decrypt (Discord's DAVE, in Rust)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import davey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from e2ee.crypto.secret import Secret
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.counter import Counter
from e2ee.sframe.encryption import decrypt, encrypt
from e2ee.sframe.header import decode_header
from e2ee.sframe.key_store import ReceiveKey, SendKey
from e2ee.sframe.mls import KeyId
from e2ee.sframe.replay import ReplayWindow
from tests.bench.dave_sessions import SENDER as DAVE_SENDER
from tests.bench.dave_sessions import ready_sessions

__all__ = ["CONTENDERS", "KINDS", "Contender"]

KINDS = {Codec.OPUS: Kind.MICROPHONE, Codec.VP8: Kind.CAMERA, Codec.H264: Kind.CAMERA}
DAVE_CODECS = {
    Codec.OPUS: (davey.MediaType.audio, davey.Codec.opus),
    Codec.VP8: (davey.MediaType.video, davey.Codec.vp8),
    Codec.H264: (davey.MediaType.video, davey.Codec.h264),
}

BASE_KEY = Secret(bytes(range(16)))
SUITE = cipher_suite(0x0004)
SENDER, RECEIVER = 5, 6
EPOCH = 3


class Contender(Protocol):
    """Made anew for each round: with new keys, counters and windows."""

    def protect(self, frame: bytes) -> bytes: ...

    def open(self, data: bytes) -> bytes: ...

    def protect_all(self, frames: Sequence[bytes]) -> None: ...

    def open_all(self, protected: Sequence[bytes]) -> None: ...


class Floor:
    """The cost does not depend on the nonce, so it is always the same one: for measuring only."""

    def __init__(self, _: Codec) -> None:
        self.aead = AESGCM(BASE_KEY)
        self.nonce = bytes(12)
        self.aad = bytes(6)

    def protect(self, frame: bytes) -> bytes:
        return self.aead.encrypt(self.nonce, frame, self.aad)

    def open(self, data: bytes) -> bytes:
        return self.aead.decrypt(self.nonce, data, self.aad)

    def protect_all(self, frames: Sequence[bytes]) -> None:
        encrypt, nonce, aad = self.aead.encrypt, self.nonce, self.aad
        for frame in frames:
            encrypt(nonce, frame, aad)

    def open_all(self, protected: Sequence[bytes]) -> None:
        decrypt, nonce, aad = self.aead.decrypt, self.nonce, self.aad
        for data in protected:
            decrypt(nonce, data, aad)


class SFrame:
    def __init__(self, codec: Codec) -> None:
        KID = KeyId.of_epoch(KINDS[codec], 0, SENDER, EPOCH).encode()
        window = ReplayWindow(128)
        self.send_key = SendKey.derive(SUITE, KID, BASE_KEY, Counter(1 << 24))
        self.receive_key = ReceiveKey(SUITE, KID, BASE_KEY, epoch=EPOCH, window=window)

    def protect(self, frame: bytes) -> bytes:
        return encrypt(self.send_key, b"", frame)

    def open(self, data: bytes) -> bytes:
        _, CTR, end = decode_header(data)
        return decrypt(self.receive_key, CTR, data[:end], data[end:])

    def protect_all(self, frames: Sequence[bytes]) -> None:
        key = self.send_key
        for frame in frames:
            encrypt(key, b"", frame)

    def open_all(self, protected: Sequence[bytes]) -> None:
        key = self.receive_key
        for data in protected:
            _, CTR, end = decode_header(data)
            decrypt(key, CTR, data[:end], data[end:])


class Media:
    def __init__(self, codec: Codec) -> None:
        self.protector = frame_keys(SENDER).send.open_stream(codec, KINDS[codec])
        self.stream = IncomingStream(codec, KINDS[codec], sender=SENDER)
        self.opener = FrameOpener(frame_keys(RECEIVER).receive)

    def protect(self, frame: bytes) -> bytes:
        return self.protector.protect(frame)

    def open(self, data: bytes) -> bytes:
        opened = self.opener.open(self.stream, data, 20_000)
        assert isinstance(opened, OpenedFrame)
        return opened.data

    def protect_all(self, frames: Sequence[bytes]) -> None:
        protect = self.protector.protect
        for frame in frames:
            protect(frame)

    def open_all(self, protected: Sequence[bytes]) -> None:
        open_frame, stream = self.opener.open, self.stream
        for data in protected:
            open_frame(stream, data, 20_000)


def frame_keys(own_leaf: int) -> FrameKeys:
    everybody = frozenset({SENDER, RECEIVER})
    keys = FrameKeys()
    keys.install(FrameEpoch(EPOCH, SUITE, BASE_KEY, own_leaf, everybody, everybody), now=0)
    keys.handle_timer(now=10_000)
    return keys


class Davey:
    def __init__(self, codec: Codec) -> None:
        self.media, self.codec = DAVE_CODECS[codec]
        self.sender, self.receiver = ready_sessions()

    def protect(self, frame: bytes) -> bytes:
        return self.sender.encrypt(self.media, self.codec, frame)

    def open(self, data: bytes) -> bytes:
        return self.receiver.decrypt(DAVE_SENDER, self.media, data)

    def protect_all(self, frames: Sequence[bytes]) -> None:
        encrypt, media, codec = self.sender.encrypt, self.media, self.codec
        for frame in frames:
            encrypt(media, codec, frame)

    def open_all(self, protected: Sequence[bytes]) -> None:
        decrypt, media = self.receiver.decrypt, self.media
        for data in protected:
            decrypt(DAVE_SENDER, media, data)


CONTENDERS: dict[str, Callable[[Codec], Contender]] = {
    "floor": Floor,
    "sframe": SFrame,
    "media": Media,
    "davey": Davey,
}
