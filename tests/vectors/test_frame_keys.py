"""``vectors/frame-keys.json`` against the implementation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.crypto.cipher_suite import cipher_suite as mls_cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.media import limits
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.send_epochs import SendEpochs
from e2ee.mls.key_schedule import export
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.counter import Counter
from e2ee.sframe.encryption import encrypt
from e2ee.sframe.errors import CounterExhausted, KeyIdError
from e2ee.sframe.header import decode_header
from e2ee.sframe.key_derivation import derive_key_salt, key_label, salt_label
from e2ee.sframe.key_store import SendKey
from e2ee.sframe.mls import KeyId, export_base_key


@pytest.mark.vectors("frame-keys", "base-key")
def test_base_key(vector: dict[str, Any]) -> None:
    given = vector["input"]
    kdf = mls_cipher_suite(given["mls_suite"]).kdf
    exporter_secret = Secret(bytes.fromhex(given["exporter_secret"]))

    def exporter(label: str, context: bytes, length: int) -> Secret:
        return export(kdf, exporter_secret, label, context, length)

    base_key = export_base_key(exporter, cipher_suite(given["sframe_suite"]))
    assert base_key.hex() == vector["output"]["base_key"]


@pytest.mark.vectors("frame-keys", "kid")
def test_kid(vector: dict[str, Any]) -> None:
    given = vector["input"]
    key_id = KeyId.of_epoch(
        Kind(given["kind"]), given["instance"], given["leaf_index"], given["epoch"]
    )
    assert key_id.encode() == vector["output"]["kid"]
    assert KeyId.decode(vector["output"]["kid"]) == key_id


@pytest.mark.vectors("frame-keys", "refused-kid")
def test_refused_kid(vector: dict[str, Any]) -> None:
    with pytest.raises(KeyIdError):
        KeyId.decode(vector["input"]["kid"])


@pytest.mark.vectors("frame-keys", "key")
def test_key(vector: dict[str, Any]) -> None:
    given, steps = vector["input"], vector["intermediate"]
    suite, kid = cipher_suite(given["sframe_suite"]), given["kid"]
    assert key_label(suite, kid).hex() == steps["sframe_key_label"]
    assert salt_label(suite, kid).hex() == steps["sframe_salt_label"]
    key, salt = derive_key_salt(suite, kid, bytes.fromhex(given["base_key"]))
    assert {"sframe_key": key.hex(), "sframe_salt": salt.hex()} == vector["output"]


@pytest.mark.vectors("frame-keys", "counter")
def test_counter(vector: dict[str, Any]) -> None:
    counter = Counter(limits.COUNTER_LIMIT)
    key = SendKey.derive(cipher_suite(0x0004), 0, bytes(16), counter)
    for _ in range(vector["input"]["frames_before"]):
        counter.draw()
    if vector["result"] == "valid":
        _, CTR, _ = decode_header(encrypt(key, b"", b"frame"))
        assert CTR == vector["output"]["ctr"]
    else:
        with pytest.raises(CounterExhausted) as refused:
            encrypt(key, b"", b"frame")
        assert refused.value.reason == vector["reason"]


def epoch_applied(event: dict[str, Any], own_leaf: int) -> FrameEpoch:
    roster = frozenset(event["roster"])
    return FrameEpoch(
        number=event["epoch"],
        suite=cipher_suite(0x0004),
        base_key=Secret(bytes(16)),
        own_leaf=own_leaf,
        roster=roster,
        speakers=roster,
        added=frozenset(event["added"]),
        removed=frozenset(event["removed"]),
    )


@pytest.mark.vectors("frame-keys", "sending")
def test_sending(vector: dict[str, Any]) -> None:
    given = vector["input"]
    epochs = SendEpochs()
    camera = epochs.open_stream(Codec.VP8, Kind.CAMERA)
    for event in given["events"]:
        epochs.handle_timer(event["at"])
        if event["event"] == "applied":
            epochs.install(epoch_applied(event, given["own_leaf"]), event["at"])
        else:
            epochs.acknowledged(event["leaf_index"], event["epoch"], event["at"])
    epochs.handle_timer(given["at"])
    outcome = {"epoch": epochs.epoch, "key_frame": camera.takes_key_frame()}
    assert outcome == vector["output"]


@pytest.mark.vectors("frame-keys", "receiving")
def test_receiving(vector: dict[str, Any], receiver: Any, judged: Callable[[Any], None]) -> None:
    judged(receiver.open(vector["input"]["frame"], vector["input"]["at"]))
