"""``e2ee inspect``: anything that the protocol carries, taken apart: fields, places, requirements, signatures."""

from __future__ import annotations

import binascii
import json
import re
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text
from rich.tree import Tree

from e2ee.cli.calls.output import console
from e2ee.cli.main import refuse
from e2ee.inspection import KINDS, Inspection, Part, inspect, inspect_text
from e2ee.inspection.errors import InspectionUsageError
from e2ee.inspection.frames import CODEC_NAMES

__all__ = ["bytes_of", "lines", "register"]

_KINDS = "\n\n".join(["KIND is one of", *(f"{name}: {k.description}" for name, k in KINDS.items())])

_SHOWN = 48
"""Characters of a value that are shown to people; --json has all."""


def register(app: typer.Typer) -> None:
    """Give the command to ``app``."""
    app.command("inspect", epilog=_KINDS)(show)


def show(
    blob: Annotated[
        str,
        typer.Argument(
            help="Hexadecimal, base64, base64url, a link or code as text, a file, or - for standard input."
        ),
    ],
    kind: Annotated[
        str | None, typer.Option("--as", metavar="KIND", help="What it is; found out if not given.")
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option(help=f"Of media in it: {', '.join(CODEC_NAMES)}. Found out if not given."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Take apart anything that the protocol carries, without any key: fields, offsets, requirements, signatures.

    Frames, MLS messages, certificates, messages of the signalling, links and codes. Nothing is decrypted; what is a secret
    is not shown. Of what is damaged, all up to the damage.

        e2ee inspect 93a5636c61696da5616c696365cdf0e2
        e2ee inspect --codec VP8 frame.bin
        e2ee inspect --as certificate --json - <certificate

    Exit status 0: it is what it says it is; 1: it is not, and where; 2: it does not run like this.
    """
    try:
        inspection = _inspected(blob, kind, codec)
    except InspectionUsageError as error:
        refuse(f"no {'codec' if kind in (None, *KINDS) else 'kind'} {error.detail!r}: see --help")
    if as_json:
        typer.echo(json.dumps(inspection.as_json(), indent=1))
    else:
        _print(inspection)
    if inspection.stopped is not None:
        raise typer.Exit(1)


def _inspected(blob: str, kind: str | None, codec: str | None) -> Inspection:
    raw = _read(blob)
    text = _as_text(blob.encode() if raw is None else raw)
    if text is not None and (found := inspect_text(text, kind)) is not None:
        return found
    data = raw if text is None else bytes_of(text)
    if data is None:
        data = raw
    if data is None:
        refuse("the blob is no hexadecimal, no base64, no link, and no file of this name")
    return inspect(data, kind, codec)


def _read(blob: str) -> bytes | None:
    """What a file or standard input holds; None if ``blob`` is the blob itself."""
    if blob == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(blob).read_bytes() if _is_file(blob) else None
    except OSError as error:
        refuse(f"{blob}: {error.strerror}")


def _is_file(blob: str) -> bool:
    try:
        return Path(blob).is_file()
    except (OSError, ValueError):  # longer than any name, or with NUL in it
        return False


def _as_text(raw: bytes) -> str | None:
    """One word of ASCII, whatever white space is around and in it."""
    text = re.sub(rb"\s", b"", raw)
    return text.decode() if text and all(0x20 < byte < 0x7F for byte in text) else None


def bytes_of(text: str) -> bytes | None:
    """The bytes that a text says in hexadecimal, base64 or base64url; None if it is none of them."""
    digits = text.removeprefix("0x").replace(":", "")
    if re.fullmatch(r"([0-9a-fA-F]{2})+", digits):
        return bytes.fromhex(digits)
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        return None
    return (
        data if b64encode(data).rstrip(b"=").decode() == plain else None
    )  # a word is none, mostly


# For people


def _print(inspection: Inspection) -> None:
    out = console()
    if out.is_terminal:
        out.print(_tree(inspection.part))
    else:
        for line in lines(inspection):
            out.print(line)
        return
    for line in _verdict(inspection):
        out.print(line)


def lines(inspection: Inspection) -> list[str]:
    """Everything as plain text: a part a line, with its offset, size, name, value, and what it follows from."""
    head = [f"{inspection.kind}, {len(inspection.data)} bytes", "", "offset  size"]
    return [*head, *_rows(inspection.part, 0), *_verdict(inspection)]


def _rows(part: Part, depth: int) -> list[str]:
    row = f"{part.offset:6}{part.size:6}  {'  ' * depth}{_label(part)}"
    return [row, *(each for child in part.children for each in _rows(child, depth + 1))]


def _label(part: Part) -> str:
    value = _value(part)
    said = f"{part.name}: {part.type}" + (f" = {value}" if value else "")
    note = f" ({part.note})" if part.note and part.note != value else ""
    references = f"  [{', '.join(part.references)}]" if part.references else ""
    return said + note + references + (f"  ! {part.problem}" if part.problem else "")


def _value(part: Part) -> str:
    """A value that is safe on a terminal, whatever it holds."""
    value: Any = part.value
    if value is None or (part.children and isinstance(value, str)):
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\u2026"


def _tree(part: Part) -> Tree:
    tree = Tree(_styled(part))
    for child in part.children:
        tree.children.append(_tree(child))
    return tree


def _styled(part: Part) -> Text:
    style = "bold red" if part.problem else ""
    return Text.assemble((f"{part.offset}+{part.size} ", "dim"), (_label(part), style))


def _verdict(inspection: Inspection) -> list[str]:
    said = [""] if inspection.checks else []
    for check in inspection.checks:
        word = {True: "holds", False: "DOES NOT HOLD", None: "not checked"}[check.holds]
        why = f": {check.detail}" if check.detail else ""
        said.append(f"{check.what} at {check.offset}: {word}{why}  [{', '.join(check.references)}]")
    if inspection.also:
        said.append(f"could also be: {', '.join(inspection.also)}")
    if (stop := inspection.stopped) is not None:
        said += ["", f"not decodable at offset {stop.offset}: {stop}"]
        if inspection.is_guess:
            said.append(
                "begins as nothing that is known here; of all kinds most of it can be read as this one"
            )
    return said
