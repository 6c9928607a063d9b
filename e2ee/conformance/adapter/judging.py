"""What operations share: from the protocol's errors to answers, and what a case takes for granted."""

from __future__ import annotations

from functools import wraps

from e2ee.conformance.adapter.operations import Answer, Given, Operation, Refused
from e2ee.errors import E2EEError

__all__ = ["Differs", "expect", "refusing"]


class Differs(Exception):
    """A step before the one that the case is about came out otherwise than the case says. Nothing can be answered."""


def expect(found: object, said: object, of: str) -> None:
    """Raise Differs unless ``found`` is what the case said ``of`` an earlier step."""
    if found != said:
        raise Differs(f"{of}: {found!r}, and not {said!r}")


def refusing(function: Operation) -> Operation:
    """The operation that answers ``Refused`` where ``function`` raises E2EEError, for the error's reason."""

    @wraps(function)
    def answered(given: Given) -> Answer:
        try:
            return function(given)
        except E2EEError as error:
            return Refused(error.reason.value)

    return answered
