"""The vectors as cases for an adapter: what it is sent, and what the runner keeps to judge the answer.

A case of a chapter's file is sent as it stands there. Two things are put together here, so that an adapter needs no
file: a case that begins in a named state (``input.state``, where the file or its folder has ``states``) gets the state
itself; and a case of ``mls-validation/`` gets its ``cipher_suite``, and with ``then`` what is to follow a refusal,
without what must come of it, which is kept in ``Case.then``. An adapter that refuses such a case does the steps of
``then``, and its answer has a ``then`` too: of each step what came of it, as in the files (``application_data``,
``epoch_authenticator``, or nothing: ``{}``).

    frame-format/receiving/frame-sent-twice-audio       group "frame-format/receiving"
    mls-validation/process/0x0001/framing/own-message   group "mls-validation/process", an id for each suite and file

This module imports nothing of the package and nothing but the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

__all__ = [
    "BEYOND_THE_PROFILE",
    "CLIENT_FEATURES",
    "OPTIONAL_FEATURES",
    "SERVICE_FEATURES",
    "BadVectors",
    "Case",
    "read_cases",
    "sentences_beside",
    "shipped_vectors",
    "specification_of",
]

OPTIONAL_FEATURES = ("hybrid", "H264", "VP9", "sframe-rtp")
"""What an implementation may lack and still conform, if it says so."""

SERVICE_FEATURES = ("forwarding", "tokens")
"""The same of a delivery service: a forwarding unit for the media of group calls, and tokens of registration (DS-8)."""

CLIENT_FEATURES = ("media", "counts", "codes", "block", "group", "host")
"""The same of a client that a live peer plays with, and of its driver (CONF-30)."""

BEYOND_THE_PROFILE = tuple(f"mls-0x{suite:04x}" for suite in range(2, 8))
"""Suites of RFC 9420 that this protocol never uses: shown for MLS libraries, part of no level's claim."""

VALIDATION = "mls-validation"
VALIDATION_LEVEL = "L2"
HYBRID_SUITE = 0xF0E2
OUTCOMES = ("application_data", "epoch_authenticator")
"""What a step of ``then`` must bring."""

KEPT_HERE = ("comment", "then")
"""Of a state of ``mls-validation/``: for people, and for the runner."""


class BadVectors(Exception):
    """The folder of vectors is not there, or not as its README says. The text names the file."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case. ``group`` is "chapter/group"; ``id`` is unique in it.

    ``output`` is None if the case must be refused, ``reason`` if it must be accepted. ``then`` is what must come of
    the steps in ``input["then"]`` after a refusal. ``flags`` say that accepting may be right all the same.
    """

    level: str
    group: str
    id: str
    comment: str
    requirements: tuple[str, ...]
    features: tuple[str, ...]
    input: Mapping[str, Any]
    intermediate: Mapping[str, Any]
    result: str
    output: Mapping[str, Any] | None
    reason: str | None
    flags: tuple[str, ...] = ()
    then: tuple[Mapping[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """Group and id: unique among all cases."""
        return f"{self.group}/{self.id}"

    @property
    def valid(self) -> bool:
        """Whether it must be accepted."""
        return self.result == "valid"

    def called(self, patterns: Iterable[str]) -> bool:
        """Whether name, group, id or a requirement matches one of ``patterns`` (``*``, ``?``, ``[...]``)."""
        titles = (self.name, self.group, self.id, *self.requirements)
        return any(fnmatchcase(title, pattern) for pattern in patterns for title in titles)


def read_cases(folder: Path) -> Iterator[Case]:
    """All cases below ``folder`` (``vectors/``), chapters first. Raises BadVectors."""
    if not (chapters := sorted(folder.glob("*.json"))):
        raise BadVectors(f"there are no vectors in {folder}")
    for path in chapters:
        yield from _checked(path, _of_a_chapter)
    for states in sorted((folder / VALIDATION).glob("*/states.json")):
        for path in sorted(states.parent.glob("*.json")):
            if path != states:
                yield from _checked(path, _of_a_suite)


def specification_of(folder: Path) -> str:
    """The version of the specification that the chapters' vectors are of. Raises BadVectors."""
    for path in sorted(folder.glob("*.json")):
        try:
            return str(json.loads(path.read_bytes())["specification"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise BadVectors(f"{path} is no file of vectors: {error!r}") from error
    raise BadVectors(f"there are no vectors in {folder}")


def sentences_beside(folder: Path) -> dict[str, str]:
    """Requirement -> its sentence, if the specification lies beside the vectors; else nothing."""
    try:
        entries = json.loads((folder.absolute().parent / "spec" / "requirements.json").read_bytes())
        return {entry["id"]: str(entry["text"]) for entry in entries["requirements"]}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def shipped_vectors() -> Path:
    """Where the vectors lie that came with this package: beside it in a checkout, else in it. Raises BadVectors."""
    package = Path(__file__).parents[1]
    places = (package.parent / "vectors", package / "_shipped" / "vectors")
    for place in places:
        if any(place.glob("*.json")):
            return place
    raise BadVectors(
        f"there are no vectors in {' or '.join(map(str, places))}: name them by --vectors"
    )


def _checked(path: Path, read: Callable[[Path], Iterator[Case]]) -> Iterator[Case]:
    try:
        yield from read(path)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadVectors(f"{path} is no file of vectors: {error!r}") from error


def _of_a_chapter(path: Path) -> Iterator[Case]:
    document = json.loads(path.read_bytes())
    states = document.get("states", {})
    for group in document["groups"]:
        for case in group["cases"]:
            given = case["input"]
            if states and isinstance(given.get("state"), str):
                given = given | {"state": states[given["state"]]}
            yield _case(
                case,
                level=group["level"],
                group=f"{document['chapter']}/{group['name']}",
                features=tuple(case["features"]),
                input=given,
            )


def _of_a_suite(path: Path) -> Iterator[Case]:
    document = json.loads(path.read_bytes())
    states = json.loads((path.parent / "states.json").read_bytes())["states"]
    suite, part = document["cipher_suite"], path.stem
    for group in document["groups"]:
        for case in group["cases"]:
            state = states[case["input"]["state"]]
            steps = state["then"]
            given = {
                "cipher_suite": suite,
                **case["input"],
                "state": {key: value for key, value in state.items() if key not in KEPT_HERE},
                "then": [_without_outcome(step) for step in steps],
            }
            yield _case(
                case | {"id": f"{path.parent.name}/{part}/{case['id']}"},
                level=VALIDATION_LEVEL,
                group=f"{VALIDATION}/{group['name']}",
                features=_suites_needed(suite, (case["input"], *steps)),
                input=given,
                then=() if case["result"] == "valid" else tuple(map(_outcome, steps)),
            )


def _case(case: Mapping[str, Any], **put_together: Any) -> Case:
    valid = {"valid": True, "invalid": False}[case["result"]]
    return Case(
        id=case["id"],
        comment=case["comment"],
        requirements=tuple(case["requirements"]),
        intermediate=case.get("intermediate", {}),
        result=case["result"],
        output=case["output"] if valid else None,
        reason=None if valid else case["reason"],
        flags=tuple(case.get("flags", ())),
        **put_together,
    )


def _without_outcome(step: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in step.items() if key not in OUTCOMES}


def _outcome(step: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in step.items() if key in OUTCOMES}


def _suites_needed(suite: int, steps: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The suite's feature; and a second, where the client joins a group of another suite with a KeyPackage of its own."""
    own = (step for step in steps if "init_priv" in step)
    suites = {suite, *(_suite_of(step["key_package"]) for step in own)}
    return tuple(_feature(each) for each in sorted(suites))


def _suite_of(key_package: str) -> int:
    """Of an MLSMessage that is a KeyPackage (RFC 9420, Sections 6 and 10): behind two versions and the wire format."""
    return int.from_bytes(bytes.fromhex(key_package)[6:8])


def _feature(suite: int) -> str:
    return "hybrid" if suite == HYBRID_SUITE else f"mls-0x{suite:04x}"
