"""From a blob to what is in it: told what it is, or finding out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from e2ee.errors import DecodeError, DecodeReason
from e2ee.identity import device_link, safety_number
from e2ee.identity.text_form import from_text
from e2ee.inspection.checks import Check, checks
from e2ee.inspection.errors import InspectionReason, InspectionUsageError, NotDecodable
from e2ee.inspection.kinds import KINDS, reading
from e2ee.inspection.part import Part
from e2ee.tls_syntax import Reader

__all__ = ["Inspection", "inspect", "inspect_text"]

TEXTS = {"device-link": device_link.PREFIX, "safety-code": safety_number.PREFIX}
"""Kinds that come as text, and what it begins with."""

LOOSE = frozenset({"rtp", "frame"})
"""Kinds that almost any bytes could be."""

_LINK = ("https://", "http://")

LARGEST = 1 << 22
"""The longest blob that is looked at, in bytes: a part takes a hundred times what it is read from."""


@dataclass(slots=True)
class Inspection:
    """``stopped`` says why the bytes are not what ``kind`` says, and where; None if they are, to the last byte."""

    kind: str
    data: bytes = field(repr=False)
    part: Part
    stopped: NotDecodable | None = None
    checks: list[Check] = field(default_factory=list)
    also: tuple[str, ...] = ()
    """Other kinds that the same bytes could be."""
    is_guess: bool = False
    """Whether the bytes are of no kind and begin as none, so that ``kind`` is only the one of which most can be read."""

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        told: dict[str, Any] = {
            "kind": self.kind,
            "size": self.part.size,
            "also": list(self.also),
            "is_guess": self.is_guess,
            "checks": [check.as_json() for check in self.checks],
            "content": self.part.as_json(),
            "stopped": None,
        }
        if (stop := self.stopped) is not None:
            told["stopped"] = {
                "reason": stop.reason.value,
                "offset": stop.offset,
                "detail": stop.detail,
            }
        return told


def inspect_text(text: str, kind: str | None = None) -> Inspection | None:
    """A text that is a kind of its own (a link, a code); None if it is none. Raises InspectionUsageError."""
    _check_kind(kind)
    if text.startswith(_LINK) and kind in (None, "group-link"):
        return _checked(_read("group-link", text.encode(), None))
    for each, prefix in TEXTS.items():
        if text.startswith(prefix) and kind in (None, each):
            return _of_text(each, prefix, text)
    return None


def _of_text(kind: str, prefix: str, text: str) -> Inspection:
    try:
        data = from_text(prefix, text)
    except DecodeError as error:
        stop = NotDecodable(error.reason, len(prefix), error.detail)
        return Inspection(
            kind, text.encode(), Part(kind, "text", 0, len(text), problem=str(stop)), stop
        )
    return _checked(_read(kind, data, None))


def inspect(data: bytes, kind: str | None = None, codec: str | None = None) -> Inspection:
    """What ``data`` is. Never raises for bytes; raises InspectionUsageError for a kind or codec that there is not.

    Of bytes that several kinds could be, the first of ``KINDS``; of bytes that are none, the kind that they begin as, or
    the one of which most can be read.
    """
    _check_kind(kind)
    if kind is not None:
        return _checked(_read(kind, data, codec))
    attempts = [_read(each, data, codec) for each in KINDS]
    whole = [each for each in attempts if each.stopped is None and _is_plausible(each)]
    strict = [each for each in whole if each.kind not in LOOSE]
    begun = [each for each in attempts if (begins := KINDS[each.kind].begins) and begins(data)]
    begun.sort(key=_how_far, reverse=True)
    meant = (strict or begun or whole or [max(attempts, key=_how_far)])[0]
    meant.is_guess = not (strict or begun or whole)
    if meant.stopped is None:
        meant.also = tuple(each.kind for each in strict or whole if each is not meant)
    return _checked(meant)


def _read(kind: str, data: bytes, codec: str | None) -> Inspection:
    part, reader = Part(kind, "", 0), Reader(data)
    inspection = Inspection(kind, data, part)
    try:
        if len(data) > LARGEST:
            detail = f"{len(data)} bytes, at most {LARGEST} are looked at"
            raise NotDecodable(DecodeReason.TOO_LARGE, 0, detail)
        reading(kind, codec)(reader, part)
    except NotDecodable as stop:
        inspection.stopped = stop
        if not any(each.problem for each in part.walk()):
            part.problem = str(stop)
    part.size = part.size or min(reader.position, len(data))
    return inspection


def _checked(inspection: Inspection) -> Inspection:
    inspection.checks = list(checks(inspection.part, inspection.data))
    return inspection


def _is_plausible(inspection: Inspection) -> bool:
    return KINDS[inspection.kind].plausible(inspection.part)


def _how_far(inspection: Inspection) -> int:
    return -1 if inspection.stopped is None else inspection.stopped.offset


def _check_kind(kind: str | None) -> None:
    if kind is not None and kind not in KINDS:
        raise InspectionUsageError(InspectionReason.UNKNOWN_KIND, kind)
