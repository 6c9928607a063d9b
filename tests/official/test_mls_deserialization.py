"""mls/deserialization.json: the lengths of variable-size vectors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2ee.tls_syntax import Reader, read_length, write_length


def test_vector_lengths(official_vectors: Path, subtests: pytest.Subtests) -> None:
    for case in json.loads((official_vectors / "mls" / "deserialization.json").read_text()):
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
