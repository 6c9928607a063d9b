"""What is signed for one purpose is no signature for another."""

from __future__ import annotations

import itertools

import pytest

from e2ee.crypto.errors import BadSignature
from e2ee.crypto.signature import SigningKey
from e2ee.identity.labels import SignatureLabel, label, opaque16, sign_labelled, verify_labelled


def test_notation() -> None:
    assert label("Login") == b"E2EE Call 1.0 Login"
    assert opaque16(b"abc") == b"\x00\x03abc"
    assert opaque16(bytes(65_535))[:2] == b"\xff\xff"


@pytest.mark.requirement("IDENT-13")
def test_every_purpose_has_a_label_of_its_own(device: SigningKey) -> None:
    for purpose, other in itertools.permutations(SignatureLabel, 2):
        signature = sign_labelled(device, purpose, b"content")
        verify_labelled(device.public, purpose, b"content", signature)
        with pytest.raises(BadSignature):
            verify_labelled(device.public, other, b"content", signature)


@pytest.mark.requirement("IDENT-13")
def test_no_label_begins_another() -> None:
    """Else content could begin with the rest of a label, and count for another purpose."""
    for purpose, other in itertools.permutations(SignatureLabel, 2):
        assert not label(other).startswith(label(purpose))
