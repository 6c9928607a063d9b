"""``vectors/codecs.json`` against the implementation."""

from __future__ import annotations

from typing import Any

import pytest

from e2ee.media.codecs import CODECS
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.errors import BadFrame, BadStream
from e2ee.media.protector import FrameProtector
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.counter import Counter
from e2ee.sframe.key_store import SendKey

KIND = {Codec.OPUS: Kind.MICROPHONE, Codec.VP8: Kind.CAMERA}
KID = 0x4321
HEADER = bytes.fromhex("90 4321")  # a KID of two bytes, and CTR 0
TAG = 16


@pytest.mark.vectors("codecs", "clear-bytes")
def test_clear_bytes(vector: dict[str, Any]) -> None:
    codec, frame = Codec(vector["input"]["codec"]), bytes.fromhex(vector["input"]["frame"])
    protector = FrameProtector(codec, KIND[codec], 0)
    protector.use(SendKey.derive(cipher_suite(0x0004), KID, bytes(16), Counter(1)))
    if vector["result"] == "invalid":
        with pytest.raises(BadFrame) as refused:
            protector.protect(frame)
        assert refused.value.reason == vector["reason"]
        return
    expected = vector["output"]
    clear, rest = bytes.fromhex(expected["clear"]), bytes.fromhex(expected["rest"])
    assert (clear + rest, len(clear)) == (frame, expected["clear_length"])
    protected = protector.protect(frame)
    assert protected.startswith(clear + HEADER)
    assert len(protected) == len(frame) + len(HEADER) + TAG


@pytest.mark.vectors("codecs", "stream")
def test_stream(vector: dict[str, Any]) -> None:
    codec, kind = Codec(vector["input"]["codec"]), Kind(vector["input"]["kind"])
    if vector["result"] == "valid":
        assert kind in CODECS[codec].kinds
        FrameProtector(codec, kind, 0)
    else:
        with pytest.raises(BadStream) as refused:
            FrameProtector(codec, kind, 0)
        assert refused.value.reason == vector["reason"]
