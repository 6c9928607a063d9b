"""Fuzz targets: bytes come in, and are accepted, or refused with the documented error; anything else is a fault.

    @target("call-profile", seeds=from_vectors("key-agreement", "call_profile"))
    def call_profile(data: bytes) -> bool:
        ...

The function judges one input. It gives True for what was accepted and False for what was refused; whatever it raises is a
fault, and so is more than ``TIME`` of the processor's time. It keeps nothing from one input to the next that could change a
judgement. The same function is run by Hypothesis (``test_targets``) and by atheris (``process``), which learns from the
branches that an input takes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from e2ee.errors import E2EEError, Reason
from e2ee.testing.rebuilt import rebuilt

__all__ = [
    "LONGEST",
    "TARGETS",
    "TIME",
    "Faulty",
    "Judge",
    "Seeds",
    "Target",
    "judged",
    "reads_back",
    "refused",
    "target",
]

LONGEST = 1 << 16
"""Bytes of an input."""

TIME = 1.0
"""Seconds of the processor's time that an input may take."""

Judge = Callable[[bytes], bool]
Seeds = Callable[[], Iterable[bytes]]
Mutate = Callable[[bytes, random.Random], bytes | None]
T = TypeVar("T")


class Faulty(AssertionError):
    """Something that must hold of every input does not hold of this one."""


@dataclass(frozen=True, slots=True)
class Target:
    """A row of the table. ``seeds`` are inputs to begin with: the vectors', and what encoders make.

    ``mutate`` changes an input as one who knows its structure; None where it cannot. ``refuses`` is False where every
    input means something.
    """

    name: str
    judge: Judge
    seeds: Seeds
    longest: int = LONGEST
    mutate: Mutate | None = None
    refuses: bool = True

    def mutated(self, data: bytes, chance: random.Random) -> bytes | None:
        """The input, changed as one who knows its structure; None where that cannot be."""
        if self.mutate is None:
            return None
        try:
            changed = self.mutate(data, chance)
        except E2EEError:
            return None
        return changed if changed is not None and len(changed) <= self.longest else None

    @property
    def about(self) -> str:
        """The first line of what the function says of itself."""
        return (self.judge.__doc__ or "").strip().partition("\n")[0]


TARGETS: dict[str, Target] = {}
"""All of them, by name: ``table`` imports them."""


def target(name: str, *, seeds: Seeds, **options: Any) -> Callable[[Judge], Judge]:
    """Enter a function into the table."""

    def enter(judge: Judge) -> Judge:
        if name in TARGETS:
            raise ValueError(f"two targets are called {name}")
        TARGETS[name] = Target(name, judge, seeds, **options)
        return judge

    return enter


def judged(target: Target, data: bytes, allowed: float = TIME) -> bool:
    """What the target says of an input. Raises Faulty if that takes longer than allowed, in seconds of this thread."""
    begin = time.thread_time()
    accepted = target.judge(data)
    if (took := time.thread_time() - begin) > allowed:
        raise Faulty(f"{took:.1f} s for {len(data)} bytes")
    return accepted


# What most targets do


def refused(error: E2EEError) -> bool:
    """False; but an error without a reason is none that is documented."""
    if not isinstance(error.reason, Reason):
        raise Faulty(f"{type(error).__name__} without a reason") from error
    return False


def reads_back(
    data: bytes,
    decode: Callable[[bytes], T],
    encode: Callable[[T], bytes],
    *documented: type[E2EEError],
) -> bool:
    """Whether ``decode`` takes the bytes; then they are the one encoding of what they say, which is read back equal."""
    try:
        value = decode(data)
    except documented as error:
        return refused(error)
    again = encode(rebuilt(value))
    if again != data:
        raise Faulty(f"encoded again it is {again.hex()}")
    if decode(again) != value:
        raise Faulty("read again it is something else")
    return True


def each(data: Iterable[bytes]) -> Iterator[bytes]:
    """Every one once, in order."""
    return iter(dict.fromkeys(data))
