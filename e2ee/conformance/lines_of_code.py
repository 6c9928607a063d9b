"""How much code each component has, for who audits it: a table of ``spec/auditors.md``, counted from the package.

Lines are those with code: neither blank, nor a comment, nor of a docstring. They are rounded to hundreds, so that the table
changes only when an answer changes.

This module imports nothing of the package that it looks at.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

__all__ = ["COMPONENTS", "table"]

COMPONENTS = (
    (
        "crypto",
        "the primitives, HPKE, randomness; the one package that calls a library of cryptography",
        "secret",
    ),
    ("tls_syntax", "TLS presentation language: decoding with limits, canonical encoding", "input"),
    ("mls", "RFC 9420, its public and its secret half", "secret, input"),
    ("sframe", "RFC 9605: headers, keys, replay windows, encryption", "secret, input"),
    ("media", "which bytes stay clear; protecting and opening frames", "secret, input"),
    ("signalling", "MessagePack, one encoding; all messages and their limits", "input"),
    ("identity", "certificates, attestations, pins, links, safety numbers", "secret, input"),
    ("profile", "what of MLS a call may use: judged by members and by the service", "input"),
    (
        "call",
        "the state machines of calls and group calls, epochs, verification, chat, letters",
        "secret, input",
    ),
    ("client", "sockets, timers, and what a device keeps on disk", "secret, input"),
    ("rtc", "media of a device: encoders, decoders, recorders over aiortc", "secret, input"),
    ("aiortc_seams", "every private name of aiortc that is touched", "input"),
    ("delivery", "the delivery service's rules, without input and output", "server"),
    ("server", "its sockets and its store", "server"),
    ("sfu", "the forwarding unit", "server"),
)
"""Package, what it does, and what an auditor looks at it for: it holds secrets, takes a stranger's bytes, runs on a server."""

_NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
    tokenize.ENDMARKER,
}  # fmt: skip


def table(package: Path) -> str:
    """The table in Markdown, of the package in the folder ``package``."""
    rows = [
        f"| `e2ee/{name}` | {about} | {looked_for} | {_rounded(package / name)} |"
        for name, about, looked_for in COMPONENTS
    ]
    return "\n".join(["| component | what it does | | lines |", "|---|---|---|---|", *rows])


def _rounded(folder: Path) -> str:
    count = sum(len(_lines(path.read_text())) for path in folder.rglob("*.py"))
    return f"{max(round(count, -2), 100):,}"


def _lines(source: str) -> set[int]:
    """The numbers of the lines with code."""
    code = set[int]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            code.update(range(token.start[0], token.end[0] + 1))
    return code.difference(*(range(first, last + 1) for first, last in _docstrings(source)))


def _docstrings(source: str) -> Iterator[tuple[int, int]]:
    """First and last line of each text that stands alone."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.lineno, node.end_lineno or node.lineno
