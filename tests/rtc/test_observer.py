"""Observers: what they do is their own affair."""

from __future__ import annotations

from e2ee.media.encoded_frame import Kind
from e2ee.rtc.observer import FrameObserver, Observers


def test_an_observer_that_fails_is_left_out_and_the_others_see_on() -> None:
    class Failing(FrameObserver):
        calls = 0

        def received(self, kind: Kind, protected: bytes, timestamp: int) -> None:  # noqa: ARG002
            self.calls += 1
            raise OSError("disk full")

    class Seeing(FrameObserver):
        calls = 0

        def received(self, kind: Kind, protected: bytes, timestamp: int) -> None:  # noqa: ARG002
            self.calls += 1

    failing, seeing = Failing(), Seeing()
    observers = Observers([failing, seeing])
    for _ in range(3):
        observers.received(Kind.CAMERA, b"", 0)
    assert (failing.calls, seeing.calls) == (1, 3)
