"""RFC 9420 Section 13.4: any extension is carried, none twice; and the inner encodings that others got wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2ee.errors import DecodeError
from e2ee.mls.credential import Credential
from e2ee.mls.errors import Rule, UsageError
from e2ee.mls.extension import (
    Extension,
    ExtensionType,
    ExternalPub,
    ExternalSender,
    external_senders,
    find,
)
from e2ee.mls.proposal import GroupContextExtensions

if TYPE_CHECKING:
    from tests.mls.conftest import Workshop

GREASE = [0x0A0A + 0x1010 * i for i in range(15)]


def test_unknown_types_are_carried() -> None:
    extensions = tuple(Extension(code_point, b"anything") for code_point in [*GREASE, 0xF0C1])
    decoded = GroupContextExtensions.decode(GroupContextExtensions(extensions).encode())
    assert decoded.extensions == extensions
    assert find(decoded.extensions, 0xF0C1) == b"anything"
    assert find(decoded.extensions, 0xF0C2) is None


def test_no_list_holds_a_type_twice() -> None:
    twice = Extension(0xF0C1, b"one").encode() + Extension(0xF0C1, b"other").encode()
    with pytest.raises(DecodeError) as refused:
        GroupContextExtensions.decode(bytes([len(twice)]) + twice)
    assert refused.value.reason == Rule.DUPLICATE_EXTENSION


def test_no_list_with_a_type_twice_is_sent() -> None:
    with pytest.raises(UsageError) as refused:
        GroupContextExtensions((Extension(1, b"one"), Extension(1, b"other"))).encode()
    assert refused.value.reason == Rule.DUPLICATE_EXTENSION


def test_external_pub_has_a_length_of_its_own() -> None:
    extension = Extension(ExtensionType.EXTERNAL_PUB, ExternalPub(b"key").encode())
    assert extension.encode() == b"\x00\x04" + b"\x04" + b"\x03key"


def test_external_senders_is_a_vector(workshop: Workshop) -> None:
    sender = ExternalSender(workshop.client("service").signing.public, Credential.basic(b"service"))
    one = external_senders.encode((sender,))
    assert one == bytes([len(sender.encode())]) + sender.encode()
    assert external_senders.decode(one) == (sender,)
