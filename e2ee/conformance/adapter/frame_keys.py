"""The chapter Frame keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from e2ee.conformance.adapter.judging import expect, refusing
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, Refused, operation
from e2ee.conformance.adapter.receiver import Receiver
from e2ee.conformance.adapter.sframe_steps import key_steps
from e2ee.crypto.cipher_suite import cipher_suite as mls_cipher_suite
from e2ee.crypto.secret import Secret
from e2ee.media import limits
from e2ee.media.encoded_frame import Codec, Kind
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.reasons import RejectReason
from e2ee.media.send_epochs import SendEpochs
from e2ee.mls.key_schedule import export
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.counter import Counter
from e2ee.sframe.encryption import encrypt
from e2ee.sframe.errors import KeyIdError
from e2ee.sframe.header import decode_header
from e2ee.sframe.key_store import SendKey
from e2ee.sframe.mls import KeyId, export_base_key

AES_128_GCM_SHA256_128 = cipher_suite(0x0004)


@operation("frame-keys/base-key")
def base_key(given: Given) -> Answer:
    """FKEY-1: what SFrame gets from an epoch."""
    kdf = mls_cipher_suite(given["mls_suite"]).kdf
    exporter_secret = Secret(bytes.fromhex(given["exporter_secret"]))

    def exporter(label: str, context: bytes, length: int) -> Secret:
        return export(kdf, exporter_secret, label, context, length)

    found = export_base_key(exporter, cipher_suite(given["sframe_suite"]))
    return Accepted({"base_key": found.hex()}, {"context_hash": kdf.hash(b"").hex()})


@operation("frame-keys/kid")
def kid(given: Given) -> Answer:
    """FKEY-2: a KID, which must name again what it was made of."""
    key_id = KeyId.of_epoch(
        Kind(given["kind"]), given["instance"], given["leaf_index"], given["epoch"]
    )
    KID = key_id.encode()
    expect(KeyId.decode(KID), key_id, "the KID, taken apart")
    return Accepted({"kid": KID})


@operation("frame-keys/refused-kid")
def refused_kid(given: Given) -> Answer:
    """FKEY-2: a KID that came."""
    try:
        KeyId.decode(given["kid"])
    except KeyIdError:
        return Refused(RejectReason.BAD_KID)
    return Accepted()


@operation("frame-keys/key")
def key(given: Given) -> Answer:
    """FKEY-2: key and salt of a KID."""
    steps = key_steps(
        cipher_suite(given["sframe_suite"]), given["kid"], bytes.fromhex(given["base_key"])
    )
    output = {name: steps.pop(name) for name in ("sframe_key", "sframe_salt")}
    return Accepted(output, steps)


@operation("frame-keys/counter")
@refusing
def counter(given: Given) -> Answer:
    """FKEY-4: the CTR of a frame after many."""
    drawn = Counter(limits.COUNTER_LIMIT)
    for _ in range(given["frames_before"]):
        drawn.draw()
    key = SendKey.derive(AES_128_GCM_SHA256_128, 0, bytes(16), drawn)
    _, CTR, _ = decode_header(encrypt(key, b"", b"frame"))
    return Accepted({"ctr": CTR})


@operation("frame-keys/sending")
def sending(given: Given) -> Answer:
    """FKEY-7 to FKEY-9, FKEY-16: what a camera sends with after ``events``."""
    epochs = SendEpochs()
    camera = epochs.open_stream(Codec.VP8, Kind.CAMERA)
    camera.takes_key_frame()  # it has sent before
    for event in given["events"]:
        epochs.handle_timer(event["at"])
        if event["event"] == "applied":
            epochs.install(_applied(event, given["own_leaf"]), event["at"])
        else:
            epochs.acknowledged(event["leaf_index"], event["epoch"], event["at"])
    epochs.handle_timer(given["at"])
    return Accepted({"epoch": epochs.epoch, "key_frame": camera.takes_key_frame()})


def _applied(event: Mapping[str, Any], own_leaf: int) -> FrameEpoch:
    roster = frozenset(event["roster"])
    return FrameEpoch(
        number=event["epoch"],
        suite=AES_128_GCM_SHA256_128,
        base_key=Secret(bytes(16)),
        own_leaf=own_leaf,
        roster=roster,
        speakers=roster,
        added=frozenset(event["added"]),
        removed=frozenset(event["removed"]),
    )


@operation("frame-keys/receiving")
def receiving(given: Given) -> Answer:
    """FKEY-10 to FKEY-14: whether an epoch still opens a frame."""
    receiver = Receiver(given)
    return receiver.answer([receiver.open(given["frame"], given["at"])], given["frame"])
