"""Outputs that tell what becomes of many frames, or texts: traces, RTP pipelines, and the order of a chat.

    {"fates": [{"step": 3, "fate": "refused", "reason": "REPLAYED"}, ...]}
    {"outcomes": ["taken", "NUMBER_PASSED", ...]}               a word in capitals is a refusal

A reason explains there, too, and binds nobody (CONF-13); a frame that came out in the place of a refusal leaked (CONF-15).

This module imports nothing of the package beside the runner's own, and nothing but the standard library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from e2ee.conformance.shown import shown

__all__ = ["explained", "leaked_fate"]

Output = Mapping[str, Any]


def leaked_fate(expected: Output, answered: Output) -> str | None:
    """Which frame came out that must be refused, if one did."""
    opened = {_name(fate) for _, fate in _fates(expected) if fate["fate"] == "opened"}
    refused = {_name(fate) for _, fate in _fates(expected) if fate["fate"] == "refused"}
    for _, fate in _fates(answered):
        if fate.get("frame") and _name(fate) in refused - opened:
            return f"the frame of {_name(fate)} came out"
    return None


def explained(
    expected: Output, answered: Output, reasons: Mapping[str, frozenset[str]]
) -> tuple[Output, str]:
    """``answered`` with the reasons of ``expected``; and the first reason that is another one, if one is.

    ``reasons`` are those of the vectors, by the adapter's own names.
    """
    said, other = dict(_fates(answered)), ""
    for place, fate in _fates(expected):
        own = said.get(place, {})
        reason = own.get("reason", "no reason")
        if own.get("fate") != fate["fate"] or "reason" not in fate or not isinstance(reason, str):
            continue
        if fate["reason"] not in {reason, *reasons.get(reason, ())}:
            other = other or f"{_name(fate)}: {shown(reason)} in place of {fate['reason']}"
        said[place] = {**own, "reason": fate["reason"]}
    outcomes, another = _outcomes(expected, answered, reasons)
    return _put_back({**answered, **outcomes}, said), other or another


def _outcomes(
    expected: Output, answered: Output, reasons: Mapping[str, frozenset[str]]
) -> tuple[Output, str]:
    """``outcomes`` with the reasons of ``expected``, if both have such; and the first reason that is another one."""
    due, given = expected.get("outcomes"), answered.get("outcomes")
    if not isinstance(due, list | tuple) or not isinstance(given, list | tuple):
        return {}, ""
    taken, said, other = {each for each in due if not _refuses(each)}, [*given], ""
    for at, (reason, own) in enumerate(zip(due, given, strict=False)):
        if _refuses(reason) and isinstance(own, str) and own not in taken:
            said[at] = reason
            if reason not in {own, *reasons.get(own, ())}:
                other = other or f"outcomes[{at}]: {shown(own)} in place of {reason}"
    return {"outcomes": said}, other


def _refuses(outcome: object) -> bool:
    return isinstance(outcome, str) and outcome.isupper()


Place = tuple[str, int]
"""The member of an output, and the position in its list."""


def _fates(output: Output) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    for member, value in output.items():
        if isinstance(value, list | tuple):
            for at, item in enumerate(value):
                if isinstance(item, Mapping) and isinstance(item.get("fate"), str):
                    yield (member, at), item


def _put_back(output: Output, fates: Mapping[Place, Mapping[str, Any]]) -> Output:
    return {
        member: [fates.get((member, at), item) for at, item in enumerate(value)]
        if isinstance(value, list | tuple)
        else value
        for member, value in output.items()
    }


def _name(fate: Mapping[str, Any]) -> str:
    """What the fate is that of: a step, or a timestamp."""
    key = "step" if "step" in fate else "timestamp"
    return f"{key} {fate.get(key)!r:.40}"
