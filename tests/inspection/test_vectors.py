"""What the vectors hold of each kind is recognised, read to its last byte, and shown with its requirements."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from e2ee.errors import DecodeError
from e2ee.inspection import inspect, inspect_text
from e2ee.mls.message import MLSMessage
from e2ee.shipped import shipped
from e2ee.signalling import wire
from e2ee.signalling.messages import CALL, LETTER, SERVICE, Family

BLOBS = {
    ("identity", "certificate", "input", "identity"): "certificate",
    ("key-agreement", "call-profile", "input", "call_profile"): "call-profile",
    ("key-agreement", "join", "input", "key_package"): "key-package",
    ("key-agreement", "gone-statement", "input", "statement"): "gone-statement",
    ("frame-format", "protecting", "output", "protected"): "frame",
    ("letters", "letter", "input", "key"): "letter-key",
    ("letters", "letter", "input", "content"): "sealed-content",
    ("signalling", "from-device", "input", "bytes"): "service",
    ("signalling", "from-service", "input", "bytes"): "service",
    ("signalling", "call-message", "input", "bytes"): "call",
    ("signalling", "letter-message", "input", "bytes"): "letter",
}
"""(chapter, group, part of a case, field) -> kind."""

TEXTS = {
    ("identity", "device-link", "input", "text"): "device-link",
    ("verification", "safety-code", "output", "text"): "safety-code",
}


def cases(chapter: str, group: str) -> list[dict[str, Any]]:
    document = json.loads((shipped("vectors") / f"{chapter}.json").read_text())
    (found,) = [each["cases"] for each in document["groups"] if each["name"] == group]
    return list(found)


def valid(place: tuple[str, str, str, str]) -> Iterator[str]:
    chapter, group, part, field = place
    for case in cases(chapter, group):
        if case["result"] == "valid":
            yield case[part][field]


@pytest.mark.parametrize(("place", "kind"), BLOBS.items(), ids=map("/".join, BLOBS))
def test_a_blob_is_recognised_and_read_to_its_end(
    place: tuple[str, str, str, str], kind: str
) -> None:
    for blob in valid(place):
        found = inspect(bytes.fromhex(blob))
        assert (found.kind, found.stopped) == (kind, None)
        assert found.part.size == len(blob) // 2
        assert not any(check.holds is False for check in found.checks)


@pytest.mark.parametrize(("place", "kind"), TEXTS.items(), ids=map("/".join, TEXTS))
def test_a_text_is_recognised(place: tuple[str, str, str, str], kind: str) -> None:
    for text in valid(place):
        found = inspect_text(text)
        assert found is not None
        assert (found.kind, found.stopped) == (kind, None)


MLS_SUITES = sorted(path.name for path in (shipped("vectors") / "mls-validation").glob("0x*"))


def messages_of_mls(suite: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the cases of a suite receive, each with its case."""
    for path in sorted((shipped("vectors") / "mls-validation" / suite).glob("*.json")):
        for group in json.loads(path.read_text()).get("groups", []):
            for case in group["cases"]:
                given = (case["input"].get(name) for name in ("message", "welcome", "key_package"))
                yield from ((message, case) for message in given if message)


@pytest.mark.parametrize("suite", MLS_SUITES)
def test_an_mls_message_is_recognised_and_read_as_its_decoder_reads_it(suite: str) -> None:
    for message, case in messages_of_mls(suite):
        data = bytes.fromhex(message)
        found = inspect(data, "mls-message")
        assert (found.stopped is None) == is_decoded(MLSMessage.decode, data), case["id"]
        if case["result"] == "valid":
            assert inspect(data).kind == "mls-message", case["id"]
            assert not any(check.holds is False for check in found.checks), case["id"]


def is_decoded(decode: Callable[[bytes], object], data: bytes) -> bool:
    try:
        decode(data)
    except DecodeError:
        return False
    return True


FAMILIES: dict[str, Family[Any]] = {
    "from-device": SERVICE,
    "from-service": SERVICE,
    "call-message": CALL,
    "letter-message": LETTER,
}


@pytest.mark.requirement("SIG-1", "SIG-2")
@pytest.mark.parametrize("group", FAMILIES)
def test_a_refused_message_is_refused_for_the_reason_of_the_decoder(group: str) -> None:
    family = FAMILIES[group]
    for case in cases("signalling", group):
        data = bytes.fromhex(case["input"]["bytes"])
        found = inspect(data, family.name)
        reason = None if found.stopped is None else found.stopped.reason
        assert reason == decoded(family, data), case["id"]


def decoded(family: Family[Any], data: bytes) -> object:
    try:
        wire.decode(family, data)
    except DecodeError as error:
        return error.reason
    return None
