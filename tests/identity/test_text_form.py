"""A text has one spelling, or is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.errors import DecodeError, DecodeReason
from e2ee.identity.text_form import from_text, to_text


@given(st.binary(max_size=300))
def test_what_is_written_is_read(data: bytes) -> None:
    text = to_text("e2ee-x:", data)
    assert text.isascii()
    assert "=" not in text
    assert from_text("e2ee-x:", text) == data


@given(st.text(max_size=20))
def test_whatever_is_read_is_written_so(encoded: str) -> None:
    try:
        data = from_text("e2ee-x:", "e2ee-x:" + encoded)
    except DecodeError as refused:
        assert refused.reason is DecodeReason.NOT_CANONICAL
    else:
        assert to_text("e2ee-x:", data) == "e2ee-x:" + encoded


@pytest.mark.parametrize("encoded", ["AB", "AA==", "A", "A+A", "A A", "AAA\n", "\u00e9AAA", "AA!A"])
def test_another_spelling_is_refused(encoded: str) -> None:
    with pytest.raises(DecodeError) as refused:
        from_text("e2ee-x:", "e2ee-x:" + encoded)
    assert refused.value.reason is DecodeReason.NOT_CANONICAL


@pytest.mark.parametrize("text", ["", "AAAA", "e2ee-y:AAAA", "E2EE-X:AAAA"])
def test_another_prefix_is_refused(text: str) -> None:
    with pytest.raises(DecodeError) as refused:
        from_text("e2ee-x:", text)
    assert refused.value.reason is DecodeReason.UNKNOWN_VALUE
