"""``vectors/frame-format.json`` against the implementation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.crypto.secret import Secret
from e2ee.media import limits
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.errors import BadEpoch
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.opener import HELD
from e2ee.media.protector import FrameProtector
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.counter import Counter
from e2ee.sframe.key_store import SendKey
from e2ee.sframe.mls import KeyId


@pytest.mark.vectors("frame-format", "protecting")
def test_protecting(vector: dict[str, Any]) -> None:
    given = vector["input"]
    kind, instance = Kind(given["kind"]), given["instance"]
    KID = KeyId.of_epoch(kind, instance, given["leaf_index"], given["epoch"]).encode()
    counter = Counter(limits.COUNTER_LIMIT)
    for _ in range(given["ctr"]):
        counter.draw()
    base_key = bytes.fromhex(given["base_key"])
    protector = FrameProtector(Codec(given["codec"]), kind, instance)
    protector.use(SendKey.derive(cipher_suite(given["sframe_suite"]), KID, base_key, counter))
    protected = protector.protect(bytes.fromhex(given["frame"]))
    assert protected.hex() == vector["output"]["protected"]


@pytest.mark.vectors("frame-format", "suite")
def test_suite(vector: dict[str, Any]) -> None:
    suite = cipher_suite(vector["input"]["sframe_suite"])

    def epoch() -> FrameEpoch:
        members = frozenset({0, 1})
        return FrameEpoch(2, suite, Secret(bytes(suite.aead.Nk)), 0, members, members)

    if vector["result"] == "valid":
        assert epoch().suite is suite
    else:
        with pytest.raises(BadEpoch) as refused:
            epoch()
        assert refused.value.reason == vector["reason"]


@pytest.mark.vectors("frame-format", "receiving")
def test_receiving(vector: dict[str, Any], receiver: Any, judged: Callable[[Any], None]) -> None:
    judged(receiver.open(vector["input"]["frame"], vector["input"]["at"]))


@pytest.mark.vectors("frame-format", "holding")
def test_holding(vector: dict[str, Any], receiver: Any, judged: Callable[[Any], None]) -> None:
    given = vector["input"]
    result = receiver.open(given["frame"], given["at"])
    if result is HELD:
        outcomes = [each for event in given["later"] for each in receiver.applied(event)]
        outcomes += receiver.wait(given["until"])
        result = outcomes[-1]  # frames leave in the order in which they came
    judged(result)
