"""What other people wrote, on a terminal: nothing of it moves the cursor, changes colours or the direction of what follows.

Control characters are shown as their pictures (U+2400 on) or code points, and the text stands in a bidirectional isolate
that it cannot leave (chapter Chat, CHAT-3).
"""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path

import typer

from e2ee.account_id import flaw
from e2ee.cli.main import refuse

__all__ = [
    "STATES",
    "account_name",
    "digits",
    "halves",
    "in_words",
    "isolated",
    "qr",
    "read_argument",
    "save_qr",
    "visible",
]

_ISOLATE, _POP = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"

_FORMATTING = frozenset(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))
"""Embeddings, overrides and isolates: balanced or not, they do not come out of the text."""

_HARMLESS_FORMAT = frozenset("\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")
"""Of category Cf, and part of emoji and of words."""

STATES = {
    "unverified": "unverified: that it is them is the server's word",
    "verified": "verified: you compared keys",
    "changed": "CHANGED: another key than the one known so far",
}
"""``ContactState`` in words."""

_FIRST = "met for the first time: that it is them is the server's word"


def in_words(state: str | None, *, is_first: bool) -> str:
    """What is known of somebody; ``is_first``: their key was not known before this call."""
    return _FIRST if is_first and state == "unverified" else STATES.get(state or "", "")


def visible(text: str) -> str:
    """``text`` with every character that a terminal could obey, or that cannot be seen, made visible."""
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    if character in _HARMLESS_FORMAT:
        return character
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return f"<U+{code:04X}>" if hidden or character in _FORMATTING else character


def isolated(text: str) -> str:
    """``text`` made visible, in a bidirectional isolate."""
    return f"{_ISOLATE}{visible(text)}{_POP}"


def account_name(name: str) -> str:
    """An account's id as it is written in certificates: in Normalization Form C (IDENT-1)."""
    account_id = unicodedata.normalize("NFC", name)
    wrong = flaw(account_id)
    if wrong is not None:
        refuse(f"not an account's name: {wrong}")
    return account_id


def read_argument(text: str) -> str:
    """``text``, or of "-" the first line of standard input: what is a secret is no argument, which everybody can list."""
    if text != "-":
        return text.strip()
    if sys.stdin.isatty():
        asked: str = typer.prompt("Text", err=True)
        return asked.strip()
    return sys.stdin.readline().strip()


def digits(number: str) -> str:
    """Digits in groups of five."""
    return " ".join(number[at : at + 5] for at in range(0, len(number), 5))


def halves(number: str) -> tuple[str, str]:
    """A safety number or call code as two lines of thirty digits in groups."""
    half = len(number) // 2
    return digits(number[:half]), digits(number[half:])


def qr(text: str) -> list[str]:
    """A QR code as lines of half blocks, light on dark like most terminals, with its quiet zone."""
    import segno  # noqa: PLC0415 - few commands show one

    matrix = [list(row) for row in segno.make(text, error="l", micro=False).matrix_iter(border=2)]
    if len(matrix) % 2:
        matrix.append([0] * len(matrix[0]))
    pairs = zip(matrix[::2], matrix[1::2], strict=True)
    return [
        "".join(_HALVES[bool(up), bool(down)] for up, down in zip(*pair, strict=True))
        for pair in pairs
    ]


_HALVES = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
"""(upper module dark, lower module dark) -> the character that is light where they are not."""


def save_qr(text: str, path: Path) -> None:
    """A QR code as a picture, for its owner only: a link is a secret. What it is, SVG or PNG, says the file's name."""
    import segno  # noqa: PLC0415

    code = segno.make(text, error="l", micro=False)
    try:
        path.unlink(missing_ok=True)  # a file that others read already stays theirs
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            code.save(file, kind=path.suffix.removeprefix("."), scale=6, border=4)
    except (OSError, ValueError) as error:
        refuse(f"no picture could be written: {error}")
