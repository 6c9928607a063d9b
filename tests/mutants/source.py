"""A module's text as a tree, and its functions by their names."""

from __future__ import annotations

import ast
import functools
import importlib.util
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Function", "functions", "path_of", "text_of", "tree_of"]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def path_of(module: str) -> Path:
    """Where the module's text is."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin)


@functools.cache
def text_of(module: str) -> str:
    """The module's text."""
    return path_of(module).read_text()


@functools.cache
def tree_of(module: str) -> ast.Module:
    """The module as a tree, which nobody may change."""
    return ast.parse(text_of(module))


def functions(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Functions and methods ("Class.name"); what is defined inside of one belongs to it."""
    for node in tree.body:
        if isinstance(node, Function):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, Function):
                    yield f"{node.name}.{member.name}", member
