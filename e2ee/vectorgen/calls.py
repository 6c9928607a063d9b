"""Vectors of the chapter Calls: the call code, and scripts (``call_scripts``)."""

from __future__ import annotations

import e2ee.vectorgen.call_scripts.unfit  # noqa: F401 - adds its cases to two groups
from e2ee.crypto.kdf import HKDF_SHA256
from e2ee.vectorgen.call_scripts import attacks, following, placing, ringing
from e2ee.vectorgen.call_scripts.states import STATES
from e2ee.vectorgen.models import MLS_KDF, digits
from e2ee.vectorgen.registry import Case, Chapter, Group

__all__ = ["CHAPTER"]

codes = Group(
    "call-code", "epoch_authenticator -> the sixty digits that the two read to each other."
)


@codes.vector("CALL-14", each={"0x0001": 0x0001, "0xf0e2": 0xF0E2})
def call_code(case: Case, mls_suite: int) -> None:
    """HKDF-SHA256 whatever the suite; epoch_authenticator has the length of the suite's hash."""
    _code(case, case.entropy.random(MLS_KDF[mls_suite][0].Nh))


@codes.vector("CALL-14")
def call_code_with_leading_zeros(case: Case) -> None:
    """Each group has five digits, also a small one."""
    for number in range(100_000):
        authenticator = number.to_bytes(32, "big")
        if digits(_expanded(authenticator)[:5]).startswith("00"):
            _code(case, authenticator)
            return


def _expanded(epoch_authenticator: bytes) -> bytes:
    return HKDF_SHA256.expand(epoch_authenticator, b"E2EE Call 1.0 Call code", 60)


def _code(case: Case, epoch_authenticator: bytes) -> None:
    expanded = _expanded(epoch_authenticator)
    case.input["epoch_authenticator"] = epoch_authenticator
    case.intermediate["expanded"] = expanded
    case.output["call_code"] = digits(expanded)


CHAPTER = Chapter(
    "calls",
    "L4",
    "The call code, and scripts of calls between two.",
    (codes, ringing.GROUP, placing.GROUP, following.GROUP, attacks.GROUP),
    STATES,
)
