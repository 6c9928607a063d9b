"""The call code, sixty digits of an epoch, and the formulas and the table of the spoken code."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2ee.call.code_emoji import EMOJI
from e2ee.call.verification import call_code, code_commitment, export_sas_key, spoken_code
from e2ee.crypto.secret import Secret
from e2ee.shipped import shipped

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


# The spoken code's formulas, by the chapter's text and the library's primitives alone


def hkdf_expand_8(key: bytes, info: bytes) -> bytes:
    return hmac.digest(key, info + b"\x01", hashlib.sha256)[:8]


@pytest.mark.requirement("VERIFY-3")
@given(st.binary(min_size=32, max_size=48), st.integers(0, 2**32 - 1), st.integers(1, 255))
def test_a_commitment_is_what_the_chapter_says(
    epoch_authenticator: bytes, leaf: int, attempt: int
) -> None:
    call_id, random = bytes(range(16)), bytes(range(32))
    hashed = b"E2EE Call 1.0 SAS commit" + call_id + epoch_authenticator
    hashed += leaf.to_bytes(4, "big") + bytes([attempt]) + random
    due = hashlib.sha256(hashed).digest()
    assert code_commitment(call_id, Secret(epoch_authenticator), leaf, attempt, random) == due


@pytest.mark.requirement("VERIFY-5")
@given(st.dictionaries(st.integers(0, 1023), st.binary(min_size=32, max_size=32), min_size=2))
def test_a_spoken_code_is_what_the_chapter_says(revealed: dict[int, bytes]) -> None:
    key = bytes(range(32))
    said = b"".join(leaf.to_bytes(4, "big") + revealed[leaf] for leaf in sorted(revealed))
    context = hashlib.sha256(b"\x02" + said).digest()
    x = hkdf_expand_8(key, b"E2EE Call 1.0 SAS code" + context)
    bits = "".join(f"{byte:08b}" for byte in x)
    code = spoken_code(Secret(key), 2, revealed)
    places = [int(bits[start : start + 6], 2) for start in range(0, 42, 6)]
    assert [EMOJI.index(emoji) for emoji in code.emoji] == places
    assert code.digits == str(int(x.hex(), 16) % 1_000_000).zfill(6)


def test_the_key_is_exported_under_its_label() -> None:
    asked: list[tuple[str, bytes, int]] = []

    def export(label: str, context: bytes, length: int) -> Secret:
        asked.append((label, context, length))
        return Secret(bytes(length))

    assert len(export_sas_key(export)) == 32
    assert asked == [("E2EE Call 1.0 SAS", b"", 32)]


# The table


def test_64_emoji_that_every_platform_draws_alone() -> None:
    assert len(EMOJI) == 64
    assert len({emoji.picture for emoji in EMOJI}) == 64
    for emoji in EMOJI:
        assert len(emoji.picture) == 1
        assert unicodedata.east_asian_width(emoji.picture) == "W"  # drawn as emoji by default
        assert str(emoji) == f"{emoji.picture} {emoji.name}"


def test_no_two_names_are_alike() -> None:
    for one, other in itertools.combinations((emoji.name.lower() for emoji in EMOJI), 2):
        assert edits(one, other) >= 3, f"{one} and {other}"


def edits(one: str, other: str) -> int:
    """Levenshtein's distance."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


@pytest.mark.requirement("VERIFY-5")
def test_the_chapter_has_the_same_table() -> None:
    text = (shipped("spec") / "verification.md").read_text()
    assert re.findall(r"\| (\d+ [^|]+?) (?=\|)", text) == [
        f"{place} {emoji}" for place, emoji in enumerate(EMOJI)
    ]
