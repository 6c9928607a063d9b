"""From each requirement to the vectors, tests and code that show it, and what is wrong where they do not.

    vectors   each case below ``vectors/`` names its requirements; a section of an RFC is nobody's here
    checks    ``@check("DS-4", refused=True)`` on a function of ``conformance/server/checks``: what a delivery service is asked
              to take, or to refuse, by ``e2ee conformance server``
    tests     ``@pytest.mark.requirement("FRAME-7")`` on a test, its class or its module (``pytestmark``)
    code      the id in a comment or docstring, at the function that enforces it

Nothing of this is kept by hand. ``spec/trace.json`` is written from it, with names of functions in place of line
numbers, so that it changes only when an answer changes.

This module imports nothing of the package that it looks at.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

from e2ee.conformance.requirements import INDEX, Finding, Requirement, Specification, mentioned

__all__ = ["KINDS", "TRACE", "Places", "Trace", "Unconfirmed"]

TRACE = "trace.json"

KINDS = ("vectors", "checks", "tests", "code")

WITHOUT_CITATIONS = ("conformance", "vectorgen")
"""Packages whose text names ids without enforcing them."""

CHECKS = Path("conformance", "server", "checks")
"""Where they lie in the package."""

_OF_AN_RFC = re.compile(r"RFC\d+-\d+(\.\d+)*")
"""The requirements of vectors that show what no chapter says again."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Unconfirmed(Exception):
    """Sentences changed under vectors, and nobody said that the vectors still show them."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__(", ".join(ids))
        self.ids = ids


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where one requirement is shown: ``file#case``, ``file::check``, ``file::test``, ``file::function``."""

    vectors: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)

    def entry(self) -> dict[str, list[str]]:
        """This evidence in ``spec/trace.json``."""
        return {kind: getattr(self, kind) for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Places:
    """Where the evidence lies. ``tests`` is None where tests are not shipped: then ``trace.json`` says which there are."""

    spec: Path
    vectors: Path
    package: Path
    tests: Path | None

    @classmethod
    def of_checkout(cls, root: Path) -> Places:
        """In the checkout whose folder is ``root``."""
        return cls(root / "spec", root / "vectors", root / "e2ee", root / "tests")

    @classmethod
    def of_installation(cls, package: Path) -> Places:
        """In an installed package, whose folder is ``package``."""
        inside = package / "_shipped"
        return cls(inside / "spec", inside / "vectors", package, None)


class Trace:
    """A specification, with the evidence for it: of a checkout (``places`` is its folder), or what is shipped of it."""

    def __init__(self, places: Places | Path) -> None:
        self.places = places if isinstance(places, Places) else Places.of_checkout(places)
        self.specification = Specification(self.places.spec)
        self.evidence = {id_: Evidence() for id_ in self.specification.requirements}
        self.results = dict[str, str]()  # where a vector or a check lies -> "valid" or "invalid"
        self._strays = list[Finding]()
        self._gather("vectors", self._vectors())
        self._gather("checks", self._checks())
        self._gather("tests", self._tests())
        self._gather("code", self._python(self.places.package, _citations))

    def findings(self, version: str) -> list[Finding]:
        """All that is wrong; ``version`` is the specification's."""
        return [
            *self.specification.findings,
            *self._strays,
            *(
                Finding("VANISHED", id_, "was confirmed and stands in no chapter")
                for id_ in self.specification.vanished()
            ),
            *self._unshown(),
            *self._unconfirmed(),
            *self._stale(version),
        ]

    def write(self, version: str, confirmed: Collection[str] = ()) -> None:
        """Write both generated files. Raises Unconfirmed, and writes nothing, if a changed sentence has vectors."""
        if waiting := [
            finding.subject for finding in self._unconfirmed() if finding.subject not in confirmed
        ]:
            raise Unconfirmed(waiting)
        for path, content in self._generated(version):
            path.write_text(content)

    def _generated(self, version: str) -> Iterator[tuple[Path, str]]:
        spec = self.specification
        yield spec.folder / INDEX, spec.index(version)
        entries = {id_: evidence.entry() for id_, evidence in self.evidence.items()}
        yield (
            spec.folder / TRACE,
            json.dumps({"specification": version, "requirements": entries}, indent=1) + "\n",
        )

    def _gather(self, kind: str, places: Iterable[tuple[str, str]]) -> None:
        """Sort ``places`` (id, where) under their requirements; those of no requirement are findings."""
        for id_, where in places:
            requirement = self.specification.requirements.get(id_)
            if requirement is None or requirement.withdrawn:
                why = "withdrawn" if requirement else "defined in no chapter"
                self._strays.append(Finding("UNKNOWN", id_, f"named by {where}, {why}"))
            elif where not in (known := getattr(self.evidence[id_], kind)):
                known.append(where)

    def _vectors(self) -> Iterator[tuple[str, str]]:
        folder = self.places.vectors
        for path in sorted(folder.rglob("*.json")):
            file = path.relative_to(folder).as_posix()
            for group in json.loads(path.read_text()).get("groups", ()):
                for case in group["cases"]:
                    where = f"vectors/{file}#{case['id']}"
                    self.results[where] = case.get("result", "valid")
                    for id_ in case["requirements"]:
                        if not _OF_AN_RFC.fullmatch(id_):
                            yield id_, where

    def _checks(self) -> Iterator[tuple[str, str]]:
        for path in sorted((self.places.package / CHECKS).glob("*.py")):
            inside = path.relative_to(self.places.package.parent).as_posix()
            for symbol, node in _definitions(ast.parse(path.read_text(), inside)):
                for mark in filter(_is_check, node.decorator_list):
                    where = f"{inside}::{symbol}"
                    self.results[where] = "invalid" if _refuses(mark) else "valid"
                    yield from ((ast.literal_eval(each), where) for each in mark.args)

    def _tests(self) -> Iterator[tuple[str, str]]:
        if self.places.tests:
            yield from self._python(self.places.tests, _marks)
        elif (kept := self.places.spec / TRACE).is_file():
            for id_, entry in json.loads(kept.read_text())["requirements"].items():
                yield from ((id_, test) for test in entry["tests"])

    def _python(
        self,
        folder: Path,
        ids_of: Callable[[str, ast.Module, list[str]], Iterator[tuple[str, str]]],
    ) -> Iterator[tuple[str, str]]:
        for path in sorted(folder.rglob("*.py")):
            inside = path.relative_to(folder.parent)
            if folder is self.places.package and inside.parts[1] in WITHOUT_CITATIONS:
                continue
            source = path.read_text()
            for id_, symbol in ids_of(
                source, ast.parse(source, str(inside)), self.specification.prefixes
            ):
                yield id_, f"{inside.as_posix()}::{symbol}" if symbol else inside.as_posix()

    def _unshown(self) -> Iterator[Finding]:
        for requirement in self._in_force():
            evidence = self.evidence[requirement.id]
            shown = evidence.vectors or evidence.checks or evidence.tests
            if requirement.level == "MUST" and not shown:
                yield Finding("UNSHOWN", requirement.id, "is a MUST with neither vector nor test")

    def _unconfirmed(self) -> Iterator[Finding]:
        for id_ in self.specification.changed():
            if vectors := self.evidence[id_].vectors:
                yield Finding(
                    "UNCONFIRMED",
                    id_,
                    f"changed; do its {len(vectors)} vectors still show it? (--confirm {id_})",
                )

    def _stale(self, version: str) -> Iterator[Finding]:
        for path, content in self._generated(version):
            if not path.is_file() or path.read_text() != content:
                yield Finding(
                    "STALE",
                    f"spec/{path.name}",
                    "is not what the chapters, vectors, tests and code say (--write)",
                )

    def _in_force(self) -> Iterator[Requirement]:
        return (r for r in self.specification.requirements.values() if not r.withdrawn)


def _marks(_: str, tree: ast.Module, __: list[str]) -> Iterator[tuple[str, str]]:
    """(id, test) for each ``requirement`` mark: a mark of a class or a module counts for its tests together."""
    for symbol, node in _definitions(tree):
        for decorator in node.decorator_list:
            for id_ in _ids_of_mark(decorator):
                yield id_, symbol
    for statement in tree.body:
        if (
            isinstance(statement, ast.Assign)
            and getattr(statement.targets[0], "id", "") == "pytestmark"
        ):
            for id_ in _ids_of_mark(statement.value):
                yield id_, ""


def _ids_of_mark(expression: ast.expr) -> Iterator[str]:
    for node in ast.walk(expression):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "requirement"
        ):
            for argument in node.args:
                yield ast.literal_eval(argument)


def _is_check(decorator: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "check"


def _refuses(mark: ast.Call) -> bool:
    return any(each.arg == "refused" and ast.literal_eval(each.value) for each in mark.keywords)


def _citations(source: str, tree: ast.Module, prefixes: list[str]) -> Iterator[tuple[str, str]]:
    """(id, function or class) for each id in a comment or docstring."""
    spans = [
        (node.lineno, node.end_lineno or node.lineno, symbol) for symbol, node in _definitions(tree)
    ]
    for line, text in [*_comments(source), *_docstrings(tree)]:
        around = [(last - first, symbol) for first, last, symbol in spans if first <= line <= last]
        symbol = min(around)[1] if around else ""
        for id_ in mentioned(text, prefixes):
            yield id_, symbol


def _comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every string that is a statement: docstrings, also those below a constant."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield node.lineno, node.value.value


def _definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """(dotted name, node) of every function and class, outer ones first."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Definition):
            yield prefix + node.name, node
            yield from _definitions(node, f"{prefix}{node.name}.")
        else:
            yield from _definitions(node, prefix)
