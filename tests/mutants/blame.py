"""Whose fault a check sees: another's, which every implementation has to refuse, or the caller's own.

The place of the raised class in the error tree says it (``e2ee/errors.py``). What a caller of ours can do wrong is a
matter of our interface; no vector shows it to somebody who has another one.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from e2ee.errors import LocalProtocolError
from e2ee.media.errors import BadFrame, NoSendKey
from e2ee.sframe.errors import CounterExhausted
from tests.mutants.source import functions, tree_of

__all__ = ["Blame"]

OF_THE_CALLER = (LocalProtocolError, ValueError, TypeError, NotImplementedError)

SEEN_OUTSIDE = (NoSendKey, CounterExhausted, BadFrame)
"""The caller's own, too; but what would leave the device without the check is for everybody to see."""


class Blame:
    """Of the checks of one function. ``is_checking`` tells calls that are checks from others."""

    def __init__(self, module: str, function: str, is_checking: Callable[[ast.expr], bool]) -> None:
        self._module = importlib.import_module(module)
        self._class = function.rpartition(".")[0]
        self._is_checking = is_checking

    def is_own(self, statement: ast.stmt) -> bool:
        """Whether the statement, a check or what it refuses by, sees nothing but misuse by its own caller."""
        match statement:
            case ast.Raise(exc=ast.Call(func=raised)) | ast.Raise(exc=ast.expr() as raised):
                return self._is_own_error(raised)
            case ast.Expr(value=ast.Call(func=called)):
                return self._sees_only_own(called)
        return False

    def _is_own_error(self, raised: ast.expr) -> bool:
        found = self._resolved(raised)
        if isinstance(found, FunctionType):
            found = _returned_class(found)
        return (
            isinstance(found, type)
            and issubclass(found, OF_THE_CALLER)
            and not issubclass(found, SEEN_OUTSIDE)
        )

    def _sees_only_own(self, called: ast.expr) -> bool:
        found = self._resolved(called)
        if not isinstance(found, FunctionType) or not found.__module__.startswith("e2ee."):
            return False
        return _all_own(found.__module__, found.__qualname__, self._is_checking)

    def _resolved(self, expression: ast.expr) -> Any:
        names = ast.unparse(expression).split(".")
        if names[0] in {"self", "cls"} and self._class:
            names[0] = self._class
        return _found(self._module, names)


def _found(module: ModuleType, names: list[str]) -> Any:
    place: Any = module
    for name in names:
        place = inspect.getattr_static(place, name, None)
    return inspect.unwrap(place) if isinstance(place, FunctionType) else place


def _returned_class(function: FunctionType) -> Any:
    annotation = function.__annotations__.get("return", "")
    return _found(importlib.import_module(function.__module__), str(annotation).split("."))


@functools.cache
def _all_own(module: str, function: str, is_checking: Callable[[ast.expr], bool]) -> bool:
    node = dict(functions(tree_of(module))).get(function)
    if node is None:
        return False
    blame = Blame(module, function, is_checking)
    refusing = list(_refusing(node, is_checking))
    return bool(refusing) and all(map(blame.is_own, refusing))


def _refusing(node: ast.AST, is_checking: Callable[[ast.expr], bool]) -> Iterator[ast.stmt]:
    for each in ast.walk(node):
        match each:
            case ast.Raise():
                yield each
            case ast.Expr(value=ast.Call(func=func)) if is_checking(func):
                yield each
