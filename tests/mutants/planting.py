"""A fault in the running program. It is planted in a process of its own, which ends with it; nothing on disk changes.

A check that is gone is planted by replacing a function's code: whoever holds the function runs the fault, and nothing
is imported again. A number, a table, or a function that another one made may be held by anybody: there the whole
package is imported again, with that one module changed.
"""

from __future__ import annotations

import ast
import functools
import gc
import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Iterator, Sequence

__all__ = ["code_of", "plant_function", "plant_module"]


def plant_function(module: str, function: str, tree: ast.Module) -> None:
    """Let this process run ``function`` as it is in ``tree``. What was remembered of earlier answers is forgotten."""
    imported = importlib.import_module(module)
    compiled = compile(tree, str(imported.__file__), "exec")
    _function(imported, function).__code__ = code_of(compiled, function)
    for each in gc.get_objects():
        if isinstance(each, functools._lru_cache_wrapper):
            each.cache_clear()


def plant_module(module: str, changed: str | ast.Module) -> None:
    """Let this process import everything again, and ``changed`` as the module. Who holds something older runs that."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "e2ee"]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Finder(module, changed))


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, module: str, changed: str | ast.Module) -> None:
        self._module = module
        self._changed = changed

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        assert found is not None
        assert found.origin is not None
        found.loader = _Loader(fullname, found.origin, self._changed)
        return found


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, changed: str | ast.Module) -> None:
        super().__init__(fullname, path)
        self._changed = changed

    def get_code(self, fullname: str) -> types.CodeType:
        code: types.CodeType = compile(self._changed, self.get_filename(fullname), "exec")
        return code


def code_of(module: types.CodeType, function: str) -> types.CodeType:
    """The code of ``function`` ("name" or "Class.name") in a compiled module."""
    code = module
    for name in function.split("."):
        code = next(each for each in _inner(code) if each.co_name == name)
    return code


def _inner(code: types.CodeType) -> Iterator[types.CodeType]:
    return (each for each in reversed(code.co_consts) if isinstance(each, types.CodeType))


def _function(module: types.ModuleType, name: str) -> types.FunctionType:
    place: object = module
    for step in name.split("."):
        place = vars(place)[step] if isinstance(place, type) else getattr(place, step)
    return _bare(place)


def _bare(place: object) -> types.FunctionType:
    """The function below what decorators made of it."""
    match place:
        case types.FunctionType() if hasattr(place, "__wrapped__"):
            return _bare(place.__wrapped__)
        case types.FunctionType():
            return place
        case staticmethod() | classmethod():
            return _bare(place.__func__)
        case property(fget=getter) if getter:
            return _bare(getter)
        case functools.cached_property(func=getter):
            return _bare(getter)
        case _ if hasattr(place, "__wrapped__"):
            return _bare(place.__wrapped__)
    raise TypeError(f"{place!r} has no code to replace")
