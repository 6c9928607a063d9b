"""The device of a trace: it applies epochs, hears of others, receives on some streams and sends others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.conformance.adapter.receiver import frame_epoch
from e2ee.media.codecs import split
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener, Held, Rejected
from e2ee.media.protector import FrameProtector
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.sframe.header import decode_header

Step = Mapping[str, Any]


@operation("frame-keys/trace")
def trace(given: Given) -> Answer:
    """FKEY-*, FRAME-*: the fate of every frame."""
    device = Device(given)
    for step in given["steps"]:
        device.take(step)
    return Accepted({"fates": device.fates})


class Device:
    """Takes a trace's steps, in their order."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._suite = cipher_suite(given["sframe_suite"])
        self._keys = FrameKeys()
        self._opener = FrameOpener(self._keys.receive)
        self._incoming = [_incoming(stream) for stream in given["receives"]]
        self._outgoing = [self._opened(stream) for stream in given["sends"]]
        self._events: Mapping[str, Callable[[Step], None]] = {
            "applied": self._applied,
            "frame": self._frame,
            "heard": lambda step: self._keys.heard(step["leaf_index"], step["epoch"], step["at"]),
            "acknowledged": lambda step: self._keys.acknowledged(
                step["leaf_index"], step["epoch"], step["at"]
            ),
            "time": lambda _: None,
            "send": self._send,
            "reopened": self._reopened,
        }
        self.fates: list[dict[str, Any]] = []

    def take(self, step: Step) -> None:
        """What is due comes first, then the step."""
        self._keys.handle_timer(step["at"])
        self._settle(self._opener.handle_timer(step["at"]), step)
        self._events[step["event"]](step)

    def _applied(self, step: Step) -> None:
        epoch = frame_epoch(step, self._suite, self._given["own_leaf"])
        self._keys.install(epoch, step["at"])
        self._settle(self._opener.release(step["at"]), step)

    def _frame(self, step: Step) -> None:
        stream = self._incoming[step["stream"]]
        data = bytes.fromhex(step["frame"]) + bytes(step.get("zeros", 0))
        outcome = self._opener.open(stream, data, step["at"], context=step["step"])
        self.fates.append({"step": step["step"]} | fate_of(outcome))

    def _settle(
        self, released: Iterable[tuple[object, object, OpenedFrame | Rejected]], step: Step
    ) -> None:
        for _, came, outcome in released:
            self.fates.append({"step": came, "settled_in": step["step"]} | fate_of(outcome))

    def _send(self, step: Step) -> None:
        protector = self._outgoing[step["stream"]]
        fate = self._sent(protector, step) if protector.ready else {"fate": "not-sent"}
        self.fates.append({"step": step["step"]} | fate)

    def _sent(self, protector: FrameProtector, step: Step) -> dict[str, Any]:
        key_frame = protector.takes_key_frame() and "key_frame" in step
        frame = bytes.fromhex(step["key_frame" if key_frame else "frame"])
        protected = protector.protect(frame)
        clear, _ = split(protector.codec, frame)
        _, CTR, _ = decode_header(protected, len(clear))
        return {
            "fate": "sent",
            "epoch": self._keys.send.epoch,
            "ctr": CTR,
            "key_frame": key_frame,
            "protected": protected.hex(),
        }

    def _reopened(self, step: Step) -> None:
        stream = step["stream"]
        self._keys.send.close_stream(self._outgoing[stream])
        self._outgoing[stream] = self._opened(self._given["sends"][stream])

    def _opened(self, stream: Mapping[str, Any]) -> FrameProtector:
        codec, kind = Codec(stream["codec"]), Kind(stream["kind"])
        return self._keys.send.open_stream(codec, kind, stream["instance"])


def _incoming(stream: Mapping[str, Any]) -> IncomingStream:
    return IncomingStream(
        Codec(stream["codec"]),
        Kind(stream["kind"]),
        stream["announced_sender"],
        stream["announced_instance"],
    )


def fate_of(outcome: OpenedFrame | Rejected | Held) -> dict[str, Any]:
    match outcome:
        case Held():
            return {"fate": "held"}
        case Rejected(reason):
            return {"fate": "refused", "reason": reason.value}
        case OpenedFrame():
            return {
                "fate": "opened",
                "leaf_index": outcome.key_id.leaf_index,
                "kind": outcome.key_id.kind.value,
                "instance": outcome.key_id.instance,
                "epoch": outcome.epoch,
                "ctr": outcome.CTR,
                "frame": outcome.data.hex(),
            }
