"""What other people wrote does nothing to a terminal."""

from __future__ import annotations

import stat
import unicodedata
from pathlib import Path

import pytest
import segno
from hypothesis import example, given
from hypothesis import strategies as st

from e2ee.cli.calls.shown import digits, halves, isolated, qr, save_qr, visible

_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


@given(st.text(st.characters()))
@example("\x1b]0;title\x07\x9b2J\r\n\x7f")
@example("\N{RIGHT-TO-LEFT OVERRIDE}\N{POP DIRECTIONAL ISOLATE}\N{LINE SEPARATOR}")
def test_nothing_of_it_is_obeyed(text: str) -> None:
    shown = visible(text)
    assert not [
        character
        for character in shown
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and character not in _JOINERS
    ]
    assert isolated(text) == f"\N{FIRST STRONG ISOLATE}{shown}\N{POP DIRECTIONAL ISOLATE}"


@pytest.mark.parametrize("text", ["hello", "שלום", "👩\N{ZERO WIDTH JOINER}🚀", "a b"])
def test_what_people_write_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_a_qr_code_in_half_blocks_is_the_qr_code() -> None:
    text = "e2ee-safety:" + "A" * 200
    dark = {" ": (1, 1), "▀": (0, 1), "▄": (1, 0), "█": (0, 0)}
    rows: list[tuple[int, ...]] = []
    for line in qr(text):
        rows += zip(*(dark[character] for character in line), strict=True)
    code = segno.make(text, error="l", micro=False)
    wanted = [tuple(row) for row in code.matrix_iter(border=2)]
    assert rows[: len(wanted)] == wanted
    assert not any(any(row) for row in rows[len(wanted) :])


@pytest.mark.parametrize("name", ["code.svg", "code.png"])
def test_a_picture_of_a_code_is_for_its_owner(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch(mode=0o644)
    save_qr("e2ee-link:secret", path)
    assert path.stat().st_size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["code.doc", "code", "nowhere/code.png"])
def test_a_picture_that_cannot_be_is_said_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(SystemExit):
        save_qr("e2ee-link:secret", tmp_path / name)


def test_sixty_digits_are_two_lines_of_six_groups() -> None:
    number = "".join(f"{group:05}" for group in range(12))
    assert halves(number) == (
        "00000 00001 00002 00003 00004 00005",
        "00006 00007 00008 00009 00010 00011",
    )
    assert digits("123456") == "12345 6"
