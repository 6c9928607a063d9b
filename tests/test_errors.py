"""The roots of the exception trees: the class says who erred, the reason says which rule."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import e2ee
from e2ee.errors import (
    DecodeError,
    DecodeReason,
    E2EEError,
    LocalProtocolError,
    Reason,
    RemoteProtocolError,
)


def subclasses(root: type[Any]) -> Iterator[type[Any]]:
    children: list[type[Any]] = root.__subclasses__()
    for child in children:
        yield child
        yield from subclasses(child)


@pytest.fixture(scope="module", autouse=True)
def every_module_is_imported() -> None:
    for module in pkgutil.walk_packages(e2ee.__path__, "e2ee."):
        importlib.import_module(module.name)


def test_an_error_prints_its_reason_and_its_detail() -> None:
    assert str(DecodeError(DecodeReason.TRUNCATED, "2 bytes wanted")) == "TRUNCATED: 2 bytes wanted"
    assert str(DecodeError(DecodeReason.TRUNCATED)) == "TRUNCATED"


def test_code_that_handles_an_error_looks_at_class_and_reason() -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        raise DecodeError(DecodeReason.BAD_LENGTH, "any text")
    assert refused.value.reason is DecodeReason.BAD_LENGTH
    assert refused.value.reason == "BAD_LENGTH"
    assert refused.value.detail == "any text"


def test_every_error_says_who_erred() -> None:
    assert not issubclass(LocalProtocolError, RemoteProtocolError)
    nobody = [
        error
        for error in subclasses(E2EEError)
        if not issubclass(error, LocalProtocolError | RemoteProtocolError)
    ]
    assert nobody == []


def test_every_reason_is_its_own_upper_case_name() -> None:
    codes = [code for reasons in subclasses(Reason) for code in reasons.__members__.items()]
    assert len(codes) > 20
    assert [(name, value) for name, value in codes if name != value or not name.isupper()] == []
