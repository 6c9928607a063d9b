"""Whatever the bytes are, inspection says what they are or where they stop to be it, and agrees with who decodes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.call.letter_sealing import LetterKey, SealedContent
from e2ee.errors import DecodeError
from e2ee.identity.device_certificate import DeviceCertificate
from e2ee.inspection import KINDS, Inspection, inspect, inspect_text
from e2ee.inspection.errors import InspectionReason, InspectionUsageError
from e2ee.inspection.frames import CODEC_NAMES
from e2ee.mls.group_info import GroupInfo
from e2ee.mls.key_package import KeyPackage
from e2ee.mls.message import MLSMessage
from e2ee.mls.welcome import Welcome
from e2ee.profile.call_profile import CallProfile
from e2ee.profile.gone import GoneStatement
from e2ee.profile.join import Join
from e2ee.shipped import shipped
from e2ee.signalling import wire
from e2ee.signalling.errors import WireReason
from e2ee.signalling.messages import CALL, LETTER, SERVICE
from e2ee.tls_syntax import Struct


def vector(chapter: str, group: str, part: str, field: str) -> bytes:
    """The first valid case's."""
    document = json.loads((shipped("vectors") / f"{chapter}.json").read_text())
    (cases,) = [each["cases"] for each in document["groups"] if each["name"] == group]
    return bytes.fromhex(next(c for c in cases if c["result"] == "valid")[part][field])


KEY_PACKAGE = vector("key-agreement", "join", "input", "key_package")
STRUCTURES: dict[str, tuple[type[Struct], bytes]] = {
    "mls-message": (MLSMessage, b"\0\1\0\5" + KEY_PACKAGE),
    "key-package": (KeyPackage, KEY_PACKAGE),
    "certificate": (DeviceCertificate, vector("identity", "certificate", "input", "identity")),
    "call-profile": (CallProfile, vector("key-agreement", "call-profile", "input", "call_profile")),
    "gone-statement": (
        GoneStatement,
        vector("key-agreement", "gone-statement", "input", "statement"),
    ),
    "letter-key": (LetterKey, vector("letters", "letter", "input", "key")),
    "sealed-content": (SealedContent, vector("letters", "letter", "input", "content")),
    "join": (Join, bytes(16) + bytes(8) + b"\x00"),
    "welcome": (Welcome, b"\0\1\0\0"),
    "group-info": (GroupInfo, b""),
}
FAMILIES: dict[str, Any] = {family.name: family for family in (SERVICE, CALL, LETTER)}
SERVICE_MESSAGE = vector("signalling", "from-device", "input", "bytes")


def well_formed(found: Inspection) -> bool:
    """Every part lies in the bytes, and all of it goes into JSON and out again."""
    inside = all(
        0 <= part.offset <= part.offset + part.size <= len(found.data) for part in found.part.walk()
    )
    stopped = found.stopped is None or 0 <= found.stopped.offset <= len(found.data)
    return inside and stopped and json.loads(json.dumps(found.as_json())) == found.as_json()


@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_are_something_or_stop_somewhere(data: bytes) -> None:
    assert well_formed(inspect(data))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_arbitrary_bytes_are_the_kind_or_stop_somewhere(kind: str, data: st.DataObject) -> None:
    blob = data.draw(st.binary(max_size=300))
    codec = data.draw(st.none() | st.sampled_from(CODEC_NAMES))
    assert well_formed(inspect(blob, kind, codec))


@given(text=st.text(st.characters(codec="ascii"), max_size=100))
@pytest.mark.parametrize("begin", ["e2ee-link:", "e2ee-safety:", "https://x/meet/", ""])
def test_arbitrary_texts_are_something_or_stop_somewhere(begin: str, text: str) -> None:
    found = inspect_text(begin + text)
    assert found is None or well_formed(found)


def damaged(data: st.DataObject, blob: bytes) -> bytes:
    """The bytes with a few changed, and perhaps cut off."""
    changed = bytearray(blob[: data.draw(st.integers(0, len(blob)))] or b"\0")
    for _ in range(data.draw(st.integers(0, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    return bytes(changed)


def reason_of(decode: Any, data: bytes) -> object:
    try:
        decode(data)
    except DecodeError as error:
        return error.reason
    return None


@pytest.mark.parametrize("kind", STRUCTURES)
@given(data=st.data())
def test_a_structure_is_read_exactly_when_it_decodes(kind: str, data: st.DataObject) -> None:
    declared, whole = STRUCTURES[kind]
    blob = damaged(data, whole)
    found = inspect(blob, kind)
    assert (found.stopped and found.stopped.reason) == reason_of(declared.decode, blob)
    assert well_formed(found)


@pytest.mark.requirement("SIG-1", "SIG-2")
@pytest.mark.parametrize("family", FAMILIES)
@given(data=st.data())
def test_a_message_is_read_exactly_when_it_decodes(family: str, data: st.DataObject) -> None:
    blob = damaged(data, SERVICE_MESSAGE)
    found = inspect(blob, family)
    assert (found.stopped is None) == (
        reason_of(lambda each: wire.decode(FAMILIES[family], each), blob) is None
    )


def test_what_is_damaged_is_shown_up_to_the_damage() -> None:
    found = inspect(KEY_PACKAGE[:330])
    assert (found.kind, found.is_guess) == ("key-package", False)
    assert found.stopped is not None
    assert (found.stopped.reason, found.stopped.offset) == ("TRUNCATED", 330)
    names = [part.name for part in found.part.walk() if part.problem]
    assert names == ["leaf_node_source"]
    assert found.part.child("leaf_node").child("capabilities").size == 15


def test_a_message_that_is_too_long_is_not_looked_into() -> None:
    found = inspect(b"\x92\xa4find" + b"x" * LETTER.max_size, "letter")
    assert found.stopped is not None
    assert (found.stopped.reason, found.part.children) == (WireReason.TOO_LARGE, [])


def test_deep_nesting_and_great_counts_end_soon() -> None:
    for blob in (b"\x91" * 1_000_000, b"\xdd\xff\xff\xff\xff" * 1000, b"\xbf\xff\xff\xff" * 1000):
        assert inspect(blob).stopped is not None or inspect(blob).kind in ("frame", "rtp")


@pytest.mark.parametrize(
    ("kind", "codec", "reason"),
    [
        ("nonsense", None, InspectionReason.UNKNOWN_KIND),
        ("frame", "H261", InspectionReason.UNKNOWN_CODEC),
    ],
)
def test_an_unknown_kind_or_codec_is_a_fault_of_who_asks(
    kind: str, codec: str | None, reason: InspectionReason
) -> None:
    with pytest.raises(InspectionUsageError) as refused:
        inspect(b"\0", kind, codec)
    assert refused.value.reason is reason
