"""Decoders of signalling messages: of each family, and of the connection between a service and its forwarding unit."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from e2ee.errors import E2EEError
from e2ee.server.control.messages import CONTROL
from e2ee.signalling import wire
from e2ee.signalling.errors import WireError
from e2ee.signalling.messages import CALL, LETTER, SERVICE, Family
from e2ee.testing.strategies import messages_of
from tests.fuzz.corpus import all_of, from_vectors
from tests.fuzz.structure_mutation import changed_octets
from tests.fuzz.target import Seeds, reads_back, target

EACH = 4
"""Drawn examples of each message."""


def examples(family: Family[Any]) -> Iterator[bytes]:
    """Some messages of each class, the same at every run."""
    drawn: list[bytes] = []
    for message in family.messages.values():

        @settings(
            max_examples=EACH,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(messages_of(message))
        def draw(made: Any) -> None:
            drawn.append(wire.encode(made))

        draw()
    return iter(drawn)


def changed_message(family: Family[Any], data: bytes, chance: Random) -> bytes | None:
    """The message with one field changed, as far as its type can hold that."""
    try:
        message = wire.decode(family, data)
        values = [getattr(message, name) for name, _ in message.checks]
        if values:
            place = chance.randrange(len(values))
            values[place] = _changed(values[place], chance)
        return wire.encode(type(message)(*values))
    except E2EEError:
        return None


def _changed(value: Any, chance: Random) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return chance.choice([0, 1, value + 1, value ^ 1 << chance.randrange(32)])
        case str():
            return chance.choice([value + "x", value[:-1], "\u202e", value * 2, "alice"])
        case bytes():
            return changed_octets(value, chance)
        case tuple() if value:
            place = chance.randrange(len(value))
            return (*value[:place], _changed(value[place], chance), *value[place + 1 :])
    return value


def family_target(name: str, family: Family[Any], seeds: Seeds) -> None:
    """Enter the decoder of a family."""

    def judge(data: bytes) -> bool:
        def decode(encoded: bytes) -> Any:
            return wire.decode(family, encoded)

        return reads_back(data, decode, wire.encode, WireError)

    judge.__doc__ = f"The decoder of {family.name} messages."

    def mutate(data: bytes, chance: Random) -> bytes | None:
        return changed_message(family, data, chance)

    target(name, seeds=all_of(lambda: examples(family), seeds), mutate=mutate)(judge)


family_target(
    "service-messages", SERVICE, from_vectors("signalling", "encoded", "message", "bytes")
)
family_target("call-messages", CALL, from_vectors("signalling", "encoded", "message", "bytes"))
family_target("letter-messages", LETTER, from_vectors("letters", "message"))
family_target("control-messages", CONTROL, lambda: ())
