"""Numbers of the protocol, each one too small and one too large: limits, times, lengths, code points."""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Iterator
from dataclasses import dataclass

from tests.mutants.planting import plant_module
from tests.mutants.source import functions, text_of, tree_of
from tests.mutants.targets import NOT_SEEN_OUTSIDE, modules

__all__ = ["WrongNumber", "numbers"]


@dataclass(frozen=True, slots=True)
class WrongNumber:
    """A constant of a module, one beside its value."""

    name: str
    module: str
    constant: str
    text: str

    @property
    def runs(self) -> frozenset[tuple[str, str]]:
        """(module, function): where the constant is used, or what was made of it when its module was imported."""
        return _users(self.constant)

    def plant(self) -> None:
        """Let this process run the fault."""
        plant_module(self.module, self.text)


def numbers(module: str) -> Iterator[WrongNumber]:
    """Two faults of each number that the module names in capitals."""
    for constant, what, value in _named(module):
        if what not in NOT_SEEN_OUTSIDE:
            for beside in ("- 1", "+ 1"):
                name = f"{module}:{what} {beside}"
                yield WrongNumber(name, module, constant, _with(module, value, beside))


def _named(module: str) -> Iterator[tuple[str, str, ast.expr]]:
    """(constant, what is said of it, its value), and each value of a table of numbers."""
    held = vars(importlib.import_module(module))
    for node in tree_of(module).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=constant)], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id=constant), value=ast.expr() as value)
            ) if constant.isupper():
                if type(held[constant]) is int:
                    yield constant, constant, value
                elif isinstance(value, ast.Dict):
                    yield from _in_table(constant, value)


def _in_table(constant: str, table: ast.Dict) -> Iterator[tuple[str, str, ast.expr]]:
    for key, value in zip(table.keys, table.values, strict=True):
        if key and isinstance(value, ast.Constant) and type(value.value) is int:
            yield constant, f"{constant}[{ast.unparse(key)}]", value


def _with(module: str, value: ast.expr, beside: str) -> str:
    text = text_of(module)
    segment = ast.get_source_segment(text, value)
    assert segment is not None
    lines = text.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: value.lineno - 1])) + value.col_offset
    return (
        text.encode()[:start]
        + f"({segment}) {beside}".encode()
        + text.encode()[start + len(segment.encode()) :]
    ).decode()


@functools.cache
def _users(constant: str) -> frozenset[tuple[str, str]]:
    found = set[tuple[str, str]]()
    for module in modules():
        inside = {name for name, node in functions(tree_of(module)) if _mentions(node, constant)}
        found |= {(module, name) for name in inside}
        if _mentions_outside(module, constant):
            found |= {(module, name) for name, _ in functions(tree_of(module))}
    return frozenset(found)


def _mentions_outside(module: str, constant: str) -> bool:
    """Whether a table, a class or an argument's default holds the constant."""
    return any(
        _mentions(each, constant)
        for node in tree_of(module).body
        if not isinstance(node, ast.Import | ast.ImportFrom)
        for each in (_outside_of(node))
    )


def _outside_of(node: ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield node.args
        case ast.ClassDef():
            for member in node.body:
                yield from _outside_of(member)
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            yield value


def _mentions(node: ast.AST, constant: str) -> bool:
    return any(
        (isinstance(each, ast.Name) and each.id == constant)
        or (isinstance(each, ast.Attribute) and each.attr == constant)
        for each in ast.walk(node)
    )
