"""The curve of Ed25519 by the book (RFC 8032, Section 5.1), to make signatures that no honest signer makes.

Slow, and in a time that depends on the secrets: for vectors only.
"""

from __future__ import annotations

from functools import cache

from e2ee.crypto.kdf import HKDF_SHA512

__all__ = [
    "BASE",
    "IDENTITY",
    "ORDER_2",
    "L",
    "P",
    "Point",
    "add",
    "challenge",
    "encode",
    "multiply",
    "order_8",
]

Point = tuple[int, int]

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(one: Point, other: Point) -> Point:
    """The sum of two points, also of equal ones."""
    (x1, y1), (x2, y2) = one, other
    k = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - k, -1, P)
    return x % P, y % P


def multiply(scalar: int, point: Point) -> Point:
    """``scalar`` times ``point``."""
    product = IDENTITY
    for bit in bin(scalar)[2:]:
        product = add(product, product)
        if bit == "1":
            product = add(product, point)
    return product


def encode(point: Point) -> bytes:
    """The 32 bytes of a point: y, and the lowest bit of x on top."""
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def challenge(r: bytes, a: bytes, message: bytes) -> int:
    """k = SHA-512(R || A || M), as a number below L."""
    return int.from_bytes(HKDF_SHA512.hash(r + a + message), "little") % L


def _recover_x(y: int, lowest_bit: int) -> int:
    """RFC 8032, Section 5.1.3, for a y that has one."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    return x if x & 1 == lowest_bit else P - x


def _base() -> Point:
    y = 4 * pow(5, -1, P) % P
    return _recover_x(y, 0), y


IDENTITY: Point = (0, 1)
BASE = _base()
ORDER_2: Point = (0, P - 1)


@cache
def order_8() -> Point:
    """A point of order 8: L times a point whose order is 8 L."""
    y = 2
    while True:
        square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
        if pow(square, (P - 1) // 2, P) == 1:
            candidate = multiply(L, (_recover_x(y, 0), y))
            if multiply(4, candidate) != IDENTITY:
                return candidate
        y += 1
