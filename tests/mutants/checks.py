"""Single checks: each place at which a module refuses something, and the module without it.

    if A or B:          three mutants: never refuses, does not look at A, does not look at B
        raise ...
    case X if A:        one: as if A never held
        raise ...
    check_dates(...)    one: is not called
    if size > MOST:     one more, among the boundaries: the limit itself is beyond it (``>=``)
        raise ...

A check refuses by raising, or by giving back a reason. Its name says where it stands and what it asks, and no line
number, so that it stays the same while the file changes around it.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.mutants.blame import Blame
from tests.mutants.planting import plant_function, plant_module
from tests.mutants.source import Function, functions, tree_of

__all__ = ["Mutant", "boundaries", "checks"]

REFUSALS = re.compile(r"Reject|Refus|Ignored|Fate|Reason|Verdict|\bNO\b")
"""What a function gives back that does not raise: a reason, or the class that carries one."""

CHECKING = re.compile(r"^_?(check|verify|require|refuse|validate|judge|demand|must|forbid|expect)")

OTHER_SIDE: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Lt: ast.LtE(),
    ast.LtE: ast.Lt(),
    ast.Gt: ast.GtE(),
    ast.GtE: ast.Gt(),
}

Path = tuple[str | int, ...]
Change = tuple[str, Path, ast.AST]
"""What is asked there; where it stands; what takes its place."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault in one function of a module."""

    name: str
    module: str
    function: str
    place: Path
    put: ast.AST

    @property
    def runs(self) -> frozenset[tuple[str, str]]:
        """(module, function): a case that runs none of them cannot show the fault."""
        return frozenset({(self.module, self.function)})

    def plant(self) -> None:
        """Let this process run the fault."""
        if self._is_of_an_inner_function():
            plant_module(self.module, self.tree())
        else:
            plant_function(self.module, self.function, self.tree())

    def _is_of_an_inner_function(self) -> bool:
        """Inner functions were made of the outer one's code before it is replaced."""
        node: object = dict(functions(tree_of(self.module)))[self.function]
        for step in self.place:
            node = node[step] if isinstance(step, int) else getattr(node, step)  # type: ignore[index]
            if isinstance(node, Function | ast.Lambda):
                return True
        return False

    def tree(self) -> ast.Module:
        """The module with the fault in it."""
        planted = copy.deepcopy(tree_of(self.module))
        _replace(dict(functions(planted))[self.function], self.place, self.put)
        return ast.fix_missing_locations(planted)


def checks(module: str) -> Iterator[Mutant]:
    """The module without each of its checks, in the order of its text."""
    return _mutants(module, _without)


def boundaries(module: str) -> Iterator[Mutant]:
    """The module with each limit that a check compares with on the other side of it."""
    return _mutants(module, _other_side)


def _mutants(module: str, changes: Callable[[ast.AST, Path], Iterator[Change]]) -> Iterator[Mutant]:
    seen = dict[str, int]()
    for function, node in functions(tree_of(module)):
        blame = Blame(module, function, is_checking)
        for check, path in _checks(node, blame):
            for what, place, put in changes(check, path):
                name = f"{module}:{function}: {what}"
                seen[name] = times = seen.get(name, 0) + 1
                yield Mutant(
                    name if times == 1 else f"{name} #{times}", module, function, place, put
                )


def _checks(function: Function, blame: Blame) -> Iterator[tuple[ast.AST, Path]]:
    """Conditions that refuse, and calls of what refuses, with their places."""
    for path, node in _walk(function, ()):
        match node:
            case ast.If(test=test, body=[*_, last]) if _refuses(last) and not blame.is_own(last):
                yield test, (*path, "test")
            case ast.match_case(guard=guard, body=[*_, last]) if (
                guard and _refuses(last) and not blame.is_own(last)
            ):
                yield guard, (*path, "guard")
            case ast.IfExp(test=test, body=body) if _is_refusal(body):
                yield test, (*path, "test")
            case ast.Expr(value=ast.Call(func=func)) if is_checking(func):
                if not blame.is_own(node):
                    yield node, path


def _without(check: ast.AST, path: Path) -> Iterator[Change]:
    if isinstance(check, ast.stmt):
        yield ast.unparse(check), path, ast.Pass()
        return
    yield f"if {ast.unparse(check)}", path, ast.Constant(value=False)
    if isinstance(check, ast.BoolOp) and isinstance(check.op, ast.Or):
        for index, operand in enumerate(check.values):
            left = [each for each in check.values if each is not operand]
            rest = left[0] if len(left) == 1 else ast.BoolOp(op=ast.Or(), values=left)
            yield f"or {ast.unparse(operand)}, operand {index + 1}", path, rest


def _other_side(check: ast.AST, path: Path) -> Iterator[Change]:
    if isinstance(check, ast.stmt):
        return
    for inner, node in _walk(check, ()):
        if isinstance(node, ast.Compare):
            for index, operator in enumerate(node.ops):
                if other := OTHER_SIDE.get(type(operator)):
                    changed = copy.deepcopy(node)
                    changed.ops[index] = other
                    what = f"{ast.unparse(node)} as {ast.unparse(changed)}"
                    yield what, (*path, *inner, "ops", index), other


def is_checking(func: ast.expr) -> bool:
    """Whether a call of it is a check, by its name."""
    return bool(CHECKING.match(ast.unparse(func).rpartition(".")[2]))


def _refuses(statement: ast.stmt) -> bool:
    match statement:
        case ast.Raise():
            return True
        case ast.Return(value=ast.expr() as value):
            return _is_refusal(value)
    return False


def _is_refusal(value: ast.expr) -> bool:
    return bool(REFUSALS.search(ast.unparse(value)))


def _walk(node: ast.AST, path: Path) -> Iterator[tuple[Path, ast.AST]]:
    yield path, node
    for field, value in ast.iter_fields(node):
        if isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield from _walk(item, (*path, field, index))
        elif isinstance(value, ast.AST):
            yield from _walk(value, (*path, field))


def _replace(root: ast.AST, path: Path, put: ast.AST) -> None:
    *way, last = path
    place: object = root
    for step in way:
        place = place[step] if isinstance(step, int) else getattr(place, step)  # type: ignore[index]
    if isinstance(last, int):
        place[last] = copy.deepcopy(put)  # type: ignore[index]
    else:
        setattr(place, last, copy.deepcopy(put))
