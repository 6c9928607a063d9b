"""Lists of extensions that hold a type twice, which the library does not write."""

from __future__ import annotations

from e2ee.mls.extension import Extension

__all__ = ["twice"]


class _OfItsOwn(int):
    """A number that equals no other, itself excepted: written, it is like any other."""

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__


def twice(extension: Extension) -> tuple[Extension, Extension]:
    """The extension, and one of the same type with other data."""
    return extension, Extension(_OfItsOwn(extension.extension_type), b"again")
