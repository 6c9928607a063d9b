"""Frames of whoever holds a ``base_key``: made with the real protector, for any leaf and any epoch that it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from e2ee.crypto.secret import Secret
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.limits import COUNTER_LIMIT
from e2ee.media.protector import FrameProtector
from e2ee.sframe.cipher_suite import CipherSuite
from e2ee.sframe.counter import Counter
from e2ee.sframe.header import header_prefixes
from e2ee.sframe.key_store import SendKey
from e2ee.sframe.mls import KeyId

__all__ = ["SAID", "frames_of", "mislabelled"]

SAID = bytes([0xFC]) + b"what nobody said"


def frames_of(
    suite: CipherSuite, base_key: Secret, leaf: int, epoch: int, *, from_counter: int = 0
) -> Iterator[bytes]:
    """Frames of a microphone at this leaf, in this epoch, from this counter on."""
    protector = FrameProtector(Codec.OPUS, Kind.MICROPHONE, 0)
    protector.use(send_key(suite, base_key, leaf, epoch, from_counter))
    return (protector.protect(SAID) for _ in count())


def send_key(
    suite: CipherSuite, base_key: Secret, leaf: int, epoch: int, drawn: int = 0
) -> SendKey:
    """The send key of that microphone, which has sent so many frames already."""
    KID = KeyId.of_epoch(Kind.MICROPHONE, 0, leaf, epoch).encode()
    counter = Counter(COUNTER_LIMIT)
    for _ in range(drawn):
        counter.draw()
    return SendKey.derive(suite, KID, base_key, counter)


def mislabelled(key: SendKey, KID: int) -> SendKey:
    """A key whose frames name another one."""
    return replace(key, header_prefixes=header_prefixes(KID))
