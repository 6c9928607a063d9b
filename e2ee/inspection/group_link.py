"""The URL of a link to a group call (GROUP-3): its parts, each with its place in the text. The secret is not shown."""

from __future__ import annotations

from e2ee.errors import DecodeError, DecodeReason, Reason
from e2ee.identity.text_form import from_text
from e2ee.inspection.errors import NotDecodable
from e2ee.inspection.part import Part
from e2ee.tls_syntax import Reader

__all__ = ["read_group_link"]

_FOLDER, _HOST = "/meet/", "host."


def read_group_link(reader: Reader, part: Part) -> None:
    """Read a link. Offsets are places in the text."""
    start, data = reader.position, reader.data[reader.position : reader.end]
    part.type, part.references, part.size = "text", ("GROUP-3",), len(data)
    text = data.decode("ascii", "replace")
    before, folder, rest = text.rpartition(_FOLDER)
    if not before.startswith(("https://", "http://")) or not folder:
        raise NotDecodable(DecodeReason.UNKNOWN_VALUE, start, f"no https:// with {_FOLDER}")
    call_id, _, fragment = rest.partition("#")
    _add(part, "service", start, before).value = before
    place = start + len(before) + len(_FOLDER)
    _add_bytes(part, "call_id", place, call_id, 16)
    place += len(call_id) + 1
    if fragment.startswith(_HOST):
        _add_bytes(part, "host_key", place + len(_HOST), fragment.removeprefix(_HOST), 32)
    else:
        secret = _add_bytes(part, "secret", place, fragment, 32)
        secret.value, secret.note = None, "secret, not shown"
    reader.position = reader.end


def _add(part: Part, name: str, offset: int, text: str) -> Part:
    child = part.add(name, "text", offset)
    child.size = len(text)
    return child


def _add_bytes(part: Part, name: str, offset: int, text: str, length: int) -> Part:
    child = _add(part, name, offset, text)
    child.type = f"base64url of opaque[{length}]"
    try:
        data = from_text("", text)
    except DecodeError as error:
        raise _stop(child, error.reason, "no base64url without padding") from None
    if len(data) != length:
        raise _stop(child, DecodeReason.BAD_LENGTH, f"{len(data)} bytes, {length} are due")
    child.value = data.hex()
    return child


def _stop(part: Part, reason: Reason, detail: str) -> NotDecodable:
    error = NotDecodable(reason, part.offset, f"{part.name}: {detail}")
    part.problem = str(error)
    return error
