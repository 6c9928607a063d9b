"""RFC 9420 Sections 7.2 and 11.1: default types are supported by everybody, all else must be listed."""

from __future__ import annotations

import pytest

from e2ee.errors import DecodeError
from e2ee.mls.capabilities import (
    Capabilities,
    RequiredCapabilities,
    best_cipher_suite,
    required_capabilities,
)
from e2ee.mls.extension import Extension, ExtensionType

NOTHING = RequiredCapabilities((), (), ())
OURS = Capabilities((1,), (1,), (0xF0C1, 0x0A0A), (0xF0D1,), (1,))


@pytest.mark.parametrize(
    ("required", "met"),
    [
        (NOTHING, True),
        (RequiredCapabilities((0xF0C1,), (0xF0D1,), (1,)), True),
        (RequiredCapabilities((1, 2, 3, 4, 5), (1, 2, 3, 4, 5, 6, 7), ()), True),
        (RequiredCapabilities((0xF0C2,), (), ()), False),
        (RequiredCapabilities((), (0xF0D2,), ()), False),
        (RequiredCapabilities((), (), (2,)), False),
        (RequiredCapabilities((6,), (), ()), False),
        (RequiredCapabilities((), (8,), ()), False),
    ],
)
def test_what_is_required_must_be_listed(required: RequiredCapabilities, met: bool) -> None:
    assert OURS.meet(required) is met


def test_no_credential_type_is_a_default() -> None:
    assert not Capabilities((1,), (1,), (), (), ()).meet(RequiredCapabilities((), (), (1,)))


def test_a_group_that_says_nothing_requires_nothing() -> None:
    assert required_capabilities((Extension(0xF0C1, b""),)) == NOTHING


def test_a_group_says_what_it_requires() -> None:
    required = RequiredCapabilities((0xF0C1,), (), (1,))
    extension = Extension(ExtensionType.REQUIRED_CAPABILITIES, required.encode())
    assert required_capabilities((extension,)) == required
    with pytest.raises(DecodeError):
        required_capabilities((Extension(ExtensionType.REQUIRED_CAPABILITIES, b"\x01"),))


@pytest.mark.parametrize(
    ("preference", "best"),
    [((7, 3, 1), 3), ((1, 3), 1), ((3,), 3), ((7, 5), None), ((), None)],
)
def test_a_group_gets_the_best_suite_that_everybody_has(
    preference: tuple[int, ...], best: int | None
) -> None:
    """The first of the creator's own, whatever else the others list, GREASE that they share included."""
    lists = [(1, 2, 3, 7, 0x0A0A), (0x0A0A, 3, 1), (5, 3, 1, 0x0A0A)]
    capabilities = [Capabilities((1,), suites, (), (), (1,)) for suites in lists]
    assert best_cipher_suite(preference, capabilities) == best
