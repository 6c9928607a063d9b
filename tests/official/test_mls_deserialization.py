"""mls/deserialization.json: the lengths of variable-size vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2ee.tls_syntax import Reader, read_length, write_length


def test_vector_lengths(
    mls_cases: Callable[[str], list[tuple[int, dict[str, Any]]]], subtests: pytest.Subtests
) -> None:
    for _, case in mls_cases("deserialization"):
        header, length = bytes.fromhex(case["vlbytes_header"]), case["length"]
        with subtests.test(length=length):
            reader = Reader(header)
            reader.end += (
                length  # the vector's body, which no length check may ask to be there in memory
            )
            assert read_length(reader) == length
            assert reader.position == len(header)
            written = bytearray()
            write_length(length, written)
            assert written == header
