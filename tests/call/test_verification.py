"""The call code: sixty digits of an epoch."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.call.verification import call_code
from e2ee.crypto.secret import Secret

AUTHENTICATORS = st.binary(min_size=32, max_size=64)


@pytest.mark.requirement("CALL-14")
@given(AUTHENTICATORS)
def test_it_is_what_the_chapter_says(epoch_authenticator: bytes) -> None:
    """Computed here from RFC 5869's own text, with no code of this package."""
    output, block = b"", b""
    for number in (1, 2):
        info = b"E2EE Call 1.0 " + b"Call code" + bytes([number])
        block = hmac.digest(epoch_authenticator, block + info, hashlib.sha256)
        output += block
    groups = [output[start : start + 5] for start in range(0, 60, 5)]
    expected = "".join(str(int.from_bytes(group, "big") % 100_000).zfill(5) for group in groups)
    assert call_code(Secret(epoch_authenticator)) == expected


@pytest.mark.requirement("CALL-14")
def test_a_known_answer() -> None:
    expected = "822983861575404926981584673513279762891601617514727406568121"
    assert call_code(Secret(bytes(range(32)))) == expected


@given(AUTHENTICATORS)
def test_it_is_sixty_digits(epoch_authenticator: bytes) -> None:
    code = call_code(Secret(epoch_authenticator))
    assert len(code) == 60
    assert code.isascii()
    assert code.isdigit()
