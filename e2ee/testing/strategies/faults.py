"""Encodings with a fault, and what almost is an object together with the reason for which it must be refused."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from e2ee.errors import Reason

__all__ = ["Refusable", "damaged"]

_CHANGES = ("flip", "drop", "put in", "cut", "twice", "longer")


@dataclass(frozen=True, slots=True)
class Refusable:
    """Bytes that a receiver must refuse, and the documented reason; ``fault`` says what is wrong, for people."""

    data: bytes
    reason: Reason
    fault: str


@st.composite
def damaged(draw: st.DrawFn, encodings: st.SearchStrategy[bytes], *, most: int = 3) -> bytes:
    """An encoding in which 1 to ``most`` bytes were flipped, dropped, put in or repeated, or that was cut or made longer.

    ``damaged(key_packages().map(KeyPackage.encode))`` draws bytes that are mostly no KeyPackage. It may be one all the same:
    the property is "refused with the documented error, or decoded and encoded again to these bytes".
    """
    data = bytearray(draw(encodings))
    for _ in range(draw(st.integers(1, most))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(_CHANGES)):
            case "flip" if data:
                data[place] ^= 1 << draw(st.integers(0, 7))
            case "drop" if data:
                del data[place]
            case "put in":
                data.insert(place, draw(st.integers(0, 255)))
            case "cut":
                del data[place:]
            case "twice":
                end = draw(st.integers(place, min(len(data), place + 40)))
                data[place:place] = data[place:end]
            case "longer":
                data += draw(st.binary(min_size=1, max_size=4))
    return bytes(data)
