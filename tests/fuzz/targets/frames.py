"""Headers and frames: what anybody on the path may send to a receiver."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from e2ee.crypto.secret import Secret
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.media import h264, limits
from e2ee.media.codecs import CODECS, split
from e2ee.media.encoded_frame import Binding, Codec, Kind, OpenedFrame
from e2ee.media.errors import BadFrame
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener, Held, Rejected
from e2ee.media.protector import FrameProtector
from e2ee.media.reasons import RejectReason
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.counter import Counter
from e2ee.sframe.errors import HeaderError, KeyIdError
from e2ee.sframe.header import decode_header, encode_header
from e2ee.sframe.key_store import SendKey
from e2ee.sframe.mls import KeyId
from e2ee.sframe.ratchet import SenderKeyId
from tests.fuzz.choices import Choices
from tests.fuzz.corpus import all_of, from_vectors
from tests.fuzz.target import Faulty, refused, target

SUITE = cipher_suite(0x0004)
OWN_LEAF = 1
SENDERS = (0, 2)
EPOCHS = range(5, 9)

PLAIN = {
    Codec.OPUS: [b"\x78opus"],
    Codec.VP8: [b"\x10\x02\x00\x9d\x01\x2a\x80\x02\xe0\x01key", b"\x11delta"],
    Codec.VP9: [b"\x82\x49\x83key", b"\x86delta"],
    Codec.H264: [
        b"\0\0\0\1\x67sps\0\0\0\1\x68pps\0\0\1\x65\x88\x84idr",
        b"\0\0\0\1\x41\x9a\x24delta\0\0\1\x41\x9bmore",
    ],
}


@target("sframe-header", seeds=from_vectors("frame-*", "header", "aad", "frame"))
def sframe_header(data: bytes) -> bool:
    """The header of RFC 9605, and its KID."""
    try:
        KID, CTR, end = decode_header(data)
    except HeaderError as error:
        return refused(error)
    if encode_header(KID, CTR) != data[:end]:
        raise Faulty("another encoding of the same header")
    try:
        if KeyId.decode(KID).encode() != KID:
            raise Faulty("another KID of the same parts")
        for ratchet_bits in (0, 1, 8):
            SenderKeyId.decode(KID, ratchet_bits)
    except KeyIdError as error:
        refused(error)
    return True


@target("h264-split", seeds=from_vectors("codecs", "frame", "clear", "protected"))
def h264_split(data: bytes) -> bool:
    """H.264: what is clear of a frame, and of what came."""
    try:
        clear, rest = h264.split(data)
    except BadFrame as error:
        refused(error)
        try:
            h264.parted(data)
        except BadFrame as other:
            return refused(other)
        raise Faulty("a protected frame that could be no frame") from None
    protected = h264.joined(clear, b"\0\0\1" + rest)
    if h264.parted(protected) != (clear, b"\0\0\1" + rest):
        raise Faulty("what was joined is parted otherwise")
    if h264.split(clear + rest) != (clear, rest):
        raise Faulty("split again it is something else")
    return True


def _epoch(number: int) -> FrameEpoch:
    roster = frozenset({OWN_LEAF, *SENDERS})
    return FrameEpoch(number, SUITE, _base_key(number), OWN_LEAF, roster, roster)


@cache
def _base_key(number: int) -> Secret:
    return Secret(SeededEntropy(b"epoch %d" % number).random(SUITE.aead.Nk))


def _kind(codec: Codec) -> Kind:
    return min(CODECS[codec].kinds)


@cache
def _genuine() -> dict[tuple[Codec, Binding], list[tuple[bytes, bytes]]]:
    """(plain, protected): what the members send in each epoch."""
    made: dict[tuple[Codec, Binding], list[tuple[bytes, bytes]]] = {}
    for codec, plains in PLAIN.items():
        for binding in Binding:
            frames = made[codec, binding] = []
            for leaf in SENDERS:
                for number in EPOCHS:
                    protector = FrameProtector(codec, _kind(codec), 0, binding)
                    KID = KeyId.of_epoch(_kind(codec), 0, leaf, number).encode()
                    counter = Counter(limits.COUNTER_LIMIT)
                    protector.use(SendKey.derive(SUITE, KID, _base_key(number), counter))
                    for plain in plains:
                        opens = plain
                        if binding is Binding.CODEC_COMPAT:
                            opens = b"".join(split(codec, plain))
                        frames.append((opens, protector.protect(plain)))
    return made


STREAMS = [(codec, binding) for codec in Codec for binding in Binding]


def _frame_seeds() -> Iterator[bytes]:
    for number, stream in enumerate(STREAMS):
        for _, protected in _genuine()[stream]:
            yield bytes([number, 0]) + protected


@target(
    "frame-opening",
    seeds=all_of(
        _frame_seeds,
        from_vectors("frame-*", "frame", "protected"),
        from_vectors("codecs", "protected", "frame"),
    ),
)
def frame_opening(data: bytes) -> bool:
    """A frame, as it comes to a receiver who has the keys: the first bytes choose codec, binding and announced sender."""
    choices = Choices(data)
    codec, binding = choices.one_of(STREAMS)
    announced = choices.one_of([None, None, *SENDERS])
    keys = FrameKeys()
    keys.install(_epoch(5), 0)
    stream = IncomingStream(codec, _kind(codec), announced, binding=binding)
    outcome = FrameOpener(keys.receive).open(stream, choices.rest(), 0)
    if isinstance(outcome, OpenedFrame):
        if outcome.data not in [plain for plain, _ in _genuine()[codec, binding]]:
            raise Faulty("a frame opened that nobody made")
        return True
    if isinstance(outcome, Rejected) and not isinstance(outcome.reason, RejectReason):
        raise Faulty("rejected without a reason")
    return False


def _trace_seeds() -> Iterator[bytes]:
    """Epochs and frames in the order of their numbers: one byte for what happens, one for which, two for when."""
    for number in range(len(STREAMS)):
        yield bytes([number]) + b"".join(bytes([0, 0, 0, 0, 1, each, 0, 5]) for each in range(16))
        yield bytes([number]) + b"".join(bytes([1, each, 0, 5, 0, 0, 3, 0]) for each in range(16))


@target("frame-trace", seeds=_trace_seeds, longest=1 << 12, refuses=False)
def frame_trace(data: bytes) -> bool:
    """Epochs that are applied and frames that come, in any order and at any time; nothing opens twice."""
    choices = Choices(data)
    codec, binding = choices.one_of(STREAMS)
    genuine = _genuine()[codec, binding]
    keys = FrameKeys()
    opener = FrameOpener(keys.receive)
    stream = IncomingStream(codec, _kind(codec), binding=binding)
    now, number, opened = 0, EPOCHS[0], set[tuple[int, int, int]]()
    keys.install(_epoch(number), now)
    while choices.left:
        what, which, wait = choices.number(), choices.number(), choices.number(2)
        now += wait
        outcomes: list[OpenedFrame | Rejected | Held] = []
        match what % 4:
            case 0 if number < EPOCHS[-1]:
                number += 1
                keys.install(_epoch(number), now)
                outcomes += [each.outcome for each in opener.release(now)]
            case 1:
                outcomes.append(opener.open(stream, genuine[which % len(genuine)][1], now))
            case 2:
                frame = bytearray(genuine[which % len(genuine)][1])
                frame[wait % len(frame)] ^= 1 << which % 8
                outcomes.append(opener.open(stream, bytes(frame), now))
            case 3:
                keys.handle_timer(now)
                outcomes += [each.outcome for each in opener.handle_timer(now)]
        for outcome in outcomes:
            if isinstance(outcome, OpenedFrame):
                name = outcome.epoch, outcome.key_id.leaf_index, outcome.CTR
                if name in opened:
                    raise Faulty(f"{name} opened twice")
                opened.add(name)
    if sum(stream.rejected.values()) + stream.opened + stream.held_frames < len(opened):
        raise Faulty("frames that are counted nowhere")
    return True
