"""``vectors/calls.json`` against the implementation."""

from __future__ import annotations

from typing import Any

import pytest

from e2ee.call.verification import call_code
from e2ee.crypto.secret import Secret


@pytest.mark.vectors("calls", "call-code")
def test_call_code(vector: dict[str, Any]) -> None:
    authenticator = Secret(bytes.fromhex(vector["input"]["epoch_authenticator"]))
    assert call_code(authenticator) == vector["output"]["call_code"]
