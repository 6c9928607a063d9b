"""The device that receives in the cases of frames: it applies epochs, and frames come to it on one stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from e2ee.conformance.adapter.judging import expect
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, Refused
from e2ee.conformance.adapter.sframe_steps import key_steps, part, protected_steps
from e2ee.crypto.secret import Secret
from e2ee.media.encoded_frame import Binding, Codec, Kind, OpenedFrame
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener, Held, Rejected
from e2ee.sframe.cipher_suite import CipherSuite, cipher_suite

__all__ = ["Receiver", "frame_epoch"]

Result = OpenedFrame | Rejected | Held


class Receiver:
    """A device as the case's ``events`` leave it. Raises Differs if an earlier frame had another outcome."""

    def __init__(self, given: Given) -> None:
        self._own_leaf = given["own_leaf"]
        self._suite = cipher_suite(given["sframe_suite"])
        self._base_keys: dict[int, bytes] = {}
        self._keys = FrameKeys()
        self._opener = FrameOpener(self._keys.receive)
        stream = given["stream"]
        self._stream = IncomingStream(
            Codec(stream["codec"]),
            Kind(stream["kind"]),
            stream["announced_sender"],
            binding=Binding(given.get("binding", Binding.CODEC_COMPAT)),
        )
        for event in given["events"]:
            if event["event"] == "applied":
                self.applied(event)
            else:
                outcome = _outcome(self.open(event["frame"], event["at"]))
                expect(outcome, event["outcome"], f"the frame at {event['at']}")

    def applied(self, event: Mapping[str, Any]) -> list[Result]:
        """Apply an epoch. What becomes of frames that waited for it."""
        epoch = frame_epoch(event, self._suite, self._own_leaf)
        self._base_keys[epoch.number] = bytes.fromhex(event["base_key"])
        self._keys.install(epoch, event["at"])
        return [result for *_, result in self._opener.release(event["at"])]

    def open(self, frame: str, at: int) -> Result:
        """What becomes of a frame when it comes."""
        return self._opener.open(self._stream, bytes.fromhex(frame), at)

    def wait(self, until: int) -> list[Result]:
        """What becomes of frames that waited, when time passes."""
        return [result for *_, result in self._opener.handle_timer(until)]

    def answer(self, results: Iterable[Result], frame: str) -> Answer:
        """The last result, of ``frame``, as an answer."""
        *_, result = results
        if not isinstance(result, OpenedFrame):
            return Refused(_outcome(result))
        output = {
            "frame": result.data.hex(),
            "leaf_index": result.key_id.leaf_index,
            "kind": result.key_id.kind,
            "instance": result.key_id.instance,
            "epoch": result.epoch,
            "ctr": result.CTR,
        }
        return Accepted(output, self._steps(result, bytes.fromhex(frame)))

    def _steps(self, opened: OpenedFrame, protected: bytes) -> dict[str, Any]:
        protected, clear_length = part(self._stream.clear_length, protected)
        key_steps_ = key_steps(self._suite, opened.key_id.encode(), self._base_keys[opened.epoch])
        return key_steps_ | protected_steps(protected, clear_length, opened.data[clear_length:])


def frame_epoch(event: Mapping[str, Any], suite: CipherSuite, own_leaf: int) -> FrameEpoch:
    """The epoch of an event ``applied``."""
    roster = frozenset(event["roster"])
    return FrameEpoch(
        number=event["epoch"],
        suite=suite,
        base_key=Secret(bytes.fromhex(event["base_key"])),
        own_leaf=own_leaf,
        roster=roster,
        speakers=frozenset([*event["speakers"], *event["hosts"]]) if event["speakers"] else roster,
        added=frozenset(event["added"]),
        removed=frozenset(event["removed"]),
    )


def _outcome(result: Result) -> str:
    """A result in the words of the vectors."""
    match result:
        case Rejected(reason):
            return reason.value
        case Held():
            return "held"
    return "opened"
