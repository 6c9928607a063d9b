"""Bytes that must not be seen: keys, and everything that keys are derived from.

``Secret`` is ``bytes`` to every primitive and to nothing that prints, compares, hashes or stores. It stops the
accidents (a log line, a traceback that shows local variables, a dataclass's repr, ``==`` in a check, a cache keyed
by it, a pickle). It does not stop code that means it: ``bytes(secret)``, ``secret.hex()``, a slice and a
concatenation are plain bytes.

What Python cannot promise: memory is not wiped when an object is dropped, and the interpreter and the libraries
make copies that nobody can reach. A secret ends when the last reference to it is dropped, as an erased epoch does;
that protects against what is asked of the program later, not against who reads its memory. Comparing takes the same
time whatever the content; other operations of ``bytes`` (``in``, ``find``, ``startswith``, an index) promise
nothing, and neither does the arithmetic of the interpreter around them.
"""

from __future__ import annotations

import hmac
from typing import NoReturn, Self

__all__ = ["NonCopyable", "Secret", "equal"]


def equal(a: bytes, b: bytes) -> bool:
    """Whether ``a`` and ``b`` are the same bytes, in a time that depends on their lengths only."""
    return hmac.compare_digest(a, b)


class Secret(bytes):
    """Bytes that hide: ``repr`` shows the length, ``==`` takes constant time; no hash, no order, no pickle."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Secret({len(self)} bytes)"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return format(repr(self), format_spec)

    def __eq__(self, other: object) -> bool:
        return equal(self, other) if isinstance(other, bytes) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not equal(self, other) if isinstance(other, bytes) else NotImplemented

    # A hash would leave a fingerprint in every table and make lookups depend on the secret.
    __hash__ = None  # type: ignore[assignment]

    def _refuse_order(self, _: object) -> NoReturn:
        raise TypeError("secrets have no order")

    __lt__ = __le__ = __gt__ = __ge__ = _refuse_order

    # Immutable, so a copy would only be one more place where it stays.
    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("secrets are not pickled")


class NonCopyable:
    """State that exists once: its copy would use a key a second time, and outlive what is erased here."""

    __slots__ = ()

    def __reduce_ex__(self, _: object) -> NoReturn:  # what copy, deepcopy and pickle all ask
        raise TypeError(f"a {type(self).__name__} is neither copied nor pickled")
