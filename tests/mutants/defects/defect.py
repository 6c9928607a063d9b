"""A fault of another system: what it was, where it is told of, and the same in ours."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from tests.mutants.planting import plant_module
from tests.mutants.source import functions, text_of

__all__ = ["Defect"]


@dataclass(frozen=True, slots=True)
class Defect:
    """``old``, which stands once in ``module``, becomes ``new``; and so do the pairs of ``also``, for what checks twice."""

    name: str
    what: str
    source: str
    module: str
    old: str
    new: str
    also: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """The module with the fault. Raises LookupError if the module is not what the fault was written for."""
        text = text_of(self.module)
        for old, new in ((self.old, self.new), *self.also):
            if text.count(old) != 1:
                raise LookupError(
                    f"{self.name}: {old!r} stands {text.count(old)} times in {self.module}"
                )
            text = text.replace(old, new)
        return text

    @property
    def runs(self) -> frozenset[tuple[str, str]]:
        """(module, function): the changed functions; none if something else is changed, which anything may run."""
        before, after = ast.parse(text_of(self.module)), ast.parse(self.text)
        was = {name: ast.dump(node) for name, node in functions(before)}
        now = {name: ast.dump(node) for name, node in functions(after)}
        changed = {name for name in now if now[name] != was.get(name)}
        if _without(before, changed) != _without(after, changed):
            return frozenset()
        return frozenset((self.module, name) for name in changed)

    def plant(self) -> None:
        """Let this process run the fault."""
        plant_module(self.module, self.text)


def _without(tree: ast.Module, names: set[str]) -> str:
    """The module, but for the bodies of these functions."""
    for name, node in functions(tree):
        if name in names:
            node.body = [ast.Pass()]
    return ast.dump(tree)
