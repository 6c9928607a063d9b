"""RFC 9420 Sections 6 and 10: the version of a message and of what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.errors import DecodeError, DecodeReason
from e2ee.mls.errors import Rule
from e2ee.mls.message import MLSMessage

if TYPE_CHECKING:
    from tests.mls.conftest import Workshop


@pytest.mark.parametrize("version", [0, 2, 0x0A0A, 0xFFFF])
def test_a_key_package_has_the_version_of_its_message(workshop: Workshop, version: int) -> None:
    alice = workshop.client("alice")
    good, bad = workshop.key_package(alice), workshop.key_package(alice, version=version)
    assert MLSMessage.decode(MLSMessage.of(good).encode()).body == good
    with pytest.raises(DecodeError) as refused:
        MLSMessage.decode(MLSMessage.of(bad).encode())
    assert refused.value.reason is Rule.KEY_PACKAGE_VERSION_OF_MESSAGE


@pytest.mark.parametrize("version", [b"\x00\x00", b"\x00\x02", b"\x0a\x0a"])
def test_there_is_one_version(workshop: Workshop, version: bytes) -> None:
    encoded = MLSMessage.of(workshop.key_package(workshop.client("alice"))).encode()
    with pytest.raises(DecodeError) as refused:
        MLSMessage.decode(version + encoded[2:])
    assert refused.value.reason is DecodeReason.UNKNOWN_VALUE
