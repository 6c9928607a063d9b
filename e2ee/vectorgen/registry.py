"""Chapters, groups and cases of test vectors, and the decorator that makes a function a case.

    receiving = Group("receiving", "What a receiver does with a frame.")

    @receiving.vector("FRAME-7", reason=RejectReason.NOT_A_SPEAKER)
    def frame_of_a_listener(case: Case) -> None:
        '''Leaf 2 is in the group and has keys, but the call's list of speakers names only leaf 0.'''
        case.input["frame"] = ...

    CHAPTER = Chapter("frame-format", "L1", "One encoded frame becomes one protected frame.", (receiving,))

The function's name becomes the case's id, its docstring the comment. ``reason`` makes it a case that must be refused,
with exactly this reason. ``each`` makes one case of each of its items. The functions run when a chapter is written.

A case says which optional ``features`` of the protocol it needs (``FEATURES``): who lacks one has nothing to show there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

from e2ee.crypto.seeded_entropy import SeededEntropy

__all__ = ["FEATURES", "LEVELS", "Case", "Chapter", "Group", "plain"]

_SEED = SeededEntropy(b"E2EE Call 1.0 vectors")

LEVELS = ("L1", "L2", "L3", "L4", "L5", "V", "S", "D")
"""Of conformance, as in ``spec/conformance.md``."""

HYBRID_MLS_SUITE, HYBRID_SFRAME_SUITE = 0xF0E2, 0x0005

FEATURES: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "hybrid": lambda given: (
        given.get("mls_suite") == HYBRID_MLS_SUITE
        or given.get("sframe_suite") == HYBRID_SFRAME_SUITE
    ),
    "H264": lambda given: _codec(given) == "H264",
    "VP9": lambda given: _codec(given) == "VP9",
    "sframe-rtp": lambda given: given.get("binding") == "sframe-rtp",
}
"""Name -> whether a case with this input needs it; a case whose input does not show it adds the name itself."""

LARGEST_NUMBER = 2**53 - 1
"""What every JSON reader reads exactly; a larger number is written as bytes."""


@dataclass(slots=True)
class Case:
    """One vector: what goes in, every step on the way, and what must come out.

    ``output`` is empty if the case is refused, and where the answer is only yes. ``entropy`` is this case's own.
    """

    id: str
    comment: str
    requirements: tuple[str, ...]
    reason: StrEnum | None
    entropy: SeededEntropy
    input: dict[str, Any] = field(default_factory=dict)
    intermediate: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)
    features: set[str] = field(default_factory=set)

    def document(self) -> dict[str, Any]:
        """This case as JSON values."""
        document = {
            "id": self.id,
            "comment": self.comment,
            "requirements": list(self.requirements),
            "features": self._features(),
            "input": plain(self.input),
            "intermediate": plain(self.intermediate),
        }
        if self.reason is None:
            return document | {"output": plain(self.output), "result": "valid"}
        if self.output:
            raise ValueError(f"{self.id} is refused and has an output")
        return document | {"result": "invalid", "reason": self.reason.value}

    def _features(self) -> list[str]:
        if unknown := self.features - FEATURES.keys():
            raise ValueError(f"{self.id} needs {', '.join(sorted(unknown))}, which is no feature")
        shown = {name for name, needs in FEATURES.items() if needs(self.input)}
        return sorted(self.features | shown)


def _codec(given: Mapping[str, Any]) -> Any:
    stream = given.get("stream")
    return stream.get("codec") if isinstance(stream, Mapping) else given.get("codec")


Fill = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A function that makes a case, and what it is called with besides the case."""

    id: str
    requirements: tuple[str, ...]
    reason: StrEnum | None
    fill: Fill
    arguments: tuple[Any, ...]

    def case(self, chapter: str) -> Case:
        """The case, made anew: the same at every call."""
        comment = " ".join((self.fill.__doc__ or "").split())
        entropy = _SEED.fork(f"{chapter}#{self.id}".encode())
        case = Case(self.id, comment, self.requirements, self.reason, entropy)
        self.fill(case, *self.arguments)
        return case


@dataclass(frozen=True, slots=True)
class Group:
    """Cases of one operation, with inputs of one shape. ``level`` is theirs, if it is not the chapter's."""

    name: str
    description: str
    level: str | None = None
    recipes: list[Recipe] = field(default_factory=list)

    def vector(
        self,
        *requirements: str,
        reason: StrEnum | None = None,
        each: Mapping[str, Any] | None = None,
    ) -> Callable[[Fill], Fill]:
        """Make the function a case, or with ``each`` a case of each item: ``{end of the id: second argument}``."""

        def register(fill: Fill) -> Fill:
            name = fill.__name__.replace("_", "-")
            variants = (
                {name: ()} if each is None else {f"{name}-{k}": (v,) for k, v in each.items()}
            )
            self.recipes.extend(
                Recipe(id_, requirements, reason, fill, arguments)
                for id_, arguments in variants.items()
            )
            return fill

        return register

    def document(self, chapter: str, level: str) -> dict[str, Any]:
        """This group as JSON values."""
        cases = [recipe.case(chapter).document() for recipe in self.recipes]
        return {
            "name": self.name,
            "level": self.level or level,
            "description": self.description,
            "cases": cases,
        }


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of the specification, and so a file of vectors. ``name`` is that of both files.

    ``level`` is the level of conformance that the chapter's cases belong to, but for groups that name another.
    """

    name: str
    level: str
    description: str
    groups: tuple[Group, ...]
    states: Mapping[str, Callable[[], Mapping[str, Any]]] = field(default_factory=dict)
    """Where cases begin that say so by name (``input["state"]``): name -> what makes the state."""

    def document(self, version: str) -> dict[str, Any]:
        """The whole file as JSON values. Raises ValueError if two cases have one id."""
        ids = [recipe.id for group in self.groups for recipe in group.recipes]
        if twice := {id_ for id_ in ids if ids.count(id_) > 1}:
            raise ValueError(f"{self.name}: two cases are called {', '.join(sorted(twice))}")
        states = {name: plain(make()) for name, make in self.states.items()}
        return {
            "specification": version,
            "chapter": self.name,
            "description": self.description,
            **({"states": states} if states else {}),
            "groups": [group.document(self.name, self.level) for group in self.groups],
        }


def plain(value: Any) -> Any:
    """``value`` as JSON: bytes in hexadecimal, members of enumerations by value, sets in order."""
    match value:
        case None | bool():
            return value
        case Enum():
            return value.value
        case str():
            return value
        case bytes():
            return value.hex()
        case int() if abs(value) <= LARGEST_NUMBER:
            return value
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case set() | frozenset():
            return [plain(item) for item in sorted(value)]
    raise TypeError(f"no JSON for {type(value).__name__}")
