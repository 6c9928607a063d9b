"""What the stories are told with: both suites, and two people who talk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from kyber_py.ml_kem import ML_KEM_768

from e2ee.call.call import Call
from e2ee.crypto.seeded_entropy import SeededEntropy
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.protector import FrameProtector
from e2ee.testing.simulated_calls import SimulatedCalls


@pytest.fixture(params=[(0x0001,), (0x0001, 0xF0E2)], ids=["x25519", "hybrid"])
def suites(request: pytest.FixtureRequest) -> Sequence[int]:
    """The MLS suites of every device in the story."""
    suites: Sequence[int] = request.param
    return suites


@pytest.fixture
def calls() -> SimulatedCalls:
    return SimulatedCalls(SeededEntropy(b"stories of calls", ML_KEM_768._encaps_internal))


@dataclass
class Microphone:
    """A microphone at one side of a call, and the loudspeaker at the other."""

    calls: SimulatedCalls
    sender: Call
    receiver: Call
    protector: FrameProtector = field(init=False)
    stream: IncomingStream = field(init=False)
    epochs: list[int] = field(default_factory=list)
    """The epoch of each frame that was heard."""

    def __post_init__(self) -> None:
        self.protector = self.sender.open_stream(Codec.OPUS, Kind.MICROPHONE)
        self.stream = IncomingStream(Codec.OPUS, Kind.MICROPHONE)

    def say(self, words: bytes) -> object:
        """Protect a frame here and open it there; gives what the receiver made of it."""
        protected = self.protector.protect(words)
        assert words not in protected
        heard = self.receiver.opener.open(self.stream, protected, self.calls.now)
        if isinstance(heard, OpenedFrame):
            assert heard.data == words
            self.epochs.append(heard.epoch)
        return heard


@pytest.fixture
def microphone(calls: SimulatedCalls) -> Callable[[Call, Call], Microphone]:
    return lambda sender, receiver: Microphone(calls, sender, receiver)
