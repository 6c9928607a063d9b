"""Changes to declared structures: one field becomes another value of its type, wherever it lies.

Bytes that are changed blindly mostly decode no more, and never carry a good signature. Here a value is decoded, changed and
encoded, so that what is refused is refused for what it says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

from e2ee.errors import E2EEError
from e2ee.mls.proposal import CustomProposal
from e2ee.tls_syntax import Codec, Struct, select
from e2ee.tls_syntax.form import Enumeration, Number, Octets, Optional, Structure, Vector

__all__ = ["changed", "changed_octets", "mutation_of"]

S = TypeVar("S", bound=Struct)


def mutation_of(
    structure: type[S], sign: Callable[[S], S] = lambda value: value
) -> Callable[[bytes, Random], bytes | None]:
    """A mutation of encodings of a structure; ``sign`` makes the changed value's signatures and tags good again."""

    def mutate(data: bytes, chance: Random) -> bytes | None:
        try:
            value = structure.decode(data)
            for _ in range(chance.randint(1, 3)):
                value = changed(value, chance)
            return sign(value).encode()
        except E2EEError:
            return None

    return mutate


def changed(value: S, chance: Random) -> S:
    """The value with one field changed, at any depth. Raises E2EEError where the fields no longer go together."""
    made: S = _field_changed(value, chance)
    return made


def _field_changed(value: Any, chance: Random) -> Any:
    form = value.codec().form
    if not isinstance(form, Structure):
        return value
    name = chance.choice(list(form.fields))
    part, field = form.fields[name], getattr(value, name)
    if isinstance(part, select):
        tag: Any = value
        for step in part.tag.split("."):
            tag = getattr(tag, step)
        chosen = part.codec(tag)
        return (
            value if chosen is None else replace(value, **{name: _changed(chosen, field, chance)})
        )
    return replace(value, **{name: _changed(part, field, chance)})


def _changed(codec: Codec[Any], value: Any, chance: Random) -> Any:
    """Of a value that its codec cannot hold, because its tag was changed before, nothing."""
    match codec.form:
        case Number(size) if isinstance(value, int):
            return _number(value, 8 * size, chance)
        case Octets(None) if isinstance(value, bytes):
            return changed_octets(value, chance)
        case Octets() if isinstance(value, bytes) and value:
            return _flipped(value, chance)
        case Enumeration(members):
            return chance.choice(list(members))
        case Optional(inner):
            return (
                None if value is None or chance.random() < 0.3 else _changed(inner, value, chance)
            )
        case Vector(element) if isinstance(value, tuple):
            return _elements(element, value, chance)
    if isinstance(value, Struct):
        return changed(value, chance)
    if isinstance(value, CustomProposal):
        return replace(value, data=changed_octets(value.data, chance))
    if isinstance(value, tuple) and value and isinstance(value[0], Struct):
        return _elements(type(value[0]).codec(), value, chance)
    return value


def _number(value: int, bits: int, chance: Random) -> int:
    near = [value - 1, value + 1, value ^ 1 << chance.randrange(bits), 0, 1, (1 << bits) - 1]
    return chance.choice(near) % (1 << bits)


def changed_octets(value: bytes, chance: Random) -> bytes:
    """Bytes with one change: a bit, a byte more or less, none, or twice as many."""
    place = chance.randrange(len(value) + 1)
    match chance.randrange(5):
        case 0 if place < len(value):
            return (
                value[:place]
                + bytes([value[place] ^ 1 << chance.randrange(8)])
                + value[place + 1 :]
            )
        case 1:
            return value[:place] + bytes([chance.randrange(256)]) + value[place:]
        case 2:
            return value[:place] + value[place + 1 :]
        case 3:
            return b""
    return value + value[:64]


def _flipped(value: bytes, chance: Random) -> bytes:
    """As long as before."""
    bit = chance.randrange(8 * len(value))
    return (int.from_bytes(value, "big") ^ 1 << bit).to_bytes(len(value), "big")


def _elements(element: Codec[Any], values: tuple[Any, ...], chance: Random) -> tuple[Any, ...]:
    if not values:
        return values
    made, place = list(values), chance.randrange(len(values))
    match chance.randrange(4):
        case 0:
            del made[place]
        case 1:
            made.insert(chance.randrange(len(made) + 1), made[place])
        case 2:
            other = chance.randrange(len(made))
            made[place], made[other] = made[other], made[place]
        case _:
            made[place] = _changed(element, made[place], chance)
    return tuple(made)
