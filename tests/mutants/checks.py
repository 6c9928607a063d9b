"""Single checks: each place at which a module refuses something, and the module without it.

    if A or B:          three mutants: never refuses, does not look at A, does not look at B
        raise ...
    case X if A:        one: as if A never held
        raise ...
    check_dates(...)    one: is not called

A check refuses by raising, or by giving back a reason. Its name says where it stands and what it asks, and no line
number, so that it stays the same while the file changes around it.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Mutant", "mutants"]

REFUSALS = re.compile(r"Reject|Refus|Ignored|Fate|Reason|Verdict|\bNO\b")
"""What a function gives back that does not raise: a reason, or the class that carries one."""

CHECKING = re.compile(r"^_?(check|verify|require|refuse|validate|judge|demand|must|forbid|expect)")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """``tree`` is the module with the fault in it; ``function`` the name of what has to be compiled from it."""

    name: str
    module: str
    function: str
    tree: ast.Module


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its text."""
    tree = ast.parse(source)
    seen = dict[str, int]()
    for function, node in _functions(tree):
        for what, path, put in _checks(node):
            name = f"{module}:{function}: {what}"
            seen[name] = times = seen.get(name, 0) + 1
            planted = copy.deepcopy(tree)
            _replace(
                next(each for name_, each in _functions(planted) if name_ == function), path, put
            )
            ast.fix_missing_locations(planted)
            yield Mutant(name if times == 1 else f"{name} #{times}", module, function, planted)


def _functions(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Functions and methods; what is defined inside of one belongs to it."""
    for node in tree.body:
        if isinstance(node, Function):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, Function):
                    yield f"{node.name}.{member.name}", member


def _checks(function: Function) -> Iterator[tuple[str, Path, ast.AST]]:
    """(what it asks, where it stands, what takes its place)."""
    for path, node in _walk(function, ()):
        match node:
            case ast.If(test=test, body=[*_, last]) if _refuses(last):
                yield from _conditions(test, (*path, "test"))
            case ast.match_case(guard=guard, body=[*_, last]) if guard and _refuses(last):
                yield from _conditions(guard, (*path, "guard"))
            case ast.IfExp(test=test, body=body) if _is_refusal(body):
                yield from _conditions(test, (*path, "test"))
            case ast.Expr(value=ast.Call(func=func)) if CHECKING.match(_last_name(func)):
                yield ast.unparse(node), path, ast.Pass()


def _conditions(test: ast.expr, path: Path) -> Iterator[tuple[str, Path, ast.AST]]:
    yield f"if {ast.unparse(test)}", path, ast.Constant(value=False)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        for index, operand in enumerate(test.values):
            left = [each for each in test.values if each is not operand]
            rest = left[0] if len(left) == 1 else ast.BoolOp(op=ast.Or(), values=left)
            yield f"or {ast.unparse(operand)}, operand {index + 1}", path, rest


def _refuses(statement: ast.stmt) -> bool:
    match statement:
        case ast.Raise():
            return True
        case ast.Return(value=ast.expr() as value):
            return _is_refusal(value)
    return False


def _is_refusal(value: ast.expr) -> bool:
    return bool(REFUSALS.search(ast.unparse(value)))


def _last_name(func: ast.expr) -> str:
    return ast.unparse(func).rpartition(".")[2]


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
