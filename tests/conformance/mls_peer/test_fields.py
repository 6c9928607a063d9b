"""Each kind of field reads what it is due, and refuses everything else with the place where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from e2ee.conformance.mls_peer import fields
from e2ee.conformance.mls_peer.errors import RequestError, RequestReason
from e2ee.conformance.mls_peer.fields import REQUIRED, fields_of, read_fields
from e2ee.crypto.cipher_suite import CIPHER_SUITES
from e2ee.crypto.errors import UnsupportedCipherSuite
from e2ee.crypto.secret import Secret
from e2ee.errors import DecodeError, DecodeReason
from e2ee.mls.extension import Extension

if TYPE_CHECKING:
    from tests.conformance.mls_peer.conftest import Talk

SUITE = CIPHER_SUITES[1]


def read(annotation: Any, value: Any) -> Any:
    (kind,) = annotation.__metadata__
    return kind.read("here", value)


@pytest.mark.parametrize(
    ("field", "given", "expected"),
    [
        ("Text", "Zoë", "Zoë"),
        ("Text", "", ""),
        ("ClientId", "a", "a"),
        ("ClientId", -3, -3),
        ("Flag", True, True),
        ("Length", 0, 0),
        ("Length", 0xFFFF, 0xFFFF),
        ("OwnLeaf", True, True),
        ("OwnLeaf", 0xFFFFFFFF, 0xFFFFFFFF),
        ("Hex", "", b""),
        ("Hex", "00fFFf", b"\x00\xff\xff"),
        ("Suite", 1, SUITE),
        ("Suite", SUITE.name, SUITE),
        ("CodePoints", [], ()),
        ("CodePoints", [1, 0xFFFF], (1, 0xFFFF)),
        ("ExtensionList", [[1, "02"]], (Extension(1, b"\x02"),)),
        ("HexList", ["", "01"], (b"", b"\x01")),
        ("LeafIndexList", [0, 0xFFFFFFFF], (0, 0xFFFFFFFF)),
    ],
)
def test_what_a_field_holds(field: str, given: Any, expected: Any) -> None:
    assert read(getattr(fields, field), given) == expected


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("Text", None),
        ("Text", 1),
        ("Text", "\ud800"),
        ("Text", "half \udfff"),
        ("ClientId", True),
        ("ClientId", 1.0),
        ("ClientId", None),
        ("ClientId", ["a"]),
        ("Flag", 1),
        ("Flag", "true"),
        ("Length", -1),
        ("Length", 0x10000),
        ("Length", 1.0),
        ("Length", True),
        ("Length", "1"),
        ("OwnLeaf", -1),
        ("OwnLeaf", None),
        ("Hex", "000"),
        ("Hex", "0g"),
        ("Hex", "00 00"),
        ("Hex", "é"),
        ("Hex", "\ud800"),
        ("Hex", ["00"]),
        ("Hex", 0),
        ("SecretHex", "0"),
        ("Suite", "MLS_128"),
        ("Suite", -1),
        ("Suite", True),
        ("Suite", 0x10000),
        ("AnyMessage", 1),
        ("WelcomeMessage", "0"),
        ("CodePoints", 1),
        ("CodePoints", "12"),
        ("CodePoints", {"1": 1}),
        ("CodePoints", [-1]),
        ("ExtensionList", [[1]]),
        ("ExtensionList", [[1, "", ""]]),
        ("ExtensionList", ["01"]),
        ("ExtensionList", [["1", ""]]),
        ("ExtensionList", [[1, 1]]),
        ("HexList", [0]),
        ("LeafIndexList", [0x100000000]),
        ("KeyPackageList", ["0"]),
    ],
)
def test_what_a_field_does_not_hold(field: str, given: Any) -> None:
    with pytest.raises(RequestError) as refused:
        read(getattr(fields, field), given)
    assert refused.value.reason is RequestReason.BAD_FIELD
    assert refused.value.detail.startswith("here")


def test_the_place_in_a_list_is_named() -> None:
    with pytest.raises(RequestError, match=r"here\[1\]\[0\]: a number of 16 bits is due"):
        read(fields.ExtensionList, [[1, ""], [None, ""]])


def test_bytes_that_are_no_message_say_why_and_where() -> None:
    with pytest.raises(DecodeError) as refused:
        read(fields.KeyPackageList, ["0001"])
    assert refused.value.reason is DecodeReason.TRUNCATED
    assert refused.value.detail.startswith("here[0]: ")


def test_a_message_of_another_kind_is_told(talk: Talk) -> None:
    key_package = talk.client("a")
    assert read(fields.KeyPackageMessage, key_package).encode().hex() in key_package
    with pytest.raises(RequestError, match="here: a GroupInfo is due, not a KeyPackage") as refused:
        read(fields.GroupInfoMessage, key_package)
    assert refused.value.reason is RequestReason.WRONG_MESSAGE


def test_a_suite_that_nobody_has_is_the_library_s_error() -> None:
    with pytest.raises(UnsupportedCipherSuite):
        read(fields.Suite, 0x7777)


def test_a_secret_hides() -> None:
    assert isinstance(read(fields.SecretHex, "0102"), Secret)


# All fields of a request


def handler(
    *, id: fields.ClientId, data: fields.Hex | None = None, flag: fields.Flag = True
) -> None:
    """Takes three fields."""


FIELDS = fields_of(handler)


def test_a_handler_s_signature_is_its_table() -> None:
    assert list(FIELDS) == ["id", "data", "flag"]
    assert [field.default for field in FIELDS.values()] == [REQUIRED, None, True]
    assert [field.optional for field in FIELDS.values()] == [False, True, True]
    assert [field.kind.name for field in FIELDS.values()] == ["id", "hex", "bool"]


def test_a_parameter_without_a_kind_is_a_mistake() -> None:
    def forgetful(*, id: str) -> None:
        """Takes what nobody reads."""

    with pytest.raises(TypeError, match="no kind"):
        fields_of(forgetful)


def test_what_may_be_omitted_may_be_null() -> None:
    assert read_fields(FIELDS, {"id": 1}) == {"id": 1}
    assert read_fields(FIELDS, {"id": 1, "data": None, "flag": None}) == {"id": 1}
    assert read_fields(FIELDS, {"flag": False, "id": 1}) == {"id": 1, "flag": False}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, RequestReason.MISSING_FIELD),
        ({"data": ""}, RequestReason.MISSING_FIELD),
        ({"id": None}, RequestReason.BAD_FIELD),
        ({"id": 1, "Data": ""}, RequestReason.UNKNOWN_FIELD),
    ],
)
def test_fields_are_all_there_and_all_known(given: dict[str, Any], reason: RequestReason) -> None:
    with pytest.raises(RequestError) as refused:
        read_fields(FIELDS, given)
    assert refused.value.reason is reason
