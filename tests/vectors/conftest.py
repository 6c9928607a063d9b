"""Vectors are read here as a stranger reads them: from the JSON files alone.

A test with ``@pytest.mark.vectors("frame-keys", "kid")`` runs once for each case of that chapter's group.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from e2ee.crypto.secret import Secret
from e2ee.media.encoded_frame import Codec, Kind, OpenedFrame
from e2ee.media.frame_epoch import FrameEpoch
from e2ee.media.frame_keys import FrameKeys
from e2ee.media.incoming_stream import IncomingStream
from e2ee.media.opener import FrameOpener, Held, Rejected
from e2ee.sframe.cipher_suite import cipher_suite
from e2ee.shipped import shipped

Vector = dict[str, Any]
Result = OpenedFrame | Rejected | Held


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise ``vector``."""
    if mark := metafunc.definition.get_closest_marker("vectors"):
        chapter, name = mark.args
        document = json.loads((shipped("vectors") / f"{chapter}.json").read_text())
        (group,) = [group for group in document["groups"] if group["name"] == name]
        metafunc.parametrize("vector", group["cases"], ids=[case["id"] for case in group["cases"]])


class Receiver:
    """The device of a case of a group ``receiving`` or ``holding``."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case
        self.keys = FrameKeys()
        self.opener = FrameOpener(self.keys.receive)
        stream = case["stream"]
        self.stream = IncomingStream(
            Codec(stream["codec"]), Kind(stream["kind"]), stream["announced_sender"]
        )
        for event in case["events"]:
            if event["event"] == "applied":
                assert self.applied(event) == []
            else:
                assert outcome_of(self.open(event["frame"], event["at"])) == event["outcome"]

    def applied(self, event: dict[str, Any]) -> list[Result]:
        """What becomes of held frames when an epoch is applied."""
        suite, roster = cipher_suite(self.case["sframe_suite"]), frozenset(event["roster"])
        speakers = frozenset([*event["speakers"], *event["hosts"]]) if event["speakers"] else roster
        epoch = FrameEpoch(
            number=event["epoch"],
            suite=suite,
            base_key=Secret(bytes.fromhex(event["base_key"])),
            own_leaf=self.case["own_leaf"],
            roster=roster,
            speakers=speakers,
            added=frozenset(event["added"]),
            removed=frozenset(event["removed"]),
        )
        self.keys.install(epoch, event["at"])
        return [result for *_, result in self.opener.release(event["at"])]

    def open(self, frame: str, at: int) -> Result:
        """What becomes of a frame when it comes."""
        return self.opener.open(self.stream, bytes.fromhex(frame), at)

    def wait(self, until: int) -> list[Result]:
        """What becomes of held frames when time passes."""
        return [result for *_, result in self.opener.handle_timer(until)]


def outcome_of(result: Result) -> str:
    """A result in the words of the vectors."""
    match result:
        case Rejected(reason):
            return reason.value
        case Held():
            return "held"
    return "opened"


@pytest.fixture
def receiver(vector: Vector) -> Receiver:
    """The device of the case, after its events."""
    return Receiver(vector["input"])


@pytest.fixture
def judged(vector: Vector) -> Callable[[Result], None]:
    """Check that a frame became what the case says."""

    def check(result: Result) -> None:
        if vector["result"] == "invalid":
            assert outcome_of(result) == vector["reason"]
            return
        assert isinstance(result, OpenedFrame)
        assert {
            "frame": result.data.hex(),
            "leaf_index": result.key_id.leaf_index,
            "kind": result.key_id.kind,
            "instance": result.key_id.instance,
            "epoch": result.epoch,
            "ctr": result.CTR,
        } == vector["output"]

    return check
