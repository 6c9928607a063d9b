"""The chapter Frame format."""

from __future__ import annotations

from e2ee.conformance.adapter.judging import refusing
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.conformance.adapter.receiver import Receiver
from e2ee.conformance.adapter.sframe_steps import key_steps, part, protected_steps
from e2ee.crypto.secret import Secret
from e2ee.media import h264, limits
from e2ee.media.codecs import clear_length_of
from e2ee.media.encoded_frame import Binding, Codec, Kind
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.opener import HELD
from e2ee.media.protector import FrameProtector
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.counter import Counter
from e2ee.sframe.key_store import SendKey
from e2ee.sframe.mls import KeyId


@operation("frame-format/protecting")
@refusing
def protecting(given: Given) -> Answer:
    """FRAME-1: a sender's frame, under a key that has protected ``ctr`` frames before."""
    codec, frame = Codec(given["codec"]), bytes.fromhex(given["frame"])
    protected = protector_of(given).protect(frame)
    parts, clear_length = part(clear_length_of(codec, Kind(given["kind"])), protected)
    rest = h264.split(frame)[1] if codec is Codec.H264 else frame[clear_length:]
    steps = protected_steps(parts, clear_length, rest)
    keys = key_steps(cipher_suite(given["sframe_suite"]), steps["kid"], _base_key(given))
    return Accepted({"protected": protected.hex()}, keys | steps)


def protector_of(given: Given) -> FrameProtector:
    """A sender that has protected ``ctr`` frames before, in the case's binding."""
    kind, instance = Kind(given["kind"]), given["instance"]
    KID = KeyId.of_epoch(kind, instance, given["leaf_index"], given["epoch"]).encode()
    counter = Counter(limits.COUNTER_LIMIT)
    for _ in range(given["ctr"]):
        counter.draw()
    binding = Binding(given.get("binding", Binding.CODEC_COMPAT))
    protector = FrameProtector(Codec(given["codec"]), kind, instance, binding)
    suite = cipher_suite(given["sframe_suite"])
    protector.use(SendKey.derive(suite, KID, _base_key(given), counter))
    return protector


def _base_key(given: Given) -> bytes:
    return bytes.fromhex(given["base_key"])


@operation("frame-format/suite")
@refusing
def suite(given: Given) -> Answer:
    """FRAME-2: an epoch with this suite, if there is one."""
    found, members = cipher_suite(given["sframe_suite"]), frozenset({0, 1})
    FrameEpoch(2, found, Secret(bytes(found.aead.Nk)), 0, members, members)
    return Accepted()


@operation("frame-format/receiving")
def receiving(given: Given) -> Answer:
    """FRAME-3: a frame as it comes."""
    receiver = Receiver(given)
    return receiver.answer([receiver.open(given["frame"], given["at"])], given["frame"])


@operation("frame-format/holding")
def holding(given: Given) -> Answer:
    """FRAME-13, FRAME-14: a frame that may have to wait. Frames leave in the order in which they came."""
    receiver = Receiver(given)
    results = [receiver.open(given["frame"], given["at"])]
    if results == [HELD]:
        results += [each for event in given["later"] for each in receiver.applied(event)]
        results += receiver.wait(given["until"])
    return receiver.answer(results, given["frame"])
