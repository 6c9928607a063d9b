"""A fault in the running program: a function's code is replaced by that of the mutant.

Nothing on disk changes, and nothing is imported again: whoever holds the function runs the fault. It is planted in a
process of its own, which ends with it.
"""

from __future__ import annotations

import functools
import gc
import importlib
import types
from collections.abc import Iterator

from tests.mutants.checks import Mutant

__all__ = ["code_of", "plant"]


def plant(mutant: Mutant) -> None:
    """Let this process run ``mutant``. What was remembered of earlier answers is forgotten."""
    module = importlib.import_module(mutant.module)
    compiled = compile(mutant.tree, str(module.__file__), "exec")
    live = _function(module, mutant.function)
    live.__code__ = code_of(compiled, mutant.function)
    for each in gc.get_objects():
        if isinstance(each, functools._lru_cache_wrapper):
            each.cache_clear()


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
