"""Inspection: whatever bytes somebody is curious about are shown, and never are a fault."""

from __future__ import annotations

import json

from e2ee.inspection import KINDS, inspect, inspect_text
from tests.fuzz.choices import Choices
from tests.fuzz.corpus import all_of, few, from_vectors, text_from_vectors
from tests.fuzz.target import Faulty, target

KIND_NAMES = (None, *KINDS)

NAMES = (
    "frame",
    "identity",
    "call_profile",
    "content",
    "key",
    "commit",
    "sealed",
    "encoded",
    "packet",
)
MLS_NAMES = ("message", "welcome", "group_info", "key_package")


@target(
    "inspection",
    seeds=all_of(
        *(few(from_vectors("*", name), 12) for name in NAMES),
        *(few(from_vectors("mls-validation/0x0001/*", name), 12) for name in MLS_NAMES),
        few(text_from_vectors("*", "text", "url_ends"), 20),
        before=lambda data: [b"\0" + data, bytes([1 + len(data) % len(KINDS)]) + data],
    ),
    longest=1 << 13,
    refuses=False,
)
def inspection(data: bytes) -> bool:
    """Bytes of any kind, told or not (the first byte says which), as a tree and as JSON."""
    choices = Choices(data)
    kind, blob = choices.one_of(KIND_NAMES), choices.rest()
    inspected = inspect(blob, kind)
    told = json.dumps(inspected.as_json())
    if (inspected.stopped is None) != (json.loads(told)["stopped"] is None):
        raise Faulty("stopped, and not told so")
    text = inspect_text(blob.decode(errors="replace"))
    if text is not None:
        json.dumps(text.as_json())
    return inspected.stopped is None
