"""Switching a defence off, to see that an attack would succeed without it.

    replaced(ReplayWindow, is_new=anything)      a method, a function of a module, or a constant, for as long as a block lasts

What is named here is what enforces a requirement: a reader of an attack finds the place in the code by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

__all__ = ["all_of", "always", "no", "nothing", "replaced", "yes"]


def replaced(target: object, **values: object) -> Callable[[], AbstractContextManager[None]]:
    """Attributes of a class, module or object that have other values meanwhile."""

    @contextmanager
    def switched_off() -> Iterator[None]:
        own = {name: vars(target)[name] for name in values if name in vars(target)}
        for name in values:
            getattr(target, name)  # what is not there defends nobody
        try:
            for name, value in values.items():
                setattr(target, name, value)
            yield
        finally:
            for name in values:
                if name in own:
                    setattr(target, name, own[name])
                else:
                    delattr(target, name)  # it is a base class's

    return switched_off


def all_of(
    *without: Callable[[], AbstractContextManager[None]],
) -> Callable[[], AbstractContextManager[None]]:
    """Several defences at once."""

    @contextmanager
    def switched_off() -> Iterator[None]:
        with ExitStack() as stack:
            for each in without:
                stack.enter_context(each())
            yield

    return switched_off


def always(value: object) -> Callable[..., Any]:
    """A function that gives this, whatever it is asked."""
    return lambda *_, **__: value


nothing = always(None)
"""A check that checks nothing."""


def yes(*_: object, **__: object) -> bool:
    """A question that everybody passes."""
    return True


def no(*_: object, **__: object) -> bool:
    """A question that stops nobody."""
    return False
