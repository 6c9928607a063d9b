"""Decoded structures made once more from their fields, so that they remember nothing of the bytes they came from.

``X.decode(data).encode() == data`` proves nothing where ``X`` is an ``EncodedOnce``: its encoding is then ``data``
itself. ``rebuilt(X.decode(data)).encode() == data`` shows that ``data`` is the one encoding of what it says.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TypeVar

__all__ = ["rebuilt"]

T = TypeVar("T")


def rebuilt(value: T) -> T:
    """An equal value, in which every structure is a new one."""
    if isinstance(value, tuple):
        return tuple(map(rebuilt, value))  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{f.name: rebuilt(getattr(value, f.name)) for f in fields(value)})
    return value
