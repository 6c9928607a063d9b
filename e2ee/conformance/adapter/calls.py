"""The chapter Calls: what has no script."""

from __future__ import annotations

from e2ee.call.verification import call_code
from e2ee.conformance.adapter.operations import Accepted, Answer, Given, operation
from e2ee.crypto.secret import Secret


@operation("calls/call-code")
def code(given: Given) -> Answer:
    """CALL-14: the sixty digits of an epoch."""
    authenticator = Secret(bytes.fromhex(given["epoch_authenticator"]))
    return Accepted({"call_code": call_code(authenticator)})
