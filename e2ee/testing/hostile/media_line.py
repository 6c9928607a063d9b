"""One stream of a live call, with the adversary on the path: frames leave a protector, and reach an opener as it likes.

The call is a real one, on simulated time. ``deliver`` gives the outcome in a word; a frame that was opened is ``taken``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from e2ee.call.call import Call
from e2ee.call.configuration import Configuration
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.errors import NoSendKey
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.limits import HELD_TIME
from e2ee.media.opener import FrameOpener, Rejected
from e2ee.media.protector import FrameProtector
from e2ee.sframe.key_store import SendKey
from e2ee.testing.hostile.trial import TAKEN, Trial
from e2ee.testing.mls_members import snapshot
from e2ee.testing.simulated_calls import SimulatedCalls

__all__ = ["HELD", "Line", "Talk", "talk"]

HELD = "held"
"""A frame waits for its key."""

CODECS = {
    Kind.MICROPHONE: Codec.OPUS,
    Kind.SCREEN_AUDIO: Codec.OPUS,
    Kind.CAMERA: Codec.VP8,
    Kind.SCREEN_VIDEO: Codec.VP8,
}

WORDS = {
    Codec.OPUS: bytes([0xFC]) + b"twenty milliseconds of what somebody says",
    Codec.VP8: bytes.fromhex("501000 9d012a 4001 f000") + b"a key frame of what somebody shows",
}
"""A frame of each codec; VP8's begins as key frames do."""


@dataclass
class Line:
    """From one member to the other."""

    calls: SimulatedCalls
    sender: Call
    receiver: Call
    kind: Kind
    protector: FrameProtector = field(init=False)
    stream: IncomingStream = field(init=False)
    opener: FrameOpener = field(init=False)
    said: int = 0

    def __post_init__(self) -> None:
        codec = CODECS[self.kind]
        (leaf,) = (each.leaf_index for each in self.receiver.others())
        self.protector = self.sender.open_stream(codec, self.kind)
        self.stream = IncomingStream(codec, self.kind, leaf)
        self.opener = self.receiver.opener

    def frame(self) -> bytes:
        """The next protected frame, as it comes to the adversary; no two have the same words."""
        self.said += 1
        return self.protector.protect(WORDS[self.protector.codec] + b" %d" % self.said)

    @property
    def key(self) -> SendKey:
        """What its sender protects with. Raises NoSendKey."""
        if self.protector._key is None:
            raise NoSendKey("the sender is not ready")
        return self.protector._key

    def deliver(self, data: bytes, stream: IncomingStream | None = None) -> str:
        """The receiver is given these bytes."""
        outcome = self.opener.open(stream or self.stream, data, self.calls.now)
        if isinstance(outcome, OpenedFrame):
            return TAKEN
        return str(outcome.reason) if isinstance(outcome, Rejected) else HELD

    def memory(self) -> object:
        """All that the receiver remembers of frames, but the statistics."""
        return snapshot(self.opener._epochs), len(self.opener._held)


@dataclass
class Talk:
    """A live call of Alice and Bob; the adversary sits between Alice's media and Bob."""

    trial: Trial
    calls: SimulatedCalls
    alice: Call
    bob: Call

    def line(self, kind: Kind = Kind.MICROPHONE) -> Line:
        """From Alice to Bob, with a first frame that was heard."""
        line = Line(self.calls, self.alice, self.bob, kind)
        self.trial.claim("a genuine frame is opened", line.deliver(line.frame()) == TAKEN)
        return line

    def forged(self, line: Line, what: str, data: bytes) -> None:
        """The adversary delivers something that must not be opened, nor change anything."""
        before = line.memory()
        outcome = line.deliver(data)
        if outcome == HELD:  # it names an epoch to come, which does not come
            self.calls.now += HELD_TIME
            outcome = "held, then refused" if line.opener.handle_timer(self.calls.now) else HELD
        unchanged = line.memory() == before
        self.trial.tried(what, held=outcome not in {TAKEN, HELD} and unchanged, outcome=outcome)

    def still_heard(self, line: Line) -> None:
        """What the adversary did has cost nothing: the next genuine frame is opened."""
        self.trial.claim("the next genuine frame is opened", line.deliver(line.frame()) == TAKEN)


def talk(trial: Trial, configuration: Configuration | None = None) -> Talk:
    """A live call, in epoch 2."""
    calls = SimulatedCalls(trial.entropy)
    alice, bob = (calls.device(name, configuration=configuration) for name in ("alice", "bob"))
    placed, answered = calls.go_live(alice, bob)
    trial.note(f"Alice and Bob are in a call, epoch {placed.epoch}")
    return Talk(trial, calls, placed, answered)
